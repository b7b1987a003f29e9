"""What recording adds, from turns with it and without."""

import pytest

from bench.recording import Turns, added, figures


def turn(cores: float, encoders: int = 1, late: float = 2.0) -> dict:
    return {
        "legs": 24,
        "server_cores": cores,
        "video_encoders": encoders,
        "tick_lateness_ms_p99": late,
    }


def test_each_turn_is_compared_with_the_one_beside_it():
    # The machine gets slower and slower; what is added stays what it is.
    less = [turn(0.5), turn(0.7), turn(0.9)]
    more = [turn(0.52), turn(0.72), turn(0.99)]
    assert added(more, less) == pytest.approx(0.02)


def test_figures_say_what_was_got_for_the_cost():
    found = Turns(
        [turn(0.5), turn(0.6)],
        [turn(0.51), turn(0.61)],
        [turn(0.7, 2), turn(0.8, 2)],
        [(10.0, 250, 1_250_000), (10.0, 249, 1_250_000)],
    )
    by_name = {one.name: one for one in figures(found)}
    assert by_name["added by recording the view that all see"].value == pytest.approx(0.01)
    assert by_name["encoders added by it"].holds
    assert by_name["added by a view that nobody else sees"].value == pytest.approx(0.2)
    assert "1 encoder more" in by_name["added by a view that nobody else sees"].against
    pictures = by_name["pictures a second in the file"]
    assert pictures.value == pytest.approx(24.95)
    assert pictures.holds
    assert "1000 kbit/s" in pictures.against


def test_a_recording_that_costs_an_encoder_does_not_hold():
    found = Turns([turn(0.5)], [turn(0.6, 2)], [turn(0.7, 3)], [(10.0, 100, 1_000)])
    held = {one.name: one.holds for one in figures(found)}
    assert held["encoders added by it"] is False
    assert held["added by recording the view that all see"] is False
    assert held["pictures a second in the file"] is False
