"""``mcu bridge``: one software room, or many for a demonstration or a load."""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

import av

from config.problems import ConfigurationError, Problem
from mcu.bridge.client import Client, Refused, Unreachable, Unusable
from mcu.bridge.room import RoomMedia, SoftwareRoom, State

JOIN_SPACING_S = 0.1
"""Rooms of one process start one after the other, so that none starves the others' handshakes."""
POLL_S = 2.0
DONE, FAILED = 0, 1

Found = TypeVar("Found")


class _Progress:
    """One line a change: which room is where, and how many are in."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._states: dict[str, State] = {}

    def __call__(self, room: str, state: State, reason: str) -> None:
        trying = {"retrying", "joining"}
        again = state in trying and self._states.get(room) == "retrying"
        if again:
            return  # said once; what comes of it will be said
        self._states[room] = state
        connected = Counter(self._states.values())["connected"]
        _say(f"{room}: {state} ({reason}) [{connected}/{self._total} in]")


async def run(
    server: str,
    token: str,
    *,
    video: str = "test",
    audio: str = "tone",
    count: int = 1,
    verify_tls: bool = True,
    until_input_ends: bool = False,
) -> int:
    """Run software rooms until interrupted (SIGINT, SIGTERM), then leave properly.

    Args:
        server, token: the daemon; a bridge's token is one room, an operator's token takes the
            expected rooms of the latest running conference, then guests.
        video: ``test`` or a file. audio: ``tone``, ``speech`` or a file. count: rooms.
        until_input_ends: leave when standard input ends, that is when who holds it has died.
    Returns: the exit code: 1 when the daemon refuses the token.
    Raises:
        ConfigurationError: a file cannot be played.
    """
    media = RoomMedia(video=video, audio=audio)
    _check("--video", video, media.check_video)
    _check("--audio", audio, media.check_audio)
    loop = asyncio.get_running_loop()
    rooms = asyncio.create_task(_run(server, token, media, count, verify_tls))
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, rooms.cancel)
    watched = await _watch_input(rooms.cancel) if until_input_ends else None
    try:
        await asyncio.wait({rooms})
        return DONE if rooms.cancelled() else rooms.result()
    finally:
        if watched is not None:
            watched.close()
        for number in numbers:
            loop.remove_signal_handler(number)
        rooms.cancel()


class _Input(asyncio.Protocol):
    """Tells when the other end of standard input is closed; what comes through it is ignored."""

    def __init__(self, ended: Callable[[], object]) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended()


async def _watch_input(ended: Callable[[], object]) -> asyncio.BaseTransport:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: _Input(ended), sys.stdin)
    return transport


async def _run(server: str, token: str, media: RoomMedia, count: int, verify_tls: bool) -> int:
    async with Client(server, token, verify_tls=verify_tls) as client:
        try:
            rooms = await _patiently(lambda: _rooms(client, media, count))
        except (Refused, Unusable, ValueError) as error:
            _say(f"mcu bridge: {error}")
            return FAILED
        try:
            async with asyncio.TaskGroup() as group:
                for room in rooms:
                    group.create_task(room.run())
                    await asyncio.sleep(JOIN_SPACING_S)
        except* (Refused, OSError, ValueError) as failed:
            # The token was revoked, or a file is gone: all rooms share them.
            _say(f"mcu bridge: {failed.exceptions[0]}")
    return FAILED


async def _patiently(work: Callable[[], Awaitable[Found]]) -> Found:
    """Do it as often as needed until the daemon is there, ready, and answers."""
    told = False
    while True:
        try:
            return await work()
        except Unusable:
            raise
        except Unreachable as error:
            reason = str(error)
        except Refused as refused:
            if not refused.passes:
                raise
            reason = str(refused)
        if not told:
            _say(f"waiting for the daemon ({reason})")
            told = True
        await asyncio.sleep(POLL_S)


async def _rooms(client: Client, media: RoomMedia, count: int) -> list[SoftwareRoom]:
    """The rooms that the token stands for."""
    identity = await client.identity()
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
    conference = await _conference(client)
    free = [
        participant
        for participant in await client.participants(conference)
        if participant["state"] != "connected" and participant["bridge"]
    ][:count]
    rooms = [room(p["label"] or p["name"], p["bridge"], False, conference) for p in free]
    guests = range(count - len(rooms))
    return rooms + [room(f"guest {number + 1}", None, True, conference) for number in guests]


async def _conference(client: Client) -> str:
    """The latest running conference; waits until there is one."""
    told = False
    while not (conferences := await client.conferences()):
        if not told:
            _say("waiting for a conference")
            told = True
        await asyncio.sleep(POLL_S)
    return conferences[0]


def _check(option: str, path: str, check: Callable[[], None]) -> None:
    try:
        check()
    except av.FFmpegError as error:
        reason = f"{path} cannot be played ({error.strerror}); is it a sound or picture file?"
        raise ConfigurationError([Problem(option, reason)]) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError([Problem(option, str(error))]) from error


def _say(text: str) -> None:
    """Rooms go on when whoever read this has gone."""
    with contextlib.suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)
