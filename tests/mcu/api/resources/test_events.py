"""The event stream: resumption, rights, heartbeats, the end of a token; over both transports."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from mcu.api.services import ApiLimits
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import ADMIN, Api

PATIENCE_S = 10.0


class Reader:
    """Reads an open event stream, event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0
        self.ids: list[int | None] = []

    async def next(self) -> dict[str, Any]:
        """The next event."""
        number: int | None = None
        async with asyncio.timeout(PATIENCE_S):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line.startswith("id: "):
                    number = int(line[4:])
                elif line.startswith("data: "):
                    self.ids.append(number)
                    event: dict[str, Any] = json.loads(line[6:])
                    assert event["seq"] == number
                    return event
        raise EOFError

    async def until(self, type_: str) -> list[dict[str, Any]]:
        """Events up to and with the first of a type."""
        events = [await self.next()]
        while events[-1]["type"] != type_:
            events.append(await self.next())
        return events


@asynccontextmanager
async def stream(
    api: Api, query: str = "", *, token: str = ADMIN, last: int | None = None
) -> AsyncIterator[Reader]:
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    if last is not None:
        headers["Last-Event-ID"] = str(last)
    async with api.http.get(f"{api.url}/api/v1/events{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "text/event-stream"
        reader = Reader(response)
        # The first comment says that the subscription stands: nothing after it is missed.
        while reader.comments == 0:
            line = await response.content.readline()
            reader.comments += line.startswith(b":")
        yield reader


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    await api.province()
    return api, await api.conference("tinh-a", "xa-1-a")


def lock(api: Api, conference: str) -> Any:
    return api.call("PUT", f"/conferences/{conference}/lock", status=200)


def unlock(api: Api, conference: str) -> Any:
    return api.call("DELETE", f"/conferences/{conference}/lock", status=204)


async def test_events_as_they_happen(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    async with stream(api) as reader:
        await lock(api, conference)
        event = await reader.next()
        assert (event["type"], event["conference"]) == ("conference.locked", conference)
        assert event["time"] == "2026-11-21T08:00:00.000000Z"
        api.conferences.publish_ephemeral("levels.measured", conference, {"levels": {"a": -3}})
        levels = await reader.next()
        assert levels["data"] == {"levels": {"a": -3}}
        assert reader.ids == [event["seq"], None]


async def test_a_stream_resumes_where_it_broke_off(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    async with stream(api) as reader:
        await lock(api, conference)
        last = (await reader.next())["seq"]
    await unlock(api, conference)
    await api.call("POST", f"/conferences/{conference}/mute", {"scope": "all"}, status=200)
    async with stream(api, last=last) as reader:
        missed = await reader.until("participants.changed")
    assert [event["type"] for event in missed] == ["conference.unlocked", "participants.changed"]
    async with stream(api, "?after=0") as reader:
        everything = await reader.until("participants.changed")
    assert everything[0]["type"] == "conference.started"
    assert [event["seq"] for event in everything] == list(range(1, len(everything) + 1))


async def test_the_header_goes_before_the_query(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    await lock(api, conference)
    async with stream(api, "?after=0", last=api.conferences.last_seq) as reader:
        await unlock(api, conference)
        assert (await reader.next())["type"] == "conference.unlocked"


async def test_a_gap_is_told(meeting: tuple[Api, str]) -> None:
    api, _ = meeting
    async with stream(api, last=999_999) as reader:
        assert (await reader.next())["type"] == "feed.gap"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30])
async def test_ids_that_are_none(api: Api, last: str) -> None:
    reply = await api.call("GET", "/events", headers={"Last-Event-ID": last}, status=400)
    assert reply.fields == ["header.Last-Event-ID"]


async def test_one_conference_only(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    other = await api.conference("xa-2-a")
    async with stream(api, f"?conference={other}") as reader:
        await lock(api, conference)
        await lock(api, other)
        assert (await reader.next())["conference"] == other
    await api.call("GET", "/events?conference=nothing", status=404)
    stranger = await api.token("operator", unit="khac")
    await api.call("GET", f"/events?conference={other}", token=stranger, status=403)


async def test_an_operator_hears_of_its_subtree_only(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    operator = await api.token("operator", unit="xa-2")
    async with stream(api, "?after=0", token=operator) as reader:
        await lock(api, conference)
        own = await api.conference("xa-2-a", unit="xa-2")
        event = await reader.next()
        assert (event["type"], event["conference"]) == ("conference.started", own)
        await api.call("DELETE", f"/conferences/{own}", status=204)
        assert (await reader.next())["type"] == "conference.ended"


async def test_ended_conferences_can_be_caught_up_with(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    await api.call("DELETE", f"/conferences/{conference}", status=204)
    operator = await api.token("operator", unit="tinh")
    async with stream(api, "?after=0", token=operator) as reader:
        events = await reader.until("conference.ended")
        assert events[0]["type"] == "conference.started"
    stranger = await api.token("operator", unit="khac")
    async with stream(api, "?after=0", token=stranger) as reader:
        await api.conference("khac-a", unit="khac")
        assert (await reader.next())["data"]["conference"]["unit"] == "khac"


async def test_a_room_hears_of_its_own_conferences_and_of_others_little(
    meeting: tuple[Api, str],
) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-1-a")
    neighbour = await api.token("bridge", bridge="tinh-a")
    other = await api.conference("xa-2-a")
    async with stream(api, "?after=0", token=room) as reader:
        started = await reader.next()
        people = {each["id"]: each for each in started["data"]["participants"]}
        assert people["xa-1-a"]["unit"] == "xa-1"
        assert people["tinh-a"]["unit"] is None
        await lock(api, other)
        await api.join(conference, neighbour)
        joined = await reader.next()
        assert joined["type"] == "participant.joined"
        assert joined["data"]["participant"]["state"] == "connected"
        assert joined["data"]["participant"]["legs"] == []
        assert "leg" not in joined["data"]
        await api.join(conference, room)
        assert (await reader.next())["data"]["leg"] == "leg-2"
        readings = {"xa-1-a": {"grade": "good"}, "tinh-a": {"grade": "poor"}}
        api.conferences.publish_ephemeral(
            "quality.measured", conference, {"quality": {"tinh-a": {"grade": "poor"}}}
        )
        api.conferences.publish_ephemeral(
            "sources.requested", conference, {"requests": {"tinh-a": {"video": {}}}}
        )
        api.conferences.publish_ephemeral("quality.measured", conference, {"quality": readings})
        quality = await reader.next()
        assert quality["data"] == {"quality": {"xa-1-a": {"grade": "good"}}}
        levels = {"levels": {"xa-1-a": -30, "tinh-a": -20}, "speakers": ["tinh-a"]}
        api.conferences.publish_ephemeral("levels.measured", conference, levels)
        assert (await reader.next())["data"] == {
            "levels": {"xa-1-a": -30}, "speakers": ["tinh-a"],
        }  # fmt: skip


async def test_a_room_hears_when_it_is_called_and_when_it_is_removed(
    meeting: tuple[Api, str],
) -> None:
    api, conference = meeting
    room = await api.token("bridge", bridge="xa-2-a")
    path = f"/conferences/{conference}/participants"
    async with stream(api, token=room) as reader:
        await lock(api, conference)
        await unlock(api, conference)
        await api.call("POST", path, {"bridge": "xa-2-a"}, status=201)
        assert (await reader.next())["type"] == "participant.added"
        await api.call("DELETE", f"{path}/xa-2-a", status=204)
        assert (await reader.next())["type"] == "participant.removed"
        await lock(api, conference)
        await unlock(api, conference)
        await api.call("POST", path, {"bridge": "xa-2-a"}, status=201)
        assert (await reader.next())["type"] == "participant.added"


async def test_heartbeats_and_the_end_of_a_token(meeting: tuple[Api, str]) -> None:
    api, _ = meeting
    token, text = await api.store.tokens.create("admin", name="a")
    async with stream(api, token=text) as reader:
        assert (await reader.response.content.readuntil(b": alive\n\n")).endswith(b"alive\n\n")
        await api.call("DELETE", f"/tokens/{token.id}", status=204)
        async with asyncio.timeout(PATIENCE_S):
            await reader.response.content.read()
        assert reader.response.content.at_eof()


async def test_a_session_carries_a_stream_until_it_ends(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    reply = await api.call("POST", "/session", status=201)
    cookie = {"Cookie": f"mcu_session={reply.cookies['mcu_session'].value}"}
    async with api.http.get(f"{api.url}/api/v1/events", headers=cookie) as response:
        assert response.status == 200
        await response.content.readuntil(b": events\n\n")
        await lock(api, conference)
        assert b"conference.locked" in await response.content.readuntil(b"\n\n")
        headers = cookie | {"X-CSRF-Token": reply.json["csrf_token"]}
        await api.call("DELETE", "/session", token=None, headers=headers, status=204)
        async with asyncio.timeout(PATIENCE_S):
            await response.content.read()


async def test_streams_are_bounded_counted_and_ended_with_the_app(make_api: MakeApi) -> None:
    api = await make_api(limits=ApiLimits(max_event_streams=1))
    async with stream(api) as reader:
        full = await api.call("GET", "/events", status=503)
        assert full.headers["Retry-After"]
        text = (await api.call("GET", "//metrics", token=None)).body.decode()
        assert 'mcu_event_streams{transport="sse"} 1.0' in text
        await api.app.shutdown()
        async with asyncio.timeout(PATIENCE_S):
            await reader.response.content.read()
    text = (await api.call("GET", "//metrics", token=None)).body.decode()
    assert 'mcu_event_streams{transport="sse"} 0.0' in text


@asynccontextmanager
async def socket(
    api: Api, query: str = "", *, headers: dict[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    sent = {"Authorization": f"Bearer {ADMIN}"} if headers is None else headers
    url = f"{api.url}/api/v1/events/ws{query}"
    async with api.http.ws_connect(url, headers=sent) as opened:
        yield opened


async def test_the_same_over_a_websocket(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    async with socket(api, "?after=0") as opened:
        started = await opened.receive_json(timeout=PATIENCE_S)
        assert started["type"] == "conference.started"
        await lock(api, conference)
        assert (await opened.receive_json(timeout=PATIENCE_S))["type"] == "conference.locked"


async def test_a_websocket_resumes_by_its_first_message(meeting: tuple[Api, str]) -> None:
    api, conference = meeting
    last = api.conferences.last_seq
    await lock(api, conference)
    async with socket(api) as opened:
        await opened.send_json({"after": last})
        assert (await opened.receive_json(timeout=PATIENCE_S))["type"] == "conference.locked"


@pytest.mark.parametrize("message", ["hello", '{"after": -1}', '{"after": true}', "[1]", "{}"])
async def test_a_websocket_that_talks_nonsense_is_closed(api: Api, message: str) -> None:
    async with socket(api) as opened:
        await opened.send_str(message)
        await opened.receive(timeout=PATIENCE_S)
        assert opened.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_websocket_by_cookie_must_come_from_our_own_page(api: Api) -> None:
    reply = await api.call("POST", "/session", status=201)
    cookie = {"Cookie": f"mcu_session={reply.cookies['mcu_session'].value}"}
    for origin in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with socket(api, headers=cookie | origin):
                raise AssertionError("it was let in")
        assert caught.value.status == 403
    async with socket(api, "?after=0", headers=cookie | {"Origin": api.url}) as opened:
        await opened.close()


async def test_a_websocket_says_in_its_address_whose_session_it_goes_by(
    meeting: tuple[Api, str],
) -> None:
    api, conference = meeting
    token = await api.token("bridge", bridge="xa-1-a")
    reply = await api.call("POST", "/session", token=token, status=201)
    cookie = f"mcu_session_xa-1-a={reply.cookies['mcu_session_xa-1-a'].value}"
    headers = {"Cookie": cookie, "Origin": api.url}
    for query in ("", "?room=xa-1-b", "?room="):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with socket(api, query, headers=headers):
                raise AssertionError("it was let in")
        assert caught.value.status == 401
    async with socket(api, "?room=xa-1-a&after=0", headers=headers) as opened:
        await lock(api, conference)
        while (await opened.receive_json(timeout=PATIENCE_S))["type"] != "conference.locked":
            pass
    elsewhere = await api.call("GET", "/events?room=xa-1-a", status=422)
    assert elsewhere.fields == ["query.room"]


async def test_the_websocket_address_without_a_websocket(api: Api) -> None:
    reply = await api.call("GET", "/events/ws", status=426)
    assert reply.kind == "upgrade-required"
    assert reply.headers["Upgrade"] == "websocket"
    await api.call("GET", "/events/ws", token=None, status=401)


async def test_a_stream_that_fails_ends_without_a_second_answer(
    meeting: tuple[Api, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api, conference = meeting

    async def fail(*_: object) -> None:
        raise ZeroDivisionError("a surprise")

    async with stream(api) as reader, socket(api, "?after=1") as opened:
        monkeypatch.setattr("mcu.api.event_sight.EventSight.shown", fail)
        await lock(api, conference)
        async with asyncio.timeout(PATIENCE_S):
            assert b"HTTP/1.1" not in await reader.response.content.read()
        await opened.receive(timeout=PATIENCE_S)
        while not opened.closed:
            await opened.receive(timeout=PATIENCE_S)
        assert opened.close_code == aiohttp.WSCloseCode.INTERNAL_ERROR
    assert capsys.readouterr().out.count("ZeroDivisionError: a surprise") == 2
