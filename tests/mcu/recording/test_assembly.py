"""Files out of samples: what is in them, at which time, and where a new one begins."""

import itertools

import pytest

from mcu.recording.assembly import HELD_S, Assembly
from mcu.recording.sample import Sample
from tests.mcu.recording.coded import Coder, Written, play

BEFORE_S = 312 / 48_000
"""What a decoder of Opus gives comes so much later than what was said."""


def meeting(
    coder: Coder, seconds: float, *, late_s: float = 0.0, start: float = 5_000.0
) -> list[Sample]:
    """A flash and a beep each second, a fifth of one long; pictures captured ``late_s`` off."""
    samples = []
    for tick in range(int(seconds * 50)):
        now = start + tick * 0.02
        captured = now - BEFORE_S
        samples.append(coder.sound(tick, captured, on=tick % 50 in range(25, 35)))
        if tick % 2 == 0:
            shown = tick % 50 in range(25, 35)
            samples.append(coder.picture(tick * 1800, now + late_s, on=shown, key=tick % 250 == 0))
    return samples


def test_sound_and_picture_of_a_moment_stand_together():
    written = Written.of(meeting(Coder(), 6.0))
    assert len(written.parts) == 1
    assert written.durations == [pytest.approx(6.0, abs=0.06)]
    played = play(written.parts[0])
    assert played.sizes == {(320, 180)}
    flashes, beeps = played.flashes(), played.beeps()
    assert len(flashes) == len(beeps) == 6
    for flash, beep in zip(flashes, beeps, strict=True):
        # Pictures come each 40 ms, of which the flash begins with one 20 ms in.
        assert flash - beep == pytest.approx(0.02, abs=0.02)


def test_what_the_pictures_are_older_by_is_taken_off():
    flashes = play(Written.of(meeting(Coder(), 4.0)).parts[0]).flashes()
    older = play(Written.of(meeting(Coder(), 4.0, late_s=-0.1)).parts[0])
    beeps = older.beeps()
    assert len(flashes) == len(older.flashes()) == len(beeps)
    for flash, beep in zip(older.flashes(), beeps, strict=True):
        assert flash - beep == pytest.approx(-0.08, abs=0.02)


def test_another_size_is_another_part():
    coder = Coder()
    samples = meeting(coder, 2.0)
    coder.resize(640, 360)
    more = [
        sample._replace(captured=sample.captured + 2.0, timestamp=sample.timestamp + 96_000)
        if sample.stream == "audio"
        else sample._replace(captured=sample.captured + 2.0)
        for sample in meeting(coder, 2.0)
    ]
    written = Written.of(samples + more)
    assert [play(part).sizes for part in written.parts] == [{(320, 180)}, {(640, 360)}]
    assert sum(written.durations) == pytest.approx(4.0, abs=0.1)
    assert play(written.parts[1]).pictures[0][0] == pytest.approx(0.0, abs=0.05)


def test_the_same_pictures_from_another_encoder_go_on_in_the_same_file():
    coder = Coder()
    samples = meeting(coder, 1.0)
    coder.resize(320, 180)
    again = [
        one._replace(captured=one.captured + 1.0, timestamp=one.timestamp + 48_000)
        if one.stream == "audio"
        else one._replace(captured=one.captured + 1.0)
        for one in meeting(coder, 1.0)
    ]
    assert len(Written.of(samples + again).parts) == 1


def test_every_second_of_it_plays_without_what_follows():
    whole = Written.of(meeting(Coder(), 5.0)).parts[0]
    assembly, data = Assembly(), bytearray()
    for sample in meeting(Coder(), 5.0):
        for step in assembly.feed(sample):
            data += getattr(step, "data", b"")
    assert len(data) < len(whole)
    played = play(data)
    assert played.pictures[-1][0] > 3.5
    assert played.sound.size / 48_000 > 3.5


def test_a_picture_that_is_broken_is_left_out_until_the_next_key_frame():
    samples = meeting(Coder(), 12.0)
    pictures = [at for at, sample in enumerate(samples) if sample.stream == "video"]
    bad = pictures[60]
    samples[bad] = samples[bad]._replace(payloads=(b"\x7c",))
    written = Written.of(samples)
    times = [time for time, _ in play(written.parts[0]).pictures]
    gaps = [later - time for time, later in itertools.pairwise(times)]
    assert max(gaps) == pytest.approx(125 * 0.04 - 60 * 0.04, abs=0.05)
    assert len(written.parts) == 1


def test_sound_does_not_wait_for_pictures_for_ever():
    samples = [one for one in meeting(Coder(), HELD_S + 2.0) if one.stream == "audio"]
    written = Written.of(samples)
    assert len(written.parts) == 1
    played = play(written.parts[0])
    assert not played.pictures
    assert played.sound.size / 48_000 == pytest.approx(HELD_S + 2.0, abs=0.03)


def test_nothing_is_no_file():
    assert Assembly().close() == []
