"""What is malformed is named by its path, and the rest is read all the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.api.scenario_reading import read_scenario

GOOD: dict[str, Any] = {
    "name": "Họp", "unit": "tinh", "expected": ["a", "b", "c"],
    "items": [{"title": "Mở", "duration_s": 60}, {"title": "Hỏi", "duration_s": 60}],
}  # fmt: skip


def wrong(**changes: Any) -> tuple[list[str], Any]:
    reading = read_scenario(GOOD | changes)
    return [error.field for error in reading.errors], reading


def test_what_is_well_formed_has_no_errors() -> None:
    fields, reading = wrong()
    assert fields == []
    assert reading.body.name == "Họp"
    assert reading.sent_path("items.1.title") == "$.items[1].title"


@pytest.mark.parametrize("document", [None, 7, [], "x"])
def test_nothing_can_be_read_of_what_is_no_object(document: Any) -> None:
    reading = read_scenario(document)
    assert reading.body is None
    assert [error.field for error in reading.errors] == ["$"]


def test_members_of_lists_keep_their_places() -> None:
    items = [7, {"title": "Mở"}, {"duration_s": "x"}, None, {"title": "Hỏi", "duration_s": 60}]
    fields, reading = wrong(items=items, expected=["a", 5, "b"])
    assert fields == [
        "$.items[0]", "$.items[1].duration_s", "$.items[2].title", "$.items[2].duration_s",
        "$.items[3]", "$.expected[1]",
    ]  # fmt: skip
    assert reading.body.expected == ["a", "b"]
    assert len(reading.body.items) == 3
    assert reading.body.items[2].title == "Hỏi"
    assert reading.sent_path("items.2.title") == "$.items[4].title"
    assert reading.sent_path("expected.1") == "$.expected[2]"


def test_what_has_to_be_there_is_stood_in_for() -> None:
    reading = read_scenario({"unit": 5, "colour": "red", "duties": [{"role": None}]})
    assert [error.field for error in reading.errors] == [
        "$.duties[0].role", "$.duties[0].name", "$.name", "$.unit", "$.colour",
    ]  # fmt: skip
    assert reading.body is not None
    assert reading.malformed("unit")
    assert reading.malformed("name")
    assert not reading.malformed("expected")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(st.fixed_dictionaries(dict.fromkeys(("items", "expected", "duties", "name", "unit"), JSON)))
def test_whatever_is_sent_is_read_or_named(document: dict[str, Any]) -> None:
    reading = read_scenario(document)
    assert reading.body is not None
    assert reading.errors or reading.body.name == document["name"].strip()
