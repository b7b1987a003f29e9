"""The event stream: what was recorded, in order, to any number of readers.

A reader resumes after a ``seq``: first from the store, then from the ring of recent events, then
live. Between the last two nothing is awaited, so nothing is missed and nothing comes twice. A
reader's queue is bounded: whoever is too slow is cut off with a marker and comes back with
``Last-Event-ID``. Ephemeral events have no ``seq`` and are left out for whoever is behind.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from mcu.conference.codec import time_to_text

RING_EVENTS = 4_096
"""Recent events kept in memory; as many may wait for a store that is down."""
QUEUE_EVENTS = 1_024
"""How far a reader may be behind live events before it is cut off."""
EPHEMERAL_BACKLOG = 64
"""A reader that is further behind gets no ephemeral events."""
CUT = "feed.cut"
"""Marker, the last item: the reader was too slow; resume after the last ``seq`` it has read."""
GAP = "feed.gap"
"""Marker, the first item: events after the asked ``seq`` are gone; read the resources anew."""


@dataclass(frozen=True)
class RecordedEvent:
    """One event as the stream shows it.

    Args:
        seq: place in the log of the installation; None for ephemeral events and markers.
        conference: its id; None for markers, and for what is about no conference.
    """

    seq: int | None
    time: datetime
    type: str
    conference: str | None
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The event of ``api.md``: ``{seq, time, type, conference, data}``."""
        return {
            "seq": self.seq,
            "time": time_to_text(self.time),
            "type": self.type,
            "conference": self.conference,
            "data": dict(self.data),
        }

    @property
    def encoded(self) -> str:
        """``to_json`` as text, encoded once for all readers (not to be changed afterwards)."""
        text: str | None = self.__dict__.get("_encoded")
        if text is None:
            text = json.dumps(self.to_json(), ensure_ascii=False, separators=(",", ":"))
            self.__dict__["_encoded"] = text
        return text


Accepts = Callable[[RecordedEvent], bool]
ReadAfter = Callable[[int, str | None], Awaitable[Sequence[RecordedEvent]]]


class EventFeed:
    """One reader: ``async for event in feed``; ``close()`` in ``finally``, or ``async with``.

    Ends after a ``CUT`` marker, after ``close()``, and when the hub closes. Iterating raises
    ``StoreUnavailable`` when older events cannot be read; close the feed then.
    """

    def __init__(
        self, hub: "EventHub", after: int | None, conference: str | None, accepts: Accepts | None
    ) -> None:
        self.conference = conference
        self._hub = hub
        self._after = after
        self._accepts = accepts
        self._queue: deque[RecordedEvent] = deque()
        self._limit = QUEUE_EVENTS
        self._news = asyncio.Event()
        self._closed = False
        self._live = False
        if after is None:
            self._go_live(hub.last_seq)
        elif hub.is_gap(after):
            self._queue.append(hub.marker(GAP, {"last_seq": hub.last_seq}))

    async def __aenter__(self) -> "EventFeed":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[RecordedEvent]:
        return self

    async def __anext__(self) -> RecordedEvent:
        while True:
            if self._queue:
                return self._queue.popleft()
            if self._closed:
                raise StopAsyncIteration
            if not self._live:
                await self._catch_up()
                continue
            self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        """Stop reading; what is queued is given up. Harmless when closed already."""
        self._queue.clear()
        self._end()

    def offer(self, event: RecordedEvent) -> None:
        """Queue a live event (called by the hub)."""
        if self._accepts is not None and not self._accepts(event):
            return
        if event.seq is None and len(self._queue) >= EPHEMERAL_BACKLOG:
            return
        if len(self._queue) >= self._limit:
            self._queue.clear()
            self._queue.append(self._hub.marker(CUT, {"reason": "the reader is too slow"}))
            self._end()
            return
        self._queue.append(event)
        self._news.set()

    def end(self) -> None:
        """Let the reader read what is queued, then end (called by the hub)."""
        self._end()

    def _end(self) -> None:
        self._closed = True
        self._hub.forget(self)
        self._news.set()

    async def _catch_up(self) -> None:
        """Read one page of older events, or join the live ones when there are no older ones."""
        position = self._after or 0
        if position >= self._hub.ring_start:
            self._go_live(position)
            return
        events = await self._hub.read_after(position, self.conference)
        for event in events:
            self._after = event.seq
            if self._accepts is None or self._accepts(event):
                self._queue.append(event)
        if not events:
            # Nothing (more) of this conference is stored: the rest stands in the ring.
            self._after = self._hub.ring_start

    def _go_live(self, after: int) -> None:
        if self._closed:
            return
        for event in self._hub.recent(after):
            if self.conference in (None, event.conference) and (
                self._accepts is None or self._accepts(event)
            ):
                self._queue.append(event)
        self._limit = QUEUE_EVENTS + len(self._queue)
        self._live = True
        if self._hub.closed:
            self._end()
        else:
            self._hub.join(self)


