"""Everybody has a turn, and who matters stays."""

import math
from collections import Counter

import pytest

from mcu.watch.rounds import MAX_TURNS, Rounds

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


@pytest.mark.parametrize("rooms", [7, 60, 145, 290])
@pytest.mark.parametrize("lasting", [0, 3, 20])
def test_everybody_has_a_turn_within_a_round_however_many_matter(rooms: int, lasting: int) -> None:
    everybody = [f"r{number}" for number in range(rooms)]
    first = everybody[:lasting]
    rounds = Rounds(6, 10.0, 300.0)
    chosen_at = dict.fromkeys(everybody, 0)
    most, waited, longest = 0, 0, 0.0
    for second in range(1000):
        chosen = rounds.choose(everybody, first, float(second))
        chosen_at |= dict.fromkeys(chosen, second)
        waited = max(waited, second - min(chosen_at.values()))
        most = max(most, len(chosen))
        longest = max(longest, rounds.longest_s)
    assert waited <= 300
    assert longest <= 300
    assert most <= 5 + math.ceil(rooms * 10 / 300) + 1


def test_a_turn_ends_early_once_everything_is_known_if_somebody_waits() -> None:
    rounds = Rounds(5, 10.0, 300.0)
    looks: Counter[str] = Counter()
    before: frozenset[str] = frozenset()
    for second in range(100):
        chosen = rounds.choose(ROOMS, (), float(second), told=before)
        looks.update(chosen - before)
        before = chosen
    assert set(looks) == set(ROOMS), "two seconds each"
    few = ROOMS[:4]
    assert all(
        rounds.choose(few, (), 100.0 + second, told=few) == set(few) for second in range(50)
    ), "nobody waits"


def test_a_turn_goes_on_while_nothing_is_known() -> None:
    rounds = Rounds(1, 10.0, unsure_s=8.0)
    looked = [rounds.choose(["a", "b"], (), float(at), unsure=["a"]) for at in range(30)]
    assert [min(one) for one in looked] == ["a"] * 18 + ["b"] * 10 + ["a"] * 2


def test_there_is_a_most_whatever_is_set() -> None:
    rounds = Rounds(6, 120.0, 60.0)
    assert len(rounds.choose(ROOMS, ROOMS[:10], 0.0)) == 5 + MAX_TURNS


def test_rooms_come_and_go() -> None:
    rounds = Rounds(3, 10.0)
    assert rounds.choose([], ["a"], 0.0) == frozenset()
    assert rounds.choose(["a", "b"], [], 1.0) == {"a", "b"}
    assert rounds.choose(["b", "c", "d"], ["d"], 2.0) == {"b", "c", "d"}
    assert Rounds(0, 10.0).choose(["a"], ["a"], 0.0) == frozenset()
    assert Rounds(1, 10.0).choose(["a", "b"], ["b"], 0.0) == {"b"}
