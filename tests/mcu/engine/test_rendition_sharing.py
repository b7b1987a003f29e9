"""Weak lines share encoders when there are as many as may be."""

from mcu.engine.rendition_sharing import MAX_RENDITIONS, share
from mcu.media.rendition import RenditionKey


def key(bitrate_bps: int) -> RenditionKey:
    return RenditionKey("video", "main", "h264", 1280, 720, bitrate_bps)


def test_there_is_room() -> None:
    assert share(key(300), [], 1) == key(300)
    assert share(key(300), [key(1500), key(900)], MAX_RENDITIONS) == key(300)


def test_who_would_be_one_too_many_shares_the_next_lower() -> None:
    others = [key(1500), key(900), key(320), key(190)]
    assert share(key(700), others, MAX_RENDITIONS) == key(320)
    assert share(key(900), others, MAX_RENDITIONS) == key(900)


def test_something_is_better_than_nothing() -> None:
    assert share(key(100), [key(1500), key(900)], 2) == key(100)


def test_with_fewer_allowed_the_best_and_the_lowest_are_kept() -> None:
    others = [key(190), key(1500), key(320), key(900)]
    assert [share(one, others, 2) for one in sorted(others, key=lambda one: one.bitrate_bps)] == [
        key(190),
        key(190),
        key(190),
        key(1500),
    ]
