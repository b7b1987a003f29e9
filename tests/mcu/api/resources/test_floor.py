"""The floor by REST: operators give and take it, rooms ask for themselves and give it back."""

import asyncio

import pytest

from tests.mcu.api.live import Api

ROOMS = ("tinh-a", "xa-1-a", "xa-2-a")


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """A conference of three rooms that have joined; the first presides; all others are muted."""
    await api.province()
    body = {"name": "Họp", "unit": "tinh", "bridges": list(ROOMS), "chair": "tinh-a"}
    conference = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    for bridge in ROOMS:
        await api.join(conference, await api.token("bridge", bridge=bridge))
    path = f"/conferences/{conference}"
    await api.call("POST", f"{path}/mute", {"scope": "all", "except": ["chair"]}, status=200)
    return api, path


async def is_muted(api: Api, path: str, who: str) -> bool:
    reply = await api.call("GET", f"{path}/participants/{who}", status=200)
    return bool(reply.json["audio_muted"])


async def test_asked_given_counted_down_and_taken_back(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    for who in ("xa-2-a", "xa-1-a", "xa-2-a"):
        reply = await api.call("POST", f"{path}/floor/requests", {"participant": who}, status=200)
    assert [(each["participant"], each["place"]) for each in reply.json["requests"]] == [
        ("xa-2-a", 1),
        ("xa-1-a", 2),
    ]
    body = {"participant": "xa-1-a", "time_limit_s": 120}
    reply = await api.call("PUT", f"{path}/floor", body, status=200)
    assert reply.json["holder"]["participant"] == "xa-1-a"
    assert reply.json["remaining_s"] == 120
    assert len(reply.json["requests"]) == 1
    assert not await is_muted(api, path, "xa-1-a")
    api.clock.advance(50)
    now = (await api.call("GET", f"{path}/floor", status=200)).json
    assert now["remaining_s"] == 70
    assert now["now"] == "2026-11-21T08:00:50.000000Z"
    for _ in range(2):
        await api.call("DELETE", f"{path}/floor", status=204)
    assert await is_muted(api, path, "xa-1-a")
    now = (await api.call("GET", f"{path}/floor", status=200)).json
    assert (now["holder"], now["previous"], now["remaining_s"]) == (None, "xa-1-a", None)


async def test_the_conference_says_it_too_and_the_stream(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    async with api.conferences.subscribe() as feed:
        await api.call("PUT", f"{path}/floor", {"participant": "xa-1-a"}, status=200)
        event = await anext(aiter(feed))
    assert event.type == "floor.granted"
    assert event.data["participant"] == "xa-1-a"
    floor = (await api.call("GET", path, status=200)).json["floor"]
    assert floor["holder"]["participant"] == "xa-1-a"


async def test_refused(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    floor = f"{path}/floor"
    unknown = await api.call("PUT", floor, {"participant": "nobody"}, status=422)
    assert unknown.fields == ["$.participant"]
    for wrong in (0, 14_401, "60"):
        body = {"participant": "xa-1-a", "time_limit_s": wrong}
        reply = await api.call("PUT", floor, body, status=422)
        assert reply.fields == ["$.time_limit_s"]
    stale = {"If-Match": '"0"'}
    await api.call("PUT", floor, {"participant": "xa-1-a"}, headers=stale, status=412)
    reply = await api.call("DELETE", f"{floor}/requests", status=422)
    assert reply.fields == ["query.participant"]
    reply = await api.call("PUT", f"{floor}/interruption", status=409)
    assert "Nobody has the floor" in reply.json["detail"]


async def test_a_room_for_itself_only(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    first, second = [await api.token("bridge", bridge=each) for each in ("xa-1-a", "xa-2-a")]
    floor, requests = f"{path}/floor", f"{path}/floor/requests"
    own = {"participant": "xa-1-a"}
    await api.call("PUT", floor, own, token=first, status=403)
    await api.call("POST", requests, own, token=second, status=403)
    await api.call("POST", requests, {"participant": "nobody"}, token=second, status=403)
    await api.call("POST", requests, own, token=first, status=200)
    await api.call("DELETE", f"{requests}?participant=xa-1-a", token=second, status=403)
    await api.call("DELETE", requests, token=second, status=204)
    assert len((await api.call("GET", requests, token=second, status=200)).json["items"]) == 1
    await api.call("DELETE", requests, token=first, status=204)
    assert (await api.call("GET", requests, status=200)).json["items"] == []

    await api.call("PUT", floor, own, status=200)
    await api.call("DELETE", floor, token=second, status=204)
    assert (await api.call("GET", floor, status=200)).json["holder"] is not None, "not its own"
    await api.call("DELETE", floor, token=first, status=204)
    assert (await api.call("GET", floor, status=200)).json["holder"] is None


async def test_the_chair_interrupts_by_its_room_or_an_operator(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    chair, room = [await api.token("bridge", bridge=each) for each in ("tinh-a", "xa-2-a")]
    interruption = f"{path}/floor/interruption"
    await api.call(
        "PUT", f"{path}/floor", {"participant": "xa-1-a", "time_limit_s": 60}, status=200
    )
    await api.call("PUT", interruption, token=room, status=403)
    reply = await api.call("PUT", interruption, token=chair, status=200)
    assert reply.json["remaining_s"] == 60
    assert reply.json["holder"]["until"] is None
    assert await is_muted(api, path, "xa-1-a")
    api.clock.advance(30)
    await api.call("DELETE", interruption, token=chair, status=204)
    now = (await api.call("GET", f"{path}/floor", status=200)).json
    assert now["remaining_s"] == 60
    await api.call("PUT", interruption, status=200)
    await api.call("DELETE", interruption, status=204)


async def test_others_may_not(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    own = {"participant": "xa-1-a"}
    for token in (
        await api.token("observer", unit="tinh"),
        await api.token("operator", unit="xa-1"),
        await api.token("bridge", bridge="xa-1-b"),
    ):
        await api.call("PUT", f"{path}/floor", own, token=token, status=403)
        await api.call("POST", f"{path}/floor/requests", own, token=token, status=403)
    technician = await api.token("technician", unit="xa-1")
    await api.call("PUT", f"{path}/floor", own, token=technician, status=403)
    await api.call("POST", f"{path}/floor/requests", own, token=technician, status=200)


async def test_the_queue_as_a_table(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("POST", f"{path}/floor/requests", {"participant": "xa-1-a"}, status=200)
    by_accept = await api.call(
        "GET", f"{path}/floor/requests", headers={"Accept": "text/csv"}, status=200
    )
    by_name = await api.call("GET", f"{path}/floor/requests.csv", status=200)
    assert by_accept.body == by_name.body
    assert by_name.body.decode("utf-8-sig").splitlines() == [
        "place,participant,label,unit,at",
        "1,xa-1-a,Điểm cầu xa-1-a,xa-1,2026-11-21T08:00:00.000000Z",
    ]
    room = await api.token("bridge", bridge="xa-2-a")
    reply = await api.call("GET", f"{path}/floor/requests.csv", token=room, status=200)
    assert ",Điểm cầu xa-1-a,,2026" in reply.body.decode(), "units of others are not for rooms"


async def test_not_in_a_meeting_that_is_over(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    await api.call("DELETE", path, status=204)
    for method, where in (("PUT", "/floor"), ("POST", "/floor/requests")):
        await api.call(method, path + where, {"participant": "xa-1-a"}, status=409)
    assert (await api.call("GET", f"{path}/floor", status=200)).json["holder"] is None


async def test_of_two_operators_one_gives_the_floor_and_the_other_is_told(
    meeting: tuple[Api, str],
) -> None:
    api, path = meeting
    floor = f"{path}/floor"
    tag = (await api.call("GET", floor, status=200)).headers["ETag"]
    replies = await asyncio.gather(
        *(
            api.call("PUT", floor, {"participant": who}, headers={"If-Match": tag})
            for who in ("xa-1-a", "xa-2-a")
        )
    )
    assert sorted(each.status for each in replies) == [200, 412]
    won = next(each for each in replies if each.status == 200)
    told = next(each for each in replies if each.status == 412)
    now = await api.call("GET", floor, status=200)
    assert now.json["holder"] == won.json["holder"]
    assert told.kind == "precondition-failed"
    assert told.headers["ETag"] == won.headers["ETag"] == now.headers["ETag"]


async def test_its_tag_is_its_own(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    floor = f"{path}/floor"
    first = (await api.call("GET", floor, status=200)).headers["ETag"]
    await api.call("PUT", f"{path}/message", {"text": "Giải lao"}, status=200)
    api.clock.advance(60)
    assert (await api.call("GET", floor, status=200)).headers["ETag"] == first
    asked = await api.call("POST", f"{floor}/requests", {"participant": "xa-1-a"}, status=200)
    assert asked.headers["ETag"] != first
    await api.call("DELETE", floor, headers={"If-Match": first}, status=412)


async def test_a_room_asks_for_itself(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    reply = await api.call("POST", f"{path}/floor/requests", token=room, status=200)
    assert [each["participant"] for each in reply.json["requests"]] == ["xa-1-a"]
    reply = await api.call("POST", f"{path}/floor/requests", status=422)
    assert reply.fields == ["$.participant"]
