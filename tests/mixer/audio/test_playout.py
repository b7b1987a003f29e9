import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.audio.block import TICK_SAMPLES
from mixer.audio.packets import BUFFER_PACKETS
from mixer.audio.playout import PlayoutBuffer
from mixer.codecs.audio_codec import PayloadError
from mixer.codecs.opus import OpusDecoder, OpusEncoder

TICK_S = 0.02


@dataclass(frozen=True)
class Packet:
    sequence: int
    timestamp: int
    payload: bytes


class CountingDecoder:
    """Payload ``n/samples`` decodes to a constant of value n; ``bad`` is refused."""

    def decode(self, payload: bytes) -> np.ndarray:
        if payload == b"bad":
            raise PayloadError("bad")
        value, _, samples = payload.partition(b"/")
        return np.full(int(samples or 960), int(value), np.int16)

    def has_fec(self, payload: bytes) -> bool:
        return False

    def decode_fec(self, next_payload: bytes, samples: int) -> None:
        return None

    def conceal(self, samples: int) -> np.ndarray:
        return np.full(samples, -7_000, np.int16)

    def is_dtx(self, payload: bytes) -> bool:
        return payload == b"0/960"


def tone(n: np.ndarray) -> np.ndarray:
    return 8_000 * np.sin(2 * np.pi * 440 * n / 48_000)


def vowel(n: np.ndarray) -> np.ndarray:
    t = n / 48_000
    phase = 2 * np.pi * (120 * t - 2.4 * np.cos(2 * np.pi * 1.3 * t))
    sound = sum(np.sin(k * phase) / (1 + abs(k * 120 - 600) / 300) for k in range(1, 25))
    return 2_500 * sound * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))


@dataclass
class Line:
    """A seeded network; ``detour`` adds to the way of packet number k."""

    jitter_s: float = 0.0
    loss: float = 0.0
    duplicates: float = 0.0
    drift_ppm: float = 0.0
    detour: Callable[[int], float] = lambda k: 0.0

    def carry(self, packets: list[Packet]) -> list[tuple[float, Packet]]:
        rng = random.Random(7)
        arrivals = []
        for k, packet in enumerate(packets):
            if rng.random() < self.loss:
                continue
            sent = k * TICK_S * (1 + self.drift_ppm * 1e-6)
            at = sent + rng.uniform(0, self.jitter_s) + self.detour(k)
            arrivals.append((at, packet))
            if rng.random() < self.duplicates:
                arrivals.append((at + 0.013, packet))
        return sorted(arrivals, key=lambda one: one[0])


def opus_packets(signal: Callable[[np.ndarray], np.ndarray], seconds: float) -> list[Packet]:
    encoder = OpusEncoder()
    packets = []
    for k in range(round(seconds * 50)):
        block = np.rint(signal(np.arange(k * 960, (k + 1) * 960))).astype(np.int16)
        packets.append(Packet(k, k * 960, encoder.encode(block)))
    return packets


def play(
    arrivals: list[tuple[float, Packet]],
    seconds: float,
    decoder: Callable[[], object] = OpusDecoder,
) -> tuple[PlayoutBuffer, np.ndarray]:
    buffer = PlayoutBuffer(decoder)
    buffer.start()
    heard = []
    waiting = list(reversed(arrivals))
    for tick in range(round(seconds * 50)):
        now = tick * TICK_S + 0.0001
        while waiting and waiting[-1][0] <= now:
            at, packet = waiting.pop()
            buffer.packets.put(packet, at)
        heard.append(buffer.get(now))
        assert heard[-1].shape == (TICK_SAMPLES,)
        assert len(buffer.packets.held) <= BUFFER_PACKETS
    return buffer, np.concatenate(heard)


def largest_step(sound: np.ndarray) -> int:
    return int(np.abs(np.diff(sound.astype(int))).max())


TONE_STEP = 461
"""Largest step of ``tone`` itself."""


def test_a_clean_line_plays_every_packet_unchanged() -> None:
    buffer, sound = play(Line().carry(opus_packets(tone, 6)), 6)
    assert buffer.counters.lost == buffer.counters.concealed_samples == 0
    assert largest_step(sound[48_000:]) <= 1.05 * TONE_STEP
    assert np.abs(sound[48_000:]).max() == pytest.approx(8_000, rel=0.05)


