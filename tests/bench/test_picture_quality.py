import numpy as np
import pytest

from bench.picture_quality import psnr, ssim

RANDOM = np.random.default_rng(1)
PICTURE = RANDOM.integers(20, 230, (72, 128)).astype(np.uint8)


def test_equal_pictures_are_as_like_as_can_be() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1.0)
    assert psnr(PICTURE, PICTURE) == 100.0


def test_psnr_is_that_of_the_mean_square_error() -> None:
    off_by_five = PICTURE + np.uint8(5)
    assert psnr(PICTURE, off_by_five) == pytest.approx(20 * np.log10(255 / 5))


def test_ssim_forgives_brightness_and_punishes_structure() -> None:
    brighter = PICTURE + np.uint8(5)
    error = np.where(RANDOM.random(PICTURE.shape) < 0.5, 5, -5)
    noisy = (PICTURE.astype(int) + error).astype(np.uint8)
    smooth = np.full_like(PICTURE, 128)
    assert psnr(PICTURE, brighter) == pytest.approx(psnr(PICTURE, noisy))
    assert ssim(PICTURE, smooth) < 0.1 < ssim(PICTURE, noisy) < ssim(PICTURE, brighter) < 1.0


def test_ssim_of_constant_pictures_is_the_luminance_term() -> None:
    dark, light = np.full((16, 16), 50, np.uint8), np.full((16, 16), 100, np.uint8)
    constant = (0.01 * 255) ** 2
    wanted = (2 * 50 * 100 + constant) / (50**2 + 100**2 + constant)
    assert ssim(dark, light) == pytest.approx(wanted)


@pytest.mark.parametrize("measure", [ssim, psnr])
def test_pictures_of_other_shapes_are_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="72, 128"):
        measure(PICTURE, PICTURE[:64])
