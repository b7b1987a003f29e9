"""What callers see who have to enter a PIN."""

from itertools import pairwise

import numpy as np
import pytest

from mcu.sip.pin_picture import MAX_DISCS, PinScene, disc_places, draw
from mixer.video import colour as colours
from mixer.video.canvas import Canvas

WIDTH, HEIGHT = 640, 360


def luma(canvas: Canvas, place: tuple[float, float]) -> int:
    width, height = canvas.planes.width, canvas.planes.height
    return int(canvas.planes.y[round(place[1] * height), round(place[0] * width)])


def differ(one: Canvas, other: Canvas) -> list[int]:
    """Rows in which two pictures differ."""
    return [int(row) for row in np.flatnonzero((one.planes.y != other.planes.y).any(axis=1))]


@pytest.mark.parametrize("entered", [0, 1, 4, MAX_DISCS, MAX_DISCS + 5])
@pytest.mark.parametrize(("width", "height"), [(640, 360), (320, 180)])
def test_as_many_discs_as_digits(entered: int, width: int, height: int) -> None:
    shown = draw(PinScene(entered=entered), width, height)
    bright, ground = colours.TEXT.yuv[0], colours.CARD.yuv[0]
    places = disc_places(entered)
    assert len(places) == min(entered, MAX_DISCS)
    assert all(luma(shown, place) == pytest.approx(bright, abs=3) for place in places)
    beside = [(x + (places[1][0] - places[0][0]) / 2, y) for x, y in places] if entered > 1 else []
    assert all(luma(shown, place) == pytest.approx(ground, abs=3) for place in beside)
    assert all(0 < x < 1 for x, _ in places)


def test_digits_do_not_say_which_they_are_nor_how_many_are_wanted() -> None:
    assert PinScene.__dataclass_fields__.keys() == {"entered", "notice", "tries"}


def test_it_says_what_to_do_in_three_lines() -> None:
    blank = Canvas(WIDTH, HEIGHT)
    blank.fill(blank.rect, colours.CARD)
    rows = differ(draw(PinScene(), WIDTH, HEIGHT), blank)
    assert rows
    assert max(rows) < 0.7 * HEIGHT
    gaps = sum(after - before > 1 for before, after in pairwise(rows))
    assert gaps >= 2


@pytest.mark.parametrize(
    "scene",
    [
        PinScene(notice="wrong", tries=2),
        PinScene(notice="wrong", tries=1),
        PinScene(notice="wrong"),
        PinScene(notice="too_late"),
        PinScene(notice="blocked"),
    ],
)
def test_what_went_wrong_stands_in_a_band_of_its_own(scene: PinScene) -> None:
    shown, before = draw(scene, WIDTH, HEIGHT), draw(PinScene(), WIDTH, HEIGHT)
    assert min(differ(shown, before)) > 0.7 * HEIGHT
    assert luma(shown, (0.01, 0.8)) == pytest.approx(colours.MESSAGE.yuv[0], abs=3)


def test_all_notices_look_different() -> None:
    scenes = [PinScene(notice="wrong", tries=tries) for tries in range(3)]
    scenes += [PinScene(notice="too_late"), PinScene(notice="blocked")]
    drawn = {draw(scene, WIDTH, HEIGHT).planes.y.tobytes() for scene in scenes}
    assert len(drawn) == len(scenes)
