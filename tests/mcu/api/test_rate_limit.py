"""Token buckets in virtual time."""

import pytest

from mcu.api.rate_limit import RateLimiter


def test_a_burst_and_then_the_rate() -> None:
    limiter = RateLimiter(2.0, 3)
    assert [limiter.take("a", 0.0) for _ in range(4)] == [None, None, None, 1]
    assert limiter.take("a", 0.5) is None
    assert limiter.take("a", 0.5) == 1


def test_keys_do_not_share() -> None:
    limiter = RateLimiter(1.0, 1)
    assert limiter.take("a", 0.0) is None
    assert limiter.take("b", 0.0) is None
    assert limiter.take("a", 0.0) == 1


def test_the_wait_that_is_named_is_enough() -> None:
    limiter = RateLimiter(0.1, 1)
    assert limiter.take("a", 0.0) is None
    wait = limiter.take("a", 3.0)
    assert wait == 7
    assert limiter.take("a", 3.0 + wait) is None


def test_it_never_saves_up_more_than_the_burst() -> None:
    limiter = RateLimiter(10.0, 2)
    limiter.take("a", 0.0)
    assert [limiter.take("a", 1e6) for _ in range(3)] == [None, None, 1]


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    limiter = RateLimiter(0.001, 1, max_keys=2)
    for key in ("a", "b", "c"):
        assert limiter.take(key, 0.0) is None
    assert limiter.take("c", 0.0) is not None
    assert limiter.take("a", 0.0) is None


def test_a_clock_that_goes_back_gives_nothing() -> None:
    limiter = RateLimiter(1.0, 1)
    assert limiter.take("a", 10.0) is None
    assert limiter.take("a", 5.0) == 1


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_limits_that_let_nothing_through_are_refused(rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        RateLimiter(rate, burst)
