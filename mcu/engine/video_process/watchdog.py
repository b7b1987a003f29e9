"""When a video process hangs: by when it was last heard, and how long its work takes.

Pure. A process says every half second that its loop turns and since when its oldest piece of
codec work runs. One that is silent, or whose decoder does not come back, is to be ended: what
it did is then started again elsewhere, which is all that helps.
"""

SILENT_S = 5.0
STUCK_S = 5.0
"""A picture takes milliseconds; a hundred times as long on a full machine."""

CHECK_INTERVAL_S = 1.0
SLEPT_S = 2.0
"""A check that comes so much late: this process stood still itself, and what the other one said
meanwhile has not been read yet."""


class Watchdog:
    """Watches one process. Nothing is wrong before it was first heard."""

    __slots__ = ("_busy_s", "_checked_at", "_heard_at")

    def __init__(self) -> None:
        self._heard_at: float | None = None
        self._checked_at: float | None = None
        self._busy_s = 0.0

    def heard(self, busy_s: float, now: float) -> None:
        """The process lives.

        Args:
            busy_s: how long its oldest piece of work has been running.
        """
        self._heard_at = now
        self._busy_s = busy_s

    def check(self, now: float) -> str | None:
        """Why the process is to be ended, or None; every ``CHECK_INTERVAL_S``."""
        before, self._checked_at = self._checked_at, now
        if self._heard_at is None:
            return None
        if before is not None and now - before > CHECK_INTERVAL_S + SLEPT_S:
            self._heard_at = now
            return None
        if now - self._heard_at >= SILENT_S:
            return f"silent for {now - self._heard_at:.1f} s"
        if self._busy_s >= STUCK_S:
            return f"a codec did not come back for {self._busy_s:.1f} s"
        return None
