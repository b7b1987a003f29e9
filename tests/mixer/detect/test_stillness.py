import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from bench import detect_pictures as pictures
from bench.clips import HEIGHT, WIDTH, Picture
from bench.detect_pictures import FPS, Line
from bench.detect_views import verdicts
from mixer.detect.picture_grid import grid, sampled
from mixer.detect.stillness import STILL_S, Stillness

ON_DEMAND = Line("h264", 500_000, periodic=False)
PERIODIC = Line("h264", 500_000)
FEW_BITS = Line("h264", 64_000)
VP8 = Line("vp8", 500_000)


def stopped(seconds: int) -> Iterator[Picture]:
    return itertools.chain(pictures.live(1, 2 * FPS), pictures.frozen(1, seconds * FPS))


def test_a_picture_that_froze_is_found_behind_a_codec() -> None:
    assert verdicts(stopped(26), ON_DEMAND, 25) == {"frozen": 3}


@pytest.mark.parametrize("line", [PERIODIC, FEW_BITS, VP8], ids=str)
def test_it_is_never_taken_for_one_that_moves(line: Line) -> None:
    assert "moving" not in verdicts(stopped(10), line, 8)


@pytest.mark.parametrize("line", [ON_DEMAND, FEW_BITS, VP8], ids=str)
@pytest.mark.parametrize("noise", [0.7, 2.0])
def test_a_still_room_that_lives_is_not_called_frozen(noise: float, line: Line) -> None:
    found = verdicts(pictures.still(1, 14 * FPS, noise), line, 7)
    assert set(found) == {"still"}


@pytest.mark.parametrize("line", [ON_DEMAND, FEW_BITS, VP8], ids=str)
def test_somebody_who_moves_is_seen(line: Line) -> None:
    assert set(verdicts(pictures.live(2, 9 * FPS), line, 6)) == {"moving"}


def watched(shown: Iterable[np.ndarray], fps: float = 10.0) -> tuple[Stillness, float]:
    watch, now = Stillness(), 0.0
    for number, luma in enumerate(shown):
        now = number / fps
        watch.take(luma, now)
    return watch, now


def noisy(count: int, sigma: float = 2.0) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [
        np.clip(rng.normal(100, sigma, (180, 320)), 0, 255).astype(np.uint8) for _ in range(count)
    ]


def test_pictures_that_repeat_are_frozen_after_a_while() -> None:
    luma = noisy(1)[0]
    watch, now = watched([luma] * 40)
    assert watch.verdict(now) == "moving"  # not yet long enough to say
    watch, now = watched([luma] * 60)
    assert watch.verdict(now) == "frozen"
    assert watch.changed == 0.0
    assert watch.still_s(now) == pytest.approx(5.9)


def test_a_key_frame_now_and_then_does_not_hide_it() -> None:
    first, *others = noisy(8)
    shown = [others[number // 10 % 7] for number in range(80)]  # another noise every second
    watch, now = watched([first, *shown])
    assert watch.verdict(now) == "frozen"


def test_what_moves_in_a_corner_is_movement() -> None:
    shown = []
    for number in range(80):
        luma = np.full((180, 320), 100, np.uint8)
        luma[20:70, 10 + number // 30 * 40 : 60 + number // 30 * 40] = 180
        shown.append(luma)
    watch, now = watched(shown)
    assert watch.still_s(now) < STILL_S


def test_few_pictures_far_apart_prove_nothing() -> None:
    watch, now = watched([noisy(1)[0]] * 30, fps=1.0)
    assert watch.changed is None
    assert watch.verdict(now) == "still"


def test_another_size_begins_anew() -> None:
    watch, now = watched([*noisy(1) * 80, np.zeros((HEIGHT, WIDTH), np.uint8)])
    assert watch.still_s(now) == 0
    assert watch.changed is None


def test_rows_and_grid_that_are_there_already_say_the_same() -> None:
    shown = noisy(3) * 30
    watch, now = watched(shown)
    other = Stillness()
    for number, luma in enumerate(shown):
        rows = sampled(luma)
        other.take_rows(rows, grid(rows), number / 10)
    assert other.changed == watch.changed
    assert other.still_s(now) == watch.still_s(now)
