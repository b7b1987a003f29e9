"""Text for pictures: Vietnamese first, in Be Vietnam Pro (OFL, beside this package).

Names come from registries and guests, in any normal form and of any length: they are cleaned,
brought to NFC (a font has one glyph for "ệ", not three) and shortened to the room there is.
"""

import unicodedata
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from mixer.video.colour import Colour

Weight = Literal["Medium", "SemiBold"]

ELLIPSIS = "…"
MAX_CHARACTERS = 300
"""Longer texts are cut before anything is measured."""


def clean(text: str) -> str:
    """One line in NFC: white space joined; control and direction characters taken out."""
    text = unicodedata.normalize("NFC", text[: 4 * MAX_CHARACTERS])
    visible = (" " if character.isspace() else character for character in text)
    kept = (one for one in visible if not unicodedata.category(one).startswith("C"))
    return " ".join("".join(kept).split())[:MAX_CHARACTERS]


def initials(name: str) -> str:
    """One or two letters for a name card: of the last two words, which are a place's own name.

    "Xã Diên Khánh" gives "DK", whatever kind of unit it is.
    """
    words = [word for word in clean(name).split() if word[0].isalnum()]
    return "".join(word[0].upper() for word in words[-2:])


@lru_cache(maxsize=64)
def font(weight: Weight, size_px: int) -> ImageFont.FreeTypeFont:
    """The bundled font in one size; shaping by raqm where Pillow has it."""
    data = resources.files("mixer").joinpath(f"fonts/BeVietnamPro-{weight}.ttf").read_bytes()
    return ImageFont.truetype(BytesIO(data), size_px)


def width_px(text: str, weight: Weight, size_px: int) -> int:
    """How wide a line is."""
    return round(font(weight, size_px).getlength(text) + 0.5)


def shorten(text: str, weight: Weight, size_px: int, room_px: int) -> str:
    """The text, or its beginning with an ellipsis, so that it fits ``room_px``.

    Returns an empty string where not even one letter fits.
    """
    if width_px(text, weight, size_px) <= room_px:
        return text
    low, high = 0, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        if width_px(text[:middle].rstrip() + ELLIPSIS, weight, size_px) <= room_px:
            low = middle
        else:
            high = middle - 1
    beginning = text[:low].rstrip()
    return beginning + ELLIPSIS if beginning else ""


def wrap(text: str, weight: Weight, size_px: int, room_px: int, max_lines: int) -> list[str]:
    """Break a text at spaces into at most ``max_lines`` lines; the last one is shortened.

    A word wider than the room stands alone on its line, shortened.
    """
    lines: list[str] = []
    words = clean(text).split()
    while words and len(lines) < max_lines:
        if len(lines) == max_lines - 1:
            lines.append(" ".join(words))
            break
        count = 1
        while (
            count < len(words)
            and width_px(" ".join(words[: count + 1]), weight, size_px) <= room_px
        ):
            count += 1
        lines.append(" ".join(words[:count]))
        del words[:count]
    return [shorten(line, weight, size_px, room_px) for line in lines]


def draw_line(
    image: Image.Image,
    x: int,
    baseline: int,
    text: str,
    weight: Weight,
    size_px: int,
    colour: Colour,
) -> None:
    """Draw one line with its left end at ``x`` and its letters standing on ``baseline``."""
    ImageDraw.Draw(image).text(
        (x, baseline), text, font=font(weight, size_px), fill=(*colour.rgb, 255), anchor="ls"
    )


def draw_centred(
    image: Image.Image,
    x: int,
    baseline: int,
    text: str,
    weight: Weight,
    size_px: int,
    colour: Colour,
) -> None:
    """The same with its middle at ``x``."""
    ImageDraw.Draw(image).text(
        (x, baseline), text, font=font(weight, size_px), fill=(*colour.rgb, 255), anchor="ms"
    )
