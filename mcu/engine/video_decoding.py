"""What codec threads do for one source: decode some coded pictures, scale the last of them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import av

from mcu.engine.video_statistics import StageClock
from mcu.media.frames import EncodedFrame
from mixer.codecs.video import VideoCodecError, VideoDecoder
from mixer.video.canvas import Planes
from mixer.video.layout import Fit
from mixer.video.scale import Picture, Scaler

Shape = tuple[int, int, Fit]
"""Width and height of a slot, and how pictures of another shape stand in it."""


@dataclass(slots=True)
class Decoded:
    """What a batch came to."""

    frame: av.VideoFrame | None = None
    pictures: dict[Shape, Picture] = field(default_factory=dict)
    decoded: int = 0
    failed: bool = False
    took_s: float = 0.0
    """Processor time."""


class DecoderBox:
    """A decoder that is opened on first use and again after an error. One lane's own."""

    def __init__(self, codec: str) -> None:
        self.codec = codec
        self.decoder: VideoDecoder | None = None


class SharedScaler:
    """A scaler several views and the decoder's lane may use."""

    def __init__(self, shape: Shape, clock: StageClock) -> None:
        self._scaler = Scaler(*shape)
        self._lock = threading.Lock()
        self._clock = clock

    def scale(self, frame: av.VideoFrame) -> Planes:
        """See ``Scaler.scale``."""
        with self._lock, self._clock.measure("scale"):
            return self._scaler.scale(frame)


def decode(
    box: DecoderBox,
    batch: list[EncodedFrame],
    scalers: dict[Shape, SharedScaler],
    lazy: dict[Shape, SharedScaler],
    clock: StageClock,
    instead: Callable[[av.VideoFrame], av.VideoFrame] | None = None,
) -> Decoded:
    """On a worker: decode a batch, keep the last picture, scale it.

    Args:
        instead: gives what is seen in place of that picture, in a drill.
    """
    result = Decoded()
    began = time.thread_time()
    with clock.measure("decode"):
        for coded in batch:
            try:
                if box.decoder is None:
                    box.decoder = VideoDecoder(box.codec)
                frames = box.decoder.decode(coded.data)
            except VideoCodecError:
                # Its state is unknown now: the next key frame gets a new decoder.
                box.decoder = None
                result.failed = True
                break
            result.decoded += len(frames)
            if frames:
                result.frame = frames[-1]
    if result.frame is not None:
        if instead is not None:
            result.frame = instead(result.frame)
        for shape, scaler in (scalers | lazy).items():
            picture = result.pictures[shape] = Picture(result.frame, scaler.scale)
            if shape in scalers:
                _ = picture.planes
    result.took_s = time.thread_time() - began
    return result
