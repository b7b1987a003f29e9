import pytest

from mcu.engine.video_requests import request_for


@pytest.mark.parametrize(
    ("slots", "size"),
    [
        ([(176, 98)], (320, 180)),
        ([(320, 180)], (320, 180)),
        ([(316, 176), (636, 356)], (640, 360)),
        ([(640, 360)], (640, 360)),
        ([(848, 476)], (1280, 720)),
        ([(1280, 720)], (1280, 720)),
        ([(1920, 1080)], (1920, 1080)),
        ([(3840, 2160)], (1920, 1080)),
    ],
)
def test_the_next_larger_step(slots: list[tuple[int, int]], size: tuple[int, int]) -> None:
    request = request_for(slots, 25)
    assert (request.width, request.height) == size
    assert request.fps == 25
    assert not request.paused


def test_a_hidden_room_is_paused_or_sends_a_thumbnail() -> None:
    request = request_for([], 25)
    assert request.paused
    assert (request.width, request.height) == (320, 180)
    assert request.bitrate_bps <= 100_000


def test_larger_costs_more() -> None:
    rates = [request_for([size], 25).bitrate_bps for size in ((320, 180), (640, 360), (1280, 720))]
    assert rates == sorted(set(rates))
