import pytest

from mcu.conference.commands import (
    ChangeConference,
    ChangeParticipant,
    ClearMessage,
    EndConference,
    Lock,
    MuteAll,
    NoteCalling,
    NoteJoined,
    NoteLeft,
    NoteMessageOver,
    NoteRestarted,
    RemoveParticipant,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StartConference,
    StopBroadcast,
    Unlock,
)
from mcu.conference.decide import MAX_MESSAGE_S, decide, decide_start
from mcu.conference.evolve import evolve_all
from mcu.conference.state import Message, Refused, ViewSetting
from mcu.engine.plan import ParticipantSlot, SpeakerSlot
from tests.mcu.conference.meeting import NOW, after, did, entry, meeting, then, types


def refused(state, command) -> Refused:
    with pytest.raises(Refused) as caught:
        decide(state, command, NOW)
    assert caught.value.reason.rstrip().endswith(".")
    return caught.value


class TestStart:
    def test_one_event_carries_the_whole_roster(self):
        state = meeting(145, chair="b7")
        assert len(state.participants) == 145
        assert state.participants["b7"].role == "chair"
        assert state.chair == "b7"
        assert state.views == {"main": ViewSetting("auto"), "chair": ViewSetting("auto")}
        assert {each.presence for each in state.participants.values()} == {"expected"}

    @pytest.mark.parametrize(
        ("command", "roster", "field"),
        [
            (StartConference("  ", "u"), [], "name"),
            (StartConference("x" * 201, "u"), [], "name"),
            (StartConference("Họp", "u", layout="9x9"), [], "layout"),
            (StartConference("Họp", "u", chair="b2"), [entry("b1")], "chair"),
            (StartConference("Họp", "u"), [entry("b1"), entry("b1")], "bridges"),
            (StartConference("Họp", "u"), [entry(f"b{n}") for n in range(1001)], "bridges"),
        ],
    )
    def test_refusals_name_the_field(self, command, roster, field):
        with pytest.raises(Refused) as caught:
            decide_start("c1", command, roster, NOW)
        assert caught.value.field == field

    def test_an_unknown_layout_is_answered_with_the_names(self):
        with pytest.raises(Refused, match="auto, 1x1, 2x2"):
            decide_start("c1", StartConference("Họp", "u", layout="9x9"), [], NOW)


class TestEnd:
    def test_everybody_who_was_here_has_left(self):
        state = then(meeting(4, chair="b0", joined=["b0", "b1"]), NoteCalling("b2"))
        state, events = did(state, EndConference("xong"), after(60))
        assert types(events) == ["conference.ended"]
        assert not state.running
        presences = [each.presence for each in state.participants.values()]
        assert presences == ["left", "left", "expected", "expected"]
        assert state.participants["b0"].legs == ()
        assert state.participants["b0"].left_at == after(60)

    def test_who_had_left_before_left_when_it_left(self):
        state = then(
            meeting(joined=["b0", "b1"]), NoteLeft("b0", "leg-b0"), NoteLeft("b1", "leg-b1"),
            NoteCalling("b1"),
        )  # fmt: skip
        state, _ = did(state, EndConference(), after(60))
        left = [(each.presence, each.left_at) for each in state.participants.values()]
        assert left == [("left", NOW), ("left", NOW), ("expected", None)]

    def test_twice_is_harmless_and_late_facts_mean_nothing(self):
        state = then(meeting(joined=["b0"]), EndConference())
        for late in (EndConference(), NoteLeft("b0", "leg-b0"), NoteRestarted()):
            assert decide(state, late, NOW) == []

    @pytest.mark.parametrize("command", [Lock(), MuteAll(), NoteJoined("b0", "leg")])
    def test_anything_else_is_refused(self, command):
        state = then(meeting(), EndConference())
        assert "has ended" in refused(state, command).reason


class TestChange:
    def test_a_new_chair_takes_the_role_from_the_old_one(self):
        state, events = did(meeting(chair="b0"), ChangeConference(chair="b1"))
        assert types(events) == ["participant.changed", "participant.changed", "conference.changed"]
        assert state.chair == "b1"
        assert [each.role for each in state.participants.values()] == [
            "participant",
            "chair",
            "participant",
        ]

    def test_an_empty_chair_takes_it_away(self):
        state, _ = did(meeting(chair="b0"), ChangeConference(chair=""))
        assert state.chair is None
        assert state.participants["b0"].view == "main"

    def test_names_are_normalised(self):
        state, _ = did(meeting(), ChangeConference(name="  Ho\u0323p   giao ban "))
        assert state.name == "Họp giao ban"

    def test_the_same_again_gives_no_events(self):
        state = meeting(chair="b0")
        assert decide(state, ChangeConference(state.name, "b0"), NOW) == []

    def test_a_stranger_cannot_preside(self):
        assert refused(meeting(), ChangeConference(chair="x")).field == "chair"


