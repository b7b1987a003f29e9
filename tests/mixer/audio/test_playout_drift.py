"""Half an hour with a sound card that is off: no click, no growing delay, nothing lost.

A sender's clock that is 200 millionths fast or slow adds up to 360 ms in that time. Virtual time,
the real buffer, the real decoders; a loop of coded sound is sent again and again.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from mixer.audio.block import TICK_SAMPLES
from mixer.audio.packets import BUFFER_PACKETS
from mixer.audio.playout import PlayoutBuffer
from mixer.codecs.audio_codec import AudioDecoder
from mixer.codecs.g711 import G711Decoder, G711Encoder
from mixer.codecs.opus import OpusDecoder, OpusEncoder

TICK_S = 0.02
HALF_AN_HOUR_S = 1800
LOOP_PACKETS = 500
LOOK_TICKS = 100
HZ, AMPLITUDE = 437.5, 8_000
"""A whole number of periods in the loop, so that it has no seam."""


@dataclass(frozen=True)
class Packet:
    sequence: int
    timestamp: int
    payload: bytes


def tone_blocks() -> Iterator[np.ndarray]:
    for number in range(LOOP_PACKETS):
        n = np.arange(number * TICK_SAMPLES, (number + 1) * TICK_SAMPLES)
        yield np.rint(AMPLITUDE * np.sin(2 * np.pi * HZ * n / 48_000)).astype(np.int16)


@dataclass
class Heard:
    """What the check of each tick leaves of half an hour; ``look`` at the end."""

    largest_step: float = 0.0
    quietest: float = float("inf")
    waiting: list[int] = field(default_factory=list)
    """Packets that wait, after each tick: the delay that the buffer adds."""
    last: int | None = None
    new: list[np.ndarray] = field(default_factory=list)

    def take(self, block: np.ndarray) -> None:
        self.new.append(block)
        if len(self.new) >= LOOK_TICKS:
            self.look()

    def look(self) -> None:
        """Check the ticks since the last look, all at once: one by one takes as long as playing."""
        if not self.new:
            return
        ticks = np.array(self.new, np.int32)
        first = ticks[0, 0] if self.last is None else self.last
        self.largest_step = max(
            self.largest_step, float(np.abs(np.diff(ticks.ravel(), prepend=first)).max())
        )
        self.last = int(ticks[-1, -1])
        loudness = np.sqrt(np.mean(np.square(ticks, dtype=np.float32), axis=1))
        self.quietest = min(self.quietest, float(loudness.min()))
        self.new.clear()


def play_half_an_hour(
    payloads: list[bytes],
    make_decoder: Callable[[], AudioDecoder],
    samples_per_rtp_tick: int,
    drift_ppm: float,
    jitter_s: float,
) -> tuple[PlayoutBuffer, Heard]:
    """A sender whose 20 ms take ``20 ms * (1 + drift)``."""
    buffer = PlayoutBuffer(make_decoder, samples_per_rtp_tick)
    buffer.start()
    dice, heard = random.Random(7), Heard()
    step = TICK_SAMPLES // samples_per_rtp_tick
    packet_s = TICK_S * (1 + drift_ppm * 1e-6)
    sent = 0
    waiting: list[tuple[float, int]] = []
    for tick in range(round(HALF_AN_HOUR_S / TICK_S)):
        now = (tick + 1) * TICK_S + 0.0001
        while sent * packet_s <= now:
            waiting.append((sent * packet_s + dice.random() * jitter_s, sent))
            sent += 1
        for at, number in sorted(one for one in waiting if one[0] <= now):
            packet = Packet(number, number * step, payloads[number % LOOP_PACKETS])
            buffer.packets.put(packet, at)
        waiting = [one for one in waiting if one[0] > now]
        block = buffer.get(now)
        assert len(buffer.packets.held) <= BUFFER_PACKETS
        if tick >= 100:  # it has begun and learnt the line
            heard.take(block)
            heard.waiting.append(len(buffer.packets.held))
    heard.look()
    return buffer, heard


def codec_of(name: str) -> tuple[list[bytes], Callable[[], AudioDecoder], int]:
    """The coded loop, its decoder, and 48 kHz samples in a step of the RTP clock."""
    if name == "opus":
        opus = OpusEncoder()
        return [opus.encode(block) for block in tone_blocks()], OpusDecoder, 1
    pcmu = G711Encoder("pcmu")
    return [pcmu.encode(block) for block in tone_blocks()], lambda: G711Decoder("pcmu"), 6


def decoded_alone(payloads: list[bytes], decoder: AudioDecoder) -> Heard:
    """The same loop without network and buffer: what steps the codec itself makes."""
    heard = Heard()
    for number, payload in enumerate(payloads * 2):
        block = decoder.decode(payload)
        if number >= 100:
            heard.take(block)
    heard.look()
    return heard


# One fast and one slow clock, one on a line with jitter: each case is 90,000 ticks.
@pytest.mark.parametrize(
    ("codec", "drift_ppm", "jitter_s"), [("opus", 200, 0.04), ("pcmu", -200, 0.0)]
)
def test_half_an_hour_of_drift(codec: str, drift_ppm: float, jitter_s: float) -> None:
    payloads, make_decoder, scale = codec_of(codec)
    alone = decoded_alone(payloads, make_decoder())
    buffer, heard = play_half_an_hour(payloads, make_decoder, scale, drift_ppm, jitter_s)
    counters = buffer.counters
    assert counters.skips == counters.lost == counters.bad_payloads == 0
    assert counters.underruns <= 10
    assert counters.concealed_samples <= 0.0005 * HALF_AN_HOUR_S * 48_000
    added = counters.lengthened_samples - counters.shortened_samples
    drifted = HALF_AN_HOUR_S * 48_000 * drift_ppm * 1e-6
    assert added == pytest.approx(drifted, abs=0.05 * 48_000)
    against = counters.shortened_samples if drift_ppm > 0 else counters.lengthened_samples
    assert against <= 0.3 * abs(drifted)  # it does not hunt
    # Without drift it would be the same; the clocks' phase alone moves by a packet.
    first, last = heard.waiting[:3000], heard.waiting[-3000:]
    assert abs(np.mean(last) - np.mean(first)) <= 1.1
    assert max(heard.waiting) * TICK_S <= 0.06 + jitter_s
    # The seams of some 50 stretches are as smooth as the sound, and none of it is missing.
    assert heard.largest_step <= 1.05 * alone.largest_step
    assert heard.quietest >= 0.95 * alone.quietest
