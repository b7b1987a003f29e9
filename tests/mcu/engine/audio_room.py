"""A conference of senders and listeners around an AudioMixer, in virtual time."""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu.engine.audio import AudioMixer
from mcu.engine.plan import MediaPlan, ParticipantPlan
from mcu.legs.leg import LegStatistics, StreamCodec
from mcu.media.frames import AudioPacket
from mcu.media.receive import AudioSink
from mcu.media.rendition import FanOut, Rendition
from mixer.audio.level import level_dbov
from mixer.codecs.audio import FORMATS, make_decoder, make_encoder

TICK = 960
OPUS = StreamCodec("opus", 48_000, 2)
Signal = Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]


def tone(hz: float, amplitude: float = 6_000.0) -> Signal:
    return lambda n: amplitude * np.sin(2 * np.pi * hz * n / 48_000)


def still(n: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Silence; encoded once, so that a hundred silent senders cost nothing."""
    return 0.0 * n


def gated(signal: Signal, first_s: float, last_s: float) -> Signal:
    """The signal between two moments, with edges of 10 ms."""

    def sound(n: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        t = n / 48_000
        edge = np.clip((t - first_s) / 0.01, 0, 1) * np.clip((last_s - t) / 0.01, 0, 1)
        return signal(n) * edge

    return sound


def samples_of(signal: Signal, start: int, count: int) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(signal(np.arange(start, start + count))), -32768, 32767).astype(np.int16)


class Sender:
    """Encodes a signal, 20 ms a packet."""

    def __init__(self, signal: Signal, codec: str = "opus", levels: bool = True) -> None:
        self.signal = signal
        self.levels = levels
        self.encoder = make_encoder(codec)
        self.step = FORMATS[codec].rtp_ticks_per_tick
        self.sequence = 1_000
        self.timestamp = 90_000
        self.silence = self.encoder.encode(np.zeros(TICK, np.int16))

    def packet(self, tick: int) -> AudioPacket:
        if self.signal is still:
            level, payload = -127, self.silence
        else:
            block = samples_of(self.signal, tick * TICK, TICK)
            level, payload = round(level_dbov(block)), self.encoder.encode(block)
        packet = AudioPacket(
            self.sequence, self.timestamp, payload, level if self.levels else None, False
        )
        self.sequence += 1
        self.timestamp += self.step
        return packet


@dataclass
class Ear:
    """A leg that decodes all it is played through one decoder, as a browser does."""

    id: str
    participant: str | None
    codec: StreamCodec = OPUS
    kind: str = "join"
    state: str = "connected"
    conference: str = "c"
    sources: dict[str, StreamCodec] = field(default_factory=dict)
    decodes: bool = True

    def __post_init__(self) -> None:
        self.outputs = {"audio": self.codec}
        self.decoder = make_decoder(self.codec.name)
        self.rendition: Rendition | None = None
        self.plays: list[str | None] = []
        self.timestamps: list[int] = []
        self.payloads: list[bytes] = []
        self.heard: list[npt.NDArray[np.int16]] = []
        self._cursor = 0

    def play(self, stream: str, rendition: Rendition | None) -> None:
        assert stream == "audio"
        if self.rendition is not None:
            self.rendition.unsubscribe(self)
        self.rendition = rendition
        self.plays.append(None if rendition is None else rendition.key.source)
        if rendition is not None:
            self._cursor = rendition.ring.end
            rendition.subscribe(self)

    def send_pending(self, limit: int, now: float) -> int:
        assert self.rendition is not None
        ring = self.rendition.ring
        sent = 0
        while self._cursor < ring.end:
            at = self._cursor & ring.mask
            self.timestamps.append(ring.timestamps[at])
            self.payloads.append(ring.payloads[at])
            if self.decodes:
                self.heard.append(self.decoder.decode(ring.payloads[at]))
            self._cursor += 1
            sent += 1
        return sent

    def flush(self) -> None:
        pass

    def want_source(self, source: str, wanted: bool) -> None:
        raise AssertionError("audio is always wanted")

    def request_key_frame(self, source: str) -> None:
        raise AssertionError("audio has no key frames")

    def limit_bitrate(self, bps: int | None) -> None:
        raise AssertionError("not the mixer's business")

    def statistics(self, now: float) -> LegStatistics:
        return LegStatistics()

    def close(self, reason: str, now: float) -> None:
        self.state = "left"

    @property
    def sound(self) -> npt.NDArray[np.int16]:
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)


class Line:
    """A seeded network between all senders and the mixer."""

    def __init__(
        self, jitter_s: float = 0.0, loss: float = 0.0, duplicates: float = 0.0, seed: int = 1
    ) -> None:
        self._rng = random.Random(seed)
        self._jitter_s, self._loss, self._duplicates = jitter_s, loss, duplicates
        self._flying: list[tuple[float, int, str, AudioPacket]] = []
        self._count = 0

    def send(self, participant: str, packet: AudioPacket, now: float) -> None:
        rng = self._rng
        if rng.random() < self._loss:
            return
        for _ in range(2 if rng.random() < self._duplicates else 1):
            self._count += 1
            at = now + rng.uniform(0, self._jitter_s)
            heapq.heappush(self._flying, (at, self._count, participant, packet))

    def arrived(self, now: float) -> Iterator[tuple[float, str, AudioPacket]]:
        while self._flying and self._flying[0][0] <= now:
            at, _, participant, packet = heapq.heappop(self._flying)
            yield at, participant, packet


class Room:
    """Runs ticks; packets of a tick arrive just before it."""

    def __init__(self, max_speakers: int = 8) -> None:
        self.mixer = AudioMixer(fan_out=FanOut(lambda delay, call: None), max_speakers=max_speakers)
        self.senders: dict[str, Sender] = {}
        self.sinks: dict[str, AudioSink] = {}
        self.ears: dict[str, Ear] = {}
        self.plans: dict[str, ParticipantPlan] = {}
        self.tick = 0

    def join(
        self,
        participant: str,
        signal: Signal | None = None,
        *,
        codec: StreamCodec = OPUS,
        levels: bool = True,
        listens: bool = True,
        decodes: bool = True,
    ) -> Ear:
        if signal is not None:
            self.senders[participant] = Sender(signal, codec.name, levels)
            self.sinks[participant] = self.mixer.add_source(participant, codec).receive
        ear = Ear(f"leg-{participant}", participant, codec, decodes=decodes)
        if listens:
            self.listen(ear)
        return ear

    def listen(self, ear: Ear) -> Ear:
        self.ears[ear.id] = ear
        self.mixer.add_listener(ear, self.now)
        return ear

    def plan(self, participant: str, **values: Any) -> None:
        self.plans[participant] = ParticipantPlan(
            participant=participant, label=participant, presence="connected", **values
        )
        self.mixer.apply_plan(MediaPlan(participants=dict(self.plans)))

    @property
    def now(self) -> float:
        return 100.0 + self.tick * 0.02

    def run(self, seconds: float, *, bunch: int = 1, line: Line | None = None) -> None:
        """Run ticks, ``bunch`` of them at the moment the last one is due."""
        line = line or Line()
        for number in range(1, round(seconds * 50) + 1):
            for participant, sender in self.senders.items():
                line.send(participant, sender.packet(self.tick), self.now - 0.001)
            self.tick += 1
            if number % bunch == 0:
                due = self.now - 0.02
                for at, participant, packet in line.arrived(due):
                    self.sinks[participant](packet, at)
                for _ in range(bunch):
                    self.mixer.tick(due)


def power_db(sound: npt.NDArray[np.int16], hz: float) -> float:
    """Level of one frequency, dB relative to an amplitude of 1 (Blackman-windowed)."""
    window = np.blackman(len(sound))
    spin = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / 48_000)
    amplitude = 2 * abs(np.dot(sound * window, spin)) / window.sum()
    return 20 * float(np.log10(max(amplitude, 1e-6)))


def largest_step(sound: npt.NDArray[np.int16]) -> int:
    return int(np.abs(np.diff(sound.astype(np.int32))).max())
