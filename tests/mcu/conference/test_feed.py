from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcu.conference.feed import (
    CUT,
    EPHEMERAL_BACKLOG,
    GAP,
    QUEUE_EVENTS,
    RING_EVENTS,
    EventFeed,
    EventHub,
    RecordedEvent,
)
from mcu.store.errors import StoreUnavailable
from tests.mcu.conference.meeting import NOW

PAGE = 7


class Log:
    """A hub over a list that stands for the store; ``restarted`` empties the hub's memory."""

    def __init__(self, *, stored: int = 0, pruned: int = 0) -> None:
        self.rows = [event(seq) for seq in range(pruned + 1, stored + 1)]
        self.hub = EventHub(stored, pruned, self.read, lambda: NOW)

    async def read(self, seq: int, conference: str | None) -> Sequence[RecordedEvent]:
        rows = [row for row in self.rows if row.seq is not None and row.seq > seq]
        return [row for row in rows if conference in (None, row.conference)][:PAGE]

    def publish(self, count: int = 1, *, store: bool = True) -> None:
        for _ in range(count):
            made = event(self.hub.last_seq + 1)
            if store:
                self.rows.append(made)
            self.hub.publish(made)


def event(seq: int) -> RecordedEvent:
    """Conferences a and b in turn."""
    return RecordedEvent(seq, NOW, "participant.joined", "ab"[seq % 2], {"n": seq})


async def drain(feed: EventFeed, count: int) -> list[RecordedEvent]:
    return [await anext(feed) for _ in range(count)]


async def test_live_events_in_order_to_all():
    log = Log()
    feeds = [log.hub.subscribe(None, None, None) for _ in range(3)]
    log.publish(5)
    for feed in feeds:
        assert [each.seq for each in await drain(feed, 5)] == [1, 2, 3, 4, 5]


async def test_only_what_is_new_without_a_place_to_resume():
    log = Log(stored=3)
    log.publish(2)
    feed = log.hub.subscribe(None, None, None)
    log.publish()
    assert (await anext(feed)).seq == 6


async def test_one_conference_and_what_is_accepted():
    log = Log()
    feed = log.hub.subscribe(None, "a", lambda each: each.data["n"] > 2)
    log.publish(6)
    assert [each.seq for each in await drain(feed, 2)] == [4, 6]


@settings(max_examples=60, deadline=None)
@given(
    stored=st.integers(0, 40),
    fresh=st.integers(0, 10),
    later=st.integers(0, 10),
    conference=st.sampled_from([None, "a", "b"]),
    data=st.data(),
)
async def test_resuming_misses_nothing_and_repeats_nothing(stored, fresh, later, conference, data):
    log = Log(stored=stored)
    log.publish(fresh, store=False)  # the store is down: these stand in memory only
    after = data.draw(st.integers(0, stored + fresh))
    feed = log.hub.subscribe(after, conference, None)
    expected = [
        seq
        for seq in range(after + 1, stored + fresh + later + 1)
        if conference in (None, event(seq).conference)
    ]
    early = data.draw(st.integers(0, len(expected)))
    already = [seq for seq in expected if seq <= stored + fresh]
    seen = [each.seq for each in await drain(feed, min(early, len(already)))]
    log.publish(later, store=False)
    seen += [each.seq for each in await drain(feed, len(expected) - len(seen))]
    assert seen == expected
    log.hub.close()
    assert [each async for each in feed] == []


async def test_a_slow_reader_is_cut_off_and_resumes_from_the_store():
    log = Log()
    feed = log.hub.subscribe(None, None, None)
    log.publish(3)
    assert (await anext(feed)).seq == 1
    log.publish(QUEUE_EVENTS)
    marker = await anext(feed)
    assert (marker.seq, marker.type, marker.conference) == (None, CUT, None)
    with pytest.raises(StopAsyncIteration):
        await anext(feed)
    assert log.hub.readers == 0
    again = log.hub.subscribe(1, None, None)
    seen = await drain(again, QUEUE_EVENTS + 2)
    assert [each.seq for each in seen] == list(range(2, QUEUE_EVENTS + 4))


async def test_others_do_not_notice_a_slow_reader():
    log = Log()
    slow, quick = log.hub.subscribe(None, None, None), log.hub.subscribe(None, None, None)
    for seq in range(1, QUEUE_EVENTS + 10):
        log.publish()
        assert (await anext(quick)).seq == seq
    assert (await anext(slow)).type == CUT


async def test_memory_is_bounded():
    log = Log()
    log.publish(RING_EVENTS + 5)
    assert log.hub.ring_start == 5
    assert len(log.hub.recent(0)) == RING_EVENTS


@pytest.mark.parametrize(
    ("after", "gap"), [(0, True), (4, True), (5, False), (9, False), (99, True)]
)
async def test_a_reader_is_told_when_events_are_gone(after, gap):
    log = Log(stored=9, pruned=5)
    feed = log.hub.subscribe(after, None, None)
    log.publish()
    first = await anext(feed)
    assert (first.type == GAP) is gap
    if gap:
        assert first.seq is None
    rest = [first] if not gap else []
    while not rest or rest[-1].seq != 10:
        if after == 99 and not rest:
            break  # from a log that is not this one: only what is new
        rest.append(await anext(feed))
    if after != 99:
        assert [each.seq for each in rest] == list(range(max(after, 5) + 1, 11))


async def test_ephemeral_events_are_not_repeated_nor_kept_for_who_is_behind():
    log = Log()
    feed = log.hub.subscribe(None, None, None)
    log.hub.publish_ephemeral("levels.measured", "a", {"levels": {}})
    assert (await anext(feed)).to_json() == {
        "seq": None,
        "time": "2026-11-02T07:30:00.000000Z",
        "type": "levels.measured",
        "conference": "a",
        "data": {"levels": {}},
    }
    log.publish(EPHEMERAL_BACKLOG)
    log.hub.publish_ephemeral("levels.measured", "a", {})
    assert all(each.seq for each in await drain(feed, EPHEMERAL_BACKLOG))
    resumed = log.hub.subscribe(0, None, None)
    assert all(each.seq for each in await drain(resumed, EPHEMERAL_BACKLOG))


async def test_closing_gives_up_what_is_queued_and_is_harmless_twice():
    log = Log()
    async with log.hub.subscribe(None, None, None) as feed:
        log.publish(2)
    feed.close()
    assert [each async for each in feed] == []
    assert log.hub.readers == 0


async def test_the_end_of_the_hub_ends_readers_after_what_was_published():
    log = Log()
    feed = log.hub.subscribe(None, None, None)
    late = log.hub.subscribe(0, None, None)
    log.publish(2)
    log.hub.close()
    assert [each.seq async for each in feed] == [1, 2]
    assert [each.seq async for each in late] == [1, 2]


async def test_a_store_that_cannot_be_read_is_said():
    async def broken(seq, conference):
        raise StoreUnavailable("full")

    hub = EventHub(5, 0, broken, lambda: NOW)
    with pytest.raises(StoreUnavailable):
        await anext(hub.subscribe(0, None, None))


def test_text_is_made_once():
    made = event(1)
    assert made.encoded is made.encoded
    assert '"seq":1,' in made.encoded