class EventHub:
    """Hands each event to the feeds that read it. Cost of a publication: O(its readers).

    Args:
        last_seq: of the log, so far; nothing of it is in the ring yet.
        pruned_seq: events up to this one may be gone from the store.
        read_after: reads stored events that follow a ``seq``, of one conference or all.
        utcnow: wall clock, for markers and ephemeral events.
    """

    def __init__(
        self,
        last_seq: int,
        pruned_seq: int,
        read_after: ReadAfter,
        utcnow: Callable[[], datetime],
    ) -> None:
        self.last_seq = last_seq
        self.pruned_seq = pruned_seq
        self.read_after = read_after
        self.closed = False
        self._utcnow = utcnow
        self._ring: deque[RecordedEvent] = deque(maxlen=RING_EVENTS)
        self._feeds: dict[str | None, set[EventFeed]] = {}

    @property
    def ring_start(self) -> int:
        """Whoever has read up to this ``seq`` finds all that follows in the ring."""
        first = self._ring[0].seq if self._ring else None
        return self.last_seq if first is None else first - 1

    @property
    def readers(self) -> int:
        """How many feeds are live."""
        return sum(len(feeds) for feeds in self._feeds.values())

    def begin(self, last_seq: int, pruned_seq: int) -> None:
        """Go on where the log ends; before the first publication."""
        self.last_seq = last_seq
        self.pruned_seq = pruned_seq

    def subscribe(
        self, after: int | None, conference: str | None, accepts: Accepts | None
    ) -> EventFeed:
        """Make a feed; see ``Conferences.subscribe``."""
        return EventFeed(self, after, conference, accepts)

    def publish(self, event: RecordedEvent) -> None:
        """Hand out an event whose ``seq`` is ``last_seq + 1``, and keep it in the ring."""
        assert event.seq is not None  # noqa: S101 - the caller owes it
        self.last_seq = event.seq
        self._ring.append(event)
        self._hand_out(event)

    def publish_ephemeral(
        self, type_: str, conference: str | None, data: Mapping[str, Any]
    ) -> None:
        """Hand out an event that is not kept; without a conference to who reads all."""
        if self._feeds:
            self._hand_out(RecordedEvent(None, self._utcnow(), type_, conference, data))

    def recent(self, after: int) -> list[RecordedEvent]:
        """Events of the ring that follow ``after``. Seqs in the ring have no gaps: O(result)."""
        skip = max(0, after - self.ring_start)
        return list(islice(self._ring, skip, None))

    def is_gap(self, after: int) -> bool:
        """Whether a reader who has read up to ``after`` has missed events for good."""
        return after < self.pruned_seq or after > self.last_seq

    def marker(self, type_: str, data: Mapping[str, Any]) -> RecordedEvent:
        """An item that tells the reader something about the stream itself."""
        return RecordedEvent(None, self._utcnow(), type_, None, data)

    def join(self, feed: EventFeed) -> None:
        """Hand live events to a feed from now on."""
        self._feeds.setdefault(feed.conference, set()).add(feed)

    def forget(self, feed: EventFeed) -> None:
        """Hand nothing to a feed any more."""
        feeds = self._feeds.get(feed.conference)
        if feeds is not None:
            feeds.discard(feed)
            if not feeds:
                del self._feeds[feed.conference]

    def close(self) -> None:
        """End every feed after what has been published."""
        self.closed = True
        for feeds in list(self._feeds.values()):
            for feed in list(feeds):
                feed.end()

    def _hand_out(self, event: RecordedEvent) -> None:
        for scope in dict.fromkeys((None, event.conference)):
            for feed in list(self._feeds.get(scope, ())):
                feed.offer(event)
