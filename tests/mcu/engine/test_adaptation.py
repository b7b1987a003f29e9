"""The ladder in simulated lines: what a line does to what is sent, seen through reports."""

import itertools
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.engine.adaptation import AUDIO_NEED_BPS, OVERHEAD, Adaptation, need_bps
from mcu.engine.line_signs import LineReport
from mcu.engine.video_ladder import Rung, allowed_rungs
from mcu.legs.leg import StreamCodec

LADDER = allowed_rungs(
    StreamCodec("h264", 90_000), width=1280, height=720, fps=25, bitrate_bps=1_500_000
)
TALL = allowed_rungs(
    StreamCodec("h264", 90_000), width=1920, height=1080, fps=25, bitrate_bps=3_000_000
)
SWITCHES_A_MINUTE = 16


@dataclass
class Line:
    """A thin or bad line with a leg that adapts to it, a report a second.

    Args:
        carries_bps: None: more than enough. loss: whatever is sent.
        remb: the leg sends REMB as libwebrtc does: 85% of what arrives when the line is
            overused, growing by 8% a second up to 1.5 times what arrives.
        activity: part of the rung's rate that the pictures need.
    """

    carries_bps: float | None = None
    loss: float = 0.0
    remb: bool = False
    activity: float = 1.0
    ladder: tuple[Rung, ...] = LADDER
    seed: int = 1
    now: float = 100.0
    steps: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.adaptation = Adaptation(self.ladder)
        self.dice = random.Random(self.seed)
        self.estimate = 0.0

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            rung = self.adaptation.rung
            video = 0.0 if rung is None else rung.bitrate_bps * OVERHEAD * self.activity
            sent_bps = video + AUDIO_NEED_BPS
            packets = 50 + round(video / 8 / 1000)
            thin = max(0.0, 1.0 - self.carries_bps / sent_bps) if self.carries_bps else 0.0
            if self.steps and self.steps[-1] != self.adaptation.step:
                thin *= self.dice.random()  # a report of which a part is from before
            share = thin + (1.0 - thin) * self.loss
            lost = sum(self.dice.random() < share for _ in range(packets))
            arrives = sent_bps * (1.0 - lost / packets)
            if thin:
                self.estimate = 0.85 * arrives
            else:
                grown = max(arrives, self.estimate * 1.08)
                self.estimate = min(grown, 1.5 * arrives + 10_000)
            self.adaptation.take(
                LineReport(
                    packets=packets,
                    lost=lost,
                    sent_bps=sent_bps,
                    remb_bps=round(self.estimate) if self.remb else None,
                    round_trip_s=0.05,
                    jitter_s=0.005,
                ),
                self.now,
            )
            self.steps.append(self.adaptation.step)

    @property
    def switches(self) -> int:
        return sum(a != b for a, b in zip(self.steps, self.steps[1:], strict=False))


@pytest.mark.parametrize("remb", [False, True])
def test_a_good_line_keeps_the_best(remb: bool) -> None:
    line = Line(remb=remb, loss=0.01)
    line.run(600)
    assert not line.switches
    assert line.adaptation.limit_bps is None
    assert line.adaptation.reason is None


@pytest.mark.parametrize("remb", [False, True])
@pytest.mark.parametrize("carries", [250_000, 300_000, 500_000, 1_000_000])
def test_a_thin_line_soon_gets_what_it_carries_and_is_seldom_tried(
    carries: float, remb: bool
) -> None:
    line = Line(carries, remb=remb)
    line.run(8)
    rung = line.adaptation.rung
    assert rung is not None
    assert need_bps(rung) <= carries
    line.run(52)
    better = LADDER[line.adaptation.step - 1]
    assert need_bps(better) > carries * 0.8
    line.run(240)
    above = sum(need_bps(LADDER[step]) > carries * 1.05 for step in line.steps[8:])
    assert above <= 20  # seconds of 292 in which more was tried
    assert line.switches <= 16
    assert line.adaptation.reason in ("loss", "rate")


