"""A bridge's month as pages: what ``month.typ`` prints. Pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from mcu.conference.codec import Json
from mcu.operations.finding_words import incident_in_words
from mcu.operations.report_words import WORDS
from mcu.operations.terms import Language

COLUMNS = (
    "began", "month_conference", "mark", "present", "lost", "heard", "loss", "worst_loss",
    "round_trip", "jitter", "picture", "incidents",
)  # fmt: skip


def month_pages(
    found: Json,
    name: str,
    units: Mapping[str, str],
    unit: str,
    month: str,
    language: Language,
    zone: tzinfo,
    made_at: datetime,
) -> Json:
    """What the template is given: all texts are final, all times in ``zone``.

    Args:
        found: ``BridgeMonth`` of the API. name, unit: of the bridge. month: as it is printed.
    """
    words = WORDS[language]

    def day(at: str | None) -> str:
        if at is None:
            return ""
        return datetime.fromisoformat(at).astimezone(zone).strftime("%d/%m/%Y %H:%M")

    incomplete = any(row["incomplete"] for row in found["conferences"])
    return {
        "lang": language,
        "words": dict(words),
        "title": f"{words['month_title']}: {name}, {month}",
        "author": units.get(unit, unit),
        "name": f"{name} · {words['month']} {month}",
        "facts": [
            [words["room_unit"], units.get(unit, unit)],
            [words["month_attended"], f"{found['attended']} / {found['expected']}"],
            [words["present"], _long(found["present_s"])],
            [words["losses"], _times(found)],
            [words["heard"], _long(found["heard_s"])],
            [words["loss"], _percent(found["loss_percent"])],
            [words["round_trip"], _whole(found["round_trip_ms"])],
            [words["month_open"], str(found["incidents_open"])],
            [words["made"], day(made_at.isoformat())],
        ],
        "notes": [words["month_incomplete"]] if incomplete else [],
        "columns": [words[column] for column in COLUMNS],
        "conferences": [
            [
                day(row["started_at"]),
                row["name"] + (" *" if row["incomplete"] else ""),
                "" if row["status"] is None else words[f"status_{row['status']}"],
                _long(row["present_s"]) if row["present_s"] else "",
                _times(row) if row["lost_count"] else "",
                _long(row["heard_s"]) if row["heard_s"] else "",
                _percent(row["loss_percent"]),
                _percent(row["worst_loss_percent"]),
                _whole(row["round_trip_ms"]),
                _whole(row["jitter_ms"]),
                _picture(row["height"], words),
                str(row["incidents"] or ""),
            ]
            for row in found["conferences"]
        ],
        "incidents": [
            [
                day(each["opened_at"]),
                day(each["closed_at"]) or words["not_closed"],
                words[f"severity_{each['severity']}"],
                incident_in_words(each["title"], language),
                each["assignee"] or "",
            ]
            for each in found["incidents"]
        ],
    }


def _times(row: Json) -> str:
    """How often the signal was lost, and for how long."""
    return f"{row['lost_count']} × / {_long(row['lost_s'])}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _picture(height: int | None, words: Mapping[str, str]) -> str:
    if height is None:
        return ""
    return f"{height}p" if height else words["sound_only"]


def _long(seconds: float) -> str:
    """A duration as ``131:02:03`` or ``02:03``: of a month hours are added up, not made days."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:" if hours else "") + f"{minutes:02}:{rest:02}"
