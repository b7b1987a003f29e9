"""If-Match as this API means it: tags name the version of what a client can change.

A tag is the record's version number. It says nothing of readings (levels, quality) that stand in
the same body, so it is a weak validator in the sense of RFC 9110 section 8.8.1, sent without
``W/`` because If-Match would otherwise never match; ``W/"7"`` is accepted for ``"7"``.

What is a part of a conference and has no number of its own (floor, polling, a roll call) is tagged
by its content, so that it keeps its tag whatever else happens in the conference.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from mcu.api.problem import FieldError, Problem

TAG_DIGITS: Final = 16
"""Of a content's SHA-256, hexadecimal: nobody makes two contents on purpose, 64 bits suffice."""

MAX_IF_MATCH: Final = 200
_TAG: Final = re.compile(r'\s*(?:W/)?"([!#-~\x80-\xff]*)"\s*(?:,|$)')


def content_tag(content: Any) -> str:
    """The tag of what has no version: equal for equal JSON. Cost: O(content)."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:TAG_DIGITS]


def read_if_match(headers: Sequence[str]) -> frozenset[str] | None:
    """The tags of all If-Match headers; None when there is none, or ``*``.

    Raises:
        Problem: malformed-request for what is no list of entity tags.
    """
    text = ", ".join(headers).strip()
    if text in ("", "*"):
        return None
    if len(text) > MAX_IF_MATCH:
        raise Problem(
            "malformed-request",
            f"If-Match is longer than {MAX_IF_MATCH} characters; give the one ETag that was read.",
            errors=[FieldError("header.If-Match", "is too long")],
        )
    tags: set[str] = set()
    position = 0
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None:
            raise Problem(
                "malformed-request",
                'If-Match must be * or tags such as "7", as ETag gave them.',
                errors=[FieldError("header.If-Match", "is not a list of entity tags")],
            )
        tags.add(match[1])
        position = match.end()
    return frozenset(tags)
