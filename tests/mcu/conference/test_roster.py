import pytest

from mcu.conference.commands import (
    AddParticipant,
    ChangeParticipant,
    Lock,
    MuteAll,
    NoteJoined,
    RemoveParticipant,
    SetLayout,
    StartBroadcast,
    UnmuteAll,
)
from mcu.conference.decide import decide
from mcu.conference.roster import MAX_PARTICIPANTS
from mcu.conference.state import Refused, RosterEntry
from mcu.engine.plan import EmptySlot, ParticipantSlot, PollingSlot, SpeakerSlot
from tests.mcu.conference.meeting import NOW, did, entry, meeting, then, types


def refused(state, command) -> Refused:
    with pytest.raises(Refused) as caught:
        decide(state, command, NOW)
    return caught.value


class TestAdd:
    def test_newcomers_stand_at_the_end(self):
        state = then(meeting(2), RemoveParticipant("b1"), AddParticipant(entry("b9")))
        assert list(state.participants) == ["b0", "b9"]
        assert state.participants["b9"].order == 2

    def test_twice_is_harmless_even_when_locked(self):
        state = then(meeting(), Lock())
        assert decide(state, AddParticipant(entry("b0")), NOW) == []

    def test_locked(self):
        error = refused(then(meeting(), Lock()), AddParticipant(entry("b9")))
        assert "unlock" in error.reason

    def test_who_knocks_gets_a_place_to_wait(self):
        state = then(meeting(), Lock(), AddParticipant(entry("b9"), knocks=True))
        assert not state.participants["b9"].waiting
        assert then(state, NoteJoined("b9", "leg")).participants["b9"].waiting

    def test_who_is_on_the_roster_still_joins_when_locked(self):
        state, events = did(then(meeting(), Lock()), NoteJoined("b0", "leg"))
        assert types(events) == ["participant.joined"]
        assert state.participants["b0"].presence == "connected"

    def test_full(self):
        state = meeting(MAX_PARTICIPANTS)
        assert "full" in refused(state, AddParticipant(entry("more"))).reason

    def test_a_guest_has_no_bridge(self):
        guest = RosterEntry("guest-1", "Khách", None, "tinh", ("tinh",))
        state = then(meeting(0), AddParticipant(guest))
        assert state.participants["guest-1"].bridge is None

    @pytest.mark.parametrize(
        ("commands", "muted"),
        [
            ([], False),
            ([MuteAll()], True),
            ([MuteAll(), UnmuteAll()], False),
            ([MuteAll("xa")], True),
            ([MuteAll("tinh")], True),
            ([MuteAll("khac")], False),
            ([MuteAll("xa"), UnmuteAll("xa")], False),
            ([MuteAll("xa"), UnmuteAll()], False),
            ([MuteAll(), UnmuteAll("xa")], True),  # an open microphone is the worse mistake
            ([MuteAll(("b0",))], False),
        ],
    )
    def test_newcomers_inherit_a_mute(self, commands, muted):
        roster = [entry("b0"), entry("other", unit="tinh/khac")]
        state = then(meeting(roster), *commands, AddParticipant(entry("new")))
        assert state.participants["new"].audio_muted is muted


class TestRemove:
    def test_out_of_chair_slots_polling_and_broadcast(self):
        slots = (
            ParticipantSlot("b0"),
            PollingSlot(5, ("b0", "b1")),
            PollingSlot(5, ("b0",)),
            SpeakerSlot(1),
        )
        state = then(
            meeting(chair="b0", joined=["b0"]), SetLayout("main", "2x2", slots, "crop"),
            StartBroadcast("b0"),
        )  # fmt: skip
        state, events = did(state, RemoveParticipant("b0"))
        assert types(events) == [
            "broadcast.stopped",
            "layout.changed",
            "conference.changed",
            "participant.removed",
        ]
        assert events[-1].participant.legs[0].id == "leg-b0"  # so that it can be closed
        assert "b0" not in state.participants
        assert (state.chair, state.broadcast) == (None, None)
        assert state.views["main"].fit == "crop"
        assert state.views["main"].slots == (
            EmptySlot(),
            PollingSlot(5, ("b1",)),
            EmptySlot(),  # an empty list would poll everybody
            SpeakerSlot(1),
        )

    def test_a_stranger(self):
        assert refused(meeting(), RemoveParticipant("x")).field == "participant"


class TestChange:
    def test_all_at_once_is_one_event(self):
        command = ChangeParticipant(
            "b0", audio_muted=True, video_muted=True, deafened=True, importance=7,
            label="Cầu chính", volume_db=-6,
        )  # fmt: skip
        state, events = did(meeting(), command)
        assert types(events) == ["participant.changed"]
        changed = state.participants["b0"]
        assert (changed.audio_muted, changed.video_muted, changed.deafened) == (True,) * 3
        assert (changed.importance, changed.label, changed.volume_db) == (7, "Cầu chính", -6.0)
        assert changed.version == 2
        assert decide(state, command, NOW) == []

    def test_an_empty_label_is_the_name_again(self):
        state = then(
            meeting(), ChangeParticipant("b0", label="x"), ChangeParticipant("b0", label="")
        )
        assert state.participants["b0"].label == "Điểm cầu b0"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"importance": 101}, "importance"),
            ({"importance": -1}, "importance"),
            ({"volume_db": 20.5}, "volume_db"),
            ({"volume_db": float("nan")}, "volume_db"),
            ({"label": "x" * 201}, "label"),
        ],
    )
    def test_ranges(self, changes, field):
        assert refused(meeting(), ChangeParticipant("b0", **changes)).field == field

    def test_taking_the_chair(self):
        state, events = did(meeting(chair="b0"), ChangeParticipant("b1", role="chair"))
        assert types(events) == ["participant.changed", "participant.changed", "conference.changed"]
        assert state.chair == "b1"
        assert state.participants["b0"].role == "participant"
        assert state.participants["b1"].view == "chair"

    def test_giving_the_chair_up(self):
        state = then(meeting(chair="b0"), ChangeParticipant("b0", role="participant"))
        assert state.chair is None
        assert state.participants["b0"].view == "main"

    def test_role_and_mute_together_keep_both(self):
        state = then(meeting(), ChangeParticipant("b1", role="chair", audio_muted=True))
        assert state.participants["b1"].audio_muted
        assert state.participants["b1"].version == 2
