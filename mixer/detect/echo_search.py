"""Echo: the delay and level with which a room returns what it was sent.

The sound sent to a room and the sound it returns are compared by generalised cross-correlation
with phase transform (Knapp and Carter 1976) in short frames that are summed up. Every frame counts
the same however loud it is, so the pauses of who speaks in the room are used to the full.

A room that hears the same programme as the others, or sits beside one of them, returns what was
sent as well, but not later than it was sent: that is told apart by the delay. Where the same
programme comes to the room by a slower way (another broadcaster's delay of 15 to 500 ms), its sound
alone cannot be told from an echo; it stops when the programme is taken out of the mix.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

RATE_HZ = 8_000
FRAME = 2_048
"""Samples of the return that are compared at once: 256 ms."""
HOP = FRAME // 2
LATEST = 4_096
EARLIEST = 1_536
"""Delays looked for: from 192 ms before it was sent to 512 ms after it."""
_SEGMENT = LATEST + FRAME + EARLIEST
_SIZE = 8_192
_STRETCH = 128
"""Power of what was sent is kept for each 16 ms."""

ECHO_FROM_MS = 15.0
"""No path through a network, two codecs and a jitter buffer is shorter."""
SCORE = 8.0
"""From here on a likeness is one: in standard deviations of what the other delays give."""
HALF_SCORE = 4.0
"""... and of each half of the frames by itself, at the same delay."""
SAME_MS = 1.5
DISTINCT = 1.35
"""Peaks further than ``REFLECTIONS_MS`` away must be so much lower; tones that two sounds share
make a comb of equal ones."""
REFLECTIONS_MS = 30.0
LEAST_FRAMES = 8
"""About a second in which something was sent."""

_SENT_DBOV = -55.0
_RETURNED_DBOV = -90.0
_LOWEST_HZ, _HIGHEST_HZ = 200.0, 3_500.0
_GATE_BEFORE, _GATE_AFTER = 16, 240
_FULL_SCALE = 32_768.0**2

Samples = npt.NDArray[np.float32]
"""(samples,) at RATE_HZ, in int16 units."""
_Spectrum = npt.NDArray[np.complex64]

_HZ = np.fft.rfftfreq(_SIZE, 1 / RATE_HZ)
_BAND = ((_HZ > _LOWEST_HZ) & (_HZ < _HIGHEST_HZ)).astype(np.float32)
_IN_BAND = slice(int(_BAND.argmax()), len(_BAND) - int(_BAND[::-1].argmax()))
_WINDOW = np.hanning(FRAME).astype(np.float32)
_WEIGHTS = _WINDOW.reshape(-1, _STRETCH).mean(axis=1)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How what was returned is like what was sent.

    Args:
        kind: ``echo``; ``shared``: the same sound, but not by way of here; ``none``.
        delay_ms: of the return after the sending, codecs and jitter buffers included.
        level_db: of the return of it against what was sent; -6 is loud, -40 faint.
        score: standard deviations above chance.
        frames: how many were compared; below LEAST_FRAMES nothing is known.
    """

    kind: Literal["echo", "shared", "none"]
    delay_ms: float
    level_db: float
    score: float
    frames: int


