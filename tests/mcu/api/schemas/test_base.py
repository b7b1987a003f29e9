"""Ground rules of all bodies."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mcu.api.schemas.base import FutureTime, Identifier, Name, PageQuery, Text, utc_text
from mcu.store.errors import InvalidRecord
from mcu.store.identifiers import read_id

HANOI = timezone(timedelta(hours=7))


def test_times_are_utc_with_a_zulu() -> None:
    assert utc_text(datetime(2026, 11, 21, 15, tzinfo=HANOI)) == "2026-11-21T08:00:00.000000Z"
    assert utc_text(datetime(2026, 11, 21, 8)) == "2026-11-21T08:00:00.000000Z"
    read = TypeAdapter(FutureTime).validate_python("2026-11-21T15:00:00+07:00")
    assert read == datetime(2026, 11, 21, 8, tzinfo=UTC)
    with pytest.raises(ValidationError, match="time zone"):
        TypeAdapter(FutureTime).validate_python("2026-11-21T15:00:00")


@given(st.text(alphabet="aB9._- \n", max_size=70))
def test_an_id_that_is_taken_here_has_the_form_the_store_takes(text: str) -> None:
    try:
        TypeAdapter(Identifier).validate_python(text)
        here = True
    except ValidationError:
        here = False
    try:
        read_id(text)
        there = True
    except InvalidRecord:
        there = False
    assert here == there


@given(st.text(max_size=20))
def test_names_are_clean_or_refused(text: str) -> None:
    try:
        name = TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return
    assert name == name.strip()
    assert name
    assert name.isprintable() or " " in name or not name.isascii()


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_what_changes_the_order_of_a_text_is_refused_and_named(mark: str) -> None:
    for kind in (Name, Text):
        with pytest.raises(ValidationError, match=rf"U\+{ord(mark):04X}, which changes the order"):
            TypeAdapter(kind).validate_python(f"Xã {mark}evil")


def test_pages_have_a_size() -> None:
    assert PageQuery.model_validate_strings({}).limit == 100
    for limit in ("0", "501", "x", "1.5", ""):
        with pytest.raises(ValidationError):
            PageQuery.model_validate_strings({"limit": limit})
