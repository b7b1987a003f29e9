"""Who came after units that were merged, split or deleted."""

from datetime import UTC, datetime

import pytest

from mcu.store.unit_history import FormerUnit, living_successors

AT = datetime(2026, 7, 1, tzinfo=UTC)


def ended(unit, change, successor=None, *parts):
    return FormerUnit(unit, unit, "commune", successor, AT, change, parts)


FORMER = {
    each.id: each
    for each in (
        ended("a", "merged", "b"),
        ended("b", "merged", "c"),
        ended("h", "split", "tinh", "bac", "nam"),
        ended("nam", "merged", "a"),
        ended("k", "split", "tinh", "a", "b"),
        ended("d", "deleted", "tinh"),
        ended("e", "merged", "d"),
        ended("round", "merged", "about"),
        ended("about", "merged", "round"),
        ended("m", "split", "tinh"),
    )
}


@pytest.mark.parametrize(
    ("unit", "after"),
    [
        ("a", ("c",)),
        ("h", ("bac", "c")),
        ("k", ("c",)),
        ("d", ()),
        ("e", ()),
        ("round", ()),
        ("m", ("tinh",)),
        ("living", ("living",)),
    ],
)
def test_the_living_that_came_after(unit, after):
    assert living_successors(unit, FORMER) == after
