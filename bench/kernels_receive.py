"""What one received packet of sound costs: ``python -m bench.kernels_receive`` prints JSON.

Ours: N rooms' packets, each from a socket of its own, read by ``recvmmsg``, opened, counted and
laid into the playout buffers of a conference nobody of which is decoded; the packets of all rooms
come in turn, so that what a room needs is as cold in the caches as in a meeting. Beside it, in the
same run, what aiortc does for a packet: ``recvfrom``, ``pylibsrtp.Session.unprotect``,
``RtpPacket.parse``, its stream statistics and its jitter buffer.

Times are CPU times of the process, of reading alone; the ratio is what to quote.
"""

import asyncio
import json
import logging
import random
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

import aiortc.rtp as aiortc_rtp
import structlog
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from pylibsrtp import Policy, Session

from bench.command import command_line
from mcu.engine.engine import Engine
from mcu.engine.local_video import LocalVideo
from mcu.engine.plan import MediaPlan
from mcu.engine.pool import InlinePool
from mcu.media import mmsg, rtp
from mcu.media.reader import MmsgReader
from mcu.media.udp import UdpTransport, open_socket
from tests.peers.media_world import JoinedPeer, MediaWorld
from tests.peers.network import Faults
from tests.peers.webrtc_peer import OfferOptions

PAYLOAD_BYTES = 80
ROUND_S = 0.02
WARM_UP_ROUNDS = 110
"""Until both sides keep as many packets as they ever do, and the collector has nothing to find."""
OPUS = 111
LEVEL_ID, SEND_TIME_ID = 2, 3
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_128_GCM


def _packet(generator: random.Random, number: int, ssrc: int) -> bytes:
    """A packet of a quiet room as browsers send it: audio level and send time."""
    values = {LEVEL_ID: bytes((127,)), SEND_TIME_ID: generator.randbytes(3)}
    header = rtp.HEADER.pack(0x90, OPUS, number & 0xFFFF, number * 960, ssrc)
    return header + rtp.pack_extensions(values) + generator.randbytes(PAYLOAD_BYTES)


class _Senders:
    """A loopback socket for each room, and one that reads them all."""

    def __init__(self, rooms: int) -> None:
        self.receiver = open_socket("::", 0)
        port = self.receiver.getsockname()[1]
        self.senders = []
        for _ in range(rooms):
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sender.connect(("127.0.0.1", port))
            self.senders.append(sender)

    def close(self) -> None:
        for one in (self.receiver, *self.senders):
            one.close()


def _timed(senders: _Senders, rounds: list[list[bytes]], read: Callable[[float], int]) -> float:
    """Seconds of CPU time of a packet's reading, after the first WARM_UP_ROUNDS."""
    spent, received = 0.0, 0
    for number, datagrams in enumerate(rounds):
        now = number * ROUND_S
        for first in range(0, len(datagrams), 32):
            for sender, datagram in zip(
                senders.senders[first:], datagrams[first : first + 32], strict=False
            ):
                sender.send(datagram)
            began = time.process_time()
            received += read(now)
            if number >= WARM_UP_ROUNDS:
                spent += time.process_time() - began
    if received != sum(len(one) for one in rounds):
        raise RuntimeError("datagrams were lost; the measurement is void")
    return spent / sum(len(one) for one in rounds[WARM_UP_ROUNDS:])


