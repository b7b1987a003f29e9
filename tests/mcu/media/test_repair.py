import pytest

from mcu.media.repair import MIN_BURST_BYTES, SHARE, SLOW_SHARE, RepairBudget


def spent(budget: RepairBudget, size: int, now: float) -> int:
    packets = 0
    while budget.spend(size, now):
        packets += 1
    return packets * size


@pytest.mark.parametrize(("bps", "share"), [(800_000, SHARE), (300_000, SLOW_SHARE)])
def test_repair_takes_no_more_than_its_share_of_the_rate(bps: int, share: float) -> None:
    budget = RepairBudget()
    budget.fit(bps)
    spent(budget, 1000, 10.0)
    later = sum(spent(budget, 1000, 10.0 + tenth / 10) for tenth in range(1, 101))
    assert abs(later - 10 * bps / 8 * share) <= 1000


def test_who_knows_no_rate_bounds_none() -> None:
    budget = RepairBudget()
    assert all(budget.spend(1000, 10.0) for _ in range(1000))


def test_a_burst_may_be_repaired_at_once_even_on_a_small_rung() -> None:
    budget = RepairBudget()
    budget.fit(100_000)
    assert spent(budget, 1000, 10.0) == MIN_BURST_BYTES
    budget.fit(1_500_000)
    assert spent(budget, 1000, 10.0) > 40_000
    assert spent(budget, 1000, 1e6) > 40_000  # and no more after a long pause than at first
    assert spent(budget, 1000, 2e6) < 50_000
