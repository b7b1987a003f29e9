"""Anything may be asked and any fact may come, in any order: what always holds."""

import json
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from mcu.conference.agenda_commands import (
    ChangeAgenda,
    JumpToItem,
    NextItem,
    NoteItemOver,
    PreviousItem,
)
from mcu.conference.alarm_model import NoteTroubles, TroubleBegan, TroubleEnded
from mcu.conference.automatic import slot_count
from mcu.conference.chair_view_model import StartChairView, StopChairView
from mcu.conference.codec import event_from_json, event_to_json, state_from_json, state_to_json
from mcu.conference.commands import (
    AddParticipant,
    AdmitWaiting,
    ChangeConference,
    ChangeParticipant,
    ClearMessage,
    EndConference,
    Lock,
    MuteAll,
    NoteAbsent,
    NoteCallFailed,
    NoteCalling,
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteMessageOver,
    NoteRestarted,
    NoteReturned,
    RefuseWaiting,
    RemoveParticipant,
    SetLayout,
    ShowMessage,
    StartBroadcast,
    StartConference,
    StartPresentation,
    StopBroadcast,
    StopPresentation,
    Unlock,
    UnmuteAll,
)
from mcu.conference.convening import convening_due
from mcu.conference.convening_model import (
    NoteConveningDue,
    NoteReachable,
    RetryConvening,
    StartConvening,
    StopConvening,
)
from mcu.conference.deadlines import deadlines
from mcu.conference.decide import decide, decide_start
from mcu.conference.evolve import evolve_all
from mcu.conference.floor_model import (
    EndFloor,
    GrantFloor,
    InterruptFloor,
    NoteFloorOver,
    RequestFloor,
    ResumeFloor,
    WithdrawFloorRequest,
)
from mcu.conference.invitation_model import AnswerInvitation, InviteRoom, WithdrawInvitation
from mcu.conference.on_air import alone, leaders
from mcu.conference.plan import media_plan
from mcu.conference.polling_model import (
    NotePollingDue,
    PausePolling,
    ResumePolling,
    SkipPolling,
    StartPolling,
    StopPolling,
)
from mcu.conference.presence import TRANSITIONS
from mcu.conference.resources import conference_resource, event_data
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
from mcu.conference.scenario import AgendaItem
from mcu.conference.state import Refused
from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    SpeakerSlot,
)
from mixer.video.layout import LAYOUTS
from tests.mcu.conference.meeting import after, entry

PEOPLE = st.sampled_from([f"b{number}" for number in range(7)])
LEGS = st.sampled_from([f"l{number}" for number in range(6)])
UNITS = st.sampled_from(["tinh", "a", "b", "nowhere"])
SLOTS = st.one_of(
    PEOPLE.map(ParticipantSlot),
    st.integers(0, 5).map(SpeakerSlot),
    st.builds(PollingSlot, st.sampled_from([1.0, 5.0]), st.lists(PEOPLE, max_size=3).map(tuple)),
    st.just(PresentationSlot()),
    st.just(EmptySlot()),
)
SCOPES = st.one_of(st.just("all"), UNITS, st.lists(PEOPLE, max_size=3).map(tuple))
EXCEPT = st.lists(st.just("chair") | PEOPLE, max_size=2).map(tuple)
ITEM_IDS = st.sampled_from(["i1", "i2", "i3"])
ITEMS = st.builds(
    AgendaItem,
    ITEM_IDS,
    st.just("Mục"),
    st.sampled_from([10, 600]),
    speaker=st.none() | PEOPLE,
    layout=st.none() | st.sampled_from(["2x2", "1+5"]),
    broadcast=st.booleans(),
    unmuted=st.none() | st.lists(PEOPLE | st.sampled_from(["chair", "all"]), max_size=2).map(tuple),
    presentation=st.none() | PEOPLE,
    message=st.none() | st.just("Xin chào"),
)

