"""Every refusal this API gives, as problem details (RFC 9457).

One table names each kind of problem once: handlers raise ``Problem(kind, detail)``, the error
middleware answers it, and the OpenAPI document lists it. ``detail`` says what went wrong and what
to do next; ``errors`` holds one entry per invalid input. Where the sentence is one that operators
meet, ``code`` and ``params`` stand beside it (``mcu/sentences.py``), from which a client makes the
same sentence in another language.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from mcu.api.schemas.base import CODE, PARAMS
from mcu.sentences import of, sentence

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:mcu:problem:"

Kind = Literal[
    "malformed-request",
    "unauthenticated",
    "forbidden",
    "csrf",
    "not-found",
    "method-not-allowed",
    "not-acceptable",
    "conflict",
    "not-a-drill",
    "precondition-failed",
    "too-large",
    "unsupported-media-type",
    "invalid-input",
    "idempotency-key-reused",
    "offer-refused",
    "upgrade-required",
    "precondition-required",
    "rate-limited",
    "internal-error",
    "unavailable",
]

KINDS: Final[Mapping[Kind, tuple[int, str]]] = {
    "malformed-request": (400, "The request cannot be read"),
    "unauthenticated": (401, "A valid access token is needed"),
    "forbidden": (403, "This token may not do that"),
    "csrf": (403, "The request did not come from this site's pages"),
    "not-found": (404, "No such resource"),
    "method-not-allowed": (405, "This method is not for this address"),
    "not-acceptable": (406, "None of the accepted formats can be given"),
    "conflict": (409, "The present state does not allow it"),
    "not-a-drill": (409, "The conference is not a drill"),
    "precondition-failed": (412, "The resource has changed in between"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body's content type is not accepted here"),
    "invalid-input": (422, "Some inputs are not valid"),
    "idempotency-key-reused": (422, "The idempotency key belongs to another request"),
    "offer-refused": (422, "The offer cannot be answered"),
    "upgrade-required": (426, "Another protocol is needed here"),
    "precondition-required": (428, "The request must be conditional"),
    "rate-limited": (429, "Too many requests"),
    "internal-error": (500, "The server failed"),
    "unavailable": (503, "Not available at the moment"),
}
"""Status and title of each kind; the type is ``urn:mcu:problem:<kind>``."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid input.

    Args:
        field: a JSON path into the body (``$.slots[0].participant``), ``query.limit``,
            ``header.If-Match``, ``path.view``, or ``line 7`` of an imported table.
        message: what is wrong with it and what is accepted.
    """

    field: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """The entry as clients get it, with what other languages are made of."""
        return {"field": self.field, "message": self.message} | of(self.message)


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """A refusal, raised anywhere below the error middleware.

    Args:
        kind: a key of ``KINDS``. detail: what happened and what to do next, for people.
        errors: one per invalid input. headers: go on the answer (``Retry-After``, ``Allow``).
        extra: further members of the problem object (RFC 9457 section 3.2).
    """

    kind: Kind
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of its kind."""
        return KINDS[self.kind][0]

    def to_json(self) -> dict[str, Any]:
        """The problem object; ``errors`` only where there are any."""
        status, title = KINDS[self.kind]
        document: dict[str, Any] = {
            "type": TYPE_PREFIX + self.kind,
            "title": title,
            "status": status,
            "detail": self.detail,
        } | of(self.detail)
        if self.errors:
            document["errors"] = [error.to_json() for error in self.errors]
        return document | dict(self.extra)

    def response(self) -> web.Response:
        """The answer to send."""
        return web.Response(
            status=self.status,
            body=json.dumps(self.to_json(), ensure_ascii=False).encode(),
            content_type=MEDIA_TYPE,
            headers=dict(self.headers),
        )


class ProblemError(BaseModel):
    """One invalid input, as documented."""

    field: str = Field(description="JSON path, `query.NAME`, `header.NAME` or `line N`")
    message: str
    code: str | None = Field(default=None, description=CODE)
    params: dict[str, str | float | None] | None = Field(default=None, description=PARAMS)


class ProblemDocument(BaseModel):
    """The problem object (RFC 9457), as documented."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str | None = Field(default=None, description=CODE)
    params: dict[str, str | float | None] | None = Field(default=None, description=PARAMS)
    errors: list[ProblemError] = Field(default_factory=list)


def not_found(noun: str, identifier: str) -> Problem:
    """No ``noun`` of that id, or none that the token may know of."""
    return Problem("not-found", sentence("not-here", noun=noun, id=identifier))


def forbidden(detail: str) -> Problem:
    """The token is good but its role or unit does not reach that far."""
    return Problem("forbidden", detail)


def invalid(field_path: str, message: str) -> Problem:
    """Exactly one input is not valid."""
    return Problem(
        "invalid-input",
        f"{field_path}: {message.removesuffix('.')}. Correct it and send the request again.",
        errors=[FieldError(field_path, message)],
    )


def conflict(detail: str, **extra: object) -> Problem:
    """The present state does not allow it."""
    return Problem("conflict", detail, extra=extra)
