"""Coded sound and pictures for recordings, as renditions give them, and how a file is read back."""

import io
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from mcu.media import h264
from mcu.recording.assembly import Assembly, Begin, Data, End
from mcu.recording.sample import Sample
from mixer.codecs.opus import OpusEncoder
from mixer.codecs.video import VideoEncoder
from tests.mixer.video.pictures import frame

FPS = 25
TONE_HZ = 1000.0


class Coder:
    """Sound and pictures of one meeting: grey that flashes white, silence that beeps with it."""

    def __init__(self, size: tuple[int, int] = (320, 180)) -> None:
        self.size = size
        self._opus = OpusEncoder()
        self._video = VideoEncoder("h264", *size, FPS, 400_000)

    def resize(self, width: int, height: int) -> None:
        """Another rendition."""
        self.size = (width, height)
        self._video = VideoEncoder("h264", width, height, FPS, 400_000)

    def sound(self, tick: int, captured: float, *, on: bool) -> Sample:
        """20 ms; ``captured``: of its first sample as it comes out of a decoder."""
        at = np.arange(960) + tick * 960
        wave = 9000.0 * np.sin(2 * np.pi * TONE_HZ * at / 48_000) * on
        return Sample("audio", (self._opus.encode(wave.astype(np.int16)),), tick * 960, captured)

    def picture(self, timestamp: int, captured: float, *, on: bool, key: bool = False) -> Sample:
        """One picture, in the payloads of its packets."""
        colour = (235, 128, 128) if on else (60, 128, 128)
        coded = self._video.encode(frame(*self.size, colour), key)
        return Sample("video", tuple(h264.packetise(coded.data)), timestamp, captured)


@dataclass
class Written:
    """Files as an assembly wants them written."""

    parts: list[bytearray]
    durations: list[float]

    @classmethod
    def of(cls, samples: list[Sample]) -> "Written":
        assembly = Assembly()
        found = cls([], [])
        steps = [step for sample in samples for step in assembly.feed(sample)]
        for step in steps + assembly.close():
            found.take(step)
        return found

    def take(self, step: Begin | Data | End) -> None:
        if isinstance(step, Begin):
            self.parts.append(bytearray())
        elif isinstance(step, Data):
            self.parts[-1] += step.data
        else:
            self.durations.append(step.duration_s)


@dataclass
class Played:
    """A file as a player has it: luma of each picture and sound, with their times."""

    sizes: set[tuple[int, int]]
    pictures: list[tuple[float, float]]
    sound: NDArray[np.float64]
    sound_from: float

    def flashes(self) -> list[float]:
        """When the picture turns bright."""
        found = []
        for (_, before), (time, after) in zip(self.pictures, self.pictures[1:], strict=False):
            if before < 150 <= after:
                found.append(time)
        return found

    def beeps(self) -> list[float]:
        """When a tone begins."""
        level = np.abs(self.sound)
        window = np.convolve(level, np.ones(48) / 48, "same")
        loud = window > 1500
        return [
            self.sound_from + at / 48_000
            for at in np.flatnonzero(loud[1:] & ~loud[:-1])
            if window[max(0, at - 2400) : at].max(initial=0.0) < 3000
            and not loud[max(0, at - 4800) : at].any()
        ]


def play(source: bytes | bytearray | Path) -> Played:
    """Decode all of a file."""
    opened = str(source) if isinstance(source, Path) else io.BytesIO(bytes(source))
    pictures, blocks, starts, sizes = [], [], [], set()
    with av.open(opened) as file:
        for packet in file.demux():
            for each in packet.decode():
                if isinstance(each, av.VideoFrame):
                    sizes.add((each.width, each.height))
                    luma = np.frombuffer(bytes(each.planes[0]), np.uint8)
                    pictures.append((float(each.time or 0), float(luma.mean())))
                elif isinstance(each, av.AudioFrame):
                    starts.append(float(each.time or 0))
                    wave = each.to_ndarray().astype(np.float64).ravel()
                    blocks.append(wave * (32768 if each.format.name.startswith("flt") else 1))
    first = starts[0] if starts else 0.0
    places = [round((start - first) * 48_000) for start in starts]
    sound = np.zeros(places[-1] + blocks[-1].size if blocks else 0)
    for place, block in zip(places, blocks, strict=True):
        sound[place : place + block.size] = block  # where a packet is missing it is silent
    return Played(sizes, pictures, sound, first)
