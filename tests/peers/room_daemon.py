"""The daemon as a software room sees it, without network: a script of what it answers.

``RoomDaemon`` stands in for ``mcu.bridge.client.Client``, ``QuietPeer`` for its ``Peer``.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from mcu.bridge.client import Identity, Refused, Unreachable
from tests.peers.waiting import until

Event = tuple[str, dict[str, Any]]


class QuietPeer:
    """Connects at once, ends when told."""

    def __init__(self, microphone: Any, camera: Any) -> None:
        self.microphone, self.camera = microphone, camera
        self.over = asyncio.Event()
        self.closed = False

    async def offer(self) -> str:
        return "offer"

    async def connect(self, answer: str) -> None:
        assert answer == "answer"

    async def ended(self) -> None:
        await self.over.wait()

    async def close(self) -> None:
        self.closed = True


class RoomDaemon:
    """One conference, ``c-1``, until told otherwise.

    Attributes:
        offers: (time, conference, bridge, name) of each offer.
        refusals: raised by the next offers, one each.
        legs: those that the daemon knows; left: those that were deleted.
        down: every call is ``Unreachable``.
    """

    def __init__(self, bridge: str | None = "van-ninh") -> None:
        self.bridge = bridge
        self.role = "bridge" if bridge else "operator"
        self.running = ["c-1"]
        self.roster: list[dict[str, Any]] = []
        self.presences: dict[str, str] = {}
        self.offers: list[tuple[float, str, str | None, str | None]] = []
        self.refusals: list[Exception] = []
        self.legs: dict[str, str] = {}
        self.left: list[str] = []
        self.down = False
        self.calls = 0
        self.refuse_events: Refused | None = None
        self._streams: list[asyncio.Queue[Event | None]] = []

    # What a client can ask

    async def identity(self) -> Identity:
        self._call()
        return Identity(self.role, self.bridge)

    async def bridge_name(self, bridge: str) -> str:
        self._call()
        return f"Phòng {bridge}"

    async def conferences(self) -> list[str]:
        self._call()
        return list(self.running)

    async def participants(self, conference: str) -> list[dict[str, Any]]:
        self._call()
        return self.roster

    async def presence(self, conference: str, participant: str) -> str | None:
        self._call()
        return self.presences.get(participant) if conference in self.running else None

    async def offer(
        self, conference: str, sdp: str, *, bridge: str | None = None, name: str | None = None
    ) -> tuple[str, str]:
        self.offers.append((asyncio.get_running_loop().time(), conference, bridge, name))
        self._call()
        if self.refusals:
            raise self.refusals.pop(0)
        if conference not in self.running:
            raise Refused(404, f"No conference {conference!r}.")
        leg = f"leg-{len(self.offers)}"
        self.legs[leg] = bridge or self.bridge or f"guest-{len(self.offers)}"
        self.presences[self.legs[leg]] = "connected"
        return "answer", f"/api/v1/legs/{leg}"

    async def leg(self, path: str) -> dict[str, Any] | None:
        self._call()
        leg = path.rpartition("/")[2]
        return {"id": leg, "participant": self.legs[leg]} if leg in self.legs else None

    async def leave(self, leg: str) -> None:
        self.left.append(leg.rpartition("/")[2])
        self._call()
        self.legs.pop(self.left[-1], None)

    async def events(self, conference: str) -> AsyncGenerator[Event, None]:
        self._call()
        if self.refuse_events is not None:
            raise self.refuse_events
        stream: asyncio.Queue[Event | None] = asyncio.Queue()
        self._streams.append(stream)
        try:
            while (event := await stream.get()) is not None:
                yield event
        finally:
            self._streams.remove(stream)

    # What happens

    async def publish(self, type_: str, **data: Any) -> None:
        """An event, taken by everybody who listens when this returns."""
        for stream in self._streams:
            stream.put_nowait((type_, data))
        await asyncio.sleep(0.01)

    async def break_streams(self) -> None:
        for stream in self._streams:
            stream.put_nowait(None)
        await asyncio.sleep(0.01)

    async def until(self, offers: int) -> None:
        """Wait until so many offers were made and the last one's room listens to events."""
        await until(lambda: len(self.offers) >= offers and bool(self._streams), 0.05)

    def _call(self) -> None:
        self.calls += 1
        if self.down:
            raise Unreachable("nobody listens")
