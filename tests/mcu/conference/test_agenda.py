"""Going through an agenda: what an item sets, what it leaves, what comes back afterwards."""

from datetime import timedelta

import pytest

from mcu.conference.agenda_commands import (
    ChangeAgenda,
    JumpToItem,
    NextItem,
    NoteItemOver,
    PreviousItem,
)
from mcu.conference.agenda_record import MAX_VISITS, overruns_at
from mcu.conference.commands import (
    AddParticipant,
    ChangeParticipant,
    MuteAll,
    RemoveParticipant,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StartConference,
    StartPresentation,
    UnmuteAll,
)
from mcu.conference.decide import decide, decide_start
from mcu.conference.evolve import evolve_all
from mcu.conference.floor_model import GrantFloor
from mcu.conference.polling_model import StartPolling
from mcu.conference.roll_call_model import CancelRollCall, PauseRollCall, StartRollCall
from mcu.conference.scenario import Agenda, AgendaItem, ItemPolling
from mcu.conference.state import Refused
from mcu.engine.plan import EmptySlot, ParticipantSlot, SpeakerSlot
from tests.mcu.conference.meeting import NOW, after, did, entry, ids, meeting, then, types

OPENING = AgendaItem("i1", "Khai mạc", 300, layout="lecture", unmuted=("chair",))
REPORT = AgendaItem(
    "i2", "Báo cáo", 600, speaker="b1", broadcast=True, unmuted=("chair",), presentation="b1",
    message="Xã b1 báo cáo",
)  # fmt: skip
DISCUSSION = AgendaItem("i3", "Thảo luận", 900)


def session(*items, count=4, joined=("b0", "b1", "b2"), chair="b0"):
    state = meeting(count, chair=chair, joined=joined)
    return then(state, ChangeAgenda(items or (OPENING, REPORT, DISCUSSION)))


def muted(state):
    return {who.id for who in state.participants.values() if who.audio_muted}


def test_a_conference_starts_with_a_copy_of_the_agenda():
    agenda = Agenda(items=(OPENING,), scenario="giao-ban")
    command = StartConference("Họp", "tinh", agenda=agenda)
    entries = [entry(id_) for id_ in ids(2)]
    state = evolve_all(None, decide_start("c1", command, entries, NOW))
    assert state.agenda == agenda


def test_one_command_sets_everything_an_item_names():
    state = session()
    state, events = did(state, NextItem())
    assert types(events) == [
        "agenda.advanced", "layout.changed", "participants.changed",
    ]  # fmt: skip
    assert state.views["main"].layout == "lecture"
    assert muted(state) == {"b1", "b2", "b3"}
    assert state.entry_muted == ("all",)
    state, events = did(state, NextItem())
    assert types(events) == [
        "agenda.advanced", "layout.changed", "broadcast.started", "presentation.started",
        "message.shown", "participants.changed",
    ]  # fmt: skip
    assert (state.broadcast, state.presenter) == ("b1", "b1")
    assert state.message.text == "Xã b1 báo cáo"
    assert muted(state) == {"b2", "b3"}
    assert state.agenda.current == "i2"


def test_what_was_before_comes_back_when_an_item_asks_for_nothing():
    slots = (ParticipantSlot("b2"), ParticipantSlot("b3"), SpeakerSlot(1), EmptySlot())
    state = then(
        session(),
        ChangeParticipant("b2", audio_muted=True),
        SetLayout("main", "2x2", slots, "crop"),
    )
    held = then(state, NextItem(), NextItem())
    assert muted(held) == {"b2", "b3"}
    last, events = did(held, NextItem())
    assert types(events)[0] == "agenda.advanced"
    assert muted(last) == {"b2"}
    assert last.views == state.views
    assert (last.broadcast, last.presenter, last.message, last.entry_muted) == (
        None,
        None,
        None,
        (),
    )


def test_who_is_gone_does_not_come_back_with_the_layout():
    slots = (ParticipantSlot("b2"), ParticipantSlot("b3"), SpeakerSlot(1), EmptySlot())
    state = then(session(), SetLayout("main", "2x2", slots), NextItem(), RemoveParticipant("b2"))
    state = then(state, JumpToItem("i3"))
    assert state.views["main"].slots[:2] == (EmptySlot(), ParticipantSlot("b3"))


def test_the_end_is_like_an_item_that_asks_for_nothing():
    state = then(session(OPENING, REPORT), NextItem(), NextItem())
    state, events = did(state, NextItem(), after(900))
    assert (state.agenda.current, state.agenda.finished_at) == (None, after(900))
    assert muted(state) == set()
    assert state.views["main"].layout == "auto"
    assert "broadcast.stopped" in types(events)
    with pytest.raises(Refused, match="finished"):
        decide(state, NextItem(), NOW)
    state = then(state, PreviousItem())
    assert (state.agenda.current, state.agenda.finished_at) == ("i2", None)


