"""A bridge's month: its rows out of many reports, its totals; months where people live."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mcu.api.schemas.report import BridgeMonth
from mcu.operations.bridge_month import COLUMNS, INCIDENT_COLUMNS, bridge_month, month_of
from tests.mcu.operations.province import INCIDENTS, report

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_its_rows_and_their_sums() -> None:
    one = report()
    other = replace(report(incomplete=("events",)), conference="hop-2", ended_at=None)
    without = replace(one, conference="hop-3", rooms=one.rooms[:1])
    found = bridge_month("xa-1-a", [one, without, other], INCIDENTS)
    month = BridgeMonth.model_validate(json.loads(json.dumps(found)))
    assert [row.conference for row in month.conferences] == ["hop", "hop-2"]
    assert (month.expected, month.attended, month.lost_count) == (2, 2, 2)
    assert (month.present_s, month.lost_s) == (1100, 60)
    assert (month.loss_percent, month.worst_loss_percent) == (6, 20)
    assert (month.round_trip_ms, month.jitter_ms) == (50, 7.5)
    assert [row.incomplete for row in month.conferences] == [False, True]
    assert set(COLUMNS) == set(found["conferences"][0])
    assert [row.incidents for row in month.conferences] == [1, 0]
    [incident] = month.incidents
    assert (incident.title, incident.conference) == (INCIDENTS[0].title, "hop")
    assert (incident.assignee, month.incidents_open) == ("Bình", 1)
    assert set(INCIDENT_COLUMNS) == set(found["incidents"][0]) - {"bridge"}


def test_what_was_done_to_it_in_a_drill_does_not_count() -> None:
    drill = replace(report(), drill=())
    real = replace(report(), conference="hop-2")
    found = bridge_month("xa-1-a", [drill, real], INCIDENTS)
    assert [row["conference"] for row in found["conferences"]] == ["hop-2"]
    assert (found["expected"], found["incidents"], found["incidents_open"]) == (1, [], 0)


def test_expected_and_not_come() -> None:
    found = bridge_month("xa-2-a", [report()])
    assert (found["expected"], found["attended"]) == (1, 0)
    assert (found["loss_percent"], found["worst_loss_percent"]) == (None, None)
    assert found["conferences"][0]["status"] == "absent"


def test_a_long_conference_counts_for_more_than_a_short_one() -> None:
    long, short = (
        replace(report(), rooms=(replace(room, line=replace(room.line, loss_percent=loss)),))
        for room, loss in ((report().rooms[0], 1.0), (report().rooms[0], 9.0))
    )
    (room,) = short.rooms
    brief = replace(room.attendance, present_s=room.attendance.present_s / 3)
    short = replace(short, rooms=(replace(room, attendance=brief),))
    assert bridge_month("tinh-a", [long, short])["loss_percent"] == 3.0


@pytest.mark.parametrize(("year", "month", "days"), [(2026, 2, 28), (2026, 11, 30), (2026, 12, 31)])
def test_a_month_begins_at_midnight_there(year: int, month: int, days: int) -> None:
    found = month_of(year, month, ZONE)
    assert found.begins.astimezone(UTC).hour == 17
    assert (found.ends - found.begins).days == days
    assert found.begins == datetime(year, month, 1, tzinfo=ZONE)


def test_there_is_no_thirteenth_month() -> None:
    with pytest.raises(ValueError, match="month"):
        month_of(2026, 13, ZONE)
