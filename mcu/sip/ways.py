"""The ways out: over a connection, to an address, to a name that is looked up first."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from mcu.sip.lookup import Locator, Nowhere, is_address
from mcu.sip.settings import EndpointSettings
from mcu.sip.streams import Streams
from mcu.sip.udp import SipUdp
from signalling.sip import Hop, SendMessage, Transport

MAX_LOOKUPS: Final = 500
"""Messages whose next hop is being looked up."""
CHOSEN_S: Final = 32.0
"""So long messages for one name go to the place that was found for the first of them."""
MAX_CHOSEN: Final = 1_000


class Ways:
    """Sends messages; ``close`` in the end.

    Args:
        udp: None: not by datagrams.
        failed: told of a message that found no way, the cause (``TransportCounts.unsent``), and
            what the system says of it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: EndpointSettings,
        udp: SipUdp | None,
        streams: Streams,
        locator: Locator,
        *,
        clock: Callable[[], float],
        failed: Callable[[SendMessage, str, str], None],
    ) -> None:
        self._loop = loop
        self._settings = settings
        self._udp = udp
        self._streams = streams
        self._locator = locator
        self._clock = clock
        self._failed = failed
        self._chosen: dict[tuple[Transport, str, int | None], tuple[Hop, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up what is being looked up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, message: SendMessage, data: bytes) -> None:
        """Send a message, at once or when its next hop is found."""
        hop = message.hop
        if hop.connection is not None:
            if not self._streams.send(hop.connection, data):
                self._failed(message, "gone", "")
        elif hop.port is not None and is_address(hop.host):
            self._send_to(message, data, hop)
        elif (chosen := self._chosen_for(hop)) is not None:
            self._send_to(message, data, chosen)
        elif len(self._tasks) < MAX_LOOKUPS:
            self._run(self._look_up_and_send(message, data))
        else:
            self._failed(message, "crowd", "")

    def _send_to(self, message: SendMessage, data: bytes, hop: Hop) -> None:
        if hop.transport != "udp":
            wait_s = self._settings.trial_s if message.is_trial else self._settings.connect_s
            self._streams.send_to(
                hop, data, lambda cause, detail="": self._failed(message, cause, detail), wait_s
            )
        elif self._udp is None or not self._udp.send(data, hop):
            self._failed(message, "socket", "")

    async def _look_up_and_send(self, message: SendMessage, data: bytes) -> None:
        hop = message.hop
        try:
            found = await self._locator.resolve(hop)
        except Nowhere as nowhere:
            self._failed(message, nowhere.cause, nowhere.detail)
            return
        # All messages of a transaction go to one place, also those that repeat.
        if len(self._chosen) >= MAX_CHOSEN:
            self._chosen.clear()
        until = self._clock() + CHOSEN_S
        self._chosen[hop.transport, hop.host, hop.port] = found[0], until
        if hop.transport == "udp":
            self._send_to(message, data, found[0])
        else:
            self._try_in_turn(message, data, found)

    def _try_in_turn(self, message: SendMessage, data: bytes, hops: Sequence[Hop]) -> None:
        def failed(cause: str, detail: str = "") -> None:
            if len(hops) > 1:
                self._try_in_turn(message, data, hops[1:])
            else:
                self._chosen.pop(key, None)
                self._failed(message, cause, detail)

        key = message.hop.transport, message.hop.host, message.hop.port
        self._chosen[key] = hops[0], self._clock() + CHOSEN_S
        wait_s = self._settings.trial_s if message.is_trial else self._settings.connect_s
        self._streams.send_to(hops[0], data, failed, wait_s)

    def _chosen_for(self, hop: Hop) -> Hop | None:
        found = self._chosen.get((hop.transport, hop.host, hop.port))
        return None if found is None or found[1] < self._clock() else found[0]

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
