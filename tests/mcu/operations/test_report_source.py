"""What a report reads: whole, or with parts that are damaged or kept no more."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from mcu.conference.codec import event_to_json
from mcu.conference.state import ConferenceState
from mcu.operations.bridge_month import Month
from mcu.operations.minutes import RoomMinute
from mcu.operations.report_source import read_incidents_of, read_report
from mcu.store.minutes import StoredMinute
from mcu.store.readiness import CheckRow, ResultRow
from mcu.store.recordings import PartRecord, RecordingRecord, Recordings
from mcu.store.records import AuditRow, ConferenceRecord, StoredEvent, Unit
from mcu.store.store import Store
from mcu.watch.incident import Incident, IncidentEntry
from mcu.watch.incident_records import record_of
from tests.mcu.operations.province import INCIDENTS, NOW, at, held

TARGET = "/c/hop"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "mcu.sqlite3", lambda: NOW)
    yield opened
    await opened.close()


@pytest.fixture
async def state(store: Store) -> ConferenceState:
    state, told = held()
    await store.events.append(
        [
            StoredEvent(number, time, event.type, "hop", event_to_json(event))
            for number, (time, event) in enumerate(told, 1)
        ],
        conferences=[ConferenceRecord("hop", state.name, "tinh", NOW, state.ended_at)],
    )
    room = asdict(RoomMinute(5.0, 1.0))
    await store.minutes.append([StoredMinute("hop", NOW, {"xa-1-a": room})])
    await store.audit.append(
        AuditRow(at(30), "gone", "operator", "::1", "mute", f"{TARGET}/mute", "done 200")
    )
    return state


async def test_whole(store: Store, state: ConferenceState) -> None:
    found = await read_report(store, state, TARGET, at(700))
    assert found.incomplete == ()
    assert found.rooms[1].attendance.present_s == 550
    assert found.rooms[1].line.heard_s == 5.0
    assert [(deed.by, deed.action) for deed in found.deeds] == [("gone", "mute")]


async def test_units_are_called_as_they_were_when_the_conference_began(
    store: Store, state: ConferenceState, tmp_path: Path
) -> None:
    now = at(3_600)
    reformed = await Store.open(tmp_path / "mcu.sqlite3", lambda: now)
    try:
        await reformed.units.create(Unit("tinh", "Tỉnh Cũ", "province"))
        unit = await reformed.units.get("tinh")
        await reformed.units.update(replace(unit, name="Tỉnh Mới"))
        found = await read_report(reformed, state, TARGET, now)
    finally:
        await reformed.close()
    assert found.units["tinh"] == "Tỉnh Cũ"


async def test_events_that_are_kept_no_more_are_said_to_be_missing(
    store: Store, state: ConferenceState
) -> None:
    await store.events.prune(at(100), 1_000)
    found = await read_report(store, state, TARGET, at(700))
    assert found.incomplete == ("events",)


async def test_a_damaged_event_and_a_damaged_minute_leave_the_rest(
    store: Store, state: ConferenceState
) -> None:
    async with store._database.write() as connection:
        await connection.execute("UPDATE events SET data = '{' WHERE type = 'participant.lost'")
        await connection.execute("UPDATE conference_minutes SET rooms = 'x'")
    found = await read_report(store, state, TARGET, at(700))
    assert found.incomplete == ("events", "minutes")
    assert found.rooms[0].attendance.present_s == 590


async def test_the_check_of_that_day_and_its_incidents(
    store: Store, state: ConferenceState
) -> None:
    for name, time, verdict in (
        ("old", NOW - timedelta(days=3), "no-go"), ("first", at(-7200), "no-go"),
        ("second", at(-600), "go"), ("after", at(900), "no-go"),
    ):  # fmt: skip
        await store.readiness.write(
            CheckRow(name, name, "tinh", time, time, "{}"),
            [],
            [ResultRow(name, "xa-1-a", time, verdict, '{"reason": "echo"}')],
        )
    await store.incidents.create(record_of(INCIDENTS[0]))
    found = await read_report(store, state, TARGET, at(1000))
    ready = found.rooms[1].readiness
    assert ready is not None
    assert (ready.verdict, ready.at, ready.reason) == ("go", at(-600), "echo")
    assert found.rooms[2].readiness is None
    assert [incident.title for incident in found.incidents] == [INCIDENTS[0].title]


async def test_files_of_recordings_with_their_checksums(
    store: Store, state: ConferenceState
) -> None:
    for number, record in enumerate(("r1", "r2"), 1):
        made = RecordingRecord(record, "hop", "Họp", "main", "An", at(number))
        await store.recordings.commit(Recordings.row(made))
    for number in (1, 2):
        part = PartRecord(number, "complete", at(10 * number), 1_000 * number, 9.5, "c" * 64)
        await store.recordings.commit(Recordings.part("r1", part))
    await store.recordings.commit(Recordings.ended("r1", at(30), "stopped"))
    found = (await read_report(store, state, TARGET, at(700))).recordings
    assert [(one.recording, one.file, one.size, one.reason) for one in found] == [
        ("r1", "r1-0001.mp4", 1_000, "stopped"), ("r1", "r1-0002.mp4", 2_000, "stopped"),
        ("r2", None, 0, None),
    ]  # fmt: skip
    assert found[0].sha256 == "c" * 64


async def test_a_months_incidents_are_those_that_were_open_in_it(store: Store) -> None:
    month = Month(at(0), at(1000))
    entry = IncidentEntry
    for name, *entries in (
        ("before", entry(at(-20), "An", "opened"), entry(at(-10), "An", "closed")),
        ("from-before", entry(at(-30), "An", "opened"), entry(at(10), "An", "closed")),
        ("open", entry(at(20), "An", "opened")),
        ("after", entry(at(1000), "An", "opened")),
    ):
        incident = Incident(name, "tinh", name, "minor", tuple(entries), bridge="xa-1-a")
        await store.incidents.create(record_of(incident))
    other = Incident("other", "tinh", "x", "minor", (entry(at(5), "An", "opened"),), bridge="b")
    await store.incidents.create(record_of(other))
    found = await read_incidents_of(store, "xa-1-a", month)
    assert [each.id for each in found] == ["from-before", "open"]
