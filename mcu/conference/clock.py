"""The two clocks conferences need, so that tests can hand in their own."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

STEP_S: Final = 1.0
"""A correction of the wall clock by less is followed at once."""

log = structlog.get_logger(__name__)


class Clock(Protocol):
    """Monotonic seconds for timers, wall time for events."""

    def now(self) -> float:
        """Monotonic seconds."""

    def utcnow(self) -> datetime:
        """Wall time, timezone-aware UTC."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def utcnow(self) -> datetime:
        """Wall time, timezone-aware UTC."""
        return datetime.now(UTC)


class MeetingClock:
    """The machine's clocks, of which the wall clock does not jump while somebody meets.

    What comes due in a conference (the floor, a message, the next room of a polling, the next call
    of a convening, a fault of a drill) is a moment of the wall clock, so that it survives a
    restart. Set forward by an hour meanwhile, that clock would end all of it at once; set back, it
    would keep a room on the chair's screen for an hour. So time goes on at the pace of the
    monotonic clock until nobody meets any more.

    Args:
        meeting: whether a conference runs; set once there is somebody to ask.
        wall, monotonic: the machine's.
    """

    def __init__(
        self,
        meeting: Callable[[], bool] = lambda: False,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.meeting = meeting
        self._wall = wall
        self._monotonic = monotonic
        self._began, self._began_at = wall(), monotonic()
        self._ahead_s = 0.0

    def now(self) -> float:
        """Monotonic seconds."""
        return self._monotonic()

    def utcnow(self) -> datetime:
        """Wall time, timezone-aware UTC; ahead of the machine's or behind it after a step."""
        wall, now = self._wall(), self._monotonic()
        steady = self._began + timedelta(seconds=now - self._began_at)
        ahead_s = (steady - wall).total_seconds()
        if abs(ahead_s) >= STEP_S and self.meeting():
            if abs(ahead_s - self._ahead_s) >= STEP_S:
                log.warning("clock_was_set", forward_s=round(self._ahead_s - ahead_s, 1))
                self._ahead_s = ahead_s
            return steady
        if self._ahead_s:
            log.warning("clock_followed", forward_s=round(-ahead_s, 1))
            self._ahead_s = 0.0
        self._began, self._began_at = wall, now
        return wall
