"""The OpenAPI 3.1 document, put together from the route table: nothing is written twice."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mcu.api.etag import MAX_IF_MATCH
from mcu.api.problem import KINDS, MEDIA_TYPE, TYPE_PREFIX, Kind, ProblemDocument
from mcu.api.rights import RIGHTS
from mcu.api.route import JSON_TYPE, MAX_PATH_PARAMETER, Answer, Route
from mcu.api.security import CSRF_HEADER, ROOM_HEADER, ROOM_PARAMETER, SESSION_COOKIE

Mode = Literal["validation", "serialization"]
Schemas = Mapping[Any, dict[str, Any]]

DESCRIPTION: Final = f"""\
Control of an MCU for meetings of administrative units.

* Sign in with `Authorization: Bearer TOKEN`, or exchange the token for a session cookie
  (`POST /api/v1/session`); with the cookie, unsafe methods need the header `{CSRF_HEADER}`.
* A room's token (role `bridge`) gives a cookie of its own, `{SESSION_COOKIE}_BRIDGE`, which counts
  only for requests with the header `{ROOM_HEADER}: BRIDGE` (for a WebSocket the query
  `{ROOM_PARAMETER}=BRIDGE`); without it only `{SESSION_COOKIE}` counts. So one browser may hold the
  console and several rooms at once.
* A token reaches its unit and the units below it; lists hold only what it may see.
* Errors are problem details (RFC 9457); `errors` names every invalid input by its JSON path.
* What is not ASCII in an address is percent-encoded UTF-8 (`?search=%C4%90%C3%A0`); bare bytes are
  no HTTP and refused as `malformed-request`.
* Lists page with `limit` and `cursor`. Times are RFC 3339 in UTC.
* `Idempotency-Key` on POST: the same key with the same request gets the same answer again for
  24 hours; with another request it is refused.
* `ETag` names the version of what a client can change, not the bytes: readings such as levels may
  differ under the same tag. `If-Match` takes it with or without `W/`, or `*`, and is optional.
"""

_ECHO: Final = (
    "What GET gives may be sent back: members that cannot be changed are passed over where they "
    "are as they stand, and refused where they are another; readings are passed over."
)
_ROOM_SECURITY: Final[Mapping[str, Sequence[str]]] = {"room": [], "room_session": [], "csrf": []}

ETAG_HEADER: Final = ("ETag", "version of the resource, for If-Match")
LOCATION_HEADER: Final = ("Location", "address of what was made")


def openapi_document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The document for ``routes``; deterministic for the same table."""
    wanted: dict[tuple[type[BaseModel], Mode], None] = {(ProblemDocument, "serialization"): None}
    for route in routes:
        if route.body is not None and route.body.model is not None:
            wanted[route.body.model, "validation"] = None
        for answer in route.answers:
            if answer.model is not None:
                wanted[answer.model, "serialization"] = None
    references, definitions = models_json_schema(
        list(wanted), ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Government meeting MCU",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": [], "csrf": []}, _ROOM_SECURITY],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
                "room": {"type": "apiKey", "in": "header", "name": ROOM_HEADER}
                | {"description": "id of the bridge whose session cookie counts; no secret"},
                "room_session": {"type": "apiKey", "in": "cookie"}
                | {"name": f"{SESSION_COOKIE}_BRIDGE"}
                | {"description": "BRIDGE stands for the bridge's id"},
            },
        },
    }


def problem_kinds(route: Route) -> tuple[Kind, ...]:
    """Every refusal a route can give: its own and those of the machinery around it."""
    kinds: dict[Kind, None] = {}
    if route.action is not None:
        kinds |= dict.fromkeys(("unauthenticated", "forbidden", "rate-limited"))
    if "{" in route.path:
        kinds["not-found"] = None
    if route.body is not None:
        kinds |= dict.fromkeys(("too-large", "unsupported-media-type", "malformed-request"))
    if (route.body is not None and route.body.model is not None) or route.method != "OPTIONS":
        kinds["invalid-input"] = None
    if route.method == "POST":
        kinds |= dict.fromkeys(("malformed-request", "conflict", "idempotency-key-reused"))
    if route.conditional:
        kinds |= dict.fromkeys(("malformed-request", "precondition-failed"))
    kinds |= dict.fromkeys(("internal-error", "unavailable"))
    kinds |= dict.fromkeys(route.problems)
    return tuple(sorted(kinds, key=lambda kind: (KINDS[kind][0], kind)))


def _operation(route: Route, references: Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
    }
    if route.action is None:
        operation["security"] = []
    else:
        roles = [role for role, relations in RIGHTS[route.action].items() if relations]
        operation["description"] = f"Roles: {', '.join(roles)}."
        operation["x-roles"] = roles
    parameters = [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        model = route.body.model
        schema = references[model, "validation"] if model else {"type": "string"}
        operation["requestBody"] = {
            **({} if route.body.echo is None else {"description": _ECHO}),
            "required": route.body.required,
            "content": {media_type: {"schema": schema} for media_type in route.body.media_types},
        }
    operation["responses"] = {
        **{str(answer.status): _answer(answer, references) for answer in route.answers},
        **_problems(problem_kinds(route), references),
    }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_PATH_PARAMETER}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema()
    parameters = []
    for name, field in schema.get("properties", {}).items():
        branches = [branch for branch in field.pop("anyOf", []) if branch.get("type") != "null"]
        field = {**field, **(branches[0] if len(branches) == 1 else {})}
        field.pop("title", None)
        if field.get("default", "") is None:
            del field["default"]
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        if "description" in field:
            parameter["description"] = field.pop("description")
        parameters.append({**parameter, "schema": field})
    return parameters


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string", "maxLength": MAX_IF_MATCH}
    parameters = []
    if route.conditional:
        parameters.append(_header("If-Match", "the ETag that was read, or `*`", text))
    if route.method == "POST":
        pattern = {"type": "string", "pattern": "^[!-~]{1,200}$"}
        parameters.append(_header("Idempotency-Key", "a fresh random text per action", pattern))
    return parameters


def _header(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False} | {
        "description": description,
        "schema": schema,
    }


def _answer(answer: Answer, references: Schemas) -> dict[str, Any]:
    document: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        document["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in answer.headers
        }
    if answer.model is not None:
        schema = references[answer.model, "serialization"]
        document["content"] = {answer.media_type or JSON_TYPE: {"schema": schema}}
    elif answer.media_type is not None:
        kind = "object" if answer.media_type == JSON_TYPE else "string"
        document["content"] = {answer.media_type: {"schema": {"type": kind}}}
    for media_type in answer.other_types:
        document["content"][media_type] = {"schema": {"type": "string"}}
    return document


def _problems(kinds: Sequence[Kind], references: Schemas) -> dict[str, Any]:
    by_status: dict[int, list[Kind]] = {}
    for kind in kinds:
        by_status.setdefault(KINDS[kind][0], []).append(kind)
    schema = references[ProblemDocument, "serialization"]
    return {
        str(status): {
            "description": "; ".join(f"{KINDS[kind][1]} (`{TYPE_PREFIX}{kind}`)" for kind in same),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status, same in by_status.items()
    }
