from datetime import timedelta

import pytest

from mcu.store.errors import StoreUnavailable
from mcu.store.events import MAX_EVENTS_READ
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from tests.mcu.store.conftest import NOW


def event(seq: int, conference: str = "c1", **changes) -> StoredEvent:
    values = {"time": NOW, "type": "participant.lost", "data": {"v": 1, "n": seq}, "actor": None}
    return StoredEvent(seq=seq, conference=conference, **(values | changes))


async def test_as_they_were_given(store):
    given = [
        event(1, time=NOW + timedelta(microseconds=1), actor="t1", data={"tên": "Xã Ea Kiết"}),
        event(2, "c2"),
    ]
    await store.events.append(given)
    assert await store.events.after(0) == given
    assert await store.events.last_seq() == 2


async def test_after_a_place_of_one_conference(store):
    await store.events.append([event(seq, "ab"[seq % 2]) for seq in range(1, 8)])
    assert [row.seq for row in await store.events.after(3)] == [4, 5, 6, 7]
    assert [row.seq for row in await store.events.after(3, conference="a")] == [4, 6]
    assert [row.seq for row in await store.events.after(0, limit=2)] == [1, 2]
    assert await store.events.after(7) == []


async def test_a_reader_gets_no_more_than_a_page(store):
    await store.events.append([event(seq) for seq in range(1, MAX_EVENTS_READ + 5)])
    assert len(await store.events.after(0, limit=10**9)) == MAX_EVENTS_READ


async def test_a_batch_whose_outcome_was_unknown_may_be_repeated(store):
    await store.events.append([event(1), event(2)])
    await store.events.append([event(2, data={"v": 1, "n": "true now"}), event(3)])
    assert [row.data["n"] for row in await store.events.after(0)] == [1, "true now", 3]


async def test_all_of_it_or_nothing(store):
    broken = event(2, data={"x": object()})
    with pytest.raises(TypeError):
        await store.events.append(
            [event(1), broken], conferences=[ConferenceRecord("c1", "Họp", "tinh", NOW)]
        )
    assert await store.events.after(0) == []
    assert (await store.conferences.list()).items == ()
    assert await store.events.last_seq() == 0


async def test_a_full_disk(store):
    await store._database._writer.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable):
        await store.events.append([event(1)])


class TestPrune:
    async def test_by_age(self, store):
        await store.events.append([event(1, time=NOW - timedelta(days=9)), event(2)])
        assert await store.events.pruned_seq() == 0
        assert await store.events.prune(NOW - timedelta(days=1), 1000) == 1
        assert [row.seq for row in await store.events.after(0)] == [2]
        assert await store.events.pruned_seq() == 1

    async def test_by_number(self, store):
        await store.events.append([event(seq) for seq in range(1, 11)])
        assert await store.events.prune(NOW - timedelta(days=1), 4) == 6
        assert [row.seq for row in await store.events.after(0)] == [7, 8, 9, 10]

    async def test_the_count_never_goes_back(self, store):
        await store.events.append([event(seq) for seq in range(1, 4)])
        await store.events.prune(NOW + timedelta(days=1), 0)
        assert await store.events.after(0) == []
        assert await store.events.last_seq() == 3

    async def test_a_running_conference_keeps_what_it_is_restored_from(self, store):
        await store.events.append(
            [event(1), event(2, "c2"), event(3), event(4, "c2")],
            conferences=[
                ConferenceRecord("c1", "Họp", "tinh", NOW),
                ConferenceRecord("c2", "Xong", "tinh", NOW, NOW),
            ],
            snapshots=[Snapshot("c1", 1, {"v": 1})],
        )
        await store.events.prune(NOW + timedelta(days=1), 1000)
        assert [row.seq for row in await store.events.after(0)] == [3]

    async def test_nothing_to_do(self, store):
        assert await store.events.prune(NOW, 10) == 0
        assert await store.events.pruned_seq() == 0
