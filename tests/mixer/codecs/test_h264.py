import itertools

import pytest

from mixer.codecs.h264 import LEVELS, encoder_options, level_for, macroblocks


@pytest.mark.parametrize(
    ("width", "height", "fps", "rate", "idc"),
    [
        (1280, 720, 25, 1_500_000, 31),
        (1280, 720, 30, 4_000_000, 31),
        (1920, 1080, 25, 4_000_000, 40),
        (640, 360, 25, 500_000, 30),
        (320, 180, 15, 150_000, 12),
    ],
)
def test_the_level_is_the_lowest_that_allows_it(
    width: int, height: int, fps: int, rate: int, idc: int
) -> None:
    assert level_for(width, height, fps, rate).idc == idc


def test_what_no_level_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        level_for(8192, 8192, 60, 1_000_000)


def test_levels_only_grow() -> None:
    for below, above in itertools.pairwise(LEVELS):
        assert below.idc < above.idc
        assert below.max_mbps <= above.max_mbps
        assert below.max_fs <= above.max_fs
        assert below.max_br <= above.max_br


def test_macroblocks_count_begun_ones() -> None:
    assert macroblocks(1280, 720) == 3600
    assert macroblocks(1920, 1080) == 120 * 68
    assert macroblocks(17, 1) == 2


def test_options_bound_the_rate() -> None:
    parameters = encoder_options(1280, 720, 25, 1_500_000)["x264-params"]
    assert "vbv-maxrate=1500" in parameters
    assert "vbv-bufsize=900" in parameters
    assert "threads=1" in parameters
