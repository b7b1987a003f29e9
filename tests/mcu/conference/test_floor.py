"""The floor: asked for, given, taken back, out of time, interrupted, and lost with its holder."""

import pytest

from mcu.conference.commands import (
    ChangeConference,
    ChangeParticipant,
    EndConference,
    MuteAll,
    NoteAbsent,
    NoteJoined,
    NoteLeft,
    NoteLost,
    NoteRestarted,
    RemoveParticipant,
    StartConference,
)
from mcu.conference.decide import decide
from mcu.conference.floor_model import (
    IDLE_FLOOR,
    EndFloor,
    FloorEnded,
    FloorRequested,
    FloorWithdrawn,
    GrantFloor,
    InterruptFloor,
    NoteFloorOver,
    RequestFloor,
    ResumeFloor,
    WithdrawFloorRequest,
)
from mcu.conference.resources import conference_resource, event_data
from mcu.conference.state import Refused
from tests.mcu.conference.conftest import OPERATOR
from tests.mcu.conference.meeting import NOW, after, did, ids, meeting, then, types


def muted(count=4):
    """All here, all muted but the chair b0."""
    return then(meeting(count, chair="b0", joined=ids(count)), MuteAll(except_=("chair",)))


def waiting(state):
    return [each.participant for each in state.floor.requests]


def is_muted(state, who):
    return state.participants[who].audio_muted


def test_the_queue_is_in_the_order_of_asking():
    state, events = did(muted(), RequestFloor("b2"), after(1))
    assert events == [FloorRequested("b2", after(1))]
    state = then(state, RequestFloor("b1"), RequestFloor("b3"))
    assert waiting(state) == ["b2", "b1", "b3"]
    assert decide(state, RequestFloor("b2"), NOW) == [], "asking again keeps the place"
    assert [each["place"] for each in conference_resource(state)["floor"]["requests"]] == [1, 2, 3]


def test_withdrawn():
    state = then(muted(), RequestFloor("b2"), RequestFloor("b1"))
    state, events = did(state, WithdrawFloorRequest("b2"))
    assert events == [FloorWithdrawn("b2")]
    assert waiting(state) == ["b1"]
    assert decide(state, WithdrawFloorRequest("b2"), NOW) == []


def test_who_is_not_here_neither_asks_nor_gets_it():
    state = meeting(3, joined=["b0"])
    for command in (RequestFloor("b1"), GrantFloor("b1")):
        with pytest.raises(Refused, match="not connected") as refused:
            decide(state, command, NOW)
        assert refused.value.field is None
    for command in (RequestFloor("nobody"), GrantFloor("nobody")):
        with pytest.raises(Refused) as refused:
            decide(state, command, NOW)
        assert refused.value.field == "participant"


def test_given_to_any_and_unmuted_and_muted_again():
    state = then(muted(), RequestFloor("b2"), RequestFloor("b1"))
    state, events = did(state, GrantFloor("b1", 60))
    assert types(events) == ["floor.granted", "participants.changed"]
    assert waiting(state) == ["b2"]
    assert not is_muted(state, "b1")
    assert event_data(events[0]) == {
        "participant": "b1",
        "since": "2026-11-02T07:30:00.000000Z",
        "until": "2026-11-02T07:31:00.000000Z",
        "time_limit_s": 60,
        "picture": "speaker",
        "interrupted_at": None,
        "left_s": None,
    }
    assert decide(state, GrantFloor("b1", 60), NOW) == []
    state, events = did(state, EndFloor(), after(9))
    assert events[0] == FloorEnded("b1", "revoked", after(9))
    assert is_muted(state, "b1")
    assert state.floor.previous == "b1"
    assert decide(state, EndFloor(), NOW) == []


def test_who_was_heard_before_is_heard_afterwards():
    state = then(meeting(2, joined=ids(2)), GrantFloor("b1"))
    state, events = did(state, EndFloor("b1", "released"))
    assert types(events) == ["floor.ended"]
    assert not is_muted(state, "b1")


def test_muted_by_hand_while_it_spoke_stays_muted():
    state = then(meeting(2, joined=ids(2)), GrantFloor("b1"))
    state = then(state, ChangeParticipant("b1", audio_muted=True), EndFloor())
    assert is_muted(state, "b1")


def test_given_to_another():
    state = then(muted(), GrantFloor("b1"))
    state, events = did(state, GrantFloor("b2", 30))
    assert types(events) == [
        "floor.ended", "participants.changed", "floor.granted", "participants.changed",
    ]  # fmt: skip
    assert events[0].reason == "replaced"
    assert is_muted(state, "b1")
    assert not is_muted(state, "b2")


def test_a_room_gives_back_only_its_own():
    state = then(muted(), GrantFloor("b1"))
    assert decide(state, EndFloor("b2", "released"), NOW) == []
    assert then(state, EndFloor("b1", "released")).floor.holder is None


def test_more_time():
    state = then(muted(), GrantFloor("b1", 60))
    state, events = did(state, GrantFloor("b1", 60), after(30))
    assert types(events) == ["floor.granted"]
    assert state.floor.holder.until == after(90)
    assert state.floor.holder.since == NOW
    assert state.floor.holder.was_muted


@pytest.mark.parametrize("limit", [0, 0.5, 14_401, float("nan")])
def test_times_out_of_range(limit):
    with pytest.raises(Refused) as refused:
        decide(muted(), GrantFloor("b1", limit), NOW)
    assert refused.value.field == "time_limit_s"


