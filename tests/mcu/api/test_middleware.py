"""Problems instead of tracebacks, headers, metrics."""

from types import SimpleNamespace
from typing import cast
from unittest.mock import Mock

import pytest
from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import make_mocked_request

from mcu.api.middleware import in_turn, problems
from mcu.api.state import API_STATE, ApiState
from tests.mcu.api.live import Api


async def test_an_unexpected_error_is_an_id_not_a_traceback(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr(api.store.units, "list", fail)
    reply = await api.call("GET", "/units", status=500)
    assert reply.kind == "internal-error"
    text = reply.body.decode()
    assert "secret" not in text
    assert "Traceback" not in text
    assert reply.json["id"] in reply.json["detail"]
    logged = capsys.readouterr().out
    assert reply.json["id"] in logged
    assert "ZeroDivisionError" in logged


@pytest.mark.parametrize(("gone", "status"), [(True, 499), (False, 500)])
async def test_a_client_that_has_gone_is_no_fault_of_ours_but_another_peer_is(
    gone: bool, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise ClientConnectionResetError("Cannot write to closing transport")

    transport = Mock(is_closing=Mock(return_value=gone))
    request = make_mocked_request("GET", "/", transport=transport)
    assert (await problems(request, handler)).status == status
    assert ("request failed" in capsys.readouterr().out) is not gone


@pytest.mark.parametrize("path", ["/units", "/nothing", "//healthz", "/openapi.json"])
async def test_every_answer_carries_the_security_headers(api: Api, path: str) -> None:
    headers = (await api.call("GET", path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "mcu"
    assert "Access-Control-Allow-Origin" not in headers


async def test_requests_are_counted_by_route(api: Api) -> None:
    await api.call("GET", "/units/a", status=404)
    await api.call("GET", "/units/b", status=404)
    await api.call("GET", "/no/such/address", status=404)
    text = (await api.call("GET", "//metrics", token=None, status=200)).body.decode()
    assert (
        'mcu_http_requests_total{method="GET",route="/api/v1/units/{unit}",status="404"} 2.0'
        in text
    )
    assert 'mcu_http_requests_total{method="GET",route="none",status="404"} 1.0' in text


async def test_invented_methods_make_no_new_series(api: Api) -> None:
    await api.call("PROPFIND", "/units", status=405)
    text = (await api.call("GET", "//metrics", token=None, status=200)).body.decode()
    assert "PROPFIND" not in text
    assert 'method="other"' in text


async def test_a_request_waits_at_the_door_before_it_is_handled() -> None:
    order: list[str] = []

    async def begin() -> None:
        order.append("door")

    async def handler(request: web.Request) -> web.StreamResponse:
        order.append("handler")
        return web.Response()

    app = web.Application()
    door = SimpleNamespace(begin=begin)
    app[API_STATE] = cast("ApiState", SimpleNamespace(beginnings=door))
    await in_turn(make_mocked_request("GET", "/", app=app), handler)
    assert order == ["door", "handler"]
