"""A conference of Khánh Hòa's 145 rooms as the interface's JSON, in every state that there is."""

import random
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from config.installation import Site
from config.sites import load_site

CONFERENCE = "giao-ban"

Json = dict[str, Any]


def moment(seconds_ago: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()


@cache
def khanh_hoa() -> Site:
    """The province whose rooms they are; read once, as that takes longer than what is served."""
    return load_site("khanh-hoa")


def roster(seed: int = 7) -> list[Json]:
    """145 participants of Khánh Hòa in every state, the same for a seed."""
    site = khanh_hoa()
    dice = random.Random(seed)
    people = []
    for number, bridge in enumerate(site.bridges):
        state = dice.choices(
            ["connected", "expected", "lost", "left", "calling"], [116, 15, 6, 5, 3]
        )[0]
        if number < 9:
            state = "connected"
        grade = dice.choices(["good", "fair", "poor"], [82, 10, 8])[0]
        loss = {
            "good": dice.random() * 0.4,
            "fair": 0.6 + dice.random(),
            "poor": 3 + dice.random() * 6,
        }
        person = {
            "id": bridge.id,
            "bridge": bridge.id,
            "name": bridge.name,
            "label": bridge.name,
            "unit": bridge.unit,
            "role": "chair" if number == 0 else "participant",
            "importance": 100 if number == 0 else 50 if number < 9 else 0,
            "state": state,
            "call_failure": None,
            "call_failure_detail": None,
            "audio_muted": number > 2 and dice.random() < 0.9,
            "video_muted": dice.random() < 0.03,
            "deafened": False,
            "volume_db": 0.0,
            "view": "chair" if number == 0 else "main",
            "level_db": None,
            "speaking": False,
            "visible": number < 8,
            "legs": [f"leg-{number}"] if state in ("connected", "lost") else [],
            "quality": {
                "grade": grade if state == "connected" else "none",
                "loss_percent": round(loss[grade], 1),
                "jitter_ms": round(4 + dice.random() * 20, 1),
                "round_trip_ms": round(12 + dice.random() * 50, 1),
            },
            "joined_at": moment(3000 - number) if state in ("connected", "lost") else None,
            "lost_at": moment(40) if state == "lost" else None,
            "version": 1,
        }
        people.append(person)
    return people


def guest(name: str) -> Json:
    """Somebody who is on no registry, expected."""
    return roster()[0] | {
        "id": "guest-1", "bridge": None, "name": name, "label": name, "unit": None,
        "role": "participant", "importance": 0, "state": "expected", "legs": [], "view": "main",
    }  # fmt: skip


def conference(people: list[Json]) -> Json:
    return {
        "id": CONFERENCE,
        "name": "Hội nghị trực tuyến tỉnh Khánh Hòa về phòng, chống thiên tai",
        "unit": "khanh-hoa",
        "state": "running",
        "chair": people[0]["id"],
        "views": {
            "main": {"layout": "1+7", "slots": None, "fit": "letterbox"},
            "chair": {"layout": "auto", "slots": None, "fit": "letterbox"},
        },
        "locked": False,
        "message": None,
        "broadcast": None,
        "presentation": None,
        "floor": {"holder": None, "requests": [], "previous": None},
        "chair_view": None,
        "overlays": [],
        "polling": None,
        "roll_call": None,
        "convening": None,
        "waiting": 0,
        "conflicts": 0,
        "calls_when_convened": False,
        "counts": {"expected": 0, "calling": 0, "connected": 0, "lost": 0, "left": 0},
        "started_at": moment(3217),
        "ended_at": None,
        "number": "1001",
        "has_pin": False,
        "pin": None,
        "damaged": False,
        "version": 1,
    }