COMMANDS = st.one_of(
    st.builds(ChangeConference, st.none() | st.sampled_from(["", "Mới"]), st.none() | PEOPLE),
    st.builds(lambda id_, unit: AddParticipant(entry(id_, unit=f"tinh/{unit}")), PEOPLE, UNITS),
    st.builds(RemoveParticipant, PEOPLE),
    st.builds(
        ChangeParticipant,
        PEOPLE,
        audio_muted=st.none() | st.booleans(),
        importance=st.none() | st.integers(-1, 101),
        volume_db=st.none() | st.floats(),
        role=st.none() | st.sampled_from(["participant", "chair"]),
    ),
    st.builds(MuteAll, SCOPES, EXCEPT),
    st.builds(UnmuteAll, SCOPES, EXCEPT),
    st.builds(
        SetLayout,
        st.sampled_from(["main", "chair", "other"]),
        st.sampled_from(["auto", *LAYOUTS]),
        st.none(),
        st.sampled_from([None, "letterbox", "crop"]),
    ),
    st.builds(SetLayout, st.just("main"), st.just("2x2"), st.lists(SLOTS, max_size=5).map(tuple)),
    st.builds(
        SetLayout,
        st.just("chair"),
        st.just("1x1"),
        st.lists(SLOTS, min_size=1, max_size=1).map(tuple),
    ),
    st.builds(StartBroadcast, PEOPLE),
    st.just(StopBroadcast()),
    st.builds(StartPresentation, PEOPLE, st.booleans()),
    st.builds(StopPresentation, st.none() | PEOPLE),
    st.builds(ShowMessage, st.sampled_from(["", "a", "b"]), st.none() | st.integers(-1, 30)),
    st.just(ClearMessage()),
    st.just(Lock()),
    st.just(Unlock()),
    st.builds(AdmitWaiting, st.none() | PEOPLE),
    st.builds(RefuseWaiting, st.none() | PEOPLE),
    st.builds(lambda id_: InviteRoom(id_, "Xã", "a"), PEOPLE),
    st.builds(AnswerInvitation, PEOPLE, st.booleans()),
    st.builds(WithdrawInvitation, PEOPLE),
    st.just(NextItem()),
    st.just(PreviousItem()),
    st.builds(JumpToItem, ITEM_IDS),
    st.builds(ChangeAgenda, st.lists(ITEMS, max_size=3, unique_by=lambda each: each.id).map(tuple)),
)
FLOOR = st.one_of(
    st.builds(RequestFloor, PEOPLE),
    st.builds(WithdrawFloorRequest, PEOPLE),
    st.builds(
        GrantFloor,
        PEOPLE,
        st.none() | st.integers(0, 9),
        st.sampled_from(["speaker", "broadcast", "none"]),
    ),
    st.builds(EndFloor, st.none() | PEOPLE, st.sampled_from(["released", "revoked"])),
    st.just(InterruptFloor()),
    st.just(ResumeFloor()),
    st.just(NoteFloorOver()),
)
VIEWED = st.one_of(
    st.builds(StartChairView, PEOPLE),
    st.just(StopChairView()),
    st.builds(
        StartPolling,
        st.sampled_from([1.0, 2.0, 5.0]),
        SCOPES,
        st.lists(PEOPLE, max_size=1).map(tuple),
        st.sampled_from(["main", "chair"]),
    ),
    st.just(PausePolling()),
    st.just(ResumePolling()),
    st.builds(SkipPolling, PEOPLE),
    st.just(StopPolling()),
    st.builds(NotePollingDue, st.frozensets(PEOPLE, max_size=2)),
)
NUMBERS = st.integers(1, 3)
ROLL_CALL = st.one_of(
    st.builds(
        StartRollCall,
        st.sampled_from(["presence", "called"]),
        st.none() | st.lists(PEOPLE, max_size=4).map(tuple),
        st.none(),
        st.sampled_from([0.0, 5.0]),
    ),
    st.builds(CallRoom, NUMBERS, PEOPLE),
    st.builds(SkipRoom, NUMBERS, PEOPLE),
    st.builds(PauseRollCall, NUMBERS, st.booleans()),
    st.builds(
        MarkRoom,
        NUMBERS,
        PEOPLE,
        st.sampled_from(["present", "late", "absent"]),
        st.just("An"),
        st.sampled_from(["", "x"]),
        st.sampled_from(["operator", "room"]),
    ),
    st.builds(SignRollCall, NUMBERS, st.just("An"), st.booleans()),
    st.builds(CancelRollCall, NUMBERS),
    st.just(NoteRollCallDue()),
)
CONVENING = st.one_of(
    st.builds(
        StartConvening,
        st.sampled_from(["importance", "units", "scenario"]),
        st.sampled_from([0, 1, 2, 9]),
        st.sampled_from([1.0, 30.0, 600.0]),
        st.none() | st.lists(PEOPLE, max_size=4).map(tuple),
    ),
    st.builds(StopConvening, st.none() | PEOPLE),
    st.builds(RetryConvening, st.none() | PEOPLE),
    st.builds(NoteConveningDue, st.frozensets(PEOPLE, max_size=3)),
    st.builds(NoteReachable, PEOPLE),
)
FACTS = st.one_of(
    st.builds(NoteCalling, PEOPLE),
    st.builds(NoteCallFailed, PEOPLE),
    st.builds(NoteJoined, PEOPLE, LEGS, st.sampled_from(["join", "publish", "view"])),
    st.builds(NoteLost, PEOPLE, LEGS),
    st.builds(NoteReturned, PEOPLE, LEGS),
    st.builds(NoteLeft, PEOPLE, LEGS),
    st.just(NoteRestarted()),
    st.builds(NoteAbsent, PEOPLE),
    st.just(NoteMessageOver()),
    st.just(NoteItemOver()),
)
TROUBLES = st.builds(
    lambda who, kind, begins: NoteTroubles(
        (TroubleBegan(who, kind, after(0)) if begins else TroubleEnded(who, kind),)
    ),
    PEOPLE,
    st.sampled_from(["lost", "silent", "echo"]),
    st.booleans(),
)
MOVES = {(before, later) for (before, _), later in TRANSITIONS.items()}


