from datetime import timedelta

import pytest

from mcu.store.errors import DamagedRecord, UnknownRecord
from mcu.store.minutes import StoredMinute
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from tests.mcu.store.conftest import NOW

ROWS = [
    ConferenceRecord("a", "Giao ban", "tinh", NOW),
    ConferenceRecord("b", "Xã một", "xa1", NOW, NOW),
    ConferenceRecord("c", "Xã hai", "xa2", NOW),
]


@pytest.fixture
async def listed(tree):
    await tree.events.append([], conferences=ROWS)
    return tree.conferences


async def test_reading(listed):
    assert await listed.get("b") == ROWS[1]
    assert (await listed.list()).items == tuple(ROWS)
    assert await listed.running() == [ROWS[0], ROWS[2]]
    with pytest.raises(UnknownRecord):
        await listed.get("x")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"within": "huyen"}, ["b", "c"]),
        ({"within": "huyen", "running": True}, ["c"]),
        ({"running": False}, ["b"]),
        ({"within": "khac"}, []),
    ],
)
async def test_choosing(listed, query, ids):
    assert [row.id for row in (await listed.list(**query)).items] == ids


async def test_pages(listed):
    first = await listed.list(limit=2)
    second = await listed.list(limit=2, cursor=first.next_cursor)
    assert [row.id for row in (*first.items, *second.items)] == ["a", "b", "c"]
    assert second.next_cursor is None


async def test_when_it_ran_last(tree, listed):
    assert await listed.last_trace("a") is None
    times = [NOW + timedelta(seconds=10 * each) for each in range(3)]
    rows = [StoredEvent(seq, at, "x.done", "a", {}, None) for seq, at in enumerate(times, 1)]
    other = StoredEvent(4, NOW + timedelta(hours=1), "x.done", "c", {}, None)
    await tree.events.append([*rows, other])
    assert await listed.last_trace("a") == times[-1]
    await tree.minutes.append([StoredMinute("a", NOW, {}), StoredMinute("c", times[2], {})])
    assert await listed.last_trace("a") == NOW + timedelta(seconds=60)
    async with tree._database.write() as connection:
        await connection.execute("UPDATE conference_minutes SET at = 'x' WHERE conference = 'a'")
    assert await listed.last_trace("a") == times[-1]


async def test_a_row_is_overwritten_and_keeps_its_snapshot(tree, listed):
    await tree.events.append([], snapshots=[Snapshot("a", 7, {"tên": "Họp"})])
    await tree.events.append([], conferences=[ConferenceRecord("a", "Mới", "tinh", NOW, NOW)])
    assert (await listed.get("a")).name == "Mới"
    assert await listed.snapshot("a") == Snapshot("a", 7, {"tên": "Họp"})
    assert await listed.snapshot("c") is None
    assert await listed.snapshot("x") is None


async def test_a_damaged_row_is_left_out_of_lists_and_logged(tree, listed, capsys):
    async with tree._database.write() as connection:
        await connection.execute("UPDATE conferences SET started_at = 'then' WHERE id = 'a'")
    first = await listed.list(limit=2)
    second = await listed.list(limit=2, cursor=first.next_cursor)
    assert [row.id for row in (*first.items, *second.items)] == ["b", "c"]
    assert await listed.running() == [ROWS[2]]
    assert "conference_damaged" in capsys.readouterr().out
    with pytest.raises(DamagedRecord):
        await listed.get("a")


async def test_a_damaged_snapshot_is_told_from_none(tree, listed):
    await tree.events.append([], snapshots=[Snapshot("a", 7, {})])
    for text in ("{", "[]", "[" * 100_000):
        async with tree._database.write() as connection:
            await connection.execute("UPDATE conferences SET snapshot = ? WHERE id = 'a'", (text,))
        assert await listed.snapshot("a") == Snapshot("a", 7, None)