def test_the_reason_is_what_the_line_carries_when_less_sent_is_less_lost() -> None:
    line = Line()
    line.run(10)
    line.carries_bps = 400_000
    line.run(6)
    assert line.adaptation.reason == "rate"
    assert line.adaptation.carries_bps == pytest.approx(400_000, rel=0.2)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("loss", [0.05, 0.12, 0.2, 0.25])
def test_a_line_that_loses_whatever_is_sent_keeps_a_picture(loss: float, seed: int) -> None:
    line = Line(loss=loss, seed=seed)
    line.run(300)
    assert max(line.steps) <= (3 if loss <= 0.2 else 5), line.steps
    assert line.switches <= 6
    if loss >= 0.2:
        assert line.adaptation.reason == "loss"


def test_a_line_for_sound_alone_gets_sound_and_its_picture_comes_back() -> None:
    line = Line(110_000)
    line.run(20)
    assert line.adaptation.audio_only
    assert line.adaptation.limit_bps == 0
    assert line.adaptation.rung is None
    line.carries_bps = None
    line.run(180)
    assert line.adaptation.step == 0


@pytest.mark.parametrize("remb", [False, True])
@pytest.mark.parametrize("bad_for", [10, 60, 300])
def test_it_recovers(bad_for: int, remb: bool) -> None:
    line = Line(300_000, remb=remb)
    line.run(bad_for)
    line.carries_bps = None
    line.run(130)
    assert line.adaptation.step == 0
    assert line.adaptation.reason is None


def test_tries_become_rarer() -> None:
    line = Line(300_000)
    line.run(400)
    ups = [at for at, (a, b) in enumerate(zip(line.steps, line.steps[1:], strict=False)) if b < a]
    gaps = [b - a for a, b in itertools.pairwise(ups)]
    assert min(gaps) >= 6
    assert gaps[-3:] == sorted(gaps[-3:])
    assert gaps[-1] >= 75


def test_still_pictures_that_begin_to_move_are_no_congestion() -> None:
    """REMB is bounded by what arrives: below what is sent, yet nothing has become worse."""
    line = Line(remb=True, activity=0.2)
    line.run(30)
    line.activity = 1.0
    line.run(60)
    assert not line.switches


def test_one_step_of_the_delay_is_no_congestion() -> None:
    """The delay-based estimate falls at once and grows back; nothing is lost."""
    adaptation = Adaptation(LADDER)
    estimate = 2e6
    for second in range(60):
        estimate = 1.2e6 if second == 30 else min(2.4e6, estimate * 1.08)
        report = LineReport(packets=200, lost=0, sent_bps=1.5e6, remb_bps=round(estimate))
        assert not adaptation.take(report, 100.0 + second)


def test_a_remb_that_nothing_bears_out_is_not_believed() -> None:
    """A busy machine stalls, and the receiver's estimator takes it for a jam."""
    adaptation, dice = Adaptation(LADDER), random.Random(1)
    for second in range(200):
        report = LineReport(
            packets=200,
            lost=dice.randrange(2),
            sent_bps=1.4e6,
            remb_bps=dice.randrange(8_000, 1_000_000),
            round_trip_s=0.04 + dice.random() * 0.07,
            jitter_s=0.02,
        )
        assert not adaptation.take(report, 100.0 + second)


def test_a_deep_queue_is_seen_by_remb_before_anything_is_lost() -> None:
    adaptation = Adaptation(LADDER)
    for second in range(20):
        report = LineReport(
            packets=200,
            lost=0,
            sent_bps=1.4e6,
            remb_bps=2_000_000 if second < 10 else 600_000,
            round_trip_s=0.04 if second < 10 else 0.3,
            jitter_s=0.01,
        )
        adaptation.take(report, 100.0 + second)
        assert bool(adaptation.step) == (second >= 11)
    rung = adaptation.rung
    assert rung is not None
    assert need_bps(rung) <= 600_000
    assert adaptation.reason in ("rate", "delay")


def test_one_bad_second_is_borne() -> None:
    line = Line()
    line.run(20)
    line.loss = 0.15
    line.run(1)
    line.loss = 0.0
    line.run(20)
    assert not line.switches


