"""Which rendition of a view a leg gets: the best one its codec, level and line allow.

Renditions come in a few fixed rungs, so that legs of like means share one encoder.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mcu.legs.leg import StreamCodec
from mixer.codecs.h264 import macroblocks

HEIGHTS = (1080, 720, 360, 180)
REDUCED = 0.6
"""Each size has a second rung of this part of its bit rate."""

RATE_EXPONENT = 0.75
"""Bits grow slower than pixels."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One size and rate a view may be encoded in."""

    width: int
    height: int
    bitrate_bps: int


def rungs(width: int, height: int, bitrate_bps: int) -> Iterator[Rung]:
    """All rungs of a view, best first; the first is the view as it is composed."""
    sizes = [(width, height)]
    sizes += [(2 * round(width * low / height / 2), low) for low in HEIGHTS if low < height]
    for across, down in sizes:
        rate = bitrate_bps * (across * down / (width * height)) ** RATE_EXPONENT
        for part in (1.0, REDUCED):
            yield Rung(across, down, max(10_000, round(rate * part / 10_000) * 10_000))


def choose_rung(
    codec: StreamCodec,
    *,
    width: int,
    height: int,
    fps: int,
    bitrate_bps: int,
    limit_bps: int | None = None,
) -> Rung:
    """The best rung a peer can take.

    Args:
        codec: what was negotiated; its limits bound size and macroblocks a second.
        limit_bps: what the line carries, where that is known.
    Returns: the lowest rung where even that is too much: something is better than nothing.
    """
    limits = [limit for limit in (codec.max_bitrate_bps, limit_bps) if limit]
    best = None
    for rung in rungs(width, height, bitrate_bps):
        best = rung
        if _fits(codec, rung, fps) and all(rung.bitrate_bps <= limit for limit in limits):
            return rung
    if best is None:
        raise ValueError("a view has at least one rung")
    return best


def _fits(codec: StreamCodec, rung: Rung, fps: int) -> bool:
    if codec.max_width and rung.width > codec.max_width:
        return False
    if codec.max_height and rung.height > codec.max_height:
        return False
    if not codec.max_fps:
        return True
    if codec.max_width and codec.max_height:
        # A level bounds macroblocks a second: a smaller picture may come more often.
        budget = macroblocks(codec.max_width, codec.max_height) * codec.max_fps
        return macroblocks(rung.width, rung.height) * fps <= budget
    return fps <= codec.max_fps
