"""Ground rules of all bodies: inputs are strict and refuse unknown fields, times are UTC."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from mcu.disguise import disguise_in
from mcu.sentences import sentence

IDENTIFIER_PATTERN: Final = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
MAX_LIST: Final = 5000
"""Longest list in a body: more than all communes of the country after the reorganisation."""


_IN_WORDS: dict[str, str] = {}
OF_NO_WORDS: Final = sentence("form.pattern")


def shape(pattern: str, code: str) -> str:
    """A regular expression for a field, and the sentence for those whose text does not fit it."""
    _IN_WORDS[pattern] = sentence(code)
    return pattern


def in_words(pattern: str) -> str:
    """What a text must be that is to fit a pattern of ``shape``."""
    return _IN_WORDS.get(pattern, OF_NO_WORDS)


def _clean_text(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise ValueError(sentence("blank"))
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in text):
        raise ValueError(sentence("text.characters"))
    disguise = disguise_in(text)
    if disguise is not None:
        raise ValueError(sentence("text.disguise", disguise=disguise))
    return text


def _remark(text: str) -> str:
    return _clean_text(text) if text.strip(" ") else ""


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC with ``Z``; naive times are taken as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(sentence("time-zone"))
    return moment.astimezone(UTC)


Identifier = Annotated[
    str,
    StringConstraints(
        pattern=shape(
            IDENTIFIER_PATTERN,
            "form.id",
        )
    ),
    Field(description="1 to 64 letters, digits, `.`, `_`, `-`", examples=["ba-ria"]),
]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_clean_text),
    Field(description="shown to people; kept in NFC"),
]
Remark = Annotated[str, AfterValidator(_remark)]
"""A text that may be empty."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_clean_text)]
Time = Annotated[
    datetime,
    PlainSerializer(utc_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
FutureTime = Annotated[datetime, AfterValidator(_aware)]


CODE: Final = "names the sentence, for programs: stays when that is worded anew"
PARAMS: Final = "what is filled into the sentence, by name"


class Input(BaseModel):
    """A request body: strict types, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """Query parameters: text that is converted; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Output(BaseModel):
    """A response body; ``from_attributes`` reads the domain's own values."""

    model_config = ConfigDict(
        from_attributes=True, frozen=True, json_schema_serialization_defaults_required=True
    )


Presence = Literal["expected", "calling", "connected", "lost", "left"]
"""How somebody stands who is on a roster."""
Item = TypeVar("Item")


class Page(Output, Generic[Item]):
    """One page of a list; ``next_cursor`` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


class PageQuery(Query):
    """Paging, the same for every list."""

    limit: int = Field(default=100, ge=1, le=500, description="items per page")
    cursor: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="`next_cursor` of the page before; opaque",
    )
