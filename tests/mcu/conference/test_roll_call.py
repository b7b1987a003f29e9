"""Roll call: by presence and called room by room; rooms that drop, operators who return to one."""

import asyncio
from datetime import timedelta

import pytest

from mcu.conference.commands import (
    AddParticipant,
    ChangeParticipant,
    EndConference,
    MuteAll,
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteRestarted,
    NoteReturned,
    RemoveParticipant,
    StartConference,
    UnmuteAll,
)
from mcu.conference.deadlines import deadlines
from mcu.conference.decide import decide
from mcu.conference.floor_model import EndFloor, GrantFloor
from mcu.conference.plan import media_plan
from mcu.conference.procedure_resources import roll_call_resource
from mcu.conference.roll_call import MAX_ROLL_CALLS
from mcu.conference.roll_call_model import (
    CallRoom,
    CancelRollCall,
    MarkRoom,
    NoteRollCallDue,
    PauseRollCall,
    SignRollCall,
    SkipRoom,
    StartRollCall,
)
from mcu.conference.state import Refused, UnknownConference
from mcu.engine.plan import ParticipantSlot
from tests.mcu.conference.conftest import OPERATOR
from tests.mcu.conference.meeting import NOW, after, did, entry, ids, meeting, then, types

SIGNED = SignRollCall(1, "An", rest_absent=True)
PRESENCE = StartRollCall("presence", grace_s=60, by="An")
CALLED = StartRollCall("called", by="An")


def last(state):
    return state.roll_calls[-1]


def statuses(state):
    return {who: mark.status for who, mark in last(state).last_marks().items()}


def heard(state):
    return [each.id for each in state.participants.values() if not each.audio_muted]


def at(state, command, seconds):
    return did(state, command, after(seconds))[0]


def called(count=4, *, joined=None):
    """b0 presides, the others are called."""
    state = meeting(count, chair="b0", joined=ids(count) if joined is None else joined)
    return then(state, CALLED)


def answer(state, who, status="present", seconds=0):
    return at(state, MarkRoom(1, who, status, "An"), seconds)


# By presence


def test_by_presence():
    state = then(meeting(5, chair="b0", joined=["b0", "b1"]), PRESENCE)
    assert statuses(state) == {"b1": "present"}
    state = at(state, NoteJoined("b2", "l2"), 30)
    assert statuses(state) == {"b1": "present", "b2": "present"}
    assert list(deadlines(state)) == [(after(60), NoteRollCallDue())]
    assert decide(state, NoteRollCallDue(), after(59)) == []
    state, events = did(state, NoteRollCallDue(), after(60))
    assert types(events) == ["roll-call.marked"]
    assert statuses(state) == {"b1": "present", "b2": "present", "b3": "absent", "b4": "absent"}
    assert list(deadlines(state)) == []
    assert decide(state, NoteRollCallDue(), after(61)) == []
    state = at(state, NoteJoined("b3", "l3"), 90)
    assert statuses(state)["b3"] == "late"
    marks = [(mark.entry, mark.participant, mark.status) for mark in last(state).marks]
    assert marks == [
        (1, "b1", "present"), (2, "b2", "present"), (3, "b3", "absent"), (4, "b4", "absent"),
        (5, "b3", "late"),
    ]  # fmt: skip
    assert last(state).marks[-1].at == after(90)


def test_begun_after_the_time():
    state = meeting(3, joined=["b0"])
    state = at(state, NoteJoined("b1", "l1"), 100)
    state = at(state, StartRollCall("presence", starts_at=NOW, grace_s=60), 200)
    assert statuses(state) == {"b0": "present", "b1": "late", "b2": "absent"}
    assert [mark.entry for mark in last(state).marks] == [1, 2, 3]


def test_who_has_left_before_is_not_present():
    state = then(meeting(2, joined=ids(2)), NoteLeft("b1", "leg-b1"), PRESENCE)
    assert statuses(state) == {"b0": "present"}
    assert statuses(at(state, NoteJoined("b1", "l"), 90))["b1"] == "late"


def test_coming_and_going_changes_no_mark():
    state = then(meeting(2, joined=ids(2)), PRESENCE)
    state = then(state, NoteLeft("b1", "leg-b1"), NoteJoined("b1", "l"))
    assert [mark.participant for mark in last(state).marks] == ["b0", "b1"]


