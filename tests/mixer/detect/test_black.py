import numpy as np
import pytest

from bench import detect_pictures as pictures
from bench.detect_pictures import Line
from bench.detect_views import blacks
from mixer.detect.black import light
from mixer.detect.picture_grid import grid, sampled

LINES = [Line("h264", 64_000), Line("h264", 500_000), Line("vp8", 500_000)]


@pytest.mark.parametrize("line", LINES, ids=str)
@pytest.mark.parametrize(("gain", "lift"), [(0, 0), (3, 2), (8, 6), (15, 10)])
def test_a_closed_shutter_is_black_at_any_gain(gain: float, lift: float, line: Line) -> None:
    count, black = blacks(pictures.black(1, 8, gain, lift), line)
    assert black == count > 0


@pytest.mark.parametrize("line", LINES, ids=str)
@pytest.mark.parametrize("share", [0.15, 0.3, 1.0])
def test_a_room_is_not_black_even_in_little_light(share: float, line: Line) -> None:
    count, black = blacks(pictures.dim(1, 8, share), line)
    assert black == 0 < count


def test_full_range_black_is_black() -> None:
    found = light(grid(sampled(np.zeros((360, 640), np.uint8))))
    assert found.is_black
    assert found.is_blank


def test_one_colour_is_blank_and_not_black() -> None:
    found = light(grid(sampled(np.full((360, 640), 120, np.uint8))))
    assert found.is_blank
    assert not found.is_black
    assert (found.brightest, found.spread) == (120, 0)


def test_a_lamp_in_the_dark_is_a_room() -> None:
    luma = np.full((360, 640), 16, np.uint8)
    luma[100:180, 300:420] = 200
    assert not light(grid(sampled(luma))).is_black
