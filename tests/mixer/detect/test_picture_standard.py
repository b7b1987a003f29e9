from mixer.detect.picture_standard import WINDOW_S, PictureMeter, PictureStandard

STANDARD = PictureStandard(1280, 720, 25)


def fed(fps: float, seconds: float, width: int = 1280, height: int = 720) -> PictureMeter:
    meter = PictureMeter()
    for number in range(int(fps * seconds)):
        meter.take(width, height, 10 + number / fps)
    return meter


def test_what_reaches_the_standard_is_neither_small_nor_slow() -> None:
    meter = fed(25, 10)
    assert not meter.is_too_small(STANDARD)
    assert not meter.is_too_slow(STANDARD, 20)


def test_too_few_pixels_either_way() -> None:
    assert fed(25, 1, 640, 360).is_too_small(STANDARD)
    assert fed(25, 1, 1280, 544).is_too_small(STANDARD)
    assert not fed(25, 1, 720, 1280).is_too_small(STANDARD)
    assert not fed(25, 1, 1920, 1080).is_too_small(STANDARD)


def test_too_few_pictures() -> None:
    assert fed(15, 10).is_too_slow(STANDARD, 20)
    assert not fed(24, 10).is_too_slow(STANDARD, 20)


def test_pictures_that_stop_are_too_few() -> None:
    meter = fed(25, 10)
    assert meter.fps(20 + WINDOW_S + 1) == 0
    assert meter.is_too_slow(STANDARD, 20 + WINDOW_S + 1)


def test_nothing_is_said_of_the_rate_at_the_beginning() -> None:
    meter = fed(5, 2)
    assert meter.fps(12) is None
    assert not meter.is_too_slow(STANDARD, 12)
    assert PictureMeter().is_too_small(STANDARD)
