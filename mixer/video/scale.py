"""Decoded pictures brought straight to the size of the slot they stand in.

Sources change size while they run and come in every pixel format a decoder gives; what leaves
here is yuv420p, limited range, BT.601, of even size.
"""

from collections.abc import Callable

import av
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from mixer.video.canvas import Planes, frame_planes
from mixer.video.layout import Fit

STRETCH = 0.03
"""A picture whose shape differs less than this from the slot's fills it: thin bars look like a
mistake, and three percent are not seen."""

_BT709 = 1
_FULL_RANGE, _LIMITED_RANGE = int(ColorRange.JPEG), int(ColorRange.MPEG)


class Scaler:
    """Scales one source to one slot size; keeps libswscale's tables between pictures.

    Used by one thread at a time.
    """

    def __init__(self, width: int, height: int, fit: Fit = "letterbox") -> None:
        self.width = width
        self.height = height
        self.fit = fit
        self._reformatter = VideoReformatter()

    def scale(self, frame: av.VideoFrame) -> Planes:
        """Planes no larger than the slot, to be put in its middle.

        Cost: 0.29 ms from 720p to 316x176, 0.07 ms from 360p. Nothing where sizes agree
        already: the decoder's own memory is used.
        """
        width, height = target_size(frame.width, frame.height, self.width, self.height, self.fit)
        full = frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE
        scaled = self._reformatter.reformat(
            frame,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU601 if frame.colorspace == _BT709 else None,
            interpolation=_interpolation(frame, width, height),
            src_color_range=_FULL_RANGE if full else _LIMITED_RANGE,
            dst_color_range=_LIMITED_RANGE,
            threads=1,
        )
        planes = frame_planes(scaled)
        if width <= self.width and height <= self.height:
            return planes
        return _middle(planes, min(width, self.width), min(height, self.height))


class Picture:
    """One decoded picture for one slot size; scaled when somebody first looks at its planes.

    Two of them are never equal unless they are the same object.

    Args:
        frame: as decoded. scale: makes the planes; must bear being called from several threads
            where pictures are shared between views.
    """

    __slots__ = ("_frame", "_planes", "_scale")

    def __init__(self, frame: av.VideoFrame, scale: Callable[[av.VideoFrame], Planes]) -> None:
        self._frame: av.VideoFrame | None = frame
        self._planes: Planes | None = None
        self._scale = scale

    @property
    def planes(self) -> Planes:
        """Scaled planes; the first look costs the scaling."""
        frame = self._frame  # read first: it is given up only after the planes are there
        planes = self._planes
        if planes is None and frame is not None:
            planes = self._planes = self._scale(frame)
            self._frame = None
        if planes is None:
            raise RuntimeError("a picture has neither planes nor a frame")
        return planes


def target_size(
    width: int, height: int, slot_width: int, slot_height: int, fit: Fit
) -> tuple[int, int]:
    """Even size a picture is scaled to: within the slot, or just covering it when cropped."""
    shape, slot_shape = width / height, slot_width / slot_height
    if abs(shape / slot_shape - 1) < STRETCH:
        return slot_width, slot_height
    if (shape > slot_shape) == (fit == "letterbox"):
        return slot_width, _even(slot_width / shape)
    return _even(slot_height * shape), slot_height


def _interpolation(frame: av.VideoFrame, width: int, height: int) -> Interpolation:
    """Smaller pictures are means of the pixels they cover.

    That is sharper than libswscale's bilinear kernel, which reaches twice as far and so takes up to
    twice the time. Of larger pictures it would make blocks.
    """
    if width <= frame.width and height <= frame.height:
        return Interpolation.AREA
    return Interpolation.BILINEAR


def _middle(planes: Planes, width: int, height: int) -> Planes:
    x = (planes.width - width) // 4 * 2
    y = (planes.height - height) // 4 * 2
    return Planes(
        planes.y[y : y + height, x : x + width],
        planes.u[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2],
        planes.v[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2],
    )


def _even(value: float) -> int:
    return 2 * max(1, round(value / 2))
