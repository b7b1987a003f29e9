import itertools

import pytest

from mcu.media.impairment import UDP_IP_BYTES, Conditions, Impairment


def fates(conditions: Conditions, count: int = 5000, *, every: float = 0.01) -> list[list[float]]:
    line = Impairment(conditions, 7)
    return [line.arrivals(1000, number * every) for number in range(count)]


def test_a_good_line_delays_and_that_is_all() -> None:
    assert fates(Conditions(delay=0.03), 3) == [[0.03], [0.04], [pytest.approx(0.05)]]


def test_equal_seeds_give_equal_fates() -> None:
    bad = Conditions(loss=0.1, jitter=0.05, duplicates=0.1)
    assert fates(bad) == fates(bad)
    assert fates(bad) != [Impairment(bad, 8).arrivals(1000, 0.0) for _ in range(5000)]


@pytest.mark.parametrize("loss", [0.01, 0.2])
def test_loss_is_what_it_says(loss: float) -> None:
    lost = sum(not one for one in fates(Conditions(loss=loss), 20_000))
    assert lost / 20_000 == pytest.approx(loss, rel=0.15)


def test_bursts_come_together() -> None:
    lost = [not one for one in fates(Conditions(burst_begins=0.01, burst_loss=1.0), 20_000)]
    runs = sum(b and not a for a, b in itertools.pairwise(lost))
    assert sum(lost) / runs == pytest.approx(10.0, rel=0.2)


def test_jitter_keeps_the_order_unless_told_otherwise() -> None:
    in_order = [one[0] for one in fates(Conditions(jitter=0.2))]
    assert in_order == sorted(in_order)
    mixed = [one[0] for one in fates(Conditions(jitter=0.2, reorders=True))]
    assert mixed != sorted(mixed)
    late = [one[0] for one in fates(Conditions(late=0.1))]
    overtaken = sum(b < a for a, b in itertools.pairwise(late))
    assert overtaken / len(late) == pytest.approx(0.1, rel=0.3)


def test_duplicates_come_twice() -> None:
    twice = sum(len(one) == 2 for one in fates(Conditions(duplicates=0.05), 20_000))
    assert twice / 20_000 == pytest.approx(0.05, rel=0.2)


def test_a_line_carries_its_rate_and_queues_no_longer_than_it_may() -> None:
    line = Impairment(Conditions(rate_bps=300_000, queue_s=0.2, delay=0.02), 1)
    arrived = [
        (at, number * 0.005) for number in range(4000) for at in line.arrivals(1000, number * 0.005)
    ]
    carried = len(arrived) * (1000 + UDP_IP_BYTES) * 8 / arrived[-1][0]
    assert carried == pytest.approx(300_000, rel=0.02)
    assert max(at - sent for at, sent in arrived) < 0.02 + 0.2 + 0.03
    assert line.overflowed == line.lost == 4000 - len(arrived)


def test_a_cut_line_carries_nothing() -> None:
    line = Impairment(Conditions(), 1)
    line.cut = True
    assert line.arrivals(100, 0.0) == []
    line.cut = False
    assert line.arrivals(100, 0.0)
