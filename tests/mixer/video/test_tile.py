import pytest

from mixer.video import tile
from mixer.video.canvas import Canvas
from mixer.video.words import VIETNAMESE


@pytest.mark.parametrize("state", ["name", "no_video", "lost", "waiting", "calling", "left"])
@pytest.mark.parametrize("size", [(180, 98), (632, 356), (1280, 720), (44, 24)])
def test_a_card_fits_its_slot(state: tile.TileState, size: tuple[int, int]) -> None:
    card = tile.card(state, "Xã Diên Khánh", *size, tile.text_size_px(size[1], 720), VIETNAMESE)
    assert (card.width, card.height) == size


def test_states_are_told_apart() -> None:
    cards = {
        state: tile.card(state, "Xã A", 320, 180, 16, VIETNAMESE)  # type: ignore[arg-type]
        for state in ("name", "no_video", "lost", "waiting", "calling", "left")
    }
    looks = set()
    for card in cards.values():
        canvas = Canvas(320, 180)
        canvas.blend(card, 0, 0)
        looks.add(canvas.planes.y.tobytes())
    assert len(looks) == len(cards)


def test_labels_keep_to_their_room() -> None:
    for room in (20, 60, 100, 172, 400):
        for muted in (False, True):
            label = tile.label("Phường Vĩnh Nguyên", muted, 14, room)
            assert label is None or label.width <= room
    assert tile.label("", False, 14, 200) is None
    assert tile.label("", True, 14, 200) is not None


def test_letters_of_the_densest_layout_can_be_read() -> None:
    assert tile.text_size_px(98, 720) >= 13
    assert tile.text_size_px(720, 720) <= 30


def test_equal_tiles_are_equal() -> None:
    assert tile.Tile("lost", "a") == tile.Tile("lost", "a")
    assert tile.Tile("lost", "a") != tile.Tile("lost", "a", muted=True)


def test_a_clock_shows_that_it_is_recorded() -> None:
    red = []
    for reading in ("10:20:30", f"{tile.RECORDING_DOT} 10:20:30"):
        clock = tile.clock(reading, 22)
        canvas = Canvas(320, 180)
        canvas.blend(clock, 0, 0)
        red.append(int((canvas.planes.v > 170).sum()))
        assert clock.width <= 320
    assert red[0] == 0
    assert red[1] > 10