def test_newcomers_of_a_muted_item_are_freed_with_the_others():
    state = then(session(), NextItem(), AddParticipant(entry("b9")))
    assert "b9" in muted(state)
    assert muted(then(state, JumpToItem("i3"))) == set()


def test_newcomers_stay_muted_where_newcomers_were_before():
    state = then(session(), MuteAll(), ChangeParticipant("b3", audio_muted=False), NextItem())
    state = then(state, AddParticipant(entry("b9")), JumpToItem("i3"))
    assert muted(state) == {"b0", "b1", "b2", "b9"}
    assert state.entry_muted == ("all",)


def test_what_the_operator_does_within_an_item_stays_until_the_next():
    state = then(session(OPENING, OPENING_TWO, DISCUSSION), NextItem())
    state = then(
        state, ChangeParticipant("b2", audio_muted=False), StartBroadcast("b3"),
        SetLayout("main", "1+5"),
    )  # fmt: skip
    assert "b2" not in muted(state)
    state = then(state, NextItem())
    assert muted(state) == {"b1", "b2", "b3"}
    assert (state.broadcast, state.views["main"].layout) == (None, "lecture")


OPENING_TWO = AgendaItem("i2", "Tiếp tục", 60, layout="lecture", unmuted=("chair",))


def test_what_the_operator_does_before_any_item_touches_it_is_what_comes_back():
    quiet = AgendaItem("i0", "Ổn định", 60)
    state = then(session(quiet, OPENING, DISCUSSION), NextItem())
    state = then(state, ChangeParticipant("b2", audio_muted=True), SetLayout("main", "3x3"))
    state = then(state, NextItem(), NextItem())
    assert muted(state) == {"b2"}
    assert state.views["main"].layout == "3x3"


def test_everybody_may_speak():
    free = AgendaItem("i2", "Tự do", 60, unmuted=("all",))
    state = then(session(OPENING, free), MuteAll(), NextItem(), NextItem())
    assert (muted(state), state.entry_muted) == (set(), ())
    assert muted(then(state, NextItem())) == {"b0", "b1", "b2", "b3"}


def test_an_empty_list_leaves_the_speaker_alone():
    item = AgendaItem("i1", "Một mình", 60, speaker="b2", unmuted=())
    assert muted(then(session(item), NextItem())) == {"b0", "b1", "b3"}


def test_a_presentation_somebody_else_gives_goes_on():
    state = then(session(), NextItem(), NextItem(), StartPresentation("b2"), NextItem())
    assert state.presenter == "b2"


def test_a_message_of_the_operator_goes_on():
    state = then(session(), NextItem(), NextItem(), ShowMessage("Nghỉ"), NextItem())
    assert state.message.text == "Nghỉ"


def test_nobody_missing_stops_the_session():
    state = session(joined=("b0",))
    state = then(state, NextItem())
    state, events = did(state, NextItem())
    assert events[0].missing == ("b1",)
    assert (state.broadcast, state.presenter) == ("b1", None)  # its place is reserved
    gone = then(session(), RemoveParticipant("b1"), NextItem())
    gone, events = did(gone, NextItem())
    assert events[0].missing == ("b1",)
    assert gone.broadcast is None


def test_jumping_to_the_current_item_sets_it_once_more():
    state = then(session(), NextItem())
    assert decide(state, JumpToItem("i1"), NOW) == []
    state = then(state, UnmuteAll())
    state, events = did(state, JumpToItem("i1"))
    assert types(events) == ["participants.changed"]
    assert muted(state) == {"b1", "b2", "b3"}
    assert len(state.agenda.visits) == 1


def test_what_an_edited_item_touches_comes_back_too():
    plain = AgendaItem("i1", "Mục", 60)
    state = then(session(plain, DISCUSSION), NextItem())
    state = then(state, ChangeAgenda((AgendaItem("i1", "Mục", 60, layout="3x3"), DISCUSSION)))
    assert state.views["main"].layout == "auto"
    state = then(state, JumpToItem("i1"))
    assert (state.views["main"].layout, len(state.agenda.visits)) == ("3x3", 1)
    assert then(state, NextItem()).views["main"].layout == "auto"


def test_back_jump_and_their_ends():
    state = session()
    for command, reason in ((PreviousItem(), "not begun"), (JumpToItem("i9"), "No item")):
        with pytest.raises(Refused, match=reason):
            decide(state, command, NOW)
    state = then(state, JumpToItem("i3"), PreviousItem())
    assert state.agenda.current == "i2"
    with pytest.raises(Refused, match="first item"):
        decide(then(state, PreviousItem()), PreviousItem(), NOW)
    with pytest.raises(Refused, match="no agenda"):
        decide(meeting(2), NextItem(), NOW)


