"""The table of routes, the router and the document say the same."""

import re
from collections import Counter

import pytest
from aiohttp import web

from mcu.api.app import ROUTES
from mcu.api.openapi import openapi_document
from mcu.api.problem import KINDS
from mcu.api.rights import Action
from mcu.api.schemas.conference import LayoutName
from mcu.conference.layouts import checked_layout
from mixer.video.layout import LAYOUTS
from tests.mcu.api.live import Api


def routed(app: web.Application) -> set[tuple[str, str]]:
    """What the router really answers; HEAD goes with GET."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }


async def test_every_route_is_documented_and_the_other_way_round(api: Api) -> None:
    document = (await api.call("GET", "/openapi.json", token=None, status=200)).json
    documented = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert documented == routed(api.app)
    assert len(documented) == len(ROUTES)


def test_operations_have_names_of_their_own() -> None:
    assert not [name for name, count in Counter(r.name for r in ROUTES).items() if count > 1]


def test_every_action_is_used_and_every_operation_tells_its_roles() -> None:
    used = {route.action for route in ROUTES} - {None}
    assert set(Action) == used
    document = openapi_document(ROUTES, "test")
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        assert ("x-roles" in operation) == (route.action is not None)


def test_the_document_has_no_loose_ends() -> None:
    document = openapi_document(ROUTES, "test")
    references = set(re.findall(r"#/components/schemas/([^\"']+)", str(document)))
    assert references <= set(document["components"]["schemas"])
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        for status in operation["responses"]:
            assert status.isdigit()
        for name in re.findall(r"{(\w+)}", route.path):
            assert {"name": name, "in": "path"}.items() <= operation["parameters"][
                [each["name"] for each in operation["parameters"]].index(name)
            ].items()


def test_the_document_is_the_same_every_time() -> None:
    assert openapi_document(ROUTES, "1") == openapi_document(ROUTES, "1")


def test_layout_names_are_those_that_can_be_shown() -> None:
    assert set(LayoutName.__args__) == {"auto", *LAYOUTS}
    for name in LayoutName.__args__:
        checked_layout(name, "layout")


async def test_methods_and_addresses_that_do_not_exist(api: Api) -> None:
    wrong = await api.call("PUT", "/units", {}, status=405)
    assert wrong.kind == "method-not-allowed"
    assert wrong.headers["Allow"] == "GET, HEAD, POST"
    nothing = await api.call("GET", "/nothing", status=404)
    assert nothing.kind == "not-found"
    assert set(KINDS) >= {wrong.kind, nothing.kind}


@pytest.mark.parametrize("path", ["/readiness-checks/x", "/conferences/c/roll-calls/1"])
async def test_a_table_is_no_resource_of_its_own(api: Api, path: str) -> None:
    wrong = await api.call("DELETE", f"{path}.csv", status=405)
    assert wrong.headers["Allow"] == "GET, HEAD"
    for found in (path, f"{path}.csv", f"{path}.csv.gz"):
        await api.call("GET", found, status=404)
