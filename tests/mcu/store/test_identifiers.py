import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.store.errors import InvalidRecord
from mcu.store.identifiers import RESERVED_IDS, read_id, read_name, read_text


@pytest.mark.parametrize("id_", ["a", "9", "xa-1", "X.a_1", "a" * 64])
def test_good_ids(id_):
    assert read_id(id_) == id_


@pytest.mark.parametrize(
    "id_",
    ["", "-a", "a-", ".", "a b", "a/b", "é", "a" * 65, "guest-1", "a\n", *sorted(RESERVED_IDS)],
)
def test_bad_ids(id_):
    with pytest.raises(InvalidRecord) as caught:
        read_id(id_, "unit")
    assert caught.value.field == "unit"


@given(st.text(max_size=70))
def test_what_is_taken_needs_no_quoting(text):
    try:
        id_ = read_id(text)
    except InvalidRecord:
        return
    assert quote(id_, safe="") == id_


@given(st.text(max_size=220))
def test_names_are_normal_and_bounded(text):
    try:
        name = read_name(text)
    except InvalidRecord:
        return
    assert 1 <= len(name) <= 200
    assert unicodedata.is_normalized("NFC", name)
    assert read_name(name) == name


def test_texts_may_be_empty_but_not_long():
    assert read_text("  ", "address", 5) == ""
    with pytest.raises(InvalidRecord):
        read_text("123456", "address", 5)


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_what_changes_the_order_of_a_text_is_refused(mark):
    with pytest.raises(
        InvalidRecord, match=rf"^The contact.name holds U\+{ord(mark):04X}"
    ) as caught:
        read_text(f"Trực {mark}evil", "contact.name", 50)
    assert caught.value.field == "contact.name"