def test_a_mark_by_the_operator_counts_and_the_rule_does_not_change_it():
    state = then(meeting(2, joined=["b0"]), PRESENCE, MarkRoom(1, "b1", "absent", "An", "báo vắng"))
    state = then(state, NoteJoined("b1", "l"))
    assert statuses(state)["b1"] == "absent"
    mark = last(state).marks[-1]
    assert (mark.source, mark.by, mark.note) == ("operator", "An", "báo vắng")


def test_signed_off_with_the_rest_absent_and_corrected_by_a_further_entry_only():
    state = then(meeting(3, joined=["b0"]), PRESENCE)
    with pytest.raises(Refused, match="2 rooms have no mark") as refused:
        decide(state, SignRollCall(1, "An"), NOW)
    assert refused.value.field is None
    state = then(state, SignRollCall(1, "An", rest_absent=True))
    assert (last(state).status, last(state).ended_by) == ("signed", "An")
    assert statuses(state) == {"b0": "present", "b1": "absent", "b2": "absent"}
    assert decide(state, SignRollCall(1, "An"), NOW) == []
    assert decide(state, NoteJoined("b1", "l"), NOW)[-1].type == "participant.joined"
    with pytest.raises(Refused, match="why") as refused:
        decide(state, MarkRoom(1, "b1", "late", "Bình"), NOW)
    assert refused.value.field == "note"
    before = last(state).marks
    state = at(state, MarkRoom(1, "b1", "late", "Bình", "mất điện"), 500)
    assert last(state).marks[:-1] == before, "what was written stays"
    mark = last(state).marks[-1]
    assert (mark.entry, mark.correction, mark.by, mark.at) == (4, True, "Bình", after(500))
    with pytest.raises(Refused, match="over"):
        decide(state, CancelRollCall(1, "An"), NOW)


# Called


def test_called_in_turn_on_air_and_alone_heard():
    state = called()
    assert last(state).calling == "b1"
    assert heard(state) == ["b0", "b1"], "the chair calls the names"
    assert media_plan(state).views["main"].slots == (ParticipantSlot("b1"),)
    assert len(media_plan(state).views["chair"].slots) > 1
    state, events = did(state, MarkRoom(1, "b1", "present", "An"), after(5))
    assert types(events) == ["roll-call.marked", "roll-call.called"] + 2 * ["participants.changed"]
    assert (last(state).calling, last(state).called_at) == ("b2", after(5))
    assert heard(state) == ["b0", "b2"]
    state = answer(answer(state, "b2"), "b3")
    assert last(state).calling is None
    assert heard(state) == ["b0"]
    state = then(state, SignRollCall(1, "An"))
    assert heard(state) == ids(4)
    assert state.entry_muted == ()
    assert len(media_plan(state).views["main"].slots) == 4


def test_newcomers_come_in_muted_meanwhile_and_mutes_are_as_before():
    state = then(meeting(4, chair="b0", joined=ids(4)), MuteAll(("b2",)), CALLED)
    state = then(state, AddParticipant(entry("b9")))
    assert state.participants["b9"].audio_muted
    state = answer(state, "b1")
    assert heard(state) == ["b0", "b2"]
    state = then(state, CancelRollCall(1, "An"))
    assert heard(state) == ["b0", "b1", "b3"]
    assert last(state).status == "cancelled"
    with pytest.raises(Refused, match="cancelled"):
        decide(state, MarkRoom(1, "b1", "late", "An", "x"), NOW)


def test_what_is_muted_by_hand_meanwhile_stays_so():
    state = then(called(5), UnmuteAll(), ChangeParticipant("b1", audio_muted=True))
    state, events = did(state, ChangeParticipant("b1", audio_muted=True))
    assert events == []
    state, events = did(state, MuteAll(("b2",)))
    assert types(events)[-1] == "roll-call.mutes-kept"
    state = then(state, CancelRollCall(1))
    assert heard(state) == ["b0", "b3", "b4"]


def test_mute_all_changes_nothing_meanwhile_and_holds_afterwards():
    state = then(called(), PauseRollCall(1, paused=True))
    state, events = did(state, MuteAll(except_=("chair", "b3")))
    assert types(events) == ["roll-call.mutes-kept"]
    state = then(state, CancelRollCall(1))
    assert heard(state) == ["b0", "b3"]
    assert state.entry_muted == ("all",)


def test_unmute_all_meanwhile_lets_newcomers_be_heard_afterwards():
    state = then(meeting(3, chair="b0", joined=ids(3)), MuteAll(), CALLED, UnmuteAll())
    state = then(state, CancelRollCall(1))
    assert state.entry_muted == ()


