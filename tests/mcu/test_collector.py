import gc

import pytest

from mcu.collector import (
    AGED,
    FULL_MIDDLES,
    FULL_S,
    LEFT,
    LEFT_MANY,
    LEFT_S,
    LIMITS,
    OVERDUE_S,
    PAUSES,
    TOO_MANY,
    YOUNG,
    Collector,
    Pauses,
)

PLENTY_S = 0.018


class Heap:
    """Objects are made by the test; looking at each takes as long as it says.

    ``gone``: the share of those looked at that nobody can reach any more.
    """

    def __init__(self) -> None:
        self.sizes = [0, 0, 0]
        self.youngs = 0
        self.said: list[object] = []
        self.pauses: list[float] = []
        self.now = 0.0
        self.object_s = 0.4e-6
        self.gone = 0.0

    def get_count(self) -> tuple[int, int, int]:
        return self.sizes[0], self.youngs, 0

    def collect(self, generation: int) -> int:
        self.said.append(generation)
        self.youngs = self.youngs + 1 if generation == 0 else 0
        objects = sum(self.sizes[: generation + 1])
        self.sizes[: generation + 1] = [0] * (generation + 1)
        found = round(objects * self.gone)
        self.sizes[min(generation + 1, 2)] += objects - found
        self.pauses.append(objects * self.object_s)
        self.now += objects * self.object_s
        return found

    def clock(self) -> float:
        return self.now


class Meeting:
    """Ticks every 20 ms, in which so many objects are made."""

    def __init__(self) -> None:
        self.heap = Heap()
        self.now = 100.0
        self.collector = Collector(self.now, self.heap, self.heap.clock)

    def run(
        self,
        seconds: float,
        made: int,
        *,
        slack_s: float = PLENTY_S,
        legs: int = 145,
        cyclic: int | None = None,
    ) -> list:
        before = len(self.heap.said)
        for _ in range(round(seconds / 0.02)):
            self.heap.sizes[0] += made
            self.collector.tick(self.now, slack_s, legs, legs if cyclic is None else cyclic)
            self.now += 0.02
        return self.heap.said[before:]


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


def test_where_nothing_is_made_nothing_is_collected(meeting: Meeting) -> None:
    assert meeting.run(60, 0) == []


