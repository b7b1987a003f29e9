"""What happens when access is withdrawn: legs and event streams of a revoked token end.

Withdrawn is a token that was revoked, or that is gone with its bridge. One that has merely expired
opens nothing any more, but what it opened goes on: a meeting is not cut by a date that passed (see
``docs/decisions/0009-revoked-ends-expired-does-not.md``).

What a request of this daemon revokes is acted on at once; what another process revoked (``mcu
token revoke``) within ``heartbeat_s``.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import web

from mcu.api.state import API_STATE
from mcu.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from mcu.api.state import ApiState

REASON: Final = "revoked"
"""With which legs are closed; the participant's event carries it to the room."""

log = structlog.get_logger(__name__)


async def enforce(api: "ApiState") -> None:
    """Close the legs of tokens that were withdrawn, then end their event streams.

    In this order, so that a stream still says why its room is out.

    Raises:
        StoreUnavailable: nothing was closed.
    Cost: one query for all tokens with open legs or streams; none where there are no such.
    """
    legs = api.services.legs
    used = {*legs.openers(), *(stream.token for stream in api.streams)}
    if not used:
        return
    withdrawn = await api.services.store.tokens.withdrawn(used)
    for token in withdrawn:
        closed = await legs.withdraw(token, REASON)
        log.info("access_withdrawn", token=token, legs=closed)
    for stream in list(api.streams):
        if stream.token in withdrawn:
            stream.finish()


async def watch(app: web.Application) -> AsyncIterator[None]:
    """A cleanup context: look from time to time, as other processes revoke tokens too."""
    task = asyncio.create_task(_watch(app[API_STATE]), name="withdrawals")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _watch(api: "ApiState") -> None:
    while True:
        await asyncio.sleep(api.services.limits.heartbeat_s)
        try:
            await enforce(api)
        except StoreUnavailable as error:
            log.warning("withdrawals_unread", reason=error.reason)
        except Exception:
            # One leg's defect must not end the watch over all others.
            log.exception("withdrawal_failed")
