"""The same text as the library makes in one go, in slices."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeHistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mcu.exposition import PART_SAMPLES, SLICE_S, exposition


class Sizes(Collector):
    def collect(self) -> Iterator[Metric]:
        family = GaugeHistogramMetricFamily("sizes", "A gauge histogram", labels=["of"])
        for name in ("a", "b"):
            family.add_metric([name], buckets=[("1.0", 1), ("+Inf", 2)], gsum_value=3)
        yield family


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Sizes())
    Gauge("alone", 'One line,\ntwo lines and a \\ "quote"', registry=registry).set(1.5)
    Counter("none", "No series yet", ["route"], registry=registry)
    seconds = Histogram("seconds", "Many lines", ["route"], registry=registry)
    for number in range(2 * PART_SAMPLES):
        seconds.labels(f'/đường/"{number}"\\').observe(number / 10)
    return registry


async def test_it_is_what_the_library_says(registry: CollectorRegistry) -> None:
    assert await exposition(registry) == generate_latest(registry)


async def turns(registry: CollectorRegistry, part_s: float) -> int:
    """Turns of the loop it takes when the clock goes on so far between two looks at it."""
    clock = itertools.count(0.0, part_s)
    making = asyncio.create_task(exposition(registry, lambda: next(clock)))
    count = 0
    while not making.done():
        count += 1
        await asyncio.sleep(0)
    assert await making == generate_latest(registry)
    return count


async def test_others_have_their_turn_after_every_slice(registry: CollectorRegistry) -> None:
    lines = len(generate_latest(registry).splitlines())
    slow, quick, at_once = [await turns(registry, SLICE_S * x) for x in (1.0, 0.5, 0.0)]
    assert slow >= lines / PART_SAMPLES / 2  # the lines that the library puts apart are one part
    assert quick == pytest.approx(slow / 2, abs=3)
    assert at_once <= 3
