"""Convening: whose turn it is, what failed and when it is tried again, who came in what time."""

from dataclasses import replace

import pytest

from mcu.conference.automatic import fill, kept_seats, seating
from mcu.conference.commands import (
    AddParticipant,
    EndConference,
    NoteCallFailed,
    NoteCalling,
    NoteJoined,
    NoteLeft,
    NoteRestarted,
    RemoveParticipant,
    StartConference,
)
from mcu.conference.convening import call_order, convening_due, may_call
from mcu.conference.convening_model import (
    ANSWER_S,
    NOTICE_S,
    NoteConveningDue,
    NoteReachable,
    RetryConvening,
    StartConvening,
    StopConvening,
)
from mcu.conference.convening_resources import convening_resource
from mcu.conference.deadlines import deadlines
from mcu.conference.decide import decide_start
from mcu.conference.evolve import evolve_all
from mcu.conference.plan import media_plan
from mcu.conference.scenario import Agenda, AgendaItem
from mcu.conference.state import Refused
from mcu.engine.plan import ParticipantSlot
from tests.mcu.conference.conftest import OPERATOR
from tests.mcu.conference.meeting import NOW, after, did, entry, ids, meeting, then, types


def convened(count=4, at_once=2, *, chair=None, joined=(), **more):
    state = meeting(count, chair=chair, joined=joined)
    return then(state, StartConvening(at_once=at_once, by="An", **more))


def turns(state):
    return [room.participant for room in state.convening.rooms if room.due is not None]


def row(state, participant):
    rows = convening_resource(state, state.convening)["rows"]
    return next(each for each in rows if each["participant"] == participant)


def fails(state, participant, seconds, cause="busy"):
    """A room is dialed and does not come."""
    state, _ = did(state, NoteCalling(participant), after(seconds))
    return did(state, NoteCallFailed(participant, cause), after(seconds))


def test_so_many_are_called_at_once_and_others_follow():
    state, events = did(meeting(4), StartConvening(at_once=2, by="An"))
    assert types(events) == ["convening.started", "convening.called"]
    assert turns(state) == ["b0", "b1"]
    assert [may_call(state, each) for each in ids(4)] == [True, True, False, False]
    state, events = did(state, NoteJoined("b1", "leg"), after(3))
    assert types(events) == ["participant.joined", "convening.joined", "convening.called"]
    assert turns(state) == ["b0", "b2"]


def test_who_fails_gives_its_turn_away_and_is_called_again_later_each_time():
    state, events = fails(convened(3, 1), "b0", 0)
    assert types(events) == ["participant.changed", "convening.failed", "convening.called"]
    assert turns(state) == ["b1"]
    assert row(state, "b0")["state"] == "failed"
    assert row(state, "b0")["cause"] == "busy"
    assert state.convening.room("b0").next_at == after(10)
    assert not may_call(state, "b0")
    state, _ = did(state, NoteJoined("b1", "l1"), after(2))
    state, _ = did(state, NoteJoined("b2", "l2"), after(4))
    assert turns(state) == [], "its pause is not over"
    assert convening_due(state.convening) == after(10)
    waits = []
    at = 10
    for _ in range(5):
        state, _ = did(state, NoteConveningDue(), after(at))
        assert turns(state) == ["b0"]
        state, _ = fails(state, "b0", at)
        following = state.convening.room("b0").next_at
        waits.append((following - after(at)).total_seconds())
        at = (following - NOW).total_seconds()
    assert waits == [20, 40, 60, 60, 60]


def test_those_never_called_go_before_those_who_failed():
    state = convened(4, 1)
    for name in ("b0", "b1"):
        state, _ = fails(state, name, 0)
    assert turns(state) == ["b2"]
    state, _ = did(state, NoteJoined("b2", "l2"), after(30))
    assert turns(state) == ["b3"]
    state, _ = did(state, NoteJoined("b3", "l3"), after(31))
    assert turns(state) == ["b0"], "its pause was over all the time"


def test_a_page_that_is_open_has_its_time_and_one_that_is_not_fails_soon():
    state = convened(2)
    assert convening_due(state.convening) == after(NOTICE_S)
    pages = NoteConveningDue(frozenset({"b0"}))
    state, events = did(state, pages, after(NOTICE_S))
    assert types(events) == ["convening.failed", "convening.reached"]
    assert row(state, "b1")["cause"] == "unreachable"
    assert turns(state) == ["b0"]
    state, events = did(state, pages, after(NOTICE_S + ANSWER_S))
    assert row(state, "b0")["cause"] == "no_answer"


def test_a_room_that_rings_keeps_its_turn():
    state, _ = did(convened(1), NoteCalling("b0"))
    state, events = did(state, NoteConveningDue(), after(NOTICE_S))
    assert types(events) == ["convening.reached"]
    state, events = did(state, NoteConveningDue(), after(NOTICE_S + ANSWER_S))
    assert types(events) == ["convening.reached"]
    assert turns(state) == ["b0"]


