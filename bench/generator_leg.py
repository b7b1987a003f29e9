"""One leg of the load generator: real ICE, DTLS and SRTP, media from a loop made beforehand.

Every leg encrypts what it sends. What it receives is counted from the clear RTP headers; a
*sampled* leg also decrypts and decodes everything, so that a run shows that the numbers stand for
media and not for noise.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import aiohttp
import av
import numpy as np
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtcpSrPacket
from numpy.typing import NDArray

from bench.generator_offer import (
    AUDIO_PAYLOAD_TYPE,
    LEVEL_ID,
    NUMBER_ID,
    SEND_TIME_ID,
    VIDEO_PAYLOAD_TYPE,
    write_offer,
)
from bench.generator_reports import RoomReports
from bench.media import CodedPictures, CodedSound
from bench.stamped import StampedReader
from mcu.media import mmsg, rtcp, rtp
from mcu.media.assembly import FrameAssembler
from mcu.media.clock import NtpClock
from mcu.media.sequence import SequenceTracker
from mcu.media.srtp import PacketBuffer, SrtpError, SrtpSession, protect_in_place
from mcu.media.transport_feedback import TransportFeedback
from mixer.codecs.opus import OpusDecoder
from mixer.codecs.video import VideoDecoder
from signalling.sdp import MediaSection, SessionDescription
from signalling.webrtc import stun
from signalling.webrtc.dtls import (
    Connected,
    DtlsCertificate,
    DtlsEndpoint,
    DtlsEvent,
    is_dtls,
)
from signalling.webrtc.stun import StunMessage

CHECK_INTERVAL_S = 2.5
CONNECT_TIMEOUT_S = 30.0
MOST_REFUSALS = 5
"""For now (503 with Retry-After); then a leg gives up."""
KEY_FRAME_REQUESTS = (RTCP_PSFB_PLI, RTCP_PSFB_FIR)
POLLED_BYTES = 512
"""Enough for headers and whole STUN messages."""


@dataclass(slots=True)
class LegCounters:
    """What a leg has seen since ``reset``."""

    audio_packets: int = 0
    video_packets: int = 0
    video_frames: int = 0
    audio_decoded: int = 0
    video_decoded: int = 0
    undecryptable: int = 0
    decode_errors: int = 0
    send_drops: int = 0
    reports: int = 0
    """Sender and receiver reports that it sent."""
    feedback: int = 0
    """Transport-wide feedback that it sent; and what it got, on its own pictures:"""
    uplink_feedback: int = 0
    audio_gap_s: float = 0.0
    last_audio_at: float = field(default=0.0)


@cache
def _whole_datagrams() -> StampedReader:
    """Shared by all legs of the process."""
    return StampedReader(2048)


class GeneratorLeg:
    """One leg.

    Args:
        server: address of the daemon's media port is learned from its answer.
        buffer: shared by all legs of the process.
        sound, pictures: what it sends; None: none.
        sampled: decrypt and decode what arrives.
        polled: read when ``poll`` is called, not when something has come; once connected.
        answers: begin its loop of pictures anew, which is a key frame, when it is asked for one.
        reports: offer the feedback that browsers offer, number pictures, and report; see
            ``send_reports``.
        on_audio, on_picture: told of each decoded block or picture of a sampled leg, with the
            time the kernel had its last packet.
    """

    def __init__(
        self,
        name: str,
        buffer: PacketBuffer,
        certificate: DtlsCertificate,
        *,
        sound: CodedSound | None,
        pictures: CodedPictures | None,
        video: bool,
        sampled: bool,
        polled: bool = False,
        answers: bool = False,
        reports: bool = False,
        on_audio: Callable[[NDArray[np.int16], float], None] | None = None,
        on_picture: Callable[[av.VideoFrame, float], None] | None = None,
    ) -> None:
        self.name = name
        self.counters = LegCounters()
        self.sound = sound
        self.pictures = pictures
        self.joined_ms = 0.0
        self.location = ""
        """Path of the leg, once joined, if the server told it."""
        self.on_mark_audio: Callable[[int, float], None] | None = None
        self.on_mark_video: Callable[[int, float], None] | None = None
        self.audio_ssrc, self.video_ssrc = secrets.randbits(32), secrets.randbits(32)
        self.connected = asyncio.get_running_loop().create_future()
        self._video = video
        self._sampled = sampled
        self._polled = polled
        self._answers = answers
        self._rtcp: RoomReports | None = None
        if reports:
            clock = NtpClock(time.time(), time.monotonic())
            own_video = self.video_ssrc if video else None
            self._rtcp = RoomReports(name, clock, self.audio_ssrc, own_video)
        self._reader: StampedReader | None = None
        self._on_audio, self._on_picture = on_audio, on_picture
        self._buffer = buffer
        self._certificate = certificate
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.setblocking(False)
        mmsg.ask_for_times(self._socket)
        self._loop = asyncio.get_running_loop()
        self._dtls: DtlsEndpoint | None = None
        self._outbound: SrtpSession | None = None
        self._inbound: SrtpSession | None = None
        self._remote_ufrag = self._remote_password = ""
        self._from_audio_ssrc = self._from_video_ssrc = -1
        self._next_check = 0.0
        self._audio_sequence = secrets.randbits(15)
        self._video_sequence = secrets.randbits(15)
        self._sent_audio = self._sent_frames = 0
        self._loop_from = 0
        self._last_video_timestamp = -1
        self._opus = OpusDecoder() if sampled else None
        self._h264 = VideoDecoder("h264") if sampled else None
        self._assembler = FrameAssembler("h264")
        self._tracker = SequenceTracker(90_000)

    # Joining

    def offer(self) -> str:
        """An offer of Opus and, with video, H.264 constrained baseline, both directions."""
        transport = (
            f"a=ice-ufrag:{self._ufrag}\r\na=ice-pwd:{self._password}\r\n"
            f"a=fingerprint:{self._certificate.fingerprint}\r\na=setup:actpass\r\na=rtcp-mux\r\n"
        )
        video_ssrc = self.video_ssrc if self._video else None
        return write_offer(
            self.name, transport, self.audio_ssrc, video_ssrc, reports=self._rtcp is not None
        )

    async def join(self, http: aiohttp.ClientSession, url: str) -> None:
        """Offer over HTTP, then ICE and DTLS; returns when media may flow.

        Where the daemon says when to ask again, that is done, as rooms do.

        Raises:
            RuntimeError: the daemon refused. TimeoutError: no connection.
        """
        began = time.monotonic()
        self.apply_answer(await self._answer(http, url))
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await self.connected
        self.joined_ms = (time.monotonic() - began) * 1000.0

    async def _answer(self, http: aiohttp.ClientSession, url: str) -> str:
        headers = {"Content-Type": "application/sdp"}
        for attempt in range(MOST_REFUSALS + 1):
            async with http.post(url, data=self.offer(), headers=headers) as response:
                body = await response.text()
                if response.status == 201:
                    self.location = response.headers.get("Location", "")
                    return body
                after_s = response.headers.get("Retry-After", "")
            if response.status != 503 or not after_s.isdecimal() or attempt == MOST_REFUSALS:
                raise RuntimeError(f"{response.status}: {body}")
            await asyncio.sleep(int(after_s))
        raise AssertionError("every way out is above")

    def apply_answer(self, text: str) -> None:
        """Read the answer and begin ICE and DTLS."""
        answer = SessionDescription.parse(text)
        first = answer.media[0]
        self._remote_ufrag = first.ice_ufrag or answer.ice_ufrag or ""
        self._remote_password = first.ice_pwd or answer.ice_pwd or ""
        fingerprints = first.fingerprints or answer.fingerprints
        for section in answer.media:
            ssrc = section.ssrcs[0].ssrc if section.ssrcs else -1
            if section.kind == "audio":
                self._from_audio_ssrc = ssrc
            else:
                self._from_video_ssrc = ssrc
            if self._rtcp is not None and section.port:
                own = self.audio_ssrc if section.kind == "audio" else self.video_ssrc
                self._rtcp.expect(own, ssrc, _number_id(section))
        candidate = next(one for one in first.candidates if ":" not in one.address)
        self._socket.connect((candidate.address, candidate.port))
        self._loop.add_reader(self._socket.fileno(), self._read)
        # The daemon is passive; a peer that answers as active starts the handshake itself.
        role: Literal["client", "server"] = "server" if first.setup == "active" else "client"
        self._dtls = DtlsEndpoint(role, self._certificate, fingerprints)
        now = time.monotonic()
        self._check(now)
        self._dtls_events(self._dtls.start(now), now)

    def poll(self, reader: StampedReader) -> None:
        """Count what has come since; for ``polled`` legs.

        Args:
            reader: shared by all legs; its slots hold at least POLLED_BYTES.
        """
        if not self._polled or not self.connected.done() or self._socket.fileno() < 0:
            return
        if self._reader is None:
            self._loop.remove_reader(self._socket.fileno())
            self._reader = reader
        self._read_with(reader)

    def close(self) -> None:
        """Stop; idempotent."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def reset(self) -> None:
        """Count from zero again."""
        self.counters = LegCounters()

    def handle_timer(self, now: float) -> None:
        """ICE consent and DTLS retransmission; call about ten times a second."""
        if self._dtls is None:
            return
        if now >= self._next_check:
            self._check(now)
        if self._outbound is None:
            self._dtls_events(self._dtls.handle_timer(now), now)

    def _check(self, now: float) -> None:
        self._next_check = now + CHECK_INTERVAL_S
        username = f"{self._remote_ufrag}:{self._ufrag}".encode()
        check = StunMessage(
            stun.BINDING,
            stun.REQUEST,
            os.urandom(12),
            (
                (stun.USERNAME, username),
                (stun.PRIORITY, (0x6E0001FF).to_bytes(4, "big")),
                (stun.ICE_CONTROLLING, bytes(8)),
                (stun.USE_CANDIDATE, b""),
            ),
        )
        self._send(check.encode(self._remote_password))

    def _dtls_events(self, events: list[DtlsEvent], now: float) -> None:
        assert self._dtls is not None
        for datagram in self._dtls.datagrams_to_send(now):
            self._send(datagram)
        for event in events:
            if isinstance(event, Connected):
                profile = event.keys.profile.name
                self._outbound = SrtpSession(
                    event.keys.local_key, profile, self._buffer, outbound=True
                )
                self._inbound = SrtpSession(
                    event.keys.remote_key, profile, self._buffer, outbound=False
                )
                if not self.connected.done():
                    self.connected.set_result(None)
            elif not self.connected.done():
                self.connected.set_exception(RuntimeError(str(event)))

    def _send(self, datagram: bytes | memoryview) -> None:
        try:
            self._socket.send(datagram)
        except OSError:
            self.counters.send_drops += 1

    # Sending

    def send_audio(self, now: float) -> None:
        """The next 20 ms of the loop."""
        if self.sound is None:
            return
        number = self._sent_audio
        self._sent_audio += 1
        at = number % len(self.sound.packets)
        if self.on_mark_audio is not None and at in self.sound.marks:
            self.on_mark_audio(self.sound.marks[at], time.monotonic())
        level = -self.sound.levels_dbov[at]
        values = {LEVEL_ID: bytes((level | (0x80 if level < 60 else 0),))}
        self._protect(
            AUDIO_PAYLOAD_TYPE,
            self._audio_sequence + number,
            number * 960,
            self.audio_ssrc,
            values,
            self.sound.packets[at],
            now,
        )

    def send_picture(self, now: float) -> None:
        """The next picture of the loop, all its packets."""
        if self.pictures is None:
            return
        number = self._sent_frames
        self._sent_frames += 1
        timestamp = self.picture_timestamp(number)
        at = (number - self._loop_from) % len(self.pictures.payloads)
        if self.on_mark_video is not None and at in self.pictures.marks:
            self.on_mark_video(self.pictures.marks[at], time.monotonic())
        payloads = self.pictures.payloads[at]
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            marker = rtp.MARKER_BIT if index == last else 0
            self._protect(
                VIDEO_PAYLOAD_TYPE | marker,
                self._video_sequence,
                timestamp,
                self.video_ssrc,
                {},
                payload,
                now,
            )
            self._video_sequence += 1

    def picture_timestamp(self, number: int) -> int:
        """RTP timestamp of a picture: here they come at even distances."""
        return 0 if self.pictures is None else number * (90_000 // self.pictures.fps)

    def _protect(
        self,
        payload_type: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        values: dict[int, bytes],
        payload: bytes,
        now: float,
    ) -> None:
        if self._outbound is None:
            return
        timestamp &= 0xFFFFFFFF
        values = {**values, SEND_TIME_ID: rtp.abs_send_time(now).to_bytes(3, "big")}
        if self._rtcp is not None:
            number = self._rtcp.number(ssrc)
            if number is not None:
                values = {NUMBER_ID: number, **values}
            self._rtcp.sent(ssrc, timestamp, len(payload), now)
        block = rtp.pack_extensions(values)
        header = rtp.HEADER.pack(0x90, payload_type, sequence & 0xFFFF, timestamp, ssrc)
        packet = header + block + payload
        buffer = self._buffer
        buffer.view[: len(packet)] = packet
        buffer.length[0] = len(packet)
        if protect_in_place(self._outbound.handle, buffer.address, buffer.length_address) == 0:
            self._send(buffer.view[: buffer.length[0]])

    def send_reports(self, now: float) -> None:
        """What is due of RTCP; call once for each feedback on what came since the last call."""
        if self._rtcp is None or self._outbound is None:
            return
        for packet in self._rtcp.reports_due(now):
            self.counters.reports += 1
            self._send(self._outbound.protect_rtcp(packet))
        for packet in self._rtcp.feedback():
            self.counters.feedback += 1
            self._send(self._outbound.protect_rtcp(packet))

    # Receiving

    def _read(self) -> None:
        self._read_with(_whole_datagrams())

    def _read_with(self, reader: StampedReader) -> None:
        try:
            received = reader.read(self._socket)
        except BlockingIOError:
            return
        except OSError:
            self.counters.undecryptable += 1
            return
        for datagram, at in received:
            if len(datagram):
                self._receive(datagram, at)

    def _receive(self, datagram: memoryview, now: float) -> None:
        first = datagram[0]
        if 128 <= first <= 191:
            if 192 <= datagram[1] <= 223:  # RTCP (RFC 5761 4)
                if self._answers or self._rtcp is not None:
                    self._receive_rtcp(bytes(datagram), now)
                return
            if self._rtcp is not None:
                self._rtcp.note(datagram, now)
            ssrc = int.from_bytes(datagram[8:12], "big")
            counters = self.counters
            if ssrc == self._from_audio_ssrc:
                counters.audio_packets += 1
                if counters.last_audio_at:
                    counters.audio_gap_s = max(counters.audio_gap_s, now - counters.last_audio_at)
                counters.last_audio_at = now
            elif ssrc == self._from_video_ssrc:
                counters.video_packets += 1
                if datagram[1] & rtp.MARKER_BIT:
                    counters.video_frames += 1
            if self._sampled:
                self._decode(bytes(datagram), ssrc, now)
        elif is_dtls(bytes(datagram)) and self._dtls is not None:
            self._dtls_events(self._dtls.receive_datagram(bytes(datagram), now), now)
        elif first < 4:
            self._answer_check(bytes(datagram))

    def _receive_rtcp(self, datagram: bytes, now: float) -> None:
        """What the server says; whoever ``answers`` begins with a key frame when asked for one."""
        if self._inbound is None:
            return
        counters = self.counters
        try:
            values = rtcp.read(self._inbound.unprotect_rtcp(datagram))
        except (SrtpError, rtcp.RtcpError):
            counters.undecryptable += 1
            return
        for value in values:
            if isinstance(value, RtcpPsfbPacket):
                if self._answers and value.fmt in KEY_FRAME_REQUESTS:
                    self._loop_from = self._sent_frames
            elif isinstance(value, TransportFeedback):
                counters.uplink_feedback += 1
            elif isinstance(value, RtcpSrPacket) and self._rtcp is not None:
                self._rtcp.take(value, now)

    def _answer_check(self, datagram: bytes) -> None:
        """A full ICE agent checks in its turn and uses no pair before it was answered."""
        try:
            check = StunMessage.parse(datagram)
        except stun.StunError:
            return
        if check.message_class != stun.REQUEST or not check.is_signed_with(self._password):
            return
        mapped = stun.encode_xor_address(self._socket.getpeername(), check.transaction_id)
        answer = StunMessage(
            stun.BINDING,
            stun.SUCCESS,
            check.transaction_id,
            ((stun.XOR_MAPPED_ADDRESS, mapped),),
        )
        self._send(answer.encode(self._password))

    def _decode(self, datagram: bytes, ssrc: int, now: float) -> None:
        counters = self.counters
        if self._inbound is None:
            return
        try:
            length = self._inbound.unprotect(datagram)
            packet = bytes(self._buffer.view[:length])
            _, start, end = rtp.bounds(packet, length)
        except (SrtpError, rtp.RtpError):
            counters.undecryptable += 1
            return
        payload = packet[start:end]
        if ssrc == self._from_audio_ssrc and self._opus is not None:
            block = self._opus.decode(payload)
            counters.audio_decoded += 1
            if self._on_audio is not None:
                self._on_audio(block, now)
        elif ssrc == self._from_video_ssrc:
            self._assemble(packet, payload, now)

    def _assemble(self, packet: bytes, payload: bytes, now: float) -> None:
        _, head, sequence, timestamp, _ = rtp.HEADER.unpack_from(packet)
        extended = self._tracker.extend(sequence)
        if extended is None or self._h264 is None:
            return
        marker = bool(head & rtp.MARKER_BIT)
        for frame in self._assembler.insert(extended, timestamp, marker, payload):
            try:
                for picture in self._h264.decode(frame.data):
                    self.counters.video_decoded += 1
                    if self._on_picture is not None:
                        self._on_picture(picture, now)
            except Exception:
                self.counters.decode_errors += 1
                self._ask_for_key_frame()

    def _ask_for_key_frame(self) -> None:
        if self._outbound is not None:
            report = rtcp.receiver_report(self.video_ssrc)
            loss = rtcp.picture_loss(self.video_ssrc, self._from_video_ssrc)
            self._send(self._outbound.protect_rtcp(report + loss))


def _number_id(section: MediaSection) -> int | None:
    """Id of the transport-wide number, where the answer takes it."""
    return next((one.id for one in section.extmaps if one.uri == rtp.TRANSPORT_NUMBER_URI), None)
