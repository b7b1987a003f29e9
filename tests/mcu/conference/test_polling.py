"""Polling: in turn, with a beat, without those who have no picture, paused, over a restart."""

import pytest

from mcu.conference.chair_view_model import StartChairView
from mcu.conference.commands import (
    ChangeParticipant,
    EndConference,
    NoteJoined,
    NoteLeft,
    NoteLost,
    RemoveParticipant,
    StartBroadcast,
    StartConference,
)
from mcu.conference.deadlines import deadlines
from mcu.conference.decide import decide
from mcu.conference.plan import media_plan
from mcu.conference.polling_model import (
    NotePollingDue,
    PausePolling,
    PollingMoved,
    PollingSkipped,
    ResumePolling,
    SkipPolling,
    StartPolling,
    StopPolling,
)
from mcu.conference.resources import conference_resource
from mcu.conference.state import Refused
from mcu.engine.plan import ParticipantSlot
from tests.mcu.conference.conftest import OPERATOR
from tests.mcu.conference.meeting import NOW, after, did, entry, ids, meeting, then, types


def polled(count=4, command=None, *, at=0):
    """Polling that shows the first room, b0 presides."""
    state = meeting(count, chair="b0", joined=ids(count))
    state, _ = did(state, command or StartPolling(10), after(at))
    return did(state, NotePollingDue(), after(at))[0]


def due(state, seconds, *dark):
    return did(state, NotePollingDue(frozenset(dark)), after(seconds))[0]


def shown(state):
    return state.polling.participant


def test_in_turn_round_and_round_without_the_chair():
    state = polled()
    seen = [shown(state)]
    for step in range(1, 5):
        assert due(state, 10 * step - 1) is state
        state = due(state, 10 * step)
        seen.append(shown(state))
    assert seen == ["b1", "b2", "b3", "b1", "b2"]
    plan = media_plan(state)
    assert plan.views["chair"].slots == (ParticipantSlot("b2"),)
    assert len(plan.views["main"].slots) == 4, "nobody else sees it"


def test_for_everybody():
    state = polled(command=StartPolling(10, view="main"))
    assert shown(state) == "b0"
    assert media_plan(state).views["main"].slots == (ParticipantSlot("b0"),)
    state = then(state, StartBroadcast("b3"))
    assert media_plan(state).views["main"].slots == (ParticipantSlot("b3"),)


def test_a_chair_that_looks_at_one_room_goes_first():
    state = then(polled(), StartChairView("b3"))
    assert media_plan(state).views["chair"].slots == (ParticipantSlot("b3"),)


@pytest.mark.parametrize(
    ("scope", "except_", "expected"),
    [
        ("all", (), ["b1", "b2", "b3", "b4"]),
        ("all", ("b2", "b3"), ["b1", "b4"]),
        ("b", (), ["b1", "b3"]),
        (("b4", "b2"), (), ["b4", "b2"]),
    ],
)
def test_a_scope(scope, except_, expected):
    roster = [entry(f"b{n}", unit=f"tinh/{'ab'[n % 2]}") for n in range(5)]
    state = meeting(roster, chair="b0", joined=ids(5))
    state = then(state, StartPolling(10, scope, except_))
    seen = []
    for step in range(len(expected)):
        state = due(state, 10 * step)
        seen.append(shown(state))
    assert seen == expected


def test_rooms_without_picture_are_passed_over():
    state = then(
        meeting(7, chair="b0", joined=["b0", "b1", "b2", "b3", "b6"]),
        ChangeParticipant("b1", video_muted=True),
        NoteLost("b2", "leg-b2"),
        NoteJoined("b4", "watches", "view"),
        StartPolling(10),
    )
    state = due(state, 0, "b6")
    assert shown(state) == "b3"
    assert shown(due(state, 10, "b6")) == "b3", "alone it stays"
    assert shown(due(state, 10)) == "b6"


def test_nobody_has_a_picture_for_a_while():
    state = then(meeting(2, chair="b0", joined=["b0"]), StartPolling(10))
    state = due(state, 0)
    assert shown(state) is None
    assert len(media_plan(state).views["chair"].slots) == 1
    state = then(state, NoteJoined("b1", "l"))
    assert shown(due(state, 10)) == "b1"


def test_paused_and_resumed_with_the_time_that_was_left():
    state, events = did(polled(), PausePolling(), after(4))
    assert events[0].left_s == 6
    assert list(deadlines(state)) == []
    assert decide(state, PausePolling(), NOW) == []
    assert due(state, 99) is state
    state, _ = did(state, ResumePolling(), after(100))
    assert state.polling.due == after(106)
    assert decide(state, ResumePolling(), NOW) == []


