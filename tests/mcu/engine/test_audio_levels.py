from collections import deque

import numpy as np
import pytest

from mcu.engine.audio_levels import measure_levels
from mcu.engine.audio_source import AudioSource
from mcu.legs.leg import StreamCodec
from mcu.media.frames import AudioPacket
from tests.mcu.engine.audio_room import OPUS, Ear, Room, Sender, gated, tone

NARROW = ("pcma", "pcmu", "g722")


def codec(name: str) -> StreamCodec:
    return OPUS if name == "opus" else StreamCodec(name, 8_000, 1)


def feed(sources: list[AudioSource], senders: list[Sender], tick: int) -> None:
    for source, sender in zip(sources, senders, strict=True):
        source.receive(sender.packet(tick), 0.02 * tick)


@pytest.mark.parametrize("name", ["pcma", "pcmu"])
def test_g711_costs_no_decodes_however_many(name: str) -> None:
    waiting: deque[AudioSource] = deque()
    sources = [AudioSource(f"p{one}", codec(name), waiting) for one in range(40)]
    senders = [Sender(tone(440, 100.0 * 2 ** (one / 5)), name, levels=False) for one in range(40)]
    for tick in range(5):
        feed(sources, senders, tick)
        assert measure_levels(waiting, 12, 0.02 * tick) == 0
    expected = [20 * np.log10(100.0 * 2 ** (one / 5) / 32_768 / np.sqrt(2)) for one in range(40)]
    assert [one.level for one in sources] == pytest.approx(expected, abs=1.0)
    assert all(one.level_at(0.1) == one.level for one in sources)


def test_g722_is_decoded_only_where_it_may_be_speech() -> None:
    waiting: deque[AudioSource] = deque()
    sources = [AudioSource(f"p{one}", codec("g722"), waiting) for one in range(30)]
    senders = [
        Sender(tone(1_000, 6_000.0 if one == 17 else 1.0), "g722", levels=False)
        for one in range(30)
    ]
    decodes = 0
    for tick in range(20):
        feed(sources, senders, tick)
        decodes += measure_levels(waiting, 12, 0.02 * tick)
    assert 15 <= decodes <= 20
    assert sources[17].level == pytest.approx(-17.8, abs=1.0)
    assert {one.level for one in sources if one is not sources[17]} == {-127.0}


def test_those_that_need_a_decoder_take_turns() -> None:
    waiting: deque[AudioSource] = deque()
    sources = [AudioSource(f"p{one}", codec("g722"), waiting) for one in range(30)]
    senders = [Sender(tone(1_000), "g722", levels=False) for one in range(30)]
    heard: set[str] = set()
    for tick in range(8):
        feed(sources, senders, tick)
        assert measure_levels(waiting, 5, 0.02 * tick) <= 5
        heard |= {one.participant for one in sources if one.heard_at == 0.02 * tick}
    assert len(heard) == 30


def test_nothing_new_is_nothing_to_do() -> None:
    waiting: deque[AudioSource] = deque()
    source = AudioSource("p", codec("pcma"), waiting)
    source.receive(Sender(tone(440), "pcma", levels=False).packet(0), 0.0)
    measure_levels(waiting, 12, 0.0)
    measured_at = source.heard_at
    measure_levels(waiting, 12, 1.0)
    assert source.heard_at == measured_at
    assert source.level_at(1.0) == -127.0


@pytest.mark.parametrize("name", NARROW)
def test_a_room_without_levels_becomes_the_speaker_and_is_heard(name: str) -> None:
    room = Room()
    for number in range(20):
        room.join(
            f"p{number}", tone(500 + number, 2.0), codec=codec(name), levels=False, listens=False
        )
    room.join("speaker", gated(tone(440), 0.5, 9.0), codec=codec(name), levels=False, listens=False)
    ear = room.listen(Ear("viewer", None))
    room.run(0.4)
    assert room.mixer.speakers == ()
    room.run(0.3)
    assert room.mixer.speakers == ("speaker",)
    room.run(1.0)
    heard = ear.sound[-24_000:].astype(float)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(6_000 / np.sqrt(2), rel=0.15)


def test_comfort_noise_is_silence_at_once() -> None:
    """Nothing is concealed after the sender said that it falls silent."""
    room = Room()
    source = room.mixer.add_source("p", codec("pcma")).receive
    sender = Sender(tone(440), "pcma", levels=False)
    ear = room.listen(Ear("viewer", None))
    for _ in range(60):
        source(sender.packet(room.tick), room.now)
        room.run(0.02)
    source(AudioPacket(sender.sequence, sender.timestamp, b"", -60, False), room.now)
    before = room.mixer.statistics().concealed
    room.run(0.2)
    assert room.mixer.statistics().concealed == before
    assert np.abs(ear.sound[-2_400:]).max() < 50
    room.run(0.1)
    # 300 ms later it speaks again, numbered as if nothing had been between.
    sender.timestamp += 15 * 160
    for _ in range(20):
        source(sender.packet(room.tick), room.now)
        room.run(0.02)
    assert room.mixer.statistics().lost == 0
    assert np.abs(ear.sound[-960:]).max() > 3_000


def test_the_level_of_comfort_noise_is_that_of_its_room() -> None:
    waiting: deque[AudioSource] = deque()
    source = AudioSource("p", codec("pcmu"), waiting)
    source.receive(Sender(tone(440), "pcmu", levels=False).packet(0), 0.0)
    source.receive(AudioPacket(1_001, 90_160, b"", -67, False), 0.02)
    assert measure_levels(waiting, 12, 0.02) == 0
    assert source.level_at(0.02) == -67
