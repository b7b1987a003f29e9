"""The report of a conference: what is kept of it, put together. Pure.

One row for each room says when it was here, how long it spoke and how good its line was; beside
them stand what went wrong, the agenda as it was held, the roll calls, and who did what.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from mcu.conference.agenda_resources import agenda_resource
from mcu.conference.codec import Json
from mcu.conference.drill_resources import drill_resource
from mcu.conference.procedure_resources import roll_call_resource, with_pictures
from mcu.conference.state import ConferenceState
from mcu.operations.attendance import Attendance, Fault, Happened, attend
from mcu.operations.finding_words import Found
from mcu.watch.incident import Incident

LOSS_SEEN_PERCENT = 2.0
"""From this on a room counts as one with a bad line in that minute."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody did, as the audit holds it.

    Args:
        by: the token's name, or its id where it is kept no more. address: where from.
    """

    at: datetime
    by: str
    role: str | None
    address: str | None
    action: str
    target: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Line:
    """A room's line over the whole conference.

    Args:
        heard_s: it was in the mix. height: of the smallest picture it was sent; 0: sound alone.
        loss_percent, round_trip_ms, jitter_ms: mean over the minutes of which something is known.
    """

    heard_s: float = 0.0
    loss_percent: float | None = None
    worst_loss_percent: float | None = None
    round_trip_ms: float | None = None
    jitter_ms: float | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the last check before the end said of a room.

    Args:
        reason: in English, empty where it passed. findings: what it is made of.
    """

    verdict: str
    at: datetime
    reason: str
    findings: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomReport:
    """One room.

    Args:
        status: of the last roll call that was signed; None: there was none.
        readiness: None: it was not checked.
    """

    attendance: Attendance
    line: Line
    status: str | None = None
    readiness: Readiness | None = None


@dataclass(frozen=True, slots=True)
class MinuteReport:
    """The whole conference in one minute: rooms of which anything is known, bad lines, means."""

    at: datetime
    rooms: int
    bad: int
    loss_percent: float | None
    round_trip_ms: float | None


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """One file of a recording; a recording of which no file came to be has one without a part.

    Args:
        reason: why the recording ended; None while it runs. part: from 1.
        size: bytes. sha256: of the whole file; None while it grows.
    """

    recording: str
    name: str
    view: str
    by: str
    started_at: datetime
    ended_at: datetime | None
    reason: str | None
    part: int | None = None
    part_state: str | None = None
    part_started_at: datetime | None = None
    size: int = 0
    duration_s: float = 0.0
    sha256: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about one conference.

    Args:
        until: its end, or when the report was made. incomplete: what could not be read or is kept
            no more: ``events``, ``minutes``, ``actions``.
        series: room → its loss, percent, minute by minute (None: nothing known), along
            ``minutes``.
        agenda, roll_calls: ``Agenda`` and ``RollCall`` of the API.
        drill: ``DrillFault`` of the API, of each fault; None: it was no drill.
        units: id → name.
    """

    conference: str
    name: str
    unit: str
    started_at: datetime
    ended_at: datetime | None
    made_at: datetime
    until: datetime
    incomplete: tuple[str, ...]
    rooms: tuple[RoomReport, ...]
    faults: tuple[Fault, ...]
    minutes: tuple[MinuteReport, ...]
    series: Mapping[str, tuple[float | None, ...]]
    agenda: Json | None
    roll_calls: tuple[Json, ...]
    incidents: tuple[Incident, ...]
    recordings: tuple[RecordedFile, ...]
    deeds: tuple[Deed, ...]
    units: Mapping[str, str]
    drill: tuple[Json, ...] | None = None


def make_report(
    state: ConferenceState,
    happened: Sequence[Happened],
    minutes: Sequence[tuple[datetime, Mapping[str, Any]]],
    deeds: Sequence[Deed],
    now: datetime,
    *,
    incomplete: Sequence[str] = (),
    units: Mapping[str, str] = MappingProxyType({}),
    address: str = "",
    pictures: Mapping[int, Collection[int]] = MappingProxyType({}),
    readiness: Mapping[str, Readiness] = MappingProxyType({}),
    incidents: Sequence[Incident] = (),
    recordings: Sequence[RecordedFile] = (),
) -> Report:
    """Put it together.

    Args:
        address: of the conference. pictures: roll call → entries that have one.
        readiness: by bridge. incidents: that were opened in it, oldest first.
        recordings: that are kept, the oldest first.
        happened, minutes, deeds: oldest first. Of a minute: participant → the fields of
            ``RoomMinute``.
    """
    until = state.ended_at or now
    rows, faults = attend(happened, until)
    marks = _last_marks(state)
    rooms = tuple(
        RoomReport(
            row,
            _line([_of(one, row.participant) for _, one in minutes]),
            marks.get(row.participant),
            readiness.get(row.bridge or ""),
        )
        for row in rows
    )
    return Report(
        conference=state.id,
        name=state.name,
        unit=state.unit,
        started_at=state.started_at,
        ended_at=state.ended_at,
        made_at=now,
        until=until,
        incomplete=tuple(incomplete),
        rooms=rooms,
        faults=tuple(faults),
        minutes=tuple(_minute(at, one) for at, one in minutes),
        series={
            row.participant: tuple(
                _number(_of(one, row.participant), "loss_percent") for _, one in minutes
            )
            for row in rows
        },
        agenda=None if state.agenda is None else agenda_resource(state.agenda, until),
        roll_calls=tuple(
            with_pictures(
                roll_call_resource(each, running=state.running),
                f"{address}/roll-calls/{each.number}",
                pictures.get(each.number, ()),
            )
            for each in state.roll_calls
        ),
        incidents=tuple(incidents),
        recordings=tuple(recordings),
        deeds=tuple(deeds),
        units=units,
        drill=None if state.drill is None else tuple(drill_resource(state, state.drill)["faults"]),
    )


def _last_marks(state: ConferenceState) -> Mapping[str, str]:
    signed = [each for each in state.roll_calls if each.status == "signed"]
    if not signed:
        return {}
    return {who: mark.status for who, mark in signed[-1].last_marks().items()}


def _of(minute: Mapping[str, Any], participant: str) -> Mapping[str, Any]:
    found = minute.get(participant)
    return found if isinstance(found, Mapping) else {}


def _line(minutes: Sequence[Mapping[str, Any]]) -> Line:
    heights = _numbers(minutes, "height")
    worst = _numbers(minutes, "worst_loss_percent")
    return Line(
        heard_s=round(sum(_numbers(minutes, "heard_s")), 1),
        loss_percent=_mean(_numbers(minutes, "loss_percent")),
        worst_loss_percent=max(worst, default=None),
        round_trip_ms=_mean(_numbers(minutes, "round_trip_ms")),
        jitter_ms=_mean(_numbers(minutes, "jitter_ms")),
        height=int(min(heights)) if heights else None,
    )


def _minute(at: datetime, rooms: Mapping[str, Any]) -> MinuteReport:
    readings = [each for each in rooms.values() if isinstance(each, Mapping)]
    losses = _numbers(readings, "loss_percent")
    return MinuteReport(
        at,
        len(readings),
        sum(loss >= LOSS_SEEN_PERCENT for loss in losses),
        _mean(losses),
        _mean(_numbers(readings, "round_trip_ms")),
    )


def _numbers(readings: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [value for each in readings if (value := _number(each, name)) is not None]


def _number(reading: Mapping[str, Any], name: str) -> float | None:
    """What was stored may be damaged: whatever is no number is not known."""
    value = reading.get(name)
    return float(value) if isinstance(value, int | float) and value == value else None


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None
