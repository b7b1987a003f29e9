"""What a caller sees who has to enter a PIN: what to do, in two languages; how many digits came.

Digits are shown as discs, whichever they are: the room's screen is seen by the whole room.
"""

from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageDraw

from mixer.video import colour as colours
from mixer.video import text
from mixer.video.canvas import Bitmap, Canvas

Notice = Literal["", "wrong", "too_late", "blocked"]

MAX_DISCS: Final = 12
DISCS_AT: Final = 0.56
"""Height of the discs' middles, of the picture's."""
DISC_STEP: Final = 0.06
"""Between their middles, of the picture's width."""
_DISC: Final = 0.034
_BAND_AT: Final = 0.72
_BAND: Final = 0.2

_TITLE: Final = ("Nhập mã PIN của hội nghị", "Enter the PIN of the meeting")
_HINT: Final = "*  Nhập lại / Begin anew"


@dataclass(frozen=True, slots=True)
class PinScene:
    """What is to be seen.

    Args:
        entered: digits so far. notice: what went wrong. tries: that are left; 0: the call ends.
    """

    entered: int = 0
    notice: Notice = ""
    tries: int = 0


def disc_places(count: int) -> tuple[tuple[float, float], ...]:
    """Where the middles of so many discs are, as parts of width and height."""
    count = min(count, MAX_DISCS)
    first = 0.5 - (count - 1) / 2 * DISC_STEP
    return tuple((first + number * DISC_STEP, DISCS_AT) for number in range(count))


def draw(scene: PinScene, width: int, height: int) -> Canvas:
    """Draw a scene; ``width`` is even, ``height`` a multiple of 4.

    Cost: some 10 ms for 640 x 360; not for the loop.
    """
    image = Image.new("RGBA", (width, height), (*colours.CARD.rgb, 255))
    for line, weight, part, at, colour in (
        (_TITLE[0], "SemiBold", 0.075, 0.26, colours.TEXT),
        (_TITLE[1], "Medium", 0.065, 0.39, colours.TEXT_QUIET),
        (_HINT, "Medium", 0.045, 0.68, colours.TEXT_QUIET),
    ):
        _line(image, line, weight, part, at, colour)  # type: ignore[arg-type]
    ink = ImageDraw.Draw(image)
    radius = _DISC / 2 * width
    for across, down in disc_places(scene.entered):
        x, y = across * width, down * height
        ink.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_fill(colours.TEXT))
    words = _words(scene)
    if words:
        top = round(_BAND_AT * height)
        ink.rectangle((0, top, width, top + round(_BAND * height)), fill=_fill(colours.MESSAGE))
        _line(image, words[0], "SemiBold", 0.06, _BAND_AT + 0.085, colours.TEXT)
        _line(image, words[1], "Medium", 0.055, _BAND_AT + 0.165, colours.TEXT)
    canvas = Canvas(width, height)
    canvas.blend(Bitmap(image), 0, 0)
    return canvas


def _words(scene: PinScene) -> tuple[str, str] | None:
    if scene.notice == "wrong" and scene.tries:
        tries = "1 try" if scene.tries == 1 else f"{scene.tries} tries"
        return f"Mã PIN sai. Còn {scene.tries} lần.", f"Wrong PIN. {tries} left."
    return {
        "": None,
        "wrong": ("Mã PIN sai. Cuộc gọi kết thúc.", "Wrong PIN. The call ends."),
        "too_late": ("Đã hết thời gian. Cuộc gọi kết thúc.", "Time is up. The call ends."),
        "blocked": ("Không vào được hội nghị. Cuộc gọi kết thúc.", "Not let in. The call ends."),
    }[scene.notice]


def _line(
    image: Image.Image,
    words: str,
    weight: text.Weight,
    part: float,
    at: float,
    colour: colours.Colour,
) -> None:
    """Centre a line at a height, its letters ``part`` of the picture high, smaller if too wide."""
    size_px = round(part * image.height)
    room_px = round(0.94 * image.width)
    while size_px > 8 and text.width_px(words, weight, size_px) > room_px:
        size_px -= 1
    text.draw_centred(
        image, image.width // 2, round(at * image.height), words, weight, size_px, colour
    )


def _fill(colour: colours.Colour) -> tuple[int, int, int, int]:
    return (*colour.rgb, 255)
