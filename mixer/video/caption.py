"""Texts that are pinned to the picture: how they look and where they stand.

A caption that counts keeps its width and the places of its digits, so that a second costs the
small region it stands in and nothing beside it moves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageDraw

from mixer.video import colour as colours
from mixer.video import text
from mixer.video.canvas import Bitmap
from mixer.video.layout import Rect

Position = Literal[
    "top-left", "top", "top-right", "centre", "bottom-left", "bottom", "bottom-right"
]

MAX_LINES: Final = 3
ALPHA: Final = 225
_DIGITS: Final = "0123456789"


@dataclass(frozen=True, slots=True)
class Caption:
    """One text; equal captions look the same.

    Args:
        text: any normal form; wrapped. counts: a reading that stands behind it, ``2:59``.
    """

    position: Position
    text: str
    counts: str | None = None


def reading(left_s: float) -> str:
    """Time that is left, in whole seconds begun: ``0:01`` until it is over, ``1:02:03``."""
    left = max(0, math.ceil(left_s))
    hours, minutes, seconds = left // 3600, left // 60 % 60, left % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def drawn(caption: Caption, size_px: int, room_px: int) -> Bitmap | None:
    """The caption on a dark strip with an edge, at most ``room_px`` wide.

    Returns None when there is nothing to show once the text is cleaned.
    """
    pad = round(size_px * 0.55)
    counts = caption.counts or ""
    steps = _steps(counts, size_px)
    gap = round(size_px * 0.6) if counts and caption.text else 0
    room = room_px - 2 * pad - sum(steps) - gap
    if counts:
        line = text.shorten(text.clean(caption.text), "SemiBold", size_px, room)
        lines = [line] if line else []
    else:
        lines = text.wrap(caption.text, "SemiBold", size_px, room, MAX_LINES)
    if not lines and not counts:
        return None
    wide = max((text.width_px(line, "SemiBold", size_px) for line in lines), default=0)
    step = round(size_px * 1.35)
    width = _even(wide + gap + sum(steps) + 2 * pad)
    height = _even(max(1, len(lines)) * step + size_px * 0.4)
    image = Image.new("RGBA", (width, height), (*colours.LABEL.rgb, ALPHA))
    edge = max(2, size_px // 9)
    ImageDraw.Draw(image).rectangle((0, 0, edge - 1, height), fill=(*colours.MESSAGE_EDGE.rgb, 255))
    for number, line in enumerate(lines):
        baseline = round(size_px * 0.2 + step * (number + 0.74))
        text.draw_line(image, pad, baseline, line, "SemiBold", size_px, colours.TEXT)
    x = pad + wide + gap
    for character, advance in zip(counts, steps, strict=True):
        baseline = round(size_px * 0.2 + step * 0.74)
        shade = colours.MESSAGE_EDGE
        text.draw_centred(image, x + advance // 2, baseline, character, "SemiBold", size_px, shade)
        x += advance
    return Bitmap(image)


def places(
    sizes: Sequence[tuple[Position, int, int]],
    width: int,
    height: int,
    *,
    above: int = 0,
    below: int = 0,
) -> list[Rect]:
    """Where captions stand: those of one position under each other, at the bottom on each other.

    Args:
        sizes: position, width and height of each, even numbers.
        above: pixels taken at the top right. below: pixels taken along the bottom.
    Returns: a rectangle for each, even, within the picture.
    """
    edge = height // 90 * 2
    taken: dict[Position, int] = {}
    centred = sum(tall + edge for position, _, tall in sizes if position == "centre")
    found = []
    for position, wide, tall in sizes:
        used = taken.get(position, 0)
        taken[position] = used + tall + edge
        if position.endswith("left"):
            x = edge
        elif position.endswith("right"):
            x = width - edge - wide
        else:
            x = (width - wide) // 2
        if position.startswith("bottom"):
            y = height - below - edge - used - tall
        elif position == "centre":
            y = (height - centred) // 2 + used
        else:
            y = edge + used + (above if position == "top-right" else 0)
        x = min(max(0, x), width - wide) // 2 * 2
        y = min(max(0, y), height - tall) // 2 * 2
        found.append(Rect(x, y, wide, tall))
    return found


def _steps(counts: str, size_px: int) -> list[int]:
    """How far each character of a reading goes; digits all the same."""
    if not counts:
        return []
    digit = max(text.width_px(one, "SemiBold", size_px) for one in _DIGITS)
    colon = text.width_px(":", "SemiBold", size_px) + round(size_px * 0.1)
    return [digit if character.isdigit() else colon for character in counts]


def _even(value: float) -> int:
    return 2 * max(1, math.ceil(value / 2))
