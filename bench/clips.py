"""The clips that programs are compared with: pictures that can be made again, and files of them.

A picture is a room as a camera sees it: fractal texture (detail at all sizes, as nature has it)
that a hand-held camera drifts over, somebody before it who moves, and the sensor's noise. Every
picture follows from its seed and number, so that what was lost on the way can be measured
against what was filmed.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FPS = 25
WIDTH, HEIGHT = 640, 360
BITRATE_BPS = 500_000
NOISE_LEVEL = 1.5
_MARGIN = 64

Picture = NDArray[np.uint8]
"""yuv420p, shape (height * 3 / 2, width), limited range."""


def filmed(seed: int, number: int) -> Picture:
    """One picture of one room; the same for the same arguments. Cost: about 3 ms."""
    t = number / FPS
    x, y = _drift(seed, t)
    picture = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    luma = _texture(seed)[y : y + HEIGHT, x : x + WIDTH].copy()
    person, inside = _person(seed)
    left = int(200 + 60 * np.sin(0.7 * t + seed)) & ~1
    top = int(70 + 12 * np.sin(2.3 * t + 2 * seed)) & ~1
    rows, columns = inside.shape
    shown = min(rows, HEIGHT - top)
    window = luma[top : top + shown, left : left + columns]
    window[inside[:shown]] = person[:shown][inside[:shown]]
    luma += _noise()[number * 7 % 32 : number * 7 % 32 + HEIGHT, seed % 32 : seed % 32 + WIDTH]
    picture[:HEIGHT] = np.clip(luma, 16, 235)
    chroma = picture[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    half = (_texture(seed)[y : y + HEIGHT : 2, x : x + WIDTH : 2] - 125) * 0.2
    for plane, sign in ((0, 1.0), (1, -1.0)):
        chroma[plane] = np.clip(128 + sign * half + (seed * (37 + 22 * plane)) % 31 - 15, 16, 240)
        face = chroma[plane][top // 2 : (top + shown) // 2, left // 2 : (left + columns) // 2]
        face[inside[:shown:2, ::2][: face.shape[0]]] = 112 if plane == 0 else 148
    return picture


def write_clip(path: Path, seed: int, pictures: int) -> None:
    """Code the first pictures of a room as a room's encoder does, into a Matroska file."""
    with av.open(str(path), "w", format="matroska") as file:
        stream = file.add_stream("libx264", rate=FPS)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = BITRATE_BPS
        stream.time_base = Fraction(1, FPS)
        stream.options = {
            "preset": "veryfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": f"keyint=1500:scenecut=0:threads=1:vbv-maxrate={BITRATE_BPS // 1000}:"
            f"vbv-bufsize={BITRATE_BPS // 1000}:range=tv:colorprim=smpte170m:"
            "transfer=smpte170m:colormatrix=smpte170m",
        }
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(filmed(seed, number), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            frame.color_range = 1
            frame.colorspace = 6
            for packet in stream.encode(frame):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)


def write_beginning(source: Path, target: Path, pictures: int) -> None:
    """Copy the first coded pictures of a clip into a file of its own."""
    with av.open(str(source)) as file, av.open(str(target), "w", format="matroska") as out:
        stream = out.add_stream_from_template(file.streams.video[0])
        for number, packet in enumerate(file.demux(video=0)):
            if number >= pictures or packet.dts is None:
                break
            packet.stream = stream
            out.mux(packet)


def coded_pictures(path: Path) -> Iterator[bytes]:
    """The access units of a clip as Annex B, one by one as they are asked for."""
    with av.open(str(path)) as file:
        annex_b = av.BitStreamFilterContext("h264_mp4toannexb", file.streams.video[0])
        for packet in file.demux(video=0):
            for unit in annex_b.filter(packet):
                if unit.size:
                    yield bytes(unit)


def write_units(source: Path, target: Path) -> None:
    """The coded pictures of a clip, cut apart: before each its length in four bytes."""
    with target.open("wb") as out:
        for unit in coded_pictures(source):
            out.write(len(unit).to_bytes(4, "big"))
            out.write(unit)


def units(path: Path) -> Iterator[bytes]:
    """The coded pictures of a file that ``write_units`` wrote, as Annex B."""
    with path.open("rb") as file:
        while size := file.read(4):
            yield file.read(int.from_bytes(size, "big"))


def _drift(seed: int, t: float) -> tuple[int, int]:
    x = _MARGIN / 2 * (1 + np.sin(0.31 * t + seed) * 0.9)
    y = _MARGIN / 2 * (1 + np.sin(0.23 * t + 3 * seed) * 0.9)
    return int(x) & ~1, int(y) & ~1


@lru_cache(maxsize=64)
def _texture(seed: int) -> NDArray[np.float32]:
    return _fractal(seed, HEIGHT + _MARGIN, WIDTH + _MARGIN, 125.0, 42.0)


@lru_cache(maxsize=64)
def _person(seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Head and shoulders: their texture, and where they are."""
    height, width = 290, 200
    y, x = np.mgrid[:height, :width]
    head = ((x - 100) / 55) ** 2 + ((y - 75) / 72) ** 2 < 1
    shoulders = ((x - 100) / 100) ** 2 + ((y - 290) / 150) ** 2 < 1
    return _fractal(1000 + seed, height, width, 150.0, 28.0), head | shoulders


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.float32]:
    random = np.random.default_rng(5)
    noise = random.normal(0.0, NOISE_LEVEL, (HEIGHT + 32, WIDTH + 32))
    return noise.astype(np.float32)


def _fractal(seed: int, height: int, width: int, mean: float, spread: float) -> NDArray[np.float32]:
    """Noise whose amplitude falls with frequency, as that of photographs does (1/f)."""
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(random.normal(size=(height, width)))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    field = np.fft.irfft2(spectrum / np.maximum(frequency, 1 / width) ** 1.3, (height, width))
    scaled: NDArray[np.float64] = mean + spread * (field - field.mean()) / field.std()
    return scaled.astype(np.float32)
