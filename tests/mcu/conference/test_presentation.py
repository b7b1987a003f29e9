"""Who presents: given, taken over, taken back, given back by whoever goes."""

import pytest

from mcu.conference.commands import (
    EndConference,
    NoteAbsent,
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteRestarted,
    RemoveParticipant,
    StartPresentation,
    StopPresentation,
)
from mcu.conference.decide import decide
from mcu.conference.events import PresentationStarted, PresentationStopped
from mcu.conference.plan import media_plan
from mcu.conference.resources import conference_resource, event_data
from mcu.conference.state import Refused
from tests.mcu.conference.meeting import NOW, did, ids, meeting, then, types


def presenting(who="b0"):
    return then(meeting(3, joined=ids(3)), StartPresentation(who))


def test_given_and_shown():
    state = meeting(3, joined=ids(3))
    assert media_plan(state).presenter is None
    assert conference_resource(state)["presentation"] is None
    after, events = did(state, StartPresentation("b1"))
    assert events == [PresentationStarted("b1")]
    assert event_data(events[0]) == {"participant": "b1", "replaced": None}
    assert media_plan(after).presenter == "b1"
    assert conference_resource(after)["presentation"] == "b1"
    assert after.version == state.version + 1
    assert decide(after, StartPresentation("b1"), NOW) == []


def test_taken_over_or_not():
    state = presenting("b0")
    with pytest.raises(Refused, match="presents: wait until it stops") as refused:
        decide(state, StartPresentation("b1", take_over=False), NOW)
    assert refused.value.field is None
    after, events = did(state, StartPresentation("b1"))
    assert events == [PresentationStarted("b1", "b0")]
    assert after.presenter == "b1"


def test_taken_back():
    after, events = did(presenting("b0"), StopPresentation())
    assert events == [PresentationStopped("b0")]
    assert event_data(events[0]) == {"participant": "b0"}
    assert after.presenter is None
    assert decide(after, StopPresentation(), NOW) == []


def test_a_room_gives_back_only_its_own():
    state = presenting("b0")
    assert decide(state, StopPresentation("b1"), NOW) == []
    assert then(state, StopPresentation("b0")).presenter is None


def test_who_is_not_here_cannot_present():
    state = meeting(3, joined=["b0"])
    with pytest.raises(Refused, match="b1") as unknown:
        decide(state, StartPresentation("b1"), NOW)
    assert unknown.value.field is None
    with pytest.raises(Refused) as unknown:
        decide(state, StartPresentation("nobody"), NOW)
    assert unknown.value.field == "participant"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (NoteLeft("b0", "leg-b0"), ["presentation.stopped", "participant.left"]),
        (RemoveParticipant("b0"), ["presentation.stopped", "participant.removed"]),
    ],
)
def test_given_back_by_whoever_goes(command, expected):
    after, events = did(presenting("b0"), command)
    assert types(events) == expected
    assert after.presenter is None


@pytest.mark.parametrize("command", [NoteLeft("b1", "leg-b1"), RemoveParticipant("b1")])
def test_kept_when_another_goes(command):
    assert then(presenting("b0"), command).presenter == "b0"


def test_kept_while_it_is_lost_or_rejoins_and_given_back_when_it_stays_away():
    state = then(presenting("b0"), NoteLost("b0", "leg-b0"))
    assert state.presenter == "b0"
    state = then(state, NoteJoined("b0", "another"))
    assert state.presenter == "b0"
    state = then(state, NoteRestarted())
    assert state.presenter == "b0"
    assert then(state, NoteAbsent("b0")).presenter is None


def test_over_with_the_conference():
    assert then(presenting("b0"), EndConference()).presenter is None