def test_out_of_time():
    state = then(muted(), GrantFloor("b1", 60))
    assert decide(state, NoteFloorOver(), after(59)) == []
    state, events = did(state, NoteFloorOver(), after(60))
    assert events[0] == FloorEnded("b1", "expired", after(60))
    assert is_muted(state, "b1")
    assert decide(state, NoteFloorOver(), after(61)) == []
    assert decide(then(muted(), GrantFloor("b1")), NoteFloorOver(), after(10**6)) == []


def test_the_chair_interrupts_and_the_time_stands_still():
    state = then(muted(), ChangeParticipant("b0", audio_muted=True), GrantFloor("b1", 60))
    state, events = did(state, InterruptFloor(), after(20))
    assert types(events) == ["floor.interrupted"] + 2 * ["participants.changed"]
    assert is_muted(state, "b1")
    assert not is_muted(state, "b0")
    assert (state.floor.holder.left_s, state.floor.holder.until) == (40, None)
    assert decide(state, InterruptFloor(), after(21)) == []
    assert decide(state, NoteFloorOver(), after(999)) == []
    state, _ = did(state, ResumeFloor(), after(50))
    assert state.floor.holder.until == after(90)
    assert not is_muted(state, "b1")
    assert is_muted(state, "b0"), "muted as before"
    assert decide(state, ResumeFloor(), after(50)) == []


def test_taken_back_while_it_is_interrupted():
    state = then(meeting(3, chair="b0", joined=ids(3)), MuteAll(("b0",)), GrantFloor("b1", 60))
    state = then(state, InterruptFloor(), EndFloor())
    assert state.floor.holder is None
    assert not is_muted(state, "b1"), "it was heard before it had the floor"
    assert is_muted(state, "b0")


def test_the_chair_takes_the_floor_it_interrupted():
    state = then(muted(), ChangeParticipant("b0", audio_muted=True), GrantFloor("b1"))
    state = then(state, InterruptFloor(), GrantFloor("b0"))
    assert not is_muted(state, "b0")
    assert is_muted(then(state, EndFloor()), "b0")


@pytest.mark.parametrize(
    ("state", "match"),
    [
        (muted(), "Nobody has the floor"),
        (then(meeting(2, joined=ids(2)), GrantFloor("b1")), "Nobody presides"),
        (then(muted(), GrantFloor("b0")), "itself"),
        (then(meeting(2, chair="b0", joined=["b1"]), GrantFloor("b1")), "not connected"),
    ],
)
def test_nobody_to_interrupt(state, match):
    with pytest.raises(Refused, match=match) as refused:
        decide(state, InterruptFloor(), NOW)
    assert refused.value.field is None


@pytest.mark.parametrize(
    "command",
    [
        NoteLeft("b0", "leg-b0"),
        RemoveParticipant("b0"),
        ChangeConference(chair="b3"),
        ChangeParticipant("b0", role="participant"),
    ],
)
def test_an_interruption_ends_with_the_chair(command):
    state = then(muted(), ChangeParticipant("b0", audio_muted=True), GrantFloor("b1", 60))
    state = then(state, InterruptFloor(), command)
    assert state.floor.holder.interrupted_at is None
    assert not is_muted(state, "b1")
    assert "b0" not in state.participants or is_muted(state, "b0")


@pytest.mark.parametrize("command", [NoteLeft("b1", "leg-b1"), RemoveParticipant("b1")])
def test_who_goes_neither_has_it_nor_waits(command):
    state, events = did(then(muted(), GrantFloor("b1")), command)
    assert state.floor.holder is None
    assert FloorEnded("b1", "left", NOW) in events
    assert "b1" not in state.participants or is_muted(state, "b1")
    state, events = did(then(muted(), RequestFloor("b1")), command)
    assert FloorWithdrawn("b1") in events
    assert waiting(state) == []


def test_kept_while_it_is_lost_and_over_when_it_stays_away():
    state = then(muted(), RequestFloor("b2"), GrantFloor("b1", 60), NoteLost("b1", "leg-b1"))
    assert state.floor.holder is not None
    state = then(state, NoteRestarted())
    assert state.floor.holder is not None
    assert waiting(state) == ["b2"]
    state = then(state, NoteJoined("b1", "another"), NoteAbsent("b1"), NoteAbsent("b2"))
    assert state.floor.holder is not None
    assert waiting(state) == []


def test_over_with_the_conference():
    state = then(muted(), RequestFloor("b2"), GrantFloor("b1"), EndConference())
    assert state.floor == IDLE_FLOOR
    assert decide(state, NoteFloorOver(), NOW) == []


async def test_it_ends_by_itself_also_over_a_restart(office, clock):
    died = office.made()
    await died.restore(keep=False)
    state = await died.start(StartConference("Họp", "tinh", "subtree"), OPERATOR)
    for bridge in ("b0", "b1"):
        died.note(state.id, NoteJoined(bridge, f"leg-{bridge}"))
    await died.execute(state.id, MuteAll(), OPERATOR)
    await died.execute(state.id, RequestFloor("b0"), OPERATOR)
    await died.execute(state.id, GrantFloor("b1", 60), OPERATOR)
    assert died.next_timer() == pytest.approx(clock.now() + 60)
    clock.seconds = 20
    async with office.daemon() as conferences:
        again = conferences.get(state.id)
        assert waiting(again) == ["b0"]
        assert again.floor.holder.until == after(60)
        conferences.note(state.id, NoteJoined("b1", "leg-2"))
        clock.seconds = 59
        conferences.handle_timer(clock.now())
        assert conferences.get(state.id).floor.holder is not None
        clock.seconds = 60
        conferences.handle_timer(clock.now())
        ended = conferences.get(state.id)
        assert ended.floor.holder is None
        assert is_muted(ended, "b1")
