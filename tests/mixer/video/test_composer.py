"""The composed picture: right content in the right slot, and no stroke of the brush too many."""

from typing import Any

import numpy as np
import pytest

from mixer.video.caption import Caption
from mixer.video.composer import CACHE_BYTES, Composer, Scene, clear_of
from mixer.video.layout import LAYOUTS, Rect
from mixer.video.tile import Tile
from tests.mixer.video.pictures import BLUE, GREEN, GREY, RED, Yuv, colour_at, near, picture

COLOURS: tuple[Yuv, ...] = (RED, GREEN, BLUE, GREY)


def live(colour: Yuv, width: int, height: int, **more: bool) -> Tile:
    return Tile("live", "", picture(width, height, colour), **more)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_slot_shows_its_own_colour(name: str) -> None:
    composer = Composer(640, 360)
    rects = composer.rects(name)
    tiles = tuple(
        live(COLOURS[number % 4], rect.width, rect.height) for number, rect in enumerate(rects)
    )
    composer.compose(Scene(name, tiles), 0)
    planes = composer.canvases[0].planes
    for number, rect in enumerate(rects):
        middle = (rect.x + rect.width // 2, rect.y + rect.height // 2)
        assert near(colour_at(planes, *middle), COLOURS[number % 4], 1)


def test_only_what_changed_is_painted() -> None:
    composer = Composer(640, 360)
    tiles = [live(RED, 316, 176) for _ in range(4)]
    scene = Scene("2x2", tuple(tiles))
    assert composer.compose(scene, 0) == 4
    assert composer.compose(scene, 0) == 0
    assert composer.compose(Scene("2x2", tuple(tiles)), 0) == 0
    tiles[2] = live(BLUE, 316, 176)
    assert composer.compose(Scene("2x2", tuple(tiles)), 0) == 1
    planes = composer.canvases[0].planes
    assert near(colour_at(planes, 100, 260), BLUE, 1)
    assert near(colour_at(planes, 500, 260), RED, 1)


def test_the_other_canvas_is_brought_up_to_what_it_missed() -> None:
    composer = Composer(640, 360)
    tiles = [live(RED, 316, 176) for _ in range(4)]
    for buffer in (0, 1):
        composer.compose(Scene("2x2", tuple(tiles)), buffer)
    tiles[0] = live(GREEN, 316, 176)
    composer.compose(Scene("2x2", tuple(tiles)), 0)
    tiles[3] = live(BLUE, 316, 176)
    assert composer.compose(Scene("2x2", tuple(tiles)), 1) == 2
    assert near(colour_at(composer.canvases[1].planes, 100, 80), GREEN, 1)
    assert near(colour_at(composer.canvases[1].planes, 500, 260), BLUE, 1)
    assert near(colour_at(composer.canvases[0].planes, 500, 260), RED, 1)


def test_painting_changes_equals_painting_all() -> None:
    """Whatever the way to a scene, the canvas is the same."""
    random = np.random.default_rng(5)
    composer = Composer(640, 360)
    names = ["Xã Diên Khánh", "Phường Vĩnh Nguyên", "Đặc khu Trường Sa"]
    scene = Scene("3x3", ())
    for step in range(40):
        tiles = tuple(
            Tile(
                ["live", "lost", "no_video", "waiting", "empty"][int(random.integers(5))],  # type: ignore[arg-type]
                names[int(random.integers(3))],
                picture(210, 118, COLOURS[int(random.integers(4))]),
                muted=bool(random.integers(2)),
                speaking=bool(random.integers(2)),
            )
            for _ in range(9)
        )
        scene = Scene(
            ["3x3", "1+5"][int(random.integers(2))],
            tiles,
            message=[None, "Xin chào"][int(random.integers(2))],
            clock=f"10:00:{step:02}",
            captions=[(), (Caption("centre", "Giải lao"),)][int(random.integers(2))],
        )
        composer.compose(scene, 0)
    fresh = Composer(640, 360)
    fresh.compose(scene, 0)
    for changed, whole in zip(
        vars_of(composer.canvases[0].planes), vars_of(fresh.canvases[0].planes), strict=True
    ):
        np.testing.assert_array_equal(changed, whole)


def vars_of(planes: object) -> list[np.ndarray]:
    return [planes.y, planes.u, planes.v]  # type: ignore[attr-defined]


def test_the_clock_costs_its_own_rectangle() -> None:
    composer = Composer(1280, 720)
    tiles = tuple(live(RED, 636, 356) for _ in range(4))
    composer.compose(Scene("2x2", tiles, clock="10:00:00"), 0)
    before = composer.canvases[0].planes.y.copy()
    parts = composer.compose(Scene("2x2", tiles, clock="10:00:01"), 0)
    assert parts <= 2
    rows, columns = np.nonzero(before != composer.canvases[0].planes.y)
    assert len(rows) > 0
    assert rows.max() < 72
    assert columns.min() > 1280 // 2


def test_message_and_clock_go_without_a_trace() -> None:
    composer = Composer(640, 360)
    tiles = tuple(live(RED, 316, 176) for _ in range(4))
    plain = Scene("2x2", tiles)
    composer.compose(plain, 0)
    before = composer.canvases[0].planes.y.copy()
    composer.compose(Scene("2x2", tiles, message="Mời các điểm cầu", clock="09:30:00"), 0)
    assert (composer.canvases[0].planes.y != before).any()
    composer.compose(Scene("2x2", tiles), 0)
    np.testing.assert_array_equal(composer.canvases[0].planes.y, before)


@pytest.mark.parametrize("over", [
    {"message": "Mời các điểm cầu chuẩn bị báo cáo"},
    {"captions": (Caption("bottom-left", "Kỳ họp thứ 10"),)},
], ids=["message", "caption"])  # fmt: skip
def test_names_stand_above_what_is_laid_over_the_picture(over: dict[str, Any]) -> None:
    """And below again when that is gone; what has no name to be moved is left alone."""
    composer = Composer(1280, 720)
    lower = composer.rects("2x2")[2]
    tiles = tuple(
        Tile("live", "Xã Diên Khánh", picture(rect.width, rect.height, GREY))
        for rect in composer.rects("2x2")
    )
    plain = Scene("2x2", tiles)
    composer.compose(plain, 0)
    before = composer.canvases[0].planes.y.copy()
    composer.compose(Scene("2x2", tiles, **over), 0)
    during = composer.canvases[0].planes.y
    column = slice(lower.x + 16, lower.x + 60)

    def letters(rows: slice) -> int:
        """How much of a name is seen: its letters are brighter than anything else here."""
        return int((during[rows, column] > 200).sum())

    whole = int((before[lower.y : lower.bottom, column] > 200).sum())
    assert whole > 50
    found = [rect for rect, _ in composer._overlays(Scene("2x2", tiles, **over))]
    top = min(rect.y for rect in found)
    assert letters(slice(lower.y, top)) == whole
    upper = composer.rects("2x2")[0]
    np.testing.assert_array_equal(during[: upper.bottom], before[: upper.bottom])
    composer.compose(plain, 0)
    np.testing.assert_array_equal(composer.canvases[0].planes.y, before)


def test_a_name_goes_as_high_as_it_must_and_its_tile_lets_it() -> None:
    lowest = Rect(10, 80, 40, 20)
    assert clear_of([], lowest, 0, 4) == lowest
    assert clear_of([Rect(60, 0, 40, 100)], lowest, 0, 4) == lowest  # beside it
    assert clear_of([Rect(0, 90, 100, 10)], lowest, 0, 4) == Rect(10, 66, 40, 20)
    two = [Rect(0, 90, 100, 10), Rect(0, 60, 30, 20)]
    assert clear_of(two, lowest, 0, 4) == Rect(10, 36, 40, 20)
    assert clear_of(two, lowest, 40, 4) == lowest  # there is no room above


def test_hours_of_clock_readings_are_not_kept() -> None:
    composer = Composer(640, 360)
    for second in range(600):
        composer.compose(Scene("1x1", (), clock=f"10:{second // 60:02}:{second % 60:02}"), 0)
    kept = composer._clocks._bytes + composer._bitmaps._bytes
    assert kept < CACHE_BYTES // 16


def test_speaking_and_muted_are_seen() -> None:
    composer = Composer(640, 360)
    quiet = Tile("live", "Xã A", picture(640, 360, GREY))
    composer.compose(Scene("1x1", (quiet,)), 0)
    before = composer.canvases[0].planes.y.copy()
    for other in (
        Tile("live", "Xã A", quiet.picture, speaking=True),
        Tile("live", "Xã A", quiet.picture, muted=True),
    ):
        composer.compose(Scene("1x1", (other,)), 0)
        assert (composer.canvases[0].planes.y != before).sum() > 50
        composer.compose(Scene("1x1", (quiet,)), 0)


def test_a_smaller_picture_stands_in_the_middle_between_bars() -> None:
    composer = Composer(640, 360)
    composer.compose(Scene("1x1", (live(GREEN, 240, 360),)), 0)
    planes = composer.canvases[0].planes
    assert near(colour_at(planes, 320, 180), GREEN, 1)
    assert not near(colour_at(planes, 60, 180), GREEN, 30)
    assert not near(colour_at(planes, 580, 180), GREEN, 30)


def test_an_unknown_layout_is_named() -> None:
    with pytest.raises(KeyError, match="9x9"):
        Composer(640, 360).compose(Scene("9x9", ()), 0)
