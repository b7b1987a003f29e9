import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.conference.state import Refused
from mcu.conference.texts import MAX_NAME, checked_name, checked_text


@given(st.text())
def test_what_is_taken_is_normal_bounded_and_printable(text):
    try:
        taken = checked_text(text, "text", 50)
    except Refused:
        return
    assert len(taken) <= 50
    assert unicodedata.is_normalized("NFC", taken)
    assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in taken)
    assert checked_text(taken, "text", 50) == taken


@pytest.mark.parametrize("name", ["", "  \n", "x" * (MAX_NAME + 1), "a\x00b", "\ud800"])
def test_names_that_are_refused(name):
    with pytest.raises(Refused):
        checked_name(name, "name")


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_what_changes_the_order_of_a_text_is_refused(mark):
    with pytest.raises(Refused, match=rf"^The label holds U\+{ord(mark):04X}, which") as caught:
        checked_text(f"Xã {mark}evil", "label", 50)
    assert caught.value.field == "label"
