"""What one app keeps while it runs; made once by ``make_app``."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from mcu.api.auth import Authenticator
from mcu.api.beginnings import Beginnings
from mcu.api.idempotency import Replays
from mcu.api.reach import Directory
from mcu.api.route import Route
from mcu.api.services import Services
from mcu.metrics import Metrics

if TYPE_CHECKING:
    from mcu.api.event_stream import OpenStream


@dataclass(slots=True)
class ApiState:
    """The app's own parts.

    Args:
        streams: open event streams, ended when the app shuts down.
        starting: held by the request that starts a conference.
        beginnings: lets requests begin.
    """

    services: Services
    routes: Sequence[Route]
    auth: Authenticator
    directory: Directory
    replays: Replays
    metrics: Metrics
    document: bytes
    streams: "set[OpenStream]" = field(default_factory=set)
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    beginnings: Beginnings = field(default_factory=Beginnings)

    def pages(self) -> frozenset[str]:
        """Bridges that read events now: their join page is open, or they are software rooms."""
        return frozenset(stream.bridge for stream in self.streams if stream.bridge is not None)


API_STATE: web.AppKey[ApiState] = web.AppKey("api_state", ApiState)
