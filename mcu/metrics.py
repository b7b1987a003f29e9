"""What Prometheus reads: HTTP counted as it happens, media read when asked.

The media plane has no metric objects: it keeps plain numbers, and a collector reads them once per
scrape through ``MediaReadings``. Each ``Metrics`` has a registry of its own, so that two daemons
in one process (tests) do not meet.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mcu.collector import PAUSES, Pause
from mcu.exposition import exposition

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
HTTP_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class TickReading:
    """One clock (``audio`` or ``video``) since the daemon began.

    Args:
        total: steps done. late: begun late. missed: left out. All counters.
        lateness_s: quantile (``"0.5"``, ``"0.99"``, ``"1"``) → how late the recent steps began.
    """

    total: int = 0
    late: int = 0
    missed: int = 0
    lateness_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadReading:
    """How loaded the machine is.

    Args:
        level: of ``LEVELS``. given_up: of ``GIVEN``.
        view_fps: pictures a second of all views. processors: part of ``cores`` that is used.
        loop: part of one processor that the thread of packets uses.
        refused: cause → rooms that were refused, counter.
    """

    level: str = "none"
    given_up: Sequence[str] = ()
    view_fps: int = 0
    processors: float = 0.0
    loop: float = 0.0
    cores: float = 0.0
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MediaReading:
    """Everything of the media plane at one moment; counters grow from the daemon's start.

    Args:
        conferences: running now.
        legs: (state, kind) → legs now, for example ``("connected", "join")``.
        participants: state → participants now, of all running conferences.
        ticks: clock (``audio``, ``video``) → reading.
        renditions, encoders, decoders: kind (``audio``, ``video``) → how many exist now.
        packets_received, packets_sent, bytes_received, bytes_sent: kind → counter.
        packets_lost: kind → lost on the way to us, counter.
        dropped: reason → datagrams and packets not used, counter.
        stage_seconds: (kind, stage) → processor seconds spent, counter, for example
            ``("video", "encode")``.
        rungs: size and rate (``1280x720@1500k``) → video renditions now.
        steps: ``down`` or ``up`` → how often a leg went over to another rung, counter.
        frames_skipped: video frame intervals left out because the one before still ran, counter.
        frames_left_out: coded pictures not given to a video process that did not keep up, counter.
        video_restarts: how often a video process had ended and was started again, counter.
        video_hangs: of these, how often it was ended because it hung, counter.
        load: how loaded the machine is, and what is given up for it.
    """

    conferences: int = 0
    legs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    participants: Mapping[str, int] = field(default_factory=dict)
    ticks: Mapping[str, TickReading] = field(default_factory=dict)
    renditions: Mapping[str, int] = field(default_factory=dict)
    encoders: Mapping[str, int] = field(default_factory=dict)
    decoders: Mapping[str, int] = field(default_factory=dict)
    packets_received: Mapping[str, int] = field(default_factory=dict)
    packets_sent: Mapping[str, int] = field(default_factory=dict)
    bytes_received: Mapping[str, int] = field(default_factory=dict)
    bytes_sent: Mapping[str, int] = field(default_factory=dict)
    packets_lost: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    stage_seconds: Mapping[tuple[str, str], float] = field(default_factory=dict)
    rungs: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)
    frames_skipped: int = 0
    frames_left_out: int = 0
    video_restarts: int = 0
    video_hangs: int = 0
    load: LoadReading = field(default_factory=LoadReading)


class MediaReadings(Protocol):
    """The media plane as the metrics see it."""

    def media_reading(self) -> MediaReading:
        """Read now, on the loop's thread; called once per scrape, so O(legs) is fine."""


LEVELS: Final = ("none", "strained", "overloaded")
GIVEN: Final = ("view-rate", "small-renditions", "small-slots")

_KIND_GAUGES: Final = (
    ("renditions", "Encodings that exist now, each shared by its legs"),
    ("encoders", "Encoders that run now"),
    ("decoders", "Decoders that run now"),
)
_KIND_COUNTERS: Final = (
    ("packets_received", "RTP packets received"),
    ("packets_sent", "RTP packets sent"),
    ("bytes_received", "RTP payload bytes received"),
    ("bytes_sent", "RTP payload bytes sent"),
    ("packets_lost", "RTP packets lost on the way to the MCU"),
)


