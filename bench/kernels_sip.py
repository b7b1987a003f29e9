"""A packet of sound of a SIP leg beside one of a WebRTC leg: ``python -m bench.kernels_sip``.

SIP legs have a socket each, WebRTC legs share one. Both get packets on real sockets, of one size
and under one profile, count them and hand them to nobody; both are sent one rendition's packets.
Prints JSON: microseconds of CPU time a packet, and SIP's as a multiple of WebRTC's, which is what
to quote. The kernel's work for sockets is in it, and is what differs.
"""

import asyncio
import json
import logging
import random
import socket
import time
from collections.abc import Callable, Sequence

import structlog

from bench.command import command_line
from mcu.legs.sip import SipLeg
from mcu.legs.sip_acceptor import ReservedPorts, SipAcceptor
from mcu.media import mmsg, rtp
from mcu.media.batch import PacketBatch
from mcu.media.clock import NtpClock
from mcu.media.mmsg_batch import MmsgBatch
from mcu.media.path import SendPath
from mcu.media.port_pairs import PortPairs
from mcu.media.ports import UdpPorts
from mcu.media.reader import MmsgReader
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.media.send import SendFormat, SendStream
from mcu.media.srtp import PacketBuffer, SrtpSession, protect_in_place
from mcu.media.udp import UdpTransport, open_socket
from signalling.offer_answer import LocalMedia, Sdes, answer_offer
from signalling.sdp import SessionDescription
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.media_world import MediaWorld, Recorder
from tests.peers.network import Faults
from tests.peers.webrtc_peer import OfferOptions

PAYLOAD_BYTES = 160
ROUND_S = 0.02
PROFILE = "AEAD_AES_128_GCM"
PORTS = (30_000, 31_999)


def _packet(generator: random.Random, payload_type: int, number: int, ssrc: int) -> bytes:
    header = rtp.HEADER.pack(0x80, payload_type, number & 0xFFFF, number * 160, ssrc)
    return header + generator.randbytes(PAYLOAD_BYTES)


def _timed(
    sends: Sequence[Callable[[bytes], object]],
    rounds: list[list[bytes]],
    read: Callable[[float], None],
) -> float:
    """Seconds of CPU time of all reading; 32 packets come between two reads."""
    spent = 0.0
    for number, datagrams in enumerate(rounds):
        for first in range(0, len(datagrams), 32):
            for send, datagram in zip(sends[first:], datagrams[first : first + 32], strict=False):
                send(datagram)
            began = time.process_time()
            read(number * ROUND_S)
            spent += time.process_time() - began
    return spent


def receive_webrtc(rooms: int, rounds: int) -> float:
    """Seconds a packet."""
    world = MediaWorld()
    peers = [world.connect(OfferOptions(video=None)) for _ in range(rooms)]
    receiver = open_socket("::", 0)
    senders = []
    for _ in peers:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.connect(("127.0.0.1", receiver.getsockname()[1]))
        senders.append(sender)
    calls = mmsg.system_calls()
    if calls is None:
        raise RuntimeError("this measures recvmmsg, which this machine does not have")
    mmsg.ask_for_local_addresses(receiver)
    mmsg.ask_for_times(receiver)
    reader = MmsgReader(receiver, calls)
    for sender, joined in zip(senders, peers, strict=True):
        sender.send(b"\x80")
        reader.read(0.0)
        assert joined.leg is not None
        world.port.bind(joined.leg, reader.address(0))
        joined.leg.listen(None)
        joined.up.faults = Faults(loss=1.0)
    generator = random.Random(1)
    protected = [
        [
            one.peer.send_protected(_packet(generator, 111, number, one.peer.sent["audio"].ssrc))
            for one in peers
        ]
        for number in range(rounds)
    ]
    start, clock = world.time.now, [world.time.now]
    loop = asyncio.new_event_loop()  # reads never by itself: it does not run
    transport = UdpTransport(loop, receiver, world.port, lambda: clock[0], reader)

    def read(now: float) -> None:
        clock[0] = start + now
        transport.drain()

    took = _timed([one.send for one in senders], protected, read)
    transport.close()
    loop.close()
    for sender in senders:
        sender.close()
    legs = [one.leg for one in peers if one.leg is not None]
    _check(sum(one.statistics(start).received["audio"].packets for one in legs), rooms * rounds)
    return took / (rooms * rounds)


