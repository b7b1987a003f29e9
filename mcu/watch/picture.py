"""What a room's pictures say: black, frozen, or none at all. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from mixer.detect.black import light
from mixer.detect.picture_grid import Luma, grid
from mixer.detect.stillness import Stillness

NONE_S: Final = 15.0
"""A room that is asked for pictures and sends none for so long sends none."""
SPOKEN_S: Final = 6.0
STILL_S: Final = 20.0
"""Who has spoken for so long of the time in which nothing in the picture moved sits before a frozen
camera: that holds also at bit rates where a frozen picture and a still room look alike."""
GLIMPSE_S: Final = 4.0
"""A room in which something moves shows it in some key frames of so long; else more is decoded."""
LIFELESS_S: Final = 60.0
"""Nobody who is looked at for so long, which is who is in focus, sits without any movement."""


@dataclass(frozen=True, slots=True)
class PictureReading:
    """What was found; None: not known.

    Args:
        black: nothing is to be seen. how: in what way.
        frozen: it is the same picture again and again.
        brightest: luma of what is brightest. still_s: since something moved.
    """

    black: bool | None = None
    frozen: bool | None = None
    how: Literal["black", "one shade", "no picture", ""] = ""
    brightest: float = 0.0
    still_s: float = 0.0


class PictureWatch:
    """One room while it is looked at.

    Args:
        now: when that began.
    """

    def __init__(self, now: float) -> None:
        self._since = now
        self._stillness = Stillness()
        self._black = self._blank = False
        self._brightest = 0.0
        self._at: float | None = None
        self._spoken_s = 0.0
        self._shape: tuple[int, ...] | None = None
        self._moved = False

    @property
    def has_seen_nothing(self) -> bool:
        """Whether no picture has come yet."""
        return self._at is None

    @property
    def is_well(self) -> bool:
        """Whether something is to be seen, and something has moved: neither black nor frozen."""
        return self._moved and not (self._black or self._blank)

    def wants_more(self, now: float) -> bool:
        """Whether glimpses do not do: it may be dark or frozen."""
        if self._black or self._blank:
            return True
        return min(now - self._since, self._stillness.still_s(now)) >= GLIMPSE_S

    def seen(self, luma: Luma, now: float) -> None:
        """Take some rows of a picture, as ``sampled`` gives them.

        Cost: 0.05 ms for 320 columns, 0.15 ms for 1280.
        """
        cells = grid(luma)
        found = light(cells)
        self._black, self._blank = found.is_black, found.is_blank
        self._brightest = found.brightest
        self._stillness.take_rows(luma, cells, now)
        self._at = now
        same_size, self._shape = luma.shape == self._shape, luma.shape
        if same_size and self._stillness.still_s(now) == 0.0:
            self._moved = True  # a picture of another size is begun with, as the first one is
        if self._stillness.still_s(now) <= 0.5:
            self._spoken_s = 0.0

    def heard(self, speaks: bool, seconds: float) -> None:
        """Whether somebody has spoken in the room in the last so many seconds."""
        if speaks:
            self._spoken_s += seconds

    def reading(self, now: float) -> PictureReading:
        """What the pictures so far say."""
        last = self._since if self._at is None else self._at
        if now - last >= NONE_S:
            return PictureReading(black=True, how="no picture", still_s=now - last)
        if self._at is None or now - self._at > 2.0:
            return PictureReading()
        still_s = self._stillness.still_s(now)
        dark: Literal["black", "one shade", ""] = ""
        if self._black or self._blank:
            dark = "black" if self._black else "one shade"
        verdict = self._stillness.verdict(now)
        frozen: bool | None = False
        speaks_still = still_s >= STILL_S and self._spoken_s >= SPOKEN_S
        if verdict == "frozen" or speaks_still or still_s >= LIFELESS_S:
            frozen = not dark  # what shows nothing is told once
        elif verdict == "still":
            frozen = None  # neither proved nor disproved
        return PictureReading(bool(dark), frozen, dark, self._brightest, still_s)
