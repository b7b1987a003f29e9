"""Scenarios in the store: versions, pages, refusals."""

from datetime import UTC, datetime

import pytest

from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    UnitInUse,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from mcu.store.records import Unit
from mcu.store.scenarios import ScenarioRecord

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def record(id_="s1", unit="tinh", name="Giao ban", document="{}"):
    return ScenarioRecord(id_, name, unit, document, NOW)


@pytest.fixture
async def scenarios(store):
    await store.units.create(Unit("tinh", "Tỉnh", "province"))
    await store.units.create(Unit("xa", "Xã", "commune", "tinh"))
    return store.scenarios


async def test_it_comes_changes_and_goes(scenarios):
    (made,) = await scenarios.create([record()])
    assert await scenarios.get("s1") == made
    changed = await scenarios.update(record(name="Mới"), if_version=1)
    assert (changed.version, changed.name) == (2, "Mới")
    assert await scenarios.update(record(name="Mới")) == changed  # nothing to change
    with pytest.raises(VersionConflict):
        await scenarios.update(record(), if_version=1)
    with pytest.raises(VersionConflict):
        await scenarios.delete("s1", if_version=1)
    await scenarios.delete("s1", if_version=2)
    with pytest.raises(UnknownRecord):
        await scenarios.get("s1")


async def test_all_or_none(scenarios):
    for wrong, error in (
        (record("s2", unit="nowhere"), UnknownParent),
        (record("s1"), DuplicateRecord),
        (record("a.yaml"), InvalidRecord),
        (record("all"), InvalidRecord),
        (record("s2", name=""), InvalidRecord),
    ):
        with pytest.raises(error):
            await scenarios.create([record("s1"), wrong])
        assert (await scenarios.list()).items == ()


async def test_lists_keep_to_a_subtree_and_are_paged(scenarios):
    await scenarios.create([record("a"), record("b", unit="xa"), record("c")])
    first = await scenarios.list(limit=2)
    assert [each.id for each in first.items] == ["a", "b"]
    rest = await scenarios.list(limit=2, cursor=first.next_cursor)
    assert [each.id for each in rest.items] == ["c"]
    assert [each.id for each in (await scenarios.list(within="xa")).items] == ["b"]


async def test_a_unit_that_has_some_is_not_deleted(scenarios, store):
    await scenarios.create([record(unit="xa")])
    with pytest.raises(UnitInUse, match="the scenarios s1"):
        await store.units.delete("xa")
