import numpy as np
import pytest

from bench.figures import VoidRunError
from bench.latency import PITCHES_HZ
from bench.lipsync import MARK_S, Found, Onsets, Report, figures, pairs, picture_captured_s

MEASURED = {"legs": 8}


def burst(pitch: int, begin: int, length: int, total: int) -> np.ndarray:
    t = np.arange(total) / 48_000
    sound = 3000 * np.sin(2 * np.pi * 250 * t)
    part = slice(begin, begin + length)
    sound[part] += 9000 * np.sin(2 * np.pi * PITCHES_HZ[pitch] * t[part])
    return sound.astype(np.int16)


@pytest.mark.parametrize("begin", [960, 1100, 1919, 2000])
def test_a_burst_is_found_where_it_begins(begin: int) -> None:
    sound = burst(2, begin, 2880, 960 * 8)
    onsets = Onsets()
    found = [
        (which, block * 960 + offset)
        for block in range(8)
        for which, offset in onsets.find(sound[block * 960 : (block + 1) * 960])
    ]
    assert [which for which, _ in found] == [2]
    assert found[0][1] == pytest.approx(begin, abs=72)  # 1.5 ms


def test_a_pitch_that_comes_again_is_found_again() -> None:
    sound = np.concatenate([burst(0, 960, 1920, 4800)] * 2)
    onsets = Onsets()
    found = [one for at in range(0, len(sound), 960) for one in onsets.find(sound[at : at + 960])]
    assert [which for which, _ in found] == [0, 0]


def test_a_report_gives_times_to_timestamps_on_both_sides_of_a_wrap() -> None:
    report = Report(1000.0, 48_000, 48_000)
    assert report.time_of(96_000) == pytest.approx(1001.0)
    assert report.time_of(0) == pytest.approx(999.0)
    assert report.time_of((1 << 32) - 48_000) == pytest.approx(998.0)


def test_sound_and_picture_of_one_mark_are_paired() -> None:
    found = {
        "audio": [Found(0, 1.00, 5.0, 0.05), Found(1, 1.20, 5.0, 0.05), Found(0, 2.0, 5.0, 0.05)],
        "video": [Found(0, 1.01, 5.0, 0.05), Found(0, 2.01, 5.0, 0.05)],
    }
    assert [(one.captured, two.captured) for one, two in pairs(found)] == [
        (1.00, 1.01),
        (2.0, 2.01),
    ]


def test_marks_of_a_long_run_stay_together() -> None:
    """They drifted apart once, and after 20 s no picture found its sound."""
    each = round(MARK_S * 25)  # pictures
    late = [picture_captured_s(mark * each) - mark * MARK_S for mark in range(3000)]
    assert -1e-6 < min(late) < max(late) < MARK_S / 4


def test_sound_that_is_to_be_played_before_its_picture_counts_positive() -> None:
    matched = [(Found(0, at, 5.00, 0.08), Found(0, at, 5.03, 0.06)) for at in range(10)]
    median, earliest, latest, arrived = figures(matched, 2.0, MEASURED)
    assert median.value == pytest.approx(30.0)
    assert median.holds is False
    assert "before" in median.against
    assert earliest.value == latest.value == pytest.approx(30.0)
    assert latest.holds is True
    assert arrived.value == pytest.approx(-20.0)


def test_too_few_marks_prove_nothing() -> None:
    with pytest.raises(VoidRunError):
        figures([], 10.0, MEASURED)