def test_skipped():
    state, events = did(polled(), SkipPolling("b1"), after(3))
    assert events == [PollingSkipped("b1", after(3)), PollingMoved("b2", after(13))]
    assert (shown(state), state.polling.due) == ("b2", after(13))
    assert decide(state, SkipPolling("b1"), after(4)) == [], "two operators skip one room"
    assert types(decide(state, SkipPolling(), after(4))) == ["polling.skipped", "polling.moved"]


def test_who_is_not_there_is_not_skipped():
    with pytest.raises(Refused) as refused:
        decide(polled(), SkipPolling("nope"), after(3))
    assert refused.value.field == "participant"


def test_skipped_to_the_next_one_that_has_a_picture():
    state, _ = did(polled(), SkipPolling("b1", frozenset({"b2"})), after(3))
    assert shown(state) == "b3"


def test_a_page_that_turns_makes_no_version_stale_and_a_skip_does():
    state = polled()
    assert due(state, 10).version == state.version
    assert shown(due(state, 10)) == "b2"
    skipped, _ = did(state, SkipPolling("b1"), after(3))
    assert skipped.version == state.version + 1


def test_skipped_while_paused_it_stays_paused():
    state = then(polled(), PausePolling(), SkipPolling())
    assert (shown(state), state.polling.paused, state.polling.due) == ("b2", True, None)
    state, _ = did(state, ResumePolling(), after(50))
    assert state.polling.due == after(60)


@pytest.mark.parametrize(
    "command",
    [
        NoteLeft("b1", "leg-b1"),
        NoteLost("b1", "leg-b1"),
        RemoveParticipant("b1"),
        ChangeParticipant("b1", video_muted=True),
    ],
)
def test_who_goes_gives_its_time_away(command):
    state, events = did(polled(), command, after(2))
    assert events[-1].type == "polling.moved"
    assert shown(state) is None
    assert shown(due(state, 2)) == "b2"


def test_a_beat_that_was_missed_is_not_made_up_for():
    state = due(polled(), 1000)
    assert shown(state) == "b2"
    assert state.polling.due == after(1002)


def test_other_settings_replace_those_that_run():
    state = polled()
    assert decide(state, StartPolling(10), after(5)) == []
    state, events = did(state, StartPolling(20), after(5))
    assert types(events) == ["polling.started"]
    state, events = did(state, StopPolling())
    assert types(events) == ["polling.stopped"]
    assert decide(state, StopPolling(), NOW) == []
    assert decide(state, NotePollingDue(), NOW) == []


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (StartPolling(1), "interval_s"),
        (StartPolling(3601), "interval_s"),
        (StartPolling(float("nan")), "interval_s"),
        (StartPolling(10, "nowhere"), "scope"),
        (StartPolling(10, ("b1", "nobody")), "scope.1"),
        (StartPolling(10, "all", ("nobody",)), "except.0"),
        (PausePolling(), None),
        (ResumePolling(), None),
        (SkipPolling(), None),
    ],
)
def test_refused(command, field):
    with pytest.raises(Refused) as refused:
        decide(meeting(3, joined=ids(3)), command, NOW)
    assert refused.value.field == field


def test_over_with_the_conference():
    state = then(polled(), EndConference())
    assert state.polling is None
    assert decide(state, NotePollingDue(), NOW) == []


async def test_it_goes_by_itself_also_over_a_restart(office, clock):
    died = office.made()
    died.look_for_pictures(lambda conference: frozenset({"b1"}))
    await died.restore(keep=False)
    state = await died.start(StartConference("Họp", "tinh", "subtree"), OPERATOR)
    for bridge in ("b0", "b1", "b2"):
        died.note(state.id, NoteJoined(bridge, f"leg-{bridge}"))
    await died.execute(state.id, StartPolling(10, view="main"), OPERATOR)
    died.handle_timer(clock.now())
    assert shown(died.get(state.id)) == "b0"
    assert died.next_timer() == pytest.approx(clock.now() + 10)
    clock.seconds = 10
    died.handle_timer(clock.now())
    assert shown(died.get(state.id)) == "b2", "b1 is dark"
    await died.flush()
    clock.seconds = 15
    async with office.daemon() as conferences:
        conferences.note(state.id, NoteJoined("b1", "again"))
        clock.seconds = 20
        conferences.handle_timer(clock.now())
        assert shown(conferences.get(state.id)) == "b1"
        assert conference_resource(conferences.get(state.id))["polling"]["participant"] == "b1"
