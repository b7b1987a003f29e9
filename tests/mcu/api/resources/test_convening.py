"""Convening by REST: begun, watched, exported, stopped and retried; what rooms hear of it."""

import asyncio
import json

import pytest

from mcu.api.event_sight import EventSight
from mcu.api.reach import Reach
from mcu.api.rights import Holder, UnitTree
from tests.mcu.api.live import Api

ROOMS = ("tinh-a", "xa-1-a", "xa-2-a", "xa-2-b")


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """Four rooms that are called when they are convened; the last presides."""
    await api.province()
    contact = {"contact": {"name": "Trần Bình", "phone": "+84905123456"}}
    await api.call("PATCH", "/bridges/xa-2-a", contact, status=200)
    body = {
        "name": "Họp",
        "unit": "tinh",
        "bridges": list(ROOMS),
        "chair": "xa-2-b",
        "calls": "when_convened",
    }
    conference = (await api.call("POST", "/conferences", body, status=201)).json
    assert conference["calls_when_convened"]
    assert conference["convening"] is None
    return api, f"/conferences/{conference['id']}"


def rows(reply) -> dict[str, dict[str, object]]:
    return {row["participant"]: row for row in reply.json["rows"]}


async def test_one_call_convenes_all_and_the_board_shows_how_far_it_is(
    meeting: tuple[Api, str],
) -> None:
    api, path = meeting
    await api.call("GET", f"{path}/convening", status=404)
    reply = await api.call("POST", f"{path}/convening", {"at_once": 3}, status=201)
    assert (reply.json["state"], reply.json["by"], reply.json["target_s"]) == (
        "open", "bootstrap", 600,
    )  # fmt: skip
    assert next(row["participant"] for row in reply.json["rows"]) == "xa-2-b", "the chair first"
    assert [row["state"] for row in reply.json["rows"]] == ["called"] * 3 + ["expected"]
    api.clock.advance(4)
    await api.join(path.rsplit("/", 1)[1], await api.token("bridge", bridge="xa-2-b"))
    api.clock.advance(2)
    api.conferences.handle_timer(api.clock.now())
    reply = await api.call("GET", f"{path}/convening", status=200)
    found = rows(reply)
    assert (found["xa-2-b"]["state"], found["xa-2-b"]["after_s"]) == ("joined", 4)
    assert found["xa-2-a"]["contact"] == {"name": "Trần Bình", "phone": "+84905123456"}
    failed = [row for row in reply.json["rows"] if row["state"] == "failed"]
    assert {row["cause"] for row in failed} == {"unreachable"}
    assert failed[0]["next_at"] == "2026-11-21T08:00:16.000000Z"
    summary = (await api.call("GET", path, status=200)).json["convening"]
    assert (summary["rooms"], summary["joined"], summary["within_target"]) == (4, 1, None)
    table = await api.call("GET", f"{path}/convening.csv", status=200)
    lines = table.body.decode().splitlines()
    assert lines[0].startswith("\ufeffplace,participant,label")
    assert len(lines) == 5
    assert any("'+84905123456" in line for line in lines), "no formula for a spreadsheet"


async def test_the_board_names_who_is_on_duty_also_without_a_number(api: Api) -> None:
    await api.province()
    contact = {"contact": {"name": "Trần Bình", "phone": "+84905123456"}}
    await api.call("PATCH", "/bridges/xa-2-a", contact, status=200)
    scenario = {
        "name": "Kịch bản", "unit": "tinh", "expected": ["xa-1-a", "xa-2-a", "xa-2-b"],
        "items": [{"title": "Mở đầu", "duration_s": 600}],
        "duties": [
            {"role": "Kỹ thuật", "name": "Hùng", "bridge": "xa-2-a"},
            {"role": "Trực", "name": "Lan", "bridge": "xa-2-b"},
            {"role": "Kỹ thuật", "name": "Minh", "phone": "0912 345 678", "bridge": "xa-2-b"},
        ],
    }  # fmt: skip
    made = (await api.call("POST", "/scenarios", scenario, status=201)).json["id"]
    body = {"scenario": made, "calls": "when_convened"}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    found = rows(await api.call("POST", f"/conferences/{conference}/convening", status=201))
    assert [found[room]["contact"] for room in ("xa-1-a", "xa-2-a", "xa-2-b")] == [
        {"name": "Trực", "phone": "0900 000 000"},
        {"name": "Hùng", "phone": "+84905123456"},
        {"name": "Minh", "phone": "0912 345 678"},
    ]