def test_who_is_not_here_at_its_turn_is_absent_and_may_be_returned_to():
    state = called(joined=["b0", "b1", "b3"])
    state = answer(state, "b1")
    assert last(state).calling == "b3"
    assert statuses(state) == {"b1": "present", "b2": "absent"}
    with pytest.raises(Refused, match="not connected"):
        decide(state, CallRoom(1, "b2"), NOW)
    state = then(state, NoteJoined("b2", "l2"), CallRoom(1, "b2"))
    assert last(state).calling == "b2"
    assert decide(state, CallRoom(1, "b2"), NOW) == []
    state = answer(state, "b2", "late")
    assert statuses(state)["b2"] == "late"
    assert last(state).calling == "b3", "who was left for it is called again"


def test_skipped_ones_are_called_when_asked_for():
    state = then(called(), SkipRoom(1, "b1"))
    assert last(state).calling == "b2"
    assert decide(state, SkipRoom(1, "b1"), NOW) == []
    state = answer(answer(state, "b2"), "b3")
    assert last(state).calling is None
    with pytest.raises(Refused, match="1 rooms have no mark"):
        decide(state, SignRollCall(1, "An"), NOW)
    rows = roll_call_resource(last(state))["rows"]
    assert [row["skipped"] for row in rows] == [True, False, False]
    state = answer(then(state, CallRoom(1, "b1")), "b1")
    assert statuses(state) == dict.fromkeys(("b1", "b2", "b3"), "present")


def test_paused_and_resumed():
    state = then(called(), PauseRollCall(1, True))
    assert heard(state) == ["b0"]
    assert len(media_plan(state).views["main"].slots) == 4
    assert decide(state, PauseRollCall(1, True), NOW) == []
    state = then(state, PauseRollCall(1, False))
    assert (last(state).calling, heard(state)) == ("b1", ["b0", "b1"])
    state = answer(then(state, PauseRollCall(1, True)), "b1")
    assert last(state).calling is None
    assert last(then(state, PauseRollCall(1, False))).calling == "b2"


def test_the_floor_waits_for_the_roll_call_and_the_other_way_round():
    with pytest.raises(Refused, match="roll call"):
        decide(called(), GrantFloor("b2"), NOW)
    state = then(called(), PauseRollCall(1, True), GrantFloor("b2"))
    for command in (PauseRollCall(1, False), CallRoom(1, "b3")):
        with pytest.raises(Refused, match="has the floor"):
            decide(state, command, NOW)
    assert last(then(state, EndFloor(), PauseRollCall(1, False))).calling == "b1"
    with pytest.raises(Refused, match="has the floor"):
        decide(then(meeting(2, joined=ids(2)), GrantFloor("b1")), CALLED, NOW)


def test_a_floor_given_while_it_waits_leaves_mutes_as_they_were_before():
    paused = then(called(), PauseRollCall(1, True), GrantFloor("b2"))
    during = then(paused, EndFloor())
    assert "b2" not in heard(during), "everybody is muted until the roll call is over"
    for over in (then(during, SIGNED), then(paused, SIGNED, EndFloor())):
        assert "b2" in heard(over)
    was_muted = then(
        meeting(4, chair="b0", joined=ids(4)), ChangeParticipant("b2", audio_muted=True)
    )
    paused = then(was_muted, CALLED, PauseRollCall(1, True), GrantFloor("b2"))
    assert "b2" in heard(paused)
    assert "b2" not in heard(then(paused, SIGNED, EndFloor()))


def test_the_floor_is_given_when_all_were_called_and_it_is_not_signed():
    state = called()
    while last(state).calling is not None:
        state = answer(state, last(state).calling)
    state = then(state, GrantFloor("b2"))
    assert "b2" in heard(state)
    assert "b2" not in heard(then(state, EndFloor()))


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize("paused", [True, False])
def test_who_is_removed_while_it_is_called_is_absent_whoever_else_is_here(others, paused):
    state = called()
    if paused:
        state = then(state, PauseRollCall(1, True))
    if not others:
        state = then(state, *(NoteLeft(each, f"leg-{each}") for each in ids(4)[2:]))
    state, _ = did(state, RemoveParticipant("b1"), after(3))
    assert statuses(state) == {"b1": "absent"}
    assert last(state).marks[-1].at == after(3)
    assert (last(state).calling, last(state).paused) == (
        ("b2", False) if others and not paused else (None, True)
    )
    if not others:
        state = then(state, NoteJoined("b2", "l2"))
    if last(state).paused:
        state = then(state, PauseRollCall(1, False))
    assert last(state).calling == "b2"
    assert statuses(state) == {"b1": "absent"}


