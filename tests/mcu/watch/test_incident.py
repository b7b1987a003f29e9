"""What happens to an incident: entries that only grow, state and assignee that follow."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcu.conference.state import Refused
from mcu.watch.incident import (
    MAX_ENTRIES,
    AssignIncident,
    CloseIncident,
    CommentIncident,
    Incident,
    IncidentCommand,
    IncidentEntry,
    ReopenIncident,
    decide_incident,
    entry_from_json,
    entry_to_json,
    evolve_incident,
)

NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
OPENED = Incident("i-1", "tinh", "Vọng tiếng", "critical", (IncidentEntry(NOW, "Lan", "opened"),))


def then(incident: Incident, *commands: IncidentCommand) -> Incident:
    for number, command in enumerate(commands, 1):
        at = NOW + timedelta(minutes=number)
        incident = evolve_incident(incident, decide_incident(incident, command, "Minh", at))
    return incident


def test_opened_assigned_commented_closed() -> None:
    assert (OPENED.state, OPENED.assignee, OPENED.opened_by) == ("open", None, "Lan")
    after = then(OPENED, AssignIncident("Hùng"), CommentIncident("gọi"), CloseIncident("xong"))
    assert (after.state, after.assignee, after.version) == ("closed", "Hùng", 4)
    assert after.closed_at == NOW + timedelta(minutes=3)
    assert [one.kind for one in after.entries] == ["opened", "assigned", "commented", "closed"]
    said_later = then(after, CommentIncident("đã thay micro"))
    assert (said_later.state, said_later.closed_at) == ("closed", after.closed_at)


def test_opened_again_and_given_to_nobody() -> None:
    after = then(OPENED, AssignIncident("Hùng"), CloseIncident(), ReopenIncident("lại vọng"))
    assert (after.state, after.closed_at) == ("open", None)
    assert then(after, AssignIncident("")).assignee is None


def test_what_is_so_already_changes_nothing() -> None:
    closed = then(OPENED, CloseIncident())
    assert then(closed, CloseIncident("một lần nữa")) == closed
    assert then(OPENED, ReopenIncident(), AssignIncident("")) == OPENED


def test_a_closed_one_is_not_assigned_and_entries_are_bounded() -> None:
    with pytest.raises(Refused, match="reopen"):
        then(OPENED, CloseIncident(), AssignIncident("Hùng"))
    full = replace(OPENED, entries=OPENED.entries * MAX_ENTRIES)
    with pytest.raises(Refused, match="at most"):
        then(full, CommentIncident("x"))


def test_entries_survive_json() -> None:
    for entry in then(OPENED, AssignIncident("Hùng"), CloseIncident("x")).entries:
        assert entry_from_json(entry_to_json(entry)) == entry
