import pytest

from mcu.engine.video_ladder import allowed_rungs, choose_rung, rungs
from mcu.legs.leg import StreamCodec

VIEW = {"width": 1280, "height": 720, "fps": 25, "bitrate_bps": 1_500_000}


def h264(width: int = 0, height: int = 0, fps: int = 0, bitrate: int = 0) -> StreamCodec:
    return StreamCodec("h264", 90_000, 0, {}, width, height, fps, bitrate)


def test_whoever_can_take_it_gets_the_view_as_it_is() -> None:
    rung = choose_rung(h264(1280, 720, 30), **VIEW)
    assert (rung.width, rung.height, rung.bitrate_bps) == (1280, 720, 1_500_000)
    assert choose_rung(h264(), **VIEW) == rung


@pytest.mark.parametrize(
    ("codec", "height"),
    [
        (h264(640, 360, 30), 360),
        (h264(1280, 720, 15), 360),
        (h264(320, 180, 30), 180),
        (h264(1280, 719, 30), 360),
    ],
)
def test_a_level_is_never_exceeded(codec: StreamCodec, height: int) -> None:
    rung = choose_rung(codec, **VIEW)
    assert rung.height == height
    assert rung.width <= codec.max_width


@pytest.mark.parametrize("limit", [1_499_999, 700_000, 300_000, 120_000])
def test_a_bandwidth_line_is_never_exceeded(limit: int) -> None:
    assert choose_rung(h264(bitrate=limit), **VIEW).bitrate_bps <= limit
    assert choose_rung(h264(), **VIEW, limit_bps=limit).bitrate_bps <= limit


def test_something_is_better_than_nothing() -> None:
    lowest = list(rungs(1280, 720, 1_500_000))[-1]
    assert choose_rung(h264(bitrate=1_000), **VIEW) == lowest


def test_rungs_fall_steadily_and_are_even() -> None:
    found = list(rungs(1280, 720, 1_500_000))
    assert [rung.bitrate_bps for rung in found] == sorted(
        (rung.bitrate_bps for rung in found), reverse=True
    )
    assert all(rung.width % 2 == 0 and rung.height % 2 == 0 for rung in found)
    assert len({rung.height for rung in found}) == 3


def test_a_ladder_has_what_the_codec_can_take_and_is_never_empty() -> None:
    every = list(rungs(1280, 720, 1_500_000))
    assert list(allowed_rungs(h264(), **VIEW)) == every
    small = allowed_rungs(h264(640, 360, 30, 400_000), **VIEW)
    assert [rung.height for rung in small] == [360, 180, 180]
    assert all(rung.bitrate_bps <= 400_000 for rung in small)
    assert allowed_rungs(h264(bitrate=1_000), **VIEW) == (every[-1],)
    assert str(every[0]) == "1280x720@1500k"
