"""The two clocks conferences need, so that tests can hand in their own."""

import time
from datetime import UTC, datetime
from typing import Protocol


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
