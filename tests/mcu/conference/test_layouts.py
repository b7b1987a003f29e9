import pytest

from mcu.conference.layouts import checked_layout, checked_slots
from mcu.conference.state import Refused
from mcu.engine.plan import (
    EmptySlot,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    SpeakerSlot,
)
from mixer.video.layout import LAYOUTS
from tests.mcu.conference.meeting import meeting

EMPTY = EmptySlot()


def test_every_layout_has_a_name_that_is_taken():
    assert [checked_layout(name, "layout") for name in ("auto", *LAYOUTS)] == ["auto", *LAYOUTS]


def test_an_unknown_one_is_answered_with_all_names():
    with pytest.raises(Refused) as caught:
        checked_layout("4x5", "layout")
    assert all(name in caught.value.reason for name in LAYOUTS)


@pytest.mark.parametrize(
    ("slots", "field"),
    [
        ((EMPTY,) * 3, "slots"),
        ((EMPTY,) * 5, "slots"),
        ((EMPTY, EMPTY, EMPTY, ParticipantSlot("x")), "slots.3.participant"),
        ((ParticipantSlot("b0"), EMPTY, ParticipantSlot("b0"), EMPTY), "slots.2.participant"),
        ((SpeakerSlot(0), EMPTY, EMPTY, EMPTY), "slots.0.speaker"),
        ((SpeakerSlot(5), EMPTY, EMPTY, EMPTY), "slots.0.speaker"),
        ((PollingSlot(1.0, ()), EMPTY, EMPTY, EMPTY), "slots.0.polling.interval_s"),
        ((PollingSlot(float("inf"), ()), EMPTY, EMPTY, EMPTY), "slots.0.polling.interval_s"),
        ((PollingSlot(5, ("b0", "x")), EMPTY, EMPTY, EMPTY), "slots.0.polling.participants.1"),
    ],
)
def test_refusals_name_the_slot(slots, field):
    with pytest.raises(Refused) as caught:
        checked_slots(meeting(2), "2x2", slots)
    assert caught.value.field == field


def test_the_count_is_said():
    with pytest.raises(Refused, match="1\\+7 has 8 slots, not 2"):
        checked_slots(meeting(), "1+7", (EMPTY, EMPTY))


def test_auto_takes_no_slots():
    with pytest.raises(Refused, match="leave slots out"):
        checked_slots(meeting(), "auto", (EMPTY,))


def test_one_participant_may_be_polled_and_have_a_slot():
    slots = (ParticipantSlot("b0"), PollingSlot(5, ("b0", "b1")), PresentationSlot(), EMPTY)
    assert checked_slots(meeting(2), "2x2", slots) == slots
