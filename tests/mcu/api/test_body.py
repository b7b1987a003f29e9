"""Every invalid input is named by its JSON path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mcu.api.app import ROUTES
from mcu.api.body import MAX_ERRORS, json_path, parse_model
from mcu.api.openapi import openapi_document
from mcu.api.problem import Problem
from mcu.api.schemas.base import OF_NO_WORDS, in_words
from mcu.api.schemas.conference import Mute, NewConference, NewLayout, ParticipantChange
from mcu.api.schemas.registry import NewBridge


def refused(model: type[BaseModel], text: str) -> Problem:
    with pytest.raises(Problem) as caught:
        parse_model(text.encode(), model)
    return caught.value


@pytest.mark.parametrize(
    ("model", "text", "fields"),
    [
        (NewBridge, "{}", ["$.id", "$.name", "$.unit"]),
        (NewConference, '{"name": "a", "unit": "b", "what": 1}', ["$.what"]),
        (NewConference, '{"name": "a", "unit": "b", "a b": 1}', ['$["a b"]']),
        (NewConference, '{"name": 1, "unit": true}', ["$.name", "$.unit"]),
        (NewConference, '{"name": "a", "unit": "b", "layout": "8x8"}', ["$.layout"]),
        (NewConference, '{"name": " \\t", "unit": "b"}', ["$.name"]),
        (NewConference, '{"name": "a\\u0007b", "unit": "b"}', ["$.name"]),
        (NewConference, "[]", ["$"]),
        (NewConference, "null", ["$"]),
        (NewBridge, '{"id": "a", "name": "b", "unit": "c", "importance": "5"}', ["$.importance"]),
        (NewBridge, '{"id": "a", "name": "b", "unit": "c", "importance": 101}', ["$.importance"]),
        (NewBridge, '{"id": "a b", "name": "b", "unit": "-c"}', ["$.id", "$.unit"]),
        (
            NewBridge,
            '{"id": "a", "name": "b", "unit": "c", "contact": {"phone": "x"}}',
            ["$.contact.phone"],
        ),
        (
            NewLayout,
            '{"layout": "1x1", "slots": [{"participant": "a", "speaker": 1}]}',
            ["$.slots[0]"],
        ),
        (NewLayout, '{"layout": "2x2", "slots": [{}, {"speaker": 0}]}', ["$.slots[1].speaker"]),
        (NewLayout, '{"layout": "1x1", "slots": [{"presentation": false}]}',
         ["$.slots[0].presentation"]),
        (ParticipantChange, '{"volume_db": 1e400}', ["$.volume_db"]),
        (ParticipantChange, '{"audio_muted": 1}', ["$.audio_muted"]),
        (Mute, '{"scope": "all", "except": ["a b"]}', ["$.except[0]"]),
    ],
)  # fmt: skip
def test_fields(model: type[BaseModel], text: str, fields: list[str]) -> None:
    problem = refused(model, text)
    assert problem.kind == "invalid-input"
    assert [error.field for error in problem.errors] == fields
    assert all(field in problem.detail for field in fields[:3])


@pytest.mark.parametrize(
    "text", ["", "{", '{"name": "\\ud800"}', "{'name': 1}", "NaN,", "\ufeff{}"]
)
def test_what_is_no_json(text: str) -> None:
    assert refused(NewConference, text).kind == "malformed-request"


def test_bytes_that_are_no_utf_8() -> None:
    with pytest.raises(Problem) as caught:
        parse_model(b'{"name": "\xff\xfe"}', NewConference)
    assert caught.value.kind == "malformed-request"


def test_deep_nesting_is_refused_not_a_crash() -> None:
    assert refused(NewConference, "[" * 100_000).kind == "malformed-request"


def test_the_number_of_errors_is_bounded() -> None:
    slots = ", ".join(['{"speaker": 0}'] * 49)
    text = (
        f'{{"layout": "7x7", "slots": [{slots}], '
        + ", ".join(f'"x{number}": 1' for number in range(100))
        + "}"
    )
    assert len(refused(NewLayout, text).errors) == MAX_ERRORS


def test_names_are_normalised() -> None:
    decomposed = "Bà Rịa"
    body = parse_model(f'{{"name": "  {decomposed} ", "unit": "u"}}'.encode(), NewConference)
    assert body.name == "Bà Rịa"


@given(st.lists(st.integers(0, 9) | st.text(max_size=9), max_size=4))
def test_a_path_is_always_text_on_one_line(location: list[int | str]) -> None:
    path = json_path(tuple(location))
    assert path.startswith("$")
    assert "\n" not in path


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    kind = None
    try:
        parse_model(data, NewBridge)
    except Problem as problem:
        kind = problem.kind
    assert kind in (None, "malformed-request", "invalid-input")


def patterns_in(document: object) -> set[str]:
    """All regular expressions of a schema, and of what stands in it."""
    if isinstance(document, list):
        return set().union(*map(patterns_in, document))
    if not isinstance(document, dict):
        return set()
    own = document.get("pattern")
    found = {own} if isinstance(own, str) else set()
    # Keys of a mapping have theirs in place of a name.
    found |= set(document.get("patternProperties", ()))
    return found.union(*map(patterns_in, document.values()))


def test_nobody_is_shown_a_regular_expression() -> None:
    patterns = patterns_in(openapi_document(ROUTES, "1"))
    patterns.discard("^[!-~]{1,200}$")  # of a header, which is judged elsewhere
    assert len(patterns) > 5
    assert [one for one in patterns if in_words(one) == OF_NO_WORDS] == []
    problem = refused(NewBridge, '{"id": "a b", "name": "b", "unit": "c", "address": "\u00e1"}')
    told = " ".join(error.message for error in problem.errors)
    assert "1 to 64 letters" in told
    assert "visible ASCII characters" in told
    assert "^" not in told
    assert "pattern" not in told
