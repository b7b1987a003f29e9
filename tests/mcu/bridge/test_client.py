import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from config.settings import load
from mcu import tls
from mcu.bridge import client as client_module
from mcu.bridge.client import Client, NotTls, Refused, Unreachable, Untrusted

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOKEN = "mcu_room_0123456789"
SESSION = {"role": "bridge", "bridge": "van-ninh", "unit": "tinh", "csrf_token": None}


@asynccontextmanager
async def serving(
    routes: Mapping[str, Handler], context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """The address of a server that answers ``METHOD /path`` below ``/api/v1`` as told."""
    app = web.Application()
    for route, handler in routes.items():
        method, path = route.split(" ")
        app.router.add_route(method, f"/api/v1{path}", handler)
    server = TestServer(app, scheme="http" if context is None else "https")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@asynccontextmanager
async def asking(routes: Mapping[str, Handler]) -> AsyncIterator[Client]:
    async with serving(routes) as url, Client(url, TOKEN) as client:
        yield client


def answers(body: Any, status: int = 200) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        return web.json_response(body, status=status)

    return answer


def answers_text(text: str, status: int = 200) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    return answer


async def test_who_the_token_is() -> None:
    async with asking({"GET /session": answers(SESSION)}) as client:
        identity = await client.identity()
    assert (identity.role, identity.bridge) == ("bridge", "van-ninh")


async def test_the_problem_says_why() -> None:
    problem = {"title": "Unauthorized", "detail": "This token was revoked.", "status": 401}
    async with asking({"GET /session": answers(problem, 401)}) as client:
        with pytest.raises(Refused, match="This token was revoked") as refused:
            await client.identity()
    assert refused.value.status == 401
    assert not refused.value.passes


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "[]", '"words"', ""])
async def test_a_refusal_of_a_proxy_is_a_sentence_too(body: str) -> None:
    async with asking({"GET /session": answers_text(body, 502)}) as client:
        with pytest.raises(Refused, match="HTTP status 502") as refused:
            await client.identity()
    assert refused.value.passes


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "[]", "{}", "null"])
async def test_something_else_that_listens_is_not_taken_for_an_mcu(body: str) -> None:
    async with asking({"GET /session": answers_text(body)}) as client:
        with pytest.raises(Unreachable, match="not as an MCU"):
            await client.identity()


async def test_nobody_listens() -> None:
    async with serving({}) as url:
        pass
    async with Client(url, TOKEN) as client:
        with pytest.raises(Unreachable):
            await client.identity()


async def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "REQUEST_TIMEOUT_S", 0.01)
    stuck = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await stuck.wait()
        return web.Response()

    async with asking({"GET /session": answer}) as client:
        with pytest.raises(Unreachable, match="no answer from"):
            await client.identity()
        stuck.set()


async def test_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    settings = load(None, {"MCU_HTTP__HOST": "::", "MCU_DATA_DIR": str(tmp_path)}, None)
    context = tls.ssl_context(settings)
    async with serving({"GET /session": answers(SESSION)}, context) as url:
        async with Client(url, TOKEN) as client:
            with pytest.raises(Untrusted, match="--insecure"):
                await client.identity()
        async with Client(url, TOKEN, verify_tls=False) as client:
            assert (await client.identity()).bridge == "van-ninh"


async def test_lists_are_read_to_their_end_and_the_latest_conference_comes_first() -> None:
    pages = {
        None: [{"id": "c-a", "started_at": "2026-01-05T08:00:00Z"}],
        "2": [{"id": "c-b", "started_at": "2026-01-07T08:00:00Z"}],
        "3": [{"id": "c-c", "started_at": "2026-01-06T08:00:00Z"}],
    }

    async def answer(request: web.Request) -> web.Response:
        assert request.query["state"] == "running"
        cursor = request.query.get("cursor")
        following = {None: "2", "2": "3", "3": None}[cursor]
        return web.json_response({"items": pages[cursor], "next_cursor": following})

    async with asking({"GET /conferences": answer}) as client:
        assert await client.conferences() == ["c-b", "c-c", "c-a"]


async def test_a_room_without_the_right_to_its_name_is_called_by_its_id() -> None:
    routes = {
        "GET /bridges/a": answers({"name": "Xã Vạn Ninh"}),
        "GET /bridges/b": answers({"detail": "no"}, 403),
    }
    async with asking(routes) as client:
        assert await client.bridge_name("a") == "Xã Vạn Ninh"
        assert await client.bridge_name("b") == "b"


