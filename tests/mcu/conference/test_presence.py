"""The table is complete, and the diagram is the table."""

from itertools import product
from typing import get_args

import pytest

from mcu.conference.presence import (
    PRESENCES,
    TRANSITIONS,
    Fact,
    diagram,
    holds_tile,
    next_presence,
)
from mcu.engine.plan import Presence

DIAGRAM = """\
stateDiagram-v2
    [*] --> expected
    expected --> calling: called
    expected --> connected: joined
    calling --> connected: joined
    calling --> expected: call_failed
    calling --> left: left
    connected --> connected: joined
    connected --> lost: lost
    connected --> left: left
    connected --> lost: restarted
    lost --> connected: joined
    lost --> connected: returned
    lost --> left: left
    left --> calling: called
    left --> connected: joined
"""


def test_every_presence_is_known_to_the_plan():
    assert get_args(Presence) == PRESENCES


def test_the_diagram_is_drawn_from_the_table():
    assert diagram() == DIAGRAM


@pytest.mark.parametrize(("presence", "fact"), list(product(PRESENCES, get_args(Fact))))
def test_a_pair_that_is_not_in_the_table_changes_nothing(presence, fact):
    assert next_presence(presence, fact) == TRANSITIONS.get((presence, fact), presence)


def test_whoever_joins_is_connected_from_everywhere():
    assert {next_presence(presence, "joined") for presence in PRESENCES} == {"connected"}


def test_nobody_is_lost_who_was_not_connected():
    lost_from = {before for (before, _), after in TRANSITIONS.items() if after == "lost"}
    assert lost_from == {"connected"}


def test_only_leaving_and_being_on_the_roster_gives_a_tile_away():
    assert {presence for presence in PRESENCES if holds_tile(presence)} == {"connected", "lost"}


def test_every_presence_can_be_reached():
    reached = {"expected"}
    for _ in PRESENCES:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(PRESENCES)
