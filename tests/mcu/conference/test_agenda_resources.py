"""The clock of an agenda: planned against actual, and what rooms are told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mcu.conference.agenda_commands import ChangeAgenda, JumpToItem, NextItem, NoteItemOver
from mcu.conference.agenda_resources import (
    agenda_event_data,
    agenda_resource,
    anchor,
    behind_s,
    planned,
)
from mcu.conference.scenario import Agenda, AgendaItem, Contingency, Duty
from tests.mcu.conference.meeting import NOW, after, did, meeting, then

A = AgendaItem("a", "Mở", 300, note="nhắc")
PAUSE = AgendaItem("b", "Nghỉ", 600, starts_s=900)
C = AgendaItem("c", "Kết", 60)


def test_an_item_follows_the_one_before_unless_it_has_a_time():
    assert [(plan.starts_s, plan.ends_s) for plan in planned((A, PAUSE, C))] == [
        (0, 300), (900, 1500), (1500, 1560),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("begins", "began", "counts_from"),
    [
        (None, None, None),
        (None, 60, 60),
        (0, None, 0),
        (0, 600, 0),
        (0, 13 * 3600, 13 * 3600),  # a scenario of last month
        (86_400, 60, 60),
    ],
)
def test_what_planned_times_count_from(begins, began, counts_from):
    agenda = Agenda(
        begins_at=None if begins is None else after(begins),
        began_at=None if began is None else after(began),
    )
    assert anchor(agenda) == (None if counts_from is None else after(counts_from))


def held(*moves, begins_at=NOW):
    """The agenda after moves, each with the second it is made in."""
    state = then(meeting(2), ChangeAgenda((A, PAUSE, C), begins_at=begins_at))
    for second, command in moves:
        state, _ = did(state, command, after(second))
    return state.agenda


@pytest.mark.parametrize(
    ("moves", "now", "late_s"),
    [
        ([], 10, None),
        ([(0, NextItem())], 10, 0),
        ([(120, NextItem())], 130, 120),  # begun late, will end late
        ([(0, NextItem())], 360, 60),  # overruns
        ([(0, NextItem()), (200, NextItem())], 210, -700),  # ahead
        ([(0, NextItem()), (900, NextItem()), (1560, NextItem())], 1561, 60),
        ([(0, JumpToItem("c")), (60, NextItem())], 70, None),  # finished
    ],
)
def test_how_far_behind(moves, now, late_s):
    assert behind_s(held(*moves), after(now)) == late_s


def test_the_resource_has_planned_and_actual_times():
    agenda = held((30, NextItem()), (400, NextItem()))
    shown = agenda_resource(agenda, after(500))
    first, second, third = shown["items"]
    assert (first["planned_start"], first["planned_end"]) == (
        "2026-11-02T07:30:00.000000Z", "2026-11-02T07:35:00.000000Z",
    )  # fmt: skip
    assert first["held"][0]["ended_at"] == "2026-11-02T07:36:40.000000Z"
    assert second["held"][0]["ended_at"] is None
    assert third["held"] == []
    assert (shown["state"], shown["current"]) == ("running", "b")
    waiting = agenda_resource(held(begins_at=None), NOW)
    assert (waiting["state"], waiting["items"][0]["planned_start"]) == ("waiting", None)


def test_events_tell_rooms_no_phones_and_no_notes():
    duties = (Duty("Trực", "A", "0905123456"),)
    state, events = did(
        meeting(2), ChangeAgenda((A,), duties, (Contingency("mất điện", "máy phát"),))
    )
    state, moved = did(state, NextItem())
    _, over = did(state, NoteItemOver(), NOW + timedelta(seconds=300))
    shown = [agenda_event_data(event) for event in (*events, *moved, *over)]
    assert shown == [
        {"items": 1},
        {"item": "a", "title": "Mở", "missing": []},
        {"item": "a", "title": "Mở"},
    ]
    assert replace(A, note="") == replace(state.agenda.item, note="")
