import pytest

from mcu.legs.leg import LegStatistics, StreamStatistics
from mcu.rooms.quality import grade, line_quality


@pytest.mark.parametrize(
    ("loss", "jitter", "round_trip", "expected"),
    [
        (0.0, 0.0, None, "good"),
        (1.0, 30.0, 200.0, "good"),
        (1.1, 5.0, 20.0, "fair"),
        (0.0, 31.0, 20.0, "fair"),
        (0.0, 5.0, 201.0, "fair"),
        (5.0, 60.0, 400.0, "fair"),
        (5.1, 5.0, 20.0, "poor"),
        (0.0, 61.0, 20.0, "poor"),
        (0.0, 5.0, 401.0, "poor"),
    ],
)
def test_the_worst_reading_decides(
    loss: float, jitter: float, round_trip: float | None, expected: str
) -> None:
    assert grade(loss, jitter, round_trip) == expected


def test_both_directions_of_all_legs_count() -> None:
    sending = LegStatistics(received={"audio": StreamStatistics(fraction_lost=0.004, jitter_ms=3)})
    receiving = LegStatistics(
        sent={"video": StreamStatistics(fraction_lost=0.03, jitter_ms=8.04, round_trip_ms=12.34)}
    )
    quality = line_quality([sending, receiving])
    assert quality.grade == "fair"
    assert (quality.loss_percent, quality.jitter_ms, quality.round_trip_ms) == (3.0, 8.0, 12.3)


def test_a_room_on_hold() -> None:
    held = LegStatistics(sent={"audio": StreamStatistics()}, on_hold=True)
    assert line_quality([held, LegStatistics()]).on_hold
    assert not line_quality([LegStatistics()]).on_hold


def test_nobody_has_no_line() -> None:
    assert line_quality([]).grade == "none"
    assert line_quality([LegStatistics()]).round_trip_ms is None
