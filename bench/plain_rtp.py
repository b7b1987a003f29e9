"""The load of ``bench.janus``: rooms that send and receive Opus in plain RTP, all in one process.

It says on which ports its rooms listen, is told where each sends to, warms up, measures and prints
one JSON line. Sound is that of ``bench.generator``: a few speak, the others send what a quiet room
sends. Reading goes by ``recvmmsg`` and times are the kernel's, so that few calls serve many rooms
and what the generator delays is not taken for the server's.
"""

import argparse
import asyncio
import gc
import json
import resource
import secrets
import socket
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import uvloop

from bench.command import command_line
from bench.generator import AUDIO_PHASES, PHASE_S, POLL_PHASES, STARVED_PHASES
from bench.janus_server import LEVEL_ID, PAYLOAD_TYPE
from bench.media import CodedSound, coded_silence, coded_speech
from bench.stamped import StampedReader
from mcu.media import rtp
from mcu.media.mmsg import ask_for_times
from mixer.audio.level import SILENCE_DBOV, level_dbov
from mixer.codecs.opus import OpusDecoder

PACKET_BYTES = 1500
LATE_S = 0.02
_HEADER = struct.Struct("!BBHII")


@dataclass(slots=True)
class Counters:
    """What a room has received since the measurement began."""

    packets: int = 0
    gap_s: float = 0.0
    last_at: float = 0.0
    decoded: int = 0
    loudest_dbov: float = SILENCE_DBOV


def packet(sound: CodedSound, number: int, first: int, ssrc: int) -> bytes:
    """The RTP packet with a place in a room's loop.

    Args:
        number: of the packet since the room began. first: sequence number of packet 0.
    """
    at = number % len(sound.packets)
    level = -sound.levels_dbov[at]
    extension = rtp.pack_extensions({LEVEL_ID: bytes((level | (0x80 if level < 60 else 0),))})
    header = _HEADER.pack(
        0x90, PAYLOAD_TYPE, (first + number) & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc
    )
    return header + extension + sound.packets[at]


class PlainRoom:
    """One room's socket.

    Args:
        sampled: decode what comes, and note how loud it was.
    """

    def __init__(self, sound: CodedSound, *, sampled: bool) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.setblocking(False)
        ask_for_times(self.socket)
        self.counters = Counters()
        self._sound = sound
        self._number, self._first = 0, secrets.randbits(15)
        self._ssrc = secrets.randbits(32)
        self._decoder = OpusDecoder() if sampled else None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.socket.getsockname()[1])

    def send(self) -> None:
        """The next 20 ms."""
        self.socket.send(packet(self._sound, self._number, self._first, self._ssrc))
        self._number += 1

    def read(self, reader: StampedReader) -> None:
        """Count what has come."""
        try:
            received = reader.read(self.socket)
        except BlockingIOError:
            return
        counters = self.counters
        for datagram, at in received:
            if len(datagram) < _HEADER.size or datagram[1] & 0x7F != PAYLOAD_TYPE:
                continue
            counters.packets += 1
            if counters.last_at:
                counters.gap_s = max(counters.gap_s, at - counters.last_at)
            counters.last_at = at
            if self._decoder is not None:
                whole = bytes(datagram)
                _, start, end = rtp.bounds(whole, len(whole))
                block = self._decoder.decode(whole[start:end])
                counters.decoded += 1
                counters.loudest_dbov = max(counters.loudest_dbov, level_dbov(block))


class PlainGenerator:
    """All rooms of one load."""

    def __init__(self, options: argparse.Namespace) -> None:
        silence = coded_silence()
        self._options = options
        self.rooms = [
            PlainRoom(
                coded_speech(f"speaker {number}") if number < options.speakers else silence,
                sampled=number < options.sampled,
            )
            for number in range(options.legs)
        ]
        self._phases = self._late = 0

    async def run(self, targets: Sequence[int]) -> dict[str, float | int | bool]:
        """Send to loopback ports, one for each room; gives the figures."""
        for room, port in zip(self.rooms, targets, strict=True):
            room.socket.connect(("127.0.0.1", port))
        gc.collect()
        gc.freeze()
        working = asyncio.create_task(self._work())
        await asyncio.sleep(self._options.warm_up)
        print("measuring", flush=True)
        for room in self.rooms:
            room.counters = Counters()
        self._phases = self._late = 0
        cpu, began = _cpu_seconds(), time.monotonic()
        await asyncio.wait([working], timeout=self._options.seconds)
        if working.done():
            working.result()
        seconds = time.monotonic() - began
        cores = (_cpu_seconds() - cpu) / seconds
        working.cancel()
        return figures([room.counters for room in self.rooms], self._options.sampled, seconds) | {
            "generator_cores": round(cores, 3),
            "generator_late_phases": round(self._late / max(1, self._phases), 4),
            "generator_starved": self._late > STARVED_PHASES * self._phases,
        }

    async def _work(self) -> None:
        reader = StampedReader(PACKET_BYTES)
        start = time.monotonic()
        phase = 0
        while True:
            delay = start + phase * PHASE_S - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            self._phases += 1
            self._late += time.monotonic() - (start + phase * PHASE_S) > LATE_S
            for number, room in enumerate(self.rooms):
                if (number + phase) % POLL_PHASES == 0:
                    room.read(reader)
                if (number + phase) % AUDIO_PHASES == 0:
                    room.send()
            phase += 1


def figures(
    counters: Sequence[Counters], sampled: int, seconds: float
) -> dict[str, float | int | bool]:
    """What the rooms got, under the names that ``bench.generator`` has for it."""
    heard = counters[:sampled]
    return {
        "seconds": round(seconds, 1),
        "audio_pps_per_leg_min": round(min(one.packets for one in counters) / seconds, 2),
        "audio_pps_per_leg_mean": round(float(np.mean([c.packets for c in counters])) / seconds, 2),
        "audio_gap_ms_max": round(max(one.gap_s for one in counters) * 1000, 1),
        "sampled_audio_decoded_pps_min": round(
            min((one.decoded for one in heard), default=0) / seconds, 2
        ),
        "sampled_loudest_dbov": round(min((one.loudest_dbov for one in heard), default=0.0), 1),
    }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def _run(options: argparse.Namespace) -> dict[str, float | int | bool]:
    generator = PlainGenerator(options)
    print(json.dumps([room.port for room in generator.rooms]), flush=True)
    return await generator.run(json.loads(sys.stdin.readline()))


def main() -> None:
    """Print the rooms' ports, read where they send to, run, print the figures."""
    parser = command_line(__doc__)
    parser.add_argument("--legs", type=int, default=10)
    parser.add_argument("--speakers", type=int, default=4)
    parser.add_argument("--sampled", type=int, default=2, help="rooms that decode what they get")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--warm-up", type=float, default=4.0)
    options = parser.parse_args()
    print(json.dumps(uvloop.run(_run(options))), flush=True)


if __name__ == "__main__":
    main()
