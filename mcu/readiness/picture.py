"""A room's camera over the time of a measurement: its pictures are looked at as they come."""

from collections.abc import Callable

from mcu.engine.taps import Luma
from mcu.readiness.measurements import PictureMeasured
from mixer.detect.black import light
from mixer.detect.picture_grid import grid
from mixer.detect.stillness import MIN_PAIRS, Stillness

LOOK_S = 1.0
SETTLE_S = 4.0
"""A room that was asked for another size takes a moment; what it sent before does not count."""


class PictureWatch:
    """Looks at rows of pictures (``mcu.engine.taps``); 0.2 ms for each of five a second."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._stillness = Stillness()
        self._seen = self._dark = 0
        self._pairs = 0
        self._last = began

    def seen(self, luma: Luma, now: float) -> None:
        """Take a picture, as rows."""
        if now - self._began < SETTLE_S:
            return
        cells = grid(luma)
        self._stillness.take_rows(luma, cells, now)
        found = light(cells)
        self._seen += 1
        self._dark += found.is_black or found.is_blank
        self._last = now

    def measured(
        self, *, offered: bool, pictures: int, bits: int, seconds: float, size: tuple[int, int]
    ) -> PictureMeasured:
        """All of it, with what counters say.

        Args:
            pictures, bits: that came in ``seconds``. size: of the newest.
        """
        if not offered:
            return PictureMeasured()
        verdict = self._stillness.verdict(self._last) if self._seen > MIN_PAIRS else None
        return PictureMeasured(
            offered=True,
            pictures=pictures if self._seen else 0,
            width=size[0],
            height=size[1],
            fps=pictures / seconds if seconds > 0 and pictures else None,
            bitrate_bps=round(bits / seconds) if seconds > 0 else None,
            black=self._dark / self._seen if self._seen else None,
            stillness=verdict,
        )


class SizeLook:
    """Looks at whole pictures for ``LOOK_S``: how large they are.

    Not at the first one alone: while others wish for rows, it may still be rows of a picture.

    Args:
        done: called when it has seen enough; a whole picture is dear on its way from the process
            that decodes it.
    """

    def __init__(self) -> None:
        self.size = (0, 0)
        self.done: Callable[[], None] = lambda: None
        self._first: float | None = None

    def seen(self, luma: Luma, now: float) -> None:
        """Take a picture."""
        self.size = max(self.size, (luma.shape[1], luma.shape[0]), key=lambda size: size[1])
        self._first = now if self._first is None else self._first
        if now - self._first >= LOOK_S:
            self.done()
