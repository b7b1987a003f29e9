from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcu.readiness.assessment import Rules
from mcu.readiness.codec import UnreadableEvent, event_of, event_to_json
from mcu.readiness.decide import begin, counts, decide, evolve
from mcu.readiness.measurements import Configuration, Measurements
from mcu.readiness.model import (
    AcceptConfiguration,
    Budget,
    CancelCheck,
    Check,
    CheckBegun,
    CheckEnded,
    CheckRefused,
    Command,
    ConfirmSound,
    Event,
    NoteMeasured,
    NoteRestarted,
    NoteSeen,
    RecheckRoom,
    RoomEntry,
    Seen,
)
from tests.mcu.readiness.test_assessment import GOOD, RECORDED

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
HERE = Seen("connected", "check.1")
AWAY = Seen("absent")
USUAL, STRICT = Budget(), Rules()


def made(
    *bridges: str, budget: Budget = USUAL, rules: Rules = STRICT, important: str = ""
) -> Check:
    rooms = tuple(
        RoomEntry(one, one.upper(), "tinh", "webrtc", importance=int(one == important))
        for one in bridges
    )
    return begin(CheckBegun("check-1", "Giao ban", "tinh", "An", rules, budget, rooms), START)


class Story:
    """A check on which commands are carried out one after the other."""

    def __init__(self, check: Check) -> None:
        self.check = check
        self.now = START
        self.events: list[tuple[datetime, Event]] = []

    def take(self, command: Command, after_s: float = 1.0) -> Sequence[Event]:
        self.now += timedelta(seconds=after_s)
        events = decide(self.check, command, self.now)
        for event in events:
            self.check = evolve(self.check, event, self.now)
            self.events.append((self.now, event))
        return events

    def see(self, after_s: float = 1.0, elsewhere: int = 0, **rooms: Seen) -> Sequence[Event]:
        return self.take(NoteSeen(rooms, elsewhere), after_s)

    def phases(self) -> dict[str, str]:
        return {bridge: room.phase for bridge, room in self.check.rooms.items()}

    def codes(self, bridge: str) -> set[str]:
        return {each.code for each in self.check.rooms[bridge].findings if each.refuses}


def measured_room(story: Story, bridge: str = "a", measured: Measurements = GOOD) -> None:
    story.see(**{bridge: AWAY})
    story.see(**{bridge: HERE})
    story.take(NoteMeasured(bridge, measured, RECORDED))


def test_a_room_goes_its_way() -> None:
    story = Story(made("a"))
    types = [event.type for event in story.see(a=AWAY)]
    types += [event.type for event in story.see(a=HERE)]
    types += [event.type for event in story.take(NoteMeasured("a", GOOD, RECORDED))]
    assert story.phases() == {"a": "confirming"}
    types += [event.type for event in story.take(ConfirmSound("a", True, None, "trực"))]
    assert types == [
        "room.called", "room.reached", "measuring.begun", "room.measured", "sound.confirmed",
        "room.judged", "check.ended",
    ]  # fmt: skip
    assert story.check.rooms["a"].verdict == "go"
    assert (story.check.running, story.check.reason) == (False, "complete")


def test_confirmed_while_it_is_measured_it_is_judged_at_once() -> None:
    story = Story(made("a"))
    story.see(a=AWAY)
    story.see(a=HERE)
    story.take(ConfirmSound("a", True, None, "*5"))
    assert story.take(ConfirmSound("a", True, None, "*5")) == ()
    story.take(NoteMeasured("a", GOOD, RECORDED))
    assert story.check.rooms["a"].verdict == "go"


def test_a_room_that_fails_anyway_is_not_kept_waiting_for_a_word() -> None:
    story = Story(made("a"))
    measured_room(story, measured=Measurements())
    assert story.phases() == {"a": "done"}
    assert story.check.rooms["a"].verdict == "no-go"


def test_a_word_that_does_not_come() -> None:
    story = Story(made("a", budget=Budget(confirm_s=60)))
    measured_room(story)
    story.see(59, a=HERE)
    assert story.phases() == {"a": "confirming"}
    story.see(1, a=HERE)
    assert story.codes("a") == {"unconfirmed"}


