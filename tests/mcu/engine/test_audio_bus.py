import numpy as np
import pytest

from mcu.engine.audio_bus import Bus, EncodingKey
from mcu.legs.leg import StreamCodec
from mcu.media.rendition import FanOut
from tests.mcu.engine.audio_room import Ear

FAN_OUT = FanOut(lambda delay, call: None)
BLOCK = np.zeros(960, np.int16)


def opus(bitrate_bps: int = 0, **parameters: str) -> StreamCodec:
    return StreamCodec("opus", 48_000, 2, parameters, max_bitrate_bps=bitrate_bps)


@pytest.mark.parametrize(
    ("codec", "key"),
    [
        (opus(), EncodingKey("opus")),
        (opus(maxaveragebitrate="510000"), EncodingKey("opus")),
        (opus(maxaveragebitrate="30000"), EncodingKey("opus", 24_000)),
        (opus(maxaveragebitrate="6000"), EncodingKey("opus", 16_000)),
        (opus(maxaveragebitrate="nonsense"), EncodingKey("opus")),
        (opus(maxaveragebitrate="²"), EncodingKey("opus")),
        (opus(64_000), EncodingKey("opus")),
        (opus(40_000), EncodingKey("opus", 24_000)),  # headers count too
        (StreamCodec("PCMA", 8_000, 1, max_bitrate_bps=1), EncodingKey("pcma")),
        (StreamCodec("pcmu", 8_000, 1, packet_ms=10), EncodingKey("pcmu", packet_ms=10)),
        (StreamCodec("g722", 8_000, 1, packet_ms=30), EncodingKey("g722", packet_ms=20)),
        (StreamCodec("g722", 8_000, 1, packet_ms=60), EncodingKey("g722", packet_ms=60)),
        (StreamCodec("opus", 48_000, 2, packet_ms=40), EncodingKey("opus")),
    ],
)
def test_peers_that_ask_for_less_get_another_encoding(codec: StreamCodec, key: EncodingKey) -> None:
    assert EncodingKey.of(codec) == key


def test_legs_with_the_same_codec_share_an_encoder() -> None:
    bus = Bus("total", FAN_OUT, 1.0)
    ears = [Ear(f"e{number}", None) for number in range(5)]
    ears.append(Ear("narrow", None, StreamCodec("pcmu", 8_000, 1)))
    ears.append(Ear("slow", None, opus(maxaveragebitrate="16000")))
    for ear in ears:
        bus.join(ear, ())
    bus.encode(BLOCK, 7, 0.0)
    assert len(bus.encodings) == 3
    assert all(len(ear.heard) == 1 for ear in ears)
    assert ears[0].payloads == ears[4].payloads
    assert ears[0].timestamps == [7 * 960]
    assert ears[5].timestamps == [7 * 160]
    assert ears[6].rendition is not None
    assert ears[6].rendition.key.bitrate_bps == 16_000


def test_an_encoder_goes_with_its_last_leg() -> None:
    bus = Bus("total", FAN_OUT, 1.0)
    first, second = Ear("a", None), Ear("b", None)
    bus.join(first, ())
    bus.join(second, ())
    bus.leave(first)
    assert len(bus.encodings) == 1
    bus.leave(second)
    bus.leave(second)
    assert not bus.encodings
    assert not bus.legs


def test_a_late_encoder_knows_the_expected_loss() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 3_000, (30, 960)).astype(np.int16)
    sizes = []
    for share in (0.0, 0.5):
        bus = Bus("total", FAN_OUT, 1.0)
        bus.expect_loss(share)
        ear = Ear("a", None)
        bus.join(ear, ())
        for tick, block in enumerate(sound):
            bus.encode(block, tick, 0.0)
        sizes.append(ear.payloads)
    assert sizes[0] != sizes[1]


def test_run_in_makes_the_encoder_one_that_has_heard_it() -> None:
    n = np.arange(20 * 960)
    tone = np.rint(6_000 * np.sin(2 * np.pi * 440 * n / 48_000)).astype(np.int16).reshape(-1, 960)
    fresh, running = Bus("a", FAN_OUT, 1.0), Bus("b", FAN_OUT, 1.0)
    ears = Ear("x", None), Ear("y", None)
    fresh.join(ears[0], ())
    running.join(ears[1], tuple(tone[:5]))
    for bus in (fresh, running):
        bus.encode(tone[5], 0, 0.0)
    level = [float(np.abs(ear.sound.astype(int)).mean()) for ear in ears]
    assert level[1] > level[0]


@pytest.mark.parametrize("codec", ["pcma", "g722"])
def test_packets_hold_what_the_listener_wants(codec: str) -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 3_000, (12, 960)).astype(np.int16)
    bus = Bus("total", FAN_OUT, 1.0)
    ears = {
        ms: Ear(f"e{ms}", None, StreamCodec(codec, 8_000, 1, packet_ms=ms))
        for ms in (10, 20, 40, 60)
    }
    for ear in ears.values():
        bus.join(ear, ())
    for tick, block in enumerate(sound):
        bus.encode(block, tick, 0.02 * tick)
    whole = b"".join(ears[20].payloads)
    for ms, ear in ears.items():
        assert {len(one) for one in ear.payloads} == {8 * ms}
        assert ear.timestamps == list(range(0, 12 * 160, 8 * ms))
        assert b"".join(ear.payloads) == whole


def test_a_long_packet_loses_nothing_when_its_listener_goes_to_another_mix() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 3_000, (12, 960)).astype(np.int16)
    format_ = StreamCodec("pcma", 8_000, 1, packet_ms=60)
    plain = Ear("plain", None, StreamCodec("pcma", 8_000, 1))
    for goes_along in (True, False):
        first, second = Bus("total", FAN_OUT, 1.0), Bus("minus", FAN_OUT, 1.0)
        ear = Ear("long", None, format_)
        first.join(ear, ())
        first.join(plain, ())
        for tick, block in enumerate(sound):
            if tick == 7:
                own = first.own_encoding(ear)
                assert own is not None
                first.leave(ear)
                second.join(ear, tuple(sound[:7]), own if goes_along else None)
            first.encode(block, tick, 0.0)
            second.encode(block, tick, 0.0)
        assert ear.timestamps == [0, 480, 960, 1440]
        expected = b"".join(plain.payloads[-12:])
        got = b"".join(ear.payloads)
        # A new encoder's filter has run in on what was heard: what it repeats is the same.
        differing = sum(one != other for one, other in zip(expected, got, strict=True))
        assert differing <= (0 if goes_along else 40)
        first.leave(plain)
