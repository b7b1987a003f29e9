"""What the video side of a conference counts, and where its time goes."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from mcu.legs.leg import StreamName

Stage = Literal["decode", "scale", "compose", "encode"]
STAGES: tuple[Stage, ...] = ("decode", "scale", "compose", "encode")


@dataclass(slots=True)
class VideoCounters:
    """Counted on the loop's thread since the conference began.

    Args:
        ticks: frame intervals in which a view had to be composed or encoded, per view.
        ticks_skipped: of these, those left out because work before them still ran.
        frames_dropped: coded pictures of sources that were not decoded (backlog, no key frame).
        frames_over_rate: of these, those of a source that sent more than any camera does.
        frames_over_level: of these, those larger than is agreed on with anybody.
        frames_over_budget: of these, those of a source that took too much of the decoders.
        frames_left_out: further ones, not given to a video process that did not keep up.
    """

    ticks: int = 0
    ticks_skipped: int = 0
    frames_composed: int = 0
    tiles_painted: int = 0
    frames_encoded: int = 0
    key_frames_encoded: int = 0
    encodes_skipped: int = 0
    encode_errors: int = 0
    compose_errors: int = 0
    frames_received: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    frames_over_rate: int = 0
    frames_over_level: int = 0
    frames_over_budget: int = 0
    frames_left_out: int = 0
    decode_errors: int = 0
    key_frames_asked: int = 0

    def plus(self, other: "VideoCounters") -> "VideoCounters":
        """The sum, counter by counter."""
        return VideoCounters(
            *(getattr(self, one.name) + getattr(other, one.name) for one in fields(self))
        )


@dataclass(frozen=True, slots=True)
class VideoStatistics:
    """A reading.

    Args:
        encoders: open encoders; decoders: open decoders. renditions: made and not yet dropped.
        rungs: these by size and rate (``1280x720@1500k``).
        too_large: participants and streams that are wanted and not shown, as their pictures are
            larger than is agreed on with anybody.
        seconds: work time per stage, all workers together. Scaling that happens while a view
            is composed is in ``scale`` and in ``compose``.
    """

    encoders: int = 0
    decoders: int = 0
    renditions: int = 0
    sources: int = 0
    viewers: int = 0
    rungs: Mapping[str, int] = field(default_factory=dict)
    too_large: frozenset[tuple[str, StreamName]] = frozenset()
    counters: VideoCounters = field(default_factory=VideoCounters)
    seconds: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    def counted_since(self, before: "VideoStatistics") -> "VideoStatistics":
        """This reading with what an earlier process counted added."""
        return replace(
            self,
            counters=self.counters.plus(before.counters),
            seconds={stage: self.seconds[stage] + before.seconds[stage] for stage in STAGES},
        )


@dataclass(slots=True)
class StageClock:
    """Adds up work time from several threads."""

    seconds: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def measure(self, stage: Stage) -> "_Measuring":
        """Measure a block of work on a worker thread: ``with clock.measure("scale"): ...``"""
        return _Measuring(self, stage)

    def add(self, stage: Stage, seconds: float) -> None:
        """Work took so long."""
        with self._lock:
            self.seconds[stage] += seconds

    def reading(self) -> dict[Stage, float]:
        """A copy of the sums."""
        with self._lock:
            return dict(self.seconds)


class _Measuring:
    """One block of work; some thousand a second, so not made by ``contextlib``."""

    __slots__ = ("_began", "_clock", "_stage")

    def __init__(self, clock: StageClock, stage: Stage) -> None:
        self._clock = clock
        self._stage = stage
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *failure: object) -> None:
        self._clock.add(self._stage, time.perf_counter() - self._began)
