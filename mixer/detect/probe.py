"""The sound of a readiness check, and finding it in what a room returns.

A healthy room cancels what its loudspeaker plays, so a return that holds the probe is an echo; of
an endpoint that declares a loopback test it is the proof of the line both ways.

The probe is a row of short sweeps, each between two pitches of its own: like no voice, so it is
found among voices; in the band that every codec carries; in syllables, which noise suppression
lets pass; quiet enough for a room with people in it.
"""

from functools import cache

import numpy as np

from mixer.audio.block import SAMPLE_RATE_HZ, TICK_SAMPLES, Int16Block
from mixer.audio.resample import Downsampler
from mixer.detect.echo_search import FRAME, LATEST, RATE_HZ, EchoSearch, Likeness, Samples

SWEEPS = 12
SWEEP_S = 0.16
PAUSE_S = 0.04
LOWEST_HZ, HIGHEST_HZ = 350.0, 3_300.0
LEVEL_DBOV = -34.0
"""Some 8 dB below somebody who speaks."""
RETURN_S = 0.6
"""So long after its end is the probe looked for."""
_SEED = 5


@cache
def probe() -> Int16Block:
    """The sound to be sent, int16, 48 kHz, in whole ticks, 2.4 s; not to be written to."""
    rng = np.random.default_rng(_SEED)
    count = round(SWEEP_S * SAMPLE_RATE_HZ)
    t = np.arange(count) / SAMPLE_RATE_HZ
    shape = np.sin(np.pi * np.arange(count) / count) ** 0.5
    parts = []
    for _ in range(SWEEPS):
        low, high = rng.uniform(LOWEST_HZ, HIGHEST_HZ, 2)
        phase = 2 * np.pi * (low * t + (high - low) * t * t / (2 * SWEEP_S))
        parts += [np.sin(phase) * shape, np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ))]
    sound = np.concatenate(parts)
    sound *= 32_768.0 * 10 ** (LEVEL_DBOV / 20) / np.sqrt(np.square(sound).mean())
    block: Int16Block = np.rint(np.pad(sound, (0, -len(sound) % TICK_SAMPLES))).astype(np.int16)
    block.flags.writeable = False
    return block


class ProbeSearch:
    """Looks for one probe in what a room returns."""

    def __init__(self) -> None:
        self._search = EchoSearch()
        # What is found latest must have a whole segment around it.
        quiet = np.zeros(LATEST, np.float32)
        self._search.take(quiet, quiet)
        self._expected = _narrow_probe()
        self._at = 0

    @property
    def complete(self) -> bool:
        """All of the time in which it can come has been listened to."""
        return self._at >= len(self._expected)

    def take(self, returned: Samples) -> None:
        """Take the next samples from the moment on in which the probe began to be sent.

        Args:
            returned: float32, RATE_HZ, int16 units, any number; after the end they are left out.
        Cost: see ``EchoSearch``; 4 ms a probe.
        """
        sent = self._expected[self._at : self._at + len(returned)]
        self._at += len(sent)
        self._search.take(sent, returned[: len(sent)])

    def likeness(self) -> Likeness:
        """What was found; ``echo`` is the probe, with its delay and level."""
        return self._search.likeness()


@cache
def _narrow_probe() -> Samples:
    after = round(RETURN_S * RATE_HZ) + FRAME
    narrow = Downsampler(SAMPLE_RATE_HZ // RATE_HZ).process(probe())
    return np.concatenate((narrow, np.zeros(after, np.float32)))
