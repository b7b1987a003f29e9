"""Everybody has a turn, and who matters stays."""

from collections import Counter

from mcu.watch.rounds import Rounds

ROOMS = [f"r{number}" for number in range(145)]


def test_everybody_is_looked_at_for_a_whole_turn_once_in_a_round() -> None:
    rounds = Rounds(5, 10.0)
    seconds: Counter[str] = Counter()
    for second in range(290):
        chosen = rounds.choose(ROOMS, (), float(second))
        assert len(chosen) == 5
        seconds.update(chosen)
    assert set(seconds) == set(ROOMS)
    assert set(seconds.values()) == {10}


def test_who_matters_stays_and_one_place_is_left_for_the_others() -> None:
    rounds = Rounds(4, 10.0)
    seen: set[str] = set()
    for second in range(400):
        chosen = rounds.choose(ROOMS[:30], ["r3", "r1", "r3", "r9", "r4", "absent"], float(second))
        assert {"r3", "r1", "r9"} <= chosen
        assert len(chosen) == 4
        seen |= chosen
    assert seen == set(ROOMS[:30])


def test_rooms_come_and_go() -> None:
    rounds = Rounds(3, 10.0)
    assert rounds.choose([], ["a"], 0.0) == frozenset()
    assert rounds.choose(["a", "b"], [], 1.0) == {"a", "b"}
    assert rounds.choose(["b", "c", "d"], ["d"], 2.0) == {"b", "c", "d"}
    assert Rounds(0, 10.0).choose(["a"], ["a"], 0.0) == frozenset()
    assert Rounds(1, 10.0).choose(["a", "b"], ["b"], 0.0) == {"b"}