class EchoSearch:
    """Compares one room's return with what was sent to it; some seconds are enough."""

    def __init__(self) -> None:
        self._sent: Samples = np.zeros(0, np.float32)
        self._returned: Samples = np.zeros(0, np.float32)
        self._whitened = np.zeros((2, _SIZE // 2 + 1), np.complex64)
        self._cross = np.zeros(_SIZE // 2 + 1, np.complex64)
        self._power = np.zeros(_SIZE // 2 + 1, np.float32)
        self._energy = np.zeros((LATEST + EARLIEST) // _STRETCH + 1)
        self._position = 0
        self.frames = 0
        """Compared so far."""

    def take(self, sent: Samples, returned: Samples) -> None:
        """Take the next samples of both.

        Args:
            sent: what was encoded for the room. returned: what was decoded from it in the same
                time. Both at RATE_HZ, of one length, any number of samples.
        Raises:
            ValueError: lengths differ.
        Cost: 0.15 ms for each HOP (128 ms).
        """
        if len(sent) != len(returned):
            raise ValueError(f"{len(sent)} samples sent, {len(returned)} returned")
        self._sent = np.concatenate((self._sent, sent), dtype=np.float32)
        self._returned = np.concatenate((self._returned, returned), dtype=np.float32)
        while len(self._sent) >= _SEGMENT:
            self._compare(self._sent[:_SEGMENT], self._returned[LATEST : LATEST + FRAME] * _WINDOW)
            self._sent, self._returned = self._sent[HOP:], self._returned[HOP:]
            self._position += 1

    def likeness(self) -> Likeness:
        """What was found so far. Cost: 0.6 ms."""
        if self.frames < LEAST_FRAMES:
            return Likeness("none", 0.0, -np.inf, 0.0, self.frames)
        halves = [np.abs(_by_delay(half)) for half in self._whitened]
        peaks = np.abs(_by_delay(self._whitened.sum(axis=0)))
        best = int(peaks.argmax())
        score = _score(peaks, best)
        reflections = round(REFLECTIONS_MS * RATE_HZ / 1000)
        others = peaks.copy()
        others[max(0, best - reflections) : best + reflections + 1] = 0.0
        near = round(SAME_MS * RATE_HZ / 1000)
        agreed = min(
            _score(
                half,
                max(0, best - near) + int(half[max(0, best - near) : best + near + 1].argmax()),
            )
            for half in halves
        )
        delay_ms = (best - EARLIEST) * 1000 / RATE_HZ
        is_like = (
            score >= SCORE
            and agreed >= HALF_SCORE
            and peaks[best] >= DISTINCT * float(others.max())
        )
        if not is_like:
            return Likeness("none", delay_ms, -np.inf, score, self.frames)
        kind: Literal["echo", "shared"] = "echo" if delay_ms >= ECHO_FROM_MS else "shared"
        return Likeness(kind, delay_ms, self._level_db(best), score, self.frames)

    def _compare(self, sent: Samples, returned: Samples) -> None:
        if _level_dbov(sent) < _SENT_DBOV or _level_dbov(returned) < _RETURNED_DBOV:
            return
        before = np.fft.rfft(sent, _SIZE).astype(np.complex64, copy=False)
        after = np.fft.rfft(returned, _SIZE).astype(np.complex64, copy=False)
        cross = np.conj(before[_IN_BAND]) * after[_IN_BAND]
        # numpy's magnitude of complex numbers guards against overflow, for five times the time.
        magnitude = np.sqrt(np.square(cross.real) + np.square(cross.imag))
        self._whitened[self._position & 1, _IN_BAND] += cross / (magnitude + 1.0)
        self._cross[_IN_BAND] += cross
        self._power += np.square(before.real) + np.square(before.imag)
        stretches = np.square(sent).reshape(-1, _STRETCH).sum(axis=1)
        self._energy += np.convolve(stretches, _WEIGHTS, "valid")
        self.frames += 1

    def _level_db(self, best: int) -> float:
        """Power of what returns by the path around a delay, against that of what was sent."""
        power = self._power * _BAND
        # Of the segment, only what the frame's window lay over at this delay can have come back.
        late = LATEST + EARLIEST - best
        share = self._energy[late // _STRETCH] / max(float(self._power.mean()), 1.0)
        response = _by_delay(self._cross / (power + 1e-3 * power.max() + 1.0))
        found = _gated_power(response, best, power)
        apart = _GATE_BEFORE + _GATE_AFTER
        by_chance = [
            _gated_power(response, at, power)
            for at in range(apart, len(response) - apart, 2 * apart)
            if abs(at - best) > 2 * apart
        ]
        level = max(found - float(np.median(by_chance)), 0.1 * found) / (share * share)
        return 10.0 * float(np.log10(level))


def _gated_power(response: Samples, at: int, power: Samples) -> float:
    """Share of the power that passes by the path around one delay."""
    path = response[max(0, at - _GATE_BEFORE) : at + _GATE_AFTER]
    gain = np.square(np.abs(np.fft.rfft(path, _SIZE)))
    return float((gain * power).sum() / max(float(power.sum()), 1.0))


def _by_delay(spectrum: _Spectrum) -> npt.NDArray[np.float32]:
    """Correlation for each delay from -EARLIEST to LATEST, exclusive."""
    wrapped = np.fft.irfft(spectrum, _SIZE).astype(np.float32)
    # Delay d stands at d - LATEST, for the return's frame begins LATEST after the segment's.
    return np.roll(wrapped, LATEST + EARLIEST)[: LATEST + EARLIEST]


def _score(peaks: npt.NDArray[np.float32], at: int) -> float:
    """Height of a peak in standard deviations of the rest, which its outliers do not move."""
    spread = float(np.median(peaks)) / 0.6745
    return float(peaks[at]) / max(spread, 1e-9)


def _level_dbov(samples: Samples) -> float:
    power = float(np.dot(samples, samples)) / len(samples) / _FULL_SCALE
    return 10.0 * float(np.log10(max(power, 1e-13)))
