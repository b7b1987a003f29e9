import pytest

from mcu.conference.commands import MuteAll, NoteJoined, NoteRestarted, StartConference
from mcu.conference.decide import decide, decide_start
from mcu.conference.events import ConferenceLocked
from mcu.conference.evolve import evolve, evolve_all
from tests.mcu.conference.meeting import NOW, entry, ids, meeting


def test_events_one_by_one_and_all_at_once_are_the_same():
    events = decide_start("c1", StartConference("Họp", "u"), [entry(i) for i in ids(5)], NOW)
    state = evolve(None, events[0])
    for command in (NoteJoined("b0", "l"), NoteJoined("b1", "m"), MuteAll(), NoteRestarted()):
        made = decide(state, command, NOW)
        for event in made:
            state = evolve(state, event)
        events += made
    assert evolve_all(None, events) == state


def test_the_state_before_is_untouched():
    before = meeting(2)
    evolve_all(before, decide(before, MuteAll(), NOW))
    assert not any(each.audio_muted for each in before.participants.values())
    with pytest.raises(TypeError):
        before.participants["x"] = before.participants["b0"]  # type: ignore[index]


@pytest.mark.parametrize("events", [[], [ConferenceLocked()]])
def test_nothing_comes_of_events_without_a_beginning(events):
    with pytest.raises(ValueError, match=r"no events|conference\.started"):
        evolve_all(None, events)


def test_versions_of_the_conference_ignore_coming_and_going():
    state = meeting(3, joined=ids(3))
    assert state.version == 1
    assert evolve(state, ConferenceLocked()).version == 2
