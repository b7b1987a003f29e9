"""A report as data: one document for programs, and tables for spreadsheets. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal, get_args

from mcu.conference.codec import Json, time_to_text
from mcu.conference.drill_resources import FAULT_COLUMNS, fault_row
from mcu.operations.finding_words import incident_in_words
from mcu.operations.report import Report
from mcu.operations.terms import Language
from mcu.watch.incident import Incident

TableName = Literal[
    "rooms",
    "faults",
    "incidents",
    "agenda",
    "roll-calls",
    "recordings",
    "drill",
    "actions",
    "minutes",
]
TABLES: tuple[TableName, ...] = get_args(TableName)
Table = tuple[Sequence[str], list[Sequence[object]]]
"""Header and rows."""


def report_document(report: Report) -> Json:
    """``Report`` of the API."""
    return {
        "conference": report.conference,
        "name": report.name,
        "unit": report.unit,
        "unit_name": report.units.get(report.unit),
        "started_at": time_to_text(report.started_at),
        "ended_at": _time(report.ended_at),
        "made_at": time_to_text(report.made_at),
        "incomplete": list(report.incomplete),
        "rooms": [
            {
                **_texts(asdict(room.attendance)),
                "unit_name": report.units.get(room.attendance.unit or ""),
                "status": room.status,
                "readiness": None if room.readiness is None else room.readiness.verdict,
                "readiness_reason": None if room.readiness is None else room.readiness.reason,
                "checked_at": None if room.readiness is None else time_to_text(room.readiness.at),
                **asdict(room.line),
            }
            for room in report.rooms
        ],
        "faults": [_texts(asdict(fault)) for fault in report.faults],
        "incidents": [incident_document(each) for each in report.incidents],
        "recordings": [_texts(asdict(file)) for file in report.recordings],
        "agenda": report.agenda,
        "roll_calls": list(report.roll_calls),
        "drill": None if report.drill is None else list(report.drill),
        "minutes": [_texts(asdict(minute)) for minute in report.minutes],
        "loss_percent": {who: list(values) for who, values in report.series.items()},
        "actions": [_texts(asdict(deed)) for deed in report.deeds],
    }


def report_table(report: Report, name: TableName, language: Language = "vi") -> Table:
    """One list of the report as a table, its columns named as in the document.

    Args:
        language: of titles that were made of an alarm; the document has them as they were made.
    """
    document = report_document(report)
    for each in document["incidents"]:
        each["title"] = incident_in_words(each["title"], language)
    return _TABLES[name](document)


def _rows(items: Sequence[Json], columns: Sequence[str]) -> Table:
    return columns, [[item[column] for column in columns] for item in items]


def _rooms(document: Json) -> Table:
    return _rows(document["rooms"], (
        "participant", "label", "bridge", "unit", "unit_name", "status", "readiness",
        "readiness_reason", "checked_at", "first_joined_at",
        "last_left_at", "present_s", "lost_count", "lost_s", "floor_s", "heard_s", "loss_percent",
        "worst_loss_percent", "round_trip_ms", "jitter_ms", "height",
    ))  # fmt: skip


def _faults(document: Json) -> Table:
    return _rows(document["faults"], ("at", "until", "participant", "label", "kind", "detail"))


def _incidents(document: Json) -> Table:
    return _rows(
        document["incidents"],
        ("id", "opened_at", "closed_at", "state", "severity", "title", "bridge", "assignee"),
    )


def incident_document(incident: Incident) -> Json:
    """``ReportIncident`` of the API."""
    return {
        "id": incident.id,
        "opened_at": time_to_text(incident.opened_at),
        "closed_at": _time(incident.closed_at),
        "state": incident.state,
        "severity": incident.severity,
        "title": incident.title,
        "bridge": incident.bridge,
        "assignee": incident.assignee,
    }


def _agenda(document: Json) -> Table:
    columns = (
        "item", "title", "planned_start", "planned_end", "duration_s", "started_at", "ended_at",
        "overran",
    )  # fmt: skip
    rows: list[Sequence[object]] = []
    for item in () if document["agenda"] is None else document["agenda"]["items"]:
        planned = [
            item["id"], item["title"], item["planned_start"], item["planned_end"],
            item["duration_s"],
        ]  # fmt: skip
        for held in item["held"] or ({"started_at": None, "ended_at": None, "overran": None},):
            rows.append([*planned, held["started_at"], held["ended_at"], held["overran"]])
    return columns, rows


def _roll_calls(document: Json) -> Table:
    columns = ("participant", "label", "unit", "status", "at", "source", "by", "note")
    rows: list[Sequence[object]] = [
        [found["number"], found["state"], *(row[column] for column in columns)]
        for found in document["roll_calls"]
        for row in found["rows"]
    ]
    return ("number", "state", *columns), rows


def _recordings(document: Json) -> Table:
    return _rows(document["recordings"], (
        "recording", "name", "view", "by", "started_at", "ended_at", "reason", "part",
        "part_state", "part_started_at", "size", "duration_s", "sha256", "file",
    ))  # fmt: skip


def _drill(document: Json) -> Table:
    return FAULT_COLUMNS, [fault_row(each) for each in document["drill"] or ()]


def _actions(document: Json) -> Table:
    return _rows(
        document["actions"], ("at", "by", "role", "address", "action", "target", "outcome")
    )


def _minutes(document: Json) -> Table:
    return _rows(document["minutes"], ("at", "rooms", "bad", "loss_percent", "round_trip_ms"))


_TABLES: Mapping[TableName, Callable[[Json], Table]] = {
    "rooms": _rooms,
    "faults": _faults,
    "incidents": _incidents,
    "agenda": _agenda,
    "roll-calls": _roll_calls,
    "recordings": _recordings,
    "drill": _drill,
    "actions": _actions,
    "minutes": _minutes,
}


def _texts(values: Json) -> Json:
    return {
        name: time_to_text(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time_to_text(time)
