"""The test picture of a software bridge: its name, a running clock, and something that moves.

Everything that does not change is drawn once for a size; a picture then costs one copy of the
planes and a few glyphs, so that many bridges fit on one machine.
"""

import colorsys
import zlib
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mixer.video.text import font

Plane = NDArray[np.uint8]

BAR_PX = 24
BAR_CROSSES_S = 4.0
CLOCK_CHARACTERS = "0123456789:."


def background_rgb(name: str) -> tuple[int, int, int]:
    """A calm colour that belongs to the name, always the same."""
    hue = (zlib.crc32(name.encode()) % 360) / 360.0
    red, green, blue = colorsys.hls_to_rgb(hue, 0.33, 0.55)
    return round(red * 255), round(green * 255), round(blue * 255)


def _planes(image: Image.Image) -> tuple[Plane, Plane, Plane]:
    """An RGB image as yuv420p planes of its size (even)."""
    rgb = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")
    planes = rgb.reformat(format="yuv420p").to_ndarray().astype(np.uint8, copy=False)
    height, width = image.height, image.width
    quarter = (height // 2) * (width // 2)
    flat = planes.reshape(-1)
    luma = flat[: height * width].reshape(height, width)
    chroma = flat[height * width :]
    return (
        luma.copy(),
        chroma[:quarter].reshape(height // 2, width // 2).copy(),
        chroma[quarter : 2 * quarter].reshape(height // 2, width // 2).copy(),
    )


@dataclass(frozen=True, slots=True)
class _Still:
    """What a size needs drawn once."""

    planes: tuple[Plane, Plane, Plane]
    glyphs: dict[str, Plane]
    clock_at: tuple[int, int]


class TestPicture:
    """Pictures of one bridge.

    Args:
        name: shown large; also chooses the background colour.
    """

    __test__ = False  # not a test class, whatever its name

    def __init__(self, name: str) -> None:
        self.name = name
        self._stills: dict[tuple[int, int], _Still] = {}

    def draw(self, width: int, height: int, seconds: float, clock: str) -> av.VideoFrame:
        """One picture.

        Args:
            width, height: even numbers of pixels.
            seconds: running time; moves the bar.
            clock: characters of ``0123456789:.`` only.
        Returns: a new yuv420p frame without a timestamp.
        Cost: a copy of the planes, about 0.1 ms at 640×360.
        """
        still = self._stills.get((width, height))
        if still is None:
            if len(self._stills) >= 4:
                self._stills.clear()
            still = self._stills[width, height] = self._draw_still(width, height)
        luma = still.planes[0].copy()
        x, y = still.clock_at
        for character in clock:
            glyph = still.glyphs[character]
            room = luma[y : y + glyph.shape[0], x : x + glyph.shape[1]]
            room[:] = glyph[: room.shape[0], : room.shape[1]]  # a tiny picture cuts its clock off
            x += glyph.shape[1]
        bar = max(2, min(BAR_PX, height // 8))
        left = int(seconds / BAR_CROSSES_S % 1.0 * (width - bar))
        luma[-bar:, left : left + bar] = 235
        planes = np.concatenate(
            [luma.reshape(-1), still.planes[1].reshape(-1), still.planes[2].reshape(-1)]
        )
        return av.VideoFrame.from_ndarray(planes.reshape(height * 3 // 2, width), format="yuv420p")

    def _draw_still(self, width: int, height: int) -> _Still:
        colour = background_rgb(self.name)
        image = Image.new("RGB", (width, height), colour)
        draw = ImageDraw.Draw(image)
        size = max(10, height // 9)
        while draw.textlength(self.name, font=font("SemiBold", size)) > width * 0.92 and size > 8:
            size -= 2
        draw.text(
            (width // 2, height * 2 // 5),
            self.name,
            font=font("SemiBold", size),
            anchor="mm",
            fill=(255, 255, 255),
        )
        clock_font = font("Medium", max(10, height // 10))
        glyphs = self._glyphs(clock_font, colour)
        clock_width = sum(glyphs[character].shape[1] for character in "00:00:00.0")
        return _Still(
            planes=_planes(image),
            glyphs=glyphs,
            clock_at=(max(0, (width - clock_width) // 2), height * 3 // 5),
        )

    @staticmethod
    def _glyphs(font: ImageFont.FreeTypeFont, colour: tuple[int, int, int]) -> dict[str, Plane]:
        """Luma of each clock character on the background; the clock needs no chroma of its own."""
        digit_width = max(round(font.getlength(digit)) for digit in "0123456789")
        height = int(font.size * 1.25)
        glyphs: dict[str, Plane] = {}
        for character in CLOCK_CHARACTERS:
            width = digit_width if character.isdigit() else round(font.getlength(character)) + 1
            # Even sizes, so that the planes' halves match.
            cell = Image.new("RGB", (width + width % 2, height + height % 2), colour)
            ImageDraw.Draw(cell).text(
                (cell.width / 2, 0), character, font=font, anchor="ma", fill=(255, 255, 255)
            )
            glyphs[character] = _planes(cell)[0]
        return glyphs
