"""What a camera seems to show in a drill."""

import numpy as np

from mcu.engine.picture_fault import FaultyCamera, black
from mixer.detect.black import light
from mixer.detect.picture_grid import grid, sampled
from mixer.video.canvas import frame_planes
from tests.mixer.video.pictures import BLUE, RED, frame


def test_black_is_black_in_all_of_the_picture() -> None:
    shown = FaultyCamera("black", None).instead_of(frame(322, 182, RED))
    assert (shown.width, shown.height, shown.format.name) == (322, 182, "yuv420p")
    planes = frame_planes(shown)
    for plane, value in ((planes.y, 16), (planes.u, 128), (planes.v, 128)):
        assert np.all(plane == value)


def test_it_stands_still_at_the_picture_it_had_or_at_the_next_one() -> None:
    held, newer = frame(320, 180, BLUE), frame(320, 180, RED)
    assert FaultyCamera("frozen", held).instead_of(newer) is held
    first = FaultyCamera("frozen", None)
    assert first.instead_of(newer) is newer
    assert first.instead_of(held) is newer


def test_a_black_picture_is_black_to_the_detector_too() -> None:
    luma = frame_planes(black(640, 360)).y
    assert light(grid(sampled(luma))).is_black
