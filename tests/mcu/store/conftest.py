"""A real store in a file of its own, with a clock that stands still."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcu.store.records import Bridge, Unit
from mcu.store.store import Store

NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)


class VirtualClock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def pass_(self, **amount: float) -> None:
        self.time += timedelta(**amount)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "data" / "mcu.sqlite3"


@pytest.fixture
async def store(path, clock) -> AsyncIterator[Store]:
    opened = await Store.open(path, clock)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def tree(store) -> Store:
    """tinh ← huyen ← xa1, xa2; tinh ← so; a second root. Bridges b1, b2 (xa1), b3 (xa2), s (so)."""
    for id_, level, parent in (
        ("tinh", "province", None),
        ("huyen", "district", "tinh"),
        ("xa1", "commune", "huyen"),
        ("xa2", "commune", "huyen"),
        ("so", "agency", "tinh"),
        ("khac", "province", None),
    ):
        await store.units.create(Unit(id_, id_.title(), level, parent))
    for id_, unit in (("b1", "xa1"), ("b2", "xa1"), ("b3", "xa2"), ("s", "so")):
        await store.bridges.create(Bridge(id_, f"Điểm cầu {id_}", unit))
    return store
