"""What passes and is not stored: levels, quality, what rooms are asked to send, and metrics.

Levels, quality and requests go out as ephemeral events; the same numbers answer REST and
Prometheus. Everything is read from plain counters at the pace somebody can look at it, never in
the media path.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from mcu.api.services import LineQuality, LiveReading
from mcu.conference.service import Conferences
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.ticks import TickSchedule
from mcu.engine.video_requests import SourceRequest
from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.leg import Leg, LegStatistics, StreamName
from mcu.media.port import MediaPort
from mcu.metrics import MediaReading, TickReading
from mcu.rooms.quality import line_quality
from mixer.codecs.opus import DEFAULT_EXPECTED_LOSS

LEVELS_INTERVAL_S = 0.25
REQUESTS_INTERVAL_S = 0.5
QUALITY_INTERVAL_S = 2.0
REQUESTS_REPEAT_S = 10.0
"""A room that opened its event stream late learns what it is asked for within this time."""

MAX_EXPECTED_LOSS = 0.3
"""Beyond this more redundancy takes more from the sound than it saves."""

QUANTILES = {"0.5": 50.0, "0.99": 99.0, "1": 100.0}
_COUNTERS = ("packets", "bytes")


class Readings:
    """Takes readings and publishes them.

    Args:
        kernel_drops: datagrams the kernel threw away, or None where unknown.
    """

    def __init__(
        self,
        engine: Engine,
        acceptor: WebRtcAcceptor,
        port: MediaPort,
        *,
        kernel_drops: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._acceptor = acceptor
        self._port = port
        self._kernel_drops = kernel_drops
        self._conferences: Conferences
        self._levels: dict[str, Mapping[str, float]] = {}
        self._speakers: dict[str, frozenset[str]] = {}
        self._visible: dict[str, frozenset[str]] = {}
        self._quality: dict[str, dict[str, LineQuality]] = {}
        self._asked: dict[str, dict[tuple[str, StreamName], SourceRequest]] = {}
        self._next = {"levels": 0.0, "requests": 0.0, "quality": 0.0, "repeat": 0.0}
        self._gone_legs: Counter[tuple[str, str]] = Counter()
        self._gone_stages: Counter[tuple[str, str]] = Counter()
        self._gone_skipped = 0
        self._gone_unusable: Counter[str] = Counter()

    def attach(self, conferences: Conferences) -> None:
        """Where to publish."""
        self._conferences = conferences

    # The timer

    def next_timer(self) -> float:
        """When ``handle_timer`` has something to do."""
        return min(self._next.values())

    def handle_timer(self, now: float) -> None:
        """Take and publish the readings that are due. Cost: O(participants) at most 4 a second."""
        if self._due("levels", LEVELS_INTERVAL_S, now):
            self._publish_levels()
        if self._due("quality", QUALITY_INTERVAL_S, now):
            self._publish_quality(now)
        if self._due("repeat", REQUESTS_REPEAT_S, now):
            self._asked.clear()
        if self._due("requests", REQUESTS_INTERVAL_S, now):
            self._publish_requests()

    def _due(self, reading: str, interval_s: float, now: float) -> bool:
        if now < self._next[reading]:
            return False
        self._next[reading] = now + interval_s
        return True

    def _publish_levels(self) -> None:
        for conference, media in self._engine.conferences.items():
            levels, speakers = media.levels, media.speakers
            self._levels[conference] = levels
            self._speakers[conference] = frozenset(speakers)
            self._visible[conference] = media.visible()
            if media.legs:
                self._conferences.publish_ephemeral(
                    "levels.measured",
                    conference,
                    {
                        "levels": {who: round(level, 1) for who, level in levels.items()},
                        "speakers": list(speakers),
                        "visible": sorted(self._visible[conference]),
                    },
                )

    def _publish_quality(self, now: float) -> None:
        for conference, media in self._engine.conferences.items():
            legs = [(leg.participant, leg.statistics(now)) for leg in media.legs.values()]
            media.audio.expect_loss(_listeners_loss(reading for _, reading in legs))
            quality = self._quality[conference] = _qualities(legs)
            if quality:
                self._conferences.publish_ephemeral(
                    "quality.measured",
                    conference,
                    {"quality": {who: asdict(line) for who, line in quality.items()}},
                )

    def _publish_requests(self) -> None:
        for conference, media in self._engine.conferences.items():
            wanted = dict(media.video.source_requests())
            before = self._asked.get(conference, {})
            self._asked[conference] = wanted
            changed: dict[str, dict[str, object]] = {}
            for (participant, source), request in wanted.items():
                if before.get((participant, source)) != request:
                    changed.setdefault(participant, {})[source] = asdict(request)
            if changed:
                # One event for all rooms, cut for each: one for each would flood every reader.
                self._conferences.publish_ephemeral(
                    "sources.requested", conference, {"requests": changed}
                )

    # LiveReadings

    def live(self, conference: str, participant: str) -> LiveReading:
        """See ``mcu.api.services.LiveReadings``."""
        return LiveReading(
            level_db=self._levels.get(conference, {}).get(participant),
            speaking=participant in self._speakers.get(conference, ()),
            visible=participant in self._visible.get(conference, ()),
            quality=self._quality.get(conference, {}).get(participant, LineQuality()),
        )

    # What is gone still counts

    def leg_left(self, leg: Leg) -> None:
        """Keep a leg's counters, which otherwise would go with it."""
        self._gone_legs.update(_traffic([leg.statistics(0.0)]))

    def media_ended(self, media: ConferenceMedia) -> None:
        """Keep a conference's counters, and forget its readings."""
        self._gone_stages.update(_stages(media))
        self._gone_skipped += media.video.statistics().counters.ticks_skipped
        self._gone_unusable.update(_unusable(media))
        for readings in (self._levels, self._speakers, self._visible, self._quality, self._asked):
            readings.pop(media.conference, None)

    # MediaReadings

    def media_reading(self) -> MediaReading:
        """See ``mcu.metrics.MediaReadings``."""
        medias = list(self._engine.conferences.values())
        audio = [media.audio.statistics() for media in medias]
        video = [media.video.statistics() for media in medias]
        legs = list(self._acceptor.legs.values())
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
            ticks={
                "audio": _ticks(self._engine.audio_clock),
                "video": _ticks(self._engine.video_clock),
            },
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
            frames_skipped=self._gone_skipped + sum(one.counters.ticks_skipped for one in video),
        )

    def _dropped(self, statistics: Sequence[LegStatistics]) -> Mapping[str, int]:
        dropped = self._port.dropped + self._acceptor.dropped + self._gone_unusable
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