def ours(rooms: int, rounds: int) -> float:
    """Seconds a packet."""
    world = MediaWorld()
    engine = Engine(
        fan_out=world.fan_out,
        video=LocalVideo(world.fan_out, InlinePool()),
        start=0.0,
        wall=lambda: datetime.now(UTC),
    )
    media = engine.start_conference("conference")
    media.apply_plan(MediaPlan(), 0.0)
    peers: list[JoinedPeer] = []
    for _ in range(rooms):
        joined = world.connect(OfferOptions(video=None))
        assert joined.leg is not None
        media.add_leg(joined.leg, world.time.now)
        peers.append(joined)
    senders = _Senders(rooms)
    calls = mmsg.system_calls()
    if calls is None:
        raise RuntimeError("this measures recvmmsg, which this machine does not have")
    mmsg.ask_for_local_addresses(senders.receiver)
    mmsg.ask_for_times(senders.receiver)
    reader = MmsgReader(senders.receiver, calls)
    port = world.port
    for sender, joined in zip(senders.senders, peers, strict=True):
        sender.send(b"\x80")
        reader.read(0.0)
        assert joined.leg is not None
        port.bind(joined.leg, reader.address(0))
        joined.up.faults = Faults(loss=1.0)
    generator = random.Random(1)
    protected = [
        [
            joined.peer.send_protected(_packet(generator, number, joined.peer.sent["audio"].ssrc))
            for joined in peers
        ]
        for number in range(WARM_UP_ROUNDS + rounds)
    ]
    start = world.time.now
    clock = [start]
    loop = asyncio.new_event_loop()  # reads never by itself: it does not run
    transport = UdpTransport(loop, senders.receiver, port, lambda: clock[0], reader)

    def read(now: float) -> int:
        before = port.datagrams_received
        clock[0] = start + now
        transport.drain()
        return port.datagrams_received - before

    took = _timed(senders, protected, read)
    transport.close()
    loop.close()
    senders.close()
    legs = [joined.leg for joined in peers if joined.leg is not None]
    counted = sum(leg.statistics(start).received["audio"].packets for leg in legs)
    expected = rooms * (WARM_UP_ROUNDS + rounds)
    if counted != expected:
        raise RuntimeError(f"{expected - counted} packets were not taken; void")
    return took


def baseline(rooms: int, rounds: int) -> float:
    """Seconds a packet."""
    parameters = RTCRtpParameters()
    for number, uri in ((LEVEL_ID, rtp.AUDIO_LEVEL_URI), (SEND_TIME_ID, rtp.ABS_SEND_TIME_URI)):
        parameters.headerExtensions.append(RTCRtpHeaderExtensionParameters(id=number, uri=uri))
    generator = random.Random(1)
    senders = _Senders(rooms)
    inbound, outbound, maps, jitters, statistics = {}, [], {}, {}, {}
    for number, sender in enumerate(senders.senders):
        key = generator.randbytes(28)
        for kind in (Policy.SSRC_ANY_INBOUND, Policy.SSRC_ANY_OUTBOUND):
            session = Session(Policy(key=key, ssrc_type=kind, srtp_profile=PROFILE))
            if kind == Policy.SSRC_ANY_INBOUND:
                inbound[sender.getsockname()[1]] = session
            else:
                outbound.append((session, number + 1))
        address = sender.getsockname()[1]
        maps[address] = aiortc_rtp.HeaderExtensionsMap()
        maps[address].configure(parameters)
        jitters[address] = JitterBuffer(capacity=16, prefetch=4)
        statistics[address] = StreamStatistics(48_000)
    protected = [
        [session.protect(_packet(generator, number, ssrc)) for session, ssrc in outbound]
        for number in range(WARM_UP_ROUNDS + rounds)
    ]

    def read(now: float) -> int:
        count = 0
        while True:
            try:
                data, address = senders.receiver.recvfrom(2048)
            except BlockingIOError:
                return count
            count += 1
            peer = address[1]
            packet = aiortc_rtp.RtpPacket.parse(inbound[peer].unprotect(data), maps[peer])
            statistics[peer].add(packet)
            packet._data = packet.payload  # type: ignore[attr-defined]
            jitters[peer].add(packet)

    took = _timed(senders, protected, read)
    senders.close()
    return took


def main() -> None:
    """Measure both, alternately; print the best of each."""
    parser = command_line(__doc__)
    parser.add_argument("--rooms", type=int, default=145)
    parser.add_argument("--rounds", type=int, default=100, help="packets of each room")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    mine, theirs = [], []
    for _ in range(options.repeats):
        mine.append(ours(options.rooms, options.rounds))
        theirs.append(baseline(options.rooms, options.rounds))
    print(
        json.dumps(
            {
                "ours_us": round(min(mine) * 1e6, 2),
                "baseline_us": round(min(theirs) * 1e6, 2),
                "ratio": round(min(theirs) / min(mine), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
