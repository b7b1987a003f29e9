from mcu.conference.commands import NoteMessageOver, ShowMessage
from mcu.conference.deadlines import deadlines
from mcu.conference.floor_model import GrantFloor, InterruptFloor, NoteFloorOver
from mcu.conference.polling_model import NotePollingDue, PausePolling, StartPolling
from mcu.conference.roll_call_model import NoteRollCallDue, SignRollCall, StartRollCall
from tests.mcu.conference.meeting import after, ids, meeting, then


def test_nothing_is_due_in_a_quiet_meeting():
    state = then(meeting(2, joined=ids(2)), ShowMessage("a"), GrantFloor("b1"))
    assert list(deadlines(state)) == []


def test_messages_and_the_floor():
    state = then(meeting(2, chair="b0", joined=ids(2)), ShowMessage("a", 30), GrantFloor("b1", 60))
    assert list(deadlines(state)) == [(after(30), NoteMessageOver()), (after(60), NoteFloorOver())]
    assert list(deadlines(then(state, InterruptFloor()))) == [(after(30), NoteMessageOver())]


def test_polling_and_a_roll_call_by_presence():
    state = then(meeting(2, joined=["b0"]), StartPolling(5), StartRollCall("presence", grace_s=30))
    assert list(deadlines(state)) == [(after(0), NotePollingDue()), (after(30), NoteRollCallDue())]
    state = then(state, PausePolling(), SignRollCall(1, rest_absent=True))
    assert list(deadlines(state)) == []