def test_a_blackout_says_nothing_of_the_width() -> None:
    line = Line()
    line.run(20)
    line.now += 20.0
    report = LineReport(packets=4000, lost=3800, sent_bps=1_600_000, round_trip_s=0.05)
    assert not line.adaptation.take(report, line.now)
    line.run(30)
    assert not line.switches


def test_a_queue_is_seen_before_it_overflows_and_a_longer_path_is_none() -> None:
    adaptation = Adaptation(LADDER)
    steps = []
    for second in range(120):
        trip = 0.05 if second < 30 else 0.6
        report = LineReport(
            packets=200, lost=0, sent_bps=1_600_000, round_trip_s=trip, jitter_s=0.005
        )
        adaptation.take(report, 100.0 + second)
        steps.append(adaptation.step)
    assert 30 <= steps.index(1) <= 34
    assert max(steps) == 1
    assert steps[-1] == 0


def test_jitter_is_no_queue() -> None:
    adaptation, dice = Adaptation(LADDER), random.Random(1)
    for second in range(300):
        report = LineReport(
            packets=200,
            lost=0,
            sent_bps=1_600_000,
            round_trip_s=0.02 + dice.random() * 0.2 + dice.random() * 0.2,
            jitter_s=0.06,
        )
        assert not adaptation.take(report, 100.0 + second)


def test_who_reports_nothing_is_left_alone() -> None:
    adaptation = Adaptation(LADDER)
    assert not any(adaptation.take(LineReport(sent_bps=1e6), 100.0 + at) for at in range(100))


def test_a_ladder_has_rungs() -> None:
    with pytest.raises(ValueError, match="at least one rung"):
        Adaptation(())


REPORTS = st.builds(
    lambda packets, share, sent, remb, trip, jitter: LineReport(
        packets=packets,
        lost=packets * share,
        sent_bps=sent,
        remb_bps=remb,
        round_trip_s=trip,
        jitter_s=jitter,
    ),
    packets=st.integers(0, 5000),
    share=st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.05, 0.11, 0.3, 1.0]),
    sent=st.floats(0, 1e7),
    remb=st.none() | st.integers(0, 10_000_000),
    trip=st.none() | st.floats(0, 60),
    jitter=st.none() | st.floats(0, 10),
)


@given(
    st.sampled_from([LADDER, TALL, LADDER[-1:], LADDER[2:]]),
    st.lists(st.tuples(REPORTS, st.integers(1, 20)), max_size=40),
)
def test_under_any_reports_it_stays_on_its_ladder_and_does_not_flap(
    ladder: tuple[Rung, ...], said: list[tuple[LineReport, int]]
) -> None:
    adaptation = Adaptation(ladder)
    now, switched = 100.0, []
    for report, times in said:
        for _ in range(times):
            now += 1.0
            before = adaptation.step
            assert adaptation.take(report, now) == (adaptation.step != before)
            if adaptation.step != before:
                switched.append(now)
            assert 0 <= adaptation.step <= len(ladder)
            assert adaptation.step >= before - 1  # up by one at a time
            rung = adaptation.rung
            assert rung is None or rung in ladder
            limit = adaptation.limit_bps
            assert (limit is None) == (adaptation.step == 0)
            assert limit in (None, 0) or limit == ladder[adaptation.step].bitrate_bps
    for at in switched:
        assert sum(at <= one < at + 60 for one in switched) <= SWITCHES_A_MINUTE
    # And it comes back whatever was.
    for _ in range(300):
        now += 1.0
        good = LineReport(packets=150, lost=0, sent_bps=1e6, round_trip_s=0.02, jitter_s=0.001)
        adaptation.take(good, now)
    assert adaptation.step == 0


@pytest.mark.parametrize("seed", range(8))
def test_a_jam_that_begins_within_a_report_is_not_taken_for_a_lossy_line(seed: int) -> None:
    """The first report on it tells too little, so what is lost after the fall seems the line's."""
    line = Line(seed=seed)
    line.run(20)
    line.carries_bps = 1_660_000 / (0.3 + 0.2 * line.dice.random()) * 0.3
    line.run(1)
    line.carries_bps = 300_000
    line.run(9)
    rung = line.adaptation.rung
    assert rung is not None
    assert need_bps(rung) <= 300_000