def _qualities(legs: Iterable[tuple[str | None, LegStatistics]]) -> dict[str, LineQuality]:
    by_participant: dict[str, list[LegStatistics]] = {}
    for participant, reading in legs:
        if participant is not None:
            by_participant.setdefault(participant, []).append(reading)
    return {who: line_quality(readings) for who, readings in by_participant.items()}


def _listeners_loss(legs: Iterable[LegStatistics]) -> float:
    """Share of packets that the worse-off listeners lose, for which Opus' FEC is tuned.

    One encoder serves all, so the worst tenth is looked after: the bits cost the others little.
    """
    losses = sorted(leg.sent["audio"].fraction_lost for leg in legs if "audio" in leg.sent)
    worse = losses[int(len(losses) * 0.9)] if losses else 0.0
    return min(MAX_EXPECTED_LOSS, max(DEFAULT_EXPECTED_LOSS, worse))


def _unusable(media: ConferenceMedia) -> Counter[str]:
    """Authentic packets and pictures that a conference's mixers could make nothing of."""
    audio, video = media.audio.statistics(), media.video.statistics().counters
    return Counter(
        audio_payload=audio.bad_payloads,
        audio_time=audio.suspects,
        video_payload=video.decode_errors,
        video_rate=video.frames_over_rate,
    )


def _ticks(clock: TickSchedule) -> TickReading:
    statistics = clock.statistics
    return TickReading(
        total=statistics.ticks,
        late=statistics.late,
        missed=statistics.missed,
        lateness_s={
            name: statistics.lateness_ms(percent) / 1000.0 for name, percent in QUANTILES.items()
        },
    )


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
