"""How loaded the machine is, and what is done about it: a pure decision, taken once a second.

Readings are *calm*, *fair*, *hot* or *critical*. Hot ones for some seconds give up one step of
``mcu.engine.shedding``; calm ones for longer give it back. Critical ones for some seconds, or hot
ones when nothing is left to give up, mean *overloaded*: whoever is not inside yet is refused.
One bad second does nothing, and what had to be given up again soon after it was given back stays
given up for longer each time.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

from mcu.engine.shedding import STEPS, Shed

Level = Literal["none", "strained", "overloaded"]
LEVELS: Final[tuple[Level, ...]] = ("none", "strained", "overloaded")

Sign = Literal["processors", "loop", "lateness", "missed", "pictures"]
"""What shows load: all our processor time; that of the thread that handles packets; late or
missed ticks of sound, where our own work explains them; frame intervals left out."""

READING_INTERVAL_S: Final = 1.0
WINDOW: Final = 5
"""Readings looked back at."""
HOT_OF_WINDOW: Final = 3
CRITICAL_OF_WINDOW: Final = 4

BACK_AFTER_S: Final = 10.0
"""Calm for so long gives one step back; doubled, up to the maximum, whenever a step is given up
again within ``RELAPSE_S`` of giving one back; as before after ``FORGET_S`` without load."""
BACK_AFTER_MAX_S: Final = 160.0
RELAPSE_S: Final = 30.0
FORGET_S: Final = 120.0
FAIR_IN_A_ROW: Final = 3
"""So many readings that are neither calm nor hot end a calm time; fewer do not."""

JOIN_CORES: Final = 0.004
"""What a new room is taken to add until it is measured: twice what docs/performance.md finds."""
PENDING_S: Final = 3.0
"""A new room shows in the readings after so long."""
CROWD: Final = 75
"""So many rooms within that time are a meeting that begins: the work of letting them in ends by
itself, so hot readings do not count meanwhile, critical ones do."""

RETRY_FULL_S: Final = 30
RETRY_BUSY_S: Final = 5


@dataclass(frozen=True, slots=True)
class LoadReading:
    """What was measured since the reading before.

    Args:
        processors: processor time of all our processes, as part of what they may use.
        loop: processor time of the thread that handles packets and sound, as part of one core.
        cores: processors that may be used.
        lateness_s: 99th percentile of how late ticks of sound began. missed: ticks left out.
        skipped: part of the views' frame intervals that were left out, as work still ran.
        left_out: coded pictures not given to a video process that did not keep up.
    """

    processors: float = 0.0
    loop: float = 0.0
    cores: float = 1.0
    lateness_s: float = 0.0
    missed: int = 0
    skipped: float = 0.0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Bounds:
    calm: float
    hot: float
    critical: float


_LATENESS_S: Final = _Bounds(0.01, 0.02, 0.05)
"""A whole tick is hot; a receiver's jitter buffer bears some 40 ms. On a busy machine that holds
all it has the worst tick of a second is some 8 ms late."""
_MISSED: Final = _Bounds(0, 1, 5)
_SKIPPED: Final = _Bounds(0.02, 0.1, 0.5)
_LEFT_OUT: Final = _Bounds(0, 1, float("inf"))

EXPLAINS: Final = 0.35
"""Of the limit: so much of our own processor time, or of that of the packets' thread, and late or
missed sound is our doing. Below it other programs keep us from our turn: neither giving pictures
up nor refusing rooms would bring the turn any sooner, so it is shown and not acted upon."""


class Overload:
    """Takes readings, and says what they ask for.

    Args:
        max_load: part of the processors from which a reading is critical; hot and calm are a
            little below.
    """

    def __init__(self, max_load: float = 0.95) -> None:
        self.level: Level = "none"
        self.signs: tuple[Sign, ...] = ()
        """What the last hot reading showed."""
        self.reading = LoadReading()
        """The latest."""
        self._max_load = max_load
        self._processors = _Bounds(0.8 * max_load, 0.94 * max_load, max_load)
        self._step = 0
        self._hot: deque[bool] = deque(maxlen=WINDOW)
        self._since_step: deque[bool] = deque(maxlen=WINDOW)
        self._critical: deque[bool] = deque(maxlen=WINDOW)
        self._busy: deque[float] = deque(maxlen=HOT_OF_WINDOW)
        self._joined: deque[float] = deque()
        self._calm_since: float | None = None
        self._fair = 0
        self._given_back_at = float("-inf")
        self._back_after_s = BACK_AFTER_S

    @property
    def shed(self) -> Shed:
        """What is given up now."""
        return STEPS[self._step]

    @property
    def step(self) -> int:
        """How many steps are given up now."""
        return self._step

    def take(self, reading: LoadReading, now: float) -> bool:
        """Take a reading, every ``READING_INTERVAL_S``; whether level or step have changed."""
        before = (self.level, self._step)
        self.reading = reading
        critical = self._signs(reading, "critical")
        hot = critical if self._pending(now) >= CROWD else self._signs(reading, "hot")
        calm = not self._signs(reading, "calm")
        if hot:
            self.signs = hot
        self._hot.append(bool(hot))
        self._since_step.append(bool(hot))
        self._critical.append(bool(critical))
        self._busy.append(reading.processors)
        self._fair = 0 if calm else self._fair + 1
        if hot or self._fair >= FAIR_IN_A_ROW:
            self._calm_since = None
        elif calm and self._calm_since is None:
            self._calm_since = now
        if hot and sum(self._since_step) >= HOT_OF_WINDOW:
            self._give_up(now)
        else:
            self._give_back(now)
        self._set_level()
        return (self.level, self._step) != before

    def note_join(self, now: float) -> None:
        """A room was let in."""
        self._joined.append(now)

    def refuses(self, now: float) -> int | None:
        """After how many seconds a new room may ask again; None: it may come in.

        Rooms that came in too short a time ago to be measured are reckoned with.
        """
        if self.level == "overloaded":
            return RETRY_FULL_S
        joined = self._pending(now)
        if not joined or not self._busy:
            return None
        pending = (joined + 1) * JOIN_CORES / self.reading.cores
        busy = sum(self._busy) / len(self._busy)
        return RETRY_BUSY_S if busy + pending >= self._max_load else None

    def _pending(self, now: float) -> int:
        """How many rooms were let in too short a time ago to be measured."""
        while self._joined and self._joined[0] <= now - PENDING_S:
            self._joined.popleft()
        return len(self._joined)

    def _signs(
        self, reading: LoadReading, bound: Literal["calm", "hot", "critical"]
    ) -> tuple[Sign, ...]:
        """What of a reading reaches a bound; goes beyond it, for ``calm``."""
        ours = max(reading.processors, reading.loop) >= EXPLAINS * self._max_load
        measured: tuple[tuple[Sign, float, _Bounds], ...] = (
            ("processors", reading.processors, self._processors),
            ("loop", reading.loop, self._processors),
            ("lateness", reading.lateness_s if ours else 0.0, _LATENESS_S),
            ("missed", reading.missed if ours else 0, _MISSED),
            ("pictures", reading.skipped, _SKIPPED),
            ("pictures", reading.left_out, _LEFT_OUT),
        )
        found: dict[Sign, None] = {}
        for sign, value, bounds in measured:
            if (value > bounds.calm) if bound == "calm" else (value >= getattr(bounds, bound)):
                found[sign] = None
        return tuple(found)

    def _give_up(self, now: float) -> None:
        if self._step == len(STEPS) - 1:
            return
        if now - self._given_back_at < RELAPSE_S:
            self._back_after_s = min(2 * self._back_after_s, BACK_AFTER_MAX_S)
            self._given_back_at = float("-inf")  # doubled once for each time
        self._step += 1
        # What this step brings is to be seen before the next one is given up too.
        self._since_step.clear()

    def _give_back(self, now: float) -> None:
        if self._calm_since is None:
            return
        calm_s = now - self._calm_since
        if self._step and calm_s >= self._back_after_s:
            self._step -= 1
            self._given_back_at = self._calm_since = now
        elif not self._step and calm_s >= FORGET_S:
            self._back_after_s = BACK_AFTER_S

    def _set_level(self) -> None:
        nothing_left = self._step == len(STEPS) - 1 and sum(self._since_step) >= HOT_OF_WINDOW
        full = self.level == "overloaded" and any(self._hot)
        if full or nothing_left or sum(self._critical) >= CRITICAL_OF_WINDOW:
            self.level = "overloaded"
        else:
            self.level = "strained" if self._step else "none"