async def test_an_https_address_of_a_server_without_tls() -> None:
    async def garbled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbled, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with Client(f"https://127.0.0.1:{port}", "token") as client:
            with pytest.raises(NotTls, match=r"does not speak TLS: write http://"):
                await client.identity()


async def test_an_http_address_of_a_server_that_hangs_up() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with Client(f"http://127.0.0.1:{port}", "token") as client:
            with pytest.raises(Unreachable, match=r"if it speaks TLS, write https://"):
                await client.identity()


async def test_presence() -> None:
    path = "GET /conferences/c/participants"
    routes = {
        f"{path}/a": answers({"state": "calling"}),
        f"{path}/b": answers({"detail": "ended"}, 409),
        f"{path}/c": answers({"detail": "not yours"}, 403),
        f"{path}/e": answers({"detail": "later"}, 503),
    }
    async with asking(routes) as client:
        assert await client.presence("c", "a") == "calling"
        assert [await client.presence("c", who) for who in ("b", "c", "d")] == [None] * 3
        with pytest.raises(Refused, match="later"):
            await client.presence("c", "e")


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, {}),
        ({"bridge": "van-ninh"}, {"bridge": "van-ninh"}),
        ({"name": "khách & bạn"}, {"name": "khách & bạn"}),
    ],
)
async def test_an_offer_and_its_answer(options: dict[str, str], query: dict[str, str]) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.content_type == "application/sdp"
        assert await request.text() == "v=0\r\n"
        assert dict(request.query) == query
        return web.Response(
            status=201,
            text="v=0\r\nanswer",
            content_type="application/sdp",
            headers={"Location": "/api/v1/legs/leg-1"},
        )

    async with asking({"POST /conferences/c-1/legs": answer}) as client:
        found = await client.offer("c-1", "v=0\r\n", **options)
    assert found == ("v=0\r\nanswer", "/api/v1/legs/leg-1")


async def test_a_refused_offer_says_why() -> None:
    problem = {"detail": "No codec fits: take H.264 or VP8.", "status": 406}
    async with asking({"POST /conferences/c-1/legs": answers(problem, 406)}) as client:
        with pytest.raises(Refused, match=r"H\.264 or VP8"):
            await client.offer("c-1", "v=0\r\n")


async def test_a_leg_that_is_gone_is_none_and_can_be_left() -> None:
    left = []

    async def delete(request: web.Request) -> web.Response:
        left.append(request.match_info["leg"])
        return web.Response(status=204 if request.match_info["leg"] == "here" else 404)

    routes = {
        "GET /legs/here": answers({"id": "here", "participant": "a"}),
        "GET /legs/gone": answers({"detail": "No leg 'gone'."}, 404),
        "DELETE /legs/{leg}": delete,
    }
    async with asking(routes) as client:
        assert await client.leg("/api/v1/legs/here") == {"id": "here", "participant": "a"}
        assert await client.leg("/api/v1/legs/gone") is None
        await client.leave("/api/v1/legs/here")
        await client.leave("/api/v1/legs/gone")
    assert left == ["here", "gone"]


async def test_events_come_as_they_are_sent_and_end_with_the_connection() -> None:
    sent = [
        ("participant.joined", {"participant": {"id": "a", "name": "Xã Vạn Ninh"}}),
        ("levels.measured", {"levels": {f"room-{n}": -30.5 for n in range(20_000)}}),
        ("conference.ended", {"reason": "ended"}),
    ]
    received = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        assert request.query["conference"] == "c-1"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for type_, data in sent:
            received.clear()
            text = json.dumps({"seq": 1, "type": type_, "conference": "c-1", "data": data})
            await response.write(f": comment\n\ndata: {text}\n\n".encode())
            await received.wait()
        return response

    async with asking({"GET /events": stream}) as client:
        found = []
        async with aclosing(client.events("c-1")) as events:
            async for event in events:
                found.append(event)
                received.set()
    assert found == sent


async def test_a_stream_of_something_else_is_a_broken_connection() -> None:
    async with asking({"GET /events": answers_text("data: no json\n\n")}) as client:
        with pytest.raises(Unreachable, match="not as an MCU"):
            await anext(client.events("c-1"))
