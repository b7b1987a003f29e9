"""Films: cameras and microphones of peers that read them from a file."""

import itertools
import wave
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bench.media import textured
from mcu.bridge.sound import BLOCK_SAMPLES, SAMPLE_RATE_HZ, speech
from tests.mixer.video.pictures import Yuv, frame

SIZE = (320, 180)
FPS = 15
SECONDS = 60


def write_film(path: Path, colour: Yuv, seconds: int = SECONDS) -> Path:
    """H.264 in MP4, longer than a test takes; some kilobytes, as nothing in it moves."""
    return _written(path, itertools.repeat(frame(*SIZE, colour), seconds * FPS))


def write_moving_film(path: Path, seconds: int = SECONDS) -> Path:
    """The same of what a live camera might show."""
    pictures = [textured(*SIZE, number, 1) for number in range(30)]
    turns = itertools.islice(itertools.cycle(pictures), seconds * FPS)
    return _written(path, (av.VideoFrame.from_ndarray(one, "yuv420p") for one in turns))


def write_speech(path: Path, seconds: int = SECONDS) -> Path:
    """Somebody who speaks all the time: WAV, 48 kHz, both channels alike."""
    loud = (block for block in speech("phone") if np.abs(block).max() > 300)
    blocks = list(itertools.islice(loud, seconds * SAMPLE_RATE_HZ // BLOCK_SAMPLES))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.repeat(np.concatenate(blocks), 2).astype("<i2").tobytes())
    return path


def _written(path: Path, pictures: Iterable[av.VideoFrame]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(FPS)}
        for number, picture in enumerate(pictures):
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
