"""What went on in the rooms, a minute at a time: who was heard, and how good the lines were.

Sans-IO: who drives it says when a minute is over. A minute begins where the one before ended,
so a wall clock that is set back or forward moves its beginning and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RoomMinute:
    """One room in one minute.

    Args:
        heard_s: how long it had a place in the mix, pauses of up to 1.5 s within speech included.
        loss_percent, jitter_ms, round_trip_ms: of its worst leg, the mean of the readings; None:
            nothing was told of it.
        worst_loss_percent: the worst reading.
        height: of the smallest picture it was sent, 0: sound alone; None: it takes no pictures.
    """

    heard_s: float = 0.0
    loss_percent: float | None = None
    worst_loss_percent: float | None = None
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Minute:
    """One conference in one minute; ``at`` is when it began (UTC)."""

    conference: str
    at: datetime
    rooms: Mapping[str, RoomMinute]


@dataclass(slots=True)
class _Sum:
    total: float = 0.0
    count: int = 0
    worst: float = 0.0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total += value
            self.count += 1
            self.worst = max(self.worst, value)

    @property
    def mean(self) -> float | None:
        return round(self.total / self.count, 2) if self.count else None


@dataclass(slots=True)
class _Room:
    heard_s: float = 0.0
    loss: _Sum = field(default_factory=_Sum)
    jitter: _Sum = field(default_factory=_Sum)
    round_trip: _Sum = field(default_factory=_Sum)
    height: int | None = None

    def minute(self) -> RoomMinute:
        return RoomMinute(
            round(self.heard_s, 2),
            self.loss.mean,
            round(self.loss.worst, 2) if self.loss.count else None,
            self.jitter.mean,
            self.round_trip.mean,
            self.height,
        )


class Minutes:
    """Adds up the readings of all conferences. Cost: O(1) for each reading of a room."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, _Room]] = {}

    def heard(self, conference: str, participants: Iterable[str], seconds: float) -> None:
        """So long these participants were in the mix."""
        for participant in participants:
            self._room(conference, participant).heard_s += seconds

    def measured(
        self,
        conference: str,
        participant: str,
        *,
        loss_percent: float | None,
        jitter_ms: float | None,
        round_trip_ms: float | None,
        height: int | None,
    ) -> None:
        """One reading of a participant's line."""
        room = self._room(conference, participant)
        room.loss.add(loss_percent)
        room.jitter.add(jitter_ms)
        room.round_trip.add(round_trip_ms)
        if height is not None:
            room.height = height if room.height is None else min(room.height, height)

    def take(self, began: datetime) -> list[Minute]:
        """A minute is over that began then; what comes from now on is of the next."""
        over, self._rooms = self._rooms, {}
        return [
            Minute(conference, began, {who: room.minute() for who, room in rooms.items()})
            for conference, rooms in over.items()
        ]

    def _room(self, conference: str, participant: str) -> _Room:
        return self._rooms.setdefault(conference, {}).setdefault(participant, _Room())
