"""Python's cycle collector by hand: it runs where the tick of sound has time for it.

Left to itself it runs when so many objects have been made, wherever that happens to be, and its
second and third generation stand still for 5 to 50 ms while rooms join. Here the first two are
collected right after a tick when the time to the next one suffices. The third holds what a meeting
is made of, not the 130,000 objects of the program itself, which are frozen at the start: it is
looked at when the last one has gone, when ``LEFT`` have that leave cycles, or after ``FULL_S`` in
which much has come of age; the latter two where the time suffices, for which what has come of age
is counted. Calls leave hardly any cycles (see ``SipLeg.part``).

Bounded all the same: the interpreter collects by itself where no time was found for ``LIMITS``, and
``TOO_MANY`` of the second generation are collected without time for it, which makes one tick late
by some milliseconds. ``LEFT_MANY`` that have left, or half an hour, are a reason to look at all
without time for it, which makes some ticks late.
"""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

LIMITS: Final = (25_000, 50, 1_000)
"""Where the interpreter collects by itself: objects made and not freed, some 10 ms to look at;
then so many collections of each generation for one of the next."""
YOUNG: Final = 1_500
"""Objects that are worth a collection of the first generation."""
AGED: Final = 8_000
"""Objects that have been looked at once and are worth a collection of the second."""
LEFT: Final = 32
"""Connections that have ended since all was looked at: what they leave in cycles is worth it."""
LEFT_S: Final = 30.0
"""Not more often than this for their sake: a crowd that goes is looked at when it has gone."""
LEFT_MANY: Final = 512
"""So many have left some 100 MB in cycles: it is looked at wherever that is."""
FULL_S: Final = 600.0
OVERDUE_S: Final = 1_800.0
"""In a meeting that is too large for it, all is looked at this often."""
FULL_MIDDLES: Final = 50
"""So many collections of the second generation mean that much has come and gone."""
SPARE_S: Final = 0.002
"""Left of the time before the next tick."""
TOO_MANY: Final = 16_000
"""Of those that could not be looked at in time so many are looked at all the same: 8 ms."""
FIRST_OBJECT_S: Final = 0.5e-6
"""What looking at an object is assumed to cost before the first collection."""
_FORGET: Final = 0.8
_FORGET_WAITING: Final = 0.995
"""It is assumed to cost less with each collection in which it does, and with each tick that one
waits for: half in three seconds."""


class Heap(Protocol):
    """What of ``gc`` is used."""

    def get_count(self) -> tuple[int, int, int]: ...  # noqa: D102
    def collect(self, generation: int) -> int:
        """Gives how many objects nobody could reach any more."""


@dataclass(slots=True)
class Pause:
    """The collections of one generation since the process began."""

    count: int = 0
    total_s: float = 0.0
    longest_s: float = 0.0


