"""What has happened keeps the time it was written down with."""

from datetime import UTC, datetime, timedelta

import pytest

from mcu.sip import wall_times
from mcu.sip.wall_times import WallTimes

START = datetime(2026, 11, 22, 8, tzinfo=UTC)


class Clocks:
    """Two clocks; each reading of the wall's comes a little later than the other's."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.wall = START

    def utcnow(self) -> datetime:
        self.wall += timedelta(microseconds=7)
        return self.wall

    def times(self) -> WallTimes:
        return WallTimes(lambda: self.seconds, self.utcnow)


def test_an_instant_has_one_time_however_often_it_is_read() -> None:
    clocks = Clocks()
    times = clocks.times()
    first = times.of(90.0)
    assert first == START + timedelta(seconds=-10, microseconds=7)
    clocks.seconds += 5.0
    clocks.wall += timedelta(hours=1)  # somebody has set it
    assert times.of(90.0) == first
    assert times.of(105.0) > START + timedelta(hours=1)


def test_what_is_written_down_elsewhere_is_taken_from_there() -> None:
    times = Clocks().times()
    times.know(90.0, START)
    assert times.of(90.0) == START


def test_the_number_of_instants_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_times, "MAX_INSTANTS", 2)
    times = Clocks().times()
    first = [times.of(at) for at in (1.0, 2.0)]
    assert times.of(1.0) == first[0]
    times.of(3.0)
    assert times.of(1.0) == first[0]
    assert times.of(2.0) != first[1]
