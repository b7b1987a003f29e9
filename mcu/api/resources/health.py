"""For those who watch the process: alive, ready, and its figures."""

import ipaddress
from typing import Final

from aiohttp import hdrs, web

from mcu.api.call import Call
from mcu.api.problem import Problem, forbidden
from mcu.api.rights import Action, may_ever
from mcu.api.route import Answer, Route
from mcu.metrics import CONTENT_TYPE
from mcu.sentences import sentence

TAG: Final = "operation"
_PAGE_POLICY: Final = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"


async def healthz(call: Call) -> web.Response:
    """The process lives and its loop turns; asks nothing of the store."""
    # A text that loads nothing; browser probes opened on it may still call this server.
    return web.Response(text="ok\n", headers={"Content-Security-Policy": _PAGE_POLICY})


async def readyz(call: Call) -> web.Response:
    """New conferences are taken: the media plane runs and the store can be read."""
    reason = call.services.not_ready()
    if reason is not None:
        raise Problem(
            "unavailable",
            reason,
            headers={hdrs.RETRY_AFTER: "5"},
        )
    await call.services.store.events.last_seq()
    return web.Response(text="ready\n")


async def metrics(call: Call) -> web.Response:
    """The figures, to this machine without a token, to others with one."""
    headers = call.request.headers
    # A proxy on this machine speaks for others: it must bring a token.
    proxied = hdrs.FORWARDED in headers or hdrs.X_FORWARDED_FOR in headers
    if proxied or hdrs.AUTHORIZATION in headers or not _is_loopback(call.request.remote):
        identity = await call.api.auth.identify(call.request)
        if not may_ever(identity.token.role, Action.READ_METRICS):
            raise forbidden(sentence("metrics.observer"))
    return web.Response(
        body=await call.api.metrics.exposition(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE}
    )


def _is_loopback(remote: str | None) -> bool:
    try:
        address = ipaddress.ip_address((remote or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


ROUTES: Final = (
    Route(
        "GET", "/healthz", "healthz", healthz,
        "Whether the process lives", TAG, None, (Answer(200, "it does", media_type="text/plain"),),
    ),
    Route(
        "GET", "/readyz", "readyz", readyz,
        "Whether new conferences are taken", TAG, None,
        (Answer(200, "they are", media_type="text/plain"),),
    ),
    Route(
        "GET", "/metrics", "metrics", metrics,
        "Figures for Prometheus: from this machine without a token, from others with one of role "
        "observer, technician, operator or admin", TAG, None,
        (Answer(200, "the figures", media_type="text/plain"),),
        problems=("unauthenticated", "forbidden", "rate-limited"),
    ),
)  # fmt: skip