@pytest.mark.parametrize("jitter_s", [0.0, 0.05])
def test_the_age_of_what_is_played_is_how_long_it_waited(jitter_s: float) -> None:
    buffer, _ = play(Line(jitter_s=jitter_s).carry(opus_packets(tone, 10)), 10)
    age_s = buffer.age_s(10 - TICK_S + 0.0001)
    assert age_s == pytest.approx(buffer.packets.delay.delay_s, abs=0.02)
    assert buffer.age_s(20.0) == pytest.approx(age_s + 10.02 - 0.0001, abs=1e-6)


@pytest.mark.parametrize("before_s", [0.001, 0.008, 0.011, 0.015, 0.019])
def test_a_tick_rests_on_a_packet_and_waits_for_no_other(before_s: float) -> None:
    """However packets lie to ticks: no older than the first tick that finds them safely there."""

    def words(n: np.ndarray) -> np.ndarray:
        return vowel(n) * np.clip(20 * np.sin(2 * np.pi * 0.7 * n / 48_000), 0.0, 1.0)

    packets = opus_packets(words, 20)
    arrivals = [((k + 1) * TICK_S - before_s, packet) for k, packet in enumerate(packets)]
    buffer, sound = play(arrivals, 20)
    assert buffer.counters.concealed_samples == 0
    age_s = buffer.age_s(20 - TICK_S + 0.0001)
    safe_s = before_s if before_s >= 0.008 else before_s + TICK_S
    assert age_s == pytest.approx(safe_s, abs=0.0012)
    clean_step = largest_step(np.rint(vowel(np.arange(48_000))).astype(np.int16))
    assert largest_step(sound[10_000:]) <= 1.2 * clean_step