@pytest.mark.parametrize("command", [NoteLost("b1", "leg-b1"), NoteLeft("b1", "leg-b1")])
def test_a_room_that_drops_while_it_is_called(command):
    state, events = did(called(), command, after(3))
    assert "roll-call.marked" in types(events)
    assert statuses(state) == {"b1": "lost"}
    assert last(state).marks[-1].at == after(3)
    assert (last(state).calling, heard(state)[-1]) == ("b2", "b2")
    assert roll_call_resource(last(state))["counts"]["lost"] == 1


def test_a_room_that_dropped_comes_back_and_is_called_again():
    state = then(called(), NoteLost("b1", "leg-b1"), NoteReturned("b1", "leg-b1"))
    assert last(state).calling == "b2", "nobody is interrupted"
    state = then(state, CallRoom(1, "b1"))
    assert statuses(answer(state, "b1")) == {"b1": "present"}


def test_rooms_that_drop_before_their_turn():
    state = then(called(), NoteLost("b2", "leg-b2"))
    state = answer(state, "b1")
    assert statuses(state) == {"b1": "present", "b2": "lost"}
    assert last(state).calling == "b3"


def test_when_all_have_gone_it_waits():
    state = then(called(), NoteRestarted())
    assert (last(state).paused, last(state).calling, statuses(state)) == (True, "b1", {})
    with pytest.raises(Refused, match="None of the expected rooms"):
        decide(state, PauseRollCall(1, False), NOW)
    state = then(state, NoteJoined("b2", "l2"), PauseRollCall(1, False))
    assert statuses(state) == {"b1": "lost"}
    assert last(state).calling == "b2"


def test_a_room_answers_itself_only_while_it_is_called():
    state = called()
    with pytest.raises(Refused, match="not called now"):
        decide(state, MarkRoom(1, "b2", "present", source="room"), NOW)
    state = then(state, MarkRoom(1, "b1", "present", source="room"))
    assert last(state).marks[-1].source == "room"
    assert last(state).calling == "b2"
    assert decide(state, MarkRoom(1, "b1", "present", source="room"), NOW) == []


def test_the_order_that_was_given():
    state = meeting(4, chair="b0", joined=ids(4))
    state = then(state, StartRollCall("called", ("b3", "b0", "b1")))
    assert last(state).calling == "b3"
    state = answer(state, "b3")
    assert last(state).calling == "b0"
    assert "b0" in heard(answer(state, "b0")), "the chair stays heard"


def test_names_stay_as_they_were():
    state = then(called(), RemoveParticipant("b3"), SignRollCall(1, "An", rest_absent=True))
    row = roll_call_resource(last(state))["rows"][2]
    assert (row["label"], row["status"]) == ("Điểm cầu b3", "absent")


HERE = meeting(3, chair="b0", joined=ids(3))


@pytest.mark.parametrize(
    ("state", "command", "field"),
    [
        (HERE, StartRollCall("called", ("b1", "nobody")), "expected.1"),
        (HERE, StartRollCall("called", ("b1", "b1")), "expected"),
        (HERE, StartRollCall("called", ()), "expected"),
        (HERE, StartRollCall("presence", grace_s=-1), "grace_s"),
        (HERE, StartRollCall("presence", grace_s=float("nan")), "grace_s"),
        (HERE, StartRollCall("presence", starts_at=NOW + timedelta(days=2)), "starts_at"),
        (meeting(3, joined=["b0"]), StartRollCall("called", ("b1",)), None),
        (HERE, MarkRoom(1, "b1", "present"), "number"),
        (then(HERE, CALLED), PRESENCE, None),
        (then(HERE, CALLED), MarkRoom(1, "b0", "present"), "participant"),
        (then(HERE, CALLED), CallRoom(1, "b0"), "calling"),
        (then(HERE, PRESENCE), PauseRollCall(1, True), None),
        (then(HERE, PRESENCE), SkipRoom(1, "b1"), None),
        (then(HERE, CALLED, CancelRollCall(1)), CallRoom(1, "b1"), None),
        (then(HERE, CALLED, CancelRollCall(1)), SignRollCall(1), None),
    ],
)
def test_refused(state, command, field):
    with pytest.raises(Refused) as refused:
        decide(state, command, NOW)
    assert refused.value.field == field
    assert refused.value.reason.endswith(".")


