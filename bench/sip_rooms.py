"""Hardware rooms that wait to be called, all in one process: for ``bench.sip``.

Each has an address of its own (127.0.1.1, 127.0.1.2, …), answers at once, sends sound (PCMA, 50
packets a second; the first few a tone, the others silence) to where it was told, and notes when the
first packet came back. What is sent to it later is not read. On each line of standard input it
prints what it has seen, as JSON, and all rooms hang up before that where it says so (``HANG_UP``);
it ends with its input.
"""

import asyncio
import json
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import uvloop

from bench.command import command_line
from mcu.sip.endpoint import SipEndpoint
from mcu.sip.settings import EndpointSettings
from mixer.codecs.g711 import encoding_table
from signalling.sdp import SessionDescription
from signalling.sip import (
    AgentSettings,
    CallEnded,
    CallId,
    CallReceived,
    Event,
    Listener,
    UserAgent,
)

PACKET_S = 0.02
SAMPLES = 160
SPREAD = 4
"""The rooms send in so many parts, one after the other, not all in the same moment."""
SPEAKERS = 4
TONE_HZ = 400.0
"""Whole periods fit into a packet."""
HANG_UP = "hang up"
"""A line of standard input."""
FIRST_PACKET_WAITS = 2_048
"""Bytes of a socket's buffer: what nobody reads is not kept."""
SETTINGS = EndpointSettings("0.0.0.0", tcp_port=None)


def address_of(room: int) -> str:
    """Where a room is: rooms have addresses of their own, as limits by source count by address."""
    return f"127.0.{1 + room // 250}.{1 + room % 250}"


def speech() -> bytes:
    """A packet of a loud tone."""
    at = np.arange(SAMPLES) / 8_000.0
    tone = np.round(8_000 * np.sin(2 * np.pi * TONE_HZ * at)).astype(np.int16)
    return encoding_table("pcma")[tone.view(np.uint16)].tobytes()


def answer_to(offer: bytes, host: str, port: int) -> tuple[bytes, tuple[str, int]]:
    """PCMA for the first sound that is offered, nothing else; and where it is to be sent.

    Raises:
        ValueError: no sound is offered.
    """
    described = SessionDescription.parse(offer.decode())
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    target: tuple[str, int] | None = None
    for section in described.media:
        takes = section.kind == "audio" and target is None
        lines.append(
            f"m={section.kind} {port if takes else 0} {section.protocol} "
            f"{'8' if takes else ' '.join(section.formats)}"
        )
        if takes:
            connection = section.connection or described.connection
            if connection is None:
                raise ValueError("the offer does not say where its sound is")
            target = connection.address, section.port
            lines.append("a=rtpmap:8 PCMA/8000")
    if target is None:
        raise ValueError("no sound is offered")
    return "\r\n".join([*lines, ""]).encode(), target


@dataclass(slots=True)
class Room:
    """One of them."""

    host: str
    payload: bytes
    sock: socket.socket
    target: tuple[str, int] | None = None
    sequence: int = 0
    answered_at: float = 0.0
    heard_at: float = 0.0

    @property
    def port(self) -> int:
        """Of its sound."""
        return int(self.sock.getsockname()[1])

    def send(self) -> None:
        """One packet, if it is in a call."""
        if self.target is None:
            return
        number = self.sequence
        self.sequence += 1
        head = struct.pack(
            "!BBHLL", 0x80, 8, number & 0xFFFF, number * SAMPLES & 0xFFFFFFFF, self.port
        )
        try:
            self.sock.sendto(head + self.payload, self.target)
        except OSError:
            self.target = None  # the other side has closed: the call ends


@dataclass(slots=True)
class Rooms:
    """All, and the handler of their endpoint's events."""

    rooms: list[Room]
    endpoint: SipEndpoint | None = None
    of_call: dict[str, Room] = field(default_factory=dict)
    calls: int = 0
    ended: int = 0
    ended_at: float = 0.0

    @classmethod
    def opened(cls, count: int) -> "Rooms":
        """With a socket each."""
        tone, silence = speech(), bytes([0xD5]) * SAMPLES
        rooms = []
        for number in range(count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FIRST_PACKET_WAITS)
            sock.bind((address_of(number), 0))
            payload = tone if number < SPEAKERS else silence
            rooms.append(Room(address_of(number), payload, sock))
        return cls(rooms)

    def __call__(self, event: Event, now: float) -> None:
        """Take an event."""
        if isinstance(event, CallReceived):
            self._answer(event, now)
        elif isinstance(event, CallEnded) and event.call in self.of_call:
            self.ended += 1
            self.ended_at = time.monotonic()
            self.of_call.pop(event.call).target = None

    def _answer(self, event: CallReceived, now: float) -> None:
        assert self.endpoint is not None
        number = int(event.target.partition("@")[0].removeprefix("sip:room"))
        room = self.rooms[number]
        answer, room.target = answer_to(event.sdp or b"", room.host, room.port)
        self.calls += 1
        self.of_call[event.call] = room
        room.answered_at = room.answered_at or time.monotonic()
        asyncio.get_running_loop().add_reader(room.sock, self._heard, room)
        self.endpoint.agent.accept(event.call, answer, now)

    def _heard(self, room: Room) -> None:
        room.heard_at = time.monotonic()
        asyncio.get_running_loop().remove_reader(room.sock)

    async def send(self) -> None:
        """Send sound until cancelled."""
        loop = asyncio.get_running_loop()
        at = loop.time()
        turn = 0
        while True:
            for room in self.rooms[turn % SPREAD :: SPREAD]:
                room.send()
            turn += 1
            at += PACKET_S / SPREAD
            await asyncio.sleep(max(0.0, at - loop.time()))

    def hang_up(self) -> None:
        """End all calls in one go."""
        assert self.endpoint is not None
        for call in tuple(self.of_call):
            self.endpoint.do(partial(_hang_up, call))

    def figures(self) -> dict[str, float]:
        """What was seen so far; times are of the machine's monotonic clock."""
        answered = [room.answered_at for room in self.rooms if room.answered_at]
        heard = [room.heard_at for room in self.rooms if room.heard_at]
        return {
            "calls": self.calls,
            "ended": self.ended,
            "answered": len(answered),
            "heard": len(heard),
            "last_answered_at": max(answered, default=0.0),
            "last_heard_at": max(heard, default=0.0),
            "last_ended_at": self.ended_at,
        }


def _hang_up(call: CallId, agent: UserAgent, now: float) -> None:
    agent.hang_up(call, now)


async def run(count: int) -> None:
    """Be called until standard input ends."""
    rooms = Rooms.opened(count)
    endpoint = rooms.endpoint = SipEndpoint(
        SETTINGS, AgentSettings((Listener("udp", "127.0.0.1", 0),)), rooms
    )
    await endpoint.open()
    sending = asyncio.create_task(rooms.send())
    loop = asyncio.get_running_loop()
    try:
        print(json.dumps({"port": endpoint.listeners[0].port}), flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            if line.strip() == HANG_UP:
                rooms.hang_up()
            print(json.dumps(rooms.figures()), flush=True)
    finally:
        sending.cancel()
        await endpoint.close()
        for room in rooms.rooms:
            room.sock.close()


def main() -> None:
    """Parse and run."""
    parser = command_line(__doc__)
    parser.add_argument("--count", type=int, default=145)
    uvloop.run(run(parser.parse_args().count))


if __name__ == "__main__":
    main()
