from collections import deque

import numpy as np
import pytest

from mcu.engine.audio_source import AudioSource, Voice, measure_some
from mcu.legs.leg import StreamCodec
from mcu.media.lane import WAITING_PACKETS
from tests.mcu.engine.audio_room import OPUS, Sender, still, tone

QUIET = tone(440, 0.0)


def fed(signal: object, ticks: int = 10, codec: StreamCodec = OPUS) -> AudioSource:
    source = AudioSource("p", codec, deque())
    sender = Sender(signal, codec.name, levels=False)
    for tick in range(ticks):
        source.receive(sender.packet(tick), tick * 0.02)
    return source


def test_a_level_is_forgotten_when_nothing_follows() -> None:
    source = AudioSource("p", OPUS, deque())
    source.take_level(-20.0, 5.0)
    assert source.level_at(5.1) == -20.0
    assert source.level_at(5.3) == -127.0


@pytest.mark.parametrize("codec", ["opus", "g722", "pcma", "pcmu"])
def test_measuring_gives_the_level_once_per_packet(codec: str) -> None:
    source = fed(tone(440), codec=StreamCodec(codec, 8_000, 1))
    assert not source.probing
    assert source.measure(0.2)
    assert source.probing
    assert source.level == pytest.approx(-18, abs=4)  # the decoder has just begun
    assert not source.measure(0.22)


def test_measuring_over_a_hole_does_not_remember_loudness() -> None:
    loud, quiet = Sender(tone(440), levels=False), tone(440, 0.0)
    source = AudioSource("p", OPUS, deque())
    for tick in range(50):
        source.receive(loud.packet(tick), tick * 0.02)
    source.measure(1.0)
    assert source.level > -25
    loud.signal = quiet
    for tick in range(50, 80):
        source.receive(loud.packet(tick), tick * 0.02)
    source.measure(1.6)
    assert source.level < -55


def test_a_source_that_sent_nothing_is_not_measured() -> None:
    assert not AudioSource("p", OPUS, deque()).measure(0.0)


def test_the_budget_bounds_the_decodes() -> None:
    sources = [fed(QUIET) for _ in range(10)]
    assert measure_some(sources, 4, 0.2) == (4, 4)
    assert measure_some(sources, 4, 0.2) == (8, 4)
    assert measure_some(sources, 4, 0.2) == (10, 2)
    assert measure_some(sources, 4, 0.2) == (10, 0)


def test_a_voice_fades_in_and_out_and_gives_its_decoder_back() -> None:
    source = fed(tone(440), ticks=60)
    voice = Voice(source)
    out = np.empty((3, 960), np.int32)
    voice.take(1.0, 1.19, out[0])
    voice.take(1.0, 1.21, out[1])
    voice.leaving = True
    voice.take(1.0, 1.23, out[2])
    assert abs(out[0][:5]).max() < 200
    assert abs(out[1]).max() == pytest.approx(6_000, rel=0.1)
    assert abs(out[2][-5:]).max() < 200
    assert source.playout.playing
    voice.end()
    assert not source.playout.playing


def test_a_heard_source_without_level_is_measured_by_its_sound() -> None:
    source = fed(tone(440), ticks=62)
    source.carries_level = False
    voice = Voice(source)
    out = np.empty(960, np.int32)
    for tick in range(3):
        voice.take(1.0, 1.17 + tick * 0.02, out)
    assert source.level_at(1.21) == pytest.approx(-18, abs=1)


def test_who_carries_no_level_is_known_until_it_goes() -> None:
    without: deque[AudioSource] = deque()
    source = AudioSource("p", OPUS, without)
    with_level, mute = Sender(tone(440)), Sender(tone(440), levels=False)
    source.receive(mute.packet(0), 0.0)
    assert list(without) == [source]
    source.receive(with_level.packet(1), 0.02)
    assert not without
    source.receive(mute.packet(2), 0.04)
    source.retire()
    assert not without
    source.receive(mute.packet(3), 0.06)
    assert not without


def test_what_came_before_a_source_is_heard_tells_the_jitter_of_its_line() -> None:
    source = AudioSource("p", OPUS, deque())
    sender = Sender(tone(440))
    for tick in range(2 * WAITING_PACKETS):
        source.receive(sender.packet(tick), tick * 0.02)
    assert source.playout.packets.counters.received == 0
    source.start()
    assert source.playout.packets.counters.received == WAITING_PACKETS
    newest = source.playout.packets.newest
    assert newest is not None
    assert newest.sequence == sender.sequence - 1


def test_a_room_that_speaks_again_after_minutes_has_not_restarted() -> None:
    source = AudioSource("p", OPUS, deque())
    sender = Sender(still)
    for tick in range(50):
        source.receive(sender.packet(tick), tick * 0.02)
    source.start()
    source.playout.get(1.0)
    source.playout.stop()
    for tick in range(50, 4_000):
        source.receive(sender.packet(tick), tick * 0.02)
    source.start()
    counters = source.playout.packets.counters
    assert (counters.suspects, counters.resyncs) == (0, 0)
    source.playout.get(80.0)
    assert source.playout.counters.decoded > 0


def test_unknown_codecs_are_refused() -> None:
    with pytest.raises(ValueError, match="speex"):
        AudioSource("p", StreamCodec("speex", 16_000, 1), deque())
