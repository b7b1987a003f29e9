"""Alarms for Prometheus: plain counts, no names."""

from collections import Counter
from collections.abc import Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mcu.conference.alarm_model import AlarmKind
from mcu.conference.service import Conferences
from mcu.watch.watcher import Watcher


class AlarmCollector(Collector):
    """Families of the alarms; every kind is there from the beginning."""

    def __init__(self, watcher: Watcher, conferences: Conferences) -> None:
        self._watcher = watcher
        self._conferences = conferences

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All families."""
        kinds = get_args(AlarmKind)
        lasting = Counter(
            alarm.kind
            for state in self._conferences.running()
            for alarm in state.alarms
            if alarm.open
        )
        now = GaugeMetricFamily("mcu_alarms", "Alarms that last", labels=["kind"])
        raised = CounterMetricFamily("mcu_alarms_raised", "Alarms raised so far", labels=["kind"])
        counts = self._watcher.raised()
        for kind in kinds:
            now.add_metric([kind], lasting[kind])
            raised.add_metric([kind], counts[kind])
        yield now
        yield raised
        watched = GaugeMetricFamily(
            "mcu_alarms_watched", "Rooms listened to or looked at for alarms", labels=["what"]
        )
        for what, count in zip(("sound", "picture"), self._watcher.watched(), strict=True):
            watched.add_metric([what], count)
        yield watched
        unwatched = GaugeMetricFamily(
            "mcu_alarms_unwatched_seconds",
            "Time since the room was listened to or looked at that has waited longest",
            labels=["what"],
        )
        for what, seconds in zip(("sound", "picture"), self._watcher.unwatched_s(), strict=True):
            unwatched.add_metric([what], seconds)
        yield unwatched
