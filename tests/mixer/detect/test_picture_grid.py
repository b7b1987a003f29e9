import numpy as np
import pytest

from mixer.detect.picture_grid import COLUMNS, ROWS, SAMPLED_ROWS, grid, sampled


@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (1280, 720), (640, 360), (176, 144), (33, 19), (360, 640)]
)
def test_any_size_makes_the_same_grid_at_the_same_cost(width: int, height: int) -> None:
    luma = np.empty((height, width), np.uint8)
    luma[:] = np.linspace(0, 250, width).astype(np.uint8)
    rows = sampled(luma)
    assert len(rows) < 2 * SAMPLED_ROWS
    cells = grid(rows)
    assert cells.shape == (ROWS, COLUMNS)
    assert np.all(np.diff(cells, axis=1) > 0)
    assert np.ptp(cells, axis=0).max() == 0


def test_means_are_exact() -> None:
    luma = np.arange(ROWS * COLUMNS * 8, dtype=np.uint16).astype(np.uint8).reshape(ROWS * 2, -1)
    expected = luma.reshape(ROWS, 2, COLUMNS, -1).mean(axis=(1, 3))
    assert np.allclose(grid(sampled(luma)), expected)


def test_planes_with_padding_are_read_where_the_picture_is() -> None:
    plane = np.full((360, 704), 255, np.uint8)
    plane[:, :640] = 90
    assert np.all(grid(sampled(plane[:, :640])) == 90)


def test_what_is_smaller_than_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="16x16"):
        sampled(np.zeros((16, 16), np.uint8))
