"""What GET gives may be sent back by PATCH or PUT as it is: it is taken, and changes nothing."""

import random
from typing import Any, Final

import pytest
from pydantic import BaseModel

from mcu.api.app import ROUTES
from mcu.api.route import Route
from tests.mcu.api.live import Api
from tests.mcu.api.resources.test_scenarios import SCENARIO

ORDERS: Final = frozenset({"change_leg", "change_polling", "change_roll_call"})
"""Their bodies say what is to be done next, not how something is to stand."""

_BRIDGES: Final[dict[str, tuple[Any, ...]]] = {
    "kind": ("webrtc", "sip"),
    "address": (None, "", "sip:phong-hop@10.0.0.7;transport=tcp"),
    "contact": (None, {}, {"name": "", "phone": ""}, {"name": "Trực ban"}, {"phone": "0900 1"}),
    "importance": (0, 100),
    "standard": ({}, {"screens": 2, "panel": "A", "dual": True, "loss_percent": 0.5}),
}


def changes_of(method: str) -> list[Route]:
    return [one for one in ROUTES if one.method == method and one.name not in ORDERS]


def model_of_get(path: str) -> type[BaseModel] | None:
    found = (one for one in ROUTES if (one.method, one.path) == ("GET", path))
    return next((answer.model for one in found for answer in one.answers), None)


def test_every_change_takes_back_what_get_gives() -> None:
    for route in changes_of("PATCH"):
        assert route.body is not None
        assert route.body.echo is model_of_get(route.path), route.name


async def changes_nothing(api: Api, path: str, *methods: str) -> None:
    before = await api.call("GET", path, status=200)
    for method in methods:
        answer = await api.call(method, path, before.json, status=200)
        assert answer.json == before.json
    after = await api.call("GET", path, status=200)
    assert (after.json, after.headers["ETag"]) == (before.json, before.headers["ETag"])


@pytest.fixture
async def province(api: Api) -> Api:
    await api.province()
    return api


@pytest.mark.parametrize("seed", range(40))
async def test_a_bridge(province: Api, seed: int) -> None:
    dice = random.Random(seed)
    new = {"id": "p", "name": "Phòng", "unit": "xa-1"} | {
        field: dice.choice(values) for field, values in _BRIDGES.items() if dice.random() < 0.8
    }
    if new.get("kind") != "sip":
        new.pop("address", None)
    if new.get("contact", {}) is None:
        new.pop("contact")
    await province.call("POST", "/bridges", new, status=201)
    await changes_nothing(province, "/bridges/p", "PATCH")


async def test_a_unit(province: Api) -> None:
    for unit in ("tinh", "xa-1"):  # with nothing above it, and with
        await changes_nothing(province, f"/units/{unit}", "PATCH")


async def test_a_conference_and_who_is_in_it(province: Api) -> None:
    bare = await province.conference("xa-1-a")
    await changes_nothing(province, f"/conferences/{bare}", "PATCH")
    await changes_nothing(province, f"/conferences/{bare}/participants/xa-1-a", "PATCH")
    body = {
        "name": "Họp", "unit": "tinh", "bridges": ["xa-2-a"], "chair": "xa-2-a", "pin": "4711",
        "number": "2002", "layout": "2x2",
    }  # fmt: skip
    made = await province.call("POST", "/conferences", body, status=201)
    path = f"/conferences/{made.json['id']}"
    await changes_nothing(province, path, "PATCH")
    guest = await province.call("POST", f"{path}/participants", {"name": "Khách"}, status=201)
    room = await province.token("bridge", bridge="xa-2-a")
    await province.join(made.json["id"], room)
    for who in ("xa-2-a", guest.json["id"]):
        await changes_nothing(province, f"{path}/participants/{who}", "PATCH")


async def test_a_scenario(province: Api) -> None:
    await province.call("POST", "/scenarios", SCENARIO, status=201)
    await changes_nothing(province, "/scenarios/giao-ban", "PATCH", "PUT")
    bare = {"id": "khong", "name": "Không có gì", "unit": "tinh"}
    await province.call("POST", "/scenarios", bare, status=201)
    await changes_nothing(province, "/scenarios/khong", "PATCH", "PUT")


async def test_an_incident(province: Api) -> None:
    made = await province.call(
        "POST", "/incidents", {"bridge": "xa-1-a", "title": "Loa hỏng"}, status=201
    )
    path = f"/incidents/{made.json['id']}"
    await changes_nothing(province, path, "PATCH")
    for change in ({"assignee": "Hùng"}, {"state": "closed"}):
        await province.call("PATCH", path, change, status=200)
        await changes_nothing(province, path, "PATCH")


async def test_readings_may_have_gone_on(province: Api) -> None:
    conference = await province.conference("xa-1-a")
    for path, readings in (
        ("/bridges/xa-1-a", {"sip": {"registered": True}}),
        (f"/conferences/{conference}/participants/xa-1-a", {"level_db": -30.0, "speaking": True}),
    ):
        before = await province.call("GET", path, status=200)
        answer = await province.call("PATCH", path, before.json | readings, status=200)
        assert answer.json == before.json


@pytest.mark.parametrize(
    ("path", "echo"),
    [
        ("/bridges/xa-1-a", {"id": "xa-1-b", "version": 7}),
        ("/units/xa-1", {"id": "xa-2"}),
    ],
    ids=["bridge", "unit"],
)
async def test_what_cannot_be_changed_is_named(
    province: Api, path: str, echo: dict[str, Any]
) -> None:
    before = await province.call("GET", path, status=200)
    refused = await province.call("PATCH", path, echo | {"name": "Khác"}, status=422)
    assert refused.fields == sorted(f"$.{name}" for name in echo)
    unknown = await province.call("PATCH", path, {"no_such": 1, "name": "Khác"}, status=422)
    assert unknown.fields == ["$.no_such"]
    for body in ("{", "[]", '"text"'):
        sent = await province.call(
            "PATCH", path, data=body, headers={"Content-Type": "application/json"}
        )
        assert sent.status in (400, 422)
    assert (await province.call("GET", path, status=200)).json == before.json