class Pauses:
    """Every collection of this process, by whomever it was begun."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._begun = 0.0
        self._of = tuple(Pause() for _ in range(3))

    def __call__(self, phase: str, info: Mapping[str, int]) -> None:
        """``gc.callbacks``: told of the start and the stop of each collection."""
        if phase == "start":
            self._begun = self._clock()
            return
        took = self._clock() - self._begun
        pause = self._of[info["generation"]]
        pause.count += 1
        pause.total_s += took
        pause.longest_s = max(pause.longest_s, took)

    def watch(self) -> None:
        """Be told, from now on; once is enough."""
        if self not in gc.callbacks:
            gc.callbacks.append(self)

    def reading(self) -> Mapping[int, Pause]:
        """By generation, 0 to 2."""
        return dict(enumerate(self._of))


PAUSES: Final = Pauses()
"""Of this process: there is one collector in it."""


class Collector:
    """Decides what is collected when; ``tick`` is called where time may be left.

    Args:
        now: monotonic seconds. clock: measures what collections cost; that another program took
            the processor meanwhile says nothing of the next one.
    """

    def __init__(
        self, now: float, heap: Heap = gc, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._heap = heap
        self._clock = clock
        self._object_s = self._measured_s = FIRST_OBJECT_S
        self._aged = 0  # objects in the second generation, at most
        self._youngs = 0  # collections that brought them there
        self._middles = 0  # collections of the second generation since all was looked at
        self._old = 0  # objects in the third, at most
        self._full_at = now
        self._legs = self._cyclic = 0
        self._left = 0
        self._gone = False  # the last one has, since all was looked at

    @staticmethod
    def take_over() -> Callable[[], None]:
        """Set the interpreter's own thresholds to ``LIMITS``; gives what takes that back."""
        before = gc.get_threshold()
        gc.set_threshold(*LIMITS)
        PAUSES.watch()
        return lambda: gc.set_threshold(*before)

    def tick(self, now: float, slack_s: float, legs: int, cyclic: int) -> None:
        """Collect what the time allows.

        Args:
            slack_s: until the next tick of sound.
            legs: connections; with none nobody hears a tick that is late.
            cyclic: those of them that hold themselves when they have left.
        Cost: under 1 us where nothing is due.
        """
        self._left += max(0, self._cyclic - cyclic)
        self._gone = not legs and (self._gone or self._legs > 0)
        self._legs, self._cyclic = legs, cyclic
        young, youngs, _ = self._heap.get_count()
        if youngs != self._youngs:
            self._note_automatic(youngs)
        fits = self._aged >= AGED and self._fits(young + self._aged, slack_s)
        if fits or self._aged >= TOO_MANY:
            self._collect_middle(young)
        elif young >= YOUNG and self._fits(young, slack_s):
            self._aged += young - self._collect(0, young)
            self._youngs += 1
        elif self._is_look_overdue(now) or (
            self._is_look_due(now) and self._has_time_for_all(young, slack_s)
        ):
            self._look_at_all(now)

    def _note_automatic(self, youngs: int) -> None:
        """The interpreter has collected by itself: the first generation, or the second with it."""
        if youngs < self._youngs:
            self._old += self._aged
            self._aged = self._youngs = 0
            self._middles += 1
        self._aged += (youngs - self._youngs) * LIMITS[0]
        self._youngs = youngs

    def _collect_middle(self, young: int) -> None:
        self._middles += 1
        self._old += young + self._aged - self._collect(1, young + self._aged)
        self._aged = self._youngs = 0

    def _is_look_due(self, now: float) -> bool:
        """Where there is time for it."""
        since = now - self._full_at
        if self._left >= LEFT and since >= LEFT_S:
            return True
        return self._middles >= FULL_MIDDLES and since >= FULL_S

    def _is_look_overdue(self, now: float) -> bool:
        """Whether there is time for it or not."""
        if self._gone or self._left >= LEFT_MANY:
            return True
        return self._middles >= FULL_MIDDLES and now - self._full_at >= OVERDUE_S

    def _look_at_all(self, now: float) -> None:
        """Look at everything; what has gone by itself meanwhile is known by what it takes."""
        begun = self._clock()
        found = self._heap.collect(2)
        looked_at = round((self._clock() - begun) / self._measured_s)
        self._old = max(0, min(looked_at, self._old + self._aged + YOUNG) - found)
        self._full_at = now
        self._gone = False
        self._middles = self._left = 0
        self._aged = self._youngs = 0

    def _has_time_for_all(self, young: int, slack_s: float) -> bool:
        """It is not assumed to cost less for having waited: it may wait for long."""
        return (young + self._aged + self._old) * self._measured_s + SPARE_S <= slack_s

    def _fits(self, objects: int, slack_s: float) -> bool:
        if objects * self._object_s + SPARE_S <= slack_s:
            return True
        self._object_s *= _FORGET_WAITING
        return False

    def _collect(self, generation: int, objects: int) -> int:
        begun = self._clock()
        found = self._heap.collect(generation)
        took = self._clock() - begun
        self._measured_s = max(took / max(objects, YOUNG), self._measured_s * _FORGET)
        self._object_s = max(took / max(objects, YOUNG), self._object_s * _FORGET)
        return found
