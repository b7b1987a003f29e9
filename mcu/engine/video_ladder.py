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

AUDIO_ONLY_BPS = 0
"""As a limit: no rung at all."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One size and rate a view may be encoded in."""

    width: int
    height: int
    bitrate_bps: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}@{self.bitrate_bps // 1000}k"


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
    allowed = allowed_rungs(codec, width=width, height=height, fps=fps, bitrate_bps=bitrate_bps)
    fitting = (one for one in allowed if not limit_bps or one.bitrate_bps <= limit_bps)
    return next(fitting, allowed[-1])


def allowed_rungs(
    codec: StreamCodec, *, width: int, height: int, fps: int, bitrate_bps: int
) -> tuple[Rung, ...]:
    """The rungs a peer can take at all, best first; the lowest of all where none is low enough."""
    found = list(rungs(width, height, bitrate_bps))
    limit = codec.max_bitrate_bps
    allowed = [
        rung
        for rung in found
        if _fits(codec, rung, fps) and (not limit or rung.bitrate_bps <= limit)
    ]
    return tuple(allowed or found[-1:])


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
