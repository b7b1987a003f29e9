"""What the load generator sends: real coded media, made once before the load begins.

Speech is synthetic (see ``mcu.bridge.sound``), silence is what an encoder with DTX off sends for
a quiet room, pictures are textured and moving so that they cost a decoder what a camera costs.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from mcu.bridge.sound import Block, speech
from mcu.media import h264
from mixer.audio.level import level_dbov
from mixer.codecs.opus import OpusEncoder

AUDIO_SECONDS = 8
VIDEO_SECONDS = 2
THUMBNAILS = 8


@dataclass(frozen=True, slots=True)
class CodedSound:
    """One loop of Opus packets of 20 ms, with the level of each for RFC 6464.

    ``marks``: place in the loop where a mark of ``bench.latency`` begins → which one.
    """

    packets: tuple[bytes, ...]
    levels_dbov: tuple[int, ...]
    marks: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CodedPictures:
    """One loop of H.264 access units; the first is a key frame, the rest refer back only.

    ``payloads`` holds the RTP payloads of each picture, ``marks`` the places in the loop where
    brightness changes → to which level.
    """

    payloads: tuple[tuple[bytes, ...], ...]
    fps: int
    marks: Mapping[int, int] = field(default_factory=dict)


def _encode_sound(blocks: list[Block]) -> CodedSound:
    encoder = OpusEncoder()
    packets = tuple(encoder.encode(block) for block in blocks)
    levels = tuple(round(level_dbov(block)) for block in blocks)
    return CodedSound(packets, levels)


def coded_speech(name: str) -> CodedSound:
    """Somebody who speaks without long pauses, different for each name."""
    loud = (block for block in speech(name) if np.abs(block).max() > 300)
    return _encode_sound(list(itertools.islice(loud, AUDIO_SECONDS * 50)))


def coded_silence() -> CodedSound:
    """A quiet room: a little noise."""
    random = np.random.default_rng(1)
    return _encode_sound(
        [random.integers(-8, 9, 960).astype(np.int16) for _ in range(AUDIO_SECONDS * 50)]
    )


def textured(width: int, height: int, number: int, seed: int) -> NDArray[np.uint8]:
    """A yuv420p picture (height*3/2, width) with detail that moves, as a camera's has."""
    random = np.random.default_rng(seed)
    texture = random.integers(60, 200, (height // 8 + 8, width // 8 + 8), np.uint8)
    large = np.kron(texture, np.ones((8, 8), np.uint8))
    shift = number * 2 % 64
    picture = np.empty((height * 3 // 2, width), np.uint8)
    picture[:height] = large[shift : shift + height, shift : shift + width]
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    chroma[0] = 90 + seed * 37 % 80
    chroma[1] = 90 + seed * 59 % 80
    return picture


def coded_marks(pitches_hz: Sequence[float]) -> CodedSound:
    """A hum that keeps its leg among the speakers, with bursts of each pitch in turn in a second.

    A burst has three tenths of its share; which pitch it is tells marks apart.
    """
    t = np.arange(960 * 50) / 48_000
    sound = 3000 * np.sin(2 * np.pi * 250 * t)
    share = 50 // len(pitches_hz)
    for number, pitch in enumerate(pitches_hz):
        burst = slice(960 * share * number, 960 * (share * number + share * 3 // 10))
        sound[burst] += 9000 * np.sin(2 * np.pi * pitch * t[burst])
    blocks = list(sound.astype(np.int16).reshape(-1, 960))
    coded = _encode_sound(blocks)
    marks = {share * number: number for number in range(len(pitches_hz))}
    return CodedSound(coded.packets, coded.levels_dbov, marks)


def coded_flashes(
    levels: Sequence[int], width: int = 640, height: int = 360, fps: int = 25
) -> CodedPictures:
    """Pictures that take each brightness in turn in a second; the first is a key frame."""
    share = fps // len(levels)
    pictures, marks = [], {}
    for number in range(fps * VIDEO_SECONDS):
        level = number // share % len(levels)
        if number % share == 0:
            marks[number] = level
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        picture[:height] = levels[level]
        picture[height - 8 : height, : 8 + number * 8] = 120
        pictures.append(picture)
    return _encode_pictures(pictures, width, height, fps, 500_000, marks)


def coded_pictures(
    width: int = 640, height: int = 360, fps: int = 25, bitrate_bps: int = 500_000, seed: int = 1
) -> CodedPictures:
    """A loop of textured pictures at about the rate asked for."""
    pictures = [textured(width, height, number, seed) for number in range(fps * VIDEO_SECONDS)]
    return _encode_pictures(pictures, width, height, fps, bitrate_bps, {})


def coded_thumbnails(seed: int = 1) -> CodedPictures:
    """What a hidden room sends while its thumbnail is looked at: 320×180, one picture a second.

    A key frame comes every ``THUMBNAILS`` seconds, more often than a room needs to send one, and
    when one is asked for.
    """
    pictures = [textured(320, 180, number, seed) for number in range(THUMBNAILS)]
    return _encode_pictures(pictures, 320, 180, 1, 80_000, {})


def _encode_pictures(
    pictures: list[NDArray[np.uint8]],
    width: int,
    height: int,
    fps: int,
    bitrate_bps: int,
    marks: Mapping[int, int],
) -> CodedPictures:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(fps), Fraction(1, fps)
    encoder.bit_rate = bitrate_bps
    encoder.profile = "Constrained Baseline"
    encoder.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "x264-params": f"keyint={fps * 60}:scenecut=0:threads=1:"
        f"vbv-maxrate={bitrate_bps // 1000}:vbv-bufsize={bitrate_bps // 2000}",
    }
    payloads = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
        frame.pts = number
        data = b"".join(bytes(packet) for packet in encoder.encode(frame))
        payloads.append(tuple(h264.packetise(data)))
    return CodedPictures(tuple(payloads), fps, marks)
