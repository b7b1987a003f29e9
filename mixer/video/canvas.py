"""A picture that is drawn on: planar yuv420p in one numpy array that encoders read in place.

Everything is drawn through a clip rectangle, so that a part of the picture can be painted anew
without touching the rest. All rectangles are even, which makes chroma planes divide exactly.
"""

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mixer.video.colour import Colour
from mixer.video.layout import Rect

Plane = NDArray[np.uint8]
"""Shape (rows, columns)."""


MAX_WINDOWS = 256
"""Where pictures stand, of some layouts."""


class Planes:
    """Y, U and V of one picture; the arrays may have any row stride.

    Args:
        y: shape (height, width), both even. u, v: shape (height / 2, width / 2).
    """

    __slots__ = ("u", "v", "y")

    def __init__(self, y: Plane, u: Plane, v: Plane) -> None:
        self.y = y
        self.u = u
        self.v = v

    @property
    def width(self) -> int:
        """Columns of luma."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Rows of luma."""
        return int(self.y.shape[0])


class Bitmap:
    """A drawn thing with transparency, ready to be blended onto planes.

    Args:
        image: RGBA, even width and height.
    Raises:
        ValueError: odd size.
    Cost of making it: a few passes over the pixels in float; keep it and blend it often.
    """

    __slots__ = ("_colour", "_keep", "height", "opaque", "width")

    def __init__(self, image: Image.Image) -> None:
        if image.width % 2 or image.height % 2:
            raise ValueError("a bitmap has even width and height")
        self.width = image.width
        self.height = image.height
        rgba = np.asarray(image.convert("RGBA"), dtype=np.float32)
        alpha = rgba[..., 3] / 255.0
        red, green, blue = (rgba[..., part] for part in range(3))
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        # Premultiplied before chroma is halved, so that colour does not bleed out of nothing.
        small = _halved(alpha)
        chroma_u = _halved((128 + 224 / 255 * (blue - luma) / 1.772) * alpha)
        chroma_v = _halved((128 + 224 / 255 * (red - luma) / 1.402) * alpha)
        self.opaque = bool(alpha.min() == 1.0)
        # Blending is keep * below / 256 + colour. Colour is rounded down: the sum fits 8 bits.
        self._colour = tuple(
            np.floor(plane).astype(np.uint8)
            for plane in ((16 + 219 / 255 * luma) * alpha + 0.5 * self.opaque, chroma_u, chroma_v)
        )
        self._keep = tuple(np.ceil(256 - 256 * part).astype(np.uint16) for part in (alpha, small))

    @property
    def cost_bytes(self) -> int:
        """Memory it holds."""
        return sum(part.nbytes for part in (*self._colour, *self._keep))

    def draw(self, target: Planes, part: Rect, at: Rect) -> None:
        """Blend ``part`` of this bitmap onto ``at`` (same size) of ``target``."""
        for plane, below in enumerate((target.y, target.u, target.v)):
            shift = 0 if plane == 0 else 1
            source = _slices(part, shift)
            place = below[_slices(at, shift)]
            if self.opaque:
                place[...] = self._colour[plane][source]
                continue
            mixed = self._keep[shift][source] * place
            mixed >>= 8
            mixed += self._colour[plane][source]
            place[...] = mixed