def check_reason(refused):
    assert refused.reason.endswith(".")


class Meeting(RuleBasedStateMachine):
    """A conference under arbitrary commands and facts; the events are kept as the store would."""

    @initialize(count=st.integers(0, 4), chair=st.none() | st.just("b0"))
    def start(self, count, chair):
        self.clock = 0
        roster = [
            entry(f"b{n}", unit=f"tinh/{'ab'[n % 2]}", importance=n % 3) for n in range(count)
        ]
        command = StartConference("Họp", "tinh", chair=chair if count else None)
        events = decide_start("c1", command, roster, after(0))
        self.log = []
        self.keep(events)
        self.state = self.snapshot = evolve_all(None, events)
        self.since_snapshot = 0

    def keep(self, events):
        self.log += [(event.type, json.dumps(event_to_json(event))) for event in events]

    @rule(command=COMMANDS)
    def operator(self, command):
        self.ask(command)

    @rule(command=FLOOR)
    def floor(self, command):
        self.ask(command)

    @rule(command=VIEWED)
    def look(self, command):
        self.ask(command)

    @rule(command=ROLL_CALL)
    def call(self, command):
        self.ask(command)

    @rule(command=CONVENING)
    def convene(self, command):
        self.ask(command)

    @rule(fact=TROUBLES)
    def trouble(self, fact):
        self.ask(fact)

    @rule(fact=FACTS)
    def media(self, fact):
        self.ask(fact)

    @rule(person=PEOPLE, leg=LEGS)
    def room(self, person, leg):
        """Joins are frequent, or little would ever be connected."""
        self.ask(NoteJoined(person, leg))

    @precondition(lambda self: len(self.log) > 40)
    @rule()
    def end(self):
        self.ask(EndConference())

    @rule()
    def take_snapshot(self):
        self.snapshot = state_from_json(json.loads(json.dumps(state_to_json(self.state))))
        self.since_snapshot = len(self.log)

    def ask(self, command):
        self.clock += 1
        now = after(self.clock)
        before = self.state
        try:
            events = decide(before, command, now)
        except Refused as refused:
            check_reason(refused)
            return
        assert decide(before, command, now) == events, "deciding depends on something hidden"
        if not events:
            return
        self.state = evolve_all(before, events)
        assert self.state != before
        self.keep(events)
        for event in events:
            json.dumps(event_data(event))
        self.check_again(command, now)
        self.check_moves(before)

    def check_again(self, command, now):
        """What is asked again at the same time changes nothing."""
        if isinstance(command, NextItem | PreviousItem):
            return  # each goes one further
        if isinstance(command, StartConvening) and not self.state.convening.is_open:
            return  # all are here: it is over at once, and may be begun again
        try:
            again = decide(self.state, command, now)
        except Refused:
            # Who was removed cannot be removed twice, and a roll call or convening is begun once.
            once = isinstance(
                command, RemoveParticipant | RefuseWaiting | StartRollCall | StartConvening
            )
            assert once or not self.state.running
            return
        assert again == []

    def check_moves(self, before):
        """Presence changes only as the table says (a join may stand for several moves)."""
        if not self.state.running:
            return
        for id_, person in self.state.participants.items():
            earlier = before.participants.get(id_)
            if earlier is not None and earlier.presence != person.presence:
                assert (earlier.presence, person.presence) in MOVES
            if earlier is not None and earlier != person:
                assert person.version > earlier.version

    @invariant()
    def restoring_gives_the_same(self):
        events = [event_from_json(type_, json.loads(text)) for type_, text in self.log]
        assert evolve_all(None, events) == self.state
        rest = events[self.since_snapshot :]
        restored = evolve_all(self.snapshot, rest) if rest else self.snapshot
        assert restored == self.state
        assert list(restored.participants) == list(self.state.participants)

    @invariant()
    def the_plan_can_be_shown(self):
        plan = media_plan(self.state)
        if not self.state.running:
            assert not plan.participants
            return
        assert set(plan.participants) == set(self.state.participants)
        waiting = any(each.waiting for each in self.state.participants.values())
        assert set(plan.views) == {"main", "chair", *(["waiting"] if waiting else [])}
        assert {each.view for each in plan.participants.values()} <= set(plan.views)
        for view in plan.views.values():
            assert len(view.slots) == slot_count(view.layout)
            named = Counter(
                slot.participant for slot in view.slots if isinstance(slot, ParticipantSlot)
            )
            assert all(count == 1 for count in named.values())
            polled = {
                id_
                for slot in view.slots
                if isinstance(slot, PollingSlot)
                for id_ in slot.participants
            }
            assert named.keys() | polled <= set(plan.participants)
            assert all(slot.participants for slot in view.slots if isinstance(slot, PollingSlot))

    @invariant()
    def everybody_on_air_has_one_tile_under_auto(self):
        """Until the largest grid is full; who has left, or waits behind the lock, has none."""
        if self.state.views["main"].layout != "auto" or not self.state.running:
            return
        if alone(self.state, "main") or leaders(self.state, "main"):
            return
        slots = media_plan(self.state).views["main"].slots
        named = [slot.participant for slot in slots if isinstance(slot, ParticipantSlot)]
        people = self.state.participants
        here = {
            each.id
            for each in people.values()
            if each.presence in ("connected", "lost") and not each.waiting
        }
        assert here <= set(named)
        assert not any(people[id_].presence == "left" or people[id_].waiting for id_ in named)

    @invariant()
    def one_chair(self):
        chairs = [id_ for id_, each in self.state.participants.items() if each.role == "chair"]
        assert chairs == ([] if self.state.chair is None else [self.state.chair])

    @invariant()
    def references_are_known(self):
        known = set(self.state.participants)
        assert self.state.broadcast is None or self.state.broadcast in known
        presenter = self.state.presenter
        if presenter is not None:
            assert self.state.participants[presenter].presence in ("connected", "lost")
        for view in self.state.views.values():
            for slot in view.slots or ():
                match slot:
                    case ParticipantSlot(id_):
                        assert id_ in known
                    case PollingSlot(_, ids):
                        assert set(ids) <= known

    @invariant()
    def the_floor_is_with_those_who_are_here(self):
        floor = self.state.floor
        waiting = [each.participant for each in floor.requests]
        assert len(set(waiting)) == len(waiting)
        held = [] if floor.holder is None else [floor.holder.participant]
        assert not set(held) & set(waiting)
        for id_ in (*waiting, *held):
            assert self.state.participants[id_].presence in ("connected", "lost")
        if floor.holder is not None and floor.holder.interrupted_at is not None:
            assert self.state.chair is not None
            assert floor.holder.until is None

    @invariant()
    def one_roll_call_at_a_time_calls_who_is_here(self):
        if not self.state.running:
            return
        is_open = [each for each in self.state.roll_calls if each.status == "open"]
        assert len(is_open) <= 1
        for each in self.state.roll_calls:
            assert [mark.entry for mark in each.marks] == list(range(1, len(each.marks) + 1))
            assert set(each.last_marks()) <= {room.participant for room in each.expected}
            if each.on_air is not None:
                assert self.state.participants[each.on_air].presence == "connected"
                assert self.state.floor.holder is None

    @invariant()
    def a_room_that_is_not_here_is_in_no_other_trouble(self):
        for alarm in self.state.alarms:
            if alarm.open:
                who = self.state.participants[alarm.participant]
                assert who.presence != "left" or who.is_missing
                assert alarm.kind == "lost" or not (who.presence == "lost" or who.is_missing)

    @invariant()
    def what_is_looked_at_is_known(self):
        known = self.state.participants
        assert self.state.chair_view is None or self.state.chair_view in known
        polling = self.state.polling
        assert polling is None or polling.participant is None or polling.participant in known

    @invariant()
    def rooms_are_convened_in_turns(self):
        convening = self.state.convening
        if convening is None or not self.state.running:
            return
        assert {room.participant for room in convening.rooms} <= set(self.state.participants)
        for room in convening.rooms:
            assert room.due is None or (convening.is_open and room.is_wanted)
            if convening.is_open and self.state.participants[room.participant].legs:
                assert room.joined_at is not None
        due = convening_due(convening)
        if due is not None:
            later = evolve_all(self.state, decide(self.state, NoteConveningDue(), due))
            following = convening_due(later.convening)
            assert following is None or following > due, "else the clock would never stop"

    @invariant()
    def what_is_due_can_be_noted(self):
        for time, fact in deadlines(self.state):
            decide(self.state, fact, time)

    @invariant()
    def legs_fit_the_presence(self):
        for person in self.state.participants.values():
            legs = person.legs
            assert (person.lost_at is not None) >= (person.presence == "lost")
            assert (person.lost_at is not None) <= (person.presence in ("lost", "left", "calling"))
            assert (person.left_at is not None) <= (person.presence in ("left", "calling"))
            assert (person.joined_at is None) == (person.join_order is None)
            assert len({leg.id for leg in legs}) == len(legs)
            uses = [leg.use for leg in legs]
            assert sorted(uses) in ([], ["join"], ["publish"], ["view"], ["publish", "view"])
            match person.presence:
                case "connected":
                    assert any(not leg.lost for leg in legs)
                case "lost":
                    assert all(leg.lost for leg in legs)
                    assert person.lost_at is not None
                case _:
                    assert not legs

    @invariant()
    def counts_add_up(self):
        counts = conference_resource(self.state)["counts"]
        assert sum(counts.values()) == len(self.state.participants)


Meeting.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMeeting = Meeting.TestCase
