from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.store.errors import InvalidRecord
from mcu.store.paging import (
    FIRST,
    MAX_LIMIT,
    page,
    read_cursor,
    read_limit,
    read_number_cursor,
)


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 5))
def test_pages_put_together_are_the_list(items, limit):
    items = sorted(items)
    seen, cursor = [], None
    while True:
        after = read_cursor(cursor)
        found = [item for item in items if item > after][: limit + 1]
        part = page(found, limit, lambda item: item)
        seen += part.items
        cursor = part.next_cursor
        if cursor is None:
            break
    assert seen == items


def test_without_a_cursor():
    assert read_cursor(None) == FIRST
    assert read_number_cursor(None) is None


@pytest.mark.parametrize("cursor", ["!", "abc", "\ud800", "é", "_w=="])
def test_cursors_of_somebody_else(cursor):
    with pytest.raises(InvalidRecord) as caught:
        read_cursor(cursor)
    assert caught.value.field == "cursor"


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text):
    for read in (read_cursor, read_number_cursor):
        with suppress(InvalidRecord):
            read(text)


@pytest.mark.parametrize("key", ["", "x", "-1", "1" * 19, "٣"])
def test_numbers_only(key):
    cursor = page([key, "more"], 1, lambda item: item).next_cursor
    with pytest.raises(InvalidRecord):
        read_number_cursor(cursor)


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_limits(limit):
    with pytest.raises(InvalidRecord):
        read_limit(limit)
