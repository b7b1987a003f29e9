"""What is wrong with the form of an input: pydantic's kinds of errors as sentences of this API.

The kinds are pydantic's and change with it; the codes are ours and do not. Several kinds mean the
same to who filled in a form, and have one code.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

from mcu.api.schemas.base import in_words
from mcu.sentences import Sentence, Value, sentence

CODES: Final[Mapping[str, str]] = {
    "string_too_short": "form.too-short",
    "string_too_long": "form.too-long",
    "too_short": "form.too-few",
    "too_long": "form.too-many",
    "greater_than_equal": "form.least",
    "less_than_equal": "form.most",
    "greater_than": "form.above",
    "less_than": "form.below",
    "literal_error": "form.one-of",
    "enum": "form.one-of",
    "int_type": "form.whole",
    "int_parsing": "form.whole",
    "int_parsing_size": "form.whole",
    "int_from_float": "form.whole",
    "float_type": "form.number",
    "float_parsing": "form.number",
    "finite_number": "form.number",
    "bool_type": "form.yes-no",
    "bool_parsing": "form.yes-no",
    "string_type": "form.text",
    "string_unicode": "form.text",
    "list_type": "form.list",
    "tuple_type": "form.list",
    "set_type": "form.list",
    "frozen_set_type": "form.list",
    "datetime_type": "form.time",
    "datetime_parsing": "form.time",
    "datetime_from_date_parsing": "form.time",
    "datetime_object_invalid": "form.time",
    "timezone_naive": "form.time",
    "timezone_aware": "form.time",
}
"""By pydantic's type; its message is the English."""

OTHER: Final = "form.value"
"""The code of what is none of these."""

_PARAMS: Final[Mapping[str, str]] = {
    "min_length": "least",
    "max_length": "most",
    "ge": "least",
    "le": "most",
    "gt": "above",
    "lt": "below",
    "expected": "expected",
}


def error_message(item: ErrorDetails) -> str:
    """What an error of pydantic says to people, who do not read regular expressions."""
    kind = item["type"]
    context: Mapping[str, Any] = item.get("ctx", {})
    if kind == "extra_forbidden":
        return sentence("unknown-field")
    if kind == "missing":
        return sentence("form.missing")
    if kind == "string_pattern_mismatch":
        return in_words(context["pattern"])
    if kind == "value_error":
        return _told(context.get("error"), item["msg"].removeprefix("Value error, "))
    if kind == "string_too_short" and context.get("min_length") == 1:
        return Sentence(item["msg"], "form.missing", {})
    params: dict[str, Value] = {
        _PARAMS[name]: value
        for name, value in context.items()
        if name in _PARAMS and isinstance(value, str | int | float)
    }
    return Sentence(item["msg"], CODES.get(kind, OTHER), params)


def _told(error: object, message: str) -> str:
    """What a validator of ours said, with its code."""
    told = error.args[0] if isinstance(error, ValueError) and error.args else None
    return told if isinstance(told, Sentence) else Sentence(message, OTHER, {})
