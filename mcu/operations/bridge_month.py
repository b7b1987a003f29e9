"""What a bridge did in a month: a row for each conference it was expected in. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo

from mcu.conference.codec import Json, time_to_text
from mcu.operations.report import Report

COLUMNS = (
    "conference", "name", "unit", "started_at", "ended_at", "status", "present_s", "lost_count",
    "lost_s", "floor_s", "heard_s", "loss_percent", "worst_loss_percent", "round_trip_ms",
    "jitter_ms", "height", "incomplete",
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


def bridge_month(bridge: str, reports: Iterable[Report]) -> Json:
    """``BridgeMonth`` of the API, out of the reports of a month's conferences, oldest first."""
    rows: list[Json] = []
    for report in reports:
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
                        "incomplete": bool(report.incomplete),
                    }
                )
    attended = [row for row in rows if row["present_s"] > 0]
    return {
        "bridge": bridge,
        "expected": len(rows),
        "attended": len(attended),
        "present_s": round(sum(row["present_s"] for row in rows), 1),
        "lost_count": sum(row["lost_count"] for row in rows),
        "lost_s": round(sum(row["lost_s"] for row in rows), 1),
        "heard_s": round(sum(row["heard_s"] for row in rows), 1),
        "conferences": rows,
    }
