import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.media.trendline import POINTS, FittedLine


@given(
    st.floats(0, 1e9),
    st.lists(st.tuples(st.integers(0, 400), st.floats(-50, 50)), min_size=POINTS + 1, max_size=200),
)
def test_the_slope_is_that_of_the_last_points(start: float, steps: list[tuple[int, float]]) -> None:
    line, points = FittedLine(POINTS), []
    x = start
    for number, (step, y) in enumerate(steps, 1):
        x += step / 4
        line.add(x, y)
        points.append((x, y))
        assert line.full == (number >= POINTS)
        xs, ys = np.array(points[-POINTS:]).T
        xs -= xs.mean()
        below = np.square(xs).sum()
        slope = (xs * (ys - ys.mean())).sum() / below if below > 0.01 else 0.0
        assert line.slope == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_points_at_one_moment_have_no_slope() -> None:
    line = FittedLine(POINTS)
    for number in range(3 * POINTS):
        line.add(1e6, float(number))
        assert line.slope == 0.0