def test_every_visit_is_on_record():
    state, _ = did(session(), NextItem(), after(0))
    state, _ = did(state, NextItem(), after(200))
    state, _ = did(state, PreviousItem(), after(500))
    first, second, third = state.agenda.visits
    assert (first.item, first.started_at, first.ended_at) == ("i1", after(0), after(200))
    assert (second.item, second.ended_at) == ("i2", after(500))
    assert (third.item, third.started_at, third.ended_at) == ("i1", after(500), None)
    assert state.agenda.began_at == after(0)


def test_the_record_is_bounded():
    state = session()
    for number in range(MAX_VISITS + 5):
        state, _ = did(state, JumpToItem(f"i{1 + number % 2}"), after(number))
    assert len(state.agenda.visits) == MAX_VISITS


def test_an_overrun_is_said_once():
    state, _ = did(session(), NextItem(), after(0))
    assert overruns_at(state.agenda) == after(300)
    assert decide(state, NoteItemOver(), after(299)) == []
    state, events = did(state, NoteItemOver(), after(300))
    assert types(events) == ["agenda.overrun"]
    assert decide(state, NoteItemOver(), after(400)) == []
    assert state.agenda.visits[-1].overran
    assert overruns_at(state.agenda) is None


def test_an_item_that_is_given_more_time_overruns_again_later():
    state, _ = did(session(), NextItem(), after(0))
    state, _ = did(state, NoteItemOver(), after(300))
    longer = AgendaItem("i1", "Khai mạc", 600)
    state, _ = did(state, ChangeAgenda((longer, REPORT)), after(400))
    assert overruns_at(state.agenda) == after(600)
    shorter = AgendaItem("i1", "Khai mạc", 60)
    state, _ = did(state, ChangeAgenda((shorter, REPORT)), after(401))
    assert overruns_at(state.agenda) == after(60)


def test_an_edit_keeps_the_current_item_and_touches_no_picture():
    state = then(session(), NextItem())
    with pytest.raises(Refused, match="held now"):
        decide(state, ChangeAgenda((REPORT,)), NOW)
    version = state.agenda.version
    edited = AgendaItem("i1", "Khai mạc", 300, layout="3x3", unmuted=("all",))
    changed, events = did(state, ChangeAgenda((edited, DISCUSSION)))
    assert types(events) == ["agenda.changed"]
    assert changed.views == state.views
    assert muted(changed) == muted(state)
    assert changed.agenda.version > version
    assert decide(changed, ChangeAgenda((edited, DISCUSSION)), NOW + timedelta(hours=1)) == []


PAGED = AgendaItem("p1", "Báo cáo tổ", 60, polling=ItemPolling("xa", 5))


def test_an_item_polls_its_scope_and_the_next_one_does_not():
    state, events = did(session(PAGED, DISCUSSION), NextItem())
    assert types(events) == ["agenda.advanced", "polling.started"]
    assert (state.polling.scope, state.polling.interval_s) == ("xa", 5)
    state, events = did(state, NextItem())
    assert types(events) == ["agenda.advanced", "polling.stopped"]


def test_a_polling_the_operator_has_chosen_goes_on():
    state = then(session(PAGED, DISCUSSION), NextItem(), StartPolling(9), NextItem())
    assert state.polling.interval_s == 9


def test_a_scope_nobody_belongs_to_stops_nothing():
    item = AgendaItem("p1", "Báo cáo", 60, polling=ItemPolling("nowhere"))
    _state, events = did(session(item), NextItem())
    assert (types(events), events[0].missing) == (["agenda.advanced"], ("nowhere",))


def test_the_floor_given_within_an_item_ends_with_it():
    state = then(session(), NextItem(), GrantFloor("b2"))
    assert state.floor.holder.participant == "b2"
    state, events = did(state, NextItem())
    assert types(events)[:2] == ["agenda.advanced", "floor.ended"]
    assert state.floor.holder is None
    assert muted(state) == {"b2", "b3"}


def test_a_room_that_is_called_on_air_is_not_cut_off():
    state = then(session(), StartRollCall("called"))
    assert any(each.on_air is not None for each in state.roll_calls)
    with pytest.raises(Refused, match="roll call is not over"):
        decide(state, NextItem(), NOW)
    state = then(state, PauseRollCall(1, paused=True))
    with pytest.raises(Refused, match="roll call is not over"):
        then(state, NextItem())
    state = then(state, CancelRollCall(1), NextItem())
    assert state.agenda.current == "i1"
