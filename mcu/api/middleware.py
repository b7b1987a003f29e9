"""Around every answer: problems instead of tracebacks, headers, metrics."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from mcu.api import lost
from mcu.api.errors import problem_of
from mcu.api.problem import Problem
from mcu.api.security import add_cors_headers, add_security_headers, cors_allowed
from mcu.api.state import API_STATE
from mcu.sentences import sentence

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
NO_ROUTE: Final = "none"
CLIENT_GONE: Final = 499
"""As nginx counts them: the client closed its connection before it was answered."""


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as a problem; log those that nobody expected, under an id."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if error.status == 404 and lost.is_person(request):
            return lost.page()
        return _problem(error).response()
    except Exception as error:
        if isinstance(error, ConnectionResetError) and _has_gone(request):
            # Nobody is there to read an answer, and nothing is wrong here: it is only counted.
            return web.Response(status=CLIENT_GONE)
        known = problem_of(error)
        if known is not None:
            return known.response()
        return _unexpected(request, error).response()


@web.middleware
async def in_turn(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let no more requests begin in one turn of the loop than the tick of sound can wait for."""
    await request.app[API_STATE].beginnings.begin()
    return await handler(request)


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time by route; outermost, so that it sees the final status."""
    services = request.app[API_STATE].services
    metrics = request.app[API_STATE].metrics
    begun = services.monotonic()
    status = 500
    stream = False
    try:
        response = await handler(request)
        status = response.status
        stream = not isinstance(response, web.Response)
        return response
    finally:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else NO_ROUTE
        seconds = None if stream else services.monotonic() - begun
        metrics.request_done(_method(request.method), route, status, seconds)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: runs just before the headers go out, for streams too."""
    services = request.app[API_STATE].services
    tls = request.secure or (services.public_url or "").startswith("https://")
    if cors_allowed(request.path):
        add_cors_headers(response)
    add_security_headers(response, tls=tls)


def _has_gone(request: web.Request) -> bool:
    """Whether the connection that was reset is the client's own, not one of ours."""
    return request.transport is None or request.transport.is_closing()


def _method(method: str) -> str:
    """Only real methods become label values; a client may invent others."""
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return method if method in known else "other"


def _problem(error: web.HTTPException) -> Problem:
    problem = problem_of(error)
    if problem is None:
        raise error
    return problem


def _unexpected(request: web.Request, error: Exception) -> Problem:
    identifier = secrets.token_hex(6)
    log.error(
        "request failed",
        id=identifier,
        method=request.method,
        path=request.path,
        exc_info=error,
    )
    return Problem(
        "internal-error",
        sentence("unexpected", id=identifier),
        extra={"id": identifier},
    )
