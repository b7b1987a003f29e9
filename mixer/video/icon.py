"""The drawn marks: microphone off, no signal. Drawn large and reduced, so that edges are smooth."""

from PIL import Image, ImageDraw

from mixer.video.colour import Colour

_OVER = 8
"""Drawn this many times larger, then reduced."""


def microphone_off(size_px: int, colour: Colour, backdrop: Colour) -> Image.Image:
    """A microphone with a stroke through it, RGBA, ``size_px`` square.

    Args:
        backdrop: what it will stand on; the stroke is set off with it.
    """
    image, draw, unit = _sheet(size_px)
    ink = (*colour.rgb, 255)
    thick = round(unit * 1.5)
    draw.rounded_rectangle(_box(unit, 5.6, 1.2, 10.4, 9.6), radius=round(unit * 2.4), fill=ink)
    draw.arc(_box(unit, 3.2, 3.6, 12.8, 12.4), 10, 170, fill=ink, width=thick)
    draw.line(_box(unit, 8, 12, 8, 14.6), fill=ink, width=thick)
    draw.line(_box(unit, 5.2, 14.6, 10.8, 14.6), fill=ink, width=thick)
    _stroke(draw, unit, (*colour.rgb, 255), (*backdrop.rgb, 255))
    return image.resize((size_px, size_px), Image.Resampling.BOX)


def no_signal(size_px: int, colour: Colour, backdrop: Colour) -> Image.Image:
    """Four rising bars with a stroke through them, RGBA, ``size_px`` square."""
    image, draw, unit = _sheet(size_px)
    ink = (*colour.rgb, 255)
    for number in range(4):
        left = 1.6 + 3.4 * number
        top = 11.0 - 3.0 * number
        draw.rounded_rectangle(
            _box(unit, left, top, left + 2.4, 14.0), radius=round(unit * 0.6), fill=ink
        )
    _stroke(draw, unit, ink, (*backdrop.rgb, 255))
    return image.resize((size_px, size_px), Image.Resampling.BOX)


def _sheet(size_px: int) -> tuple[Image.Image, ImageDraw.ImageDraw, float]:
    side = size_px * _OVER
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image), side / 16


def _box(unit: float, *numbers: float) -> tuple[float, ...]:
    return tuple(unit * number for number in numbers)


def _stroke(
    draw: ImageDraw.ImageDraw,
    unit: float,
    ink: tuple[int, int, int, int],
    backdrop: tuple[int, int, int, int],
) -> None:
    draw.line(_box(unit, 1.2, 3.4, 12.8, 15.0), fill=backdrop, width=round(unit * 1.6))
    draw.line(_box(unit, 2.0, 2.0, 14.2, 14.2), fill=ink, width=round(unit * 1.5))