class TestLayout:
    def test_slots_are_kept_as_given(self):
        slots = (ParticipantSlot("b0"), *[SpeakerSlot(rank) for rank in (1, 2, 3)])
        state, events = did(meeting(), SetLayout("main", "2x2", slots))
        assert types(events) == ["layout.changed"]
        assert state.views["main"] == ViewSetting("2x2", slots)
        assert state.views["chair"] == ViewSetting("auto")

    def test_the_same_again_gives_no_events(self):
        state = then(meeting(), SetLayout("main", "1+5"))
        assert decide(state, SetLayout("main", "1+5"), NOW) == []

    def test_a_fit_stays_until_another_is_chosen(self):
        assert meeting().views["main"].fit == "letterbox"
        state, events = did(meeting(), SetLayout("main", "auto", fit="crop"))
        assert types(events) == ["layout.changed"]
        assert {name: view.fit for name, view in state.views.items()} == {
            "main": "crop",
            "chair": "letterbox",
        }
        state = then(state, SetLayout("main", "2x2"))
        assert state.views["main"] == ViewSetting("2x2", None, "crop")
        assert decide(state, SetLayout("main", "2x2", fit="crop"), NOW) == []
        assert then(state, SetLayout("main", "2x2", fit="letterbox")).views["main"].fit == (
            "letterbox"
        )

    def test_an_unknown_view_is_answered_with_the_views(self):
        error = refused(meeting(), SetLayout("left", "2x2"))
        assert error.field == "view"
        assert "main, chair" in error.reason


class TestBroadcast:
    def test_it_replaces_an_earlier_one_and_stops(self):
        state = then(meeting(), StartBroadcast("b0"), StartBroadcast("b1"))
        assert state.broadcast == "b1"
        state, events = did(state, StopBroadcast())
        assert types(events) == ["broadcast.stopped"]
        assert state.broadcast is None

    def test_idempotent(self):
        state = then(meeting(), StartBroadcast("b0"))
        assert decide(state, StartBroadcast("b0"), NOW) == []
        assert decide(meeting(), StopBroadcast(), NOW) == []

    def test_of_a_stranger(self):
        assert refused(meeting(), StartBroadcast("x")).field == "participant"


class TestMessage:
    def test_until(self):
        state, _ = did(meeting(), ShowMessage("Tạm nghỉ\n15 phút", 900))
        assert state.message == Message("Tạm nghỉ 15 phút", after(900))

    @pytest.mark.parametrize(
        ("command", "field"),
        [
            (ShowMessage(""), "text"),
            (ShowMessage("x" * 501), "text"),
            (ShowMessage("a\x07b"), "text"),
            (ShowMessage("a", 0), "duration_s"),
            (ShowMessage("a", -1), "duration_s"),
            (ShowMessage("a", float("nan")), "duration_s"),
            (ShowMessage("a", MAX_MESSAGE_S + 1), "duration_s"),
        ],
    )
    def test_refusals(self, command, field):
        assert refused(meeting(), command).field == field

    def test_only_the_clock_ends_it(self):
        state = then(meeting(), ShowMessage("a", 10))
        assert decide(state, NoteMessageOver(), after(9)) == []
        assert types(decide(state, NoteMessageOver(), after(10))) == ["message.cleared"]

    def test_a_message_without_an_end_stays(self):
        state = then(meeting(), ShowMessage("a"))
        assert decide(state, NoteMessageOver(), after(10**6)) == []
        assert types(decide(state, ClearMessage(), NOW)) == ["message.cleared"]
        assert decide(meeting(), ClearMessage(), NOW) == []


def test_lock_and_unlock_are_idempotent():
    state, events = did(meeting(), Lock())
    assert types(events) == ["conference.locked"]
    assert decide(state, Lock(), NOW) == []
    state, events = did(state, Unlock())
    assert types(events) == ["conference.unlocked"]
    assert decide(state, Unlock(), NOW) == []


class TestPinAndNumber:
    def test_set_changed_and_taken_away(self):
        state = then(meeting(), ChangeConference(pin="4711", number="1005"))
        assert (state.pin, state.number) == ("4711", "1005")
        renamed = then(state, ChangeConference(name="Khác"))
        assert (renamed.pin, renamed.number) == ("4711", "1005")
        assert decide(state, ChangeConference(pin="4711"), NOW) == []
        without = then(state, ChangeConference(pin=""))
        assert (without.pin, without.number) == (None, "1005")
        assert then(without, ChangeConference(number="")).number is None

    def test_kept_when_the_chair_changes_or_goes(self):
        state = then(meeting(chair="b0"), ChangeConference(pin="4711", number="5"))
        other = then(state, ChangeParticipant("b1", role="chair"))
        gone = then(other, RemoveParticipant("b1"))
        assert [(each.pin, each.number) for each in (other, gone)] == [("4711", "5")] * 2

    def test_from_the_start(self):
        command = StartConference("Họp", "tinh", pin="1234567890", number="9")
        (event,) = decide_start("c1", command, (), NOW)
        state = evolve_all(None, [event])
        assert (state.pin, state.number) == ("1234567890", "9")

    @pytest.mark.parametrize("pin", ["123", "12345678901", "12a4", "١٢٣٤", "1234\n"])
    def test_what_is_no_pin(self, pin):
        assert refused(meeting(), ChangeConference(pin=pin)).field == "pin"

    @pytest.mark.parametrize("number", ["0123", "c-1", "1" * 17, "٣"])
    def test_what_is_no_number(self, number):
        assert refused(meeting(), ChangeConference(number=number)).field == "number"
