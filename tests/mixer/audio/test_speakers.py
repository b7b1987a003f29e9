import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.audio.speakers import (
    ADMISSIONS_PER_TICK,
    FLOOR_DBOV,
    HOLD_TICKS,
    LEAD_TICKS,
    SpeakerSelector,
    follow_loudness,
)

SILENT = -127.0


class Meeting:
    def __init__(self, rows: int, places: int = 8) -> None:
        self.selector = SpeakerSelector(places)
        for _ in range(rows):
            self.selector.add()
        self.levels = np.full(rows, SILENT, np.float32)
        self.eligible = np.ones(rows, np.bool_)
        self.importance = np.zeros(rows, np.float32)

    def run(self, ticks: int) -> list[int]:
        active: list[int] = []
        for _ in range(ticks):
            active = self.selector.update(self.levels, self.eligible, self.importance)
        return active


def test_silence_chooses_nobody() -> None:
    assert Meeting(100).run(50) == []


def test_speech_is_chosen_with_its_first_loud_packet() -> None:
    meeting = Meeting(145)
    meeting.levels[77] = -25
    assert meeting.run(1) == [77]


def test_a_few_at_a_time() -> None:
    meeting = Meeting(20)
    meeting.levels[:6] = -20
    assert len(meeting.run(1)) == ADMISSIONS_PER_TICK
    assert sorted(meeting.run(3)) == [0, 1, 2, 3, 4, 5]


def test_places_are_limited_and_the_loudest_get_them() -> None:
    meeting = Meeting(145)
    meeting.levels[:] = np.linspace(-48, -20, 145)
    assert sorted(meeting.run(200)) == list(range(137, 145))


def test_noise_does_not_take_a_place() -> None:
    meeting = Meeting(5)
    meeting.levels[:] = -55
    assert meeting.run(200) == []


def test_a_place_is_kept_through_a_pause_and_then_given_up() -> None:
    meeting = Meeting(3)
    meeting.levels[1] = -25
    meeting.run(50)
    meeting.levels[1] = SILENT
    assert meeting.run(HOLD_TICKS) == [1]
    assert meeting.run(60) == []


def test_alike_speakers_do_not_displace_each_other() -> None:
    meeting = Meeting(4, places=2)
    meeting.levels[:2] = -30
    assert sorted(meeting.run(5)) == [0, 1]
    rng = np.random.default_rng(1)
    for _ in range(200):
        meeting.levels[:] = -30 + rng.uniform(-2.5, 2.5, 4)
        assert sorted(meeting.run(1)) == [0, 1]


def test_a_much_louder_one_displaces_the_weakest() -> None:
    meeting = Meeting(3, places=2)
    meeting.levels[:2] = (-25, -40)
    meeting.run(20)
    meeting.levels[2] = -28
    assert sorted(meeting.run(20)) == [0, 2]


def test_the_important_come_first_and_cannot_be_displaced() -> None:
    meeting = Meeting(4, places=2)
    meeting.levels[:2] = -20
    meeting.run(10)
    meeting.levels[3] = -45
    meeting.importance[3] = 1
    assert 3 in meeting.run(10)
    meeting.levels[:3] = -5
    assert 3 in meeting.run(50)


def test_a_muted_one_leaves_at_once() -> None:
    meeting = Meeting(2)
    meeting.levels[:] = -25
    meeting.run(10)
    meeting.eligible[0] = False
    assert meeting.run(1) == [1]


def test_the_lead_changes_only_after_a_while() -> None:
    meeting = Meeting(3)
    meeting.levels[0] = -30
    meeting.run(20)
    meeting.levels[2] = -20
    assert meeting.run(5)[0] == 0
    assert meeting.run(LEAD_TICKS + 5)[0] == 2
    meeting.levels[0] = -29
    meeting.levels[2] = -30
    assert meeting.run(100)[0] == 2


def test_the_one_who_spoke_last_comes_next() -> None:
    meeting = Meeting(3)
    for row in (0, 1, 2):
        meeting.levels[:] = -45
        meeting.levels[row] = -20
        meeting.run(50)
    assert meeting.run(1) == [2, 1, 0]


def test_removing_a_row_moves_the_others_down() -> None:
    meeting = Meeting(4)
    meeting.levels[[1, 3]] = (-20, -30)
    assert meeting.run(30) == [1, 3]
    meeting.selector.remove(1)
    for name in ("levels", "eligible", "importance"):
        setattr(meeting, name, np.delete(getattr(meeting, name), 1))
    assert meeting.run(1) == [2]
    assert meeting.selector.add() == 3


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one value"):
        SpeakerSelector().update(
            np.zeros(1, np.float32), np.ones(1, np.bool_), np.zeros(1, np.float32)
        )
    with pytest.raises(ValueError, match="speaker"):
        SpeakerSelector(0)


def test_loudness_rises_fast_and_falls_slowly() -> None:
    state = np.array([FLOOR_DBOV, -20.0], np.float32)
    after = follow_loudness(state, np.array([-20.0, SILENT], np.float32))
    assert after[0] == pytest.approx(-45.0)
    assert after[1] == pytest.approx(-21.6)


changes = st.lists(
    st.one_of(
        st.just("add"),
        st.tuples(st.just("remove"), st.integers(0, 30)),
        st.lists(st.floats(-127, 0), min_size=1, max_size=10),
    ),
    max_size=60,
)


@given(changes, st.integers(1, 4))
def test_whatever_happens_the_chosen_are_few_different_and_eligible(
    steps: list, places: int
) -> None:
    selector = SpeakerSelector(places)
    rows = 0
    for step in steps:
        if step == "add":
            assert selector.add() == rows
            rows += 1
        elif step[0] == "remove":
            if rows:
                selector.remove(step[1] % rows)
                rows -= 1
        else:
            levels = np.resize(np.array(step, np.float32), rows)
            eligible = levels < -3
            chosen = selector.update(levels, eligible, np.round(levels / 40))
            assert len(chosen) <= places
            assert len(set(chosen)) == len(chosen)
            assert all(eligible[row] for row in chosen)
