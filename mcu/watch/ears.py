"""One room's sound on its way to the detectors: what came from it beside what it was sent."""

from typing import Final

from mcu.engine.taps import Sound
from mixer.audio.block import SILENCE

MAX_TICKS: Final = 250
"""Five seconds wait at most for detectors that are behind; then the oldest are given up."""


class Ears:
    """Keeps the ticks of both directions in step; blocks are kept as they are, not copied."""

    def __init__(self) -> None:
        self._returned: list[Sound] = []
        self._sent: list[Sound] = []
        self._waiting: Sound | None = None

    def heard(self, samples: Sound, now: float) -> None:
        """See ``SoundObserver``; comes before ``sent`` of the same tick."""
        if self._waiting is not None:
            self._add(self._waiting, SILENCE)
        self._waiting = samples

    def sent(self, samples: Sound, now: float) -> None:
        """See ``ReturnObserver``."""
        returned, self._waiting = self._waiting, None
        if returned is not None:
            self._add(returned, samples)

    def take(self) -> tuple[list[Sound], list[Sound]]:
        """What came since the last call: returned, and sent."""
        taken = self._returned, self._sent
        self._returned, self._sent = [], []
        return taken

    def _add(self, returned: Sound, sent: Sound) -> None:
        self._returned.append(returned)
        self._sent.append(sent)
        if len(self._sent) > MAX_TICKS:
            del self._returned[0], self._sent[0]
