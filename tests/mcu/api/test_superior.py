"""A superior's operator in a descendant's conference; and those who are not above it."""

import asyncio
from typing import Any

import pytest

from tests.mcu.api.live import Api

STEERING: tuple[tuple[str, str, Any], ...] = (
    ("GET", "", None),
    ("GET", "/views/main.jpg", None),
    ("GET", "/participants/xa-1-a/picture.jpg", None),
    ("PUT", "/broadcast", {"participant": "xa-1-a"}),
    ("DELETE", "/broadcast", None),
    ("PUT", "/chair-view", {"participant": "xa-1-b"}),
    ("DELETE", "/chair-view", None),
    ("POST", "/mute", {"scope": "all", "except": ["chair"]}),
    ("POST", "/unmute", {"scope": "all"}),
    ("PATCH", "/participants/xa-1-a", {"audio_muted": True, "label": "Xã 1"}),
    ("PUT", "/floor", {"participant": "xa-1-b"}),
    ("DELETE", "/floor", None),
    ("PUT", "/polling", {"interval_s": 5, "view": "chair"}),
    ("DELETE", "/polling", None),
    ("POST", "/roll-calls", {"mode": "called"}),
    ("POST", "/roll-calls/1/marks", {"participant": "xa-1-b"}),
    ("POST", "/roll-calls/1/sign-off", {"rest": "absent"}),
    ("POST", "/participants", {"bridge": "tinh-a"}),
    ("DELETE", "", None),
)
"""What is asked of the conference, below its address, in this order."""


@pytest.fixture
async def of_a_commune(api: Api) -> tuple[Api, str]:
    """A commune's own conference, begun by its own operator; both rooms are there."""
    await api.province()
    commune = await api.token("operator", unit="xa-1")
    body = {"name": "Họp xã", "unit": "xa-1", "bridges": "subtree", "chair": "xa-1-a"}
    reply = await api.call("POST", "/conferences", body, token=commune, status=201)
    conference = str(reply.json["id"])
    for bridge in ("xa-1-a", "xa-1-b"):
        await api.join(conference, await api.token("bridge", bridge=bridge))
    return api, f"/conferences/{conference}"


async def test_it_views_broadcasts_mutes_and_calls_the_roll(
    of_a_commune: tuple[Api, str],
) -> None:
    api, path = of_a_commune
    top = {"id": "trung-uong", "name": "Chính phủ", "level": "central", "parent": None}
    await api.call("POST", "/units", top, status=201)
    await api.call("PATCH", "/units/tinh", {"parent": "trung-uong"}, status=200)
    centre = await api.token("operator", unit="trung-uong")  # two levels above
    for method, what, body in STEERING:
        reply = await api.call(method, path + what, body, token=centre)
        assert reply.status < 300, (method, what, reply.body)
    audit = await api.store.audit.list(limit=100)
    assert {"start_broadcast", "mute", "sign_roll_call"} <= {row.action for row in audit.items}


@pytest.mark.parametrize(
    ("role", "unit"),
    [("operator", "khac"), ("operator", "xa-2"), ("observer", "tinh")],
)
async def test_nobody_else_does(of_a_commune: tuple[Api, str], role: str, unit: str) -> None:
    api, path = of_a_commune
    token = await api.token(role, unit=unit)
    may_read = role != "operator"  # from above, without a hand in it
    replies = await asyncio.gather(
        *(api.call(method, path + what, body, token=token) for method, what, body in STEERING)
    )
    for (method, what, body), reply in zip(STEERING, replies, strict=True):
        allowed = may_read and method == "GET"
        assert (reply.status == 200) == allowed, (method, what, body, reply.body)
        assert allowed or reply.status in (403, 404), (method, what, reply.body)
