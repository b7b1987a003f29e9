"""What stands in a slot, and the drawn parts of it: name labels and cards."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageDraw

from mixer.video import colour as colours
from mixer.video import icon, text
from mixer.video.canvas import Bitmap
from mixer.video.scale import Picture
from mixer.video.words import Words

TileState = Literal["empty", "live", "name", "no_video", "lost", "waiting", "calling", "left"]
"""``name`` is a card without a word of state: the picture is on its way."""

SMALLEST_TEXT_PX = 14
"""At 720 lines; the label of the densest layout must be readable."""
LARGEST_TEXT_PX = 30

_LABEL_ALPHA = 205


@dataclass(frozen=True, slots=True)
class Tile:
    """The content of one slot; equal tiles look the same.

    Args:
        picture: shown in state ``live``; compared by identity.
        name: on the label, any normal form.
        muted: a crossed-out microphone stands before the name.
        speaking: a frame around the slot.
    """

    state: TileState = "empty"
    name: str = ""
    picture: Picture | None = None
    muted: bool = False
    speaking: bool = False


EMPTY_TILE = Tile()


@lru_cache(maxsize=256)
def text_size_px(tile_height: int, canvas_height: int) -> int:
    """Size of a label's letters: grows with the tile, between what is readable and what is loud."""
    scale = canvas_height / 720
    size = 9 * scale + 0.045 * tile_height
    return round(min(max(size, SMALLEST_TEXT_PX * scale, 10), LARGEST_TEXT_PX * scale))


