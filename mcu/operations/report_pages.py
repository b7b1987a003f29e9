"""A report as pages: what ``report.typ`` prints. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from mcu.conference.codec import Json
from mcu.conference.drill_resources import MARKS
from mcu.operations.deed_words import action_in_words, outcome_in_words, target_in_words
from mcu.operations.finding_words import finding_in_words, incident_in_words
from mcu.operations.report import Readiness, RecordedFile, Report, RoomReport
from mcu.operations.report_words import WORDS
from mcu.operations.terms import Language

MAX_WORST: Final = 12
"""Rooms with a large plot of their own; every room has a small one."""
MAX_POINTS: Final = 240
"""Of a plot; a longer conference is thinned to the worst of each stretch."""
SMALL_POINTS: Final = 60
"""Of a small plot: 145 of them are set in a second."""
SMALL_TOP: Final = 10.0
"""Percent at the upper edge of all small plots, so that they can be compared; more where a room
lost more."""
Clock = Callable[[datetime | None], str]


def photo_name(number: int, entry: int) -> str:
    """What the picture of an entry of a roll call is called beside the template."""
    return f"roll-call-{number}-{entry}.jpg"


def report_pages(
    report: Report, language: Language, zone: tzinfo, photos: Collection[str] = ()
) -> Json:
    """What the template is given: all texts are final, all times in ``zone``.

    Args:
        photos: names of the pictures that can be printed.
    """
    words = WORDS[language]

    def clock(at: datetime | None) -> str:
        return "" if at is None else at.astimezone(zone).strftime("%H:%M:%S")

    def day(at: datetime) -> str:
        return at.astimezone(zone).strftime("%d/%m/%Y %H:%M")

    labels = {room.attendance.participant: room.attendance.label for room in report.rooms}
    came = sum(room.attendance.first_joined_at is not None for room in report.rooms)
    losses = sum(room.attendance.lost_count for room in report.rooms)
    ended = words["running"] if report.ended_at is None else day(report.ended_at)
    seconds = (report.until - report.started_at).total_seconds()
    return {
        "lang": language,
        "words": dict(words),
        "title": f"{words['title']}: {report.name}",
        "author": report.units.get(report.unit, report.unit),
        "name": report.name,
        "facts": [
            [words["unit"], report.units.get(report.unit, report.unit)],
            [words["began"], day(report.started_at)],
            [words["ended"], ended],
            [words["duration"], _long(seconds)],
            [words["came"], f"{came} / {len(report.rooms)}"],
            [words["losses"], str(losses)],
            [words["made"], day(report.made_at)],
        ],
        "notes": [
            *(() if report.drill is None else (words["drill_note"],)),
            *(words[f"incomplete_{each}"] for each in report.incomplete),
            *(() if _all_printed(report, photos) else (words["incomplete_photos"],)),
        ],
        "columns": [
            words[name]
            for name in (
                "room", "room_unit", "checked", "mark", "joined", "left", "present", "lost",
                "floor", "heard", "loss", "round_trip", "picture",
            )
        ],
        "rooms": [_room(room, report.units, words, clock) for room in report.rooms],
        "agenda": _agenda(report, words, clock),
        "roll_calls": [_roll_call(each, words, clock, photos) for each in report.roll_calls],
        "faults": [
            [
                clock(fault.at),
                clock(fault.until) or (words["not_back"] if fault.kind == "lost" else ""),
                fault.label,
                words[f"fault_{fault.kind}"],
                fault.detail,
            ]
            for fault in report.faults
        ],
        "drill": _drill(report.drill or (), words, clock),
        "incidents": [
            [
                clock(each.opened_at),
                clock(each.closed_at) or words["not_closed"],
                words[f"severity_{each.severity}"],
                each.title if each.kind is None else incident_in_words(each.title, language),
                each.assignee or "",
            ]
            for each in report.incidents
        ],
        "recordings": [_recording(file, words, clock) for file in report.recordings],
        "minutes": len(report.minutes),
        "from": clock(report.minutes[0].at)[:5] if report.minutes else "",
        "to": clock(report.until)[:5],
        "here": _thinned([float(each.rooms) for each in report.minutes]),
        "loss": _thinned([each.loss_percent for each in report.minutes]),
        "bad": _thinned([float(each.bad) for each in report.minutes]),
        "worst": [
            {"label": labels[who], "loss": _thinned(report.series[who])} for who in _worst(report)
        ],
        "each": _each(report),
        "each_top": max([SMALL_TOP, *_known(report)]),
        "not_ready": [
            [
                room.attendance.label,
                clock(room.readiness.at),
                _verdict(room, words),
                _why(room.readiness, language),
            ]
            for room in report.rooms
            if room.readiness is not None and room.readiness.verdict != "go"
        ],
        "deeds": [
            [
                clock(each.at),
                each.by,
                action_in_words(each.action, language),
                outcome_in_words(each.outcome, language),
                target_in_words(each.target, report.conference, labels),
            ]
            for each in report.deeds
        ],
    }  # fmt: skip


def _room(
    room: RoomReport, units: Mapping[str, str], words: Mapping[str, str], clock: Clock
) -> list[str]:
    who, line = room.attendance, room.line
    lost = "" if not who.lost_count else f"{who.lost_count} × / {_long(who.lost_s)}"
    picture = "" if line.height is None else f"{line.height}p"
    return [
        who.label,
        "" if who.unit is None else units.get(who.unit, who.unit),
        _verdict(room, words),
        "" if room.status is None else words[f"status_{room.status}"],
        clock(who.first_joined_at),
        clock(who.last_left_at),
        "" if who.first_joined_at is None else _long(who.present_s),
        lost,
        _long(who.floor_s) if who.floor_s else "",
        _long(line.heard_s) if line.heard_s else "",
        "" if line.loss_percent is None else f"{line.loss_percent:.1f}",
        "" if line.round_trip_ms is None else f"{line.round_trip_ms:.0f}",
        words["sound_only"] if line.height == 0 else picture,
    ]


def _recording(file: RecordedFile, words: Mapping[str, str], clock: Clock) -> list[str]:
    part = f" ({words['part']} {file.part})" if file.part is not None and file.part > 1 else ""
    # A part that the server's end cut short, also where another part of it ended as it should.
    ended = "interrupted" if file.part_state == "interrupted" else file.reason
    return [
        file.name + part,
        words.get(f"view_{file.view}", file.view),
        clock(file.part_started_at or file.started_at),
        _long(file.duration_s),
        f"{file.size / 1_000_000:.1f}",
        words.get(f"recording_{ended or 'running'}", ended or ""),
        file.sha256 or "",
    ]


def _verdict(room: RoomReport, words: Mapping[str, str]) -> str:
    if room.readiness is None:
        return ""
    return words[f"readiness_{room.readiness.verdict.replace('-', '_')}"]


def _why(readiness: Readiness, language: Language) -> str:
    said = [finding_in_words(each, language) for each in readiness.findings]
    return "; ".join(said) or readiness.reason


def _agenda(report: Report, words: Mapping[str, str], clock: Clock) -> list[list[str]]:
    """What was not over when the conference was, ended with it."""
    rows = []
    for item in () if report.agenda is None else report.agenda["items"]:
        held = [
            (_time(each["started_at"]), _time(each["ended_at"]) or report.ended_at)
            for each in item["held"]
        ]
        took = sum(((end or report.until) - start).total_seconds() for start, end in held if start)
        times = ", ".join(f"{clock(start)}–{clock(end)}" for start, end in held)
        rows.append(
            [
                item["title"],
                f"{clock(_time(item['planned_start']))}–{clock(_time(item['planned_end']))}",
                times or words["not_held"],
                _long(item["duration_s"]),
                _long(took) if held else "",
            ]
        )
    return rows


def _roll_call(
    found: Json, words: Mapping[str, str], clock: Clock, photos: Collection[str]
) -> Json:
    names = [photo_name(found["number"], row["entry"] or 0) for row in found["rows"]]
    title = f"{words['roll_call']} {found['number']} ({words[found['state']]})"
    return {
        "title": f"{title}, {clock(_time(found['started_at']))}",
        "rows": [
            [
                row["label"],
                words["unmarked"] if row["status"] is None else words[f"status_{row['status']}"],
                clock(_time(row["at"])),
                row["by"] or "",
                row["note"] or "",
            ]
            for row in found["rows"]
        ],
        "photos": [name if name in photos else "" for name in names],
    }


def _all_printed(report: Report, photos: Collection[str]) -> bool:
    return all(
        photo_name(call["number"], row["entry"]) in photos
        for call in report.roll_calls
        for row in call["rows"]
        if row["picture"] is not None
    )


def _drill(faults: Sequence[Json], words: Mapping[str, str], clock: Clock) -> list[list[str]]:
    """A row for each fault: what, where, from when to when, and how long people took."""
    rows = []
    for one in faults:
        took = [one[f"{mark}_s"] for mark in MARKS]
        rows.append(
            [
                str(one["number"]),
                words[f"drill_{one['kind']}"],
                ", ".join(one["labels"]) or words["drill_all"],
                f"{clock(_time(one['began_at']))}–{clock(_time(one['ended_at']))}",
                *("" if seconds is None else f"{seconds:.0f} s" for seconds in took),
                _by(one),
            ]
        )
    return rows


def _by(fault: Json) -> str:
    """Who dealt with it."""
    names = dict.fromkeys(mark["by"] for mark in fault["marks"] if mark["by"])
    return ", ".join(names)


def _worst(report: Report) -> list[str]:
    """Who lost most, the worst first."""
    losses = [
        (room.line.loss_percent, room.attendance.participant)
        for room in report.rooms
        if room.line.loss_percent
    ]
    return [who for _, who in sorted(losses, reverse=True)[:MAX_WORST]]


def _each(report: Report) -> list[Json]:
    """Every room of which something is known: its loss over time, and its means in figures."""
    found = []
    for room in report.rooms:
        line, series = room.line, report.series[room.attendance.participant]
        figures = (
            (line.loss_percent, "{:.1f} %"),
            (line.round_trip_ms, "{:.0f} ms"),
            (line.jitter_ms, "± {:.0f} ms"),
        )
        said = [text.format(value) for value, text in figures if value is not None]
        if said:
            found.append(
                {
                    "label": room.attendance.label,
                    "loss": _thinned(series, SMALL_POINTS),
                    "said": " · ".join(said),
                }
            )
    return found


def _known(report: Report) -> list[float]:
    return [loss for series in report.series.values() for loss in series if loss is not None]


def _thinned(values: Sequence[float | None], points: int = MAX_POINTS) -> list[float | None]:
    stretch = -(-len(values) // points) or 1
    return [
        max((each for each in values[start : start + stretch] if each is not None), default=None)
        for start in range(0, len(values), stretch)
    ]


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _long(seconds: float) -> str:
    """A duration as ``1:02:03`` or ``2:03``."""
    return str(timedelta(seconds=round(seconds))).removeprefix("0:")
