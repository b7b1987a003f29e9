"""``mcu bridge``: one software room, or many for a demonstration or a load."""

import asyncio
import sys
from collections import Counter

import aiohttp

from mcu.bridge.client import Client, Identity, Refused
from mcu.bridge.room import RoomMedia, SoftwareRoom

JOIN_SPACING_S = 0.1
"""Rooms of one process start one after the other, so that none starves the others' handshakes."""


class _Progress:
    """One line a change: which room is where, and how many are in."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._states: dict[str, str] = {}

    def __call__(self, room: str, state: str, reason: str) -> None:
        if self._states.get(room) == state == "retrying":
            return
        self._states[room] = state
        connected = Counter(self._states.values())["connected"]
        print(f"{room}: {state} ({reason}) [{connected}/{self._total} in]", file=sys.stderr)


async def run(
    server: str,
    token: str,
    *,
    video: str = "test",
    audio: str = "tone",
    count: int = 1,
    verify_tls: bool = True,
) -> int:
    """Run software rooms until interrupted.

    Args:
        server, token: the daemon; a bridge's token is one room, an operator's token takes the
            expected rooms of the first running conference, then guests.
        video: ``test`` or a file. audio: ``tone``, ``speech`` or a file. count: rooms.
    Returns: the exit code: 1 when the daemon refuses the token.
    """
    media = RoomMedia(video=video, audio=audio)
    async with Client(server, token, verify_tls=verify_tls) as client:
        try:
            identity = await _identity(client)
            rooms = await _rooms(client, identity, media, count)
        except (Refused, ValueError) as error:
            print(f"mcu bridge: {error}", file=sys.stderr)
            return 1
        async with asyncio.TaskGroup() as group:
            for room in rooms:
                group.create_task(room.run())
                await asyncio.sleep(JOIN_SPACING_S)
    return 0


async def _identity(client: Client) -> Identity:
    """Who the token is; waits for a daemon that is not there yet."""
    told = False
    while True:
        try:
            return await client.identity()
        except aiohttp.ClientError as error:
            if not told:
                print(f"waiting for the daemon ({error})", file=sys.stderr)
                told = True
            await asyncio.sleep(2.0)


async def _rooms(
    client: Client, identity: Identity, media: RoomMedia, count: int
) -> list[SoftwareRoom]:
    progress = _Progress(count)

    def room(
        name: str, acts_for: str | None, guest: bool, conference: str | None = None
    ) -> SoftwareRoom:
        return SoftwareRoom(
            client,
            name,
            media,
            acts_for=acts_for,
            guest=guest,
            conference=conference,
            on_state=lambda state, reason: progress(name, state, reason),
        )

    if identity.bridge is not None:
        if count > 1:
            raise ValueError("a bridge's token is one room; --count needs an operator's token")
        return [room(await client.bridge_name(identity.bridge), None, False)]
    while not (conferences := await client.conferences()):
        print("waiting for a conference", file=sys.stderr)
        await asyncio.sleep(2.0)
    conference = conferences[0]
    free = [
        participant
        for participant in await client.participants(conference)
        if participant["state"] != "connected" and participant["bridge"]
    ][:count]
    rooms = [room(p["label"] or p["name"], p["bridge"], False, conference) for p in free]
    guests = range(count - len(rooms))
    return rooms + [room(f"guest {number + 1}", None, True, conference) for number in guests]
