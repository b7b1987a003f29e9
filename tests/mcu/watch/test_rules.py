"""Readings become alarms: after lasting trouble, not by flutter, and each room by itself."""

import pytest

from config.alarms_section import AlarmSettings
from mcu.watch.rules import FLAP_S, MAX_PATIENCE, AlarmBook, Change, Cleared, Raised, rules_of


def book(**settings: object) -> AlarmBook:
    return AlarmBook(rules_of(AlarmSettings(**settings)))  # type: ignore[arg-type]


def play(
    one: AlarmBook, kind: str, values: list[float | None], start: float = 0.0
) -> list[tuple[float, Change]]:
    """A value a second; gives when what changed."""
    changes = []
    for second, value in enumerate(values):
        now = start + second
        changes += [(now, each) for each in one.take("a", {kind: value}, now)]  # type: ignore[dict-item]
    return changes


def test_trouble_must_last_and_says_when_it_began() -> None:
    found = play(book(), "black", [0, 0, 1, 1, 1, 1, 1])
    assert found == [(5, Raised("a", "black", 2))]


def test_a_flutter_raises_nothing() -> None:
    assert play(book(), "black", [1, 1, 0] * 30) == []
    assert play(book(), "loss", [9, 9, 9, 0] * 30) == []


def test_what_is_between_the_thresholds_neither_raises_nor_clears() -> None:
    one = book(loss_percent=5.0, loss_after_s=3.0)
    assert play(one, "loss", [3.0] * 60) == []
    assert [each for _, each in play(one, "loss", [8.0] * 5, 100)] == [Raised("a", "loss", 100)]
    assert play(one, "loss", [3.0] * 60, 200) == []
    assert one.raised_of("a") == ["loss"]
    assert [each for _, each in play(one, "loss", [1.0] * 30, 300)] == [Cleared("a", "loss")]


def test_what_cannot_be_measured_proves_nothing() -> None:
    one = book()
    assert play(one, "black", [1, None, 1, None, 1, None, 1]) == []
    play(one, "black", [1] * 5, 50)
    assert one.raised_of("a") == ["black"]
    assert play(one, "black", [0, None, 0, None, 0, None] * 9, 100) == []
    assert one.raised_of("a") == ["black"]


def test_what_flaps_must_be_healthy_for_longer_each_time() -> None:
    one = book()
    cleared_after = []
    now = 0.0
    for _ in range(6):
        raised = play(one, "howl", [2.0], now)
        assert [type(each) for _, each in raised] == [Raised]
        changes = play(one, "howl", [0.0] * 40, now + 1)
        assert [type(each) for _, each in changes] == [Cleared]
        cleared_after.append(changes[0][0] - now - 1)
        now = changes[0][0] + 30
    assert cleared_after == [2, 4, 8, 16, 16, 16]
    assert cleared_after[-1] == 2 * MAX_PATIENCE
    now += FLAP_S  # it was quiet for long: patience is as at first
    play(one, "howl", [2.0], now)
    assert play(one, "howl", [0.0] * 40, now + 1)[0][0] == now + 3


def test_many_rooms_each_by_itself_and_counted() -> None:
    one = book()
    raised = []
    for second in range(10):
        for room in range(145):
            values = {"black": float(room % 29 == 0), "lost": 0.0, "howl": 0.0, "loss": 0.5}
            raised += one.take(f"r{room}", values, float(second))  # type: ignore[arg-type]
    assert {each.participant for each in raised} == {f"r{room}" for room in range(0, 145, 29)}
    assert one.raised["black"] == len(raised) == 5
    cleared = one.keep([f"r{room}" for room in range(1, 145)])
    assert cleared == [Cleared("r0", "black")]
    assert one.keep([f"r{room}" for room in range(1, 145)]) == []


def test_silence_is_told_when_it_has_lasted_and_kept_until_somebody_speaks_for_a_second() -> None:
    one = book(silent_after_s=10.0)
    changes = play(one, "silent", [float(second) for second in range(15)])
    assert changes == [(10, Raised("a", "silent", 10))]
    assert [each for _, each in play(one, "silent", [0.0, 0.0, 0.0], 20)] == [
        Cleared("a", "silent")
    ]


def test_kinds_can_be_off_and_thresholds_set() -> None:
    assert play(book(off=("black",)), "black", [1] * 60) == []
    assert play(book(black_after_s=30.0), "black", [1] * 30) == []
    assert len(play(book(black_after_s=30.0), "black", [1] * 31)) == 1
    assert play(book(echo_score=12.0), "echo", [9.0] * 5) == []


def test_what_was_raised_before_a_restart_goes_on_and_is_cleared_when_healthy() -> None:
    one = book()
    one.adopt("a", "black", 0.0)
    one.adopt("gone", "echo", 0.0)
    assert play(one, "black", [1] * 5) == []
    assert one.keep(["a"]) == [Cleared("gone", "echo")]
    assert [each for _, each in play(one, "black", [0] * 5, 10)] == [Cleared("a", "black")]


def test_what_the_conference_has_ended_may_begin_anew_and_what_it_says_lasts_is_cleared() -> None:
    one = book()
    play(one, "black", [1] * 5)
    one.agree("a", {"black"}, 5.0)
    assert one.raised_of("a") == ["black"]
    one.agree("a", (), 6.0)
    assert one.raised_of("a") == []
    assert play(one, "black", [1] * 5, 10) == [(13, Raised("a", "black", 10))]
    play(one, "black", [0] * 5, 20)
    one.agree("a", {"black"}, 30.0)
    assert [each for _, each in play(one, "black", [0] * 5, 31)] == [Cleared("a", "black")]


@pytest.mark.parametrize("kind", ["echo", "clipping"])
def test_a_room_is_worth_another_look_while_something_may_be_wrong(kind: str) -> None:
    one = book()
    assert one.pending_of("a") == []
    play(one, kind, [20.0])
    assert one.pending_of("a") == [kind]
