"""Layouts are data: these tests read the data, whatever it says."""

import pytest

from mixer.video.layout import LAYOUTS, Rect

SLOTS = {
    "1x1": 1, "2x2": 4, "3x3": 9, "4x4": 16, "5x5": 25, "6x6": 36, "7x7": 49,
    "1+5": 6, "1+7": 8, "1+12": 13, "2+8": 10,
}  # fmt: skip


def test_every_layout_that_operators_know_is_there() -> None:
    assert set(LAYOUTS) == {*SLOTS, "lecture", "presenter"}
    assert {name: len(LAYOUTS[name].slots) for name in SLOTS} == SLOTS


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (640, 360), (320, 180)])
def test_slots_lie_inside_even_and_apart(name: str, size: tuple[int, int]) -> None:
    rects = LAYOUTS[name].pixels(*size)
    assert len(rects) == len(LAYOUTS[name].slots)
    whole = Rect(0, 0, *size)
    for number, rect in enumerate(rects):
        assert whole.contains(rect)
        assert not (rect.x | rect.y | rect.width | rect.height) & 1
        assert rect.width >= 2
        assert rect.height >= 2
        for other in rects[number + 1 :]:
            assert rect.intersection(other) is None


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_first_slot_is_the_largest_and_no_slot_is_distorted(name: str) -> None:
    rects = LAYOUTS[name].pixels(1280, 720)
    areas = [rect.width * rect.height for rect in rects]
    assert areas[0] >= max(areas) * 0.95
    for rect in rects:
        assert rect.width / rect.height == pytest.approx(16 / 9, rel=0.12)


@pytest.mark.parametrize("name", SLOTS)
def test_little_of_the_picture_is_left_empty(name: str) -> None:
    covered = sum(rect.width * rect.height for rect in LAYOUTS[name].pixels(1280, 720))
    assert covered > 0.9 * 1280 * 720


def test_intersections() -> None:
    one = Rect(0, 0, 10, 10)
    assert one.intersection(Rect(4, 6, 10, 10)) == Rect(4, 6, 6, 4)
    assert one.intersection(Rect(10, 0, 4, 4)) is None
    assert one.contains(Rect(2, 2, 8, 8))
    assert not one.contains(Rect(2, 2, 10, 8))