class SipEnds:
    """SIP legs on loopback, each opposite to a socket."""

    def __init__(self, rooms: int, plain: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = [1_000.0]
        self.ports = UdpPorts(self.loop, PortPairs(*PORTS), lambda: self.clock[0])
        self.acceptor = SipAcceptor(
            ports=self.ports,
            certificate=DtlsCertificate.generate(),
            ntp=NtpClock(1_700_000_000.0, 1_000.0),
            clock=lambda: self.clock[0],
        )
        generator = random.Random(1)
        self.legs: list[SipLeg] = []
        self.peers: list[socket.socket] = []
        self.sessions: list[SrtpSession | None] = []
        for number in range(rooms):
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            peer.bind(("127.0.0.1", 0))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            reserved = self.acceptor.reserve(1)
            leg = self._open(peer.getsockname()[1], reserved, f"leg-{number}", generator, plain)
            peer.connect(("127.0.0.1", leg.agreed.flows[0].local_port))
            self.peers.append(peer)
            self.legs.append(leg)
            security = leg.agreed.flows[0].security
            self.sessions.append(
                SrtpSession(security.remote_key, PROFILE, PacketBuffer(), outbound=True)
                if isinstance(security, Sdes)
                else None
            )
        for _ in range(rooms):
            self.acceptor.handle_timer(self.clock[0])

    def _open(
        self, port: int, ports: ReservedPorts, name: str, generator: random.Random, plain: bool
    ) -> SipLeg:
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
        lines += [f"m=audio {port} {'RTP/AVP' if plain else 'RTP/SAVP'} 8", "a=rtcp-mux"]
        if not plain:
            inline = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
            lines.append(f"a=crypto:1 AEAD_AES_128_GCM inline:{inline}")
        offer = SessionDescription.parse("\r\n".join([*lines, ""]))
        local = LocalMedia(
            port=lambda index, family: ports.take(),
            session_id=1,
            cname="bench",
            new_ssrc=lambda: generator.randrange(1, 1 << 32),
            ipv4="127.0.0.1",
        )
        return self.acceptor.open(
            answer_offer(offer, local),
            ports,
            leg_id=name,
            conference="c",
            participant=name,
            observer=Recorder(),
            digits=lambda key: None,
            now=self.clock[0],
        )

    def protect(self, number: int, packet: bytes) -> bytes:
        """As the peer sends it."""
        session = self.sessions[number]
        if session is None:
            return packet
        buffer = PacketBuffer()
        buffer.write(packet)
        if protect_in_place(session.handle, buffer.address, buffer.length_address):
            raise RuntimeError("refused")
        return buffer.bytes()

    def close(self) -> None:
        """Free all."""
        self.acceptor.close("ended", self.clock[0])
        self.ports.close()
        self.loop.close()
        for peer in self.peers:
            peer.close()


def receive_sip(rooms: int, rounds: int, plain: bool) -> float:
    """Seconds a packet."""
    ends = SipEnds(rooms, plain)
    generator = random.Random(1)
    packets = [
        [ends.protect(room, _packet(generator, 8, number, room + 1)) for room in range(rooms)]
        for number in range(rounds + 1)
    ]
    start = ends.clock[0]

    def read(now: float) -> None:
        ends.clock[0] = start + now
        ends.ports.drain()

    sends = [one.send for one in ends.peers]
    _timed(sends, packets[:1], read)  # from then on it is known where they are
    took = _timed(sends, packets[1:], read)
    received = sum(one.statistics(start).received["audio"].packets for one in ends.legs)
    _check(received, rooms * (rounds + 1))
    ends.close()
    return took / (rooms * rounds)


def send_webrtc(rooms: int, rounds: int) -> float:
    """Seconds a packet, from one socket to one."""
    sender = open_socket("::", 0)
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sink.bind(("127.0.0.1", 0))
    calls = mmsg.system_calls()
    if calls is None:
        raise RuntimeError("this measures sendmmsg, which this machine does not have")
    batch: PacketBatch = MmsgBatch(sender, calls)
    rendition = _rendition()
    keep = []
    for number in range(rooms):
        path = SendPath(batch)
        session = SrtpSession(bytes(28), PROFILE, PacketBuffer(), outbound=True)
        path.handle = session.handle
        path.address = ("::ffff:127.0.0.1", sink.getsockname()[1], 0, 0)
        stream = SendStream(SendFormat(number + 1, 8, 8_000, False, {}), path, 1, 1)
        stream.play(rendition, 0.0)
        keep.append((path, session, stream))
    took = _play(rendition, rounds)
    sender.close()
    sink.close()
    _check(sum(stream.packets for _, _, stream in keep), rooms * rounds)
    return took / (rooms * rounds)


def send_sip(rooms: int, rounds: int, plain: bool) -> float:
    """Seconds a packet, each from a socket of its own."""
    ends = SipEnds(rooms, plain)
    rendition = _rendition()
    for leg in ends.legs:
        leg.play("audio", rendition)
    took = _play(rendition, rounds)
    sent = [one.statistics(0.0) for one in ends.legs]
    _check(sum(one.sent["audio"].packets for one in sent), rooms * rounds)
    if any(one.dropped.get("send") for one in sent):
        raise RuntimeError("packets were refused; the measurement is void")
    ends.close()
    return took / (rooms * rounds)


def _rendition() -> Rendition:
    fan_out = FanOut(lambda delay, call: None, time.perf_counter)
    return Rendition(RenditionKey("audio", "total", "pcma"), 8_000, fan_out)


def _play(rendition: Rendition, rounds: int) -> float:
    began = time.process_time()
    for number in range(rounds):
        now = 1_000.0 + number * ROUND_S
        rendition.append(bytes(PAYLOAD_BYTES), number * 160, key_frame=True, now=now)
    return time.process_time() - began


def _check(count: int, expected: int) -> None:
    if count != expected:
        raise RuntimeError(f"{count} packets instead of {expected}; the measurement is void")


def main() -> None:
    """Measure all, alternately; print the best of each."""
    parser = command_line(__doc__)
    parser.add_argument("--rooms", type=int, default=145)
    parser.add_argument("--rounds", type=int, default=100, help="packets of each room")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    ways: dict[str, Callable[[], float]] = {
        "receive_webrtc": lambda: receive_webrtc(options.rooms, options.rounds),
        "receive_sip": lambda: receive_sip(options.rooms, options.rounds, False),
        "receive_sip_plain": lambda: receive_sip(options.rooms, options.rounds, True),
        "send_webrtc": lambda: send_webrtc(options.rooms, options.rounds),
        "send_sip": lambda: send_sip(options.rooms, options.rounds, False),
        "send_sip_plain": lambda: send_sip(options.rooms, options.rounds, True),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(options.repeats):
        for name, way in ways.items():
            best[name] = min(best[name], way())
    result: dict[str, float] = {f"{name}_us": round(took * 1e6, 2) for name, took in best.items()}
    for direction in ("receive", "send"):
        ratio = best[f"{direction}_sip"] / best[f"{direction}_webrtc"]
        result[f"{direction}_ratio"] = round(ratio, 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
