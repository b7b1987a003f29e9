"""Pictures of a roll call: one for an entry, kept as long as the log."""

from datetime import UTC, datetime, timedelta

import pytest

from mcu.store.roll_call_pictures import MAX_PICTURE_BYTES, RollCallPictures

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


async def keep(store, entry, jpeg, *, number=1, time=NOW):
    await store._database.commit(store.roll_call_pictures.row("c1", number, entry, time, jpeg))


async def test_kept_by_entry_and_never_changed(store):
    await keep(store, 1, b"one")
    await keep(store, 1, b"another")
    await keep(store, 3, b"three")
    await keep(store, 1, b"of another", number=2)
    pictures = store.roll_call_pictures
    assert await pictures.get("c1", 1, 1) == b"one"
    assert await pictures.get("c1", 1, 2) is None
    assert await pictures.get("c2", 1, 1) is None
    assert await pictures.entries("c1", 1) == {1, 3}
    assert await pictures.entries("c1", 9) == frozenset()


def test_no_reference_is_that_large():
    with pytest.raises(ValueError, match="bytes"):
        RollCallPictures.row("c1", 1, 1, NOW, bytes(MAX_PICTURE_BYTES + 1))


async def test_gone_with_the_log(store):
    await keep(store, 1, b"old", time=NOW - timedelta(days=2))
    await keep(store, 2, b"new")
    await store.leftovers.prune(NOW - timedelta(days=1))
    assert await store.roll_call_pictures.entries("c1", 1) == {2}
