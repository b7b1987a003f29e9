import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mcu.bridge.picture import TestPicture, background_rgb

NAME = "Phường Vĩnh Nguyên"
SIZES = [(320, 180), (640, 360), (1280, 720), (1920, 1080)]


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return frame.to_ndarray().astype(np.uint8)[: frame.height]


def rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    return frame.to_ndarray(format="rgb24").astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_the_size_is_the_one_asked_for(size: tuple[int, int]) -> None:
    frame = TestPicture(NAME).draw(*size, 0.0, "10:20:30.4")
    assert (frame.width, frame.height, frame.format.name) == (*size, "yuv420p")


@pytest.mark.parametrize("size", SIZES)
def test_background_name_and_bar_are_there(size: tuple[int, int]) -> None:
    width, height = size
    frame = TestPicture(NAME).draw(width, height, 0.0, "10:20:30.4")
    picture = rgb(frame).astype(int)
    corner = picture[height // 8, width // 20]
    assert np.abs(corner - background_rgb(NAME)).max() <= 6
    name = luma(frame)[height * 33 // 100 : height * 47 // 100]
    assert (name > 200).mean() > 0.01
    assert (luma(frame)[-2:, :4] == 235).all()


def test_names_have_colours_of_their_own_and_keep_them() -> None:
    names = [f"Xã số {number}" for number in range(40)]
    colours = {background_rgb(name) for name in names}
    assert len(colours) > 30
    assert all(max(colour) <= 150 for colour in colours)  # white letters stand out
    assert background_rgb(names[0]) == background_rgb(names[0])


def test_the_clock_changes_its_place_and_nothing_else() -> None:
    picture = TestPicture(NAME)
    first = luma(picture.draw(640, 360, 1.0, "10:20:30.4"))
    other = luma(picture.draw(640, 360, 1.0, "10:20:31.4"))
    changed = np.argwhere(first != other)
    assert len(changed) > 20
    # The seconds' last digit stands right of the middle, below the name.
    top, left = changed.min(axis=0)
    bottom, right = changed.max(axis=0)
    assert 360 * 3 // 5 <= top < bottom <= 360 * 3 // 4
    assert 320 < left < right < 460
    assert right - left < 40
    assert np.array_equal(first, luma(picture.draw(640, 360, 1.0, "10:20:30.4")))


def test_the_bar_moves_with_time_through_the_whole_width() -> None:
    picture = TestPicture(NAME)
    places = []
    for step in range(40):
        line = luma(picture.draw(640, 360, step * 0.1, "10:20:30.4"))[-1]
        bright = np.flatnonzero(line == 235)
        assert len(bright) == 24
        places.append(int(bright[0]))
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] >= 600
    assert int(np.flatnonzero(luma(picture.draw(640, 360, 4.0, "10:20:30.4"))[-1] == 235)[0]) < 30


def test_a_picture_is_not_written_to_when_the_next_is_drawn() -> None:
    picture = TestPicture(NAME)
    first = picture.draw(320, 180, 0.0, "10:20:30.4")
    before = first.to_ndarray().copy()
    picture.draw(320, 180, 2.0, "11:22:33.5")
    assert np.array_equal(before, first.to_ndarray())


def test_sizes_come_and_go() -> None:
    picture = TestPicture(NAME)
    for width, height in SIZES * 2 + [(160, 90), (426, 240)]:
        assert picture.draw(width, height & ~1, 0.5, "10:20:30.4").width == width


@pytest.mark.parametrize("size", [(32, 18), (16, 16), (2, 2), (160, 20), (8, 360)])
def test_a_tiny_picture_is_no_error(size: tuple[int, int]) -> None:
    frame = TestPicture(NAME).draw(*size, 0.3, "10:20:30.4")
    assert (frame.width, frame.height) == size


def test_a_long_name_stays_inside() -> None:
    long = "Ủy ban nhân dân phường Bắc Cam Ranh, điểm cầu dự phòng số hai"
    frame = luma(TestPicture(long).draw(640, 360, 0.0, "10:20:30.4")).astype(int)
    ground = int(frame[40, 10])
    assert np.abs(frame[120:170, :12] - ground).max() <= 2
    assert np.abs(frame[120:170, -12:] - ground).max() <= 2
    assert (frame[120:170] > 200).any()
