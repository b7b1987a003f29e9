"""Sound and picture by the clocks of who sends them."""

import pytest

from mcu.legs.leg import LegStatistics, StreamStatistics
from mcu.readiness.lipsync import FARTHEST_S, LEAST_READINGS, LipSync


def reading(sound_s: float | None, picture_s: float | None) -> LegStatistics:
    streams = {"audio": StreamStatistics(transit_s=sound_s)}
    return LegStatistics(streams | {"video": StreamStatistics(transit_s=picture_s)})


def test_the_median_of_what_readings_say() -> None:
    found = LipSync()
    # A key frame takes longer, once.
    for later in (0.060, 0.055, 0.400, 0.058, 0.062):
        assert found.later_ms is None
        found.take(reading(-3.9e9, -3.9e9 + later))
    assert found.later_ms == pytest.approx(60.0, abs=0.01)


def test_what_is_not_told_is_not_known() -> None:
    found = LipSync()
    for _ in range(LEAST_READINGS):
        found.take(LegStatistics())
        found.take(LegStatistics({"audio": StreamStatistics(transit_s=1.0)}))
        found.take(reading(None, 1.0))
        found.take(reading(1.0, None))
    assert found.later_ms is None


def test_clocks_that_have_nothing_in_common_say_nothing() -> None:
    found = LipSync()
    for _ in range(LEAST_READINGS):
        found.take(reading(1.0, 1.0 + FARTHEST_S + 0.1))
    assert found.later_ms is None
