"""The media plane's totals for the metrics; what is gone still counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from mcu.api.services import LoadStatus
from mcu.conference.service import Conferences
from mcu.engine import ticks
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.video_statistics import VideoStatistics
from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.leg import Leg, LegStatistics
from mcu.legs.sip import SipLeg
from mcu.media.port import MediaPort
from mcu.metrics import LoadReading, MediaReading, TickReading

_COUNTERS = ("packets", "bytes")


class CallLegs(Protocol):
    """Legs of calls; ``SipAcceptor`` is one."""

    legs: Mapping[str, SipLeg]
    dropped: Counter[str]


class _NoCalls:
    """Stands in where there are no calls."""

    def __init__(self) -> None:
        self.legs: Mapping[str, SipLeg] = {}
        self.dropped: Counter[str] = Counter()


class MediaTotals:
    """The metrics' ``MediaReadings``.

    Args:
        kernel_drops: datagrams the kernel threw away, or None where unknown.
        steps: how often legs went over to another rung, by direction; read, not kept.
        load: how loaded the machine is.
        calls: legs that are opened by calls.
    """

    def __init__(
        self,
        engine: Engine,
        acceptor: WebRtcAcceptor,
        port: MediaPort,
        *,
        kernel_drops: Callable[[], int | None] = lambda: None,
        steps: Mapping[str, int] | None = None,
        load: Callable[[], LoadStatus] = LoadStatus,
        calls: CallLegs | None = None,
    ) -> None:
        self._calls = calls or _NoCalls()
        self._load = load
        self._steps = {} if steps is None else steps
        self._engine = engine
        self._acceptor = acceptor
        self._port = port
        self._kernel_drops = kernel_drops
        self._conferences: Conferences
        self._gone_legs: Counter[tuple[str, str]] = Counter()
        self._gone_stages: Counter[tuple[str, str]] = Counter()
        self._gone_skipped = self._gone_left_out = 0
        self._gone_unusable: Counter[str] = Counter()

    def attach(self, conferences: Conferences) -> None:
        """Whose participants are counted."""
        self._conferences = conferences

    # What is gone still counts

    def leg_left(self, leg: Leg) -> None:
        """Keep a leg's counters, which otherwise would go with it."""
        self._gone_legs.update(_traffic([leg.statistics(0.0)]))

    def media_ended(self, media: ConferenceMedia) -> None:
        """Keep a conference's counters."""
        self._gone_stages.update(_stages(media))
        counters = media.video.statistics().counters
        self._gone_skipped += counters.ticks_skipped
        self._gone_left_out += counters.frames_left_out
        self._gone_unusable.update(_unusable(media))

    # MediaReadings

    def media_reading(self) -> MediaReading:
        """See ``mcu.metrics.MediaReadings``."""
        medias = list(self._engine.conferences.values())
        audio = [media.audio.statistics() for media in medias]
        video = [media.video.statistics() for media in medias]
        legs: list[Leg] = [*self._acceptor.legs.values(), *self._calls.legs.values()]
        statistics = [leg.statistics(0.0) for leg in legs]
        traffic = self._gone_legs + _traffic(statistics)
        stages = Counter(self._gone_stages)
        for media in medias:
            stages.update(_stages(media))
        return MediaReading(
            conferences=len(medias),
            legs=Counter((leg.state, leg.kind) for leg in legs),
            participants=Counter(
                participant.presence
                for state in self._conferences.running()
                for participant in state.participants.values()
            ),
            ticks={clock: _ticks(one) for clock, one in self._engine.ticks().items()},
            renditions={
                "audio": sum(one.renditions for one in audio),
                "video": sum(one.renditions for one in video),
            },
            encoders={
                "audio": sum(one.encoders for one in audio),
                "video": sum(one.encoders for one in video),
            },
            decoders={
                "audio": sum(one.decoders for one in audio),
                "video": sum(one.decoders for one in video),
            },
            packets_received=_of(traffic, "received packets"),
            packets_sent=_of(traffic, "sent packets"),
            bytes_received=_of(traffic, "received bytes"),
            bytes_sent=_of(traffic, "sent bytes"),
            packets_lost=_of(traffic, "received packets_lost"),
            dropped=self._dropped(statistics),
            stage_seconds=stages,
            rungs=_rungs(video),
            steps=dict(self._steps),
            video_restarts=self._engine.video_restarts,
            video_hangs=self._engine.video_hangs,
            load=_load(self._load()),
            frames_left_out=self._gone_left_out
            + sum(one.counters.frames_left_out for one in video),
            frames_skipped=self._gone_skipped + sum(one.counters.ticks_skipped for one in video),
        )

    def _dropped(self, statistics: Sequence[LegStatistics]) -> Mapping[str, int]:
        dropped = self._port.dropped + self._acceptor.dropped + self._gone_unusable
        dropped += self._calls.dropped
        for one in statistics:
            dropped.update(one.dropped)
        for media in self._engine.conferences.values():
            dropped += _unusable(media)
        if self._engine.faults:
            dropped["tick_fault"] = self._engine.faults
        kernel = self._kernel_drops()
        if kernel is not None:
            dropped["kernel_buffer"] = kernel
        return dropped


def _unusable(media: ConferenceMedia) -> Counter[str]:
    """Authentic packets and pictures that a conference's mixers could make nothing of."""
    audio, video = media.audio.statistics(), media.video.statistics().counters
    return Counter(
        audio_payload=audio.bad_payloads,
        audio_time=audio.suspects,
        video_payload=video.decode_errors,
        video_rate=video.frames_over_rate,
        video_level=video.frames_over_level,
        video_cost=video.frames_over_budget,
    )


def _load(status: LoadStatus) -> LoadReading:
    return LoadReading(
        level=status.level,
        given_up=status.given_up,
        view_fps=status.view_fps,
        processors=status.processors,
        loop=status.loop,
        cores=status.cores,
        refused=status.refused,
    )


def _rungs(video: Iterable[VideoStatistics]) -> dict[str, int]:
    """Renditions of all conferences by size and rate."""
    rungs: Counter[str] = Counter()
    for one in video:
        rungs.update(one.rungs)
    return rungs


def _ticks(reading: ticks.TickReading) -> TickReading:
    lateness = {f"{percent / 100:g}": one for percent, one in reading.lateness_s.items()}
    return TickReading(reading.ticks, reading.late, reading.missed, lateness)


def _traffic(legs: Sequence[LegStatistics]) -> Counter[tuple[str, str]]:
    """(what, kind) → count, of all streams of some legs."""
    traffic: Counter[tuple[str, str]] = Counter()
    for leg in legs:
        for direction, streams in (("received", leg.received), ("sent", leg.sent)):
            for stream, one in streams.items():
                kind = "audio" if stream == "audio" else "video"
                for counter in _COUNTERS:
                    traffic[f"{direction} {counter}", kind] += getattr(one, counter)
                if direction == "received":
                    traffic["received packets_lost", kind] += max(0, one.packets_lost)
    return traffic


def _of(traffic: Counter[tuple[str, str]], what: str) -> dict[str, int]:
    return {kind: traffic[what, kind] for kind in ("audio", "video")}


def _stages(media: ConferenceMedia) -> dict[tuple[str, str], float]:
    audio = media.audio.statistics()
    stages = {
        ("audio", "decode"): audio.decode_s,
        ("audio", "mix"): audio.mix_s,
        ("audio", "encode"): audio.encode_s,
    }
    for stage, seconds in media.video.statistics().seconds.items():
        stages["video", stage] = seconds
    return stages