def test_times_are_recorded_against_the_rule():
    state = convened(4, 4)
    passed = []
    for name, at in zip(ids(4), (5, 60, 300, 601), strict=True):
        state, _ = did(state, NoteConveningDue(frozenset(ids(4))), after(at))
        state, events = did(state, NoteJoined(name, f"l-{name}"), after(at))
        passed += [(e.percent, e.after_s) for e in events if e.type == "convening.passed"]
    assert passed == [(50, 60), (100, 601)] or passed == [(50, 60), (90, 601), (100, 601)]
    shown = convening_resource(state, state.convening)
    assert [one["after_s"] for one in shown["milestones"]] == [60, 601, 601]
    assert (shown["state"], shown["within_target"]) == ("complete", False)
    assert row(state, "b3")["late"]
    assert not row(state, "b2")["late"]
    assert convening_due(state.convening) is None


def test_in_time():
    state = convened(2)
    assert convening_resource(state, state.convening)["within_target"] is None
    state, _ = did(state, NoteJoined("b0", "l0"), after(599))
    state, _ = did(state, NoteJoined("b1", "l1"), after(600))
    assert convening_resource(state, state.convening)["within_target"] is True


def test_when_the_time_is_over_it_is_said_once_who_is_missing():
    state, _ = did(convened(2), NoteJoined("b0", "l0"), after(1))
    state, events = did(state, NoteConveningDue(frozenset({"b1"})), after(600))
    overrun = [each for each in events if each.type == "convening.overrun"]
    assert [each.missing for each in overrun] == [("b1",)]
    assert convening_resource(state, state.convening)["within_target"] is False
    _, events = did(state, NoteConveningDue(), after(700))
    assert "convening.overrun" not in types(events)
    assert state.convening.is_open, "it is called further on"


def test_who_is_here_already_has_come_and_who_rings_keeps_its_call():
    state = then(meeting(3, joined=["b1"]), NoteCalling("b2"), StartConvening(at_once=1))
    assert row(state, "b1")["state"] == "joined"
    assert row(state, "b1")["after_s"] == 0
    assert turns(state) == ["b2"], "the one place is taken by the call under way"


def test_order():
    agenda = Agenda((AgendaItem("i1", "Mục", 60, speaker="c"), AgendaItem("i2", "Mục", 60)))
    rooms = [
        entry("a", unit="tinh/huyen/xa"),
        entry("b", unit="tinh/huyen", importance=1),
        entry("c", unit="tinh/huyen/xa", importance=9),
        entry("d", unit="tinh"),
        entry("e", unit="tinh/huyen/xa"),
    ]
    command = StartConference("Họp", "tinh", chair="e", agenda=agenda)
    state = evolve_all(None, decide_start("c1", command, rooms, NOW))

    def order(name):
        return "".join(each.id for each in call_order(state, name))

    assert order("importance") == "ecbda"
    assert order("units") == "edbca"
    assert order("scenario") == "ecbad"
    some = then(state, StartConvening(participants=("d", "a", "d")))
    assert [room.participant for room in some.convening.rooms] == ["d", "a"]


def test_stop_and_retry_one():
    state = convened(3, 1)
    state, events = did(state, StopConvening("b0", "Bình"), after(1))
    assert types(events) == ["convening.stopped", "convening.called"]
    assert turns(state) == ["b1"], "the turn is another's at once"
    assert row(state, "b0")["state"] == "stopped"
    assert not may_call(state, "b0")
    assert did(state, StopConvening("b0"), after(2))[1] == [], "once is enough"
    state, events = did(state, RetryConvening("b0", "Bình"), after(3))
    assert types(events) == ["convening.retried", "convening.called"]
    assert "b0" in turns(state)
    assert did(state, RetryConvening("b0"), after(4))[1] == [], "it is being called"


def test_stop_and_retry_all():
    state = convened(3, 2)
    state, _ = did(state, NoteJoined("b0", "l0"), after(1))
    state, events = did(state, StopConvening(by="Bình"), after(2))
    assert types(events) == ["convening.stopped"]
    assert [may_call(state, each) for each in ids(3)] == [True, False, False]
    shown = convening_resource(state, state.convening)
    assert (shown["state"], shown["ended_by"], shown["within_target"]) == ("stopped", "Bình", False)
    assert convening_due(state.convening) is None
    assert kept_seats(state) == frozenset()
    state, _ = did(state, NoteJoined("b2", "l2"), after(3))
    state, events = did(state, RetryConvening(by="Bình"), after(4))
    assert row(state, "b2")["state"] == "joined", "it came while nobody was called"
    assert turns(state) == ["b1"]


def test_a_second_operator_is_told_and_a_second_convening_is_another():
    state = convened(2)
    with pytest.raises(Refused, match="by An since"):
        did(state, StartConvening(by="Bình"))
    state, _ = did(state, StopConvening(), after(1))
    state, _ = did(state, StartConvening(by="Bình"), after(2))
    assert (state.convening.number, state.convening.by) == (2, "Bình")


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (StartConvening(at_once=0), "at_once"),
        (StartConvening(target_s=1), "target_s"),
        (StartConvening(participants=("b0", "nobody")), "participants.1"),
    ],
)
def test_refused(command, field):
    with pytest.raises(Refused) as refused:
        did(meeting(1), command)
    assert refused.value.field == field


