"""Pictures that detectors are tried on: rooms that live, stand still, freeze and go dark."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
import numpy.typing as npt

from bench.clips import HEIGHT, WIDTH, Picture, filmed
from mixer.codecs.h264 import encoder_options
from mixer.codecs.video import VideoDecoder, VideoEncoder
from mixer.video.canvas import frame_planes

Luma = npt.NDArray[np.uint8]
FPS = 15


@dataclass(frozen=True, slots=True)
class Line:
    """How pictures are sent.

    Args:
        codec: ``h264`` or ``vp8``. bitrate_bps: of 640x360 at FPS.
        periodic: a key frame every ten seconds; otherwise only the first, as browsers do it.
    """

    codec: str
    bitrate_bps: int
    periodic: bool = True

    def __str__(self) -> str:
        names = {"h264": "H.264", "vp8": "VP8"}
        keys = "" if self.periodic else ", keys on demand"
        return f"{names[self.codec]} {self.bitrate_bps // 1000} kbit/s{keys}"


LINES = (Line("h264", 64_000), Line("h264", 150_000, periodic=False),
         Line("h264", 500_000, periodic=False), Line("h264", 150_000), Line("h264", 500_000),
         Line("h264", 1_500_000), Line("vp8", 500_000))  # fmt: skip


@lru_cache(maxsize=256)
def _room(seed: int, number: int) -> Picture:
    picture = filmed(seed, number)
    picture.flags.writeable = False
    return picture


def live(seed: int, pictures: int) -> Iterator[Picture]:
    """Somebody who moves before a camera, with its noise."""
    for number in range(pictures):
        yield _room(seed, number * 25 // FPS)


def frozen(seed: int, pictures: int) -> Iterator[Picture]:
    """One and the same picture."""
    for _ in range(pictures):
        yield _room(seed, 0)


def still(seed: int, pictures: int, noise: float) -> Iterator[Picture]:
    """A room in which nothing moves, with a sensor's noise of so many levels of luma."""
    rng = np.random.default_rng(seed)
    base = _room(seed, 0)
    # A long row of noise, read from another place for each picture, is as good as new noise.
    row = rng.normal(0.0, noise, base.size + 200_000).astype(np.float32)
    for _ in range(pictures):
        at = int(rng.integers(0, 200_000))
        grain = np.rint(row[at : at + base.size].reshape(base.shape)).astype(np.int16)
        grain[HEIGHT:] //= 2
        yield np.clip(base + grain, 0, 255).astype(np.uint8)


def black(seed: int, pictures: int, gain: float, lift: float) -> Iterator[Picture]:
    """A closed shutter: black, lifted and noisy by the sensor's gain."""
    rng = np.random.default_rng(seed)
    size = HEIGHT * 3 // 2 * WIDTH
    row = rng.normal(0.0, gain, size + 200_000).astype(np.float32)
    for _ in range(pictures):
        at = int(rng.integers(0, 200_000))
        grain = row[at : at + size].reshape(-1, WIDTH)
        picture = np.empty((HEIGHT * 3 // 2, WIDTH), np.float32)
        picture[:HEIGHT] = 16 + lift + grain[:HEIGHT]
        picture[HEIGHT:] = 128 + grain[HEIGHT:] / 3
        yield np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def dim(seed: int, pictures: int, light: float) -> Iterator[Picture]:
    """A room that lives, in little light (a share of it), with noise of 4 levels."""
    rng = np.random.default_rng(seed)
    for picture in live(seed, pictures):
        dark = picture.astype(np.float32)
        dark[:HEIGHT] = 16 + (dark[:HEIGHT] - 16) * light + rng.normal(0, 4, (HEIGHT, WIDTH))
        dark[HEIGHT:] = 128 + (dark[HEIGHT:] - 128) * light
        yield np.clip(np.rint(dark), 0, 255).astype(np.uint8)


def sent(pictures: Iterator[Picture], line: Line) -> Iterator[Luma]:
    """Luma of the pictures as they come out of a decoder; one that was left out comes not."""
    encode = _encoder(line)
    decoder = VideoDecoder(line.codec)
    for number, picture in enumerate(pictures):
        data = encode(av.VideoFrame.from_ndarray(picture, "yuv420p"), number)
        for frame in decoder.decode(data) if data else ():
            yield frame_planes(frame).y


def _encoder(line: Line) -> Callable[[av.VideoFrame, int], bytes]:
    """Codes a picture, given its number; the first is a key frame."""
    if line.periodic:
        encoder = VideoEncoder(line.codec, WIDTH, HEIGHT, FPS, line.bitrate_bps)
        return lambda frame, number: encoder.encode(frame, number == 0).data
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.bit_rate, context.thread_count = line.bitrate_bps, 1
    options = encoder_options(WIDTH, HEIGHT, FPS, line.bitrate_bps)
    periodic = f"keyint={10 * FPS}:"
    assert periodic in options["x264-params"]
    options["x264-params"] = options["x264-params"].replace(periodic, "keyint=infinite:")
    context.options = options

    def encode(frame: av.VideoFrame, number: int) -> bytes:
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        return b"".join(bytes(packet) for packet in context.encode(frame))

    return encode
