"""Failures are counted, forgotten in time, and never without bound."""

from mcu.sip.failures import MAX_KEYS, Failures


def test_full_after_the_burst_and_one_more_for_each_interval() -> None:
    failures: Failures[str] = Failures(3, 10.0)
    for _ in range(3):
        assert not failures.is_full("a", 0.0)
        failures.add("a", 0.0)
    assert failures.is_full("a", 9.9)
    assert not failures.is_full("a", 10.0)
    failures.add("a", 10.0)
    assert failures.is_full("a", 19.9)
    assert not failures.is_full("a", 100.0)
    assert not failures.is_full("b", 0.0)


def test_a_clock_that_goes_back_forgives_nothing() -> None:
    failures: Failures[str] = Failures(1, 10.0)
    failures.add("a", 100.0)
    assert failures.is_full("a", 0.0)


def test_bounded() -> None:
    failures: Failures[int] = Failures(1, 10.0)
    for key in range(MAX_KEYS + 100):
        failures.add(key, 0.0)
    assert len(failures) == MAX_KEYS
    assert not failures.is_full(0, 0.0)
    assert failures.is_full(MAX_KEYS, 0.0)
