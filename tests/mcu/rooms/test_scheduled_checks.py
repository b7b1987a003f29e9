import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mcu.api.scenario_documents import record_of
from mcu.conference.commands import StartConference
from mcu.conference.scenario import AgendaItem, Duty, Scenario, agenda_of
from mcu.conference.service import Actor, Conferences
from mcu.readiness.service import ReadinessChecks
from mcu.rooms.scheduled_checks import ScheduledChecks
from mcu.store.records import Bridge, Unit
from mcu.store.store import Store
from tests.mcu.api.live import Clock, SilentMedia

BEGIN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


class World:
    """A store with three bridges and a scenario that begins two hours after the clock's start."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.clock = clock
        self.store = store
        self.conferences = Conferences(store, SilentMedia(), clock=clock)
        self.checks = ReadinessChecks(
            store, self.conferences, {}, ask=lambda *_: None, utcnow=clock.utcnow
        )
        self.scheduled = ScheduledChecks(
            store,
            self.conferences,
            self.checks,
            before=timedelta(minutes=60),
            utcnow=clock.utcnow,
        )

    async def look(self, minutes: float) -> list[str]:
        """What is being checked so many minutes before the session."""
        passed = BEGIN - timedelta(minutes=minutes) - self.clock.utcnow()
        self.clock.advance(passed.total_seconds())
        await self.scheduled.look()
        return [bridge for check in self.checks.running() for bridge in check.rooms]


@pytest.fixture
async def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    clock = Clock()
    store = await Store.open(tmp_path / "mcu.sqlite3", clock.utcnow)
    try:
        await store.units.create(Unit("tinh", "Tỉnh", "province"))
        for bridge in ("a", "b", "c"):
            await store.bridges.create(Bridge(bridge, bridge.upper(), "tinh"))
        world = World(store, clock)
        await world.conferences.restore(keep=False)
        yield world
        await world.checks.close()
        await world.conferences.close()
    finally:
        await store.close()


def scenario(expected: tuple[str, ...] | None) -> Scenario:
    items = (AgendaItem("i1", "Khai mạc", 300),)
    return Scenario(
        name="Giao ban", unit="tinh", expected=expected, begins_at=BEGIN, items=items
    )  # fmt: skip


async def test_once_an_hour_before_the_session(world: World) -> None:
    record = record_of("giao-ban", scenario(("b", "a")), world.clock.utcnow())
    await world.store.scenarios.create([record])
    assert await world.look(61) == []
    assert await world.look(60) == ["b", "a"]
    assert await world.look(30) == ["b", "a"]
    [check] = world.checks.running()
    assert (check.scenario, check.due, check.by, check.unit) == (
        "giao-ban", BEGIN, "schedule", "tinh",
    )  # fmt: skip


async def test_whom_to_call_is_who_is_on_duty_at_the_session(world: World) -> None:
    duties = (Duty("Kỹ thuật", "Minh", "0912 345 678", "a"),)
    planned = replace(scenario(("b", "a")), duties=duties)
    await world.store.scenarios.create([record_of("giao-ban", planned, world.clock.utcnow())])
    await world.look(60)
    [check] = world.checks.running()
    assert [(room.entry.contact, room.entry.phone) for room in check.rooms.values()] == [
        ("", ""), ("Minh", "0912 345 678"),
    ]  # fmt: skip


async def test_who_was_down_makes_up_for_it_until_the_session_begins(world: World) -> None:
    record = record_of("giao-ban", scenario(None), world.clock.utcnow())
    await world.store.scenarios.create([record])
    assert sorted(await world.look(5)) == ["a", "b", "c"]


async def test_a_scenario_that_cannot_be_read_keeps_no_other_from_its_check(world: World) -> None:
    broken = record_of("a-hong", scenario(("c",)), world.clock.utcnow())
    whole = record_of("giao-ban", scenario(("b", "a")), world.clock.utcnow())
    document = json.dumps({**json.loads(broken.document), "begins_at": "mai"})
    await world.store.scenarios.create([replace(broken, document=document), whole])
    assert await world.look(60) == ["b", "a"]


async def test_what_has_begun_is_not_checked_for(world: World) -> None:
    record = record_of("giao-ban", scenario(("a",)), world.clock.utcnow())
    await world.store.scenarios.create([record])
    assert await world.look(-1) == []


async def test_the_conference_that_was_started_from_it_is_checked_where_it_is(
    world: World,
) -> None:
    found = scenario(("a",))
    await world.store.scenarios.create([record_of("giao-ban", found, world.clock.utcnow())])
    command = StartConference("Giao ban", "tinh", ("a",), agenda=agenda_of(found, "giao-ban"))
    state = await world.conferences.start(command, Actor(token="", role="admin"))
    await world.look(60)
    [check] = world.checks.running()
    assert check.conference == state.id


async def test_a_bridge_that_is_no_more_is_left_out(world: World) -> None:
    record = record_of("giao-ban", scenario(("a", "b")), world.clock.utcnow())
    await world.store.scenarios.create([record])
    await world.store.bridges.delete("a")
    assert json.loads(record.document)["expected"] == ["a", "b"]
    assert await world.look(60) == ["b"]
