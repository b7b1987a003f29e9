"""A small conference that has ended, made by commands, as a report is made of it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mcu.conference.agenda_commands import NextItem
from mcu.conference.commands import (
    Command,
    EndConference,
    Fact,
    NoteJoined,
    NoteLost,
    NoteReturned,
    StartConference,
)
from mcu.conference.decide import decide, decide_start
from mcu.conference.events import Event
from mcu.conference.evolve import evolve_all
from mcu.conference.roll_call_model import MarkRoom, SignRollCall, StartRollCall
from mcu.conference.scenario import Agenda, AgendaItem
from mcu.conference.state import ConferenceState, RosterEntry
from mcu.operations.attendance import Happened
from mcu.operations.finding_words import Found
from mcu.operations.minutes import RoomMinute
from mcu.operations.report import Deed, Readiness, RecordedFile, Report, make_report
from mcu.watch.incident import Incident, IncidentEntry

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
UNITS = {"tinh": "Tỉnh Khánh Hòa", "xa-1": "Xã Vạn Ninh", "xa-2": "Xã Diên Khánh"}
ROOMS = (
    RosterEntry("tinh-a", "Hội trường tỉnh", "tinh-a", "tinh", ("tinh",), 0),
    RosterEntry("xa-1-a", "Vạn Ninh", "xa-1-a", "xa-1", ("tinh", "xa-1"), 0),
    RosterEntry("xa-2-a", "=Diên Khánh", "xa-2-a", "xa-2", ("tinh", "xa-2"), 0),
)
ITEMS = (
    AgendaItem("mo-dau", "Khai mạc", 300),
    AgendaItem("bao-cao", "Báo cáo", 600),
    AgendaItem("be-mac", "Bế mạc", 60),
)
STORY: tuple[tuple[float, Command | Fact], ...] = (
    (10, NoteJoined("tinh-a", "l1")),
    (20, NoteJoined("xa-1-a", "l2")),
    (30, StartRollCall("called", ("xa-1-a", "xa-2-a"), by="An")),
    (40, MarkRoom(1, "xa-1-a", "present", "An", "rõ", "operator")),
    (50, MarkRoom(1, "xa-2-a", "absent", "An", "", "operator")),
    (60, SignRollCall(1, "An", False)),
    (60, NextItem()),
    (120, NoteLost("xa-1-a", "l2")),
    (150, NoteReturned("xa-1-a", "l2")),
    (400, NextItem()),
    (600, EndConference("over")),
)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def held() -> tuple[ConferenceState, list[tuple[datetime, Event]]]:
    """The state at the end, and every event."""
    command = StartConference("Họp giao ban", "tinh", chair="tinh-a", agenda=Agenda(items=ITEMS))
    events = list(decide_start("hop", command, ROOMS, NOW))
    told = [(NOW, event) for event in events]
    state = evolve_all(None, events)
    for seconds, each in STORY:
        events = list(decide(state, each, at(seconds)))
        state = evolve_all(state, events) if events else state
        told += [(at(seconds), event) for event in events]
    return state, told


def minute(**rooms: RoomMinute) -> Mapping[str, Any]:
    return {who.replace("_", "-"): asdict(room) for who, room in rooms.items()}


MINUTES = (
    (at(0), minute(tinh_a=RoomMinute(30.0, 0.0, 0.0, 2.0, 10.0, 720),
                   xa_1_a=RoomMinute(5.0, 4.0, 9.0, 6.0, 40.0, 720))),
    (at(60), minute(tinh_a=RoomMinute(12.0, 1.0, 2.0, 2.0, 20.0, 720),
                    xa_1_a=RoomMinute(0.0, None, None, None, None, None))),
    (at(120), minute(tinh_a=RoomMinute(0.0, 0.5, 1.0, 2.0, 30.0, 360),
                     xa_1_a=RoomMinute(1.5, 8.0, 20.0, 9.0, 60.0, 0))),
)  # fmt: skip
DEEDS = (
    Deed(at(30), "An", "operator", "::1", "start_roll_call", "/api/v1/conferences/hop", "done 201"),
)


CHECKED = {
    "xa-1-a": Readiness("go", at(-600), ""),
    "xa-2-a": Readiness(
        "no-go", at(-500), "no picture", (Found("no-picture", {}, "no picture came"),)
    ),
}
RECORDED = RecordedFile("r1", "Họp giao ban", "main", "An", at(5), at(600), "ended")
RECORDINGS = tuple(
    replace(
        RECORDED, part=part, part_state="complete", part_started_at=at(start), size=size,
        duration_s=length, sha256=digit * 64, file=f"r1-{part:04d}.mp4",
    )
    for part, start, size, length, digit in (
        (1, 6, 61_234_567, 394.5, "a"), (2, 402, 30_100_000, 198.0, "b"),
    )
)  # fmt: skip
INCIDENTS = (
    Incident(
        "i1", "tinh", "Xã Vạn Ninh mất tiếng", "major",
        (IncidentEntry(at(130), "An", "opened"), IncidentEntry(at(140), "An", "assigned", "Bình")),
        bridge="xa-1-a", conference="hop",
    ),
)  # fmt: skip


def report(**changes: Any) -> Report:
    state, told = held()
    happened = [Happened(time, event) for time, event in told]
    given: dict[str, Any] = {
        "minutes": MINUTES,
        "deeds": DEEDS,
        "now": at(700),
        "units": UNITS,
        "readiness": CHECKED,
        "incidents": INCIDENTS,
        "recordings": RECORDINGS,
    }
    return make_report(state, happened, **(given | changes))
