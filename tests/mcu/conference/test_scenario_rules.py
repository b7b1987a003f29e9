"""What may be wrong with a scenario; the answers over HTTP are tested with the resource."""

from dataclasses import replace

import pytest

from mcu.conference.scenario import AgendaItem, Duty, ItemPolling, Scenario
from mcu.conference.scenario_rules import (
    MAX_ITEMS,
    Registry,
    faults,
    named_bridges,
)

REGISTRY = Registry({"a", "b", "c"}, ("a", "b"), {"xa"})
GOOD = Scenario(
    "Họp", "tinh", ("a", "b"), "a", "2x2",
    items=(
        AgendaItem("1", "Mở", 600),
        AgendaItem("2", "Nghỉ", 600, starts_s=900),
        AgendaItem("3", "Hỏi", 60, speaker="b", unmuted=("chair", "all", "a"), presentation="a",
                   polling=ItemPolling("xa")),
    ),
    duties=(Duty("Trực", "A", "+84 (0258) 38-22.111"), Duty("Trực", "B", "113", "b")),
)  # fmt: skip


def fields(scenario, registry=REGISTRY):
    return [fault.field for fault in faults(scenario, registry)]


def test_a_good_one_has_no_fault():
    assert fields(GOOD) == []
    assert named_bridges(GOOD) == {"a", "b"}


def test_of_a_subtree_its_bridges_are_expected():
    whole = replace(GOOD, expected=None)
    assert fields(whole) == []
    beside = replace(whole, items=(AgendaItem("1", "Mở", 60, speaker="c"),))
    (fault,) = faults(beside, REGISTRY)
    assert (fault.field, "not among the expected" in fault.message) == ("items.0.speaker", True)


@pytest.mark.parametrize(
    ("items", "wrong"),
    [
        ((AgendaItem("1", "A", 9),), ["items.0.duration_s"]),
        ((AgendaItem("1", "A", 86_401),), ["items.0.duration_s", "items"]),
        ((AgendaItem("1", "A", 50_000), AgendaItem("2", "B", 50_000)), ["items"]),
        ((AgendaItem("1", "A", 600), AgendaItem("2", "B", 60, starts_s=599)), ["items.1.starts_s"]),
        (
            (
                AgendaItem("1", "A", 600),
                AgendaItem("2", "B", 60, starts_s=0),
                AgendaItem("3", "C", 60),
            ),
            ["items.1.starts_s", "items.2.starts_s"],
        ),
        ((AgendaItem("1", "A", 60), AgendaItem("1", "B", 60)), ["items.1.id"]),
        ((AgendaItem("1", "Báo cáo", 60), AgendaItem("2", "BÁO CÁO", 60)), ["items.1.title"]),
        (
            (AgendaItem("1", "A", 60, speaker="a"), AgendaItem("2", "A", 60, speaker="b")),
            [],
        ),
        (
            tuple(AgendaItem(f"{n}", f"{n}", 10) for n in range(MAX_ITEMS + 1)),
            ["items"],
        ),
    ],
)
def test_times_and_doubles(items, wrong):
    assert fields(replace(GOOD, items=items)) == wrong


@pytest.mark.parametrize("phone", ["", "gọi", "12", "1234567890123456", "+", "++84905", "0905x"])
def test_phones_that_cannot_be_dialled(phone):
    assert fields(replace(GOOD, duties=(Duty("Trực", "A", phone),))) == ["duties.0.phone"]
