"""How much redundancy the sound carries: as much as its listeners lose."""

from collections.abc import Iterable

from mcu.engine.audio import AudioMixer
from mcu.legs.leg import LegStatistics
from mixer.codecs.opus import DEFAULT_EXPECTED_LOSS

MAX_EXPECTED_LOSS = 0.3
"""Beyond this more redundancy takes more from the sound than it saves."""


def tune_redundancy(audio: AudioMixer, legs: Iterable[LegStatistics]) -> None:
    """Fit the in-band FEC of a conference's Opus encoders to what its listeners report."""
    audio.expect_loss(listeners_loss(legs))


def listeners_loss(legs: Iterable[LegStatistics]) -> float:
    """Share of packets that the worse-off listeners lose, for which Opus' FEC is tuned.

    One encoder serves all, so the worst tenth is looked after: the bits cost the others little.
    """
    losses = sorted(leg.sent["audio"].fraction_lost for leg in legs if "audio" in leg.sent)
    worse = losses[int(len(losses) * 0.9)] if losses else 0.0
    return min(MAX_EXPECTED_LOSS, max(DEFAULT_EXPECTED_LOSS, worse))
