"""Captions: readings, places, and a picture that changes only where they stand."""

import unicodedata

import numpy as np
import pytest

from mixer.video.caption import Caption, drawn, places, reading
from mixer.video.composer import CACHE_BYTES, Composer, Scene
from mixer.video.tile import Tile
from tests.mixer.video.pictures import RED, picture

WIDTH, HEIGHT = 1280, 720


def tiles() -> tuple[Tile, ...]:
    return tuple(Tile("live", "", picture(636, 356, RED)) for _ in range(4))


@pytest.mark.parametrize(
    ("left_s", "shown"),
    [(180.0, "3:00"), (179.2, "3:00"), (61.0, "1:01"), (0.2, "0:01"), (0.0, "0:00"),
     (-5.0, "0:00"), (3_723.0, "1:02:03")],
)  # fmt: skip
def test_readings_count_begun_seconds(left_s: float, shown: str) -> None:
    assert reading(left_s) == shown


def test_every_position_stands_where_it_says_and_nothing_covers_another() -> None:
    positions = ("top-left", "top", "top-right", "centre", "bottom-left", "bottom", "bottom-right")
    sizes = [(position, 200, 40) for position in positions] * 2
    found = places(sizes, WIDTH, HEIGHT, above=60, below=80)  # type: ignore[arg-type]
    by = dict(zip(positions, found, strict=False))
    assert by["top-left"].x == by["bottom-left"].x < 20
    assert by["top-right"].right == by["bottom-right"].right > WIDTH - 20
    assert by["top"].x == by["centre"].x == by["bottom"].x == (WIDTH - 200) // 2
    assert by["top"].y < 20
    assert by["top-right"].y >= 60, "clear of the clock"
    assert by["bottom"].bottom <= HEIGHT - 80, "clear of the message"
    assert abs(by["centre"].y + 40 - HEIGHT // 2) < 20
    for number, one in enumerate(found):
        assert one.x % 2 == one.y % 2 == 0
        assert 0 <= one.x <= one.right <= WIDTH
        assert 0 <= one.y <= one.bottom <= HEIGHT
        assert all(one.intersection(other) is None for other in found[:number])


def test_more_than_fit_stay_within_the_picture() -> None:
    found = places([("top", 5_000 // 10, 100)] * 8, 640, 360)
    assert all(one.y >= 0 and one.bottom <= 360 for one in found)


@pytest.mark.parametrize("position", ["top-left", "centre", "bottom-right"])
def test_a_countdown_costs_one_small_region_a_second(position: str) -> None:
    composer = Composer(WIDTH, HEIGHT)
    shown = tiles()

    def scene(counts: str) -> Scene:
        return Scene("2x2", shown, captions=(Caption(position, "Xã Diên Khánh", counts),))  # type: ignore[arg-type]

    composer.compose(scene("2:11"), 0)
    before = composer.canvases[0].planes.y.copy()
    assert composer.compose(scene("2:11"), 0) == 0
    assert composer.compose(scene("2:08"), 0) == 1
    rows, columns = np.nonzero(before != composer.canvases[0].planes.y)
    assert len(rows) > 0
    assert np.ptp(rows) < 40
    assert np.ptp(columns) < 60, "the digits alone change; the name stays where it is"


def test_captions_go_without_a_trace() -> None:
    composer = Composer(WIDTH, HEIGHT)
    shown = tiles()
    composer.compose(Scene("2x2", shown), 0)
    before = [plane.copy() for plane in vars_of(composer)]
    captions = (Caption("top", "Giải lao đến 9 giờ"), Caption("bottom", "Kỳ họp thứ nhất"))
    composer.compose(Scene("2x2", shown, message="Mời", clock="09:30:00", captions=captions), 0)
    assert (composer.canvases[0].planes.y != before[0]).any()
    composer.compose(Scene("2x2", shown), 0)
    for plane, old in zip(vars_of(composer), before, strict=True):
        np.testing.assert_array_equal(plane, old)


def vars_of(composer: Composer) -> list[np.ndarray]:
    planes = composer.canvases[0].planes
    return [planes.y, planes.u, planes.v]


def ink(text: str) -> np.ndarray:
    composer = Composer(WIDTH, HEIGHT)
    composer.compose(Scene("1x1", (), captions=(Caption("top-left", text),)), 0)
    return composer.canvases[0].planes.y.copy()


def test_vietnamese_looks_the_same_however_its_accents_are_written() -> None:
    composed = "Đề nghị các xã, phường tắt míc: Ủy ban nhân dân huyện Vạn Ninh phát biểu"
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    np.testing.assert_array_equal(ink(composed), ink(decomposed))
    # The marks are there: letters that differ in them alone do not look alike.
    for one, other in (("ế", "ê"), ("ộ", "ọ"), ("Ử", "Ư"), ("đ", "d"), ("ẵ", "ã")):
        assert (ink(one) != ink(other)).any(), (one, other)


def test_long_texts_are_wrapped_and_shortened_within_their_room() -> None:
    long = drawn(Caption("top", "phường " * 100), 28, WIDTH // 2)
    short = drawn(Caption("top", "phường"), 28, WIDTH // 2)
    named = drawn(Caption("top", "Ủy ban nhân dân " * 20, "12:34"), 28, WIDTH // 2)
    assert long is not None
    assert short is not None
    assert named is not None
    assert long.width <= WIDTH // 2
    assert long.height > 2 * short.height
    assert named.width <= WIDTH // 2
    assert named.height == short.height
    assert drawn(Caption("top", " \u200b "), 28, 600) is None
    assert drawn(Caption("top", "", "0:10"), 28, 600) is not None


def test_an_hour_of_readings_is_not_kept() -> None:
    composer = Composer(640, 360)
    for second in range(900):
        composer.compose(Scene("1x1", (), captions=(Caption("top", "Xã", reading(second)),)), 0)
    assert composer._clocks._bytes + composer._bitmaps._bytes < CACHE_BYTES // 16
