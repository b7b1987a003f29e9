"""Colours of everything that is drawn, as YUV of the pictures' own kind.

BT.601, limited range: what browsers send over WebRTC and the only kind VP8 knows (RFC 6386,
section 9.2), so tiles are never converted. H.264 says so in its VUI.
"""

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in both forms: sRGB for drawing with Pillow, YUV for planes."""

    rgb: Rgb

    @property
    def yuv(self) -> tuple[int, int, int]:
        """Y 16-235, U and V 16-240 (ITU-R BT.601-7, section 2.5)."""
        red, green, blue = (part / 255 for part in self.rgb)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        return (
            round(16 + 219 * luma),
            round(128 + 224 * (blue - luma) / 1.772),
            round(128 + 224 * (red - luma) / 1.402),
        )


BACKGROUND = Colour((10, 14, 20))
"""Between the slots."""
SLOT = Colour((17, 23, 32))
"""A slot nobody stands in."""
BAR = Colour((0, 0, 0))
"""Beside a picture of another shape than its slot."""
CARD = Colour((24, 33, 46))
CARD_EDGE = Colour((38, 50, 68))
TEXT = Colour((240, 244, 248))
TEXT_QUIET = Colour((150, 166, 186))
LABEL = Colour((8, 12, 18))
SPEAKING = Colour((64, 200, 120))
MUTED = Colour((255, 92, 92))
LOST = Colour((255, 176, 46))
LOST_CARD = Colour((46, 35, 20))
MESSAGE = Colour((120, 20, 28))
MESSAGE_EDGE = Colour((255, 205, 80))

INITIALS: tuple[Colour, ...] = (
    Colour((44, 88, 138)),
    Colour((34, 108, 112)),
    Colour((86, 76, 140)),
    Colour((112, 84, 56)),
    Colour((60, 104, 66)),
    Colour((116, 64, 92)),
)
"""Discs behind initials; a name always gets the same one."""
