"""Levels of sources whose packets carry none, so that their rooms can become speakers.

G.711 is read by a table, G.722 is looked at coarsely, both for all sources in one go. Only what may
be speech and needs a decoder is decoded, a few sources in each tick, which take turns.
"""

from collections import deque
from collections.abc import Sequence

from mcu.engine.audio_source import AudioSource, measure_some
from mixer.audio.level import SILENCE_DBOV
from mixer.codecs.coarse_level import SPEECH_SCALE, g711_levels, g722_scales
from mixer.codecs.g711 import Law


def measure_levels(sources: deque[AudioSource], budget: int, now: float) -> int:
    """Measure what came since the last tick; gives how many decodes it took.

    Args:
        sources: all without levels; those decoded go to the end of the line.
        budget: decodes at most.
    """
    fresh = [one for one in sources if one.unmeasured is not None and not one.playout.playing]
    _measure_g711(fresh, "pcma", now)
    _measure_g711(fresh, "pcmu", now)
    _pass_over_g722([one for one in fresh if one.codec == "g722"], now)
    candidates = [one for one in fresh if one.unmeasured is not None]
    looked_at, measured = measure_some(candidates, budget, now)
    for one in candidates[:looked_at]:
        one.unmeasured = None
        sources.remove(one)
        sources.append(one)
    return measured


def _measure_g711(fresh: Sequence[AudioSource], law: Law, now: float) -> None:
    these = [one for one in fresh if one.codec == law]
    if not these:
        return
    levels = g711_levels(law, [one.unmeasured or b"" for one in these])
    for one, level in zip(these, levels.tolist(), strict=True):
        one.take_level(level, now)


def _pass_over_g722(fresh: Sequence[AudioSource], now: float) -> None:
    """Those whose codes say that nobody speaks are silent without being decoded."""
    if not fresh:
        return
    payloads = [one.unmeasured or b"" for one in fresh]
    scales = g722_scales(payloads, [one.scale for one in fresh]).tolist()
    for one, scale in zip(fresh, scales, strict=True):
        one.scale = scale
        if scale < SPEECH_SCALE:
            one.take_level(SILENCE_DBOV, now)
