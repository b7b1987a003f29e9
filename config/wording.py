"""The validator's faults in the words of somebody who edits the file."""

import difflib
import re
from collections.abc import Sequence

from pydantic_core import ErrorDetails

from config.installation import ID_PATTERN

_WORDS: tuple[tuple[str, str], ...] = (
    (r"^Field required$", "is missing"),
    (r"^(?:Input|String|Value) should ", "must "),
    (r"^(?:List|Tuple|Dictionary) should ", "must "),
    (r"a valid integer(, unable to parse string as an integer)?", "a whole number"),
    (r"a valid number(, unable to parse string as a number)?", "a number"),
    (r"a valid string", "text"),
    (r"a valid boolean(, unable to interpret input)?", "true or false"),
    (r"a valid (array|tuple|list)", "a list"),
    (r"a valid dictionary or (an )?(object|instance)\b.*", "a mapping of keys to values"),
    (r"an object$", "a mapping of keys to values"),
    (r"a valid (dictionary|mapping|object)", "a mapping of keys to values"),
)

_SHAPES = {ID_PATTERN: "must be small letters and digits, in groups with hyphens between them"}
"""All patterns there are: people do not read regular expressions."""


def wording(details: ErrorDetails) -> str:
    """One fault as a sentence without its key: ``must be a whole number``, ``is missing``."""
    if details["type"] == "string_pattern_mismatch":
        return _SHAPES[details["ctx"]["pattern"]]
    text = details["msg"].removeprefix("Value error, ")
    for pattern, words in _WORDS:
        text = re.sub(pattern, words, text)
    return text[:1].lower() + text[1:]


def unknown_key(name: str, known: Sequence[str]) -> str:
    """``unknown key`` with the one that was probably meant, or all that are known here."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    if near:
        return f"unknown key; the nearest known key is {near[0]}"
    return f"unknown key; known here: {', '.join(known)}" if known else "unknown key"
