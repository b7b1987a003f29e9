"""What a bridge did in a month: a row for each conference it was expected in, and what troubled
it. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo

from mcu.conference.codec import Json, time_to_text
from mcu.operations.report import Report
from mcu.operations.report_tables import incident_document
from mcu.watch.incident import Incident

COLUMNS = (
    "conference", "name", "unit", "started_at", "ended_at", "status", "present_s", "lost_count",
    "lost_s", "floor_s", "heard_s", "loss_percent", "worst_loss_percent", "round_trip_ms",
    "jitter_ms", "height", "incidents", "incomplete",
)  # fmt: skip
INCIDENT_COLUMNS = (
    "id", "opened_at", "closed_at", "state", "severity", "title", "conference", "assignee",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month where people live; ``begins`` up to, and without, ``ends``."""

    begins: datetime
    ends: datetime


def month_of(year: int, month: int, zone: tzinfo) -> Month:
    """Raises ValueError: no such month."""
    begins = datetime(year, month, 1, tzinfo=zone)
    return Month(begins, begins.replace(year=year + month // 12, month=month % 12 + 1))


def bridge_month(
    bridge: str, reports: Iterable[Report], incidents: Sequence[Incident] = ()
) -> Json:
    """``BridgeMonth`` of the API, out of the reports of a month's conferences, oldest first.

    Drills are left out, and the incidents of them: what troubled a room there was done on purpose.

    Args:
        incidents: of the bridge, that were open at some time of the month, oldest first.
    """
    reports = list(reports)
    drills = {report.conference for report in reports if report.drill is not None}
    incidents = [each for each in incidents if each.conference not in drills]
    opened = Counter(each.conference for each in incidents)
    rows: list[Json] = []
    for report in reports:
        if report.conference in drills:
            continue
        for room in report.rooms:
            who = room.attendance
            if who.bridge == bridge:
                rows.append(
                    {
                        "conference": report.conference,
                        "name": report.name,
                        "unit": report.unit,
                        "started_at": time_to_text(report.started_at),
                        "ended_at": (
                            None if report.ended_at is None else time_to_text(report.ended_at)
                        ),
                        "status": room.status,
                        "present_s": who.present_s,
                        "lost_count": who.lost_count,
                        "lost_s": who.lost_s,
                        "floor_s": who.floor_s,
                        **asdict(room.line),
                        "incidents": opened[report.conference],
                        "incomplete": bool(report.incomplete),
                    }
                )
    attended = [row for row in rows if row["present_s"] > 0]
    worst = [row["worst_loss_percent"] for row in rows if row["worst_loss_percent"] is not None]
    return {
        "bridge": bridge,
        "expected": len(rows),
        "attended": len(attended),
        "present_s": round(sum(row["present_s"] for row in rows), 1),
        "lost_count": sum(row["lost_count"] for row in rows),
        "lost_s": round(sum(row["lost_s"] for row in rows), 1),
        "heard_s": round(sum(row["heard_s"] for row in rows), 1),
        "loss_percent": _mean(attended, "loss_percent"),
        "worst_loss_percent": max(worst, default=None),
        "round_trip_ms": _mean(attended, "round_trip_ms"),
        "jitter_ms": _mean(attended, "jitter_ms"),
        "incidents_open": sum(each.state == "open" for each in incidents),
        "conferences": rows,
        "incidents": [
            {**incident_document(each), "conference": each.conference} for each in incidents
        ],
    }


def _mean(attended: Sequence[Json], name: str) -> float | None:
    """Over the time that the bridge was there in conferences of which it is known."""
    known = [(row[name], row["present_s"]) for row in attended if row[name] is not None]
    present = sum(seconds for _, seconds in known)
    return round(sum(value * seconds for value, seconds in known) / present, 3) if known else None
