"""A stream's end: clients that do not read, a store that is away, a cut feed."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from aiohttp import web

from mcu.api import event_stream
from mcu.api.auth import Identity
from mcu.api.call import Call
from mcu.api.event_stream import EventStream, Outgoing
from mcu.api.reach import Reach
from mcu.api.services import ApiLimits
from mcu.api.state import API_STATE
from mcu.conference import feed
from mcu.conference.commands import Lock, Unlock
from mcu.conference.service import Actor
from mcu.store.errors import StoreUnavailable
from mcu.store.records import Token
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import Api

ACTOR = Actor("bootstrap", "admin")
HEARTBEAT_S = 3_600.0
"""Longer than a test: only events bring the stream to look at its token."""


class Sink:
    """Takes events until it is told to stall."""

    def __init__(self) -> None:
        self.events: list[Outgoing] = []
        self.beats = 0
        self.stalled = False
        self.news = asyncio.Event()

    async def send(self, event: Outgoing) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self.events.append(event)
        self.news.set()

    async def heartbeat(self) -> None:
        self.beats += 1
        self.news.set()


async def open_stream(
    api: Api, after: int | None = None, *, token: str = "bootstrap"
) -> EventStream:
    state = api.app[API_STATE]
    identity = Identity(await api.store.tokens.get(token))
    call = Call(
        request=cast(web.Request, None),
        route=state.routes[0],
        api=state,
        target="",
        identity=identity,
        scope=Reach(identity.holder, await state.directory.tree()),
    )
    return EventStream(call, None, after)


async def test_a_stream_that_is_closed_returns(api: Api) -> None:
    stream, sink = await open_stream(api), Sink()
    running = asyncio.create_task(stream.run(sink))
    await sink.news.wait()
    assert sink.beats
    stream.close()
    await running


async def test_a_client_that_takes_nothing_is_gone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "WRITE_TIMEOUT_S", 0.01)
    await api.province()
    await api.conference("tinh-a")
    stream, sink = await open_stream(api, after=0), Sink()
    sink.stalled = True
    with pytest.raises(TimeoutError):
        await stream.run(sink)
    assert api.conferences.readers == 0


async def test_a_reader_that_is_too_slow_is_cut_off_and_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "QUEUE_EVENTS", 2)
    await api.province()
    conference = await api.conference("tinh-a")
    stream, sink = await open_stream(api), Sink()
    for command in (Lock(), Unlock()) * 3:
        await api.conferences.execute(conference, command, ACTOR)
    await stream.run(sink)
    assert "feed.cut" in sink.events[-1].text
    assert sink.events[-1].seq is None


async def test_a_store_that_is_away_ends_the_stream(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("The disk is full: free space, then repeat.")

    stream, sink = await open_stream(api), Sink()
    monkeypatch.setattr(api.store.tokens, "get", away)
    with pytest.raises(StoreUnavailable):
        await stream.run(sink)
    assert api.conferences.readers == 0


async def test_no_task_is_left_behind(api: Api) -> None:
    before = len(asyncio.all_tasks())
    stream, sink = await open_stream(api), Sink()
    running = asyncio.create_task(stream.run(sink))
    await sink.news.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(asyncio.all_tasks()) == before


class Meeting:
    """A stream of a token of ``tinh`` on which levels come all the time."""

    def __init__(self, api: Api, conference: str, token: str, stream: EventStream) -> None:
        self.api, self.conference, self.token = api, conference, token
        self.sink = Sink()
        self.task = asyncio.create_task(stream.run(self.sink))

    async def levels(self) -> None:
        """Another reading, which has come through."""
        self.sink.news.clear()
        self.publish()
        async with asyncio.timeout(5):
            await self.sink.news.wait()

    def publish(self) -> None:
        self.api.conferences.publish_ephemeral("levels.measured", self.conference, {"levels": {}})

    async def ended(self) -> None:
        async with asyncio.timeout(5):
            await self.task


@pytest.fixture
async def meeting(make_api: MakeApi) -> AsyncIterator[Meeting]:
    api = await make_api(limits=ApiLimits(heartbeat_s=HEARTBEAT_S))
    await api.province()
    conference = await api.conference("xa-1-a", unit="xa-1")
    token, _ = await api.store.tokens.create("operator", unit="tinh")
    meeting = Meeting(api, conference, token.id, await open_stream(api, token=token.id))
    await meeting.levels()
    try:
        yield meeting
    finally:
        meeting.task.cancel()
        await asyncio.gather(meeting.task, return_exceptions=True)


async def test_a_revoked_token_ends_a_stream_on_which_events_flow(meeting: Meeting) -> None:
    await meeting.api.store.tokens.revoke(meeting.token)
    meeting.api.clock.advance(HEARTBEAT_S - 1)
    await meeting.levels()
    heard = len(meeting.sink.events)
    meeting.api.clock.advance(1)
    meeting.publish()
    await meeting.ended()
    assert len(meeting.sink.events) == heard


async def test_units_that_were_moved_while_events_flow(meeting: Meeting) -> None:
    api = meeting.api
    await api.call("PATCH", "/units/xa-1", {"parent": "khac"}, status=200)
    seen = await api.conference("xa-2-a", unit="xa-2")
    heard = len(meeting.sink.events)
    api.clock.advance(HEARTBEAT_S)
    meeting.publish()
    meeting.conference = seen
    await meeting.levels()
    assert not meeting.task.done()
    assert all(seen in event.text for event in meeting.sink.events[heard:])
    assert meeting.sink.beats == 0


async def test_a_token_is_looked_at_once_in_a_heartbeat(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    get = meeting.api.store.tokens.get

    async def noticed(token: str) -> Token:
        looked.append(token)
        return await get(token)

    monkeypatch.setattr(meeting.api.store.tokens, "get", noticed)
    for _ in range(8):
        meeting.api.clock.advance(HEARTBEAT_S / 4)
        await meeting.levels()
    assert looked == [meeting.token] * 2
