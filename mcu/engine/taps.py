"""Looking at what one participant sends and is sent, without being part of the conference.

Readiness checks and alarms stand on this. An observer is called on the loop's thread and keeps it
short; whatever takes longer it hands to a pool. Who is not observed costs nothing, and who is
costs one decode of what nobody else wanted decoded; arrays are handed on as they are, never copied
for an observer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import structlog

from mixer.detect.picture_grid import COLUMNS, ROWS, sampled

LOOK_S = 0.19
"""Pictures are shown to observers at most so often: five a second."""

Sound = npt.NDArray[np.int16]
Luma = npt.NDArray[np.uint8]
End = Callable[[], None]
Wish = Literal["whole", "rows", "glimpse"]
"""``rows``: about 90 rows of a picture, evenly apart and in full width, do. ``glimpse``: the same,
and of a hidden room that sends large pictures a key frame every other second does."""
WISHES: tuple[Wish, ...] = ("whole", "rows", "glimpse")
"""What includes what, the most first."""

log = structlog.get_logger(__name__)


class SoundObserver(Protocol):
    """Hears what a participant sends."""

    def heard(self, samples: Sound, now: float) -> None:
        """One tick: int16 (960,), 48 kHz mono, not to be written to; also while not mixed."""


class ReturnObserver(Protocol):
    """Hears what a participant is sent: its mix."""

    def sent(self, samples: Sound, now: float) -> None:
        """One tick: int16 (960,), 48 kHz mono, not to be written to."""


class LevelObserver(Protocol):
    """Knows how loud everybody is, decoded or not."""

    def measured(
        self,
        participants: Sequence[str],
        levels: Sequence[float],
        total: float,
        own: Mapping[str, float],
    ) -> None:
        """One tick, dBov.

        Args:
            participants: those who send sound; the same object while these stay the same.
            levels: of each. total: of what all hear who have no mix of their own.
            own: of the mixes of those who have.
        """


class PictureObserver(Protocol):
    """Sees what a participant sends."""

    def seen(self, luma: Luma, now: float) -> None:
        """Luma of a decoded picture, uint8 (height, width), valid during the call.

        At most one each LOOK_S, whatever the source's rate; ``now``: when the picture arrived.
        """


Source = Callable[[float], Sound | None]
"""Gives the tick to be played, int16 (960,), 48 kHz mono; None: silence."""


class SoundTaps:
    """Who listens to whose sound, in one direction."""

    __slots__ = ("_of",)

    def __init__(self) -> None:
        self._of: dict[str, list[Callable[[Sound, float], None]]] = {}

    def __bool__(self) -> bool:
        return bool(self._of)

    def __contains__(self, participant: str) -> bool:
        return participant in self._of

    def participants(self) -> Iterable[str]:
        """Whose sound is listened to."""
        return tuple(self._of)

    def add(self, participant: str, call: Callable[[Sound, float], None]) -> End:
        """Let somebody listen; what is given back ends it, and is harmless the second time."""
        self._of.setdefault(participant, []).append(call)
        return lambda: self._remove(participant, call)

    def tell(self, participant: str, samples: Sound, now: float) -> None:
        """Hand one tick on. Whoever raises is a defect, told and not asked again."""
        for call in tuple(self._of.get(participant, ())):
            try:
                call(samples, now)
            except Exception:
                # What looks on must never stop what it looks at.
                log.exception("observer_failed", participant=participant)
                self._remove(participant, call)

    def _remove(self, participant: str, call: Callable[[Sound, float], None]) -> None:
        calls = self._of.get(participant, [])
        if call in calls:
            calls.remove(call)
        if not calls:
            self._of.pop(participant, None)


class PictureTaps:
    """Who looks at whose pictures.

    Args:
        changed: told of a participant when what its observers wish is another now.
    """

    def __init__(self, changed: Callable[[str, Wish | None], None] | None = None) -> None:
        self._of: dict[str, list[tuple[PictureObserver, Wish]]] = {}
        self._changed = changed

    def __bool__(self) -> bool:
        return bool(self._of)

    def wishes(self) -> Mapping[str, Wish]:
        """What must be there of whose pictures."""
        return {who: self._wish(who) or "rows" for who in self._of}

    def add(self, participant: str, observer: PictureObserver, wish: Wish) -> End:
        """Let somebody look; what is given back ends it, and is harmless the second time."""
        before = self._wish(participant)
        entry = (observer, wish)
        self._of.setdefault(participant, []).append(entry)
        self._tell_change(participant, before)

        def end() -> None:
            self._remove(participant, entry)

        return end

    def tell(self, participant: str, luma: Luma, now: float) -> None:
        """Hand one picture on; too small ones show nothing to those who want some rows."""
        rows: Luma | None = None
        for entry in tuple(self._of.get(participant, ())):
            observer, wish = entry
            picture = luma
            if wish != "whole":
                if luma.shape[0] < ROWS or luma.shape[1] < COLUMNS:
                    continue
                rows = sampled(luma) if rows is None else rows
                picture = rows
            try:
                observer.seen(picture, now)
            except Exception:
                log.exception("observer_failed", participant=participant)
                self._remove(participant, entry)

    def _wish(self, participant: str) -> Wish | None:
        entries = self._of.get(participant)
        if not entries:
            return None
        return min((wish for _, wish in entries), key=WISHES.index)

    def _remove(self, participant: str, entry: tuple[PictureObserver, Wish]) -> None:
        before = self._wish(participant)
        entries = self._of.get(participant, [])
        found = [one for one in entries if one is entry]
        if not found:
            return
        self._of[participant] = [one for one in entries if one is not entry]
        if not self._of[participant]:
            del self._of[participant]
        self._tell_change(participant, before)

    def _tell_change(self, participant: str, before: Wish | None) -> None:
        wish = self._wish(participant)
        if self._changed is not None and wish != before:
            self._changed(participant, wish)