def test_not_without_end():
    state = HERE
    for number in range(1, MAX_ROLL_CALLS + 1):
        state = then(state, PRESENCE, CancelRollCall(number))
    with pytest.raises(Refused, match="at most"):
        decide(state, PRESENCE, NOW)


def test_of_a_meeting_that_is_over_nothing_is_lost():
    state = answer(called(), "b1")
    ended = then(state, EndConference())
    shown = roll_call_resource(last(ended), running=ended.running)
    assert (shown["state"], shown["counts"]["present"]) == ("unsigned", 1)
    assert decide(ended, NoteRollCallDue(), NOW) == []


def test_its_record_is_signed_and_corrected_after_the_meeting():
    ended = then(answer(called(), "b1"), EndConference())
    assert roll_call_resource(last(ended), running=False)["calling"] is None
    with pytest.raises(Refused, match="have no mark"):
        decide(ended, SignRollCall(1, "Bình"), NOW)
    state = then(ended, MarkRoom(1, "b2", "present", "Bình"))
    assert state.participants == ended.participants
    state, events = did(state, SignRollCall(1, "Bình", rest_absent=True), after(900))
    assert set(types(events)) == {"roll-call.marked", "roll-call.signed"}
    assert last(state).ended_at == after(900)
    assert (statuses(state)["b2"], statuses(state)["b3"]) == ("present", "absent")
    with pytest.raises(Refused, match="note why"):
        decide(state, MarkRoom(1, "b3", "late", "Bình"), NOW)
    state = then(state, MarkRoom(1, "b3", "late", "Bình", "đến sau"))
    assert last(state).marks[-1].correction
    for refused in (
        MarkRoom(1, "b2", "present", source="room"), PauseRollCall(1, True), CALLED,
    ):  # fmt: skip
        with pytest.raises(Refused, match="has ended"):
            decide(state, refused, NOW)


async def test_a_record_is_signed_after_the_meeting_and_kept(office, clock):
    async with office.daemon() as conferences:
        state = await conferences.start(StartConference("Họp", "tinh", "subtree"), OPERATOR)
        for bridge in ("b0", "b1"):
            conferences.note(state.id, NoteJoined(bridge, f"leg-{bridge}"))
        await conferences.execute(state.id, PRESENCE, OPERATOR)
        await conferences.execute(state.id, EndConference(), OPERATOR)
        clock.seconds = 900
        calls = list(office.media.calls)
        async with conferences.subscribe() as feed:
            # Two at once, while the list of what runs does not know it.
            await asyncio.gather(
                conferences.execute(state.id, MarkRoom(1, "b2", "late", "An"), OPERATOR),
                conferences.execute(state.id, SignRollCall(1, "An", rest_absent=True), OPERATOR),
            )
            told = [(await anext(feed)).type for _ in range(2)]
        assert told == ["roll-call.marked", "roll-call.signed"]
        assert office.media.calls == calls
        assert state.id not in [each.id for each in conferences.running()]
        signed = await conferences.read(state.id)
        assert (last(signed).status, last(signed).ended_at) == ("signed", after(900))
    async with office.daemon() as conferences:
        assert await conferences.read(state.id) == signed
        with pytest.raises(UnknownConference):
            await conferences.execute("c-none", SignRollCall(1, "An"), OPERATOR)


async def test_it_goes_on_over_a_restart(office, clock):
    died = office.made()
    await died.restore(keep=False)
    state = await died.start(StartConference("Họp", "tinh", "subtree"), OPERATOR)
    for bridge in ("b0", "b1"):
        died.note(state.id, NoteJoined(bridge, f"leg-{bridge}"))
    await died.execute(state.id, PRESENCE, OPERATOR)
    await died.flush()
    clock.seconds = 61
    async with office.daemon() as conferences:
        conferences.handle_timer(clock.now())
        again = conferences.get(state.id)
        assert statuses(again) == {"b0": "present", "b1": "present", "b2": "absent"}
        await conferences.execute(state.id, SignRollCall(1, "An"), OPERATOR)
        await conferences.execute(state.id, EndConference(), OPERATOR)
    async with office.daemon() as conferences:
        ended = await conferences.read(state.id)
        assert last(ended).status == "signed"
        assert statuses(ended)["b2"] == "absent"
