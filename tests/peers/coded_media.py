"""What simulated rooms send, and how what they get is measured: tones and colours.

Everything is coded once per process. Tones are loops of Opus packets, pictures are loops that
begin with a key frame; a little moving texture makes pictures of several packets.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from numpy.typing import NDArray

from mixer.audio.level import level_dbov
from mixer.codecs.audio import make_encoder

BLOCK_SAMPLES = 960
LOOP_PACKETS = 50
LOOP_PICTURES = 20
AMPLITUDE = 6000
PICTURE_SIZE = (320, 180)

Sound = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class CodedLoop:
    """One second of Opus packets, and the level of each as RFC 6464 wants it (0-127)."""

    packets: tuple[bytes, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CodedPictures:
    """RTP payloads of each picture of a loop; only the first is a key frame."""

    pictures: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class Colour:
    """Studio-range YUV, as it stands in the planes."""

    y: int
    u: int
    v: int

    def is_like(self, other: "Colour", tolerance: int = 14) -> bool:
        pairs = ((self.y, other.y), (self.u, other.u), (self.v, other.v))
        return all(abs(one - two) <= tolerance for one, two in pairs)


RED = Colour(90, 95, 210)
GREEN = Colour(130, 70, 70)
BLUE = Colour(70, 200, 100)
YELLOW = Colour(180, 50, 150)


@lru_cache
def coded_sound(hz: float, pulse_s: float = 0.0) -> CodedLoop:
    """A tone, or silence (0 Hz), that fits into a second a whole number of times.

    Args:
        pulse_s: the tone is loud in the first so many seconds of each second, and a quarter of
            it after that, so that whoever speaks goes on speaking (0: always loud).
    """
    time = np.arange(LOOP_PACKETS * BLOCK_SAMPLES) / 48_000
    wave = AMPLITUDE * np.sin(2 * np.pi * hz * time)
    if pulse_s:
        wave[time >= pulse_s] /= 4
    blocks = wave.astype(np.int16).reshape(-1, BLOCK_SAMPLES)
    encoder = make_encoder("opus")
    for block in blocks:
        encoder.encode(block)  # so that the loop's end goes on in its beginning
    packets = tuple(encoder.encode(block) for block in blocks)
    levels = tuple(min(127, round(-level_dbov(block))) for block in blocks)
    return CodedLoop(packets, levels)


@lru_cache
def coded_colour(colour: Colour, codec: str) -> CodedPictures:
    """A loop of pictures of one colour, H264 or VP8, at 320x180."""
    width, height = PICTURE_SIZE
    encoder = av.CodecContext.create("libx264" if codec == "H264" else "libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(10), Fraction(1, 10)
    encoder.bit_rate = 250_000
    encoder.gop_size = 1000
    if codec == "H264":
        encoder.profile = "Constrained Baseline"
        encoder.options = {"preset": "veryfast", "tune": "zerolatency", "threads": "1"}
    else:
        encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    packer = H264Encoder() if codec == "H264" else Vp8Encoder()
    texture = np.random.default_rng(1)
    pictures = []
    for number in range(LOOP_PICTURES):
        planes = np.empty((height * 3 // 2, width), np.uint8)
        coarse = texture.integers(-8, 9, (height // 10, width // 10))
        planes[:height] = colour.y + np.kron(coarse, np.ones((10, 10), np.int64))
        chroma = planes[height:].reshape(2, height // 2, width // 2)
        chroma[0], chroma[1] = colour.u, colour.v
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            packet.time_base = Fraction(1, 90_000)
            pictures.append(tuple(packer.pack(packet)[0]))
    return CodedPictures(tuple(pictures))


def tone_db(sound: Sound, hz: float) -> float:
    """Level of one frequency, dB relative to an amplitude of 1 (Blackman-windowed)."""
    if not len(sound):
        return -120.0
    window = np.blackman(len(sound))
    spin = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / 48_000)
    amplitude = 2 * abs(np.dot(sound * window, spin)) / window.sum()
    return 20 * float(np.log10(max(amplitude, 1e-6)))


def colour_of(picture: NDArray[np.uint8], left: int, top: int, width: int, height: int) -> Colour:
    """Mean colour of a part of a yuv420p picture (height * 3/2, width)."""
    lines = picture.shape[0] * 2 // 3
    chroma = picture[lines:].reshape(2, lines // 2, picture.shape[1] // 2)
    luma = picture[top : top + height, left : left + width]
    half = (slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2))
    y, u, v = (round(float(part.mean())) for part in (luma, chroma[0][half], chroma[1][half]))
    return Colour(y, u, v)
