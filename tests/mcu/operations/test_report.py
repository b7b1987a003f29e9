"""A report puts together what is kept, and does not trust what was stored."""

from tests.mcu.operations.province import MINUTES, at, held, report


def test_a_row_for_each_room() -> None:
    found = report()
    rooms = {room.attendance.participant: room for room in found.rooms}
    assert list(rooms) == ["tinh-a", "xa-1-a", "xa-2-a"]
    assert rooms["tinh-a"].attendance.present_s == 590
    assert rooms["tinh-a"].line.heard_s == 42.0
    assert rooms["tinh-a"].line.loss_percent == 0.5
    assert rooms["tinh-a"].line.height == 360
    one = rooms["xa-1-a"]
    assert (one.attendance.present_s, one.attendance.lost_s) == (550, 30)
    assert (one.line.loss_percent, one.line.worst_loss_percent) == (6.0, 20.0)
    assert one.line.height == 0, "sound alone is the smallest"
    assert one.status == "present"
    assert rooms["xa-2-a"].status == "absent"
    assert rooms["xa-2-a"].line.loss_percent is None
    assert rooms["tinh-a"].status is None, "who presides is not called"


def test_minutes_of_the_whole_and_of_each_room() -> None:
    found = report()
    assert [(each.rooms, each.bad, each.loss_percent) for each in found.minutes] == [
        (2, 1, 2.0), (2, 0, 1.0), (2, 1, 4.25),
    ]  # fmt: skip
    assert found.series["xa-1-a"] == (4.0, None, 8.0)
    assert found.series["xa-2-a"] == (None, None, None)


def test_the_agenda_as_it_was_held_and_roll_calls() -> None:
    found = report()
    assert found.agenda is not None
    held_items = [(item["id"], len(item["held"])) for item in found.agenda["items"]]
    assert held_items == [("mo-dau", 1), ("bao-cao", 1), ("be-mac", 0)]
    assert [each["state"] for each in found.roll_calls] == ["signed"]


def test_it_ends_with_the_conference_or_now() -> None:
    state, _ = held()
    assert report().until == state.ended_at == at(600)


def test_damaged_readings_are_not_known() -> None:
    broken = [
        (at(0), {"tinh-a": {"loss_percent": "viel", "heard_s": None}, "xa-1-a": [1]}),
        (at(60), {"tinh-a": {"loss_percent": float("nan"), "heard_s": 3}}),
        *MINUTES[2:],
    ]
    found = report(minutes=broken)
    first = found.rooms[0]
    assert (first.line.loss_percent, first.line.heard_s) == (0.5, 3.0)
    assert found.minutes[0].rooms == 1
