"""The chair's own view and polling by REST, and that rooms hear nothing of them."""

import asyncio
import json

import pytest

from mcu.api.event_sight import EventSight
from mcu.api.reach import Reach
from mcu.api.rights import Holder, UnitTree
from tests.mcu.api.live import Api

ROOMS = ("tinh-a", "xa-1-a", "xa-2-a")


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """A conference of three rooms that have joined; the first presides."""
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": list(ROOMS), "chair": "tinh-a"}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    for bridge in ROOMS:
        await api.join(conference, await api.token("bridge", bridge=bridge))
    return api, f"/conferences/{conference}"


def pass_time(api: Api, seconds: float) -> None:
    api.clock.advance(seconds)
    api.conferences.handle_timer(api.clock.now())


async def test_the_chair_looks_at_one_room(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    body = {"participant": "xa-1-a"}
    reply = await api.call("PUT", f"{path}/chair-view", body, status=200)
    assert reply.json["chair_view"] == "xa-1-a"
    room = await api.token("bridge", bridge="xa-2-a")
    assert (await api.call("GET", path, token=room, status=200)).json["chair_view"] is None
    reply = await api.call("PUT", f"{path}/chair-view", {"participant": "nobody"}, status=422)
    assert reply.fields == ["$.participant"]
    reply = await api.call("PUT", f"{path}/chair-view", {"participant": "tinh-a"}, status=409)
    assert "see itself" in reply.json["detail"]
    for _ in range(2):
        await api.call("DELETE", f"{path}/chair-view", status=204)
    assert (await api.call("GET", path, status=200)).json["chair_view"] is None


async def test_polling_by_the_clock(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    polling = f"{path}/polling"
    await api.call("GET", polling, status=404)
    reply = await api.call("PUT", polling, {"interval_s": 10}, status=200)
    assert (reply.json["view"], reply.json["scope"], reply.json["except"]) == ("chair", "all", [])
    pass_time(api, 0)
    assert (await api.call("GET", polling, status=200)).json["participant"] == "xa-1-a"
    pass_time(api, 10)
    assert (await api.call("GET", polling, status=200)).json["participant"] == "xa-2-a"
    reply = await api.call("PATCH", polling, {"paused": True}, status=200)
    assert (reply.json["paused"], reply.json["due"], reply.json["left_s"]) == (True, None, 10)
    pass_time(api, 99)
    reply = await api.call("PATCH", polling, {"paused": False}, status=200)
    assert (reply.json["participant"], reply.json["paused"]) == ("xa-2-a", False)
    for _ in range(2):
        await api.call("POST", f"{polling}/skip", {"participant": "xa-2-a"}, status=200)
        pass_time(api, 0)
        assert (await api.call("GET", polling, status=200)).json["participant"] == "xa-1-a"
    await api.call("POST", f"{polling}/skip", status=200)
    for _ in range(2):
        await api.call("DELETE", polling, status=204)
    for method, where, body in (
        ("PATCH", polling, {"paused": True}),
        ("POST", f"{polling}/skip", {}),
    ):
        reply = await api.call(method, where, body, status=409)
        assert "start it first" in reply.json["detail"]


async def test_polling_is_refused(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    for body, field in (
        ({"interval_s": 1}, "$.interval_s"),
        ({"interval_s": 5, "scope": "nowhere"}, "$.scope"),
        ({"interval_s": 5, "scope": ["nobody"]}, "$.scope[0]"),
        ({"interval_s": 5, "except": ["nobody"]}, "$.except[0]"),
        ({"interval_s": 5, "view": "other"}, "$.view"),
    ):
        reply = await api.call("PUT", f"{path}/polling", body, status=422)
        assert reply.fields == [field], body
    for role in ("observer", "technician"):
        token = await api.token(role, unit="tinh")
        await api.call("PUT", f"{path}/polling", {"interval_s": 5}, token=token, status=403)
        await api.call("PUT", f"{path}/chair-view", {"participant": "xa-1-a"}, token=token,
                       status=403)  # fmt: skip


async def test_rooms_hear_nothing_of_it(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    tree = UnitTree({"tinh": None, "xa-1": "tinh", "xa-2": "tinh"})
    room = EventSight(api.conferences, Reach(Holder("bridge", bridge="xa-1-a"), tree))
    operator = EventSight(api.conferences, Reach(Holder("operator", unit="tinh"), tree))
    async with api.conferences.subscribe() as feed:
        await api.call("PUT", f"{path}/chair-view", {"participant": "xa-1-a"}, status=200)
        await api.call("PUT", f"{path}/polling", {"interval_s": 5}, status=200)
        pass_time(api, 0)
        await api.call("PUT", f"{path}/floor", {"participant": "xa-2-a"}, status=200)
        types = {"operator": [], "room": []}
        while "floor.granted" not in types["operator"]:
            event = await asyncio.wait_for(anext(aiter(feed)), 10)
            for who, sight in (("operator", operator), ("room", room)):
                shown = await sight.shown(event)
                if shown is not None:
                    types[who].append(json.loads(shown)["type"])
    assert types["operator"] == [
        "chair-view.started", "polling.started", "polling.moved", "floor.granted",
    ]  # fmt: skip
    assert types["room"] == ["floor.granted"]


async def test_skipping_answers_with_who_is_shown_now(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("PUT", f"{path}/polling", {"interval_s": 10}, status=200)
    pass_time(api, 0)
    shown = (await api.call("GET", f"{path}/polling", status=200)).json["participant"]
    reply = await api.call("POST", f"{path}/polling/skip", {"participant": shown}, status=200)
    assert (shown, reply.json["participant"]) == ("xa-1-a", "xa-2-a")
    again = await api.call("POST", f"{path}/polling/skip", {"participant": shown}, status=200)
    assert again.json["participant"] == "xa-2-a"
    api.conferences.look_for_pictures(lambda _: frozenset({"xa-1-a"}))
    alone = await api.call("POST", f"{path}/polling/skip", status=200)
    assert alone.json["participant"] == "xa-2-a"


async def test_a_page_that_turns_breaks_no_if_match(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("PUT", f"{path}/polling", {"interval_s": 10}, status=200)
    where = (path, f"{path}/floor", f"{path}/polling")
    tags = [(await api.call("GET", each, status=200)).headers["ETag"] for each in where]
    for _ in range(3):
        pass_time(api, 10)
    assert [(await api.call("GET", each, status=200)).headers["ETag"] for each in where] == tags
    body = {"participant": "xa-1-a"}
    await api.call("PUT", f"{path}/floor", body, headers={"If-Match": tags[1]}, status=200)
    paused = await api.call(
        "PATCH", f"{path}/polling", {"paused": True}, headers={"If-Match": tags[2]}, status=200
    )
    assert paused.headers["ETag"] != tags[2]
    await api.call("DELETE", f"{path}/polling", headers={"If-Match": tags[2]}, status=412)


async def test_the_chair_looks_at_who_is_here(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("POST", f"{path}/participants", {"bridge": "xa-2-b"}, status=201)
    reply = await api.call("PUT", f"{path}/chair-view", {"participant": "xa-2-b"}, status=409)
    assert "not connected" in reply.json["detail"]
