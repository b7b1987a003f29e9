"""A store is looked at from outside: nothing of it changes, and what is wrong is said."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from mcu.site_import import import_site
from mcu.store.errors import StoreUnavailable
from mcu.store.inspection import inspect
from mcu.store.migrations import MIGRATIONS
from mcu.store.records import Unit
from mcu.store.store import FILE_NAME, Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir()}


async def test_a_closed_one_is_left_as_it_is(path: Path) -> None:
    store = await Store.open(path)
    await import_site("vung-tau", store)
    await store.close()
    before = files(path)
    found = await asyncio.to_thread(inspect, path)
    assert found is not None
    assert found.sites == ("vung-tau",)
    assert found.units > 0
    assert found.bridges > 0
    assert files(path) == before


async def test_an_open_one_is_read_with_what_is_not_checkpointed_yet(path: Path) -> None:
    store = await Store.open(path)
    try:
        await store.units.create(Unit("tinh", "Tỉnh", "province"))
        found = await asyncio.to_thread(inspect, path)
        assert found is not None
        assert (found.units, found.bridges, found.sites) == (1, 0, ())
        await store.units.create(Unit("xa", "Xã", "commune", "tinh"))
    finally:
        await store.close()


def test_none_yet(path: Path) -> None:
    assert inspect(path) is None
    path.write_bytes(b"")
    assert inspect(path) is None
    assert files(path) == {FILE_NAME: b""}


def test_one_of_the_first_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1;")
    connection.close()
    found = inspect(path)
    assert found is not None
    assert found.sites == ()


async def filled(path: Path) -> None:
    store = await Store.open(path)
    await import_site("khanh-hoa", store)
    await store.close()


def test_damage_is_said(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to look at" * 50)
    with pytest.raises(StoreUnavailable, match="damaged"):
        inspect(path)
    path.unlink()
    asyncio.run(filled(path))
    content = bytearray(path.read_bytes())
    content[8192:40960] = bytes(40960 - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):
        inspect(path)


def test_one_of_a_newer_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreUnavailable, match="run the version that wrote it"):
        inspect(path)
