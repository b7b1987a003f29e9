"""The aiohttp application: one table of routes, from which router and document are both made."""

import json
from functools import cache
from importlib import metadata
from typing import Final

from aiohttp import web

from mcu.api.auth import Authenticator
from mcu.api.host import real_hosts
from mcu.api.idempotency import Replays
from mcu.api.middleware import add_headers, in_turn, measure, problems
from mcu.api.openapi import openapi_document
from mcu.api.pipeline import endpoint
from mcu.api.reach import Directory
from mcu.api.resources import (
    agenda,
    alarms,
    bridges,
    conferences,
    conflicts,
    convening,
    docs,
    drills,
    events,
    floor,
    health,
    incidents,
    invitations,
    legs,
    load,
    overlays,
    participants,
    pictures,
    polling,
    presentation,
    readiness,
    recordings,
    reports,
    roll_calls,
    scenarios,
    session,
    sip,
    steering,
    tokens,
    units,
    wall,
)
from mcu.api.route import Route
from mcu.api.services import Services
from mcu.api.state import API_STATE, ApiState
from mcu.api.withdrawal import watch
from mcu.metrics import Metrics

ROUTES: Final[tuple[Route, ...]] = (
    *units.ROUTES,
    *bridges.ROUTES,
    *sip.ROUTES,
    *tokens.ROUTES,
    *session.ROUTES,
    *conferences.ROUTES,
    *participants.ROUTES,
    *steering.ROUTES,
    *presentation.ROUTES,
    *overlays.ROUTES,
    *scenarios.ROUTES,
    *agenda.ROUTES,
    *floor.ROUTES,
    *polling.ROUTES,
    *roll_calls.ROUTES,
    *convening.ROUTES,
    *conflicts.ROUTES,
    *invitations.ROUTES,
    *alarms.ROUTES,
    *incidents.ROUTES,
    *drills.ROUTES,
    *readiness.ROUTES,
    *reports.ROUTES,
    *recordings.ROUTES,
    *pictures.ROUTES,
    *wall.ROUTES,
    *legs.ROUTES,
    *events.ROUTES,
    *docs.ROUTES,
    *health.ROUTES,
    *load.ROUTES,
)
"""Every address of the API; the OpenAPI document is made of the same."""
_TABLES: Final = {route.path for route in ROUTES if route.path.endswith(".csv")}


def make_app(services: Services) -> web.Application:
    """The whole HTTP interface but the pages, which are added to it.

    The caller owns ``services``: it opens the store and the conferences before, and closes them
    after the app. One app per loop; nothing is global.
    """
    limits = services.limits
    app = web.Application(
        middlewares=[measure, in_turn, problems, real_hosts], client_max_size=limits.max_body_bytes
    )
    api = ApiState(
        services=services,
        routes=ROUTES,
        auth=Authenticator(services),
        directory=Directory(services),
        replays=Replays(services.store),
        metrics=Metrics(services.media, services.collectors),
        document=_document(),
    )
    app[API_STATE] = api
    wall.keep_texts(app)
    services.conferences.look_for_pages(api.pages)
    for route in ROUTES:
        handler, address = endpoint(route, api), _address(route.path)
        if route.method == "GET":
            app.router.add_get(address, handler, allow_head=not route.stream)
        else:
            app.router.add_route(route.method, address, handler)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.cleanup_ctx.append(watch)
    return app


def _address(path: str) -> str:
    """A route's path as the router reads it.

    ``x.csv`` is the table of ``x`` and no id beside it: else the methods of ``/{check}`` would be
    said to be allowed at ``/{check}.csv``.
    """
    if path.endswith("}") and f"{path}.csv" in _TABLES:
        return f"{path[:-1]}:[^/]+(?<!\\.csv)}}"
    return path


async def _end_streams(app: web.Application) -> None:
    """Hang up, so that stopping does not wait for clients; they resume elsewhere or later."""
    for stream in list(app[API_STATE].streams):
        stream.close()


@cache
def _document() -> bytes:
    """As it is sent: made of constants, so it is the same for every app of a process."""
    return json.dumps(openapi_document(ROUTES, _version())).encode()


def _version() -> str:
    try:
        return metadata.version("government-meeting-mcu")
    except metadata.PackageNotFoundError:
        return "0"
