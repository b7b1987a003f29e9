"""How long sound stays in playout, and what is made up for it: virtual time, no clocks, no threads.

Speech (bursts of a voiced sound between pauses) is coded, carried over a line and played by
``mixer.audio.playout``, for several phases between the sender's clock and ours: how the two lie to
each other is chance in a meeting, and decides much of the delay. *In playout* is the age of what is
played above the fastest packet's way, without the network. Ticks are late by a seeded chance.

    python -m bench.kernels_playout
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.command import command_line
from mixer.audio.block import SAMPLE_RATE_HZ, TICK_S, TICK_SAMPLES
from mixer.audio.playout import PlayoutBuffer, PlayoutCounters
from mixer.codecs.opus import OpusDecoder, OpusEncoder

LOOP_S = 20
LEARNING_S = 10.0
LATE_TICK_S = 0.0015
"""Mean lateness of a tick, as a loaded daemon has it."""
LINES = (
    (0.0, 0.0), (0.005, 0.0), (0.02, 0.0), (0.04, 0.0), (0.2, 0.0), (0.005, 200.0), (0.005, -200.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    sequence: int
    timestamp: int
    payload: bytes


@dataclass(slots=True)
class Played:
    """What one phase of one line gave."""

    ages_s: list[float]
    counters: PlayoutCounters
    late: int
    seconds: float


def speech(seconds: int) -> np.ndarray:
    """int16 (samples,): harmonics of 110 to 150 Hz in syllables, words and pauses."""
    rng = np.random.default_rng(5)
    count = seconds * SAMPLE_RATE_HZ
    time = np.arange(count) / SAMPLE_RATE_HZ
    pitch = 130 + 15 * np.sin(2 * np.pi * 0.4 * time) + 5 * np.sin(2 * np.pi * 2.3 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ
    voiced = sum(np.sin(phase * n) / n for n in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 4.0 * time) + 0.6, 0.0, 1.0)
    words = (np.sin(2 * np.pi * 0.35 * time) > -0.5).astype(float)
    words = np.convolve(words, np.ones(960) / 960, "same")
    noise = rng.normal(0.0, 25.0, count)
    sound: np.ndarray = np.rint(5_000 * voiced * syllables * words + noise).astype(np.int16)
    return sound


def coded() -> list[bytes]:
    encoder = OpusEncoder()
    return [encoder.encode(block) for block in speech(LOOP_S).reshape(-1, TICK_SAMPLES)]


def play(
    payloads: Sequence[bytes], phase_s: float, jitter_s: float, drift_ppm: float, seconds: float
) -> Played:
    """One sender on one line; ``phase_s``: how long before a tick its packets are sent."""
    dice = random.Random(round(phase_s * 1e6) + 1)
    buffer = PlayoutBuffer(OpusDecoder)
    buffer.start()
    packet_s = TICK_S * (1.0 + drift_ppm * 1e-6)
    sent, waiting, ages = 0, [], []
    for tick in range(1, round(seconds / TICK_S)):
        now = tick * TICK_S + min(0.015, dice.expovariate(1.0 / LATE_TICK_S))
        while sent * packet_s - phase_s <= now:
            at = sent * packet_s - phase_s + dice.random() * jitter_s
            packet = Packet(sent, sent * TICK_SAMPLES, payloads[sent % len(payloads)])
            waiting.append((at, packet))
            sent += 1
        for at, packet in sorted((one for one in waiting if one[0] <= now), key=lambda one: one[0]):
            buffer.packets.put(packet, at)
        waiting = [one for one in waiting if one[0] > now]
        buffer.get(now)
        age = buffer.age_s(now)
        if age is not None and tick * TICK_S > LEARNING_S:
            ages.append(age)
    return Played(ages, buffer.counters, buffer.packets.counters.late, seconds)


def line(
    payloads: Sequence[bytes], jitter_s: float, drift_ppm: float, phases: int, seconds: float
) -> str:
    """A row of the table: all phases of one line."""
    played = [
        play(payloads, TICK_S * number / phases, jitter_s, drift_ppm, seconds)
        for number in range(phases)
    ]
    ages = np.concatenate([one.ages_s for one in played]) * 1000.0
    total = sum(one.seconds for one in played) * SAMPLE_RATE_HZ
    concealed = sum(one.counters.concealed_samples for one in played) / total
    stretched = sum(
        one.counters.shortened_samples + one.counters.lengthened_samples for one in played
    )
    late = sum(one.late for one in played) / (total / TICK_SAMPLES)
    return (
        f"{jitter_s * 1000:>4.0f} ms {drift_ppm:>+5.0f} ppm | {ages.mean():>6.1f} "
        f"{np.percentile(ages, 50):>6.1f} {np.percentile(ages, 99):>6.1f} {ages.max():>6.1f} | "
        f"{concealed:>8.3%} {late:>8.3%} {stretched / total:>8.3%}"
    )


def main() -> None:
    """Parse, run, print the table."""
    parser = command_line(__doc__)
    parser.add_argument("--phases", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    payloads = coded()
    print("jitter  drift     | in playout, ms: mean p50 p99 max | concealed  too late  stretched")
    for jitter_s, drift_ppm in LINES:
        print(line(payloads, jitter_s, drift_ppm, options.phases, options.seconds), flush=True)


if __name__ == "__main__":
    main()
