"""SIP legs and the rooms opposite to them in virtual time: real offers, lines with seeded faults.

A room shares no code with the media plane: RTP values are aiortc's, SRTP is pylibsrtp's session.
"""

import base64
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiortc.rtp import (
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
)
from pylibsrtp import Error as SrtpFailure
from pylibsrtp import Policy, Session

from mcu.legs.sip import SipLeg
from mcu.legs.sip_acceptor import ReservedPorts, SipAcceptor
from mcu.media.batch import PacketBatch
from mcu.media.clock import NtpClock
from mcu.media.h264 import packetise
from mcu.media.port_batch import PortAddress, PortSendtoBatch
from mcu.media.port_pairs import PortPair, PortsExhausted
from mcu.media.ports import PortReceiver
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.media.srtp import PacketBuffer
from signalling.offer_answer import Agreed, Ice, LocalMedia, answer_offer
from signalling.sdp import SessionDescription
from signalling.webrtc.dtls import Connected, DtlsCertificate, DtlsEndpoint
from tests.peers.media_world import Recorder
from tests.peers.network import CLEAN, Faults, Line, VirtualTime

TIMER_S = 0.01
OUR_HOST = "192.0.2.1"
SUITES = {
    "AES_CM_128_HMAC_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
    "AES_CM_128_HMAC_SHA1_32": (Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30),
    "AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "AEAD_AES_256_GCM": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
}
DTLS_PROFILES = {
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
Address = tuple[str, int]


class VirtualSocket:
    """A socket of ours: what is sent goes to the world."""

    def __init__(self, world: "SipWorld", port: int) -> None:
        self.port = port
        self.closed = False
        self._world = world

    def getsockname(self) -> Address:
        return (OUR_HOST, self.port)

    def fileno(self) -> int:
        return -1 if self.closed else self.port

    def sendto(self, datagram: memoryview, address: Address) -> int:
        self._world.sent(bytes(datagram), self.port, address)
        return len(datagram)

    def close(self) -> None:
        self.closed = True
        self._world.open_ports.discard(self.port)


class VirtualPorts:
    """See ``mcu.media.ports.MediaPorts``."""

    def __init__(self, world: "SipWorld", pairs: int = 100) -> None:
        self.batch: PacketBatch = PortSendtoBatch()
        self.receivers: dict[int, PortReceiver] = {}
        self._world = world
        self._free = [20_000 + 2 * number for number in range(pairs)]
        self._buffer = PacketBuffer()

    def take(self) -> PortPair:
        if not self._free:
            raise PortsExhausted("none left")
        port = self._free.pop(0)
        self._world.open_ports |= {port, port + 1}
        rtp, rtcp = VirtualSocket(self._world, port), VirtualSocket(self._world, port + 1)
        return PortPair(rtp, rtcp)  # type: ignore[arg-type]

    def listen(self, sock: VirtualSocket, receiver: PortReceiver) -> None:
        self.receivers[sock.port] = receiver

    def forget(self, sock: VirtualSocket) -> None:
        self.receivers.pop(sock.port, None)

    def socket_address(self, address: Address) -> Address:
        return address

    def peer_address(self, address: Any) -> Address:
        if isinstance(address, PortAddress):
            address = address.address
        return (address[0], address[1])

    def deliver(self, datagram: bytes, port: int, source: Address, now: float) -> None:
        receiver = self.receivers.get(port)
        if receiver is None:
            return
        if not datagram or datagram[0] & 0xC0 != 0x80:
            receiver.receive_other(datagram, source, source, now)
            return
        packet = self._buffer
        packet.view[: len(datagram)] = datagram
        packet.length[0] = len(datagram)
        if source == receiver.peer:
            receiver.receive(packet, now)
        else:
            receiver.receive_from(packet, source, source, now)


@dataclass
class Section:
    """What a room offers in one section, and where it is."""

    kind: str = "audio"
    codecs: tuple[tuple[int, str, str], ...] = ((8, "PCMA/8000", ""),)
    port: int = 40_000
    direction: str = "sendrecv"
    mux: bool = False
    lines: tuple[str, ...] = ()


AUDIO = Section(
    codecs=((9, "G722/8000", ""), (101, "telephone-event/8000", "0-15"), (13, "CN/8000", ""))
)
VIDEO = Section(
    "video",
    ((96, "H264/90000", "profile-level-id=42e01f;packetization-mode=1"),),
    41_000,
    lines=("rtcp-fb:* nack pli", "rtcp-fb:* ccm fir"),
)


@dataclass
class Stream:
    """What a room sends or got in one section."""

    ssrc: int
    sequence: int
    received: list[RtpPacket] = field(default_factory=list)


class SipRoom:
    """A room system without I/O.

    Args:
        suite: SDES suite; None: plain, or DTLS with ``certificate``.
    """

    def __init__(
        self,
        world: "SipWorld",
        sections: tuple[Section, ...],
        faults: Faults = CLEAN,
        *,
        suite: str | None = None,
        certificate: DtlsCertificate | None = None,
        setup: str = "actpass",
        host: str,
    ) -> None:
        self.world = world
        self.sections = list(sections)
        self.host = host
        self.announced_host = host
        self.suite = suite
        self.certificate = certificate
        self.setup = setup
        self.version = 1
        self.recorder = Recorder()
        self.digits: list[str] = []
        self.asked_by_info = 0
        self.reports: list[Any] = []
        self.plis = 0
        self.stray: Counter[str] = Counter()
        self.streams: dict[str, Stream] = {}
        self.others: list[tuple[bytes, int]] = []
        self.leg: SipLeg
        self.agreed: Agreed
        self.reserved: ReservedPorts
        self._key = world.generator.randbytes(46)
        self._sessions: dict[int, tuple[Session, Session]] = {}  # our port -> out, in
        self._dtls: dict[int, DtlsEndpoint] = {}
        self._up = Line(world.time, world.generator, faults, self._unused)
        self._faults = faults
        self.down_lines: dict[int, Line] = {}
        self.up_lines: dict[tuple[int, int], Line] = {}
        for section in self.sections:
            for port in (section.port, section.port + 1):
                world.rooms[host, port] = self

    def _unused(self, datagram: bytes, now: float) -> None:
        raise AssertionError

    # Signalling

    def offer(self) -> str:
        protected = "RTP/SAVPF" if self.suite else "UDP/TLS/RTP/SAVPF" if self.certificate else ""
        lines = [
            "v=0",
            f"o=- 1 {self.version} IN IP4 {self.announced_host}",
            "s=-",
            f"c=IN IP4 {self.announced_host}",
            "t=0 0",
        ]
        for section in self.sections:
            feedback = any(line.startswith("rtcp-fb") for line in section.lines)
            protocol = protected or ("RTP/AVPF" if feedback else "RTP/AVP")
            types = " ".join(str(pt) for pt, _, _ in section.codecs)
            lines.append(f"m={section.kind} {section.port} {protocol} {types}")
            lines += [f"a=rtpmap:{pt} {name}" for pt, name, _ in section.codecs]
            lines += [f"a=fmtp:{pt} {fmtp}" for pt, _, fmtp in section.codecs if fmtp]
            lines.append(f"a={section.direction}")
            if section.mux:
                lines.append("a=rtcp-mux")
            if self.suite:
                size = SUITES[self.suite][1]
                key = base64.b64encode(self._key[:size]).decode()
                lines.append(f"a=crypto:1 {self.suite} inline:{key}")
            if self.certificate:
                lines.append(f"a=fingerprint:{self.certificate.fingerprint}")
                lines.append(f"a=setup:{self.setup}")
            lines += [f"a={line}" for line in section.lines]
        return "\r\n".join(lines) + "\r\n"

    def answered(self, agreed: Agreed) -> None:
        """Take our end's answer: keys, ports."""
        self.agreed = agreed
        for flow, media in zip(agreed.flows, agreed.local.media, strict=False):
            generator = self.world.generator
            self.streams.setdefault(
                flow.media.stream,
                Stream(generator.getrandbits(32), generator.randrange(1 << 16)),
            )
            port = flow.local_port
            if self.suite and port not in self._sessions:
                profile, size = SUITES[self.suite]
                inline = media.cryptos[0].key_parameters.removeprefix("inline:").split("|")[0]
                theirs = base64.b64decode(inline)
                self._sessions[port] = (
                    _session(self._key[:size], profile, outbound=True),
                    _session(theirs, profile, outbound=False),
                )
            if self.certificate:
                role = "server" if flow.security.role == "client" else "client"  # type: ignore[union-attr]
                ends = [port] if flow.rtcp_mux else [port, port + 1]
                for end in ends:
                    if end not in self._dtls:
                        fingerprints = media.fingerprints or agreed.local.fingerprints
                        self._dtls[end] = DtlsEndpoint(role, self.certificate, fingerprints)

    def start(self, now: float) -> None:
        for port, dtls in self._dtls.items():
            if dtls.role == "client":
                dtls.start(now)
            self._flush(port, dtls, now)

    # Media

    def flow(self, stream: str) -> Any:
        return next(flow for flow in self.agreed.flows if flow.media.stream == stream)

    def send(
        self,
        stream: str,
        payload: bytes,
        timestamp: int,
        *,
        payload_type: int | None = None,
        marker: bool = False,
        source_port: int | None = None,
        source_host: str | None = None,
    ) -> None:
        flow, sent = self.flow(stream), self.streams[stream]
        if payload_type is None:
            payload_type = next(iter(flow.media.receive_codecs))
        packet = RtpPacket(
            payload_type, int(marker), sent.sequence, timestamp & 0xFFFFFFFF, sent.ssrc
        )
        packet.payload = payload
        sent.sequence = (sent.sequence + 1) & 0xFFFF
        data = packet.serialize()
        sessions = self._sessions.get(flow.local_port)
        if self.suite or self.certificate:
            if sessions is None:
                self.stray["not connected"] += 1
                return
            data = sessions[0].protect(data)
        self.send_raw(data, flow.local_port, source_port or self.section(stream).port, source_host)

    def send_rtcp(self, stream: str, packets: list[Any]) -> None:
        flow = self.flow(stream)
        data = b"".join(bytes(one) for one in packets)
        port = flow.local_port if flow.rtcp_mux else flow.local_port + 1
        if self.suite or self.certificate:
            key = flow.local_port if self.suite else port
            data = self._sessions[key][0].protect_rtcp(data)
        source = self.section(stream).port + (0 if flow.rtcp_mux else 1)
        self.send_raw(data, port, source)

    def report(self, stream: str, now: float) -> None:
        """A sender report, compound."""
        sent = self.streams[stream]
        info = RtcpSenderInfo(self.world.ntp.ntp(now), 0, 1, 1)
        self.send_rtcp(stream, [RtcpSrPacket(sent.ssrc, info, [])])

    def send_raw(self, data: bytes, port: int, source_port: int, host: str | None = None) -> None:
        """Over the line, in whose queue packets of one pair of ports stand."""
        source = (host or self.host, source_port)
        line = self.up_lines.get((port, source_port))
        if line is None or host is not None:
            line = Line(
                self.world.time,
                self.world.generator,
                self._faults,
                lambda datagram, now: self.world.ports.deliver(datagram, port, source, now),
            )
            if host is None:
                self.up_lines[port, source_port] = line
        line.send(data)

    def section(self, stream: str) -> Section:
        kinds = {"audio": 0, "video": 1, "presentation": 2}
        return self.sections[kinds[stream]] if len(self.sections) > 1 else self.sections[0]

    def reached(self, data: bytes, our_port: int, own_port: int) -> None:
        line = self.down_lines.get(our_port)
        if line is None:
            line = self.down_lines[our_port] = Line(
                self.world.time,
                self.world.generator,
                self._faults,
                lambda datagram, now: self._receive(datagram, our_port, own_port, now),
            )
        line.send(data)

    def _receive(self, data: bytes, our_port: int, own_port: int, now: float) -> None:
        if 20 <= data[0] <= 63:
            dtls = self._dtls.get(our_port)
            if dtls is not None:
                for event in dtls.receive_datagram(data, now):
                    if isinstance(event, Connected):
                        profile = DTLS_PROFILES[event.keys.profile.name]
                        self._sessions[our_port] = (
                            _session(event.keys.local_key, profile, outbound=True),
                            _session(event.keys.remote_key, profile, outbound=False),
                        )
                self._flush(our_port, dtls, now)
            return
        if data[0] < 4:
            self.others.append((data, our_port))
            return
        is_rtcp = 192 <= data[1] <= 223
        if self.suite or self.certificate:
            key = our_port if self.certificate else our_port & ~1
            sessions = self._sessions.get(key)
            if sessions is None:
                self.stray["not connected"] += 1
                return
            try:
                data = sessions[1].unprotect_rtcp(data) if is_rtcp else sessions[1].unprotect(data)
            except SrtpFailure:
                self.stray["srtp"] += 1
                return
        if is_rtcp:
            for value in RtcpPacket.parse(data):
                self.reports.append(value)
                if isinstance(value, RtcpPsfbPacket):
                    self.plis += 1
            return
        stream = next(
            (flow.media.stream for flow in self.agreed.flows if flow.local_port == our_port & ~1),
            "",
        )
        if our_port % 2 or not stream:
            self.stray["port"] += 1
            return
        self.streams[stream].received.append(RtpPacket.parse(data))

    def handle_timer(self, now: float) -> None:
        for port, dtls in self._dtls.items():
            at = dtls.next_timer()
            if at is not None and at <= now:
                dtls.handle_timer(now)
                self._flush(port, dtls, now)

    def _flush(self, port: int, dtls: DtlsEndpoint, now: float) -> None:
        own = self.section_port(port)
        for datagram in dtls.datagrams_to_send(now):
            self.send_raw(datagram, port, own)

    def section_port(self, our_port: int) -> int:
        flow = next(one for one in self.agreed.flows if one.local_port == our_port & ~1)
        return self.sections[flow.index].port + our_port % 2

    def received(self, stream: str) -> list[RtpPacket]:
        return self.streams[stream].received


def _session(key: bytes, profile: int, *, outbound: bool) -> Session:
    kind = Policy.SSRC_ANY_OUTBOUND if outbound else Policy.SSRC_ANY_INBOUND
    policy = Policy(key=key, ssrc_type=kind, srtp_profile=profile)
    policy.window_size = 1024
    return Session(policy)


class SipWorld:
    """An acceptor of SIP legs in virtual time.

    Args:
        seed: of all that is random. pairs: of ports that there are.
        elsewhere: site policy; see ``SipAcceptor``. time: shared with another world.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        pairs: int = 100,
        elsewhere: bool = True,
        time: VirtualTime | None = None,
    ) -> None:
        self.time = time or VirtualTime()
        self.generator = random.Random(seed)
        self.open_ports: set[int] = set()
        self.rooms: dict[Address, SipRoom] = {}
        self.lost: list[tuple[bytes, int, Address]] = []
        self.ports = VirtualPorts(self, pairs)
        self.certificate = DtlsCertificate.generate()
        self.ntp = NtpClock(1_700_000_000.0, self.time.now)
        self.acceptor = SipAcceptor(
            ports=self.ports,
            certificate=self.certificate,
            ntp=self.ntp,
            clock=self.time.clock,
            latch_elsewhere=elsewhere,
            generator=random.Random(seed + 1),
        )
        self.fan_out = FanOut(self.time.schedule)
        self.key_frame_requests: list[float] = []
        self._calls = 0
        self.time.every(TIMER_S, self._tick)

    def local(self, reserved: ReservedPorts, ice: Ice | None = None) -> LocalMedia:
        return LocalMedia(
            port=lambda index, family: reserved.take(),
            session_id=7,
            cname=self.acceptor.cname,
            new_ssrc=lambda: self.generator.randrange(1, 1 << 32),
            ipv4=OUR_HOST,
            new_key=self.generator.randbytes,
            fingerprints=(self.certificate.fingerprint,),
            ice=ice,
        )

    def call(
        self,
        *sections: Section,
        faults: Faults = CLEAN,
        shown: bool = True,
        announced_host: str | None = None,
        ice: Ice | None = None,
        recorder: Recorder | None = None,
        named: bool = True,
        **options: Any,
    ) -> SipRoom:
        """A room calls and is answered; its media begins with the next ``run``."""
        self._calls += 1
        options = {"host": f"198.51.100.{6 + self._calls}"} | options
        room = SipRoom(self, sections or (AUDIO,), faults, **options)
        if recorder is not None:
            room.recorder, shown = recorder, False
        if announced_host is not None:
            room.announced_host = announced_host
        room.reserved = self.acceptor.reserve(len(room.sections))
        agreed = answer_offer(
            SessionDescription.parse(room.offer()), self.local(room.reserved, ice)
        )
        room.leg = self.acceptor.open(
            agreed,
            room.reserved,
            leg_id=f"call-{self._calls}",
            conference="conference",
            participant=f"sip-{self._calls}" if named else None,
            observer=room.recorder,
            digits=room.digits.append,
            now=self.time.now,
        )
        if recorder is None:
            room.leg.listen(room.recorder.heard)
        room.leg.ask_picture = lambda: setattr(room, "asked_by_info", room.asked_by_info + 1)
        if shown:
            for source in room.leg.sources:
                room.leg.want_source(source, True)
        room.answered(agreed)
        room.start(self.time.now)
        return room

    def connect(self, *sections: Section, **options: Any) -> SipRoom:
        room = self.call(*sections, **options)
        for _ in range(60):
            self.time.run(0.1)
            if room.leg.state == "connected" and all(flow.rtp.ready for flow in room.leg.flows):
                return room
        raise AssertionError(f"{room.leg.state} {room.leg.statistics(0).dropped}")

    def reinvite(self, room: SipRoom, change: Callable[[Section], Section] | None = None) -> None:
        """The room sends a new offer for the same call; the leg follows it."""
        if change is not None:
            room.sections = [change(one) for one in room.sections]
        for section in room.sections:
            for port in (section.port, section.port + 1):
                self.rooms[room.host, port] = room
        room.version += 1
        more = max(0, len(room.sections) - len(room.agreed.flows))
        reserved = self.acceptor.reserve(more)
        agreed = answer_offer(
            SessionDescription.parse(room.offer()), self.local(reserved), previous=room.agreed
        )
        room.answered(agreed)
        self.acceptor.update(room.leg, agreed, self.time.now, reserved)
        room.start(self.time.now)

    def rendition(self, kind: str, codec: str, clock_rate: int) -> Rendition:
        key = RenditionKey("audio" if kind == "audio" else "video", "main", codec)
        return Rendition(key, clock_rate, self.fan_out, self.key_frame_requests.append)

    def run(self, seconds: float) -> None:
        self.time.run(seconds)

    def sent(self, datagram: bytes, port: int, address: Address) -> None:
        room = self.rooms.get(address)
        if room is None:
            self.lost.append((datagram, port, address))
        else:
            room.reached(datagram, port, address[1])

    def _tick(self, now: float) -> None:
        self.acceptor.handle_timer(now)
        for room in {id(one): one for one in self.rooms.values()}.values():
            room.handle_timer(now)


def with_direction(direction: str) -> Callable[[Section], Section]:
    return lambda section: replace(section, direction=direction)


def empty_report(ssrc: int) -> RtcpRrPacket:
    return RtcpRrPacket(ssrc, [])


SPS_PPS_IDR = b"\0\0\0\1\x67" + bytes(range(1, 20)) + b"\0\0\0\1\x68\xce\x3c\x80"


def send_audio(world: SipWorld, room: SipRoom, packets: int, start: int = 0) -> None:
    for number in range(start, start + packets):
        room.send("audio", number.to_bytes(2, "big") * 80, number * 160)
        world.run(0.02)


def play_audio(world: SipWorld, room: SipRoom, packets: int) -> Rendition:
    codec = room.leg.outputs["audio"].name
    rendition = world.rendition("audio", codec, room.leg.outputs["audio"].clock_rate)
    room.leg.play("audio", rendition)
    more_audio(world, rendition, packets)
    return rendition


def more_audio(world: SipWorld, rendition: Rendition, packets: int, start: int = 0) -> None:
    for number in range(start, start + packets):
        payload = b"%03d" % number + bytes(157)
        rendition.append(payload, number * 160, key_frame=True, now=world.time.now)
        world.run(0.02)


def picture(number: int, size: int, *, key_frame: bool) -> bytes:
    body = (number.to_bytes(4, "big").replace(b"\0", b"\7") + b"\xa5\x5a\x33") * (size // 7 + 1)
    head = SPS_PPS_IDR if key_frame else b""
    return head + b"\0\0\0\1" + (b"\x65" if key_frame else b"\x41") + body[:size]


def send_video(world: SipWorld, room: SipRoom, frames: int) -> list[bytes]:
    sent = []
    for number in range(frames):
        data = picture(number, 6000 if number % 25 == 0 else 2500, key_frame=number % 25 == 0)
        sent.append(data)
        payloads = packetise(data)
        for payload in payloads:
            room.send("video", payload, number * 3600, marker=payload is payloads[-1])
        world.run(0.04)
    return sent
