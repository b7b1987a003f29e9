"""The event stream: server-sent events, and the same over a WebSocket."""

import asyncio
import json
from typing import Final

import structlog
from aiohttp import WSCloseCode, WSMsgType, hdrs, web
from pydantic import Field

from mcu.api.call import Call
from mcu.api.event_stream import EventStream, Outgoing, opened
from mcu.api.problem import FieldError, Problem
from mcu.api.rights import Action
from mcu.api.route import BASE, Answer, Route
from mcu.api.schemas.base import Identifier, Query
from mcu.api.security import ROOM_HEADER
from mcu.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)

TAG: Final = "events"
EVENT_STREAM: Final = "text/event-stream"
LAST_EVENT_ID: Final = "Last-Event-ID"
RETRY_MS: Final = 2_000
MAX_SEQ: Final = 2**63 - 1
MAX_MESSAGE_BYTES: Final = 4_096
FIRST_MESSAGE_S: Final = 1.0
"""A WebSocket client that wants to resume by message sends it within this time."""


class EventQuery(Query):
    """Which events."""

    conference: Identifier | None = Field(default=None, description="only of this conference")
    after: int | None = Field(
        default=None,
        ge=0,
        le=MAX_SEQ,
        description="resume after this `seq`; the header Last-Event-ID goes first",
    )


class SocketQuery(EventQuery):
    """Which events, and whose session."""

    room: Identifier | None = Field(
        default=None,
        description=f"by the session cookie of this bridge, as the header {ROOM_HEADER} says "
        "elsewhere; browsers add no headers to a WebSocket",
    )


class _Sse:
    """Server-sent events (WHATWG HTML section 9.2): ``id`` is the seq, ``data`` the event."""

    def __init__(self, response: web.StreamResponse) -> None:
        self._response = response

    async def send(self, event: Outgoing) -> None:
        head = "" if event.seq is None else f"id: {event.seq}\n"
        await self._response.write(f"{head}data: {event.text}\n\n".encode())

    async def heartbeat(self) -> None:
        await self._response.write(b": alive\n\n")


class _Socket:
    """One text message per event; the heartbeat is the protocol's own ping."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def send(self, event: Outgoing) -> None:
        await self._socket.send_str(event.text)

    async def heartbeat(self) -> None:
        if self._socket.closed:
            raise ConnectionResetError("closed by the client")


async def events(call: Call) -> web.StreamResponse:
    """Server-sent events until somebody hangs up."""
    query = call.query(EventQuery)
    await _check_conference(call, query)
    after = _last_event_id(call)
    if after is None:
        after = query.after
    async with opened(call, "sse", query.conference, after) as stream:
        response = web.StreamResponse(
            headers={hdrs.CONTENT_TYPE: EVENT_STREAM, "X-Accel-Buffering": "no"}
        )
        await response.prepare(call.request)
        try:
            await response.write(f"retry: {RETRY_MS}\n: events\n\n".encode())
            await stream.run(_Sse(response))
        except (ConnectionError, TimeoutError, StoreUnavailable):
            # The head is out, so there is nothing left to say: the client resumes by its id.
            response.force_close()
        except Exception:
            # Nor can a problem be answered any more.
            log.exception("event stream failed", transport="sse")
            response.force_close()
    return response


async def events_socket(call: Call) -> web.StreamResponse:
    """The same over a WebSocket; ``{"after": seq}`` as the first message resumes."""
    query = call.query(SocketQuery)
    call.api.auth.check_origin(call.request, call.who)
    await _check_conference(call, query)
    socket = web.WebSocketResponse(
        heartbeat=call.services.limits.heartbeat_s, max_msg_size=MAX_MESSAGE_BYTES
    )
    if not socket.can_prepare(call.request).ok:
        raise Problem(
            "upgrade-required",
            f"Open this address as a WebSocket, or use {BASE}/events.",
            headers={hdrs.UPGRADE: "websocket", hdrs.CONNECTION: "Upgrade"},
        )
    async with opened(call, "websocket", query.conference, query.after) as stream:
        await socket.prepare(call.request)
        code = WSCloseCode.GOING_AWAY
        try:
            if query.after is None:
                await _first_message(socket, stream)
            await _run(socket, stream)
        except _BadMessageError as error:
            code = WSCloseCode.POLICY_VIOLATION
            await socket.close(code=code, message=str(error).encode())
        except (ConnectionError, TimeoutError, StoreUnavailable):
            code = WSCloseCode.TRY_AGAIN_LATER
        except Exception:
            log.exception("event stream failed", transport="websocket")
            code = WSCloseCode.INTERNAL_ERROR
        await socket.close(code=code)
    return socket


class _BadMessageError(ValueError):
    """A client sent something else than where to resume."""


async def _first_message(socket: web.WebSocketResponse, stream: EventStream) -> None:
    """Resume where the client says, if it says so at once."""
    try:
        message = await socket.receive(timeout=FIRST_MESSAGE_S)
    except TimeoutError:
        return
    if message.type is not WSMsgType.TEXT:
        if message.type is WSMsgType.BINARY:
            raise _BadMessageError('the first message may be {"after": seq}')
        raise ConnectionResetError("closed by the client")
    try:
        document = json.loads(message.data)
        after = document["after"]
    except (ValueError, TypeError, KeyError):
        after = None
    if type(after) is not int or not 0 <= after <= MAX_SEQ:
        raise _BadMessageError('the first message may be {"after": seq}')
    stream.resume(after)


async def _run(socket: web.WebSocketResponse, stream: EventStream) -> None:
    """Send events while reading, so that a close is noticed at once."""

    async def read() -> None:
        async for _ in socket:
            raise _BadMessageError("only the first message is read")
        stream.close()

    reader = asyncio.create_task(read())
    try:
        await stream.run(_Socket(socket))
    finally:
        reader.cancel()
        (outcome,) = await asyncio.gather(reader, return_exceptions=True)
        if isinstance(outcome, _BadMessageError):
            raise outcome


async def _check_conference(call: Call, query: EventQuery) -> None:
    if query.conference is not None:
        state = await call.services.conferences.read(query.conference)
        call.reach.require_conference(Action.READ_EVENTS, state, "read events")


def _last_event_id(call: Call) -> int | None:
    text = call.request.headers.get(LAST_EVENT_ID, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= MAX_SEQ):
        raise Problem(
            "malformed-request",
            f"{LAST_EVENT_ID} must be the id of an event; leave it out to begin with what is new.",
            errors=[FieldError(f"header.{LAST_EVENT_ID}", "must be a number")],
        )
    return int(text[:20])


ROUTES: Final = (
    Route(
        "GET", f"{BASE}/events", "events", events,
        "Events as they happen (server-sent events)", TAG, Action.READ_EVENTS,
        (Answer(200, "a stream without an end", media_type=EVENT_STREAM),),
        query=EventQuery, problems=("malformed-request", "not-found"), stream=True,
    ),
    Route(
        "GET", f"{BASE}/events/ws", "events_socket", events_socket,
        "Events as they happen (WebSocket)", TAG, Action.READ_EVENTS,
        (Answer(101, "a WebSocket with one event a message"),),
        query=SocketQuery, problems=("csrf", "upgrade-required", "not-found"), stream=True,
    ),
)  # fmt: skip
