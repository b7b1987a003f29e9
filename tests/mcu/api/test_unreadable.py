"""Bytes that are no HTTP request are refused by a problem document, on a socket of the daemon's."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from mcu.api.unreadable import Runner


async def _answer(request: web.Request) -> web.Response:
    return web.json_response(dict(request.query))


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/units", _answer)
    runner = Runner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _exchange(port: int, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (e.partition(":") for e in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    await writer.wait_closed()
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    "sent",
    [
        "GET /units?search=Đà Nẵng HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
        b"GET /units?search=\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"no request at all\r\n\r\n",
        b"GET /units HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n",
    ],
    ids=["vietnamese", "no utf-8", "no http", "header"],
)
async def test_what_is_no_http_is_refused_as_a_problem(port: int, sent: bytes) -> None:
    status, headers, body = await _exchange(port, sent)
    problem = json.loads(body)
    assert (status, problem["status"]) == (400, 400)
    assert headers["content-type"].startswith("application/problem+json")
    assert headers["connection"] == "close"
    assert problem["type"] == "urn:mcu:problem:malformed-request"
    assert "Percent-encode" in problem["detail"]


async def test_what_can_be_read_is_answered(port: int) -> None:
    sent = b"GET /units?search=%C4%90%C3%A0 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    status, _, body = await _exchange(port, sent)
    assert (status, json.loads(body)) == (200, {"search": "Đà"})
