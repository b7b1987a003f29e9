"""What a camera seems to show in a drill, in place of what it shows."""

import av
import numpy as np

from mcu.engine.plan import PictureFault

BLACK_LUMA = 16
GREY = 128


class FaultyCamera:
    """One camera while it is black or stands still. One lane's own.

    Args:
        held: the picture it stands still at; None: the next one.
    """

    def __init__(self, fault: PictureFault, held: av.VideoFrame | None) -> None:
        self.fault = fault
        self._held = held

    def instead_of(self, frame: av.VideoFrame) -> av.VideoFrame:
        """What is seen in place of a picture; of its size where it is black."""
        if self.fault == "black":
            return black(frame.width, frame.height)
        if self._held is None:
            self._held = frame
        return self._held


def black(width: int, height: int) -> av.VideoFrame:
    """A black picture, yuv420p."""
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (BLACK_LUMA, GREY, GREY), strict=True):
        plane.update(np.full(plane.buffer_size, value, np.uint8).tobytes())
    return frame
