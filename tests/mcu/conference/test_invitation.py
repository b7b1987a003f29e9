"""Rooms from elsewhere in the tree, invited to one conference: pure decisions."""

import pytest

from mcu.conference.commands import (
    AddParticipant,
    EndConference,
    Lock,
    NoteJoined,
    RemoveParticipant,
    StartPresentation,
    Unlock,
)
from mcu.conference.conflict_model import RaiseConflict, find_conflict
from mcu.conference.floor_model import GrantFloor
from mcu.conference.invitation_model import (
    MAX_STANDING,
    AnswerInvitation,
    InviteRoom,
    WithdrawInvitation,
    find_invitation,
)
from mcu.conference.invitation_resources import invitation_resource
from mcu.conference.state import Refused
from tests.mcu.conference.meeting import after, did, entry, meeting, then, types

INVITED = InviteRoom("x", "Bệnh viện", "so-y-te", "Họp về dịch", "An")
YES, NO = AnswerInvitation("x", True, "Bình"), AnswerInvitation("x", False, "Bình")
TAKEN_BACK = WithdrawInvitation("x", "An")


def status(state):
    return find_invitation(state.invitations, "x").status


def test_invited_accepted_and_marked_on_the_roster():
    state, events = did(meeting(), INVITED)
    assert types(events) == ["invitation.sent"]
    assert did(state, INVITED)[1] == [], "once is enough"
    state, events = did(state, YES, after(9))
    assert types(events) == ["invitation.answered"]
    assert did(state, YES)[1] == []
    found = find_invitation(state.invitations, "x")
    assert (found.status, found.answered_by, found.answered_at) == ("accepted", "Bình", after(9))
    state = then(state, AddParticipant(entry("x", unit="so-y-te")))
    assert state.participants["x"].invited
    assert not state.participants["b0"].invited


def test_asked_again_with_another_note_it_is_told_and_the_answer_stays():
    other = InviteRoom("x", "Bệnh viện", "so-y-te", "Lùi đến 14 giờ", "Chi")
    for before, is_then in ((meeting(), "open"), (then(meeting(), INVITED, YES), "accepted")):
        state, events = did(then(before, INVITED), other, after(5))
        assert types(events) == ["invitation.sent"]
        found = find_invitation(state.invitations, "x")
        assert (found.note, found.by, found.status) == ("Lùi đến 14 giờ", "Chi", is_then)
        assert (found.answered_by == "Bình") is (is_then == "accepted")
        silent = InviteRoom("x", "Bệnh viện", "so-y-te", "", "An")
        assert did(state, silent)[1] == [], "no note takes none away"


def test_who_is_called_without_an_invitation_is_not_marked():
    state = then(meeting(), INVITED, AddParticipant(entry("x", unit="so-y-te")))
    assert not state.participants["x"].invited, "its unit has not accepted yet"


@pytest.mark.parametrize(("command", "is_then"), [(NO, "declined"), (TAKEN_BACK, "withdrawn")])
def test_a_room_that_has_come_goes_with_what_it_had(command, is_then):
    state = then(meeting(), INVITED, YES, AddParticipant(entry("x", unit="so-y-te")))
    joined = then(meeting(joined=["b0"]), INVITED, YES, AddParticipant(entry("x")))
    state, events = did(state, command)
    assert types(events) == ["invitation.answered", "participant.removed"]
    assert (status(state), "x" in state.participants) == (is_then, False)
    speaking = then(joined, NoteJoined("x", "l"), StartPresentation("x"), GrantFloor("x"))
    state, _ = did(speaking, command)
    assert (state.presenter, state.floor.holder) == (None, None)


def test_no_answer_to_what_is_over():
    for over in (NO, TAKEN_BACK):
        state = then(meeting(), INVITED, over)
        with pytest.raises(Refused, match="not invited any more"):
            did(state, YES)
        assert status(then(state, INVITED)) == "open", "it may be asked again"
    with pytest.raises(Refused, match="not invited any more"):
        did(meeting(), YES)
    assert did(then(meeting(), INVITED, NO), NO)[1] == []


def test_a_room_that_is_asked_for_elsewhere_is_asked_for_no_more():
    ask = RaiseConflict("x", "Bệnh viện", "c2", "Giao ban", "Bình")
    state, events = did(then(meeting(), INVITED, YES, ask), TAKEN_BACK)
    assert types(events) == ["invitation.answered", "conflict.decided"]
    assert find_conflict(state.conflicts, "x", "asking").status == "declined"


def test_refused():
    with pytest.raises(Refused, match="in this conference already"):
        did(meeting(1), InviteRoom("b0", "Xã", "xa"))
    with pytest.raises(Refused, match="locked"):
        did(then(meeting(), Lock()), INVITED)
    with pytest.raises(Refused, match="locked"):
        did(then(meeting(), INVITED, Lock()), YES)
    assert status(then(meeting(), INVITED, Lock(), Unlock(), YES)) == "accepted"
    assert status(then(meeting(), INVITED, Lock(), NO)) == "declined"


def test_what_is_over_is_forgotten_in_time_and_what_stands_is_bounded():
    state = then(meeting(), *(InviteRoom(f"y{n}", "Xã", "xa") for n in range(MAX_STANDING)))
    with pytest.raises(Refused, match="withdraw some first"):
        did(state, INVITED)
    state = then(state, WithdrawInvitation("y3"), INVITED)
    assert len(state.invitations) == MAX_STANDING
    assert find_invitation(state.invitations, "y3") is None


def test_a_room_taken_off_the_roster_may_be_called_again_and_the_end_ends_it():
    state = then(meeting(), INVITED, YES, AddParticipant(entry("x")), RemoveParticipant("x"))
    assert status(state) == "accepted"
    assert then(state, AddParticipant(entry("x"))).participants["x"].invited
    state = then(state, EndConference())
    assert invitation_resource(state, state.invitations[0])["status"] == "ended"
