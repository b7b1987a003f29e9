"""The Host header: who sends something else than a host and port is not answered.

What stands in it goes into links that are passed on (``join_url``) and is compared with the origin
of WebSockets, so nothing but an address may come through.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from mcu.api.problem import Problem

MAX_CHARACTERS: Final = 255 + len(":65535")

_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?", re.ASCII)
"""Registered names and IPv4: of RFC 3986 section 3.2.2 no more than DNS and hosts files use."""
_SPLIT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?", re.ASCII)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def host_name(header: str) -> str | None:
    """The host in a Host header (``host[:port]``, RFC 9110 section 7.2), without brackets.

    Returns: None when the header is no host and port.
    """
    found = _SPLIT.fullmatch(header) if len(header) <= MAX_CHARACTERS else None
    if found is None or (found[2] is not None and not 0 < int(found[2]) <= 65535):
        return None
    host = found[1]
    if not host.startswith("["):
        return host if _NAME.fullmatch(host) and ".." not in host else None
    try:
        return str(ipaddress.IPv6Address(host[1:-1]))
    except ValueError:
        return None


def is_loopback(header: str) -> bool:
    """Whether a Host header leads only to the machine on which it is used."""
    host = host_name(header) or ""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@web.middleware
async def real_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests whose Host header is none; without one (HTTP/1.0) there is nothing to refuse.

    Raises:
        Problem: malformed-request.
    """
    given = request.headers.getall(hdrs.HOST, [])
    if len(given) > 1 or any(host_name(one) is None for one in given):
        raise Problem(
            "malformed-request",
            "The Host header must be one host name or address, with a port or without: "
            "ask at the server's own address.",
        )
    return await handler(request)
