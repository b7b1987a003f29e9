"""Watching the rooms of one conference: hangs on the media's taps, asks the rules, notes changes.

On the loop's thread. Detectors for sound run in a pool, one piece of work at a time; pictures come
as some rows, five a second from few rooms. A tenth of the rooms is judged every tenth of a second,
so that no tick waits for all 145.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from config.alarms_section import AlarmSettings
from mcu.conference.alarm_model import AlarmKind, Detail
from mcu.conference.alarms import expected_to_speak, in_focus
from mcu.conference.state import ConferenceState, Participant
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.pool import Pool
from mcu.engine.taps import End
from mcu.legs.leg import Leg
from mcu.watch.clock_drift import ClockDrift
from mcu.watch.ears import Ears
from mcu.watch.levels import LevelWatch
from mcu.watch.picture import NONE_S, PictureReading, PictureWatch
from mcu.watch.rounds import Rounds
from mcu.watch.rules import AlarmBook, Change, rules_of
from mcu.watch.sound import SoundReading, SoundWatch

STEP_S: Final = 0.1
PARTS: Final = 10
"""A room is judged once in so many steps."""
SOUND_STEPS: Final = 6
"""So many steps until all who are listened to were looked through, some in each: all in one step
would hold a core for 30 ms, and sound and pictures wait meanwhile on a machine of two."""
CHOOSE_S: Final = 1.0
UNHEARD_S: Final = 2.0
"""A room of which nothing at all has come for so long, not even reports, may soon be lost."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Listened:
    """A room whose sound is listened to."""

    ears: Ears
    watch: SoundWatch
    drift: ClockDrift
    ends: tuple[End, End]
    reading: SoundReading = field(default_factory=SoundReading)
    searched_at: float = float("-inf")

    def end(self) -> None:
        for end in self.ends:
            end()


