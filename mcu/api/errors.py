"""From what the parts below raise to the problem that a client gets: one table."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import hdrs, web

from mcu.api.problem import FieldError, Kind, Problem
from mcu.api.services import NoCapacity
from mcu.conference.drill import NotADrill
from mcu.conference.state import Refused, UnknownConference
from mcu.readiness.model import CheckRefused
from mcu.store.bridges import ImportRefused
from mcu.store.errors import (
    DuplicateRecord,
    InvalidRecord,
    StoreUnavailable,
    UnitCycle,
    UnitInUse,
    UnknownParent,
    UnknownRecord,
    VersionConflict,
)
from signalling.media.negotiated import OfferRefused
from signalling.sdp import SdpError

RETRY_STORE_S: Final = 5
MAX_IMPORT_ERRORS: Final = 200
QUERY_FIELDS: Final = ("limit", "cursor", "reason")


def body_path(field: str | None) -> str:
    """``slots.3.participant`` → ``$.slots[3].participant``; None → ``$``."""
    if field is None:
        return "$"
    if field in QUERY_FIELDS:
        return f"query.{field}"
    return "$" + "".join(
        f"[{step}]" if step.isdigit() else f".{step}" for step in re.findall(r"[^.\[\]]+", field)
    )


def _with_field(kind: Kind) -> Callable[[Any], Problem]:
    def make(error: Any) -> Problem:
        where = error.field
        errors = [FieldError(body_path(where), error.reason)] if where is not None else []
        return Problem(kind, error.reason, errors=errors)

    return make


def _refused(error: Refused | CheckRefused) -> Problem:
    return _with_field("invalid-input" if error.field is not None else "conflict")(error)


def _import_refused(error: ImportRefused) -> Problem:
    shown = error.errors[:MAX_IMPORT_ERRORS]
    return Problem(
        "invalid-input",
        error.reason,
        errors=[
            FieldError(f"line {row.line}" + (f", {row.field}" if row.field else ""), row.reason)
            for row in shown
        ],
    )


def _unit_in_use(error: UnitInUse) -> Problem:
    extra = {"children": list(error.children), "bridges": list(error.bridges)}
    return Problem("conflict", error.reason, extra=extra)


def _offer_refused(error: OfferRefused) -> Problem:
    return Problem(
        "offer-refused",
        error.detail,
        errors=[FieldError(error.field or "offer", error.detail)],
        extra={"accepted_codecs": list(error.accepted_codecs)},
    )


def _sdp_error(error: SdpError) -> Problem:
    return Problem("malformed-request", f"The SDP cannot be read: {error}. Send it anew.")


def _unavailable(error: StoreUnavailable) -> Problem:
    return Problem("unavailable", error.reason, headers={hdrs.RETRY_AFTER: str(RETRY_STORE_S)})


def _no_capacity(error: NoCapacity) -> Problem:
    retry = str(error.retry_after_s)
    return Problem("unavailable", error.reason, headers={hdrs.RETRY_AFTER: retry})


_TABLE: Final[Mapping[type[Exception], Callable[[Any], Problem]]] = {
    UnknownConference: lambda error: Problem("not-found", error.reason),
    NotADrill: lambda error: Problem("not-a-drill", error.reason),
    Refused: _refused,
    CheckRefused: _refused,
    UnknownRecord: lambda error: Problem("not-found", error.reason),
    InvalidRecord: _with_field("invalid-input"),
    UnknownParent: _with_field("invalid-input"),
    DuplicateRecord: _with_field("conflict"),
    UnitCycle: _with_field("conflict"),
    UnitInUse: _unit_in_use,
    ImportRefused: _import_refused,
    VersionConflict: lambda error: Problem("precondition-failed", error.reason),
    StoreUnavailable: _unavailable,
    NoCapacity: _no_capacity,
    OfferRefused: _offer_refused,
    SdpError: _sdp_error,
}
"""More special classes stand before those they derive from."""


def problem_of(error: Exception) -> Problem | None:
    """The problem for an expected error; None for one that nobody expected."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    for kind, make in _TABLE.items():
        if isinstance(error, kind):
            return make(error)
    return None


def _of_http(error: web.HTTPException) -> Problem:
    """aiohttp's own refusals: no such route, wrong method, broken request."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            "method-not-allowed",
            f"{error.method} is not for this address; use {allowed}.",
            headers={hdrs.ALLOW: allowed},
        )
    if error.status == 404:
        return Problem("not-found", "There is nothing at this address; see /api/v1/openapi.json.")
    if error.status == 413:
        return Problem("too-large", "Less must be sent at once.")
    return Problem("malformed-request", f"The request cannot be read: {error.reason}.")
