"""What a room's sound shows, worked out when all of it was heard: a function of arrays.

It runs in a pool, as it takes some tens of milliseconds for each room; while sound comes it is
only kept.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from mcu.readiness.measurements import SoundMeasured
from mixer.audio.block import SAMPLE_RATE_HZ, TICK_SAMPLES, Int16Block
from mixer.audio.resample import Downsampler
from mixer.detect.clipping import HOP, KEPT, ClippingWatch
from mixer.detect.echo_search import LEAST_FRAMES, RATE_HZ, Likeness
from mixer.detect.probe import RETURN_S, ProbeSearch, probe
from mixer.detect.speech_level import SpeechLevel

PROBE_TICKS = len(probe()) // TICK_SAMPLES + round(RETURN_S * SAMPLE_RATE_HZ / TICK_SAMPLES)
"""So long from its beginning is a probe looked for."""
LOUD_POWER = 32_768.0**2 * 10**-4.5
"""-45 dBov."""
LOUD_SHARE = 10**-1.5
"""15 dB below the loudest: what rings after a beep is no part of it."""
SPOKEN_SHARE = 0.15
"""Ceilings are believed of what is loud for so much of the time that was looked at: short beeps
have one without being overdriven, and of a word or two any ceiling is one by chance."""
_FACTOR = SAMPLE_RATE_HZ // RATE_HZ
_STEP = RATE_HZ // 100


def measure_sound(ticks: Sequence[Int16Block], probes: Iterable[int]) -> SoundMeasured:
    """Measure what came from one room.

    Args:
        ticks: int16 (960,), 48 kHz mono, one for each tick, in order.
        probes: in which tick each test tone began to be sent.
    Cost: about 40 ms for 20 s and two probes.
    """
    if not ticks:
        return SoundMeasured()
    sound: Int16Block = np.concatenate(ticks)
    meter = SpeechLevel()
    meter.take(sound)
    level = meter.reading()
    narrow = Downsampler(_FACTOR).process(sound)
    found = [
        one
        for one in (_search(narrow, at) for at in probes if at + PROBE_TICKS <= len(ticks))
        if one.frames >= LEAST_FRAMES
    ]
    # One return proves an echo; its absence is proved by all that could be compared.
    worst = max(
        found, key=lambda one: (one.kind == "echo", one.kind != "none", one.score), default=None
    )
    heard = worst is not None and worst.kind != "none"
    return SoundMeasured(
        seconds=len(sound) / SAMPLE_RATE_HZ,
        level_dbov=level.active_dbov,
        activity=level.activity,
        clipped=_clipped(narrow),
        echo=None if worst is None else worst.kind,
        echo_delay_ms=worst.delay_ms if worst is not None and heard else None,
        echo_level_db=worst.level_db if worst is not None and heard else None,
    )


def _search(narrow: np.ndarray[tuple[int], np.dtype[np.float32]], tick: int) -> Likeness:
    search = ProbeSearch()
    begin = tick * TICK_SAMPLES // _FACTOR
    search.take(narrow[begin : begin + PROBE_TICKS * TICK_SAMPLES // _FACTOR])
    return search.likeness()


def _clipped(narrow: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float | None:
    """Share of looks that found a ceiling, one for each window in which enough was spoken."""
    watch = ClippingWatch()
    looks = []
    for begin in range(0, len(narrow), HOP):
        watch.take(narrow[begin : begin + HOP])
        found = watch.found()
        if found is not None and _loud(narrow[: begin + HOP][-KEPT * HOP :]) >= SPOKEN_SHARE:
            looks.append(found.ceiling >= 1.0)
    return sum(looks) / len(looks) if looks else None


def _loud(narrow: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    """Share of its hundredths of a second that are loud, by themselves and beside the others."""
    steps = narrow[: len(narrow) // _STEP * _STEP].reshape(-1, _STEP)
    power = np.square(steps).mean(axis=1)
    least = max(LOUD_POWER, LOUD_SHARE * float(np.quantile(power, 0.99)))
    return float((power > least).mean())