def test_the_young_when_they_are_worth_it_and_the_aged_when_they_are(meeting: Meeting) -> None:
    said = meeting.run(4, YOUNG // 2)
    made = 200 * (YOUNG // 2)
    assert said.count(0) + said.count(1) == pytest.approx(made / YOUNG, rel=0.1)
    assert said.count(1) == pytest.approx(made / (AGED + 2 * YOUNG), abs=2)
    assert set(said) == {0, 1}


def test_a_crowd_that_joins_never_makes_a_collection_that_does_not_fit(meeting: Meeting) -> None:
    meeting.run(4, 4_000, slack_s=0.012)
    assert max(meeting.heap.pauses) <= 0.01
    assert meeting.heap.sizes[1] <= AGED + 4_000


def test_only_where_there_is_time(meeting: Meeting) -> None:
    assert meeting.run(0.1, YOUNG // 2, slack_s=0.002) == []
    assert 0 in meeting.run(0.1, YOUNG // 2, slack_s=0.006)


def test_what_there_is_never_time_for_is_looked_at_while_it_is_little(meeting: Meeting) -> None:
    meeting.heap.object_s = 2e-6
    said = meeting.run(3, YOUNG, slack_s=0.012)
    assert 1 in said
    assert 2 not in said
    assert max(meeting.heap.pauses) <= (TOO_MANY + 2 * YOUNG) * 2e-6


def test_what_the_interpreter_collected_by_itself_is_known(meeting: Meeting) -> None:
    meeting.heap.sizes = [0, LIMITS[0], 0]
    meeting.heap.youngs = 1
    assert meeting.run(0.02, 0) == [1]
    meeting.run(1, YOUNG // 2, slack_s=0.012)
    meeting.heap.sizes, meeting.heap.youngs = [0, 0, 0], 0
    assert meeting.run(1, 0) == []


def test_what_outlives_a_crowd_is_not_looked_at_again(meeting: Meeting) -> None:
    meeting.run(3, YOUNG)  # rooms join
    assert meeting.run(60, 0) == []


def test_all_of_a_meeting_when_the_last_one_has_gone(meeting: Meeting) -> None:
    meeting.run(3, YOUNG)
    assert meeting.run(1, 0, legs=0) == [2]
    assert meeting.run(60, 0, legs=0) == []


def test_when_the_last_one_has_gone_also_if_nobody_leaves_cycles(meeting: Meeting) -> None:
    meeting.run(3, YOUNG, cyclic=0)
    assert meeting.run(1, 0, legs=0) == [2]


def test_all_is_looked_at_where_there_is_time(meeting: Meeting) -> None:
    meeting.run(LEFT_S, YOUNG // 100)
    assert 2 not in meeting.run(0.5, 0, slack_s=0.002, legs=145 - LEFT)
    assert meeting.run(0.02, 0, slack_s=PLENTY_S, legs=145 - LEFT) == [2]


def test_what_takes_more_than_a_tick_is_left_until_very_many_have_gone(meeting: Meeting) -> None:
    meeting.run(20, YOUNG // 4)
    assert sum(meeting.heap.sizes) * meeting.heap.object_s > PLENTY_S
    said = meeting.run(LEFT_S, 0)
    legs = 145 + LEFT_MANY
    meeting.run(0.02, 0, legs=legs)
    for gone in range(1, LEFT_MANY):
        said += meeting.run(0.2, 0, legs=legs - gone)
    assert 2 not in said
    assert meeting.run(0.02, 0, legs=legs - LEFT_MANY) == [2]


def test_or_for_half_an_hour(meeting: Meeting) -> None:
    meeting.run(FULL_MIDDLES * (AGED / YOUNG + 2) * 0.02 * 1.5, YOUNG)
    assert 2 not in meeting.heap.said
    assert meeting.run(OVERDUE_S, 0) == [2]


def test_calls_that_come_and_go_leave_nothing_to_look_for(meeting: Meeting) -> None:
    said = []
    for second in range(300):
        said += meeting.run(1, 100, legs=145 - second % 2, cyclic=10)
    assert 2 not in said


def test_and_after_a_long_time_in_which_much_has_come_and_gone(meeting: Meeting) -> None:
    said: list[object] = []
    meeting.heap.gone = 0.97
    while said.count(1) < FULL_MIDDLES:
        said += meeting.run(1, YOUNG)
    assert 2 not in said
    assert meeting.run(FULL_S, 0).count(2) == 1
    assert meeting.run(FULL_S, 0) == []


def test_where_rooms_come_and_go_what_they_leave_is_looked_at_now_and_then(
    meeting: Meeting,
) -> None:
    said = []
    meeting.heap.gone = 0.9
    for second in range(300):
        said += meeting.run(1, 100, legs=145 - second % 2)
    assert said.count(2) == pytest.approx(150 / LEFT, abs=1)
    assert max(meeting.heap.pauses) < PLENTY_S
    crowd = meeting.run(LEFT_S, 0, legs=145)
    for legs in range(144, 20, -1):
        crowd += meeting.run(0.1, 0, legs=legs)
    assert crowd.count(2) <= 2


def test_pauses_are_counted_by_generation() -> None:
    times = iter((1.0, 1.25, 2.0, 2.5, 3.0, 3.125))
    pauses = Pauses(lambda: next(times))
    for generation in (1, 1, 0):
        pauses("start", {"generation": generation})
        pauses("stop", {"generation": generation})
    reading = pauses.reading()
    assert [reading[each].count for each in range(3)] == [1, 2, 0]
    assert (reading[1].longest_s, reading[1].total_s) == (0.5, 0.75)


def test_the_interpreter_goes_on_collecting_by_itself_in_the_end() -> None:
    before = gc.get_threshold()
    watched = PAUSES in gc.callbacks
    give_back = Collector.take_over()
    try:
        PAUSES.watch()
        assert gc.get_threshold() == LIMITS
        assert gc.isenabled()
        assert gc.callbacks.count(PAUSES) == 1
        counted = PAUSES.reading()[2].count
        gc.collect()
        assert PAUSES.reading()[2].count == counted + 1
    finally:
        give_back()
        if not watched:
            gc.callbacks.remove(PAUSES)
    assert gc.get_threshold() == before
