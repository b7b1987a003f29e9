"""What passes and is not stored: levels, quality, and what rooms are asked to send.

All three go out as ephemeral events; the same numbers answer REST. Everything is read from plain
counters at the pace somebody can look at it, never in the media path.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from mcu.api.services import LineQuality, LiveReading, Receives
from mcu.conference.service import Conferences
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.video_requests import SourceRequest
from mcu.legs.leg import Leg, LegStatistics, StreamName
from mcu.operations.minutes import Minutes
from mcu.rooms.lines import Lines
from mcu.rooms.quality import line_quality
from mcu.rooms.redundancy import tune_redundancy
from mcu.rooms.turns import Turns

LEVELS_INTERVAL_S = 0.25
REQUESTS_INTERVAL_S = 0.5
QUALITY_INTERVAL_S = 2.0
LINES_INTERVAL_S = 1.0
REQUESTS_REPEAT_S = 10.0
"""A room that opened its event stream late learns what it is asked for within this time."""


TURN_S = 0.02
"""Legs are read a few at a time: all 145 at once would take half an audio tick."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was read of one leg in its turn, and its quality as events carry it."""

    reading: LegStatistics
    quality: LineQuality
    document: dict[str, object]

    @classmethod
    def of(cls, readings: list[LegStatistics], receives: Receives | None) -> "_Taken":
        """The worst of some legs."""
        quality = replace(line_quality(readings), receives=receives)
        return cls(readings[0], quality, asdict(quality))

    def refused(self) -> "_Taken":
        """The same, with pictures that are not shown."""
        quality = replace(self.quality, refused="too_large")
        return _Taken(self.reading, quality, asdict(quality))


class LivePublisher:
    """Takes the readings of all conferences and publishes them."""

    def __init__(self, engine: Engine, lines: Lines | None = None) -> None:
        self.lines = lines or Lines()
        self.minutes = Minutes()
        """What reports will tell of the rooms."""
        self._engine = engine
        self._conferences: Conferences
        self._levels: dict[str, Mapping[str, float]] = {}
        self._speakers: dict[str, frozenset[str]] = {}
        self._visible: dict[str, frozenset[str]] = {}
        self._quality: dict[str, dict[str, LineQuality]] = {}
        self._asked: dict[str, dict[tuple[str, StreamName], SourceRequest]] = {}
        self._instead: dict[str, dict[tuple[str, StreamName], SourceRequest]] = {}
        self._turns: Turns[tuple[ConferenceMedia, Leg]] = Turns(LINES_INTERVAL_S, TURN_S)
        self._taken: dict[str, _Taken] = {}
        self._pictures: dict[str, tuple[int, bool]] = {}
        self._next = dict.fromkeys(("levels", "requests", "quality", "repeat"), 0.0)

    def attach(self, conferences: Conferences) -> None:
        """Where to publish."""
        self._conferences = conferences

    def ask(self, conference: str, participant: str, request: SourceRequest | None) -> None:
        """Ask a room for another picture than the layout shows (a readiness check); None: no more.

        It hears of it within ``REQUESTS_INTERVAL_S``.
        """
        instead = self._instead.setdefault(conference, {})
        if request is None:
            instead.pop((participant, "video"), None)
        else:
            instead[participant, "video"] = request
        if not instead:
            del self._instead[conference]

    # The timer

    def handle_timer(self, now: float) -> None:
        """Take and publish the readings that are due; to be called every ``TURN_S`` or so.

        Cost: a fiftieth of the legs are read, 50 µs each; O(participants) of less at most 4 times
        a second.
        """
        for media, leg in self._turns.take(self._all_legs, now):
            self._take(media, leg, now)
        if self._due("levels", LEVELS_INTERVAL_S, now):
            self._publish_levels()
        if self._due("quality", QUALITY_INTERVAL_S, now):
            self._publish_quality()
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
            self.minutes.heard(conference, speakers, LEVELS_INTERVAL_S)
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

    def _all_legs(self) -> list[tuple[ConferenceMedia, Leg]]:
        """At the beginning of a round; what was taken of legs that have gone is forgotten."""
        legs = [
            (media, leg)
            for media in self._engine.conferences.values()
            for leg in media.legs.values()
        ]
        known = {leg.id for _, leg in legs}
        self.lines.keep(known)
        self._taken = {leg: one for leg, one in self._taken.items() if leg in known}
        self._pictures = {leg: one for leg, one in self._pictures.items() if leg in known}
        return legs

    def _take(self, media: ConferenceMedia, leg: Leg, now: float) -> None:
        if leg.id not in media.legs:
            return
        reading = leg.statistics(now)
        video = reading.received.get("video")
        packets = 0 if video is None else video.packets
        before, _ = self._pictures.get(leg.id, (0, False))
        self._pictures[leg.id] = packets, packets > before
        self.lines.take(media, leg, reading, now)
        self._taken[leg.id] = _Taken.of([reading], self.lines.receives(media, leg.id))

    def _publish_quality(self) -> None:
        for conference, media in self._engine.conferences.items():
            taken: dict[str, list[_Taken]] = {}
            readings = []
            for leg in media.legs.values():
                one = self._taken.get(leg.id)
                if one is not None:
                    readings.append(one.reading)
                    if leg.participant is not None:
                        taken.setdefault(leg.participant, []).append(one)
            tune_redundancy(media.audio, readings)
            refused = {who for who, _ in media.video.statistics().too_large}
            worst = {who: _worst(legs) for who, legs in taken.items()}
            worst |= {who: worst[who].refused() for who in refused & worst.keys()}
            self._quality[conference] = {who: one.quality for who, one in worst.items()}
            for who, one in worst.items():
                self._note(conference, who, one.quality)
            if worst:
                self._conferences.publish_ephemeral(
                    "quality.measured",
                    conference,
                    {"quality": {who: one.document for who, one in worst.items()}},
                )

    def _note(self, conference: str, participant: str, quality: LineQuality) -> None:
        receives = quality.receives
        self.minutes.measured(
            conference,
            participant,
            loss_percent=quality.loss_percent,
            jitter_ms=quality.jitter_ms,
            round_trip_ms=quality.round_trip_ms,
            height=None if receives is None else receives.height,
        )

    def _publish_requests(self) -> None:
        for conference, media in self._engine.conferences.items():
            wanted = {**media.video.source_requests(), **self._instead.get(conference, {})}
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

    def dark(self, conference: str) -> frozenset[str]:
        """Who sends no pictures, by what came between the last two readings.

        A leg that was not read yet counts as one that sends. Cost: O(legs).
        """
        media = self._engine.conferences.get(conference)
        if media is None:
            return frozenset()
        sends: dict[str, bool] = {}
        for leg in media.legs.values():
            if leg.participant is not None:
                _, flows = self._pictures.get(leg.id, (0, True))
                has = "video" in leg.sources and flows
                sends[leg.participant] = sends.get(leg.participant, False) or has
        return frozenset(who for who, has in sends.items() if not has)

    def media_ended(self, media: ConferenceMedia) -> None:
        """Forget a conference's readings."""
        for readings in (self._levels, self._speakers, self._visible, self._quality, self._asked):
            readings.pop(media.conference, None)
        self._instead.pop(media.conference, None)
        self._turns.forget(lambda one: one[0] is media)


def _worst(legs: Sequence[_Taken]) -> _Taken:
    """What an operator should be told of a participant: nearly always it has one leg."""
    if len(legs) == 1:
        return legs[0]
    received = [one.quality.receives for one in legs if one.quality.receives is not None]
    worst = min(received, key=lambda one: one.bitrate_bps, default=None)
    return _Taken.of([one.reading for one in legs], worst)
