"""Roll calls by REST: called room by room, marked, answered by rooms, signed off, exported."""

import asyncio
import json

import pytest

from mcu.api.event_sight import EventSight
from mcu.api.reach import Reach
from mcu.api.rights import Holder, UnitTree
from mcu.conference.commands import NoteLost
from tests.mcu.api.live import JPEG, Api

ROOMS = ("tinh-a", "xa-1-a", "xa-2-a", "xa-2-b")


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """Four rooms, the first presides, the last has not come."""
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": list(ROOMS), "chair": "tinh-a"}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    for bridge in ROOMS[:3]:
        await api.join(conference, await api.token("bridge", bridge=bridge))
    return api, f"/conferences/{conference}"


async def begin(api: Api, path: str, mode: str = "called", **body: object) -> str:
    reply = await api.call("POST", f"{path}/roll-calls", {"mode": mode, **body}, status=201)
    assert reply.headers["Location"].endswith(f"/roll-calls/{reply.json['number']}")
    return f"{path}/roll-calls/{reply.json['number']}"


async def test_called_from_beginning_to_end(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    assert (await api.call("GET", path, status=200)).json["roll_call"] == {
        "number": 1, "mode": "called", "calling": "xa-1-a", "paused": False,
    }  # fmt: skip
    api.clock.advance(5)
    body = {"participant": "xa-1-a", "status": "present"}
    reply = await api.call("POST", f"{one}/marks", body, status=200)
    assert reply.json["calling"] == "xa-2-a"
    room = await api.token("bridge", bridge="xa-2-a")
    api.clock.advance(5)
    await api.call("POST", f"{one}/marks", {"participant": "xa-2-a"}, token=room, status=204)
    found = (await api.call("GET", one, status=200)).json
    assert (found["calling"], found["state"]) == (None, "open")
    rows = [(row["participant"], row["status"], row["source"], row["at"]) for row in found["rows"]]
    assert rows == [
        ("xa-1-a", "present", "operator", "2026-11-21T08:00:05.000000Z"),
        ("xa-2-a", "present", "room", "2026-11-21T08:00:10.000000Z"),
        ("xa-2-b", "absent", "rule", "2026-11-21T08:00:10.000000Z"),
    ]
    for _ in range(2):
        reply = await api.call("POST", f"{one}/sign-off", status=200)
        assert (reply.json["state"], reply.json["ended_by"]) == ("signed", "bootstrap")
    assert (await api.call("GET", path, status=200)).json["roll_call"] is None


async def test_pictures_are_taken_when_rooms_are_marked(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    for who in ("xa-1-a", "xa-2-b"):
        await api.call("POST", f"{one}/marks", {"participant": who, "status": "late"}, status=200)
    rows = (await api.call("GET", one, status=200)).json["rows"]
    address = rows[0]["picture"]
    assert [row["picture"] for row in rows[1:]] == [None, None], "who is not here has none"
    reply = await api.call("GET", f"/{address}", status=200)
    assert reply.body == JPEG
    room = await api.token("bridge", bridge="xa-1-a")
    await api.call("GET", f"/{address}", token=room, status=403)
    for entry in ("99", "x", "9" * 40):
        await api.call("GET", f"{one}/marks/{entry}.jpg", status=404)


async def test_corrected_after_the_sign_off_by_a_further_entry(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path, "presence", grace_s=60)
    reply = await api.call("POST", f"{one}/sign-off", status=409)
    assert "no mark" in reply.json["detail"]
    await api.call("POST", f"{one}/sign-off", {"rest": "absent"}, status=200)
    body = {"participant": "xa-2-b", "status": "late"}
    reply = await api.call("POST", f"{one}/marks", body, status=422)
    assert reply.fields == ["$.note"]
    reply = await api.call("POST", f"{one}/marks", body | {"note": "mất điện"}, status=200)
    marks = [(mark["entry"], mark["status"], mark["correction"]) for mark in reply.json["marks"]]
    assert marks == [
        (1, "present", False), (2, "present", False), (3, "absent", False), (4, "late", True),
    ]  # fmt: skip
    await api.call("DELETE", one, status=409)


async def test_paused_skipped_returned_to_and_cancelled(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    reply = await api.call("PATCH", one, {"skip": "xa-1-a"}, status=200)
    assert reply.json["calling"] == "xa-2-a"
    assert reply.json["rows"][0]["skipped"]
    reply = await api.call("PATCH", one, {"paused": True}, status=200)
    assert reply.json["paused"]
    reply = await api.call("PATCH", one, {"calling": "xa-1-a"}, status=200)
    assert (reply.json["calling"], reply.json["paused"]) == ("xa-1-a", False)
    for body in ({}, {"paused": True, "skip": "xa-1-a"}):
        await api.call("PATCH", one, body, status=422)
    reply = await api.call("PATCH", one, {"calling": "xa-2-b"}, status=409)
    assert "not connected" in reply.json["detail"]
    for _ in range(2):
        await api.call("DELETE", one, status=204)
    assert (await api.call("GET", one, status=200)).json["state"] == "cancelled"


async def test_a_room_that_drops_while_it_is_called(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    conference = path.rpartition("/")[2]
    (leg,) = api.conferences.participant(conference, "xa-1-a").legs
    api.conferences.note(conference, NoteLost("xa-1-a", leg.id))
    found = (await api.call("GET", one, status=200)).json
    assert (found["rows"][0]["status"], found["calling"]) == ("lost", "xa-2-a")
    assert found["counts"] == {"present": 0, "late": 0, "absent": 0, "lost": 1, "unmarked": 2}


async def test_late_and_absent_by_the_clock(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path, "presence", grace_s=60)
    api.clock.advance(60)
    api.conferences.handle_timer(api.clock.now())
    assert (await api.call("GET", one, status=200)).json["counts"]["absent"] == 1
    await api.join(path.rpartition("/")[2], await api.token("bridge", bridge="xa-2-b"))
    assert (await api.call("GET", one, status=200)).json["counts"]["late"] == 1


async def test_as_tables(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path, "presence", grace_s=0, starts_at="2026-11-21T14:50:00+07:00")
    accept = {"Accept": "text/csv"}
    by_name = await api.call("GET", f"{one}.csv", status=200)
    assert by_name.body == (await api.call("GET", one, headers=accept, status=200)).body
    assert by_name.body.decode("utf-8-sig").splitlines() == [
        "participant,label,unit,status,at,source,by,note,entry,picture",
        "xa-1-a,Điểm cầu xa-1-a,xa-1,late,2026-11-21T08:00:00.000000Z,rule,,,1,",
        "xa-2-a,Điểm cầu xa-2-a,xa-2,late,2026-11-21T08:00:00.000000Z,rule,,,2,",
        "xa-2-b,Điểm cầu xa-2-b,xa-2,absent,2026-11-21T08:00:00.000000Z,rule,,,3,",
    ]
    table = await api.call("GET", f"{path}/roll-calls", headers=accept, status=200)
    assert table.body.decode("utf-8-sig").splitlines()[1].startswith("1,presence,open,2026-")
    items = (await api.call("GET", f"{path}/roll-calls", status=200)).json["items"]
    assert [(each["number"], each["mode"]) for each in items] == [(1, "presence")]


async def test_refused(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    calls = f"{path}/roll-calls"
    for body, field in (
        ({"mode": "other"}, "$.mode"),
        ({"mode": "called", "expected": ["nobody"]}, "$.expected[0]"),
        ({"mode": "presence", "grace_s": -1}, "$.grace_s"),
        ({"mode": "presence", "starts_at": "tomorrow"}, "$.starts_at"),
    ):
        assert (await api.call("POST", calls, body, status=422)).fields == [field]
    one = await begin(api, path)
    reply = await api.call("POST", calls, {"mode": "presence"}, status=409)
    assert "sign it off" in reply.json["detail"]
    reply = await api.call("PUT", f"{path}/floor", {"participant": "xa-1-a"}, status=409)
    assert "roll call" in reply.json["detail"]
    for wrong in ("9", "x", "01"):
        await api.call("GET", f"{calls}/{wrong}", status=404)
    reply = await api.call("POST", f"{one}/marks", {"participant": "nobody"}, status=422)
    assert reply.fields == ["$.participant"]


async def test_a_room_answers_for_itself_while_it_is_called(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    first, second = [await api.token("bridge", bridge=each) for each in ("xa-1-a", "xa-2-a")]
    marks = f"{one}/marks"
    await api.call("POST", marks, {"participant": "xa-1-a"}, token=second, status=403)
    await api.call("POST", marks, {"participant": "xa-2-a"}, token=second, status=409)
    body = {"participant": "xa-1-a", "status": "late"}
    await api.call("POST", marks, body, token=first, status=403)
    await api.call("POST", marks, {"participant": "xa-1-a"}, token=first, status=204)
    await api.call("GET", one, token=first, status=403)
    await api.call("PATCH", one, {"paused": True}, token=first, status=403)
    observer = await api.token("observer", unit="tinh")
    await api.call("GET", one, token=observer, status=200)
    await api.call("POST", marks, {"participant": "xa-2-a"}, token=observer, status=403)


async def test_rooms_hear_who_is_called_and_no_more(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    tree = UnitTree({"tinh": None, "xa-1": "tinh", "xa-2": "tinh"})
    room = EventSight(api.conferences, Reach(Holder("bridge", bridge="xa-1-a"), tree))
    heard = []
    async with api.conferences.subscribe() as feed:
        one = await begin(api, path)
        body = {"participant": "xa-1-a", "status": "late", "note": "nội bộ"}
        await api.call("POST", f"{one}/marks", body, status=200)
        await api.call("POST", f"{one}/sign-off", {"rest": "absent"}, status=200)
        while "roll-call.signed" not in heard:
            event = await asyncio.wait_for(anext(aiter(feed)), 10)
            shown = await room.shown(event)
            if shown is not None:
                heard.append(json.loads(shown)["type"])
                assert "nội bộ" not in shown
                assert "bootstrap" not in shown
    assert [each for each in heard if each.startswith("roll-call")] == [
        "roll-call.called", "roll-call.called", "roll-call.signed",
    ]  # fmt: skip


async def test_of_two_operators_one_marks_and_the_other_is_told(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    tag = (await api.call("GET", one, status=200)).headers["ETag"]
    await api.call("PUT", f"{path}/polling", {"interval_s": 10}, status=200)
    api.conferences.handle_timer(api.clock.now())
    assert (await api.call("GET", one, status=200)).headers["ETag"] == tag
    replies = await asyncio.gather(
        *(
            api.call(
                "POST",
                f"{one}/marks",
                {"participant": "xa-1-a", "status": status},
                headers={"If-Match": tag},
            )
            for status in ("present", "absent")
        )
    )
    assert sorted(each.status for each in replies) == [200, 412]
    now = await api.call("GET", one, status=200)
    won = next(each for each in replies if each.status == 200)
    assert now.json["marks"] == won.json["marks"]
    assert now.headers["ETag"] == won.headers["ETag"]
    stale = {"If-Match": tag}
    await api.call("POST", f"{one}/sign-off", {"rest": "absent"}, headers=stale, status=412)
    await api.call("DELETE", one, headers=stale, status=412)


async def test_signed_and_corrected_after_the_conference(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    one = await begin(api, path)
    body = {"participant": "xa-1-a", "status": "present"}
    await api.call("POST", f"{one}/marks", body, status=200)
    room = await api.token("bridge", bridge="xa-2-a")
    await api.call("DELETE", path, status=204)
    unsigned = await api.call("GET", one, status=200)
    assert (unsigned.json["state"], unsigned.json["calling"]) == ("unsigned", None)
    stale = {"If-Match": unsigned.headers["ETag"]}
    for refused, status in ((body, 409), (body | {"participant": "xa-2-a"}, 409)):
        await api.call("POST", f"{one}/marks", refused, token=room, status=status)
    body = {"participant": "xa-2-a", "status": "absent", "note": "mất điện"}
    await api.call("POST", f"{one}/marks", body, headers=stale, status=200)
    await api.call("POST", f"{one}/sign-off", {"rest": "absent"}, headers=stale, status=412)
    signed = await api.call("POST", f"{one}/sign-off", {"rest": "absent"}, status=200)
    assert (signed.json["state"], signed.json["counts"]["absent"]) == ("signed", 2)
    body = {"participant": "xa-2-b", "status": "late"}
    refused = await api.call("POST", f"{one}/marks", body, status=422)
    assert refused.fields == ["$.note"]
    body["note"] = "đến lúc bế mạc"
    corrected = await api.call("POST", f"{one}/marks", body, status=200)
    assert corrected.json["marks"][-1]["correction"] is True
    assert (await api.call("GET", one, status=200)).json == corrected.json
    await api.call("PATCH", one, {"paused": True}, status=409)
    await api.call("DELETE", one, status=409)
