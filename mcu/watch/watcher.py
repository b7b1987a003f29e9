"""Alarms of all conferences: a watch for each that runs, driven by the daemon's clock.

Off, or without conferences, it does nothing at all: no tap is open, nothing is decoded.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from config.alarms_section import AlarmSettings
from mcu.conference.alarm_model import (
    AlarmKind,
    NoteTroubles,
    TroubleBegan,
    TroubleEnded,
)
from mcu.conference.for_checks import is_for_check
from mcu.conference.service import Conferences
from mcu.conference.state import ConferenceState
from mcu.engine.engine import Engine
from mcu.engine.pool import Pool
from mcu.watch.conference_watch import STEP_S, ConferenceWatch, Found
from mcu.watch.rules import Raised

Loss = Callable[[str, str], float | None]

log = structlog.get_logger(__name__)


class Watcher:
    """Watches what runs; ``attach`` first, ``close`` in ``finally``.

    Args:
        pool: runs detectors; not closed here.
        loss: percent of packets lost by (conference, participant); None: not known.
        utcnow: wall clock, for since when trouble lasts.
        strained: whether the machine is full, so that nothing is decoded for alarms alone.
    """

    def __init__(
        self,
        engine: Engine,
        settings: AlarmSettings,
        pool: Pool,
        *,
        loss: Loss,
        utcnow: Callable[[], datetime],
        strained: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._pool = pool
        self._loss = loss
        self._utcnow = utcnow
        self._strained = strained
        self._conferences: Conferences
        self._watches: dict[str, ConferenceWatch] = {}
        self._raised: Counter[AlarmKind] = Counter()
        self._next = float("-inf")

    def attach(self, conferences: Conferences) -> None:
        """Whose rooms are watched, and who is told."""
        self._conferences = conferences

    def handle_timer(self, now: float) -> None:
        """Look at some rooms of each conference; does nothing until STEP_S have passed."""
        if now < self._next or not self._settings.enabled:
            return
        self._next = now + STEP_S
        running = {
            state.id: state for state in self._conferences.running() if not is_for_check(state.id)
        }
        for gone in self._watches.keys() - running.keys():
            self._end(gone)
        for conference, state in running.items():
            watch = self._watch(state, now)
            if watch is None:
                continue
            try:
                found = watch.step(state, now, strained=self._strained())
            except Exception:
                # One conference's defect must not leave the others unwatched.
                log.exception("watch_failed", conference=conference)
                self._end(conference)
                continue
            if found:
                self._conferences.note(conference, NoteTroubles(self._changes(found, now)))

    def raised(self) -> Counter[AlarmKind]:
        """How often each kind was raised since the daemon began."""
        total = Counter(self._raised)
        for watch in self._watches.values():
            total.update(watch.book.raised)
        return total

    def watched(self) -> tuple[int, int]:
        """Rooms that are listened to, and looked at, now."""
        watches = self._watches.values()
        return sum(one.listened for one in watches), sum(one.looked for one in watches)

    def unwatched_s(self) -> tuple[float, float]:
        """How long the room of all has waited that was listened to, or looked at, longest ago."""
        waits = [one.unwatched_s for one in self._watches.values()]
        heard, seen = zip(*waits, strict=True) if waits else ((0.0,), (0.0,))
        return max(heard), max(seen)

    def close(self) -> None:
        """Look at nothing any more. Idempotent."""
        for conference in list(self._watches):
            self._end(conference)

    def _watch(self, state: ConferenceState, now: float) -> ConferenceWatch | None:
        media = self._engine.conferences.get(state.id)
        if media is None:
            return None
        watch = self._watches.get(state.id)
        if watch is None or watch.media is not media:
            if watch is not None:
                self._end(state.id)
            watch = self._watches[state.id] = ConferenceWatch(
                state,
                media,
                self._settings,
                self._pool,
                lambda participant: self._loss(state.id, participant),
                now,
            )
        return watch

    def _end(self, conference: str) -> None:
        watch = self._watches.pop(conference)
        self._raised.update(watch.book.raised)
        watch.close()

    def _changes(self, found: list[Found], now: float) -> tuple[TroubleBegan | TroubleEnded, ...]:
        wall = self._utcnow()
        changes: list[TroubleBegan | TroubleEnded] = []
        for one in found:
            change = one.change
            if isinstance(change, Raised):
                since = wall - timedelta(seconds=max(0.0, now - change.since))
                began = TroubleBegan(change.participant, change.kind, since, one.detail)
                changes.append(began)
            else:
                changes.append(TroubleEnded(change.participant, change.kind))
        return tuple(changes)
