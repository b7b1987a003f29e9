"""The estimate over a simulated bottleneck: departures, a queue, arrivals, reports back."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.media.departures import LINE_BYTES, MAX_BURSTS, DepartureLog
from mcu.media.line_estimate import LineEstimate
from mcu.media.transport_feedback import CLOCK_CYCLE, TICK_S, UNTIMED, TransportFeedback

PACKET_BYTES = 1000


@dataclass
class Bottleneck:
    """Pictures sent at 25 a second over a line; every ``report_s`` what arrived is reported.

    Args:
        rate_bps: of the line, 0: no limit. sends_bps: of the pictures. queue_s: longer, and
            packets are dropped. jitter_s: uniform, order is kept. skew: the peer's clock runs so
            much faster; ahead_s: and is so far ahead.
    """

    rate_bps: float = 0.0
    sends_bps: float = 1_500_000
    delay_s: float = 0.02
    queue_s: float = 0.2
    loss: float = 0.0
    jitter_s: float = 0.0
    report_s: float = 0.05
    skew: float = 0.0
    ahead_s: float = 5000.0
    cut: bool = False
    seed: int = 1
    now: float = 100.0
    congested: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.departures = DepartureLog(65_000)
        self.estimate = LineEstimate()
        self.dice = random.Random(self.seed)
        self.free_at = self.last_came = self.report_at = 0.0
        self.left: dict[int, float | None] = {}
        self.reported = 65_000
        self.count = 0
        self.owed = 0.0

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 25)):
            self.now += 0.04
            self.owed += self.sends_bps * 0.04 / 8 / (PACKET_BYTES + LINE_BYTES)
            packets, self.owed = int(self.owed), self.owed % 1
            for number in range(self.departures.next, self.departures.next + packets):
                self.left[number] = self.arrival()
            self.departures.left(packets, packets * PACKET_BYTES, self.now)
            if self.now >= self.report_at:
                self.report_at = self.now + self.report_s
                self.report()

    def arrival(self) -> float | None:
        if self.cut or self.dice.random() < self.loss:
            return None
        at = self.now
        if self.rate_bps:
            begins = max(self.now, self.free_at)
            if begins - self.now > self.queue_s:
                return None
            self.free_at = at = begins + (PACKET_BYTES + LINE_BYTES) * 8 / self.rate_bps
        at += self.delay_s + self.dice.random() * self.jitter_s
        self.last_came = at = max(at, self.last_came)
        return at

    def report(self) -> None:
        """All that has come by now, up to the last that has."""
        came = [one for one, at in self.left.items() if at is not None and at <= self.now]
        if not came:
            return
        numbers = range(self.reported, max(came) + 1)
        if not numbers:
            return
        self.reported = numbers.stop
        arrivals = [self.left.pop(one, None) for one in numbers]
        ticks = [
            None
            if at is None
            else round((at * (1 + self.skew) + self.ahead_s) / TICK_S) % CLOCK_CYCLE
            for at in arrivals
        ]
        self.count += 1
        feedback = TransportFeedback(1, 7, numbers.start & 0xFFFF, self.count & 0xFF, ticks)
        self.estimate.take(feedback, self.departures, self.now)
        if self.estimate.congested:
            self.congested.append(self.now)


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1, 0.2])
@pytest.mark.parametrize("jitter", [0.0, 0.04, 0.2])
def test_a_line_that_is_wide_enough_is_never_congested(loss: float, jitter: float) -> None:
    line = Bottleneck(loss=loss, jitter_s=jitter)
    line.run(60.0)
    assert line.congested == []
    estimate = line.estimate
    assert estimate.lost / estimate.packets == pytest.approx(loss, abs=0.01)
    assert estimate.arriving_bps == pytest.approx(1_500_000 * (1 - loss), rel=0.25)
    if not jitter:
        assert estimate.bps >= 1_500_000


@pytest.mark.parametrize("rate", [250_000, 300_000, 500_000, 1_000_000])
def test_a_line_that_becomes_thin_is_seen_at_once_with_its_width(rate: float) -> None:
    line = Bottleneck()
    line.run(10.0)
    line.rate_bps = rate
    began = line.now
    while not line.congested:
        line.run(0.04)
        assert line.now < began + (0.45 if rate < 600_000 else 0.7)
    line.run(0.25)
    assert line.estimate.arriving_bps == pytest.approx(rate, rel=0.2)
    assert line.estimate.bps <= rate
    assert line.estimate.queue_s >= 0.1


@pytest.mark.parametrize("queue", [1.0, 3.0])
def test_a_queue_that_never_drops_is_seen_as_it_grows(queue: float) -> None:
    line = Bottleneck(queue_s=queue)
    line.run(10.0)
    line.rate_bps = 700_000
    began = line.now
    while not line.congested:
        line.run(0.04)
        assert line.now < began + 1.1
    assert line.estimate.lost == 0
    assert line.estimate.arriving_bps == pytest.approx(700_000, rel=0.15)


def test_a_step_too_far_is_seen_before_much_is_lost() -> None:
    line = Bottleneck(rate_bps=500_000, sends_bps=250_000)
    line.run(10.0)
    assert line.congested == []
    line.sends_bps = 800_000
    began = line.now
    while not line.congested:
        line.run(0.04)
        assert line.now < began + 0.7
    assert line.estimate.loss < 0.15


@pytest.mark.parametrize("seconds", [0.4, 1.0, 3.0])
def test_an_outage_is_no_congestion_and_its_losses_do_not_count(seconds: float) -> None:
    line = Bottleneck(loss=0.01)
    line.run(10.0)
    line.cut = True
    line.run(seconds)
    line.cut = False
    line.run(10.0)
    assert line.congested == []
    assert line.estimate.outages == 1
    assert line.estimate.lost / line.estimate.packets < 0.02


def test_short_gaps_are_losses() -> None:
    line = Bottleneck()
    for _ in range(10):
        line.run(1.0)
        line.cut = True
        line.run(0.08)
        line.cut = False
    line.run(1.0)
    assert line.estimate.outages == 0
    assert line.estimate.lost > 50


@pytest.mark.parametrize("skew", [-200e-6, 200e-6])
def test_clocks_that_drift_are_no_queue(skew: float) -> None:
    line = Bottleneck(skew=skew, ahead_s=CLOCK_CYCLE * TICK_S - 1000.0)
    line.run(300.0)
    assert line.congested == []
    assert line.estimate.queue_s < 0.02


def test_a_thin_line_that_becomes_wide_is_seen_by_its_estimate() -> None:
    line = Bottleneck(rate_bps=300_000)
    line.run(5.0)
    line.sends_bps = 200_000
    line.rate_bps = 0.0
    line.run(10.0)
    line.congested.clear()
    line.sends_bps = 800_000
    line.run(10.0)
    assert line.congested == []
    assert line.estimate.bps > 400_000


def test_reports_that_overlap_are_lost_or_lie_do_no_harm() -> None:
    departures, estimate = DepartureLog(), LineEstimate()
    for picture in range(10):
        departures.left(4, 4000, picture * 0.04)

    def report(base: int, arrivals: list[int | None]) -> None:
        estimate.take(TransportFeedback(1, 7, base, 0, arrivals), departures, 1.0)

    report(0, [100, 101, None, 103])
    assert (estimate.packets, estimate.lost) == (4, 1)
    report(2, [102, 103, 260, 261])  # it came after all
    assert (estimate.packets, estimate.lost) == (6, 0)
    report(20, [900, None, 901, 902])  # the report between was lost
    assert (estimate.packets, estimate.lost) == (10, 1)
    report(38, [1, 1, 1, 1])  # the last two have not left
    report(60_000, [1] * 5)
    assert (estimate.packets, estimate.lost) == (10, 1)


REPORTS = st.lists(
    st.tuples(
        st.integers(0, 65535) | st.integers(0, 60),
        st.lists(st.none() | st.integers(-1, CLOCK_CYCLE - 1), min_size=1, max_size=40),
        st.integers(0, 6),
    ),
    max_size=30,
)


@given(REPORTS)
def test_any_reports(reports: list[tuple[int, list[int | None], int]]) -> None:
    departures, estimate = DepartureLog(), LineEstimate()
    now = 0.0
    for base, arrivals, packets in reports:
        now += 0.03
        departures.left(packets, packets * 1000, now)
        estimate.take(TransportFeedback(1, 7, base, 0, arrivals), departures, now)
        assert estimate.queue_s >= 0.0
        assert 0 <= estimate.loss <= 1
        assert estimate.arriving_bps >= 0
        assert estimate.bps >= 0
        assert 0 <= estimate.lost <= estimate.packets <= departures.next


def test_departures_are_bounded() -> None:
    departures = DepartureLog()
    departures.left(0, 0, 1.0)
    for one in range(5000):
        departures.left(1, 1000, one * 0.01)
    assert len(departures.bursts) == MAX_BURSTS
    assert departures.bursts[-1] == (4999, 5000, 49.99, 1000)


def test_a_line_is_busy_while_more_leaves_than_the_estimate_bears() -> None:
    line = Bottleneck(rate_bps=300_000, sends_bps=150_000)
    line.run(10.0)
    assert not line.estimate.is_busy(line.departures, line.now)
    for _ in range(8):  # a large picture, paced: each packet leaves alone
        line.departures.left(1, PACKET_BYTES, line.now)
    assert line.estimate.is_busy(line.departures, line.now)
    assert line.estimate.is_busy(line.departures, line.now + 0.1)
    assert not line.estimate.is_busy(line.departures, line.now + 0.3)


def test_what_is_reported_on_counts_once() -> None:
    line = Bottleneck(rate_bps=0.0, sends_bps=1_000_000, report_s=0.2)
    line.run(15.0)  # the estimate is half as much again as what leaves
    for _ in range(10):
        line.run(0.04)
        assert not line.estimate.is_busy(line.departures, line.now)


def told(estimate: LineEstimate, departures: DepartureLog, base: int, *at: int | None) -> None:
    """One report on the packets from ``base`` on, in ticks."""
    feedback = TransportFeedback(1, 7, base & 0xFFFF, 0, list(at))
    estimate.take(feedback, departures, 100.1)


WHOLE = 5 * (PACKET_BYTES + LINE_BYTES) * 8 / (50 * TICK_S)
"""Of six packets, the last of which came 50 ticks after the first."""


@pytest.mark.parametrize(
    ("reports", "width"),
    [
        ([(0, (0, 10, 20, 30, 40, 50))], WHOLE),
        ([(0, (0, 10, 20)), (3, (30, 40, 50))], WHOLE),
        ([(0, (0,)), (1, (10,)), (2, (20, 30, 40, 50))], WHOLE),
        ([(0, (0, 10, 20)), (1, (10, 20, 30, 40, 50))], WHOLE),  # told again
        ([(0, (0, None, 20)), (3, (30, 40, 50))], None),  # one was lost
        ([(0, (0, 10, 20)), (3, (UNTIMED, 40, 50))], None),
        ([(0, (0, 10)), (3, (30, 40, 50))], None),  # a report was
        ([(1, (10, 20, 30, 40, 50))], None),  # the first one was
        ([(0, (0, 10, 20, 30, 40))], None),  # the last is not told of yet
        ([(0, (CLOCK_CYCLE - 20, CLOCK_CYCLE - 10, 0)), (3, (10, 20, 30))], WHOLE),
    ],
)
def test_a_burst_that_came_whole_tells_the_width(
    reports: list[tuple[int, tuple[int | None, ...]]], width: float | None
) -> None:
    estimate, departures = LineEstimate(), DepartureLog(65_533)
    departures.left(6, 6 * PACKET_BYTES, 100.0)
    for base, at in reports:
        told(estimate, departures, 65_533 + base, *at)
    assert estimate.width_bps(100.2) == (None if width is None else pytest.approx(width))


def test_a_burst_with_a_hole_says_nothing_of_the_next() -> None:
    estimate, departures = LineEstimate(), DepartureLog(0)
    departures.left(6, 6 * PACKET_BYTES, 100.0)
    departures.left(6, 6 * PACKET_BYTES, 100.04)
    told(estimate, departures, 0, 0, 10, 20, None, 40, 50, 160, 170, 180)
    assert estimate.width_bps(100.2) is None
    told(estimate, departures, 9, 190, 200, 210)
    assert estimate.width_bps(100.2) == pytest.approx(WHOLE)
    assert (estimate.packets, estimate.lost) == (12, 1)