def test_who_does_not_come_has_its_reason() -> None:
    story = Story(made("a", budget=Budget(reach_s=60)))
    story.see(a=AWAY)
    story.see(59, a=Seen("absent", cause="busy"))
    assert story.phases() == {"a": "reaching"}
    story.see(1, a=Seen("absent", cause="busy"))
    [finding] = story.check.rooms["a"].findings
    assert finding.text == "could not be reached (busy)"


def test_who_is_elsewhere_is_a_conflict() -> None:
    story = Story(made("a", "b"))
    story.see(a=Seen("busy", "c-1", "Họp tỉnh"), b=HERE)
    [finding] = story.check.rooms["a"].findings
    assert finding.text == "is in the conference Họp tỉnh (c-1): it was not taken out of it"
    assert story.phases()["b"] == "measuring"


def test_taken_by_a_meeting_while_it_is_measured_is_dropped_and_then_a_conflict() -> None:
    story = Story(made("a"))
    story.see(a=AWAY)
    story.see(a=HERE)
    away = Seen("busy", "c-1", "Họp")
    assert [event.type for event in story.see(a=away)] == ["room.dropped"]
    story.see(a=away)
    assert story.codes("a") == {"busy"}


def test_a_second_drop_is_a_fault() -> None:
    story = Story(made("a"))
    story.see(a=HERE)
    story.see(a=AWAY)
    assert story.phases() == {"a": "waiting"}
    story.see(a=HERE)
    story.see(a=AWAY)
    assert story.codes("a") == {"dropped"}


def test_a_measurement_that_comes_too_late_is_left_out() -> None:
    story = Story(made("a"))
    story.see(a=HERE)
    story.see(a=AWAY)
    assert story.take(NoteMeasured("a", GOOD, None)) == ()


def test_what_is_gone_from_the_registry() -> None:
    story = Story(made("a"))
    story.see(a=Seen("gone"))
    assert story.codes("a") == {"gone"}


def test_important_rooms_come_first_and_others_in_order() -> None:
    budget = Budget(measured_at_once=1)
    story = Story(made("a", "b", "c", budget=budget, important="c"))
    story.see(a=HERE, b=HERE, c=HERE)
    assert story.phases() == {"a": "reached", "b": "reached", "c": "measuring"}
    assert story.see(elsewhere=1, a=HERE, b=HERE, c=HERE) == ()


def test_the_time_of_a_check_is_limited() -> None:
    story = Story(made("a", "b", budget=Budget(limit_s=600)))
    measured_room(story, "a")
    story.see(600, a=HERE)
    assert story.check.reason == "time"
    assert story.codes("a") == {"late", "unconfirmed"}
    assert story.codes("b") == {"late"}


def test_cancelled() -> None:
    story = Story(made("a"))
    story.take(CancelCheck("An"))
    assert (story.check.reason, story.codes("a")) == ("cancelled", {"cancelled"})
    assert story.take(CancelCheck("An")) == ()
    assert story.see(a=HERE) == ()


def test_a_restart_begins_anew_with_what_was_under_way() -> None:
    story = Story(made("a", "b", "c"))
    story.see(a=HERE, b=Seen("busy", "c-1", "Họp"), c=AWAY)
    story.take(NoteRestarted(), after_s=500)
    assert story.phases() == {"a": "waiting", "b": "done", "c": "waiting"}
    # The time in which nobody could be checked does not count.
    story.see(300, a=HERE, c=HERE)
    assert story.check.running


def test_one_room_once_more() -> None:
    story = Story(made("a", "b"))
    with pytest.raises(CheckRefused, match="wait for its result"):
        story.take(RecheckRoom("a", "An"))
    story.take(CancelCheck("An"))
    story.take(RecheckRoom("a", "An"), after_s=3_000)
    assert story.check.running
    assert story.check.rooms["a"].verdict is None
    story.see(a=HERE)
    story.take(ConfirmSound("a", True, None, "An"))
    story.take(NoteMeasured("a", GOOD, RECORDED))
    assert (story.check.rooms["a"].verdict, story.check.rooms["b"].verdict) == ("go", "no-go")
    assert story.check.reason == "complete"


