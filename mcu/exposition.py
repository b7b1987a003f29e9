"""The text that Prometheus reads, made a few lines at a time.

A line costs 10 us and more, and an installation that has used all its addresses once has some
thousand lines of them alone: in one go that is a tick of sound late.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

SLICE_S: Final = 0.001
"""After so long others have their turn."""
PART_SAMPLES: Final = 32
"""Lines that are made in one go."""
_APART: Final = ("_created", "_gsum", "_gcount")
"""Endings of samples that the library writes as families of their own, behind the others."""


async def exposition(
    registry: CollectorRegistry, clock: Callable[[], float] = time.perf_counter
) -> bytes:
    """All families of a registry; each is read in one moment, not all of them in the same one.

    Args:
        clock: seconds.
    """
    text: list[bytes] = []
    began = clock()
    for metric in registry.collect():
        for number, part in enumerate(_parts(metric)):
            lines = generate_latest(_Only(part))
            text.append(lines if number == 0 else _without_heading(lines))
            if clock() - began >= SLICE_S:
                await asyncio.sleep(0)
                began = clock()
    return b"".join(text)


class _Only(Collector):
    """A registry of one family."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        yield self._metric


def _parts(metric: Metric) -> Iterator[Metric]:
    """A family in parts, at least one."""
    apart = tuple(metric.name + ending for ending in _APART)
    ordinary = [sample for sample in metric.samples if sample.name not in apart]
    for start in range(0, max(1, len(ordinary)), PART_SAMPLES):
        yield _part(metric, ordinary[start : start + PART_SAMPLES])
    if len(ordinary) < len(metric.samples):
        yield _part(metric, [sample for sample in metric.samples if sample.name in apart])


def _part(metric: Metric, samples: Sequence[Sample]) -> Metric:
    part = Metric(metric.name, metric.documentation, metric.type, metric.unit)
    part.samples = list(samples)
    return part


def _without_heading(lines: bytes) -> bytes:
    """Without HELP and TYPE, which are a line each."""
    return lines.split(b"\n", 2)[2]
