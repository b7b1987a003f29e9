"""A whole WebRTC peer without I/O, to stand opposite a leg in tests.

It shares no code with the media plane: STUN is aioice's, RTP values are aiortc's, SRTP is
pylibsrtp's own session. It does full ICE checks, is the DTLS client, answers NACK (plain or RTX),
asks for what it misses, and keeps everything it got.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import SupportsBytes

from aioice import stun
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unpack_remb_fci,
    unwrap_rtx,
    wrap_rtx,
)
from pylibsrtp import Error as SrtpFailure
from pylibsrtp import Policy, Session

from signalling.media.negotiated import DtlsRole
from signalling.sdp import SessionDescription
from signalling.webrtc.dtls import Closed, Connected, DtlsCertificate, DtlsEndpoint, Failed

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
NUMBER = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
PROFILES = {
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
CHECK_INTERVAL_S = 2.5
NACK_INTERVAL_S = 0.06
NACK_AFTER_S = 0.02
FEEDBACK_INTERVAL_S = 0.05
NACKS_AT_MOST = 10
"""Then a packet is given up."""


@dataclass
class OfferOptions:
    """What the peer offers."""

    audio: bool = True
    video: str | None = "H264"
    presentation: bool = False
    rtx: bool = True
    send_time: bool = True
    transport_cc: bool = False
    mid: bool = True
    announce_ssrcs: bool = True
    direction: str = "sendrecv"
    setup: str = "actpass"


@dataclass
class SentStream:
    """A stream the peer sends."""

    ssrc: int
    payload_type: int
    mid: str
    rtx_ssrc: int
    rtx_payload_type: int | None
    sequence: int
    rtx_sequence: int = 100
    history: dict[int, RtpPacket] = field(default_factory=dict)
    sent: int = 0
    octets: int = 0


@dataclass
class ReceivedStream:
    """A stream the peer got: the first copy of each packet, by extended sequence number."""

    packets: dict[int, RtpPacket] = field(default_factory=dict)
    highest: int = -1
    first: int = -1
    missing: dict[int, float] = field(default_factory=dict)
    asked: Counter[int] = field(default_factory=Counter)
    by_rtx: int = 0
    direct: int = 0
    reported: tuple[int, int] = (0, 0)
    """Packets expected and received at the last report; those of RTX are not counted."""
    fraction_lost: int = 0

    def take(self, packet: RtpPacket, now: float) -> None:
        if self.highest < 0:
            self.highest = self.first = packet.sequence_number
        ahead = (packet.sequence_number - self.highest) & 0xFFFF
        if ahead < 0x8000:
            for lost in range(self.highest + 1, self.highest + ahead):
                self.missing[lost] = now + NACK_AFTER_S
            self.highest += ahead
            extended = self.highest
        else:
            extended = self.highest + ahead - 0x10000
        self.missing.pop(extended, None)
        self.packets.setdefault(extended, packet)

    def in_order(self) -> list[RtpPacket]:
        return [self.packets[key] for key in sorted(self.packets)]

    def frames(self) -> list[list[RtpPacket]]:
        """Packets grouped by timestamp; only groups with all sequence numbers and a marker."""
        frames: list[list[RtpPacket]] = []
        group: list[RtpPacket] = []
        before = None
        for key in sorted(self.packets):
            packet = self.packets[key]
            if before is not None and key != before + 1:
                group = []
            before = key
            if group and group[0].timestamp != packet.timestamp:
                group = []
            group.append(packet)
            if packet.marker:
                frames.append(group)
                group = []
        return frames


class WebRtcPeer:
    """One peer.

    Args:
        send: puts a datagram on the line to the other side.
    """

    def __init__(
        self,
        generator: random.Random,
        certificate: DtlsCertificate,
        send: Callable[[bytes], None],
        options: OfferOptions | None = None,
    ) -> None:
        self.options = options or OfferOptions()
        self.send = send
        self.ufrag = f"peer{generator.randrange(10**8)}"
        self.pwd = f"{generator.getrandbits(200):050x}"
        self.certificate = certificate
        self.dtls: DtlsEndpoint | None = None
        self.connected_at: float | None = None
        self.closed = False
        self.failure: str | None = None
        self.profile: str | None = None
        self.answer_nacks = True
        self.ask_for_missing = True
        self.sent: dict[str, SentStream] = {}
        self.received: dict[int, ReceivedStream] = {}
        self.datagrams: dict[tuple[int, int], list[bytes]] = {}
        self.rtcp: list[object] = []
        self.dropped: Counter[str] = Counter()
        self.plis = self.nacked = 0
        self.remb_bps: int | None = None
        self.byes: list[int] = []
        self.feedback: list[bytes] = []
        """Transport-wide reports on what was sent, without their RTCP header."""
        self.numbers: list[int] = []
        """Transport-wide numbers of what was sent, in order."""
        self.arrivals: dict[int, float] = {}
        """Transport-wide number (not wrapped) → when it came, of what was not reported yet."""
        self.reported: int | None = None
        self._next_feedback = 0.0
        self._feedbacks = 0
        self.checks_answered = 0
        self.handshake_datagrams = 0
        self.mapped: tuple[str, int] | None = None
        self._generator = generator
        self._next_check = 0.0
        self._transactions: set[bytes] = set()
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self._remote_ufrag = self._remote_pwd = ""
        self._rtx_of: dict[int, int] = {}
        self._primary: dict[int, int] = {}
        self._extensions = HeaderExtensionsMap()
        self._last_sr: dict[int, tuple[int, float]] = {}

    # Signalling

    def offer(self) -> str:
        options = self.options
        sections: list[str] = []
        if options.audio:
            sections.append(self._section("audio", "0", 111, "opus/48000/2", None))
        if options.video:
            sections.append(self._section("video", "1", 102, f"{options.video}/90000", 103))
        if options.presentation and options.video:
            slides = self._section("presentation", "2", 104, f"{options.video}/90000", 105)
            sections.append(slides + "a=content:slides\r\n")
        mids = " ".join(stream.mid for stream in self.sent.values())
        return (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mids}\r\n"
            + "".join(sections)
        )

    def _section(self, name: str, mid: str, pt: int, rtpmap: str, rtx: int | None) -> str:
        options, random_bits = self.options, self._generator.getrandbits
        if not options.rtx:
            rtx = None
        stream = SentStream(
            random_bits(31) | 1, pt, mid, random_bits(31) | 1, rtx, self._generator.randrange(65536)
        )
        self.sent[name] = stream
        kind = "audio" if name == "audio" else "video"
        lines = [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {pt}" + (f" {rtx}" if rtx else ""),
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=fingerprint:{self.certificate.fingerprint}",
            f"a=setup:{options.setup}",
            f"a=mid:{mid}",
            f"a={options.direction}",
            "a=rtcp-mux",
            f"a=rtpmap:{pt} {rtpmap}",
        ]
        if rtpmap.startswith("H264"):
            lines.append(
                f"a=fmtp:{pt} level-asymmetry-allowed=1;packetization-mode=1;"
                "profile-level-id=42e01f"
            )
        if kind == "video":
            lines += [f"a=rtcp-fb:{pt} {name}" for name in ("nack", "nack pli", "ccm fir")]
            lines.append(f"a=rtcp-fb:{pt} goog-remb")
            if options.transport_cc:
                lines += [f"a=rtcp-fb:{pt} transport-cc", f"a=extmap:4 {NUMBER}"]
        if rtx:
            lines += [f"a=rtpmap:{rtx} rtx/90000", f"a=fmtp:{rtx} apt={pt}"]
        if options.mid:
            lines.append(f"a=extmap:1 {MID}")
        if kind == "audio":
            lines.append(f"a=extmap:2 {LEVEL}")
        if options.send_time:
            lines.append(f"a=extmap:3 {SEND_TIME}")
        if options.announce_ssrcs:
            if rtx:
                lines.append(f"a=ssrc-group:FID {stream.ssrc} {stream.rtx_ssrc}")
                lines.append(f"a=ssrc:{stream.rtx_ssrc} cname:peer")
            lines.append(f"a=ssrc:{stream.ssrc} cname:peer")
        return "\r\n".join(lines) + "\r\n"

    def start(self, answer_sdp: str, now: float) -> None:
        """Take the answer; checks and the handshake begin."""
        answer = SessionDescription.parse(answer_sdp)
        first = next(one for one in answer.media if one.port)
        self._remote_ufrag = first.attribute("ice-ufrag") or ""
        self._remote_pwd = first.attribute("ice-pwd") or ""
        parameters = RTCRtpParameters()
        for section in answer.media:
            for line in section.attributes("extmap"):
                number, uri = line.split()[:2]
                parameters.headerExtensions.append(
                    RTCRtpHeaderExtensionParameters(id=int(number), uri=uri)
                )
            for value in section.attributes("ssrc-group"):
                _, primary, repeated = value.split()
                self._rtx_of[int(repeated)] = int(primary)
            for rtpmap in section.rtpmaps:
                if rtpmap.encoding != "rtx":
                    for ssrc in {one.ssrc for one in section.ssrcs}:
                        self._primary[ssrc] = rtpmap.payload_type
        self._extensions.configure(parameters)
        role: DtlsRole = "server" if first.attribute("setup") == "active" else "client"
        self.dtls = DtlsEndpoint(role, self.certificate, first.fingerprints)
        self.check(now)

    def restart(self, ufrag: str, pwd: str, now: float) -> None:
        """Go on under the other side's new credentials."""
        self._remote_ufrag, self._remote_pwd = ufrag, pwd
        self.check(now)

    # Transport

    def check(self, now: float, *, nominate: bool = True, pwd: str | None = None) -> None:
        """Send one connectivity check."""
        self._next_check = now + CHECK_INTERVAL_S
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._remote_ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 0x6E0001FF
        request.attributes["ICE-CONTROLLING"] = 7
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((pwd or self._remote_pwd).encode())
        self._transactions.add(request.transaction_id)
        self.send(bytes(request))

    def handle_timer(self, now: float) -> None:
        """Checks, handshake, requests for what is missing; call every 10 ms."""
        if self.dtls is None or self.closed:
            return
        if now >= self._next_check or (not self.checks_answered and now >= self._next_check - 2.0):
            self.check(now)
        if self.connected_at is None and self.checks_answered:
            self._handshake(self.dtls.handle_timer(now), now)
        if self.ask_for_missing and self._outbound is not None:
            self._ask(now)
        if self.arrivals and now >= self._next_feedback and self._outbound is not None:
            self._next_feedback = now + FEEDBACK_INTERVAL_S
            self._report_arrivals()

    def receive(self, datagram: bytes, now: float) -> None:
        first = datagram[0]
        if first < 4:
            self._receive_stun(datagram, now)
        elif first < 64:
            self.handshake_datagrams += 1
            if self.dtls is not None:
                self._handshake(self.dtls.receive_datagram(datagram, now), now)
        elif 192 <= datagram[1] <= 223:
            self._receive_rtcp(datagram, now)
        else:
            self._receive_rtp(datagram, now)

    def close(self, now: float) -> None:
        """Say goodbye by close_notify."""
        if self.dtls is not None:
            self.dtls.close(now)
            for datagram in self.dtls.datagrams_to_send(now):
                self.send(datagram)
        self.closed = True

    def _receive_stun(self, datagram: bytes, now: float) -> None:
        message = stun.parse_message(datagram)
        if message.message_class == stun.Class.RESPONSE:
            assert message.transaction_id in self._transactions
            message.check_message_integrity(self._remote_pwd.encode())
            self.checks_answered += 1
            self.mapped = message.attributes["XOR-MAPPED-ADDRESS"]
            if self.dtls is not None and self.checks_answered == 1:
                self._handshake(self.dtls.start(now), now)
        else:
            self.dropped["stun_error"] += 1

    def _handshake(self, events: Sequence[object], now: float) -> None:
        assert self.dtls is not None
        for datagram in self.dtls.datagrams_to_send(now):
            self.send(datagram)
        for event in events:
            if isinstance(event, Connected):
                self.connected_at = now
                self.profile = event.keys.profile.name
                self._outbound = self._session(event.keys.local_key, Policy.SSRC_ANY_OUTBOUND)
                self._inbound = self._session(event.keys.remote_key, Policy.SSRC_ANY_INBOUND)
            elif isinstance(event, Closed):
                self.closed = True
            elif isinstance(event, Failed):
                self.failure = event.reason

    def _session(self, key: bytes, kind: int) -> Session:
        policy = Policy(key=key, ssrc_type=kind, srtp_profile=PROFILES[self.profile or ""])
        policy.allow_repeat_tx = True
        policy.window_size = 2048
        return Session(policy)

    # Media out

    def send_media(
        self,
        name: str,
        payload: bytes,
        timestamp: int,
        *,
        marker: bool = False,
        level: tuple[bool, int] | None = None,
    ) -> bytes:
        """Send one RTP packet; returns the datagram."""
        stream = self.sent[name]
        packet = RtpPacket(
            stream.payload_type, int(marker), stream.sequence, timestamp, stream.ssrc, payload
        )
        packet.extensions.mid = stream.mid if self.options.mid else None
        packet.extensions.audio_level = level
        stream.history[stream.sequence] = packet
        stream.sequence = (stream.sequence + 1) & 0xFFFF
        stream.sent += 1
        stream.octets += len(payload)
        return self.send_packet(packet)

    def send_packet(self, packet: RtpPacket) -> bytes:
        if self.options.transport_cc and packet.payload_type != self.sent["audio"].payload_type:
            number = len(self.numbers) + 65_500 & 0xFFFF
            packet.extensions.transport_sequence_number = number
            self.numbers.append(number)
        return self.send_protected(packet.serialize(self._extensions))

    def send_protected(self, packet: bytes) -> bytes:
        """Protect and send what may be no sensible RTP packet."""
        assert self._outbound is not None
        datagram = self._outbound.protect(packet)
        self.send(datagram)
        return datagram

    def send_rtcp(self, *packets: SupportsBytes) -> bytes:
        assert self._outbound is not None
        datagram = self._outbound.protect_rtcp(b"".join(bytes(one) for one in packets))
        self.send(datagram)
        return datagram

    def send_pli(self, media_ssrc: int) -> None:
        self.send_rtcp(RtcpRrPacket(1), RtcpPsfbPacket(1, 1, media_ssrc))

    def send_fir(self, media_ssrc: int, number: int) -> None:
        fci = media_ssrc.to_bytes(4, "big") + bytes((number, 0, 0, 0))
        self.send_rtcp(RtcpRrPacket(1), RtcpPsfbPacket(4, 1, 0, fci))

    def send_remb(self, bps: int, ssrcs: list[int]) -> None:
        self.send_rtcp(RtcpRrPacket(1), RtcpPsfbPacket(15, 1, 0, pack_remb_fci(bps, ssrcs)))

    def send_nack(self, media_ssrc: int, lost: list[int]) -> None:
        self.send_rtcp(RtcpRrPacket(1), RtcpRtpfbPacket(1, 1, media_ssrc, lost))

    def send_report(self, name: str, ntp: int, timestamp: int, now: float) -> None:
        """SR of one of our streams, with report blocks on all that was received."""
        stream = self.sent[name]
        info = RtcpSenderInfo(ntp, timestamp, stream.sent, stream.octets)
        self.send_rtcp(RtcpSrPacket(stream.ssrc, info, self.report_blocks(now)))

    def report_blocks(self, now: float) -> list[RtcpReceiverInfo]:
        blocks = []
        for ssrc, stream in self.received.items():
            lsr, at = self._last_sr.get(ssrc, (0, now))
            expected = stream.highest - stream.first + 1
            received = stream.direct
            due = expected - stream.reported[0]
            if due > 0:
                lost = max(0, due - (received - stream.reported[1]))
                stream.fraction_lost = min(255, 256 * lost // due)
                stream.reported = (expected, received)
            blocks.append(
                RtcpReceiverInfo(
                    ssrc=ssrc,
                    fraction_lost=stream.fraction_lost,
                    packets_lost=max(0, expected - stream.direct),
                    highest_sequence=stream.highest,
                    jitter=90,
                    lsr=lsr,
                    dlsr=int((now - at) * 65536) if lsr else 0,
                )
            )
        return blocks

    # Media in

    def _receive_rtp(self, datagram: bytes, now: float) -> None:
        if self._inbound is None:
            self.dropped["early"] += 1
            return
        ssrc = int.from_bytes(datagram[8:12], "big")
        self.datagrams.setdefault((ssrc, int.from_bytes(datagram[2:4], "big")), []).append(datagram)
        try:
            plain = self._inbound.unprotect(datagram)
        except SrtpFailure as error:
            self.dropped[str(error)] += 1
            return
        packet = RtpPacket.parse(plain, self._extensions)
        number = packet.extensions.transport_sequence_number
        if number is not None:
            last = number if self.reported is None else self.reported
            self.arrivals.setdefault(last + (number - last + 0x8000) % 0x10000 - 0x8000, now)
        primary = self._rtx_of.get(packet.ssrc)
        if primary is not None:
            packet = unwrap_rtx(packet, self._primary[primary], primary)
            if primary in self.received:
                self.received[primary].by_rtx += 1
        stream = self.received.setdefault(packet.ssrc, ReceivedStream())
        stream.direct += primary is None
        stream.take(packet, now)

    def _receive_rtcp(self, datagram: bytes, now: float) -> None:
        if self._inbound is None:
            return
        try:
            plain = self._inbound.unprotect_rtcp(datagram)
        except SrtpFailure as error:
            self.dropped[str(error)] += 1
            return
        for packet in RtcpPacket.parse(self._without_reports(plain)):
            self.rtcp.append(packet)
            if isinstance(packet, RtcpRtpfbPacket):
                self.nacked += len(packet.lost)
                if self.answer_nacks:
                    self._repeat(packet)
            elif isinstance(packet, RtcpPsfbPacket):
                if packet.fmt in (1, 4):
                    self.plis += 1
                elif packet.fmt == 15:
                    self.remb_bps = unpack_remb_fci(packet.fci)[0]
            elif isinstance(packet, RtcpByePacket):
                self.byes += packet.sources
            elif isinstance(packet, RtcpSrPacket):
                ntp = packet.sender_info.ntp_timestamp
                self._last_sr[packet.ssrc] = (ntp >> 16 & 0xFFFFFFFF, now)

    def _report_arrivals(self) -> None:
        """Transport-wide feedback in its plainest form: all times take two bytes."""
        first = min(self.arrivals) if self.reported is None else self.reported + 1
        last = max(self.arrivals)
        self.reported = max(last, first - 1)
        known, self.arrivals = self.arrivals, {}
        came = [known.get(one) for one in range(first, last + 1)]
        times = [at for at in came if at is not None]
        if not times:
            return
        symbols = [0 if at is None else 2 for at in came]
        symbols += [0] * (-len(symbols) % 7)
        chunks = b""
        for at in range(0, len(symbols), 7):
            chunk = 0b11
            for symbol in symbols[at : at + 7]:
                chunk = chunk << 2 | symbol
            chunks += chunk.to_bytes(2, "big")
        reference = int(times[0] / 0.064)
        before = reference * 256
        deltas = b""
        for time in times:
            deltas += (round(time * 4000) - before).to_bytes(2, "big", signed=True)
            before = round(time * 4000)
        body = (1).to_bytes(4, "big") + bytes(4) + (first & 0xFFFF).to_bytes(2, "big")
        body += len(came).to_bytes(2, "big") + (reference & 0xFFFFFF).to_bytes(3, "big")
        body += bytes((self._feedbacks & 0xFF,)) + chunks + deltas
        self._feedbacks += 1
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes((padding,))
        head = bytes((0xAF if padding else 0x8F, 205)) + (len(body) // 4).to_bytes(2, "big")
        self.send_rtcp(RtcpRrPacket(1), head + body)

    def _without_reports(self, compound: bytes) -> bytes:
        """Keep transport-wide reports, which aiortc takes for requests to repeat."""
        rest, at = b"", 0
        while at < len(compound):
            end = at + 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
            if compound[at] & 0x1F == 15 and compound[at + 1] == 205:
                padding = compound[end - 1] if compound[at] & 0x20 else 0
                self.feedback.append(compound[at + 4 : end - padding])
            else:
                rest += compound[at:end]
            at = end
        return rest

    def _repeat(self, nack: RtcpRtpfbPacket) -> None:
        for stream in self.sent.values():
            if stream.ssrc != nack.media_ssrc:
                continue
            for sequence in nack.lost:
                packet = stream.history.get(sequence)
                if packet is None:
                    continue
                if stream.rtx_payload_type is not None:
                    packet = wrap_rtx(
                        packet, stream.rtx_payload_type, stream.rtx_sequence, stream.rtx_ssrc
                    )
                    packet.extensions.mid = stream.mid if self.options.mid else None
                    stream.rtx_sequence = (stream.rtx_sequence + 1) & 0xFFFF
                self.send_packet(packet)

    def _ask(self, now: float) -> None:
        for ssrc, stream in self.received.items():
            due = sorted(one for one, at in stream.missing.items() if at <= now)[:30]
            for one in due:
                stream.asked[one] += 1
                if stream.asked[one] > NACKS_AT_MOST:
                    del stream.missing[one], stream.asked[one]
                    continue
                stream.missing[one] = now + NACK_INTERVAL_S
                self.send_nack(ssrc, [one & 0xFFFF])
