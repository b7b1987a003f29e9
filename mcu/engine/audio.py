"""The sound of one conference: few decodes, one mix, one encode per mix and codec.

``AudioMixer`` chooses who is heard and decodes only them; ``Hearing`` gives every listener its
mix. Nothing here grows with the number of listeners except the sending.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import structlog

from mcu.engine.age import Age
from mcu.engine.audio_hearing import Hearing
from mcu.engine.audio_levels import measure_levels
from mcu.engine.audio_source import AudioSource, Voice
from mcu.engine.plan import MediaPlan, ParticipantPlan
from mcu.engine.taps import (
    End,
    LevelObserver,
    ReturnObserver,
    SoundObserver,
    SoundTaps,
    Source,
)
from mcu.legs.leg import Leg, StreamCodec
from mcu.media.rendition import FanOut
from mixer.audio.block import TICK_S, TICK_SAMPLES, Int16Block
from mixer.audio.level import SILENCE_DBOV, gain_from_db, level_dbov
from mixer.audio.packets import PacketCounters
from mixer.audio.playout import PlayoutCounters
from mixer.audio.speakers import DEFAULT_SPEAKERS, FLOOR_DBOV, Flags, Levels, SpeakerSelector

MEASURED_PER_TICK = 12
"""Decodes a tick for sources whose packets carry no level and which may be speaking; with more of
them they take turns."""

MAX_CLOCK_LAG_S = 0.15
CLOCK_PULL = 0.01


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AudioStatistics:
    """A reading. Counters and seconds grow from the conference's start.

    Args:
        encoders, decoders, renditions: that exist now. sources, listeners, speakers: now.
        decoded, encoded: packets so far. concealed: ticks' worth of concealed sound.
        lost, fec_recovered, late, bad_payloads: packets. suspects: packets that belong to another
            time by their numbers, held back. resyncs: restarted senders.
        levels_measured: decodes for level only.
        decode_s, mix_s, encode_s: time spent; encode_s includes sending.
    """

    encoders: int
    decoders: int
    renditions: int
    sources: int
    listeners: int
    speakers: int
    ticks: int
    decoded: int
    encoded: int
    concealed: float
    lost: int
    fec_recovered: int
    late: int
    bad_payloads: int
    suspects: int
    resyncs: int
    levels_measured: int
    decode_s: float
    mix_s: float
    encode_s: float


_Counters = TypeVar("_Counters", PlayoutCounters, PacketCounters)

_NEUTRAL = ParticipantPlan(participant="", label="", presence="connected")


class AudioMixer:
    """Mixes one conference.

    Args:
        fan_out: sends what is encoded.
        max_speakers: how many are mixed at once.
    """

    def __init__(self, *, fan_out: FanOut, max_speakers: int = DEFAULT_SPEAKERS) -> None:
        self._selector = SpeakerSelector(max_speakers)
        self._hearing = Hearing(fan_out)
        self._sources: dict[str, AudioSource] = {}
        self._rows: list[AudioSource] = []
        self._without_level: deque[AudioSource] = deque()
        self._plan: Mapping[str, ParticipantPlan] = {}
        self._gains: dict[str, float] = {}
        self._row_controls: tuple[Flags, Levels] | None = None
        self._voices: list[Voice] = []
        self._taps = SoundTaps()
        self._return_taps = SoundTaps()
        self._listening = False
        self._level_observers: list[LevelObserver] = []
        self._levels_now: list[float] = []
        self._names: tuple[str, ...] | None = None
        self._tick = 0
        self._clock: float | None = None
        self._age = Age()
        self._speakers: tuple[str, ...] = ()
        self._spent = [0.0, 0.0, 0.0]
        self._levels_measured = 0
        self._gone_playout = PlayoutCounters()
        self._gone_packets = PacketCounters()

    # Sources

    def add_source(self, participant: str, codec: StreamCodec) -> AudioSource:
        """Let a participant be heard; a source it had before is replaced.

        Returns: whose ``receive`` takes its packets, or whose ``waiting`` holds them.
        Raises:
            ValueError: no codec of the mixer.
        """
        source = AudioSource(participant, codec, self._without_level)
        self.remove_source(participant)
        self._sources[participant] = source
        self._rows.append(source)
        self._names = None
        self._selector.add()
        self._row_controls = None
        return source

    def remove_source(self, participant: str) -> None:
        """Forget a participant's source; its sound goes out within one tick."""
        source = self._sources.pop(participant, None)
        if source is None:
            return
        row = self._rows.index(source)
        del self._rows[row]
        self._names = None
        self._selector.remove(row)
        self._row_controls = None
        source.retire()
        for voice in self._voices:
            if voice.source is source:
                voice.leaving = True
        _add(self._gone_playout, source.playout.counters)
        _add(self._gone_packets, source.playout.packets.counters)

    # Listeners

    def add_listener(self, leg: Leg, now: float) -> None:
        """Let a leg hear the conference (``leg.outputs["audio"]``) from the next tick on.

        Raises:
            ValueError: no codec of the mixer. KeyError: the leg receives no audio.
        """
        participant = leg.participant
        self._hearing.add(leg, participant is not None and self._is_deafened(participant))

    def remove_listener(self, leg: Leg) -> None:
        """Send nothing more to a leg; without effect when it is no listener."""
        self._hearing.remove(leg)

    # Control

    def apply_plan(self, plan: MediaPlan) -> None:
        """Take over mutes, volumes, deafened and importance from the next tick on."""
        before, self._plan = self._plan, plan.participants
        self._gains = {
            participant: gain_from_db(one.volume_db)
            for participant, one in plan.participants.items()
        }
        self._row_controls = None
        for participant in self._hearing.participants():
            was = before.get(participant, _NEUTRAL).deafened
            if was != self._is_deafened(participant):
                self._hearing.mark(participant)

    def expect_loss(self, share: float) -> None:
        """Say what share of packets listeners lose (0 to 1), which Opus' FEC is tuned to."""
        self._hearing.expect_loss(share)

    # Observers

    def observe_sound(self, participant: str, observer: SoundObserver) -> End:
        """See ``ConferenceMedia.observe_sound``."""
        return self._taps.add(participant, observer.heard)

    def observe_return(self, participant: str, observer: ReturnObserver) -> End:
        """See ``ConferenceMedia.observe_return``."""
        return self._return_taps.add(participant, observer.sent)

    def observe_levels(self, observer: LevelObserver) -> End:
        """Know all levels, tick by tick. Cost: 5 µs for each mix, and what the observer does."""
        self._level_observers.append(observer)

        def end() -> None:
            if observer in self._level_observers:
                self._level_observers.remove(observer)

        return end

    def lag_s(self, participant: str) -> float | None:
        """How far the sender's clock is behind ours, by the fastest packets; None: not decoded.

        Only its change says something: that is the drift of the clock.
        """
        source = self._sources.get(participant)
        if source is None or not source.playout.playing:
            return None
        return source.playout.packets.delay.fastest_s or None

    def play_to(self, participant: str, source: Source) -> End:
        """See ``ConferenceMedia.play_to``."""
        return self._hearing.play_to(participant, source)

    # The clock

    def tick(self, now: float) -> None:
        """One step of 20 ms: decode the speakers, mix, encode, send.

        Cost: O(speakers) decodes, encodes and numpy calls; listeners cost in the fan-out only.
        """
        started = time.perf_counter()
        self._choose(now)
        clock = self._follow_clock(now)
        voices = self._voices
        sounds = np.empty((len(voices), TICK_SAMPLES), np.int32)
        for voice, row in zip(voices, sounds, strict=True):
            participant = voice.source.participant
            block = voice.take(self._gains.get(participant, 1.0), clock, row)
            if voice.source.tapped:
                self._taps.tell(participant, block, now)
        if self._taps or self._listening:
            self._listen(clock, now)
        decoded = time.perf_counter()
        hearing = self._hearing
        hearing.route(self._speaks, self._is_deafened)
        mixes = hearing.mix(sounds, [voice.source.participant for voice in voices])
        mixed = time.perf_counter()
        hearing.draw(now)
        if self._level_observers:
            self._tell_levels(mixes)
        for participant in self._return_taps.participants():
            sent = hearing.heard_by(participant, mixes)
            if sent is not None:
                self._return_taps.tell(participant, sent, now)
        hearing.encode(mixes, self._tick, now, clock - self._age_of_sound())
        self._tick += 1
        self._end_voices()
        hearing.settle(self._speaks)
        done = time.perf_counter()
        self._spent[0] += decoded - started
        self._spent[1] += mixed - decoded
        self._spent[2] += done - mixed

    # What can be seen

    @property
    def levels(self) -> Mapping[str, float]:
        """Level of each source, dBov, smoothed for meters; -127 is silence."""
        return {
            source.participant: float(level) if level > FLOOR_DBOV else SILENCE_DBOV
            for source, level in zip(self._rows, self._selector.loudness, strict=True)
        }

    @property
    def speakers(self) -> Sequence[str]:
        """Participants in the mix, the most prominent first."""
        return self._speakers

    def statistics(self) -> AudioStatistics:
        """A reading; cheap enough for once a second."""
        playout, packets = PlayoutCounters(), PacketCounters()
        _add(playout, self._gone_playout)
        _add(packets, self._gone_packets)
        for source in self._rows:
            _add(playout, source.playout.counters)
            _add(packets, source.playout.packets.counters)
        buses = list(self._hearing.buses())
        heard = {voice.source for voice in self._voices}
        encoders = sum(len(bus.encodings) for bus in buses)
        return AudioStatistics(
            encoders=encoders,
            decoders=len(self._voices)
            + sum(source.probing for source in self._rows)
            + sum(source.tapped for source in self._rows if source not in heard),
            renditions=encoders,
            sources=len(self._rows),
            listeners=sum(len(bus.legs) for bus in buses),
            speakers=len(self._speakers),
            ticks=self._tick,
            decoded=playout.decoded,
            encoded=self._hearing.encoded,
            concealed=playout.concealed_samples / TICK_SAMPLES,
            lost=playout.lost,
            fec_recovered=playout.fec_recovered,
            late=packets.late,
            bad_payloads=playout.bad_payloads,
            suspects=packets.suspects,
            resyncs=packets.resyncs,
            levels_measured=self._levels_measured,
            decode_s=self._spent[0],
            mix_s=self._spent[1],
            encode_s=self._spent[2],
        )

    # Private

    def _is_deafened(self, participant: str) -> bool:
        return self._plan.get(participant, _NEUTRAL).deafened

    def _speaks(self, participant: str) -> bool:
        return any(
            voice.source.participant == participant and not voice.leaving for voice in self._voices
        )

    def _controls(self) -> tuple[Flags, Levels]:
        """Who may speak, and importance, of each row; made anew when either changed."""
        if self._row_controls is None:
            plans = [self._plan.get(source.participant, _NEUTRAL) for source in self._rows]
            self._row_controls = (
                np.array([not plan.audio_muted for plan in plans], np.bool_),
                np.array([plan.importance for plan in plans], np.float32),
            )
        return self._row_controls

    def _follow_clock(self, now: float) -> float:
        """The moment this tick stands for.

        Ticks may come late and in bunches; playout would take that for jitter of the line. So
        time goes on in whole ticks, never ahead of ``now``, and is drawn towards it slowly.
        """
        clock = now if self._clock is None else min(self._clock + TICK_S, now)
        if now - clock > MAX_CLOCK_LAG_S:
            clock = now
        self._clock = clock + (now - clock) * CLOCK_PULL
        return self._clock

    def _age_of_sound(self) -> float:
        """How long sound has been here when it is mixed; that of whom all listen to."""
        first = self._speakers[0] if self._speakers else None
        for voice in self._voices:
            if voice.source.participant == first and voice.age_s is not None:
                self._age.take(voice.age_s)
        return self._age.seconds

    def _listen(self, clock: float, now: float) -> None:
        """Decode for observers whom nobody else hears; begin and end with that."""
        heard = {voice.source for voice in self._voices}
        for source in self._rows:
            wanted = source.participant in self._taps
            if wanted and not source.tapped:
                source.tapped = True
                source.start()
                continue  # one that is heard already was decoded in this tick
            if source.tapped and not wanted:
                source.tapped = False
                if source not in heard:
                    source.stop()
            if not wanted or source in heard:
                continue
            block = source.playout.get(clock)
            if not source.carries_level:
                source.take_level(level_dbov(block), now)
            self._taps.tell(source.participant, block, now)
        self._listening = bool(self._taps)

    def _tell_levels(self, mixes: Sequence[Int16Block]) -> None:
        if self._names is None:
            self._names = tuple(source.participant for source in self._rows)
        own = self._hearing.own_mixes(mixes)
        levels = {who: level_dbov(block) for who, block in own.items()}
        for observer in tuple(self._level_observers):
            try:
                observer.measured(self._names, self._levels_now, level_dbov(mixes[0]), levels)
            except Exception:
                # What looks on must never stop what it looks at.
                log.exception("observer_failed")
                self._level_observers.remove(observer)

    def _choose(self, now: float) -> None:
        """Decide who is in the mix; start and end voices accordingly."""
        if self._without_level:
            measured = measure_levels(self._without_level, MEASURED_PER_TICK, now)
            self._levels_measured += measured
        levels = self._levels_now = [source.level_at(now) for source in self._rows]
        eligible, importance = self._controls()
        chosen = self._selector.update(np.array(levels, np.float32), eligible, importance)
        speaking = [self._rows[row] for row in chosen]
        self._speakers = tuple(source.participant for source in speaking)
        heard = {voice.source for voice in self._voices}
        for voice in self._voices:
            voice.leaving = voice.source not in speaking
        for source in speaking:
            if source not in heard:
                self._voices.append(Voice(source))
                self._hearing.mark(source.participant)

    def _end_voices(self) -> None:
        for voice in self._voices:
            if voice.leaving:
                voice.end()
        self._voices = [voice for voice in self._voices if not voice.leaving]


def _add(total: _Counters, more: _Counters) -> None:
    """Add one reading's counters to another's."""
    for field in fields(total):
        setattr(total, field.name, getattr(total, field.name) + getattr(more, field.name))