async def test_stop_and_retry(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = {"participant": "xa-1-a"}
    reply = await api.call("POST", f"{path}/convening/retry", one, status=409)
    assert "convene them first" in reply.json["detail"]
    await api.call("POST", f"{path}/convening", status=201)
    reply = await api.call("POST", f"{path}/convening/stop", one, status=200)
    assert rows(reply)["xa-1-a"]["state"] == "stopped"
    reply = await api.call("POST", f"{path}/convening/retry", one, status=200)
    assert rows(reply)["xa-1-a"]["state"] == "called"
    for order in ("stop", "retry"):
        reply = await api.call("POST", f"{path}/convening/{order}", {}, status=422)
        assert reply.fields == ["$"]
    everybody = {"all": True}
    reply = await api.call("POST", f"{path}/convening/stop", everybody, status=200)
    assert (reply.json["state"], reply.json["ended_by"]) == ("stopped", "bootstrap")
    reply = await api.call("POST", f"{path}/convening/retry", everybody, status=200)
    assert reply.json["state"] == "open"
    reply = await api.call("POST", f"{path}/convening/stop", {"participant": "nobody"}, status=422)
    assert reply.fields == ["$.participant"]


async def test_of_two_operators_one_convenes_and_the_other_is_told(
    meeting: tuple[Api, str],
) -> None:
    api, path = meeting
    tokens = [await api.token("operator", unit="tinh") for _ in range(2)]
    replies = await asyncio.gather(
        *(api.call("POST", f"{path}/convening", token=token) for token in tokens)
    )
    assert sorted(reply.status for reply in replies) == [201, 409]
    (told,) = [reply for reply in replies if reply.status == 409]
    assert "are being convened" in told.json["detail"]


async def test_rights(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    above = await api.token("operator", unit="tinh")
    below = await api.token("operator", unit="xa-1")
    watching = await api.token("observer", unit="tinh")
    room = await api.token("bridge", bridge="xa-1-a")
    await api.call("POST", f"{path}/convening", token=below, status=403)
    await api.call("POST", f"{path}/convening", token=room, status=403)
    await api.call("POST", f"{path}/convening", token=watching, status=403)
    await api.call("POST", f"{path}/convening", token=above, status=201)
    await api.call("GET", f"{path}/convening", token=watching, status=200)
    await api.call("GET", f"{path}/convening", token=room, status=403)
    await api.call("POST", f"{path}/convening/stop", {"all": True}, token=watching, status=403)


async def test_bad_input(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    for body, field in (
        ({"at_once": 0}, "$.at_once"),
        ({"target_s": 1}, "$.target_s"),
        ({"order": "weather"}, "$.order"),
        ({"participants": ["nobody"]}, "$.participants[0]"),
        ({"until": 1}, "$.until"),
    ):
        reply = await api.call("POST", f"{path}/convening", body, status=422)
        assert reply.fields == [field]


async def test_a_page_that_reads_events_counts_as_told(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    url = f"{api.url}/api/v1/events"
    async with api.http.get(url, headers={"Authorization": f"Bearer {room}"}) as stream:
        assert (await stream.content.readline()).startswith(b"retry")
        await api.call("POST", f"{path}/convening", status=201)
        api.clock.advance(6)
        api.conferences.handle_timer(api.clock.now())
        found = rows(await api.call("GET", f"{path}/convening", status=200))
        assert (found["xa-1-a"]["state"], found["xa-1-a"]["page_open"]) == ("called", True)
        assert (found["xa-2-a"]["state"], found["xa-2-a"]["page_open"]) == ("failed", False)
        seen = []
        async for line in stream.content:
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:]))
            if seen and seen[-1]["type"] == "convening.called":
                break
    assert seen[-1]["data"]["participants"] == ["xa-1-a"], "its own call alone"
    assert [each["type"] for each in seen if each["type"].startswith("convening")] == [
        "convening.called"
    ]


async def test_a_page_that_opens_late_is_called_at_once(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    await api.call("POST", f"{path}/convening", status=201)
    api.clock.advance(6)
    api.conferences.handle_timer(api.clock.now())
    url = f"{api.url}/api/v1/events"
    async with api.http.get(url, headers={"Authorization": f"Bearer {room}"}) as stream:
        assert (await stream.content.readline()).startswith(b"retry")
        found = rows(await api.call("GET", f"{path}/convening", status=200))
        assert (found["xa-1-a"]["state"], found["xa-1-a"]["attempts"]) == ("called", 2)
        assert found["xa-2-a"]["state"] == "failed"


async def test_the_record_is_not_for_rooms(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    holder = Holder("bridge", bridge="xa-1-a")
    sight = EventSight(api.conferences, Reach(holder, UnitTree({})))
    async with api.conferences.subscribe() as feed:
        await api.call("POST", f"{path}/convening/", status=404)
        await api.call("POST", f"{path}/convening", {"participants": ["xa-2-a"]}, status=201)
        events = aiter(feed)
        shown = [await sight.shown(await anext(events)) for _ in range(2)]
    assert shown == [None, None]
