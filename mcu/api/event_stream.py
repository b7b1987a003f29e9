"""One open event stream, whatever carries it: events, heartbeats, and the token's end.

The feed is bounded: a client that does not read is cut off and resumes by itself. Once in
``heartbeat_s`` the token is looked at, whether events flow or not: one that was revoked or has
expired ends its streams, and units that were moved change what the stream shows. Streams of a
token that this daemon revokes are ended at once (``mcu.api.withdrawal``).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from mcu.api.call import Call
from mcu.api.event_sight import EventSight
from mcu.api.problem import Problem
from mcu.api.reach import Reach
from mcu.conference.convening_model import NoteReachable
from mcu.conference.feed import EventFeed
from mcu.sentences import sentence

WRITE_TIMEOUT_S: Final = 30.0
"""A client that takes nothing for this long is gone."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event on its way: its text, and the ``seq`` to resume after (None: not resumable)."""

    text: str
    seq: int | None


class Sink(Protocol):
    """What carries a stream."""

    async def send(self, event: Outgoing) -> None:
        """Send one event; raises ConnectionError when the client is gone."""

    async def heartbeat(self) -> None:
        """Show that the stream lives; raises ConnectionError when the client is gone."""


class OpenStream(Protocol):
    """An answer that goes on until somebody hangs up."""

    @property
    def token(self) -> str:
        """Id of the token it was opened with."""

    @property
    def bridge(self) -> str | None:
        """The room whose events it carries; None: another's, or no events."""

    def close(self) -> None:
        """End it."""

    def finish(self) -> None:
        """End it after what has happened so far was sent."""


class EventStream:
    """Feeds a sink until the client goes, the token ends, or the daemon stops."""

    def __init__(self, call: Call, conference: str | None, after: int | None) -> None:
        self._call = call
        self._conference = conference
        self._sight = EventSight(call.services.conferences, call.reach)
        self._check_at = self._next_check()
        self._feed = self._subscribe(after)

    def resume(self, after: int) -> None:
        """Begin again after ``after``; before ``run`` only."""
        self._feed.close()
        self._feed = self._subscribe(after)

    @property
    def token(self) -> str:
        """Id of the token it was opened with."""
        return self._call.who.token.id

    @property
    def bridge(self) -> str | None:
        """The room that reads it; None: somebody else does."""
        return self._call.who.token.bridge

    def close(self) -> None:
        """End it; ``run`` returns."""
        self._feed.close()

    def finish(self) -> None:
        """End it after what has happened so far was sent."""
        self._feed.end()

    async def run(self, sink: Sink) -> None:
        """Send events and heartbeats until it ends.

        Raises:
            ConnectionError, TimeoutError: the client is gone. StoreUnavailable: older events
            cannot be read; the client resumes when they can.
        """
        events = self._events()
        pending = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                pause = self._check_at - self._call.services.monotonic()
                done, _ = await asyncio.wait({pending}, timeout=max(0.0, pause))
                async with asyncio.timeout(WRITE_TIMEOUT_S):
                    if not done:
                        if not await self._still_allowed():
                            return
                        await sink.heartbeat()
                        continue
                    event = pending.result()
                    if event is None:
                        return
                    await sink.send(event)
                pending = asyncio.ensure_future(anext(events, None))
        finally:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
            await events.aclose()
            self._feed.close()

    async def _events(self) -> AsyncGenerator[Outgoing, None]:
        async for event in self._feed:
            due = self._call.services.monotonic() >= self._check_at
            if due and not await self._still_allowed():
                return
            text = await self._sight.shown(event)
            if text is not None:
                yield Outgoing(text, event.seq)

    async def _still_allowed(self) -> bool:
        self._check_at = self._next_check()
        api, who = self._call.api, self._call.who
        if not await api.auth.still_valid(who):
            return False
        self._sight.renew(Reach(who.holder, await api.directory.tree()))
        return True

    def _next_check(self) -> float:
        return self._call.services.monotonic() + self._call.services.limits.heartbeat_s

    def _subscribe(self, after: int | None) -> EventFeed:
        return self._call.services.conferences.subscribe(
            after=after, conference=self._conference, accepts=self._sight.accepts
        )


@asynccontextmanager
async def opened(
    call: Call, transport: str, conference: str | None, after: int | None
) -> AsyncIterator[EventStream]:
    """An event stream that is counted, ended when the app stops, and closed in the end.

    Raises:
        Problem: unavailable when there are too many.
    """
    require_room(call)
    stream = EventStream(call, conference, after)
    with counted(call, transport, stream):
        _tell_reachable(call, stream)
        yield stream


def require_room(call: Call) -> None:
    """Raises ``Problem`` unavailable when too many streams are open."""
    if len(call.api.streams) >= call.services.limits.max_event_streams:
        raise Problem(
            "unavailable",
            sentence("events.too-many"),
            headers={"Retry-After": "10"},
        )


@contextmanager
def counted(call: Call, transport: str, stream: OpenStream) -> Iterator[None]:
    """A stream that is counted, ended when the app stops, and closed in the end."""
    api = call.api
    api.streams.add(stream)
    api.metrics.stream_opened(transport)
    try:
        yield
    finally:
        stream.close()
        api.streams.discard(stream)
        api.metrics.stream_closed(transport)


def _tell_reachable(call: Call, stream: EventStream) -> None:
    """A room's page is open now: it is called at once where it is convened and had failed."""
    if stream.bridge is None:
        return
    conferences = call.services.conferences
    conference = conferences.conference_of(stream.bridge)
    if conference is not None:
        conferences.note(conference, NoteReachable(stream.bridge))