def label(name: str, muted: bool, size_px: int, room_px: int) -> Bitmap | None:
    """A name on a dark strip, at most ``room_px`` wide, shortened with an ellipsis.

    Returns None when there is nothing to show or no room for a letter.
    """
    pad = max(4, round(size_px * 0.45))
    mark = round(size_px * 1.1) if muted else 0
    lead = mark + round(size_px * 0.3) if muted else 0
    name = text.shorten(text.clean(name), "Medium", size_px, room_px - 2 * pad - lead)
    if not name and not muted:
        return None
    width = _even(
        2 * pad + lead + (text.width_px(name, "Medium", size_px) if name else -lead + mark)
    )
    if width > room_px:
        return None
    height = _even(size_px * 1.55)
    image = _strip(width, height, round(size_px * 0.28), colours.LABEL, _LABEL_ALPHA)
    if muted:
        sign = icon.microphone_off(mark, colours.MUTED, colours.LABEL)
        image.alpha_composite(sign, (pad, (height - mark) // 2))
    text.draw_line(image, pad + lead, round(height * 0.71), name, "Medium", size_px, colours.TEXT)
    return Bitmap(image)


def card(
    state: TileState, name: str, width: int, height: int, size_px: int, words: Words
) -> Bitmap:
    """What a slot shows in place of a picture: initials, or the sign of a lost signal.

    Args:
        width, height: of the slot. size_px: of the label's letters in this slot.
    """
    lost = state == "lost"
    ground = colours.LOST_CARD if lost else colours.CARD
    image = Image.new("RGBA", (width, height), (*ground.rgb, 255))
    status = _status(state, words)
    disc = _even(min(height * 0.40, width * 0.30))
    # The label takes the bottom of the slot; disc and status stand in the middle of the rest.
    status_px = max(12, round(size_px * 0.95))
    below = round(status_px * 1.5) if status else 0
    free = height - round(size_px * 1.9)
    top = max(2, (free - disc - below) // 2)
    middle = width // 2
    if lost:
        sign = icon.no_signal(disc, colours.LOST, ground)
        image.alpha_composite(sign, (middle - disc // 2, top))
    else:
        image.alpha_composite(_disc(disc, name), (middle - disc // 2, top))
    if status:
        shade = colours.LOST if lost else colours.TEXT_QUIET
        line = text.shorten(status, "SemiBold" if lost else "Medium", status_px, width - 8)
        baseline = top + disc + round(status_px * 1.25)
        weight: text.Weight = "SemiBold" if lost else "Medium"
        text.draw_centred(image, middle, baseline, line, weight, status_px, shade)
    edge = colours.LOST if lost else colours.CARD_EDGE
    ImageDraw.Draw(image).rectangle(
        (0, 0, width - 1, height - 1), outline=(*edge.rgb, 255), width=2 if lost else 1
    )
    return Bitmap(image)


RECORDING_DOT = "\u25cf"
"""In a clock's reading: a red disc."""


def clock(reading: str, size_px: int) -> Bitmap:
    """The time of day on a dark strip; digits keep their places while they change."""
    advance = max(text.width_px(digit, "SemiBold", size_px) for digit in "0123456789")
    colon = text.width_px(":", "SemiBold", size_px) + round(size_px * 0.1)
    steps = [advance if character.isdigit() else colon for character in reading]
    dots = colon * reading.count(RECORDING_DOT)
    pad = round(size_px * 0.55)
    height = _even(size_px * 1.55)
    image = _strip(
        _even(sum(steps) + dots + 2 * pad),
        height,
        round(size_px * 0.28),
        colours.LABEL,
        _LABEL_ALPHA,
    )
    x = pad
    for character, step in zip(reading, steps, strict=True):
        baseline = round(height * 0.735)
        if character == RECORDING_DOT:
            left, top = x - colon // 2, height // 2 - colon
            ImageDraw.Draw(image).ellipse(
                (left, top, left + 2 * colon, top + 2 * colon), fill=(*colours.MUTED.rgb, 255)
            )
            x += 2 * colon
            continue
        text.draw_centred(
            image, x + step // 2, baseline, character, "SemiBold", size_px, colours.TEXT
        )
        x += step
    return Bitmap(image)


def message(content: str, width: int, size_px: int, max_lines: int = 3) -> Bitmap | None:
    """A band across the picture with the operator's message, wrapped and centred.

    Returns None when the text is empty once cleaned.
    """
    lines = text.wrap(content, "SemiBold", size_px, width - 4 * size_px, max_lines)
    if not lines:
        return None
    step = round(size_px * 1.4)
    height = _even(len(lines) * step + size_px)
    image = Image.new("RGBA", (width, height), (*colours.MESSAGE.rgb, 235))
    draw = ImageDraw.Draw(image)
    edge = max(2, size_px // 9)
    draw.rectangle((0, 0, width, edge - 1), fill=(*colours.MESSAGE_EDGE.rgb, 255))
    for number, line in enumerate(lines):
        baseline = edge + size_px // 2 + round(step * (number + 0.72))
        text.draw_centred(image, width // 2, baseline, line, "SemiBold", size_px, colours.TEXT)
    return Bitmap(image)


def _status(state: TileState, words: Words) -> str:
    return {
        "lost": words.lost,
        "no_video": words.no_video,
        "waiting": words.waiting,
        "calling": words.calling,
        "left": words.left,
    }.get(state, "")


def _disc(size: int, name: str) -> Image.Image:
    letters = text.initials(name)
    shade = colours.INITIALS[sum(text.clean(name).encode()) % len(colours.INITIALS)]
    image = Image.new("RGBA", (size, size), (*shade.rgb, 0))
    over = Image.new("L", (size * 4, size * 4), 0)
    ImageDraw.Draw(over).ellipse((0, 0, size * 4 - 1, size * 4 - 1), fill=255)
    image.putalpha(over.resize((size, size), Image.Resampling.BOX))
    letter_px = max(8, round(size * 0.40))
    text.draw_centred(
        image, size // 2, round(size * 0.64), letters, "SemiBold", letter_px, colours.TEXT
    )
    return image


def _strip(width: int, height: int, radius: int, colour: colours.Colour, alpha: int) -> Image.Image:
    image = Image.new("RGBA", (width, height), (*colour.rgb, 0))
    over = Image.new("L", (width * 4, height * 4), 0)
    ImageDraw.Draw(over).rounded_rectangle(
        (0, 0, width * 4 - 1, height * 4 - 1), radius=radius * 4, fill=alpha
    )
    image.putalpha(over.resize((width, height), Image.Resampling.BOX))
    return image


def _even(value: float) -> int:
    return 2 * max(1, round(value / 2))
