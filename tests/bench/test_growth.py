from pathlib import Path

import pytest

from bench.figures import VoidRunError
from bench.growth import Growth, Point, figures, plot, point_of


def point(legs: int, cores: float, memory_mb: float = 300.0, missed: int = 0) -> Point:
    return Point(legs, cores, memory_mb, (50.0, 25.0), missed)


def test_fixed_and_marginal_cost_of_a_straight_line() -> None:
    growth = Growth((point(20, 0.7), point(50, 0.76), point(100, 0.86)))
    assert growth.fixed_cores == pytest.approx(0.66)
    assert [per_leg for _, _, per_leg in growth.marginal] == pytest.approx([0.2, 0.2])


def test_a_bend_upwards_does_not_hold() -> None:
    growth = Growth((point(20, 0.70), point(50, 0.76), point(100, 1.06)))
    bend = next(one for one in figures(growth, ()) if one.name.startswith("marginal"))
    assert bend.value == pytest.approx(3.0)
    assert bend.holds is False


def test_a_bend_in_the_middle_is_told_though_the_ends_are_alike() -> None:
    growth = Growth((point(0, 0.5), point(100, 0.7), point(200, 0.8), point(300, 1.1)))
    rise = next(one for one in figures(growth, ()) if "steepest" in one.name)
    assert rise.value == pytest.approx(0.2)
    assert rise.against == ("from 0.100% between 100 and 200 legs to 0.300% between 200 and 300")
    falling = Growth((point(0, 0.5), point(100, 0.7), point(200, 0.8)))
    rise = next(one for one in figures(falling, ()) if "steepest" in one.name)
    assert rise.value == pytest.approx(-0.1)


def test_memory_by_leg_is_held_against_its_bar() -> None:
    growth = Growth((point(20, 0.7, 300.0), point(120, 0.9, 420.0)))
    memory = next(one for one in figures(growth, ()) if one.name == "memory per leg")
    assert memory.value == pytest.approx(1.2)
    assert memory.holds is False


def test_a_meeting_that_lost_something_is_marked() -> None:
    growth = Growth((point(20, 0.7), point(145, 1.0, missed=3)))
    assert "not all of them whole" in figures(growth, ())[1].name


def test_one_meeting_is_no_growth() -> None:
    with pytest.raises(VoidRunError):
        Growth((point(20, 0.7),))


def test_the_plot_is_the_same_for_the_same_points(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    points = (point(20, 0.7), point(50, 0.76), point(145, 1.0))
    plot(points, tmp_path / "one.svg", "One")
    plot(points, tmp_path / "two.svg", "One")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def measured(legs: int, cores: float, fps: float = 25.0, missed: int = 0) -> dict[str, float]:
    return {
        "legs": legs,
        "server_cores": cores,
        "server_memory_mb": 300.0 + 100 * cores,
        "audio_pps_per_leg_min": 50.0,
        "video_fps_per_leg_min": fps,
        "ticks_missed": missed,
    }


def test_a_point_is_the_median_of_its_turns_and_the_worst_of_what_rooms_got() -> None:
    turns = {0: measured(50, 0.8), 1: measured(50, 0.9, fps=24.0), 2: measured(50, 0.7, missed=2)}
    point = point_of(turns, video=True)
    assert (point.legs, point.cores, point.memory_mb) == (50, 0.8, 380.0)
    assert (point.worst, point.ticks_missed) == ((50.0, 24.0), 2)
    assert not point.whole


def test_what_one_more_leg_costs_is_given_with_its_range() -> None:
    few = point_of(
        {0: measured(20, 0.70), 1: measured(20, 0.74), 2: measured(20, 0.72)}, video=True
    )
    many = point_of({0: measured(120, 0.80), 2: measured(120, 0.92)}, video=True)  # turn 1 was void
    marginal = next(one for one in figures(Growth((few, many)), ()) if "one more" in one.name)
    assert marginal.value == pytest.approx(0.14)
    assert marginal.against == "0.100 to 0.200 in 2 turns"