def watched(width: float | None, *, loss: float = 0.0, sent_bps: float = 300_000) -> LineReport:
    """A report of a leg that tells of each packet."""
    return LineReport(100, 100 * loss, sent_bps, None, 0.05, 0.005, watched=True, width_bps=width)


def test_a_congested_line_is_relieved_at_once_by_what_it_carries() -> None:
    adaptation = Adaptation(LADDER)
    assert adaptation.relieve(420_000, 0.5, 10.0)
    rung = adaptation.rung
    assert rung is not None
    assert need_bps(rung) <= 420_000 < need_bps(LADDER[adaptation.step - 1])
    assert (adaptation.reason, adaptation.carries_bps) == ("rate", 420_000)
    assert adaptation.settles(11.0)  # the queue drains
    assert not adaptation.relieve(200_000, 0.5, 11.0)
    assert not adaptation.settles(12.5)
    assert adaptation.relieve(200_000, 0.5, 12.5)


def test_only_reports_take_the_last_picture_away() -> None:
    adaptation = Adaptation(LADDER)
    for second in range(10):
        adaptation.relieve(50_000, 0.9, 10.0 + 3 * second)
    assert adaptation.step == len(LADDER) - 1
    assert adaptation.settles(100.0)


def test_a_line_that_is_seen_to_be_wide_gets_the_best_at_once() -> None:
    adaptation = Adaptation(LADDER)
    adaptation.relieve(300_000, 0.5, 10.0)
    took = next(now for now in range(11, 40) if adaptation.take(watched(20_000_000.0), float(now)))
    assert took <= 14
    assert adaptation.step == 0
    assert adaptation.reason is None


def test_a_line_is_climbed_as_high_as_it_is_seen_to_carry_and_then_hardly_tried() -> None:
    adaptation = Adaptation(LADDER)
    adaptation.relieve(200_000, 0.5, 10.0)
    for second in range(35):
        adaptation.take(watched(800_000.0), 11.0 + second)
    rung = adaptation.rung
    assert rung is not None
    assert need_bps(rung) < 800_000 * 0.9
    assert adaptation.climbs == 1


def test_what_is_seen_may_be_wrong_so_there_is_a_try_after_long() -> None:
    adaptation = Adaptation(LADDER)
    adaptation.relieve(200_000, 0.5, 10.0)
    low = adaptation.step
    climbed = next(now for now in range(11, 200) if adaptation.take(watched(100_000.0), now))
    assert 45 <= climbed <= 60
    assert adaptation.step == low - 1


def test_a_seen_width_does_not_outweigh_loss() -> None:
    adaptation = Adaptation(LADDER)
    adaptation.relieve(300_000, 0.5, 10.0)
    for second in range(20):
        adaptation.take(watched(20_000_000.0, loss=0.08), 11.0 + second)
    assert adaptation.climbs == 0


def test_a_line_is_probed_where_nothing_tells_its_width_and_more_seldom_in_vain() -> None:
    adaptation = Adaptation(LADDER)
    assert not adaptation.wants_width(10.0)
    adaptation.relieve(250_000, 0.5, 10.0)
    probes = []
    for second in range(38):
        now = 11.0 + second
        probed = bool(probes) and now - probes[-1] <= 1.0
        adaptation.take(watched(250_000.0 if probed else None), now)
        if adaptation.wants_width(now):
            probes.append(now)
            adaptation.probed(now)
    assert adaptation.climbs == 0
    waits = [later - earlier for earlier, later in itertools.pairwise(probes)]
    assert waits == sorted(waits)
    assert probes[0] <= 14.0
    assert 9.0 <= waits[-1] <= 12.0
    for second in range(10):
        adaptation.take(watched(20_000_000.0), 49.0 + second)
        assert not adaptation.wants_width(49.0 + second)
    assert adaptation.step == 0