@pytest.mark.parametrize("samples", [480, 1_440, 1_920])
def test_packets_of_other_lengths_rest_where_they_can(samples: int) -> None:
    step = {480: 0.01, 1_440: 0.01, 1_920: 0.02}[samples]
    packets = [Packet(k, k * samples, b"0/%d" % samples) for k in range(30 * 48_000 // samples)]
    arrivals = [((k + 1) * samples / 48_000 - 0.007, one) for k, one in enumerate(packets)]
    buffer, _ = play(arrivals, 28, CountingDecoder)
    assert buffer.counters.concealed_samples == 0
    ages = []
    for tick in range(28 * 50, 28 * 50 + 6):
        now = tick * TICK_S + 0.0001
        for at, packet in arrivals:
            if now - TICK_S < at <= now:
                buffer.packets.put(packet, at)
        buffer.get(now)
        ages.append(buffer.age_s(now))
    assert min(ages) == pytest.approx(max(ages), abs=0.001)
    assert TICK_S - step < min(ages) < TICK_S + 0.03


def test_what_is_not_played_has_no_age() -> None:
    assert PlayoutBuffer(OpusDecoder).age_s(1.0) is None


@pytest.mark.parametrize("jitter_s", [0.02, 0.04, 0.08])
def test_jitter_and_reordering_are_absorbed(jitter_s: float) -> None:
    buffer, sound = play(Line(jitter_s=jitter_s).carry(opus_packets(tone, 20)), 20)
    assert buffer.counters.concealed_samples <= 0.01 * 20 * 48_000
    assert jitter_s < buffer.packets.delay.delay_s < jitter_s + 0.035
    assert largest_step(sound) <= 1.3 * TONE_STEP


def test_duplicates_change_nothing() -> None:
    packets = opus_packets(tone, 6)
    _, once = play(Line().carry(packets), 6)
    buffer, twice = play(Line(duplicates=1.0).carry(packets), 6)
    assert np.array_equal(once, twice)
    assert buffer.packets.counters.duplicates + buffer.packets.counters.late >= 290


def test_losses_are_repaired_by_fec_where_the_packets_carry_it() -> None:
    buffer, sound = play(Line(loss=0.05).carry(opus_packets(vowel, 30)), 30)
    counters = buffer.counters
    assert counters.lost > 50
    assert counters.fec_recovered > 0.4 * counters.lost
    clean_step = largest_step(np.rint(vowel(np.arange(48_000))).astype(np.int16))
    assert largest_step(sound) <= 1.3 * clean_step


def test_fec_sounds_more_like_the_original_than_concealment() -> None:
    packets = opus_packets(vowel, 10)
    arrivals = Line(loss=0.1).carry(packets)

    class WithoutFec(OpusDecoder):
        def decode_fec(self, next_payload: bytes, samples: int) -> None:
            return None

    _, reference = play(Line(detour=lambda k: 0.0).carry(packets), 10)
    errors = []
    for kind in (OpusDecoder, WithoutFec):
        buffer = PlayoutBuffer(kind)
        for _, packet in arrivals[:30]:  # all there from the start: nothing but loss matters
            buffer.packets.put(packet, packet.sequence * TICK_S)
        buffer.start()
        sound = np.concatenate([buffer.get(0.1 + k * TICK_S) for k in range(20)])
        errors.append((buffer.counters.fec_recovered, sound))
    assert errors[0][0] > 0
    assert errors[1][0] == 0
    assert not np.array_equal(errors[0][1], errors[1][1])
    assert len(reference)


def test_a_long_gap_fades_to_silence_within_a_tenth_of_a_second() -> None:
    arrivals = Line().carry(opus_packets(tone, 4)[:100])
    buffer, sound = play(arrivals, 3)
    assert buffer.counters.underruns == 1
    end = 100 * 960 + round(0.06 * 48_000)
    assert np.abs(sound[end + 2 * 960 + 4_800 :]).max() == 0
    assert np.abs(sound[end : end + 960]).max() > 0
    assert largest_step(sound) <= 1.3 * TONE_STEP


def test_sound_after_a_long_gap_comes_back_smoothly_and_without_more_delay() -> None:
    packets = opus_packets(tone, 6)
    arrivals = [one for one in Line().carry(packets) if not 100 <= one[1].sequence < 160]
    buffer, sound = play(arrivals, 6)
    assert largest_step(sound) <= 1.3 * TONE_STEP
    assert np.abs(sound[170 * 960 :]).max() == pytest.approx(8_000, rel=0.05)
    assert buffer.packets.counters.resyncs == 0


def test_holes_in_the_timestamps_alone_are_silence_not_loss() -> None:
    encoder = OpusEncoder()
    sequence, arrivals = 0, []
    for k in range(200):
        block = np.rint(tone(np.arange(k * 960, (k + 1) * 960))).astype(np.int16)
        payload = encoder.encode(block)
        if 60 <= k < 120:
            continue
        arrivals.append((k * TICK_S, Packet(sequence, k * 960, payload)))
        sequence += 1
    buffer = PlayoutBuffer(OpusDecoder)
    for at, packet in arrivals[:50]:
        buffer.packets.put(packet, at)
    buffer, sound = play(arrivals, 4)
    assert buffer.counters.lost == 0
    assert not sound[70 * 960 : 118 * 960].any()
    assert np.abs(sound[130 * 960 : 190 * 960]).max() == pytest.approx(8_000, rel=0.05)


def test_a_marked_silence_is_entered_at_once() -> None:
    arrivals = [(k * TICK_S, Packet(k, k * 960, b"5000/960")) for k in range(50)]
    arrivals.append((50 * TICK_S, Packet(50, 50 * 960, b"0/960")))
    buffer, _ = play(arrivals, 3, CountingDecoder)
    assert buffer.counters.underruns == 0
    assert buffer.counters.concealed_samples == 0


@pytest.mark.parametrize("drift_ppm", [-600, 600])
@pytest.mark.parametrize("jitter_s", [0.0, 0.02])
def test_clock_drift_is_followed_without_a_click_or_a_gap(
    drift_ppm: float, jitter_s: float
) -> None:
    # 54 ms: more than the room of a packet in which nothing needs to be done.
    line = Line(drift_ppm=drift_ppm, jitter_s=jitter_s)
    buffer, sound = play(line.carry(opus_packets(tone, 90)), 90)
    counters = buffer.counters
    assert counters.concealed_samples <= 2 * 960
    assert counters.skips == 0
    stretched = counters.lengthened_samples if drift_ppm > 0 else counters.shortened_samples
    assert stretched > 0.5 * 90 * 48_000 * 600e-6
    assert largest_step(sound[48_000:]) <= 1.1 * TONE_STEP  # Opus itself overshoots at first


def test_a_longer_way_is_followed_and_forgotten() -> None:
    line = Line(detour=lambda k: 0.08 if 300 <= k < 900 else 0.0)
    buffer, sound = play(line.carry(opus_packets(tone, 30)), 30)
    assert buffer.counters.concealed_samples < 10 * 960
    assert largest_step(sound) <= 1.4 * TONE_STEP
    assert buffer.packets.delay.delay_s < 0.03


def test_a_stall_of_the_network_is_survived() -> None:
    line = Line(detour=lambda k: max(0.0, (400 - k) * TICK_S) if 300 <= k < 400 else 0.0)
    buffer, sound = play(line.carry(opus_packets(tone, 14)), 14)
    assert np.abs(sound[13 * 48_000 :]).max() == pytest.approx(8_000, rel=0.05)
    assert largest_step(sound) <= 2 * TONE_STEP
    assert len(buffer.packets.held) < 20


def test_a_restarted_sender_is_heard_again() -> None:
    first = Line().carry(opus_packets(tone, 2))
    again = [
        (2 + at, Packet(50_000 + p.sequence, 900_000_000 + p.timestamp, p.payload))
        for at, p in Line().carry(opus_packets(tone, 2))
    ]
    buffer, sound = play(first + again, 4)
    assert buffer.packets.counters.resyncs == 1
    assert np.abs(sound[3 * 48_000 :]).max() == pytest.approx(8_000, rel=0.05)
    assert largest_step(sound) <= 1.3 * TONE_STEP


def test_bad_payloads_are_counted_and_concealed() -> None:
    packets = opus_packets(tone, 4)
    for k in range(50, 200, 10):
        packets[k] = Packet(k, k * 960, b"\xff\xff\xff")
    buffer, sound = play(Line().carry(packets), 4)
    assert buffer.counters.bad_payloads == 15
    assert largest_step(sound) <= 1.5 * TONE_STEP
    assert np.abs(sound[48_000:]).max() < 12_000


@pytest.mark.parametrize("samples", [120, 240, 480, 960, 1_920, 2_880, 5_760])
def test_packets_of_any_duration_play_gapless(samples: int) -> None:
    count = 4 * 48_000 // samples
    arrivals = [
        (k * samples / 48_000, Packet(k, k * samples, b"5000/%d" % samples)) for k in range(count)
    ]
    buffer, sound = play(arrivals, 3.9, CountingDecoder)
    assert buffer.counters.lost == buffer.counters.underruns == 0
    started = np.flatnonzero(sound == 5_000)[0]
    assert (sound[started : started + 3 * 48_000] == 5_000).all()


def test_a_source_that_was_silent_starts_with_what_it_had_kept() -> None:
    packets = opus_packets(tone, 2)
    buffer = PlayoutBuffer(OpusDecoder)
    for k, packet in enumerate(packets):
        buffer.packets.put(packet, k * TICK_S)
    assert not buffer.get(2.0).any()
    buffer.start()
    assert buffer.playing
    sound = np.concatenate([buffer.get(1.98 + k * TICK_S) for k in range(2)])
    assert np.abs(sound[300:]).max() == pytest.approx(8_000, rel=0.05)
    assert largest_step(sound) <= 1.1 * TONE_STEP
    buffer.stop()
    assert not buffer.playing
    assert not buffer.get(2.04).any()


def test_the_onset_of_speech_is_not_cut() -> None:
    """The level of a packet is known before the packet is to be played."""
    packets = opus_packets(lambda n: tone(n) * (n >= 96_000), 3)
    buffer = PlayoutBuffer(OpusDecoder)
    heard = []
    for k, packet in enumerate(packets):
        now = k * TICK_S
        buffer.packets.put(packet, now)
        if k == 100:
            buffer.start()
        heard.append(buffer.get(now + 0.001))
    onset = np.flatnonzero(np.abs(np.concatenate(heard)) > 4_000)[0]
    assert 96_000 < onset < 96_000 + 0.06 * 48_000


numbers = st.one_of(st.integers(0, 60), st.integers(-(1 << 40), 1 << 40))
payloads = st.one_of(
    st.sampled_from([b"\x78\x01\x02", b"\x78", b"\xff\xff", b"\x08" * 40, b"\x7b\x81\x00"]),
    st.binary(min_size=1, max_size=60),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 60), st.integers(0, 60), payloads),
        st.tuples(numbers, numbers, payloads),
        st.sampled_from(["get", "get", "get", "start", "stop"]),
        st.floats(0, 0.1),
    ),
    max_size=120,
)


@given(steps)
@settings(max_examples=200, deadline=None)
def test_any_packets_at_any_time_give_whole_ticks_in_bounded_memory(script: list) -> None:
    buffer = PlayoutBuffer(OpusDecoder)
    buffer.start()
    now = 0.0
    for step in script:
        if step == "get":
            now += TICK_S
            assert buffer.get(now).shape == (TICK_SAMPLES,)
        elif step == "start":
            buffer.start()
        elif step == "stop":
            buffer.stop()
        elif isinstance(step, float):
            now += step
        else:
            sequence, ticks, payload = step
            buffer.packets.put(Packet(sequence, ticks * 960, payload), now)
        assert len(buffer.packets.held) <= BUFFER_PACKETS
    for _ in range(20):
        now += TICK_S
        assert buffer.get(now).dtype == np.int16
