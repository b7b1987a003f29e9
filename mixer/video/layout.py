"""How a view is divided: every layout as data, in parts of the picture's width and height.

The first slots are the large ones. Slots never overlap; what none of them covers is background.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Fit = Literal["letterbox", "crop"]
"""How a picture of another shape stands in its slot: whole with bars beside it, or filling the slot
with its edges cut off."""

Part = tuple[float, float, float, float]
"""Left, top, width, height in 0-1 of the picture."""

GAP_DIVISOR = 180
"""Gap between slots: height / 180 (4 px at 720p), made even."""


@dataclass(frozen=True, slots=True)
class Rect:
    """Whole pixels; all four numbers are even, so that chroma planes divide exactly."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column that is not part of it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row that is not part of it."""
        return self.y + self.height

    def intersection(self, other: "Rect") -> "Rect | None":
        """What both cover; None where they do not meet."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width = min(self.right, other.right) - x
        height = min(self.bottom, other.bottom) - y
        return Rect(x, y, width, height) if width > 0 and height > 0 else None

    def contains(self, other: "Rect") -> bool:
        """Whether ``other`` lies wholly within."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """A named division of the picture."""

    name: str
    slots: tuple[Part, ...]

    def pixels(self, width: int, height: int) -> tuple[Rect, ...]:
        """The slots as pixels of a picture, with the gap between them taken off.

        Args:
            width, height: even, at least 180 x 100 for the densest layouts.
        Returns: one ``Rect`` per slot, even-aligned, inside the picture, none overlapping. A
            single slot that covers everything has no border.
        """
        if self.slots == (_WHOLE,):
            return (Rect(0, 0, width, height),)
        inset = max(1, round(height / GAP_DIVISOR / 2))
        rects = []
        for left, top, part_width, part_height in self.slots:
            x = _even(left * width + inset)
            y = _even(top * height + inset)
            right = _even((left + part_width) * width - inset)
            bottom = _even((top + part_height) * height - inset)
            rects.append(Rect(x, y, max(2, right - x), max(2, bottom - y)))
        return tuple(rects)


_WHOLE: Part = (0.0, 0.0, 1.0, 1.0)


def _grid(columns: int) -> tuple[Part, ...]:
    return tuple(_cells(columns, ((x, y) for y in range(columns) for x in range(columns))))


def _cells(columns: int, places: Iterable[tuple[int, int]], size: int = 1) -> Iterable[Part]:
    """Slots of ``size`` cells of a ``columns`` x ``columns`` grid, by their left top cell."""
    for x, y in places:
        yield (x / columns, y / columns, size / columns, size / columns)


_LAYOUTS: dict[str, tuple[Part, ...]] = {
    "1x1": (_WHOLE,),
    "2x2": _grid(2),
    "3x3": _grid(3),
    "4x4": _grid(4),
    "5x5": _grid(5),
    "6x6": _grid(6),
    "7x7": _grid(7),
    # One large picture, the others down the right side and along the bottom.
    "1+5": (
        *_cells(3, [(0, 0)], size=2),
        *_cells(3, [(2, 0), (2, 1), (0, 2), (1, 2), (2, 2)]),
    ),
    "1+7": (
        *_cells(4, [(0, 0)], size=3),
        *_cells(4, [(3, 0), (3, 1), (3, 2), (0, 3), (1, 3), (2, 3), (3, 3)]),
    ),
    # One picture in the middle, twelve around it.
    "1+12": (
        *_cells(4, [(1, 1)], size=2),
        *_cells(4, [(0, 0), (1, 0), (2, 0), (3, 0)]),
        *_cells(4, [(0, 1), (3, 1), (0, 2), (3, 2)]),
        *_cells(4, [(0, 3), (1, 3), (2, 3), (3, 3)]),
    ),
    # Two large pictures side by side, eight below them.
    "2+8": (
        *_cells(4, [(0, 0), (2, 0)], size=2),
        *_cells(4, [(x, y) for y in (2, 3) for x in range(4)]),
    ),
    # Who lectures, with five listeners along the bottom.
    "lecture": (
        (0.1, 0.0, 0.8, 0.8),
        *_cells(5, [(x, 4) for x in range(5)]),
    ),
    # A presentation, and beside it the presenter above three others.
    "presenter": (
        (0.0, 0.125, 0.75, 0.75),
        *_cells(4, [(3, 0), (3, 1), (3, 2), (3, 3)]),
    ),
}

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {name: Layout(name, slots) for name, slots in _LAYOUTS.items()}
)
"""All layouts by the names operators know."""


def _even(value: float) -> int:
    return 2 * round(value / 2)