def test_nobody_and_nothing():
    with pytest.raises(Refused, match="Nobody is expected"):
        did(meeting(0), StartConvening())
    for command in (StopConvening(), RetryConvening("b0")):
        with pytest.raises(Refused, match="not convened yet"):
            did(meeting(1), command)
    with pytest.raises(Refused, match="no room of this convening"):
        did(convened(1), RetryConvening("b7"))


def test_rooms_put_on_the_roster_are_called_and_removed_ones_do_not_count():
    state = convened(2, 2, joined=["b0"])
    state, events = did(state, AddParticipant(entry("late")), after(1))
    assert types(events) == ["participant.added", "convening.changed", "convening.called"]
    assert turns(state) == ["b1", "late"]
    state, _ = did(state, RemoveParticipant("b1"), after(2))
    state, events = did(state, RemoveParticipant("late"), after(3))
    assert "convening.passed" in types(events)
    assert not state.convening.is_open


def test_a_device_that_registers_is_called_at_once():
    state, _ = fails(convened(1), "b0", 0, "unreachable")
    assert did(convened(1), NoteReachable("b0"))[1] == [], "it has its turn"
    state, events = did(state, NoteReachable("b0"), after(1))
    assert types(events) == ["convening.retried", "convening.called"]
    stopped, _ = did(convened(1), StopConvening("b0"), after(1))
    assert did(stopped, NoteReachable("b0"), after(2))[1] == []


def test_a_restart_calls_on():
    state, _ = did(convened(2, 1), NoteCalling("b0"))
    state, events = did(state, NoteRestarted(), after(5))
    assert "convening.failed" in types(events), "the call is gone"
    assert turns(state) == ["b1"]
    state, _ = did(state, NoteJoined("b1", "l1"), after(6))
    state, _ = did(state, NoteConveningDue(), convening_due(state.convening))
    assert turns(state) == ["b0"]


def test_rooms_wait_until_they_are_convened():
    command = StartConference("Họp", "tinh", calls_when_convened=True)
    state = evolve_all(None, decide_start("c1", command, [entry("b0")], NOW))
    assert not may_call(state, "b0")
    state = then(state, StartConvening())
    assert may_call(state, "b0")
    assert may_call(meeting(1), "b0"), "elsewhere nobody waits"


def test_who_came_and_left_is_not_called_again():
    state = convened(1, joined=["b0"])
    state = then(state, NoteLeft("b0", "leg-b0", "bye"))
    assert row(state, "b0")["state"] == "joined"
    assert row(state, "b0")["presence"] == "left"
    assert turns(state) == []


def test_seats_are_kept_for_those_who_come():
    state = convened(5, 5)
    before = media_plan(state).views["main"]
    assert before.layout == "3x3"
    assert before.slots[:5] == tuple(ParticipantSlot(each) for each in ids(5))
    for late in ("b4", "b1", "b3", "b0", "b2"):
        state, _ = did(state, NoteJoined(late, f"l-{late}"), after(1))
        assert media_plan(state).views["main"].slots == before.slots, "nobody is moved"
    assert not state.convening.is_open


def test_where_there_are_not_enough_places_those_who_are_here_go_first():
    state = convened(60, 60)
    state, _ = did(state, NoteJoined("b59", "l59"), after(1))
    assert kept_seats(state) == frozenset()
    assert seating(state)[0].id == "b59"
    assert fill("2x2", seating(state))[1][0] == ParticipantSlot("b59")


def test_the_end_of_the_conference_ends_it():
    state, _ = did(convened(2), EndConference(), after(1))
    assert not state.running
    assert did(state, NoteConveningDue(), after(2))[1] == []


def test_deadlines_have_it():
    state = convened(1)
    assert (after(NOTICE_S), NoteConveningDue()) in list(deadlines(state))
    assert not list(deadlines(replace(state, convening=None)))


async def test_the_service_asks_for_pages_and_a_restart_keeps_it(office, clock):
    async with office.daemon() as conferences:
        conferences.look_for_pages(lambda: frozenset({"b1"}))
        state = await conferences.start(
            StartConference("Họp", "tinh", "subtree", calls_when_convened=True), OPERATOR
        )
        await conferences.execute(state.id, StartConvening(by="An"), OPERATOR)
        clock.seconds = NOTICE_S
        conferences.handle_timer(clock.now())
        rooms = {r.participant: r for r in conferences.get(state.id).convening.rooms}
        assert rooms["b0"].failure == "unreachable"
        assert rooms["b1"].due is not None
    clock.seconds = NOTICE_S + 12
    async with office.daemon() as conferences:
        conferences.handle_timer(clock.now())
        rooms = {r.participant: r for r in conferences.get(state.id).convening.rooms}
        assert rooms["b0"].attempts == 2, "its pause went on while nobody was there"
        assert conferences.get(state.id).calls_when_convened
