import numpy as np

from bench.latency import BRIGHTNESS, PITCHES_HZ, LatencyProbe
from bench.media import coded_flashes, coded_marks, coded_speech
from mcu.media.h264 import assemble
from mixer.codecs.opus import OpusDecoder, OpusEncoder
from mixer.codecs.video import VideoDecoder

DELAY_S = 0.13


def heard(lost: frozenset[int] = frozenset()) -> LatencyProbe:
    """Four seconds of marks beside speech, mixed and coded once more, DELAY_S later."""
    probe = LatencyProbe()
    marks, speech = coded_marks(PITCHES_HZ), coded_speech("speaker")
    decoders, encoder, receiver = (OpusDecoder(), OpusDecoder()), OpusEncoder(), OpusDecoder()
    for number in range(200):
        now = number * 0.02
        at = number % len(marks.packets)
        if at in marks.marks:
            probe.audio.sent(marks.marks[at], now)
        blocks = [
            decoder.decode(sound.packets[number % len(sound.packets)]).astype(np.int32)
            for decoder, sound in zip(decoders, (marks, speech), strict=True)
        ]
        mixed = np.clip(blocks[0] + blocks[1], -32768, 32767).astype(np.int16)
        block = receiver.decode(encoder.encode(mixed))
        if number // 10 not in lost:
            probe.audio_received(block, now + DELAY_S)
    return probe


def test_marks_in_sound_are_found_through_two_codecs_and_speech() -> None:
    found = heard().audio.found_ms
    assert len(found) >= 19
    # Each codec may put a burst's beginning off by a block.
    assert all(DELAY_S * 1000 - 1 <= one <= DELAY_S * 1000 + 41 for one in found)


def test_a_mark_that_is_lost_spoils_no_other() -> None:
    found = heard(frozenset({3, 4, 11})).audio.found_ms
    assert 15 <= len(found) <= 17
    assert max(found) <= DELAY_S * 1000 + 41


def test_marks_in_pictures_are_found() -> None:
    probe = LatencyProbe()
    pictures = coded_flashes(BRIGHTNESS)
    decoder = VideoDecoder("h264")
    for number, data in enumerate(access_units(pictures.payloads)):
        now = number / pictures.fps
        if number in pictures.marks:
            probe.video.sent(pictures.marks[number], now)
        for picture in decoder.decode(data):
            probe.picture_received(picture, now + DELAY_S)
    assert len(probe.video.found_ms) == len(pictures.marks) - 1  # the first changes nothing
    assert {round(one) for one in probe.video.found_ms} == {round(DELAY_S * 1000)}


def access_units(payloads: tuple[tuple[bytes, ...], ...]) -> list[bytes]:
    return [assemble(list(one))[0] for one in payloads]


def test_figures() -> None:
    probe = LatencyProbe()
    assert probe.figures() == {}
    for which in range(5):
        probe.audio.sent(which, 0.0)
        probe.audio.found(which, 0.01 * (which + 1))
    probe.audio.found(0, 0.5)  # found, but never sent
    probe.video.sent(0, 0.0)
    probe.video.found(0, -0.1)  # read late: it came before the next one was sent
    probe.video.found(0, 1.5)  # too late to be told from the next one
    assert probe.figures() == {
        "audio_added_latency_ms_p50": 30.0,
        "audio_added_latency_ms_p95": 48.0,
        "audio_added_latency_ms_p99": 49.6,
        "audio_added_latency_ms_max": 50.0,
        "audio_marks": 5,
        "marks_ms": {"audio": [10.0, 20.0, 30.0, 40.0, 50.0]},
    }
    probe.reset()
    assert probe.figures() == {}