@dataclass(slots=True)
class _Looked:
    """A room whose pictures are looked at."""

    watch: PictureWatch
    end: End
    glimpse: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A change, and what was measured."""

    change: Change
    detail: Detail


class ConferenceWatch:
    """One conference; ``close`` in ``finally``.

    Args:
        loss: percent of packets lost by a participant, both ways; None: not known.
    """

    def __init__(
        self,
        state: ConferenceState,
        media: ConferenceMedia,
        settings: AlarmSettings,
        pool: Pool,
        loss: Callable[[str], float | None],
        now: float,
    ) -> None:
        self.media = media
        self.book = AlarmBook(rules_of(settings))
        self._settings = settings
        self._lane = pool.lane()
        self._loss = loss
        self._levels = LevelWatch()
        self._end_levels = media.observe_levels(self._levels)
        self._listened: dict[str, _Listened] = {}
        self._looked: dict[str, _Looked] = {}
        self._hearing = Rounds(settings.rooms_at_once, settings.turn_s, settings.round_s)
        # A room that sends nothing must be looked at until that is an alarm.
        dead_s = NONE_S + settings.black_after_s + 2 * CHOOSE_S
        self._seeing = Rounds(
            settings.pictures_at_once,
            settings.turn_s,
            settings.round_s,
            max(0.0, dead_s - settings.turn_s),
        )
        self._codecs: dict[str, dict[str, str]] = {}
        """Stream → codec, of each room, as they were first."""
        self._codecs_now: dict[str, dict[str, str]] = {}
        self._legs: dict[str, list[Leg]] = {}
        self._expected: dict[str, float] = {}
        self._part = 0
        self._next_choice = now
        for alarm in state.alarms:
            if alarm.open:
                self.book.adopt(alarm.participant, alarm.kind, now)

    @property
    def listened(self) -> int:
        """Rooms whose sound is listened to now."""
        return len(self._listened)

    @property
    def looked(self) -> int:
        """Rooms whose pictures are looked at now."""
        return len(self._looked)

    @property
    def unwatched_s(self) -> tuple[float, float]:
        """How long the room has waited that was listened to, or looked at, longest ago."""
        return self._hearing.longest_s, self._seeing.longest_s

    def close(self) -> None:
        """Look at nothing any more. Idempotent."""
        self._end_levels()
        for heard in self._listened.values():
            heard.end()
        for seen in self._looked.values():
            seen.end()
        self._listened.clear()
        self._looked.clear()
        self._lane.close()

    def step(self, state: ConferenceState, now: float, *, strained: bool = False) -> list[Found]:
        """Look at some rooms; to be called every STEP_S. Cost: 0.2 ms with 145 rooms.

        Args:
            strained: the machine is full: nothing is decoded for alarms alone.
        """
        if now >= self._next_choice:
            self._next_choice = now + CHOOSE_S
            self._choose(state, now, strained)
        self._detect(now)
        expected = expected_to_speak(state)
        self._expected = {who: self._expected.get(who, now) for who in expected}
        self._part = (self._part + 1) % PARTS
        lasting: dict[str, set[AlarmKind]] = {}
        for alarm in state.alarms:
            if alarm.open:
                lasting.setdefault(alarm.participant, set()).add(alarm.kind)
        found: list[Found] = []
        for place, who in enumerate(state.participants.values()):
            if place % PARTS == self._part or who.id in expected:
                self.book.agree(who.id, lasting.get(who.id, ()), now)
                values, details = self._values(state, who, now)
                for change in self.book.take(who.id, values, now):
                    found.append(Found(change, details.get(change.kind, {})))
        found += [Found(change, {}) for change in self.book.keep(state.participants)]
        return found

    # What is measured

    def _values(
        self, state: ConferenceState, who: Participant, now: float
    ) -> tuple[dict[AlarmKind, float | None], dict[AlarmKind, Detail]]:
        values: dict[AlarmKind, float | None] = {}
        details: dict[AlarmKind, Detail] = {}
        here = who.presence == "connected"
        if here or who.presence == "lost" or who.is_missing:
            values["lost"] = 0.0 if here else 1.0
        legs = self._legs.get(who.id)
        if not here or (legs and min(leg.unheard_s(now) for leg in legs) >= UNHEARD_S):
            # Nothing is measured of who is not here, or may be found to be lost in a moment.
            return values, details
        loss = self._loss(who.id)
        if loss is not None:
            values["loss"] = loss
            details["loss"] = {"loss_percent": round(loss, 1)}
        self._sound_values(who, values, details, now)
        self._picture_values(who, values, details, now)
        return values, details

    def _sound_values(
        self,
        who: Participant,
        values: dict[AlarmKind, float | None],
        details: dict[AlarmKind, Detail],
        now: float,
    ) -> None:
        since = self._expected.get(who.id)
        silent_s = self._levels.silent_s(who.id)
        if since is None:
            values["silent"] = 0.0
        elif silent_s is None and "audio" not in self._codecs_now.get(who.id, {}):
            values["silent"] = now - since
            details["silent"] = {"silent_s": round(now - since), "why": "no sound is sent"}
        elif silent_s is not None:
            values["silent"] = min(silent_s, now - since)
            details["silent"] = {"silent_s": round(min(silent_s, now - since))}
        drift, why = self._drift(who.id)
        if drift is not None:
            values["drift"] = drift
            details["drift"] = why
        heard = self._listened.get(who.id)
        if who.audio_muted:
            # Nobody hears it: whatever it sends is no trouble now.
            values |= {"clipping": 0.0, "howl": 0.0, "echo": 0.0}
            return
        if heard is None:
            return
        reading = heard.reading
        values |= {"clipping": reading.clipping, "howl": reading.howl_s, "echo": reading.echo}
        if reading.clipping is not None:
            details["clipping"] = {"ceiling": round(reading.clipping, 2)}
        details["howl"] = {"frequency_hz": round(reading.howl_hz)}
        if reading.echo:
            echo: dict[str, float | str] = {
                "delay_ms": round(reading.delay_ms),
                "level_db": round(reading.level_db, 1),
                "score": round(reading.echo, 1),
            }
            if reading.only_with is not None:
                echo["only_with"] = reading.only_with
            details["echo"] = echo

    def _picture_values(
        self,
        who: Participant,
        values: dict[AlarmKind, float | None],
        details: dict[AlarmKind, Detail],
        now: float,
    ) -> None:
        seen = self._looked.get(who.id)
        if who.video_muted:
            values |= {"black": 0.0, "frozen": 0.0}
            return
        if seen is None:
            return
        seen.watch.heard(self._levels.speaks(who.id), STEP_S * PARTS)
        reading: PictureReading = seen.watch.reading(now)
        values |= {"black": _number(reading.black), "frozen": _number(reading.frozen)}
        details["black"] = {"how": reading.how, "brightest": round(reading.brightest)}
        details["frozen"] = {"still_s": round(reading.still_s)}

    def _drift(self, participant: str) -> tuple[float | None, Detail]:
        """Part of what is too much, and what drifts."""
        sends = self._codecs_now.get(participant, {})
        first = self._codecs.setdefault(participant, dict(sends)) if sends else {}
        for stream, codec in sends.items():
            before = first.setdefault(stream, codec)
            if before != codec:
                return 1.0, {"stream": stream, "before": before, "now": codec}
        heard = self._listened.get(participant)
        ppm = None if heard is None else heard.drift.ppm
        if ppm is None:
            return (0.0, {}) if sends else (None, {})
        return abs(ppm) / self._settings.drift_ppm, {"clock_ppm": round(ppm)}

    # Who is looked at

    def _choose(self, state: ConferenceState, now: float, strained: bool) -> None:
        """Whom to listen to and look at in the next second; cost: O(participants)."""
        self._codecs_now, self._legs = {}, {}
        for leg in self.media.legs.values():
            if leg.participant is not None and leg.state == "connected":
                self._legs.setdefault(leg.participant, []).append(leg)
                sends = self._codecs_now.setdefault(leg.participant, {})
                sends.update(self.media.codecs(leg))
        here = [who for who in state.participants.values() if who.presence == "connected"]
        # What a muted room sends troubles nobody, so nobody listens to it.
        heard = [
            who.id
            for who in here
            if "audio" in self._codecs_now.get(who.id, {}) and not who.audio_muted
        ]
        seen = [
            who.id
            for who in here
            if "video" in self._codecs_now.get(who.id, {}) and not who.video_muted
        ]
        focus = in_focus(state)
        pending = {who.id: self.book.pending_of(who.id) for who in here}
        speakers = self.media.speakers
        if strained:
            visible = self.media.visible()
            heard = [who for who in heard if who in speakers]
            seen = [who for who in seen if who in visible]
        first = [who for who in heard if not {"echo", "howl", "clipping"}.isdisjoint(pending[who])]
        self._listen(
            self._hearing.choose(heard, [*first, *speakers, *self._levels.suspects()], now), now
        )
        shown = [who for who in speakers if who in focus]
        lasting = {*focus, *(who for who in seen if pending[who])}
        self._look(self._see(seen, pending, shown, focus, now), lasting, now)

    def _see(
        self,
        seen: Sequence[str],
        pending: Mapping[str, Sequence[AlarmKind]],
        shown: Sequence[str],
        focus: Collection[str],
        now: float,
    ) -> frozenset[str]:
        """At whose pictures to look; what is raised already waits behind what may be soon."""
        troubled = {who for who in seen if not {"black", "frozen"}.isdisjoint(pending[who])}
        raised = {
            who for who in troubled if not {"black", "frozen"}.isdisjoint(self.book.raised_of(who))
        }
        rising = [who for who in seen if who in troubled - raised]
        told = [
            who
            for who, looked in self._looked.items()
            if looked.watch.is_well and who not in troubled
        ]
        unsure = [
            who
            for who, looked in self._looked.items()
            if looked.watch.has_seen_nothing and who not in raised
        ]
        first = [*rising, *shown, *sorted(focus), *(who for who in seen if who in raised)]
        return self._seeing.choose(seen, first, now, told, unsure)

    def _listen(self, chosen: frozenset[str], now: float) -> None:
        for gone in self._listened.keys() - chosen:
            self._listened.pop(gone).end()
        for new in chosen - self._listened.keys():
            ears = Ears()
            ends = self.media.observe_sound(new, ears), self.media.observe_return(new, ears)
            watch = SoundWatch(self._settings.echo_least_db)
            self._listened[new] = _Listened(ears, watch, ClockDrift(), ends)
        for who, heard in self._listened.items():
            lag_s = self.media.audio.lag_s(who)
            if lag_s is not None:
                heard.drift.take(lag_s, now)

    def _look(self, chosen: frozenset[str], lasting: Collection[str], now: float) -> None:
        """Look at these; at those that are only in turn by glimpses, as long as that does."""
        for gone in self._looked.keys() - chosen:
            self._looked.pop(gone).end()
        for new in chosen - self._looked.keys():
            watch = PictureWatch(now)
            glimpse = new not in lasting
            end = self.media.observe_picture(new, watch, "glimpse" if glimpse else "rows")
            self._looked[new] = _Looked(watch, end, glimpse)
        for who, looked in self._looked.items():
            if looked.glimpse and (who in lasting or looked.watch.wants_more(now)):
                before, looked.glimpse = looked.end, False
                looked.end = self.media.observe_picture(who, looked.watch, "rows")
                before()  # after it, so that there is always somebody who looks

    # The heavy part

    def _detect(self, now: float) -> None:
        """Let the pool look through what some rooms sent, or who may return what it is sent.

        Cost here: O(listened).
        """
        if self._lane.pending:
            return  # the machine is behind: what waits is bounded
        due = self._levels.take_due()
        loudest = self.media.speakers
        turn = sorted(self._listened, key=lambda who: self._listened[who].searched_at)
        if due is not None:
            turn = []  # a piece of work as long as one room is
        work = []
        for who in turn[: -(-len(turn) // SOUND_STEPS)]:
            heard = self._listened[who]
            heard.searched_at = now
            work.append((who, heard.watch, *heard.ears.take(), _first_but(loudest, who)))
        if due is None and not work:
            return

        def detect() -> list[tuple[str, SoundWatch, SoundReading]]:
            if due is not None:
                scan, sent, levels = due
                scan.take(sent, levels)
            return [
                (who, watch, watch.take(returned, sent, other))
                for who, watch, returned, sent, other in work
            ]

        self._lane.submit(detect, self._detected)

    def _detected(self, result: Sequence[tuple[str, SoundWatch, SoundReading]] | Exception) -> None:
        if isinstance(result, Exception):
            # A defect of ours; watching goes on, and the meeting does in any case.
            log.error("detectors_failed", conference=self.media.conference, exc_info=result)
            return
        for who, watch, reading in result:
            heard = self._listened.get(who)
            if heard is not None and heard.watch is watch:
                heard.reading = reading


def _first_but(speakers: Sequence[str], participant: str) -> str | None:
    return next((who for who in speakers if who != participant), None)


def _number(found: bool | None) -> float | None:
    return None if found is None else float(found)
