"""When scenarios' rooms are checked by themselves: pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is planned; ``begins_at`` None: nobody knows when."""

    scenario: str
    begins_at: datetime | None


def due(sessions: Iterable[Session], now: datetime, before: timedelta) -> list[Session]:
    """Those whose check should have begun: late ones too, until the session itself begins.

    A daemon that was down at the minute makes up for it, and never checks for what is over.
    """
    return [
        each
        for each in sessions
        if each.begins_at is not None and now < each.begins_at <= now + before
    ]
