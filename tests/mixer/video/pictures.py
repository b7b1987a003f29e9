"""Pictures of one colour, and what a canvas shows at a place."""

import av
import numpy as np

from mixer.video.canvas import Planes
from mixer.video.scale import Picture, Scaler

Yuv = tuple[int, int, int]

RED: Yuv = (82, 90, 230)
GREEN: Yuv = (120, 60, 50)
BLUE: Yuv = (60, 220, 110)
GREY: Yuv = (128, 128, 128)


def frame(width: int, height: int, colour: Yuv) -> av.VideoFrame:
    """A yuv420p picture; ``width`` and ``height`` even."""
    array = np.empty((height * 3 // 2, width), np.uint8)
    array[:height] = colour[0]
    chroma = array[height:].reshape(2, height // 2, width // 2)
    chroma[0], chroma[1] = colour[1], colour[2]
    return av.VideoFrame.from_ndarray(array, "yuv420p")


def picture(width: int, height: int, colour: Yuv) -> Picture:
    """The same as a slot takes it."""
    return Picture(frame(width, height, colour), Scaler(width, height).scale)


def colour_at(planes: Planes, x: int, y: int) -> Yuv:
    """Y, Cb, Cr of one pixel."""
    return int(planes.y[y, x]), int(planes.u[y // 2, x // 2]), int(planes.v[y // 2, x // 2])


def near(found: Yuv, expected: Yuv, tolerance: int = 6) -> bool:
    """Whether two colours are the same but for coding noise."""
    return all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))
