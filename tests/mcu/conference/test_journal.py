import pytest

from mcu.conference.feed import RING_EVENTS
from mcu.conference.journal import SNAPSHOT_EVENTS, Journal
from mcu.store.errors import StoreUnavailable
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from tests.mcu.conference.meeting import NOW


def rows(first: int, count: int, conference: str = "c1") -> list[StoredEvent]:
    return [
        StoredEvent(seq, NOW, "participant.lost", conference, {"v": 1})
        for seq in range(first, first + count)
    ]


@pytest.fixture
async def journal(store):
    await store.events.append(
        [], conferences=[ConferenceRecord(id_, id_, "tinh", NOW) for id_ in ("c1", "c2")]
    )
    made: dict[str, Snapshot | None] = {"c1": Snapshot("c1", 7, {"of": "c1"}), "c2": None}
    return Journal(store, made.get)


async def seqs(store) -> list[int]:
    found: list[int] = []
    while page := await store.events.after(found[-1] if found else 0):
        found += [row.seq for row in page]
    return found


async def test_what_waits_goes_first(store, journal):
    for row in rows(1, 2):
        journal.add(row)
    await journal.write(rows(3, 1))
    assert await seqs(store) == [1, 2, 3]
    assert journal.waiting == 0


async def test_flushing_nothing_does_not_touch_the_store(store, journal):
    await store.close()
    await journal.flush()


async def test_a_failed_write_leaves_waiting_what_waited(store, journal, disk):
    journal.add(rows(1, 1)[0])
    await disk.break_()
    with pytest.raises(StoreUnavailable):
        await journal.write(rows(2, 1))
    assert journal.waiting == 1
    await disk.mend()
    await journal.flush()
    assert await seqs(store) == [1]


async def test_what_comes_while_writing_waits_for_the_next_time(store, journal):
    journal.add(rows(1, 1)[0])
    append = store.events.append

    async def slow(*args, **kwargs):
        journal.add(rows(2, 1)[0])
        await append(*args, **kwargs)

    store.events.append = slow
    await journal.flush()
    assert (await seqs(store), journal.waiting) == ([1], 1)


async def test_a_snapshot_comes_with_every_so_many_events(store, journal):
    await journal.write(rows(1, SNAPSHOT_EVENTS - 1))
    assert await store.conferences.snapshot("c1") is None
    await journal.write(rows(SNAPSHOT_EVENTS, 1))
    assert await store.conferences.snapshot("c1") == Snapshot("c1", 7, {"of": "c1"})


async def test_one_that_is_given_is_not_made_again(store, journal):
    given = Snapshot("c1", SNAPSHOT_EVENTS, {"the": "end"})
    await journal.write(rows(1, SNAPSHOT_EVENTS), snapshots=[given])
    assert await store.conferences.snapshot("c1") == given


async def test_a_conference_that_is_not_known_has_none(store, journal):
    await journal.write(rows(1, SNAPSHOT_EVENTS, "c2"))
    assert await store.conferences.snapshot("c2") is None


async def test_a_long_outage_gives_the_oldest_up_and_a_snapshot_in_their_place(
    store, journal, disk
):
    await disk.break_()
    for row in (*rows(1, 3), *rows(4, RING_EVENTS, "c2")):
        journal.add(row)
    assert (journal.waiting, journal.dropped) == (RING_EVENTS, 3)
    with pytest.raises(StoreUnavailable):
        await journal.flush()
    await disk.mend()
    await journal.flush()
    assert await seqs(store) == list(range(4, RING_EVENTS + 4))
    assert await store.conferences.snapshot("c1") is not None