class MediaCollector(Collector):
    """Turns one ``MediaReading`` into metric families at scrape time."""

    def __init__(self, readings: MediaReadings) -> None:
        self._readings = readings

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not read the media plane."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """All families of one reading."""
        reading = self._readings.media_reading()
        yield GaugeMetricFamily(
            "mcu_conferences", "Conferences that run now", value=reading.conferences
        )
        legs = GaugeMetricFamily("mcu_legs", "Media connections now", labels=["state", "kind"])
        for (state, kind), count in reading.legs.items():
            legs.add_metric([state, kind], count)
        yield legs
        people = GaugeMetricFamily("mcu_participants", "Participants now", labels=["state"])
        for state, count in reading.participants.items():
            people.add_metric([state], count)
        yield people
        for name, text in _KIND_GAUGES:
            gauge = GaugeMetricFamily(f"mcu_{name}", text, labels=["kind"])
            for kind, count in getattr(reading, name).items():
                gauge.add_metric([kind], count)
            yield gauge
        for name, text in _KIND_COUNTERS:
            counter = CounterMetricFamily(f"mcu_{name}", text, labels=["kind"])
            for kind, count in getattr(reading, name).items():
                counter.add_metric([kind], count)
            yield counter
        yield from _ladder(reading)
        yield from _load(reading.load)
        yield from _drops_and_stages(reading)
        yield from _ticks(reading)


def _ladder(reading: MediaReading) -> Iterator[Metric]:
    rungs = GaugeMetricFamily(
        "mcu_video_rungs", "Video renditions now, by size and rate", labels=["rung"]
    )
    for rung, count in reading.rungs.items():
        rungs.add_metric([rung], count)
    yield rungs
    steps = CounterMetricFamily(
        "mcu_line_steps",
        "How often a leg's picture was made smaller (down) or larger (up) for its line",
        labels=["direction"],
    )
    for direction in ("down", "up"):
        steps.add_metric([direction], reading.steps.get(direction, 0))
    yield steps


def _load(load: LoadReading) -> Iterator[Metric]:
    level = GaugeMetricFamily(
        "mcu_load_level", "1 at the present level of load, 0 at the others", labels=["level"]
    )
    for name in LEVELS:
        level.add_metric([name], float(load.level == name))
    yield level
    given = GaugeMetricFamily(
        "mcu_given_up", "1 for what of the pictures is given up for the load", labels=["what"]
    )
    for name in GIVEN:
        given.add_metric([name], float(name in load.given_up))
    yield given
    yield GaugeMetricFamily("mcu_view_fps", "Pictures a second of all views", value=load.view_fps)
    yield GaugeMetricFamily(
        "mcu_processors", "Processors the daemon may use: affinity and quotas", value=load.cores
    )
    used = GaugeMetricFamily(
        "mcu_processors_used",
        "Processor time over the last second: of all processes as part of mcu_processors, and of "
        "the thread of packets as part of one",
        labels=["by"],
    )
    used.add_metric(["all"], load.processors)
    used.add_metric(["loop"], load.loop)
    yield used
    refused = CounterMetricFamily(
        "mcu_legs_refused", "Connections refused, by cause", labels=["cause"]
    )
    for cause, count in load.refused.items():
        refused.add_metric([cause], count)
    yield refused


def _drops_and_stages(reading: MediaReading) -> Iterator[Metric]:
    drops = CounterMetricFamily(
        "mcu_dropped", "Datagrams and packets not used, by reason", labels=["reason"]
    )
    for reason, count in reading.dropped.items():
        drops.add_metric([reason], count)
    yield drops
    stages = CounterMetricFamily(
        "mcu_stage_seconds", "Time spent in each media stage", labels=["kind", "stage"]
    )
    for (kind, stage), seconds in reading.stage_seconds.items():
        stages.add_metric([kind, stage], seconds)
    yield stages
    yield CounterMetricFamily(
        "mcu_frames_skipped",
        "Video frame intervals left out because the one before still ran",
        value=reading.frames_skipped,
    )
    yield CounterMetricFamily(
        "mcu_frames_left_out",
        "Coded pictures not given to a video process that did not keep up",
        value=reading.frames_left_out,
    )
    yield CounterMetricFamily(
        "mcu_video_process_hangs",
        "How often a video process was ended because it hung",
        value=reading.video_hangs,
    )
    yield CounterMetricFamily(
        "mcu_video_process_restarts",
        "How often a video process had ended and was started again",
        value=reading.video_restarts,
    )


def _ticks(reading: MediaReading) -> Iterator[Metric]:
    total = CounterMetricFamily("mcu_ticks", "Steps of the media clocks", labels=["clock"])
    late = CounterMetricFamily("mcu_ticks_late", "Steps begun late", labels=["clock"])
    missed = CounterMetricFamily("mcu_ticks_missed", "Steps left out", labels=["clock"])
    lateness = GaugeMetricFamily(
        "mcu_tick_lateness_seconds",
        "How late the recent steps began, by quantile",
        labels=["clock", "quantile"],
    )
    for clock, ticks in reading.ticks.items():
        total.add_metric([clock], ticks.total)
        late.add_metric([clock], ticks.late)
        missed.add_metric([clock], ticks.missed)
        for quantile, seconds in ticks.lateness_s.items():
            lateness.add_metric([clock, quantile], seconds)
    yield from (total, late, missed, lateness)


class TaskCollector(Collector):
    """Counts the loop's tasks when scraped; what piles up there is a leak no memory shows early."""

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: there may be no loop yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One gauge. Cost: O(tasks)."""
        yield GaugeMetricFamily(
            "mcu_tasks", "Tasks of the event loop now", value=len(asyncio.all_tasks())
        )


class PauseCollector(Collector):
    """What Python's cycle collector cost: everything of this process stands still meanwhile."""

    def __init__(self, reading: Callable[[], Mapping[int, Pause]]) -> None:
        self._reading = reading

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Three families, by generation."""
        count = CounterMetricFamily(
            "mcu_collections", "Collections of objects in cycles", labels=["generation"]
        )
        seconds = CounterMetricFamily(
            "mcu_collection_seconds", "Time they took", labels=["generation"]
        )
        longest = GaugeMetricFamily(
            "mcu_collection_longest_seconds", "The longest one so far", labels=["generation"]
        )
        for generation, pause in self._reading().items():
            count.add_metric([str(generation)], pause.count)
            seconds.add_metric([str(generation)], pause.total_s)
            longest.add_metric([str(generation)], pause.longest_s)
        yield from (count, seconds, longest)


class Metrics:
    """The registry of one app.

    Args:
        readings: the media plane. further: collectors of other parts.
        process: also the process's own figures (memory, files, tasks), for which the exposition
            is made on a running loop.
    """

    def __init__(
        self, readings: MediaReadings, further: Iterable[Collector] = (), *, process: bool = True
    ) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)
            self.registry.register(TaskCollector())
            self.registry.register(PauseCollector(PAUSES.reading))
        self.registry.register(MediaCollector(readings))
        for collector in further:
            self.registry.register(collector)
        self._requests = Counter(
            "mcu_http_requests",
            "HTTP requests by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "mcu_http_request_seconds",
            "Time to the end of the answer; event streams are not in it",
            ["method", "route"],
            buckets=HTTP_BUCKETS_S,
            registry=self.registry,
        )
        self._streams = Gauge(
            "mcu_event_streams", "Open event streams", ["transport"], registry=self.registry
        )

    def request_done(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count one answer; ``route`` is the pattern, never the address, so series stay few.

        ``seconds`` None: an answer without a meaningful length (event streams).
        """
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def stream_opened(self, transport: str) -> None:
        """An event stream (``sse``, ``websocket``) begins."""
        self._streams.labels(transport).inc()

    def stream_closed(self, transport: str) -> None:
        """An event stream is over."""
        self._streams.labels(transport).dec()

    async def exposition(self) -> bytes:
        """The text that Prometheus reads (``CONTENT_TYPE``); others have their turn meanwhile."""
        return await exposition(self.registry)
