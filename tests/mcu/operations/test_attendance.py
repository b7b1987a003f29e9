"""Who was here and when, out of events: losses, returns, the floor, calls that failed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcu.conference.alarm_model import AlarmCleared, AlarmKind, AlarmRaised, ConferenceAlarm
from mcu.conference.events import (
    ConferenceEnded,
    ConferenceStarted,
    Event,
    ParticipantAdded,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantLost,
    ParticipantRemoved,
    ParticipantReturned,
)
from mcu.conference.floor_model import (
    FloorEnded,
    FloorGranted,
    FloorHolder,
    FloorInterrupted,
    FloorResumed,
)
from mcu.conference.state import Participant
from mcu.operations.attendance import Attendance, Fault, Happened, attend

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
A, B = (
    Participant(name, name, label, order, bridge=f"cau-{name}", unit="xa")
    for order, (name, label) in enumerate((("a", "Xã A"), ("b", "Xã B")))
)
START = ConferenceStarted("hop", "Họp", "tinh", None, "auto", (A, B), NOW)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def told(*events: tuple[float, Event], until: float = 1000.0) -> tuple[dict[str, Any], list[Fault]]:
    happened = [Happened(NOW, START), *(Happened(at(time), event) for time, event in events)]
    rows, faults = attend(happened, at(until))
    return {row.participant: row for row in rows}, faults


def test_times_present_and_lost_add_up() -> None:
    rows, faults = told(
        (10, ParticipantJoined(A, "l1")),
        (60, ParticipantLost(A)),
        (90, ParticipantReturned(A)),
        (200, ParticipantLost(A)),
        (230, ParticipantJoined(A, "l2")),
        (400, ConferenceEnded("over", at(400))),
    )
    assert rows["a"] == Attendance(
        "a", "Xã A", "xa", "cau-a", at(10), None, 50 + 110 + 170, 60, 2, 0
    )
    assert rows["b"].first_joined_at is None
    assert rows["b"].present_s == 0
    assert faults == [
        Fault("lost", "a", "Xã A", at(60), at(90)),
        Fault("lost", "a", "Xã A", at(200), at(230)),
    ]


def test_nobody_is_present_while_there_is_no_server() -> None:
    rows, faults = told(
        (10, ParticipantJoined(A, "l1")),
        (900, ParticipantLost(replace(A, lost_at=at(300)))),
        (930, ParticipantJoined(A, "l2")),
        (1000, ConferenceEnded("over", at(1000))),
    )
    assert (rows["a"].present_s, rows["a"].lost_s, rows["a"].lost_count) == (290 + 70, 630, 1)
    assert faults == [Fault("lost", "a", "Xã A", at(300), at(930))]


def test_who_is_lost_and_goes_did_not_come_back() -> None:
    rows, faults = told(
        (0, ParticipantJoined(A, "l")),
        (50, ParticipantLost(A)),
        (110, ParticipantLeft(A, "lost")),
        (300, ConferenceEnded("over", at(300))),
    )
    assert (rows["a"].present_s, rows["a"].lost_s) == (50, 60)
    assert rows["a"].last_left_at == at(110)
    assert faults == [Fault("lost", "a", "Xã A", at(50), None)]


def test_who_is_lost_and_taken_for_gone_may_come_back_all_the_same() -> None:
    """A software room says goodbye to a leg that it has lost, and joins anew."""
    rows, faults = told(
        (0, ParticipantJoined(A, "l")),
        (50, ParticipantLost(A)),
        (75, ParticipantLeft(A, "bye")),
        (115, ParticipantJoined(A, "m")),
        (300, ConferenceEnded("over", at(300))),
    )
    assert (rows["a"].present_s, rows["a"].lost_s, rows["a"].lost_count) == (235, 65, 1)
    assert faults == [Fault("lost", "a", "Xã A", at(50), at(115))]


def test_who_is_taken_off_the_roster_is_not_missed() -> None:
    rows, faults = told(
        (0, ParticipantJoined(A, "l")),
        (50, ParticipantLost(A)),
        (75, ParticipantRemoved(A)),
        (115, ParticipantAdded(A)),
        (120, ParticipantJoined(A, "m")),
        until=200,
    )
    assert (rows["a"].present_s, rows["a"].lost_s) == (130, 25)
    assert faults == [Fault("lost", "a", "Xã A", at(50), None)]


def test_who_leaves_by_itself_is_named_with_the_reason_and_may_come_again() -> None:
    rows, faults = told(
        (0, ParticipantJoined(A, "l")),
        (30, ParticipantLeft(A, "hung up")),
        (60, ParticipantJoined(A, "m")),
        until=100,
    )
    assert rows["a"].present_s == 70
    assert rows["a"].last_left_at is None, "it is here again"
    assert faults == [Fault("left", "a", "Xã A", at(30), None, "hung up")]


def test_while_it_runs_who_is_here_counts_until_now() -> None:
    rows, _ = told((40, ParticipantJoined(B, "l")), until=100)
    assert rows["b"].present_s == 60


def test_added_renamed_and_removed() -> None:
    guest = Participant("g", "Khách", "Khách", 2)
    named = replace(guest, label="Sở Y tế")
    rows, faults = told(
        (10, ParticipantAdded(guest)),
        (20, ParticipantJoined(guest, "l")),
        (30, ParticipantChanged(named)),
        (50, ParticipantRemoved(named)),
        (60, ConferenceEnded("over", at(60))),
    )
    assert (rows["g"].label, rows["g"].present_s) == ("Sở Y tế", 30)
    assert faults == [], "an operator's act is no fault"


def test_a_call_that_fails_alike_again_and_again_is_one_fault() -> None:
    busy, alone = replace(A, call_failure="busy"), replace(A, call_failure="no_answer")
    _, faults = told(
        (5, ParticipantChanged(busy)), (20, ParticipantChanged(busy)),
        (40, ParticipantChanged(alone)), (60, ParticipantJoined(A, "l")),
    )  # fmt: skip
    assert [(fault.detail, fault.at) for fault in faults] == [
        ("busy", at(5)), ("no_answer", at(40)),
    ]  # fmt: skip


def test_the_floor_counts_without_interruptions() -> None:
    holder = FloorHolder("a", at(10))
    rows, _ = told(
        (0, ParticipantJoined(A, "l")),
        (10, FloorGranted(holder)),
        (40, FloorInterrupted(holder)),
        (100, FloorResumed(holder)),
        (120, FloorGranted(replace(holder, limit_s=60.0))),
        (150, FloorEnded("a", "over", at(150))),
        (200, FloorGranted(FloorHolder("b", at(200)))),
        (230, ConferenceEnded("over", at(230))),
    )
    assert rows["a"].floor_s == 30 + 50
    assert rows["b"].floor_s == 30, "to the end"


def test_alarms_are_faults_while_they_last_and_a_lost_signal_is_told_once() -> None:
    def alarm(number: int, kind: AlarmKind, since: float, **detail: float) -> AlarmRaised:
        raised = ConferenceAlarm(number, "a", kind, "major", at(since), at(since + 5), detail)
        return AlarmRaised(raised)

    _, faults = told(
        (0, ParticipantJoined(A, "l")),
        (25, alarm(1, "echo", 20, delay_ms=180.0)),
        (40, AlarmCleared(1, "a", "echo", at(40))),
        (50, ParticipantLost(A)),
        (55, alarm(2, "lost", 50)),
        (60, ParticipantReturned(A)),
        (75, alarm(3, "black", 70)),
        (80, AlarmCleared(9, "a", "black", at(80))),
    )
    assert faults == [
        Fault("echo", "a", "Xã A", at(20), at(40), "delay_ms 180.0"),
        Fault("lost", "a", "Xã A", at(50), at(60)),
        Fault("black", "a", "Xã A", at(70), None),
    ]


KINDS = (
    lambda who: ParticipantJoined(who, "l"), ParticipantLost, ParticipantReturned,
    lambda who: ParticipantLeft(who, "gone"), ParticipantRemoved, ParticipantAdded,
    lambda who: FloorGranted(FloorHolder(who.id, NOW)),
    lambda who: FloorEnded(who.id, "over", NOW),
)  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(-50, 500), st.sampled_from(KINDS), st.sampled_from((A, B))),
        max_size=30,
    )
)
def test_whatever_came_in_whatever_order_nobody_was_here_longer_than_it_lasted(
    story: Sequence[tuple[int, Any, Participant]],
) -> None:
    """Also when the clock was set back meanwhile: no time is negative."""
    happened = [Happened(NOW, START), *(Happened(at(t), kind(who)) for t, kind, who in story)]
    rows, faults = attend(happened, at(600))
    turns = sum(
        max(0, b - a)
        for a, b in zip([0, *(t for t, *_ in story)], [*(t for t, *_ in story), 600], strict=True)
    )
    for row in rows:
        assert 0 <= row.present_s + row.lost_s <= turns + 1e-6
        assert 0 <= row.floor_s <= turns + 1e-6
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
