"""Black: a camera that sends pictures with nothing on them, whatever its sensor adds."""

from dataclasses import dataclass

import numpy as np

from mixer.detect.picture_grid import Grid

BLACK = 40.0
"""Luma up to which a cell is black: 16 or 0 by range, and what a sensor at full gain adds."""
BLACK_SPREAD = 8.0
"""A dark room has shapes; noise over a closed shutter has none larger than this."""
BLANK_SPREAD = 3.0
"""A picture of one colour: a covered lens, the blue picture of a missing signal."""
_OUTLIERS = 2.0


@dataclass(frozen=True, slots=True)
class Light:
    """What light there is in a picture.

    Args:
        brightest: luma that all but 2% of the cells stay below.
        spread: from the darkest to the brightest cells, 2% left out on either side.
    """

    brightest: float
    spread: float

    @property
    def is_black(self) -> bool:
        """Dark everywhere, and nothing to be seen in the dark."""
        return self.brightest <= BLACK and self.spread <= BLACK_SPREAD

    @property
    def is_blank(self) -> bool:
        """One shade everywhere, dark or not: nothing to be seen either."""
        return self.spread <= BLANK_SPREAD


def light(cells: Grid) -> Light:
    """How much light a picture's grid has. Cost: 20 us."""
    ordered = np.sort(cells, axis=None)
    out = round(len(ordered) * _OUTLIERS / 100)
    darkest, brightest = float(ordered[out]), float(ordered[-1 - out])
    return Light(brightest, brightest - darkest)
