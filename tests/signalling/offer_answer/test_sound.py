import pytest

from signalling.media.codecs import Codec
from signalling.offer_answer.sound import Sound, event_clock_rate, event_map, read_sound
from tests.signalling.offer_answer.ends_of_calls import audio, offer


def read(*lines: str, pts: str = "8") -> Sound:
    return read_sound(offer(audio(*lines, pts=pts)).media[0])


def test_nothing() -> None:
    assert read() == Sound({}, None, 20)


def test_events_by_clock_rate() -> None:
    lines = ["a=rtpmap:101 telephone-event/8000", "a=rtpmap:102 TELEPHONE-EVENT/48000"]
    lines += ["a=rtpmap:103 telephone-event/8000"]
    assert read(*lines, pts="8 101 102 103").events == {8000: 101, 48000: 102}


@pytest.mark.parametrize(
    ("pts", "line", "expected"),
    [
        ("8 13", "a=x", 13),
        ("8 13", "a=rtpmap:13 CN/8000", 13),
        ("8 97", "a=rtpmap:97 CN/8000", 97),
        ("8 97", "a=rtpmap:97 CN/16000", None),
        ("8", "a=rtpmap:13 CN/8000", None),
    ],
)
def test_comfort_noise(pts: str, line: str, expected: int | None) -> None:
    assert read(line, pts=pts).comfort_noise == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a=ptime:20"], 20),
        (["a=ptime:20.0"], 20),
        (["a=ptime:30"], 20),
        (["a=ptime:40"], 40),
        (["a=ptime:60"], 60),
        (["a=ptime:200"], 60),
        (["a=ptime:10"], 20),
        (["a=ptime:x"], 20),
        (["a=ptime:0"], 20),
        (["a=ptime:40", "a=maxptime:20"], 20),
        (["a=maxptime:40"], 20),
        (["a=maxptime:10"], 10),
        (["a=ptime:60", "a=maxptime:50"], 40),
    ],
)
def test_packet_times(lines: list[str], expected: int) -> None:
    assert read(*lines).ptime_ms == expected


def test_keys_keep_the_clock_of_the_sound_where_they_can() -> None:
    opus, pcma = Codec("opus", 96, 48000, 2), Codec("pcma", 8, 8000, 1)
    assert event_clock_rate({8000: 101, 48000: 102}, opus) == 48000
    assert event_clock_rate({8000: 101, 48000: 102}, pcma) == 8000
    assert event_clock_rate({8000: 101}, opus) == 8000
    assert event_clock_rate({48000: 102}, pcma) is None
    assert event_clock_rate({}, pcma) is None
    assert str(event_map(101, 8000)) == "101 telephone-event/8000"
