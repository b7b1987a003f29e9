"""How long the MCU holds a sound and a picture: marks are sent by one leg and found by another.

A mark in sound is a burst of a pitch that speech here does not have; a mark in pictures is a
change of brightness of the whole picture. Both are timed from the moment their first packet is
handed to the sender's socket to the arrival of the packet that completes them at the receiver,
so the figures are what the daemon adds (loopback's share is microseconds), jitter buffer and
tick waiting included, coding delay of the sender excluded.
"""

from collections import deque

import av
import numpy as np
from numpy.typing import NDArray

from bench.generator_leg import GeneratorLeg
from bench.media import CodedPictures, CodedSound, coded_flashes, coded_marks

MARK_HZ = 5_000.0
MARK_LEVEL = 0.02
FOUND_WITHIN_S = 1.0


class LatencyProbe:
    """Sends marks on one leg and finds them on another."""

    def __init__(self) -> None:
        self._sound: CodedSound | None = None
        self._audio_sent: deque[float] = deque(maxlen=64)
        self._video_sent: deque[float] = deque(maxlen=64)
        self._audio_ms: list[float] = []
        self._video_ms: list[float] = []
        self._in_mark = False
        self._bright: bool | None = None
        window = np.arange(960) * (2 * np.pi * MARK_HZ / 48_000)
        self._reference = np.exp(-1j * window) / 960

    def attach(self, leg: GeneratorLeg, pictures: CodedPictures | None) -> None:
        """Let a leg send the marks: its sound, and its pictures where it has any."""
        leg.sound = coded_marks(MARK_HZ)
        leg.on_mark_audio = self._audio_sent.append
        if pictures is not None:
            leg.pictures = coded_flashes()
            leg.on_mark_video = self._video_sent.append

    def reset(self) -> None:
        """Forget what was found so far."""
        self._audio_ms.clear()
        self._video_ms.clear()

    def audio_received(self, block: NDArray[np.int16], now: float) -> None:
        """Look for the beginning of a burst in one decoded block."""
        level = abs(np.dot(block.astype(np.float64) / 32768.0, self._reference)) * 2
        found = bool(level > MARK_LEVEL)
        if found and not self._in_mark:
            self._note(self._audio_sent, self._audio_ms, now)
        self._in_mark = found

    def picture_received(self, picture: av.VideoFrame, now: float) -> None:
        """Look for a change of brightness in the first slot (upper left of a 4×4 picture)."""
        plane = picture.planes[0]
        luma = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
        height, width = picture.height, picture.width
        tile = luma[height // 16 : height // 6, width // 16 : width // 5]
        bright = float(tile.mean()) > 128
        if self._bright is not None and bright != self._bright:
            self._note(self._video_sent, self._video_ms, now)
        self._bright = bright

    @staticmethod
    def _note(sent: deque[float], found_ms: list[float], now: float) -> None:
        while sent and now - sent[0] > FOUND_WITHIN_S:
            sent.popleft()
        if sent:
            found_ms.append((now - sent.popleft()) * 1000.0)

    def figures(self) -> dict[str, float | int]:
        """Percentiles of what was found."""
        figures: dict[str, float | int] = {}
        for kind, found in (("audio", self._audio_ms), ("video", self._video_ms)):
            if found:
                figures[f"{kind}_added_latency_ms_p50"] = round(float(np.percentile(found, 50)), 1)
                figures[f"{kind}_added_latency_ms_p99"] = round(float(np.percentile(found, 99)), 1)
                figures[f"{kind}_marks"] = len(found)
        return figures
