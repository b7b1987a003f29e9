"""Checks and rooms as the API, the store and tables show them: plain JSON values."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from mcu.readiness.assessment import Finding
from mcu.readiness.decide import counts
from mcu.readiness.model import Check, RoomCheck

COLUMNS: Final = (
    "bridge", "name", "unit", "verdict", "phase", "reason", "contact", "phone", "loss_up_percent",
    "loss_down_percent", "jitter_up_ms", "jitter_down_ms", "round_trip_ms", "capacity_up_kbps",
    "capacity_down_kbps", "speech_dbov", "confirmation", "size", "fps", "picture_kbps",
    "picture_later_ms", "at",
)  # fmt: skip


def finding_resource(finding: Finding) -> dict[str, Any]:
    """One finding with its sentence."""
    return {
        "topic": finding.topic,
        "weight": finding.weight,
        "code": finding.code,
        "values": dict(finding.values),
        "text": finding.text,
    }


def room_resource(check: Check, room: RoomCheck) -> dict[str, Any]:
    """One room of a check."""
    entry = room.entry
    return {
        "bridge": entry.bridge,
        "name": entry.name,
        "unit": entry.unit,
        "kind": entry.kind,
        "contact": {"name": entry.contact, "phone": entry.phone},
        "phase": room.phase,
        "since": _text(room.since),
        "verdict": room.verdict,
        "reason": "; ".join(each.text for each in room.findings if each.refuses),
        "findings": [finding_resource(each) for each in room.findings],
        "confirmation": room.confirmation,
        "loopback": room.loopback,
        "measured": None if room.measured is None else asdict(room.measured),
        "recorded": None if room.recorded is None else asdict(room.recorded),
        "check": check.id,
    }


def check_resource(check: Check) -> dict[str, Any]:
    """A check with all its rooms: those that are not ready first, then by name."""
    rank = {"no-go": 0, None: 1, "go": 2}
    rooms = sorted(check.rooms.values(), key=lambda room: (rank[room.verdict], room.entry.name))
    return {
        **summary_resource(check),
        "rooms": [room_resource(check, room) for room in rooms],
    }


def summary_resource(check: Check) -> dict[str, Any]:
    """A check without its rooms."""
    began = check.resumed_at or check.began_at
    total = None if check.ended_at is None else (check.ended_at - began).total_seconds()
    return {
        "id": check.id,
        "name": check.name,
        "unit": check.unit,
        "by": check.by,
        "conference": check.conference,
        "scenario": check.scenario,
        "due": None if check.due is None else _text(check.due),
        "began_at": _text(check.began_at),
        "ended_at": None if check.ended_at is None else _text(check.ended_at),
        "reason": check.reason,
        "running": check.running,
        "total_s": total,
        "counts": {name.replace("-", "_"): number for name, number in counts(check).items()},
    }


def row_of(room: dict[str, Any]) -> list[object]:
    """A room's resource as a row of ``COLUMNS``."""
    measured = room["measured"] or {}
    line, sound = measured.get("line", {}), measured.get("sound", {})
    picture = measured.get("picture", {})
    size = f"{picture['width']}x{picture['height']}" if picture.get("width") else None
    return [
        room["bridge"], room["name"], room["unit"], room["verdict"], room["phase"], room["reason"],
        room["contact"]["name"], room["contact"]["phone"],
        *(_rounded(line.get(name)) for name in (
            "loss_up_percent", "loss_down_percent", "jitter_up_ms", "jitter_down_ms",
            "round_trip_ms",
        )),
        _kbps(line.get("capacity_up_bps")), _kbps(line.get("capacity_down_bps")),
        _rounded(sound.get("level_dbov")), room["confirmation"], size,
        _rounded(picture.get("fps")), _kbps(picture.get("bitrate_bps")),
        _rounded(picture.get("later_ms")), room["since"],
    ]  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _kbps(bps: int | None) -> int | None:
    return None if bps is None else bps // 1000


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
