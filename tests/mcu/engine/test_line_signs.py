"""What single reports show; whole lines are in ``test_adaptation``."""

import pytest

from mcu.engine.line_signs import DELAY_REPORTS, DELAY_WINDOW_S, LineReport, LineSigns


def report(
    share: float = 0.0,
    packets: int = 200,
    *,
    sent_bps: float = 1_000_000,
    remb_bps: int | None = None,
    round_trip_s: float | None = 0.05,
    jitter_s: float | None = 0.005,
) -> LineReport:
    return LineReport(packets, packets * share, sent_bps, remb_bps, round_trip_s, jitter_s)


def complaint(
    signs: LineSigns, taken: LineReport, now: float, *, trial: bool = False, last: bool = False
) -> tuple[int, str | None]:
    """Take a report and say how bad it is."""
    signs.take(taken, now)
    return signs.complaint(taken, signs.loss(), now, trial=trial, last=last)


def test_a_report_says_which_part_was_lost() -> None:
    assert report(0.25).share == 0.25
    assert LineReport(lost=3).share == 0.0
    assert LineReport(10, 12).share == 1.0  # a repeated packet may be lost twice


def test_who_says_nothing_is_no_news() -> None:
    assert not LineReport(sent_bps=1e6, round_trip_s=0.1).is_news
    assert LineReport(1).is_news
    assert LineReport(remb_bps=0).is_news


def test_loss_is_that_of_the_last_reports_if_they_are_about_enough() -> None:
    signs = LineSigns()
    signs.take(report(0.5, 39), 1.0)
    assert signs.loss() is None
    signs.take(report(0.0, 39), 2.0)
    assert signs.loss() == pytest.approx(0.25)
    signs.take(report(0.0, 41), 4.5)  # the first is too old
    assert signs.loss() == 0.0


@pytest.mark.parametrize(
    ("share", "trial", "weight"),
    [(0.05, False, 0), (0.12, False, 1), (0.12, True, 2), (0.09, False, 0), (0.09, True, 2),
     (0.3, False, 2)],
)  # fmt: skip
def test_how_much_loss_is_bad_news(share: float, trial: bool, weight: int) -> None:
    found = complaint(LineSigns(), report(share), 1.0, trial=trial)
    assert found == (weight, "loss" if weight else None)


def test_of_few_packets_much_is_lost_by_chance() -> None:
    assert complaint(LineSigns(), report(0.5, 8), 1.0) == (0, None)
    assert complaint(LineSigns(), report(0.5, 30), 1.0) == (2, "loss")
    assert complaint(LineSigns(), report(0.5, 30), 1.0, last=True) == (0, None)


@pytest.mark.parametrize(("remb", "weight"), [(990_000, 0), (900_000, 1), (500_000, 2)])
def test_a_remb_that_falls_is_believed_with_some_loss(remb: int, weight: int) -> None:
    signs = LineSigns()
    complaint(signs, report(remb_bps=2_000_000), 1.0)
    found = complaint(signs, report(0.03, remb_bps=remb), 2.0)
    assert found == (weight, "rate" if weight else None)
    assert signs.within_remb(5_000_000) == remb


def test_a_remb_alone_is_not() -> None:
    signs = LineSigns()
    complaint(signs, report(remb_bps=2_000_000), 1.0)
    assert complaint(signs, report(remb_bps=500_000), 2.0) == (0, None)
    # What it said is old by now.
    assert complaint(signs, report(0.03), 6.0) == (0, None)


def test_a_longer_round_trip_is_a_queue_once_it_lasts_and_a_longer_path_after_a_fall() -> None:
    signs = LineSigns()
    assert not signs.take(report(), 1.0)
    for number in range(DELAY_REPORTS):
        taken = report(round_trip_s=0.4)
        assert signs.take(taken, 2.0 + number)
    assert signs.complaint(taken, signs.loss(), 5.0, trial=False, last=False) == (2, "delay")
    assert signs.complaint(taken, signs.loss(), 5.0, trial=False, last=True) == (0, None)
    signs.fell("delay", 900_000, 0.0, measured=True)
    signs.step_changed()
    assert not signs.take(taken, 6.0)


def test_the_shortest_round_trip_is_that_of_the_last_minute() -> None:
    signs = LineSigns()
    signs.take(report(round_trip_s=0.05), 1.0)
    assert signs.take(report(round_trip_s=0.4), DELAY_WINDOW_S)
    assert not signs.take(report(round_trip_s=0.4), DELAY_WINDOW_S + 2.0)


def after_a_fall(lost_then: float, *, measured: bool = True) -> float:
    """What a line is said to lose by itself that carried half, and then is sent half."""
    signs = LineSigns()
    signs.take(report(0.2), 1.0)
    signs.fell("loss", 500_000, 0.2, measured=measured)
    signs.step_changed()
    taken = report(lost_then, sent_bps=500_000)
    signs.take(taken, 4.0)
    signs.learn_own_loss(taken, signs.loss())
    return signs.own_loss


def test_what_is_still_lost_when_less_is_sent_is_the_lines_own_up_to_a_point() -> None:
    assert after_a_fall(0.2) == pytest.approx(0.2)
    assert after_a_fall(0.01) == 0.0
    assert after_a_fall(0.35) == 0.0  # it has become worse
    assert after_a_fall(0.2, measured=False) == 0.0


def test_own_loss_is_no_complaint_and_ends_with_it() -> None:
    signs = LineSigns()
    signs.own_loss = 0.2
    assert complaint(signs, report(0.22), 1.0) == (0, None)
    taken = report(0.0)
    signs.take(taken, 5.0)
    signs.learn_own_loss(taken, signs.loss())
    assert signs.own_loss == 0.0


def test_a_time_is_steady_when_two_reports_are_alike() -> None:
    signs = LineSigns()
    signs.take(report(0.2), 1.0)
    assert not signs.is_steady(0.2)
    signs.take(report(0.3), 2.0)
    assert signs.is_steady(0.3)
    assert not signs.is_steady(0.5)
    signs.forget_losses()
    assert not signs.is_steady(0.3)
    assert signs.loss() is None


def test_after_a_silence_the_remb_is_forgotten_too() -> None:
    signs = LineSigns()
    signs.take(report(0.2, remb_bps=300_000), 1.0)
    signs.forget()
    assert signs.loss() is None
    assert signs.within_remb(1e6) == 1e6
