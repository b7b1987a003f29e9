"""Reading what a client sent: size first, then type, then every field with its path."""

import json
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from mcu.api.form_errors import error_message
from mcu.api.problem import FieldError, Problem
from mcu.api.route import JSON_TYPE, Body
from mcu.api.schemas.base import Query
from mcu.sentences import sentence

Model = TypeVar("Model", bound=BaseModel)

MAX_NAME: Final = 64
MAX_ERRORS: Final = 50
"""Errors named in one answer; a broken import would otherwise answer more than was sent."""


async def read_body(request: web.Request, body: Body, limit: int) -> bytes:
    """The raw body, of at most ``limit`` bytes and of an accepted type.

    Raises:
        Problem: too-large, unsupported-media-type.
    """
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)
    data = bytearray()
    async for chunk in request.content.iter_any():
        data += chunk
        if len(data) > limit:
            raise too_large(limit)
    if data or body.required:
        check_content_type(request, body)
    return bytes(data)


def check_content_type(request: web.Request, body: Body) -> None:
    """Refuse what this route cannot read."""
    sent = request.headers.get("Content-Type")
    charset = (request.charset or "utf-8").lower()
    if sent is None or request.content_type not in body.media_types:
        accepted = ", ".join(body.media_types)
        raise Problem(
            "unsupported-media-type",
            f"Send the body as {accepted}; {sent or 'no content type'!r} is not read here.",
            headers={"Accept-Post" if request.method == "POST" else "Accept": accepted},
        )
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem("unsupported-media-type", f"Send the body in UTF-8, not {charset!r}.")


def too_large(limit: int) -> Problem:
    """More bytes than are read here."""
    return Problem("too-large", sentence("too-large", limit_bytes=limit))


def parse_json(data: bytes, body: Body) -> BaseModel:
    """Validate a JSON body against its model.

    Raises:
        Problem: malformed-request for what is no JSON, invalid-input with a path per field.
    """
    assert body.model is not None  # noqa: S101 - routes with text bodies do not come here
    if not data and not body.required:
        data = b"{}"
    return parse_model(data, body.model)


def take_echo(data: bytes, body: Body) -> tuple[bytes, dict[str, Any]]:
    """Part a body into what can be changed, and what of ``body.echo`` was sent back with it.

    What is no JSON object stays as it is: whoever parses it says so.
    """
    assert body.echo is not None  # noqa: S101
    assert body.model is not None  # noqa: S101
    try:
        document = from_json(data, allow_inf_nan=False)
    except ValueError:
        return data, {}
    if not isinstance(document, dict):
        return data, {}
    names = document.keys() & (body.echo.model_fields.keys() - body.model.model_fields.keys())
    if not names:
        return data, {}
    echo = {name: document.pop(name) for name in sorted(names)}
    kept = {name: value for name, value in echo.items() if name not in body.readings}
    return json.dumps(document).encode(), kept


def parse_model(data: bytes, model: type[Model]) -> Model:
    """``data`` as ``model``; raises ``Problem`` as ``parse_json``."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        if first["type"] == "json_invalid":
            raise Problem(
                "malformed-request", f"The body is not valid {JSON_TYPE}: {first['msg']}."
            ) from None
        raise invalid_input(field_errors(error)) from None


def read_json(data: bytes) -> Any:
    """What a JSON body says, for handlers that validate it themselves.

    Raises:
        Problem: malformed-request.
    """
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise Problem("malformed-request", f"The body is not valid {JSON_TYPE}: {error}.") from None


def parse_query(request: web.Request, model: type[Query] | None) -> Query | None:
    """The query parameters; unknown and repeated ones are refused by name."""
    names = [name for name, _ in request.query.items()]
    wrong = [
        FieldError(f"query.{name}", sentence("given-twice"))
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if model is None:
        wrong += [
            FieldError(f"query.{name}", sentence("unknown-field")) for name in dict.fromkeys(names)
        ]
    if wrong:
        raise invalid_input(wrong[:MAX_ERRORS])
    if model is None:
        return None
    try:
        return model.model_validate_strings(dict(request.query))
    except ValidationError as error:
        raise invalid_input(field_errors(error, prefix="query")) from None


def field_errors(error: ValidationError, prefix: str = "$") -> list[FieldError]:
    """One entry per invalid field, with a path a program can follow."""
    found: dict[tuple[str, str], FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        entry = FieldError(json_path(error_location(item), prefix), error_message(item))
        found[entry.field, entry.message] = entry
    return list(found.values())[:MAX_ERRORS]


def error_location(item: ErrorDetails) -> tuple[int | str, ...]:
    """Where in the body an error of pydantic is: without the members of unions that it tried."""
    if item["type"] in ("extra_forbidden", "missing"):
        return item["loc"]  # a field's own name, which may look like such a member
    return tuple(step for step in item["loc"] if not _is_union_tag(step))


def json_path(location: tuple[int | str, ...], prefix: str = "$") -> str:
    """``("slots", 0, "participant")`` → ``$.slots[0].participant`` (RFC 9535 notation)."""
    path = prefix
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isidentifier():
            path += f".{step}"
        else:
            path += f"[{json.dumps(step[:MAX_NAME], ensure_ascii=False)}]"
    return path


def invalid_input(errors: list[FieldError]) -> Problem:
    """Some inputs are not valid; the detail names them all."""
    named = "; ".join(f"{error.field} {error.message.removesuffix('.')}" for error in errors[:3])
    more = f" and {len(errors) - 3} more" if len(errors) > 3 else ""
    return Problem("invalid-input", f"Correct and send again: {named}{more}.", errors=errors)


def _is_union_tag(step: int | str) -> bool:
    """pydantic puts the tried member of a union into the location; no field has such a name."""
    return isinstance(step, str) and (
        any(mark in step for mark in "[(")
        or step in ("str", "int", "float", "bool")
        or step == "constrained-str"
    )
