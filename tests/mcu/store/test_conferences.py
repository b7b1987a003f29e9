import sqlite3
from datetime import timedelta

import pytest

from mcu.conference.actor import new_id
from mcu.conference.for_checks import for_check
from mcu.store.errors import DamagedRecord, UnknownRecord
from mcu.store.migrations import MIGRATIONS
from mcu.store.minutes import StoredMinute
from mcu.store.records import ConferenceRecord, Snapshot, StoredEvent
from mcu.store.store import Store
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
        ({"checks": False}, ["a", "b", "c"]),
        ({"checks": True}, []),
    ],
)
async def test_choosing(listed, query, ids):
    assert [row.id for row in (await listed.list(**query)).items] == ids


async def test_those_of_checks_and_drills(tree, listed):
    check = ConferenceRecord(for_check(new_id("check-"), 3), "Kiểm tra", "tinh", NOW)
    drill = ConferenceRecord(new_id("c-"), "Diễn tập", "tinh", NOW, NOW, drill=True)
    await tree.events.append([], conferences=[check, drill])
    assert (await listed.list(checks=True)).items == (check,)
    assert (await listed.list(checks=False, running=False)).items == (ROWS[1], drill)
    assert await listed.get(drill.id) == drill
    assert await listed.drills(["a", drill.id, "x"]) == {drill.id}


async def test_drills_of_before_the_list_knew_them(tmp_path):
    before = next(n for n, step in enumerate(MIGRATIONS) if "ADD COLUMN drill" in step)
    plain = sqlite3.connect(tmp_path / "mcu.sqlite3")
    plain.executescript(f"{';'.join(MIGRATIONS[:before])}; PRAGMA user_version = {before};")
    add = "INSERT INTO conferences VALUES (?, 'Họp', 'tinh', '2026-11-21', NULL, 1, ?)"
    snapshots = {"a": '{"drill": {"faults": []}}', "b": '{"drill": null}', "c": "{", "d": None}
    plain.executemany(add, snapshots.items())
    began = "INSERT INTO events VALUES (?, '2026-11-21', 'conference.started', ?, NULL, ?)"
    plain.executemany(began, [(1, "c", '{"drill": true}'), (2, "d", '{"drill": false}')])
    plain.commit()
    plain.close()
    store = await Store.open(tmp_path / "mcu.sqlite3")
    try:
        assert await store.conferences.drills(snapshots) == {"a", "c"}
    finally:
        await store.close()


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
