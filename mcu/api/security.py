"""Headers that every answer carries, and the rules of other origins.

API answers may be framed, sniffed and cached by nobody. WHIP and WHEP clients live in pages of
other origins and carry bearer tokens, so those addresses answer CORS, without credentials: a
cookie never works from another origin.
"""

from collections.abc import Iterable
from typing import Final

from aiohttp import hdrs, web

SESSION_COOKIE: Final = "mcu_session"
"""Of whoever signs in with a token that is not a room's."""

ROOM_HEADER: Final = "X-MCU-Room"
"""A bridge's id: the request is of this room and goes by its cookie, not by the operator's.

So one browser holds the console and any number of rooms at once. The choice is no secret and gives
no right; the cookie does.
"""

ROOM_PARAMETER: Final = "room"
"""The same in the address of a WebSocket, to which browsers add no headers."""

MAX_ROOM_COOKIES: Final = 16
"""Rooms that one browser is signed in as; beyond them the oldest cookie goes, or the Cookie header
of somebody who tries all rooms of a province would outgrow what a server reads."""

CSRF_HEADER: Final = "X-CSRF-Token"

API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)
"""Swagger UI sets style attributes and draws its icons from data addresses; scripts stay ours."""

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": API_POLICY,
    "Cache-Control": "no-store",
}
_STRICT_TRANSPORT: Final = "max-age=31536000"

CORS_METHODS: Final = "GET, POST, PATCH, DELETE, OPTIONS"
CORS_REQUEST_HEADERS: Final = "Authorization, Content-Type, If-Match, Idempotency-Key"
CORS_EXPOSED: Final = "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After"
CORS_MAX_AGE_S: Final = 7200


def add_security_headers(response: web.StreamResponse, *, tls: bool) -> None:
    """Set what the handler has not set itself; pages bring their own policy."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers[hdrs.SERVER] = "mcu"
    if tls:
        response.headers.setdefault(hdrs.STRICT_TRANSPORT_SECURITY, _STRICT_TRANSPORT)


_CORS_PREFIXES: Final = ("/whip/", "/whep/", "/api/v1/legs/")


def session_cookie(room: str | None) -> str:
    """Name of the cookie that carries the session of a room, or of anybody else (None)."""
    return SESSION_COOKIE if room is None else f"{SESSION_COOKIE}_{room}"


def surplus_cookies(names: Iterable[str], room: str | None) -> list[str]:
    """Which room cookies of a request to drop when ``room`` gets its own.

    Args:
        names: as the browser sent them, which is the oldest first (RFC 6265 section 5.4).
    """
    others = [
        name
        for name in names
        if name.startswith(f"{SESSION_COOKIE}_") and name != session_cookie(room)
    ]
    kept = MAX_ROOM_COOKIES - (room is not None)
    return others[: max(0, len(others) - kept)]


def cors_allowed(path: str) -> bool:
    """Whether pages of other origins may use this address (with a bearer token)."""
    return path.startswith(_CORS_PREFIXES)


def add_cors_headers(response: web.StreamResponse) -> None:
    """Let pages of any origin read this answer; browsers then send no cookie with it."""
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
    response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = CORS_EXPOSED
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def preflight_response() -> web.Response:
    """The answer to a CORS preflight (and to a plain OPTIONS) of a media address."""
    response = web.Response(status=204)
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = CORS_METHODS
    response.headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = CORS_REQUEST_HEADERS
    response.headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(CORS_MAX_AGE_S)
    return response


def same_origin(origin: str | None, scheme: str, host: str, public_url: str | None) -> bool:
    """Whether an Origin header names this server: as it was addressed, or by its public name."""
    if origin is None:
        return False
    own = {f"{scheme}://{host}".lower()}
    if public_url is not None:
        own.add("/".join(public_url.split("/")[:3]).lower())
    return origin.lower() in own