class Canvas:
    """One buffer of a composed picture.

    Args:
        width: even. height: a multiple of 4 (PyAV's planar layout in one array asks for it).
    Raises:
        ValueError: another size.
    """

    def __init__(self, width: int, height: int) -> None:
        if width < 16 or height < 16 or width % 2 or height % 4:
            raise ValueError(f"a canvas cannot be {width}x{height}")
        self.rect = Rect(0, 0, width, height)
        self._array = np.empty((height * 3 // 2, width), np.uint8)
        chroma = self._array[height:].reshape(2, height // 2, width // 2)
        self.planes = Planes(self._array[:height], chroma[0], chroma[1])
        self._clip = self.rect
        self._yuv: dict[Colour, tuple[int, int, int]] = {}
        self._windows: dict[tuple[int, int, int, int], Planes] = {}
        self.fill(self.rect, Colour((0, 0, 0)))

    def frame(self) -> av.VideoFrame:
        """A new frame object over this buffer; nothing is copied.

        Encoders write ``pts`` into the frame they are given, so each has a frame of its own.
        """
        return av.VideoFrame.from_numpy_buffer(self._array, format="yuv420p")

    def clip(self, rect: Rect | None) -> None:
        """Draw inside ``rect`` only from now on; None for everywhere."""
        self._clip = self.rect if rect is None else rect

    def fill(self, rect: Rect, colour: Colour) -> None:
        """Paint a rectangle."""
        at = self._clip.intersection(rect)
        if at is None:
            return
        yuv = self._yuv.get(colour)
        if yuv is None:
            yuv = self._yuv[colour] = colour.yuv
        planes = self.planes
        planes.y[_slices(at, 0)] = yuv[0]
        planes.u[_slices(at, 1)] = yuv[1]
        planes.v[_slices(at, 1)] = yuv[2]

    def frame_edge(self, rect: Rect, colour: Colour, edge: int) -> None:
        """Paint the inner edge of a rectangle, ``edge`` (even) pixels wide."""
        self.fill(Rect(rect.x, rect.y, rect.width, edge), colour)
        self.fill(Rect(rect.x, rect.bottom - edge, rect.width, edge), colour)
        self.fill(Rect(rect.x, rect.y, edge, rect.height), colour)
        self.fill(Rect(rect.right - edge, rect.y, edge, rect.height), colour)

    def blit(self, source: Planes, x: int, y: int) -> None:
        """Copy a picture; ``x`` and ``y`` are even. Cost: 0.025 ms for 320 x 180."""
        height, width = source.y.shape
        clip = self._clip
        if (
            clip.x <= x
            and clip.y <= y
            and x + width <= clip.x + clip.width
            and y + height <= clip.y + clip.height
        ):
            window = self._window(x, y, width, height)
            window.y[:] = source.y
            window.u[:] = source.u
            window.v[:] = source.v
            return
        at = clip.intersection(Rect(x, y, width, height))
        if at is None:
            return
        planes = self.planes
        part = Rect(at.x - x, at.y - y, at.width, at.height)
        planes.y[_slices(at, 0)] = source.y[_slices(part, 0)]
        planes.u[_slices(at, 1)] = source.u[_slices(part, 1)]
        planes.v[_slices(at, 1)] = source.v[_slices(part, 1)]

    def _window(self, x: int, y: int, width: int, height: int) -> Planes:
        """The planes where a picture stands: the same places come again 25 times a second."""
        window = self._windows.get((x, y, width, height))
        if window is None:
            if len(self._windows) >= MAX_WINDOWS:
                self._windows.clear()
            rect = Rect(x, y, width, height)
            planes, chroma = self.planes, _slices(rect, 1)
            window = self._windows[x, y, width, height] = Planes(
                planes.y[_slices(rect, 0)], planes.u[chroma], planes.v[chroma]
            )
        return window

    def blend(self, bitmap: Bitmap, x: int, y: int) -> None:
        """Blend a bitmap; ``x`` and ``y`` are even. Cost: about 0.02 ms for a name label."""
        at = self._clip.intersection(Rect(x, y, bitmap.width, bitmap.height))
        if at is not None:
            bitmap.draw(self.planes, Rect(at.x - x, at.y - y, at.width, at.height), at)


def frame_planes(frame: av.VideoFrame) -> Planes:
    """The planes of a yuv420p frame in place; they keep the frame's memory alive.

    Args:
        frame: yuv420p, even width and height.
    """
    y, u, v = frame.planes
    luma = frame.height, frame.width
    chroma = luma[0] >> 1, luma[1] >> 1
    return Planes(
        np.ndarray(luma, np.uint8, memoryview(y), 0, (y.line_size, 1)),
        np.ndarray(chroma, np.uint8, memoryview(u), 0, (u.line_size, 1)),
        np.ndarray(chroma, np.uint8, memoryview(v), 0, (v.line_size, 1)),
    )


def _slices(rect: Rect, shift: int) -> tuple[slice, slice]:
    return (
        slice(rect.y >> shift, rect.bottom >> shift),
        slice(rect.x >> shift, rect.right >> shift),
    )


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = plane.shape
    halves: NDArray[np.float32] = plane.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
    return halves
