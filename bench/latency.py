"""How long the MCU holds a sound and a picture: marks are sent by one leg and found by another.

A mark in sound is a burst of a pitch that speech here does not have; a mark in pictures is a
change of brightness of the whole picture. There are five of each in a second, and which pitch or
brightness it is says which mark it is, so that a lost one spoils no other. Both are timed from
the moment their first packet is handed to the sender's socket to the moment the kernel had the
packet that completes them for the receiver, so the figures are what the daemon adds (loopback's
share is microseconds), jitter buffer and tick waiting included, coding delay of the sender
excluded.
"""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from bench.generator_leg import GeneratorLeg
from bench.media import CodedPictures, coded_flashes, coded_marks

PITCHES_HZ = (4_500.0, 5_200.0, 5_900.0, 6_600.0, 7_300.0)
MARK_LEVEL = 0.02
BRIGHTNESS = (40, 80, 120, 160, 200)
BRIGHTNESS_TOLERANCE = 16.0
FOUND_WITHIN_S = 1.0
"""Then the same pitch or brightness comes again: a server a second late is beyond this probe, and
shows in fewer marks, packets and pictures than were due."""


def picture_mark(picture: av.VideoFrame) -> int | None:
    """Which of ``BRIGHTNESS`` stands in the first slot (upper left of a 4×4 picture), if any."""
    plane = picture.planes[0]
    luma = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
    height, width = picture.height, picture.width
    tile = luma[height // 16 : height // 6, width // 16 : width // 5]
    away = np.abs(np.asarray(BRIGHTNESS) - float(tile.mean()))
    which = int(away.argmin())
    return which if away[which] <= BRIGHTNESS_TOLERANCE else None


class Marks:
    """When marks were sent, and how long each took."""

    def __init__(self) -> None:
        self.found_ms: list[float] = []
        self._sent: dict[int, float] = {}

    def sent(self, which: int, now: float) -> None:
        """A mark's first packet goes to the socket."""
        self._sent[which] = now

    def found(self, which: int, now: float) -> None:
        """The packet that completes it has come."""
        sent_at = self._sent.get(which)
        if sent_at is not None and 0.0 <= now - sent_at < FOUND_WITHIN_S:
            del self._sent[which]
            self.found_ms.append((now - sent_at) * 1000.0)


class LatencyProbe:
    """Sends marks on one leg and finds them on another."""

    def __init__(self) -> None:
        self.audio, self.video = Marks(), Marks()
        self._pitches: frozenset[int] = frozenset()
        self._brightness: int | None = None
        window = np.arange(960) * (2j * np.pi / 48_000)
        self._references = np.exp(-np.outer(PITCHES_HZ, window)) / 960

    def attach(self, leg: GeneratorLeg, pictures: CodedPictures | None) -> None:
        """Let a leg send the marks: its sound, and its pictures where it has any."""
        leg.sound = coded_marks(PITCHES_HZ)
        leg.on_mark_audio = self.audio.sent
        if pictures is not None:
            leg.pictures = coded_flashes(BRIGHTNESS)
            leg.on_mark_video = self.video.sent

    def reset(self) -> None:
        """Forget what was found so far."""
        self.audio.found_ms.clear()
        self.video.found_ms.clear()

    def audio_received(self, block: NDArray[np.int16], now: float) -> None:
        """Look for the beginning of a burst in one decoded block."""
        # Not a matrix product: BLAS would let threads spin for it, on the cores that are measured.
        levels = np.abs((self._references * (block / 32768.0)).sum(axis=1)) * 2
        heard = frozenset(np.flatnonzero(levels > MARK_LEVEL).tolist())
        for which in heard - self._pitches:
            self.audio.found(which, now)
        self._pitches = heard

    def picture_received(self, picture: av.VideoFrame, now: float) -> None:
        """Look for a change of brightness in the first slot."""
        which = picture_mark(picture)
        if which is None:
            return
        if self._brightness is not None and which != self._brightness:
            self.video.found(which, now)
        self._brightness = which

    def figures(self) -> dict[str, Any]:
        """Percentiles of what was found, ms, and all of it (``marks_ms``); empty without marks."""
        figures: dict[str, Any] = {}
        for kind, found in (("audio", self.audio.found_ms), ("video", self.video.found_ms)):
            if not found:
                continue
            for percent in (50, 95, 99):
                value = round(float(np.percentile(found, percent)), 1)
                figures[f"{kind}_added_latency_ms_p{percent}"] = value
            figures[f"{kind}_added_latency_ms_max"] = round(max(found), 1)
            figures[f"{kind}_marks"] = len(found)
            figures.setdefault("marks_ms", {})[kind] = [round(one, 1) for one in found]
        return figures
