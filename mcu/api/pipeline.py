"""What happens to every request before and after its handler, in this order.

Before: who asks, rate limit, CSRF, role, query, body, Idempotency-Key. After: the answer is kept
for its key, and unsafe requests are written to the audit, also those that were refused; what a
command changes, its audit and its kept answer are one transaction (``mcu.api.orders``).
"""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from mcu.api.body import parse_json, parse_query, read_body, take_echo
from mcu.api.call import Call, on_one_line
from mcu.api.errors import problem_of
from mcu.api.idempotency import idempotency_key, request_digest
from mcu.api.problem import forbidden, not_found
from mcu.api.reach import Reach
from mcu.api.rights import may_ever
from mcu.api.route import MAX_PATH_PARAMETER, Route
from mcu.api.security import ROOM_HEADER, ROOM_PARAMETER
from mcu.api.state import ApiState
from mcu.sentences import sentence
from mcu.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def endpoint(route: Route, api: ApiState) -> Endpoint:
    """The aiohttp handler of a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        call = Call(request, route, api, target=request.path)
        try:
            response = await _answer(call)
        except Exception as error:
            problem = problem_of(error)
            await _audit(call, problem.status if problem is not None else 500, written=False)
            raise
        await _audit(call, response.status, written=call.kept)
        return response

    return handle


async def _answer(call: Call) -> web.StreamResponse:
    route, request, api = call.route, call.request, call.api
    if route.action is not None:
        call.identity = await api.auth.identify(request, _chosen_room(call))
        if route.unsafe:
            api.auth.check_csrf(request, call.identity)
        if not may_ever(call.identity.token.role, route.action):
            raise forbidden(sentence("role.may-not", role=call.identity.token.role))
        call.scope = Reach(call.identity.holder, await api.directory.tree())
    for name, value in request.match_info.items():
        if len(value) > MAX_PATH_PARAMETER:
            raise not_found(name, value[:MAX_PATH_PARAMETER])
    if route.method != "OPTIONS":  # a preflight carries the query of the request it is for
        call.asked = parse_query(request, route.query)
    if route.body is not None:
        limit = min(route.body.limit, call.services.limits.max_body_bytes)
        call.data = await read_body(request, route.body, limit)
        if route.body.echo is not None:
            call.data, call.echo = take_echo(call.data, route.body)
        if route.body.model is not None and route.body.parsed:
            call.model = parse_json(call.data, route.body)
    if route.method == "POST" and call.identity is not None:
        return await _once(call, call.identity.token.id)
    return await route.handler(call)


def _chosen_room(call: Call) -> str | None:
    """Which room's session the request wants to go by, if a room's at all."""
    query = call.route.query
    if query is not None and ROOM_PARAMETER in query.model_fields:
        in_address = call.request.query.get(ROOM_PARAMETER)
        if in_address is not None:
            return in_address
    return call.request.headers.get(ROOM_HEADER)


async def _once(call: Call, token: str) -> web.StreamResponse:
    """Do the work once per Idempotency-Key."""
    key = idempotency_key(call.request)
    if key is None:
        return await call.route.handler(call)
    replays = call.api.replays
    replayed = await replays.begin(token, key, request_digest(call.request, call.data))
    if replayed is not None:
        return replayed
    call.key = key
    try:
        response = await call.route.handler(call)
        if isinstance(response, web.Response) and response.status < 400 and not call.kept:
            await replays.end(token, key, response, secret=call.route.secret)
        return response
    finally:
        replays.free(token, key)


async def _audit(call: Call, status: int, *, written: bool) -> None:
    """Log an unsafe request, and write it down unless what it did was written together with that.

    Requests without a token that is known, and those over the limit, are only logged: an outsider
    must not be able to fill the disk, from however many addresses.
    """
    if not call.route.unsafe:
        return
    identity = call.identity
    log.info(
        "request",
        action=call.route.name,
        target=on_one_line(call.target),
        actor=identity.token.id if identity is not None else None,
        address=call.request.remote,
        status=status,
    )
    if status == 429 or identity is None or written:
        return
    try:
        await call.services.store.audit.append(call.audit_row(status))
    except StoreUnavailable as error:
        # What was done stays done; the log line above is the record until the disk is back.
        log.error("audit not written", reason=error.reason, action=call.route.name)
