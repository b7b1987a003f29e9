"""Problems instead of tracebacks, headers, metrics."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from mcu.api.middleware import in_turn
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


async def test_of_many_requests_one_begins_in_each_turn_of_the_loop() -> None:
    app = web.Application()
    app[API_STATE] = cast("ApiState", SimpleNamespace(beginning=asyncio.Lock()))
    turn, began = 0, []

    async def handler(request: web.Request) -> web.StreamResponse:
        began.append(turn)
        return web.Response()

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    requests = [make_mocked_request("GET", "/", app=app) for _ in range(20)]
    async with asyncio.TaskGroup() as group:
        for request in requests:
            group.create_task(in_turn(request, handler))
    counting.cancel()
    assert len(set(began)) == 20
