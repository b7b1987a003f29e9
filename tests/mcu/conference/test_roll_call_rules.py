"""What a roll call marks by itself, a moment at a time."""

from mcu.conference.commands import NoteJoined
from mcu.conference.roll_call_model import ExpectedRoom, RollCall, RollCallMark
from mcu.conference.roll_call_rules import arrived, missing, too_late
from tests.mcu.conference.meeting import NOW, after, ids, meeting, then

MADE = RollCall(1, "presence", NOW, tuple(ExpectedRoom(id_, id_) for id_ in ids(3)), due=after(60))


def statuses(events):
    return [(mark.entry, mark.participant, mark.status) for event in events for mark in event.marks]


def test_who_comes_is_in_time_until_the_very_moment():
    state = meeting(3, joined=["b1"])
    assert statuses(arrived(state, MADE, after(60))) == [(1, "b1", "present")]
    assert statuses(arrived(state, MADE, after(60.001))) == [(1, "b1", "late")]
    assert statuses(arrived(state, MADE, after(99), begins=True)) == [(1, "b1", "present")]
    assert arrived(meeting(3), MADE, NOW) == []


def test_many_at_once_are_one_event():
    state = then(meeting(3), *(NoteJoined(id_, id_) for id_ in ids(3)))
    (event,) = arrived(state, MADE, NOW)
    assert [mark.entry for mark in event.marks] == [1, 2, 3]


def test_who_has_not_come_is_absent_once():
    assert too_late(MADE, after(59)) == []
    assert statuses(too_late(MADE, after(60))) == [
        (1, "b0", "absent"), (2, "b1", "absent"), (3, "b2", "absent"),
    ]  # fmt: skip
    (event,) = too_late(MADE, after(60))
    marked = RollCall(1, "presence", NOW, MADE.expected, due=after(60), marks=event.marks)
    assert too_late(marked, after(61)) == []
    assert missing(marked) == []


def test_what_an_operator_has_said_stands():
    said = RollCallMark(1, "b1", "absent", NOW, "operator", "An")
    found = RollCall(1, "presence", NOW, MADE.expected, due=after(60), marks=(said,))
    assert arrived(meeting(3, joined=["b1"]), found, NOW) == []
    assert [each.participant for each in missing(found)] == ["b0", "b2"]
