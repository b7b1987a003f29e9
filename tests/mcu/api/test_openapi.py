"""The document of one route."""

from aiohttp import web

from mcu.api.call import Call
from mcu.api.openapi import openapi_document, problem_kinds
from mcu.api.rights import Action
from mcu.api.route import Answer, Body, Route
from mcu.api.schemas.registry import NewUnit, Unit, UnitQuery


async def handler(call: Call) -> web.Response:
    return web.Response()


ROUTE = Route(
    "POST", "/units/{unit}", "try_unit", handler, "Try", "units", Action.WRITE_UNITS,
    (Answer(201, "made", Unit, headers=(("ETag", "version"),)),),
    body=Body(NewUnit), query=UnitQuery, conditional=True,
)  # fmt: skip


def test_everything_that_is_true_of_a_route_is_in_its_operation() -> None:
    document = openapi_document([ROUTE], "7")
    operation = document["paths"]["/units/{unit}"]["post"]
    assert document["info"]["version"] == "7"
    assert operation["x-roles"] == ["admin", "operator"]
    parameters = {(each["in"], each["name"]): each for each in operation["parameters"]}
    assert set(parameters) == {
        ("path", "unit"), ("query", "limit"), ("query", "cursor"), ("query", "within"),
        ("header", "If-Match"), ("header", "Idempotency-Key"),
    }  # fmt: skip
    limit = parameters["query", "limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 500, 100)
    within = parameters["query", "within"]["schema"]
    assert within["type"] == "string"
    assert "default" not in within
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/NewUnit"}
    assert document["components"]["schemas"]["NewUnit"]["additionalProperties"] is False
    assert set(operation["responses"]) == {
        "201", "400", "401", "403", "404", "409", "412", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip
    assert "ETag" in operation["responses"]["201"]["headers"]


def test_an_open_route_needs_no_token() -> None:
    route = Route("GET", "/x", "x", handler, "X", "x", None, (Answer(200, "x"),))
    operation = openapi_document([route], "1")["paths"]["/x"]["get"]
    assert operation["security"] == []
    assert "unauthenticated" not in problem_kinds(route)


def test_whose_session_counts_is_documented() -> None:
    document = openapi_document([ROUTE], "1")
    schemes = document["components"]["securitySchemes"]
    assert {"room": [], "room_session": [], "csrf": []} in document["security"]
    assert all(name in schemes for each in document["security"] for name in each)
    assert (schemes["room"]["in"], schemes["room"]["name"]) == ("header", "X-MCU-Room")
    assert "X-MCU-Room" in document["info"]["description"]
