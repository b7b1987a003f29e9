"""Everything has its turn once in an interval, and never all at once."""

from mcu.rooms.turns import Turns


def test_everything_has_its_turn_once_an_interval_and_few_at_a_time() -> None:
    turns: Turns[int] = Turns(1.0, 0.02)
    taken: list[list[int]] = []
    for step in range(100):
        taken.append(turns.take(lambda: range(145), 10.0 + step * 0.02))
    flat = [one for some in taken for one in some]
    assert flat == [*range(145), *range(145)]
    assert max(len(some) for some in taken) == 3


def test_who_comes_late_catches_up_and_who_comes_early_gets_nothing() -> None:
    turns: Turns[str] = Turns(1.0, 0.02)
    assert turns.take(lambda: "abcd", 0.0) == ["a"]
    assert turns.take(lambda: "abcd", 0.01) == []
    assert turns.take(lambda: "abcd", 0.6) == ["b", "c"]
    assert turns.take(lambda: "abcd", 5.0) == ["d"]
    assert turns.take(lambda: "xy", 5.02) == ["x"]
    assert turns.take(lambda: "xy", 9.0) == ["y"]


def test_nothing_has_no_turn() -> None:
    turns: Turns[str] = Turns(1.0, 0.02)
    assert turns.take(list, 0.0) == []
    assert turns.take(list, 2.0) == []
    assert turns.take(lambda: ["late"], 2.5) == []
    assert turns.take(lambda: ["late"], 3.0) == ["late"]


def test_who_is_gone_has_no_turn_any_more() -> None:
    turns: Turns[int] = Turns(1.0, 0.1)
    assert turns.take(lambda: range(10), 100.0) == [0]
    turns.forget(lambda one: one > 3)
    rest = [one for step in range(1, 10) for one in turns.take(lambda: (), 100.0 + step / 10)]
    assert rest == [1, 2, 3]