def test_what_is_accepted_is_what_was_measured() -> None:
    story = Story(made("a"))
    with pytest.raises(CheckRefused, match="nothing to accept"):
        story.take(AcceptConfiguration("a", "An"))
    story.see(a=HERE)
    story.take(ConfirmSound("a", True, None, "An"))
    now = replace(GOOD, configuration=Configuration("opus", "vp8"))
    story.take(NoteMeasured("a", now, RECORDED))
    assert story.codes("a") == {"changed"}
    story.take(AcceptConfiguration("a", "An"))
    assert (story.check.rooms["a"].verdict, story.codes("a")) == ("go", set())
    assert story.check.rooms["a"].recorded == now.configuration


@pytest.mark.parametrize(
    "command",
    [
        RecheckRoom("x", "An"),
        AcceptConfiguration("x", "An"),
        ConfirmSound("x", True, None, "An"),
    ],
)
def test_a_room_that_is_not_in_the_check(command: Command) -> None:
    with pytest.raises(CheckRefused) as refused:
        decide(made("a"), command, START)
    assert refused.value.field == "bridge"


def test_a_word_after_the_result() -> None:
    story = Story(made("a"))
    story.take(CancelCheck("An"))
    with pytest.raises(CheckRefused, match="re-check"):
        story.take(ConfirmSound("a", True, None, "An"))


@pytest.mark.parametrize("absent", [0, 40, 145])
def test_a_province_is_checked_within_ten_minutes(absent: int) -> None:
    bridges = [f"r{number}" for number in range(145)]
    story = Story(made(*bridges))
    while story.check.running:
        story.see(**{
            one: AWAY if number < absent or story.check.rooms[one].phase == "waiting" else HERE
            for number, one in enumerate(bridges)
        })  # fmt: skip
        for one, room in story.check.rooms.items():
            measured_s = (story.now - room.since).total_seconds()
            if room.phase == "measuring" and measured_s >= USUAL.measure_s:
                story.take(NoteMeasured(one, GOOD, RECORDED), after_s=0)
    took_s = (story.now - START).total_seconds()
    assert story.check.reason == "complete"
    assert took_s < 560
    assert not any("late" in story.codes(one) for one in bridges)


PRESENCES = st.sampled_from([HERE, AWAY, Seen("busy", "c-1", "Họp"), Seen("gone")])
BRIDGES = [f"r{number}" for number in range(6)]
STEPS = st.lists(
    st.one_of(
        st.fixed_dictionaries(dict.fromkeys(BRIDGES, PRESENCES)),
        st.sampled_from(BRIDGES),
        st.tuples(st.sampled_from(BRIDGES), st.booleans()),
        st.just("restart"),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(1, 4))
def test_whatever_happens_the_budget_holds_and_every_room_has_its_result(
    steps: list[object], at_once: int, reached_at_once: int
) -> None:
    budget = Budget(measured_at_once=at_once, reached_at_once=reached_at_once)
    story = Story(made(*BRIDGES, budget=budget))
    for step in steps:
        if isinstance(step, dict):
            story.see(10, **step)
        elif isinstance(step, tuple):
            room = story.check.rooms[step[0]]
            if story.check.running and room.phase != "done":
                story.take(ConfirmSound(step[0], step[1], None, "An"))
        elif step == "restart":
            story.take(NoteRestarted())
        else:
            story.take(NoteMeasured(str(step), GOOD, RECORDED))
        now = counts(story.check)
        assert now["measuring"] <= at_once
        assert now["reaching"] <= reached_at_once
        assert sum(now.values()) == len(BRIDGES)
    story.see(budget.limit_s)
    assert not story.check.running
    assert all(room.verdict and room.findings for room in story.check.rooms.values())
    # What is stored gives the same state again.
    again = made(*BRIDGES, budget=budget)
    for at, event in story.events:
        again = evolve(again, event_of(event.type, event_to_json(event)), at)
    assert again == story.check


def test_a_damaged_event_is_told() -> None:
    with pytest.raises(UnreadableEvent):
        event_of("room.judged", "{}")
    with pytest.raises(UnreadableEvent):
        event_of("room.exploded", "{}")
    assert event_of("check.ended", event_to_json(CheckEnded("time"))) == CheckEnded("time")
