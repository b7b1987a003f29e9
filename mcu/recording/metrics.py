"""Figures of the recordings for ``/metrics``: what an alarm outside of this server looks at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

END_REASONS = ("stopped", "ended", "disk_full", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class RecordingReading:
    """As of now.

    Args:
        running: recordings. free_bytes: left on their disk; None: it cannot be asked.
        dropped: pieces left out since the daemon began. ended: by reason, since then.
    """

    running: int = 0
    free_bytes: int | None = None
    dropped: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)


class RecordingCollector(Collector):
    """Families of the recordings; every reason is there from the beginning."""

    def __init__(self, reading: Callable[[], RecordingReading]) -> None:
        self._reading = reading

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All families."""
        now = self._reading()
        yield GaugeMetricFamily("mcu_recordings", "Recordings that run", now.running)
        if now.free_bytes is not None:
            yield GaugeMetricFamily(
                "mcu_recordings_free_bytes", "Free space on the disk of recordings", now.free_bytes
            )
        yield CounterMetricFamily(
            "mcu_recordings_dropped",
            "Pictures and packets of sound left out as the disk did not keep up",
            now.dropped,
        )
        ended = CounterMetricFamily("mcu_recordings_ended", "Recordings ended", labels=["reason"])
        for reason in END_REASONS:
            ended.add_metric([reason], now.ended.get(reason, 0))
        yield ended
