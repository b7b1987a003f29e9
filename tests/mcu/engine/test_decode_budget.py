"""One source gets its share of the decoders, and waits longer each time it takes more."""

from mcu.engine.decode_budget import (
    BURST_S,
    MACROBLOCKS_BURST,
    MACROBLOCKS_PER_S,
    PENALTY_MAX_S,
    PENALTY_S,
    SHARE,
    DecodeBudget,
)


def send(budget: DecodeBudget, picture_s: float, seconds: float, now: float) -> float | None:
    """25 pictures a second that take so long each; when it began to be too much."""
    for number in range(round(seconds * 25)):
        at = now + number / 25
        if budget.spend(picture_s, at):
            return at
    return None


def test_what_keeps_within_the_share_goes_on_for_good() -> None:
    budget = DecodeBudget()
    assert send(budget, 0.9 * SHARE / 25, 600, 100.0) is None
    assert not budget.is_over(700.0)


def test_a_burst_is_allowed() -> None:
    budget = DecodeBudget()
    assert not budget.spend(0.9 * BURST_S, 100.0)
    assert not budget.spend(0.9 * BURST_S, 100.0 + BURST_S / SHARE)


def test_twice_the_share_is_too_much_after_a_moment() -> None:
    budget = DecodeBudget()
    at = send(budget, 2 * SHARE / 25, 10, 100.0)
    assert at is not None
    assert 1.0 < at - 100.0 < 3.0
    assert budget.is_over(at)
    assert budget.is_over(at + PENALTY_S - 0.01)
    assert not budget.is_over(at + PENALTY_S)


def test_pictures_decoded_meanwhile_do_not_lengthen_it() -> None:
    budget = DecodeBudget()
    assert budget.spend(2 * BURST_S, 100.0)
    assert not budget.spend(0.06, 102.0)
    assert not budget.is_over(100.0 + PENALTY_S)


def test_who_goes_on_waits_twice_as_long_each_time_up_to_a_bound() -> None:
    budget = DecodeBudget()
    now, waits = 100.0, []
    for _ in range(7):
        at = send(budget, 2 * SHARE / 25, 10, now)
        assert at is not None
        now = at
        while budget.is_over(now):
            now += 0.5
        waits.append(round(now - at, 1))
    assert waits == [4, 8, 16, 32, 64, 64, 64]


def test_it_is_forgotten_after_a_good_time() -> None:
    budget = DecodeBudget()
    for _ in range(3):
        budget.spend(2 * BURST_S, 100.0)
        budget.spend(2 * BURST_S, 104.0)
    later = 104.0 + 2 * PENALTY_S + PENALTY_MAX_S + 1
    assert budget.spend(2 * BURST_S, later)
    assert not budget.is_over(later + PENALTY_S)


def show(budget: DecodeBudget, macroblocks: int, fps: int, seconds: int) -> float | None:
    """Pictures of a size; when they began to be too many."""
    for number in range(seconds * fps):
        if budget.take(macroblocks, 100.0 + number / fps):
            return number / fps
    return None


def test_what_keeps_the_level_goes_on_for_good() -> None:
    assert show(DecodeBudget(), 8160, 30, 600) is None


def test_more_macroblocks_than_the_level_allows_are_too_much_after_a_moment() -> None:
    at = show(DecodeBudget(), 8160, 60, 10)
    assert at is not None
    assert 1.5 < at < 2.5


def test_a_stalled_line_may_let_go_of_two_seconds_at_once() -> None:
    budget = DecodeBudget()
    assert not any(budget.take(MACROBLOCKS_PER_S // 25, 100.0) for _ in range(49))
    assert budget.take(MACROBLOCKS_BURST, 100.0)
    assert budget.is_over(100.0 + PENALTY_S - 0.01)
    assert not budget.take(MACROBLOCKS_BURST, 101.0), "the wait is not lengthened"
    assert not budget.is_over(100.0 + PENALTY_S)
