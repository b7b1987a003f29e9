"""Pictures of roll calls for the printed report: small each, bounded together."""

import io
import random
from pathlib import Path

from PIL import Image

from mcu.operations.roll_call_photos import SIZE_PX, read_photos, thumbnail
from mcu.store.store import Store
from tests.mcu.operations.province import at, report


def noise(seed: int, size: tuple[int, int] = (1280, 720)) -> bytes:
    """A picture of which much is left however it is compressed."""
    made = io.BytesIO()
    pixels = random.Random(seed).randbytes(size[0] * size[1])
    Image.frombytes("L", size, pixels).save(made, "JPEG", quality=60)
    return made.getvalue()


def test_a_picture_is_made_as_small_as_it_is_printed() -> None:
    whole = noise(1)
    small = thumbnail(whole)
    assert small is not None
    assert len(small) < 24_000 < len(whole)
    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.size, picture.format) == (SIZE_PX, "JPEG")
    upright = thumbnail(noise(2, (360, 640)))
    assert upright is not None
    with Image.open(io.BytesIO(upright)) as picture:
        assert picture.size[1] == SIZE_PX[1]
        assert picture.size[0] < SIZE_PX[0]


def test_what_is_no_picture_is_left_out() -> None:
    for broken in (b"", b"\xff\xd8\xff\xe0 a picture \xff\xd9", noise(3)[:2000]):
        assert thumbnail(broken) is None


async def test_all_of_one_report_are_bounded(tmp_path: Path) -> None:
    found = report(pictures={1: [1, 3]})
    store = await Store.open(tmp_path / "mcu.sqlite3")
    try:
        assert await read_photos(store, found) == {}, "kept no more"
        for entry in (1, 3):
            await store.roll_call_pictures.keep(
                found.conference, 1, entry, at(30), noise(entry, (640, 360))
            )
        both = await read_photos(store, found)
        assert list(both) == ["roll-call-1-1.jpg", "roll-call-1-3.jpg"]
        most = sum(map(len, both.values()))
        assert await read_photos(store, found, most) == both
        one = await read_photos(store, found, most - 1)
        assert list(one) == ["roll-call-1-1.jpg"]
        assert await read_photos(store, report()) == {}
    finally:
        await store.close()
