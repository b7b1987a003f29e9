"""What the wall says of a room beside its picture, and which rooms come first.

Pure. The console orders its tiles by the same rule (``wall-order.js``); trouble comes first, so
that of 145 rooms nobody has to look for the one that needs help.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from mcu.api.schemas.wall import Trouble, WallPicture, WallTile
from mcu.api.services import LiveReading
from mcu.conference.alarm_model import open_alarms
from mcu.conference.state import ConferenceState, Participant
from mcu.engine.thumbnail import Thumbnail

RANKS: Final[tuple[Trouble, ...]] = (
    "lost", "alarm", "gone", "call-failed", "calling", "stale", "poor-line", "missing",
    "fair-line",
)  # fmt: skip
"""Troubles, the worst first."""


def troubles_of(
    who: Participant,
    reading: LiveReading,
    thumbnail: Thumbnail | None,
    now: float,
    alarms: Sequence[str] = (),
) -> list[Trouble]:
    """What is wrong with a room, the worst first; ``alarms``: kinds of those that last."""
    found: set[Trouble] = {"alarm"} if set(alarms) - {"lost"} else set()
    if who.presence == "lost":
        found.add("lost")
    if who.call_failure is not None and who.presence != "connected":
        found.add("call-failed")
    if who.presence == "calling":
        found.add("calling")
    if who.presence == "expected":
        found.add("missing")
    if who.is_missing:
        found.add("gone")
    if who.presence == "connected":
        if thumbnail is not None and thumbnail.is_stale(now):
            found.add("stale")
        if reading.quality.grade == "poor":
            found.add("poor-line")
        if reading.quality.grade == "fair":
            found.add("fair-line")
    return [one for one in RANKS if one in found]


def tile_of(
    who: Participant,
    reading: LiveReading,
    thumbnail: Thumbnail | None,
    now: float,
    wall: datetime,
    alarms: Sequence[str] = (),
) -> WallTile:
    """One room.

    Args:
        alarms: kinds of those that last, the worst first.
        now: monotonic seconds, and ``wall`` the same moment.
    """
    picture = None
    if thumbnail is not None:
        stale = who.presence != "connected" or thumbnail.is_stale(now)
        picture = WallPicture(
            digest=thumbnail.digest, taken_at=taken_at(thumbnail, now, wall), stale=stale
        )
    return WallTile(
        participant=who.id,
        label=who.label or who.name,
        unit=who.unit,
        state=who.presence,
        audio_muted=who.audio_muted,
        video_muted=who.video_muted,
        level_db=reading.level_db,
        speaking=reading.speaking,
        visible=reading.visible,
        grade=reading.quality.grade,
        importance=who.importance,
        troubles=troubles_of(who, reading, thumbnail, now, alarms),
        alarms=list(alarms),
        picture=picture,
    )


def alarms_of(state: ConferenceState) -> Mapping[str, Sequence[str]]:
    """Participant → kinds of its alarms that last, the worst first. O(alarms)."""
    found: dict[str, list[str]] = {}
    for one in open_alarms(state.alarms):
        found.setdefault(one.participant, []).append(one.kind)
    return found


def taken_at(thumbnail: Thumbnail, now: float, wall: datetime) -> datetime:
    """When a picture arrived, by the wall clock that shows ``wall`` at ``now``."""
    return wall - timedelta(seconds=max(0.0, now - thumbnail.taken_at))


def ordered(tiles: Iterable[WallTile]) -> list[WallTile]:
    """Trouble first, who has left on purpose last; then by importance and name."""

    def key(tile: WallTile) -> tuple[int, int, str, str]:
        rank = RANKS.index(tile.troubles[0]) if tile.troubles else len(RANKS)
        if tile.state == "left" and "gone" not in tile.troubles:
            rank = len(RANKS) + 1
        return rank, -tile.importance, tile.label.casefold(), tile.participant

    return sorted(tiles, key=key)
