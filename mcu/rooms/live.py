"""What passes and is not stored: levels, quality, and what rooms are asked to send.

All three go out as ephemeral events; the same numbers answer REST. Everything is read from plain
counters at the pace somebody can look at it, never in the media path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from mcu.api.services import LineQuality, LiveReading, Receives
from mcu.conference.service import Conferences
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.video_requests import SourceRequest
from mcu.legs.leg import LegStatistics, StreamName
from mcu.rooms.lines import Lines
from mcu.rooms.quality import line_quality
from mcu.rooms.redundancy import tune_redundancy

LEVELS_INTERVAL_S = 0.25
REQUESTS_INTERVAL_S = 0.5
QUALITY_INTERVAL_S = 2.0
LINES_INTERVAL_S = 1.0
REQUESTS_REPEAT_S = 10.0
"""A room that opened its event stream late learns what it is asked for within this time."""


class LivePublisher:
    """Takes the readings of all conferences and publishes them."""

    def __init__(self, engine: Engine, lines: Lines | None = None) -> None:
        self.lines = lines or Lines()
        self._engine = engine
        self._conferences: Conferences
        self._levels: dict[str, Mapping[str, float]] = {}
        self._speakers: dict[str, frozenset[str]] = {}
        self._visible: dict[str, frozenset[str]] = {}
        self._quality: dict[str, dict[str, LineQuality]] = {}
        self._asked: dict[str, dict[tuple[str, StreamName], SourceRequest]] = {}
        self._next = dict.fromkeys(("levels", "lines", "requests", "quality", "repeat"), 0.0)

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
        if self._due("lines", LINES_INTERVAL_S, now):
            self.lines.handle_timer(self._engine.conferences.values(), now)
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
            legs = [
                (leg.participant, leg.statistics(now), self.lines.receives(media, leg.id))
                for leg in media.legs.values()
            ]
            tune_redundancy(media.audio, [reading for _, reading, _ in legs])
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

    def media_ended(self, media: ConferenceMedia) -> None:
        """Forget a conference's readings."""
        for readings in (self._levels, self._speakers, self._visible, self._quality, self._asked):
            readings.pop(media.conference, None)


def _qualities(
    legs: Iterable[tuple[str | None, LegStatistics, Receives | None]],
) -> dict[str, LineQuality]:
    by_participant: dict[str, list[LegStatistics]] = {}
    receives: dict[str, Receives] = {}
    for participant, reading, received in legs:
        if participant is None:
            continue
        by_participant.setdefault(participant, []).append(reading)
        worst = receives.get(participant)
        if received and (worst is None or received.bitrate_bps < worst.bitrate_bps):
            receives[participant] = received
    return {
        who: replace(line_quality(readings), receives=receives.get(who))
        for who, readings in by_participant.items()
    }
