"""What a room's pictures say, from pictures as they come out of a decoder."""

from collections.abc import Iterator

import numpy as np
import pytest

from bench import detect_pictures as pictures
from bench.clips import Picture
from bench.detect_pictures import LINES, Line
from mcu.watch.picture import GLIMPSE_S, LIFELESS_S, NONE_S, PictureReading, PictureWatch
from mixer.detect.picture_grid import sampled

SHARP = Line("h264", 1_500_000, periodic=False)


def watched(film, seconds: float, line: Line = SHARP, speaks: bool = False) -> PictureReading:
    """Five pictures a second of a film that has FPS; the last reading."""
    watch, now = PictureWatch(0.0), 0.0
    step = pictures.FPS // 5
    for number, luma in enumerate(pictures.sent(film, line)):
        now = number / pictures.FPS
        if number % step == 0:
            watch.seen(sampled(luma), now)
        if number % pictures.FPS == 0:
            watch.heard(speaks, 1.0)
        if now >= seconds:
            break
    return watch.reading(now)


def test_before_anything_came_nothing_is_known_and_then_it_sends_none() -> None:
    watch = PictureWatch(10.0)
    assert watch.reading(11.0) == PictureReading()
    late = watch.reading(10.0 + NONE_S)
    assert (late.black, late.how) == (True, "no picture")


def test_pictures_that_stop_prove_nothing_at_first() -> None:
    watch = PictureWatch(0.0)
    watch.seen(np.full((90, 320), 16, np.uint8), 1.0)
    assert watch.reading(1.5).black is True
    assert watch.reading(5.0).black is None
    assert watch.reading(1.0 + NONE_S).how == "no picture"


def test_black_and_one_shade() -> None:
    found = watched(pictures.black(1, 30, 2.0, 4.0), 1.5)
    assert (found.black, found.how) == (True, "black")
    watch = PictureWatch(0.0)
    watch.seen(np.full((90, 320), 120, np.uint8), 0.2)
    assert watch.reading(0.3).how == "one shade"


def test_live_is_neither() -> None:
    found = watched(pictures.live(2, 90), 6.0)
    assert (found.black, found.frozen) == (False, False)


def test_frozen_at_a_good_rate_by_the_picture_alone() -> None:
    assert watched(pictures.frozen(3, 200), 13.0).frozen is True


def test_at_a_low_rate_only_who_speaks_is_known_to_be_frozen() -> None:
    low = LINES[1]
    assert watched(pictures.frozen(3, 400), 26.0, low).frozen is not True
    assert watched(pictures.frozen(3, 400), 26.0, low, speaks=True).frozen is True


def test_what_does_not_live_for_a_minute_is_frozen_and_dark_is_told_once() -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 255, (90, 320)).astype(np.uint8)
    watch = PictureWatch(0.0)
    now = 0.0
    while now < LIFELESS_S + 1:
        # Noise on every pixel, which is no repetition, and no movement either.
        watch.seen((rows // 2 + rng.integers(0, 3, rows.shape)).astype(np.uint8), now)
        if now == LIFELESS_S - 2:
            assert watch.reading(now).frozen is None
        now += 0.5
    assert watch.reading(now).frozen is True
    dark = PictureWatch(0.0)
    for at in range(140):
        dark.seen(np.full((90, 320), 16, np.uint8), at / 2)
    assert (dark.reading(69.5).black, dark.reading(69.5).frozen) == (True, False)


def test_what_lives_is_known_to_be_well_soon_and_what_is_dark_or_frozen_never_is() -> None:
    def well_after(film: Iterator[Picture], line: Line = SHARP) -> float | None:
        watch = PictureWatch(0.0)
        for number, luma in enumerate(pictures.sent(film, line)):
            if number % (pictures.FPS // 5) == 0:
                watch.seen(sampled(luma), number / pictures.FPS)
            if watch.is_well:
                return number / pictures.FPS
        return None

    lives = well_after(pictures.live(2, 150))
    assert lives is not None
    assert 0.0 < lives <= 5.0
    for line in (SHARP, LINES[1]):
        assert well_after(pictures.frozen(3, 200), line) is None
    assert well_after(pictures.black(1, 60, 2.0, 4.0)) is None


def test_glimpses_do_while_something_moves_and_it_is_not_dark() -> None:
    def glimpsed(film: Iterator[Picture]) -> float | None:
        """A picture every other second; when more is wanted."""
        watch = PictureWatch(0.0)
        for number, luma in enumerate(pictures.sent(film, SHARP)):
            now = number / pictures.FPS
            if number % (2 * pictures.FPS) == 0:
                watch.seen(sampled(luma), now)
            if watch.wants_more(now):
                return now
        return None

    assert PictureWatch(0.0).wants_more(10.0) is False, "that none came is told by itself"
    assert glimpsed(pictures.live(2, 300)) is None
    assert glimpsed(pictures.frozen(3, 300)) == pytest.approx(GLIMPSE_S, abs=0.1)
    assert glimpsed(pictures.black(1, 60, 2.0, 4.0)) == 0.0


def test_pictures_of_another_size_are_no_movement() -> None:
    rng = np.random.default_rng(1)
    watch = PictureWatch(0.0)
    for at, width in enumerate((320, 640, 320, 320)):
        watch.seen(rng.integers(0, 255, (90, width)).astype(np.uint8) // 20 + 90, at / 5)
        assert not watch.is_well
