import av
import numpy as np
import pytest

from mixer.video.scale import Picture, Scaler, target_size
from tests.mixer.video.pictures import GREEN, RED, colour_at, frame, near


@pytest.mark.parametrize(
    ("source", "slot"),
    [
        ((1280, 720), (320, 180)), ((640, 480), (320, 180)), ((90, 90), (320, 180)),
        ((3840, 2160), (176, 98)), ((720, 1280), (320, 180)), ((642, 362), (316, 176)),
    ],
)  # fmt: skip
def test_a_letterboxed_picture_keeps_its_shape(
    source: tuple[int, int], slot: tuple[int, int]
) -> None:
    planes = Scaler(*slot).scale(frame(*source, RED))
    assert planes.width <= slot[0]
    assert planes.height <= slot[1]
    assert planes.width == slot[0] or planes.height == slot[1]
    assert planes.width / planes.height == pytest.approx(source[0] / source[1], rel=0.05)
    assert near(colour_at(planes, planes.width // 2, planes.height // 2), RED, 2)


@pytest.mark.parametrize("source", [(640, 480), (720, 1280), (1280, 720)])
def test_a_cropped_picture_fills_the_slot(source: tuple[int, int]) -> None:
    planes = Scaler(320, 180, "crop").scale(frame(*source, GREEN))
    assert (planes.width, planes.height) == (320, 180)
    assert near(colour_at(planes, 1, 1), GREEN, 2)


def test_full_range_becomes_limited_range() -> None:
    white = np.full((180 * 3 // 2, 320), 255, np.uint8)
    white[180:] = 128
    full = av.VideoFrame.from_ndarray(white, "yuvj420p")
    planes = Scaler(160, 90).scale(full)
    assert int(planes.y[45, 80]) == pytest.approx(235, abs=2)


def test_other_formats_come_out_as_yuv420p() -> None:
    rgb = av.VideoFrame.from_ndarray(np.full((90, 160, 3), (255, 0, 0), np.uint8), "rgb24")
    planes = Scaler(80, 45 // 2 * 2).scale(rgb)
    assert near(colour_at(planes, 40, 20), (82, 90, 240), 6)


def test_a_size_that_changes_while_it_runs() -> None:
    scaler = Scaler(320, 180)
    for size in [(640, 360), (90, 90), (1920, 1080), (641 // 2 * 2, 361 // 2 * 2)]:
        assert near(colour_at(scaler.scale(frame(*size, GREEN)), 160, 88), GREEN, 2)


def test_nothing_is_scaled_before_somebody_looks_and_then_once() -> None:
    calls = []
    scaler = Scaler(32, 18)

    def scale(source: av.VideoFrame) -> object:
        calls.append(source)
        return scaler.scale(source)

    picture = Picture(frame(64, 36, RED), scale)  # type: ignore[arg-type]
    assert calls == []
    assert picture.planes is picture.planes
    assert len(calls) == 1


def test_target_sizes_are_even_and_never_nothing() -> None:
    for width in range(2, 400, 37):
        for height in range(2, 400, 41):
            found = target_size(width, height, 100, 56, "letterbox")
            assert min(found) >= 2
            assert not (found[0] | found[1]) & 1


def test_a_smaller_picture_has_the_means_of_what_its_pixels_cover() -> None:
    luma = np.random.default_rng(1).integers(16, 236, (180, 320)).astype(np.uint8)
    array = np.full((270, 320), 128, np.uint8)
    array[:180] = luma
    planes = Scaler(160, 90).scale(av.VideoFrame.from_ndarray(array, "yuv420p"))
    means = luma.reshape(90, 2, 160, 2).mean(axis=(1, 3))
    inside = np.s_[1:-1, 1:-1]
    assert np.abs(planes.y[inside] - means[inside]).max() <= 2


def test_a_larger_picture_has_no_blocks() -> None:
    luma = np.tile(np.where(np.arange(160) < 80, 40, 200).astype(np.uint8), (90, 1))
    array = np.full((135, 160), 128, np.uint8)
    array[:90] = luma
    planes = Scaler(640, 360).scale(av.VideoFrame.from_ndarray(array, "yuv420p"))
    across = planes.y[180, 310:330].astype(int)
    assert len(set(across.tolist())) >= 4
    assert (np.diff(across) >= 0).all()
