"""How far sound and picture of one room lie apart as they come, by the room's own clocks.

A room tells in sender reports what its timestamps stand for (RFC 3550 6.4.1), so it is known when
each packet was captured, as the room says. Of sound and picture captured at the same time, the
picture comes later by what its camera, its coder and the line take longer for it. What a
microphone or a camera is late before the room's clocks, nobody tells.
"""

from statistics import median
from typing import Final

from mcu.legs.leg import LegStatistics

LEAST_READINGS: Final = 5
FARTHEST_S: Final = 5.0
"""Clocks that are further apart are not those of one room: they say nothing."""


class LipSync:
    """Takes readings, about one a second."""

    def __init__(self) -> None:
        self._later_s: list[float] = []

    def take(self, reading: LegStatistics) -> None:
        """Take a reading of the room's leg."""
        sound, picture = (reading.received.get(name) for name in ("audio", "video"))
        if sound is None or picture is None:
            return
        if sound.transit_s is not None and picture.transit_s is not None:
            self._later_s.append(picture.transit_s - sound.transit_s)

    @property
    def later_ms(self) -> float | None:
        """By how much pictures come later than their sound, the median; None: it is not known."""
        if len(self._later_s) < LEAST_READINGS:
            return None
        found = median(self._later_s)
        return found * 1000 if abs(found) <= FARTHEST_S else None
