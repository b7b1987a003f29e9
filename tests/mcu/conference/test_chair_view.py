"""The chair looks at one room, and nobody else sees it."""

import pytest

from mcu.conference.chair_view_model import (
    ChairViewStarted,
    ChairViewStopped,
    StartChairView,
    StopChairView,
)
from mcu.conference.commands import (
    ChangeConference,
    EndConference,
    NoteLeft,
    NoteLost,
    RemoveParticipant,
)
from mcu.conference.decide import decide
from mcu.conference.plan import media_plan
from mcu.conference.resources import event_data
from mcu.conference.state import Refused
from mcu.engine.plan import ParticipantSlot
from tests.mcu.conference.meeting import NOW, did, ids, meeting, then


def here(chair="b0"):
    return meeting(4, chair=chair, joined=ids(4))


def test_only_the_chair_sees_it_and_all_is_as_before_afterwards():
    before = media_plan(here())
    state, events = did(here(), StartChairView("b2"))
    assert events == [ChairViewStarted("b2")]
    assert event_data(events[0]) == {"participant": "b2"}
    plan = media_plan(state)
    assert plan.views["chair"].slots == (ParticipantSlot("b2"),)
    assert plan.views["main"] == before.views["main"]
    assert decide(state, StartChairView("b2"), NOW) == []
    assert decide(state, StartChairView("b3"), NOW) == [ChairViewStarted("b3")]
    state, events = did(state, StopChairView())
    assert events == [ChairViewStopped("b2")]
    assert media_plan(state) == before
    assert decide(state, StopChairView(), NOW) == []


@pytest.mark.parametrize(
    ("state", "who", "match", "field"),
    [
        (here(), "nobody", "roster", "participant"),
        (here(chair=None), "b1", "Nobody presides", None),
        (here(), "b0", "see itself", None),
    ],
)
def test_refused(state, who, match, field):
    with pytest.raises(Refused, match=match) as refused:
        decide(state, StartChairView(who), NOW)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "state",
    [
        meeting(3, chair="b0", joined=["b0", "b2"]),
        then(meeting(3, chair="b0", joined=ids(3)), NoteLost("b1", "leg-b1")),
        then(meeting(3, chair="b0", joined=ids(3)), NoteLeft("b1", "leg-b1")),
    ],
)
def test_a_room_that_is_not_here_is_not_looked_at(state):
    with pytest.raises(Refused, match="not connected"):
        decide(state, StartChairView("b1"), NOW)


def test_a_line_that_drops_does_not_end_it():
    state = then(here(), StartChairView("b2"), NoteLost("b2", "leg-b2"))
    assert state.chair_view == "b2"
    assert decide(state, StartChairView("b2"), NOW) == []


@pytest.mark.parametrize(
    "command",
    [
        RemoveParticipant("b2"),
        RemoveParticipant("b0"),
        ChangeConference(chair=""),
        ChangeConference(chair="b2"),
        EndConference(),
    ],
)
def test_over_with_the_room_or_the_chair(command):
    assert then(here(), StartChairView("b2"), command).chair_view is None


def test_kept_for_another_chair():
    state = then(here(), StartChairView("b2"), ChangeConference(chair="b1"))
    assert state.chair_view == "b2"
