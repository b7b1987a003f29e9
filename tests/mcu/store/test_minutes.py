"""A conference's minutes: written once, read in order, gone with the log."""

from datetime import timedelta

from mcu.store.minutes import StoredMinute
from tests.mcu.store.conftest import NOW


def minute(number: int, conference: str = "hop", **rooms: object) -> StoredMinute:
    return StoredMinute(conference, NOW + timedelta(minutes=number), rooms)


async def test_read_in_order_and_written_once(store):
    await store.minutes.append([minute(2, a=1), minute(1, a=2), minute(1, "other")])
    await store.minutes.append([minute(1, a=9), minute(3)])
    found = await store.minutes.of("hop")
    assert [(each.at, each.rooms) for each in found] == [
        (NOW + timedelta(minutes=1), {"a": 2}),
        (NOW + timedelta(minutes=2), {"a": 1}),
        (NOW + timedelta(minutes=3), {}),
    ]


async def test_a_damaged_row_keeps_none_from_being_read(store):
    await store.minutes.append([minute(1, a=1), minute(2)])
    await store._database.rows("SELECT 1")
    async with store._database.write() as connection:
        await connection.execute("UPDATE conference_minutes SET rooms = '[' WHERE at LIKE '%31%'")
    assert [each.rooms for each in await store.minutes.of("hop")] == [None, {}]


async def test_gone_with_the_log(store):
    await store.minutes.append([minute(0), minute(10)])
    await store.leftovers.prune(NOW + timedelta(minutes=5))
    assert len(await store.minutes.of("hop")) == 1
