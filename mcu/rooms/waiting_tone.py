"""What a room hears while it waits to be let in: two quiet notes now and then."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_HZ: Final = 48_000
TICK_SAMPLES: Final = 960
NOTES_HZ: Final = (523.25, 659.25)
NOTE_S: Final = 0.4
EVERY_S: Final = 6.0
AMPLITUDE: Final = 2_600.0
"""About -22 dBFS: heard, and no fright."""


def _phrase() -> NDArray[np.int16]:
    """The notes, each fading in and out, whole ticks long."""
    time = np.arange(round(NOTE_S * SAMPLE_HZ)) / SAMPLE_HZ
    shape = np.sin(np.pi * time / NOTE_S) * AMPLITUDE
    notes = [np.sin(2 * np.pi * hz * time) * shape for hz in NOTES_HZ]
    return np.concatenate(notes).astype(np.int16)


PHRASE: Final = _phrase()


class WaitingTone:
    """A source of ``play_to``; one for each who waits. O(1) a tick."""

    def __init__(self) -> None:
        self._began: float | None = None

    def __call__(self, now: float) -> NDArray[np.int16] | None:
        """The next tick, int16 (960,), 48 kHz; None: silence."""
        if self._began is None:
            self._began = now
        tick = round(((now - self._began) % EVERY_S) / 0.02)
        block = PHRASE[tick * TICK_SAMPLES : (tick + 1) * TICK_SAMPLES]
        return block if len(block) == TICK_SAMPLES else None
