from typing import get_args

import pytest

from mixer.detect.alarm import Alarm, Reading
from mixer.detect.rules import RULES, Fault


def test_every_fault_has_a_rule() -> None:
    assert set(RULES) == set(get_args(Fault))


@pytest.mark.parametrize("fault", RULES)
def test_health_is_good_and_trouble_is_bad(fault: Fault) -> None:
    healthy = -127.0 if fault == "hum" else 0.0
    trouble = RULES[fault].raise_at
    assert RULES[fault].read(healthy) is Reading.GOOD
    assert RULES[fault].read(trouble) is Reading.BAD


def test_a_room_that_falls_silent_and_speaks_again() -> None:
    alarm = Alarm(RULES["silent"])
    told = [(s, alarm.take(float(s), float(s))) for s in range(15)]
    assert [one for one in told if one[1]] == [(10, "raised")]
    told = [(s, alarm.take(0.0, float(s))) for s in range(15, 20)]
    assert [one for one in told if one[1]] == [(16, "cleared")]
