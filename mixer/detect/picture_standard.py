"""Whether a room's pictures are as large and as many as its site's standard wants."""

from collections import deque
from dataclasses import dataclass

WINDOW_S = 4.0
SLACK = 0.9
"""Of the standard's rate: a picture now and then may be missing."""


@dataclass(frozen=True, slots=True)
class PictureStandard:
    """At least so large and so many; for a room that was asked for less, what it was asked for."""

    width: int
    height: int
    fps: float


class PictureMeter:
    """Size and rate of one source's pictures, for which they need not be decoded."""

    def __init__(self) -> None:
        self.width = self.height = 0
        """Of the newest picture; 0 before the first."""
        self._times: deque[float] = deque()
        self._since: float | None = None

    def take(self, width: int, height: int, now: float) -> None:
        """A picture came. Cost: 1 us."""
        self.width, self.height = width, height
        if self._since is None:
            self._since = now
        self._times.append(now)
        self._forget(now)

    def fps(self, now: float) -> float | None:
        """Pictures a second in the last WINDOW_S; None in the first."""
        if self._since is None or now - self._since < WINDOW_S:
            return None
        self._forget(now)
        return len(self._times) / WINDOW_S

    def is_too_small(self, standard: PictureStandard) -> bool:
        """Whether the pictures have fewer pixels a side; turned ones (phones) are turned back."""
        have = sorted((self.width, self.height))
        want = sorted((standard.width, standard.height))
        return any(one < other for one, other in zip(have, want, strict=True))

    def is_too_slow(self, standard: PictureStandard, now: float) -> bool:
        """Whether they are too few; not in the first WINDOW_S."""
        rate = self.fps(now)
        return rate is not None and rate < SLACK * standard.fps

    def _forget(self, now: float) -> None:
        while self._times and now - self._times[0] > WINDOW_S:
            self._times.popleft()
