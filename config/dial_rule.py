"""One rule of the dial plan: what a device dials, and where that leads.

A pattern is text in which ``{name}`` stands for a part of what was dialled. It is not a regular
expression: nobody who dials can make it slow, and an operator reads it at a glance.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.sections import Section

PLACEHOLDERS = {
    "conference": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "bridge": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "number": r"[0-9]{1,16}",
    "pin": r"[0-9]{4,10}",
    "any": r".{1,128}",
}
"""What may stand for each placeholder: an id, an id, a conference's number, its PIN, anything."""

MAX_DIALLED = 128
"""Characters of a user part that are looked at; a longer one matches nothing."""

MAX_PLACEHOLDERS = 3
"""Of one pattern: what is dialled is tried at each place where one may end."""

_PART = re.compile(r"\{([^{}]*)\}")


def _parts(text: str, allowed: frozenset[str], where: str) -> list[str]:
    names = _PART.findall(text)
    unknown = [name for name in names if name not in allowed]
    if unknown or "{" in _PART.sub("", text) or "}" in _PART.sub("", text):
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS if name in allowed)
        raise ValueError(f"{where} must hold no other placeholders than {known or 'none'}")
    return names


def _pattern(text: str) -> str:
    names = _parts(text, frozenset(PLACEHOLDERS), "a pattern")
    if len(names) != len(set(names)) or len(names) > MAX_PLACEHOLDERS:
        raise ValueError(f"must hold at most {MAX_PLACEHOLDERS} placeholders, all different")
    if not text.isascii() or not text.isprintable() or any(char in " @;?:" for char in text):
        raise ValueError("must be what stands before the @ of an address: ASCII, no space, @ ; ? :")
    return text


class DialRule(Section):
    """What is dialled (before the @), and one of: a conference, a participant, own, refuse."""

    pattern: Annotated[str, Field(min_length=1, max_length=MAX_DIALLED), AfterValidator(_pattern)]
    conference: str | None = None
    participant: str | None = None
    own: Literal[True] | None = None
    refuse: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        given = [self.conference, self.participant, self.own, self.refuse]
        if sum(value is not None for value in given) != 1:
            raise ValueError("takes exactly one of conference, participant, own and refuse")
        found = frozenset(_PART.findall(self.pattern))
        for name, text in (("conference", self.conference), ("participant", self.participant)):
            if text is None:
                continue
            if not text:
                raise ValueError(f"{name} must not be empty")
            _parts(text, found - {"pin"}, f"{name} (out of the pattern {self.pattern!r})")
        return self

    def match(self, dialled: str) -> dict[str, str] | None:
        """What the placeholders stand for in a user part; None where the rule does not fit.

        Cost: at most ``MAX_DIALLED`` squared steps, whatever is dialled.
        """
        if len(dialled) > MAX_DIALLED:
            return None
        found = self._expression.fullmatch(dialled)
        return None if found is None else found.groupdict()

    @property
    def _expression(self) -> "re.Pattern[str]":
        position, expression = 0, ""
        for part in _PART.finditer(self.pattern):
            expression += re.escape(self.pattern[position : part.start()])
            expression += f"(?P<{part[1]}>{PLACEHOLDERS[part[1]]})"
            position = part.end()
        # The module keeps what it has compiled, so this is compiled once.
        return re.compile(expression + re.escape(self.pattern[position:]))


def filled(text: str, found: dict[str, str]) -> str:
    """A target with its placeholders replaced by what was dialled."""
    return _PART.sub(lambda part: found[part[1]], text)
