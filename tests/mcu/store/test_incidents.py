"""Incidents in the store: written once, found by room, unit and state, never written over."""

from datetime import UTC, datetime

import pytest

from mcu.store.errors import DuplicateRecord, InvalidRecord, UnknownRecord, VersionConflict
from mcu.store.incidents import IncidentRecord
from mcu.store.store import Store

NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)


def record(number: int, **changes: object) -> IncidentRecord:
    values: dict[str, object] = {
        "id": f"i-{number}", "unit": "tinh", "bridge": "b1", "conference": None, "alarm": None,
        "state": "open", "opened_at": NOW, "document": "{}",
    }  # fmt: skip
    return IncidentRecord(**{**values, **changes})  # type: ignore[arg-type]


async def test_kept_and_read(store: Store) -> None:
    made = await store.incidents.create(record(1, document='{"title": "Vọng"}'))
    assert made.number > 0
    assert await store.incidents.get("i-1") == made
    with pytest.raises(DuplicateRecord):
        await store.incidents.create(record(1))
    with pytest.raises(UnknownRecord):
        await store.incidents.get("i-9")


async def test_an_alarm_has_one_incident(store: Store) -> None:
    await store.incidents.create(record(1, conference="c1", alarm=3))
    with pytest.raises(DuplicateRecord, match="i-1"):
        await store.incidents.create(record(2, conference="c1", alarm=3))
    await store.incidents.create(record(3, conference="c1", alarm=4))
    await store.incidents.create(record(4, conference="c2", alarm=3))


async def test_a_change_needs_the_version_that_was_read(store: Store) -> None:
    made = await store.incidents.create(record(1))
    after = await store.incidents.update(made)
    assert after.version == 2
    with pytest.raises(VersionConflict):
        await store.incidents.update(made)
    with pytest.raises(VersionConflict):
        await store.incidents.update(after, if_version=1)
    with pytest.raises(UnknownRecord):
        await store.incidents.update(record(9))


async def test_found_by_what_is_asked_for_the_newest_first(store: Store) -> None:
    for number in range(6):
        place = {"unit": f"xa-{number % 2}", "bridge": f"b{number % 3}"}
        await store.incidents.create(
            record(number, conference="c1", state="open" if number < 4 else "closed", **place)
        )
    incidents = store.incidents

    async def found(**query: object) -> list[str]:
        return [one.id for one in (await incidents.list(**query)).items]  # type: ignore[arg-type]

    assert await found() == ["i-5", "i-4", "i-3", "i-2", "i-1", "i-0"]
    assert await found(units={"xa-1", "xa-9"}) == ["i-5", "i-3", "i-1"]
    assert await found(units=set()) == []
    assert await found(bridge="b0", state="open") == ["i-3", "i-0"]
    assert await found(conference="c2") == []
    assert [one.id for one in await incidents.open_of("b0")] == ["i-0", "i-3"]
    page = await incidents.list(limit=4)
    rest = await incidents.list(limit=4, cursor=page.next_cursor)
    assert [one.id for one in rest.items] == ["i-1", "i-0"]
    assert rest.next_cursor is None
    with pytest.raises(InvalidRecord):
        await incidents.list(cursor="x")
