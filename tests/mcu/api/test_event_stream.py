"""A stream's end: clients that do not read, a store that is away, a cut feed."""

import asyncio
from typing import cast

import pytest
from aiohttp import web

from mcu.api import event_stream
from mcu.api.auth import Identity
from mcu.api.call import Call
from mcu.api.event_stream import EventStream, Outgoing
from mcu.api.reach import Reach
from mcu.api.state import API_STATE
from mcu.conference import feed
from mcu.conference.commands import Lock, Unlock
from mcu.conference.service import Actor
from mcu.store.errors import StoreUnavailable
from tests.mcu.api.live import Api

ACTOR = Actor("bootstrap", "admin")


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


async def open_stream(api: Api, after: int | None = None) -> EventStream:
    state = api.app[API_STATE]
    identity = Identity(await api.store.tokens.get("bootstrap"))
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
