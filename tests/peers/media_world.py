"""An acceptor and its peers in virtual time, joined by lines with seeded faults."""

import random
from typing import Any

from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.leg import Leg, LegKind
from mcu.legs.webrtc import WebRtcLeg
from mcu.media.clock import NtpClock
from mcu.media.frames import AudioPacket, EncodedFrame
from mcu.media.port import MediaPort
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from signalling.sdp import IceCandidate
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.network import CLEAN, Faults, Line, VirtualTime
from tests.peers.webrtc_peer import OfferOptions, WebRtcPeer

TIMER_S = 0.01


class Recorder:
    """An observer that keeps everything it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.times: dict[str, float] = {}
        self.congested: list[float] = []
        self.audio: list[AudioPacket] = []
        self.frames: dict[str, list[EncodedFrame]] = {}

    def leg_connected(self, leg: Leg, now: float) -> None:
        self._note("connected", now)

    def leg_lost(self, leg: Leg, now: float) -> None:
        self._note("lost", now)

    def leg_returned(self, leg: Leg, now: float) -> None:
        self._note("returned", now)

    def leg_renegotiated(self, leg: Leg, now: float) -> None:
        self._note("renegotiated", now)

    def line_congested(self, leg: Leg, now: float) -> None:
        self.congested.append(now)

    def leg_left(self, leg: Leg, reason: str, now: float) -> None:
        self._note(f"left:{reason}", now)

    def heard(self, packet: AudioPacket, now: float) -> None:
        self.audio.append(packet)

    def frame_received(self, leg: Leg, source: str, frame: EncodedFrame, now: float) -> None:
        self.frames.setdefault(source, []).append(frame)

    def _note(self, event: str, now: float) -> None:
        self.events.append(event)
        self.times[event] = now


class JoinedPeer:
    """A peer, the leg opposite to it, what the leg told, and the lines between them."""

    def __init__(self, world: "MediaWorld", options: OfferOptions | None, faults: Faults) -> None:
        self.world = world
        self.address: tuple[Any, ...] = world.new_address()
        time, generator = world.time, world.generator
        self.up = Line(time, generator, faults, self._reach_port)
        self.down = Line(time, generator, faults, self._reach_peer)
        self.peer = WebRtcPeer(generator, world.peer_certificate, self.up.send, options)
        self.recorder = Recorder()
        self.leg: WebRtcLeg | None = None

    def move(self, address: tuple[Any, ...]) -> None:
        """The peer's address changes (another access network, a NAT that rebinds)."""
        self.world.forget(self.address)
        self.address = address
        self.world.at(address, self)

    def _reach_port(self, datagram: bytes, now: float) -> None:
        self.world.port.datagram_received(datagram, self.address, now)

    def _reach_peer(self, datagram: bytes, now: float) -> None:
        self.peer.receive(datagram, now)


class MediaWorld:
    """One media port in virtual time.

    Args:
        seed: of all that is random.
        dual_stack: addresses of IPv4 peers come mapped, as from an IPv6 socket.
        time: shared with another world.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        dual_stack: bool = False,
        left_after_s: float = 30,
        time: VirtualTime | None = None,
    ) -> None:
        self.time = time or VirtualTime()
        self.generator = random.Random(seed)
        self.port = MediaPort(self._sendto, dual_stack=dual_stack)
        self.dual_stack = dual_stack
        self.peer_certificate = DtlsCertificate.generate()
        self.ntp = NtpClock(1_700_000_000.0, self.time.now)
        self.acceptor = WebRtcAcceptor(
            port=self.port,
            certificate=DtlsCertificate.generate(),
            candidates=lambda: [IceCandidate.host("192.0.2.1", 7000)],
            ntp=self.ntp,
            clock=self.time.clock,
            left_after_s=left_after_s,
            generator=random.Random(seed + 1),
        )
        self.fan_out = FanOut(self.time.schedule)
        self.refuse_sends = 0
        self.key_frame_requests: list[float] = []
        self._peers: dict[tuple[Any, ...], JoinedPeer] = {}
        self._joined = 0
        self.time.every(TIMER_S, self._tick)

    def join(
        self,
        options: OfferOptions | None = None,
        faults: Faults = CLEAN,
        kind: LegKind = "join",
        *,
        shown: bool = True,
        recorder: Recorder | None = None,
    ) -> JoinedPeer:
        """A peer offers and gets its answer; run the world to connect it.

        Args:
            shown: all that the peer sends is wanted from the start.
            recorder: the leg's observer, which also says who listens.
        """
        self._joined += 1
        joined = JoinedPeer(self, options, faults)
        self.at(joined.address, joined)
        if recorder is not None:
            joined.recorder, shown = recorder, False
        joined.leg = self.acceptor.accept(
            joined.peer.offer(),
            leg_id=f"leg-{self._joined}",
            conference="conference",
            participant=f"room-{self._joined}",
            kind=kind,
            observer=joined.recorder,
            now=self.time.now,
        )
        if recorder is None:
            joined.leg.listen(joined.recorder.heard)
        if shown:
            for source in joined.leg.sources:
                joined.leg.want_source(source, wanted=True)
        joined.peer.start(joined.leg.answer_sdp, self.time.now)
        return joined

    def connect(
        self,
        options: OfferOptions | None = None,
        faults: Faults = CLEAN,
        kind: LegKind = "join",
        *,
        shown: bool = True,
    ) -> JoinedPeer:
        """``join`` and run until the leg is connected."""
        joined = self.join(options, faults, kind, shown=shown)
        for _ in range(100):
            self.time.run(0.1)
            if joined.recorder.events and joined.peer.connected_at is not None:
                return joined
        raise AssertionError(f"not connected: {joined.peer.failure} {joined.peer.dropped}")

    def rendition(self, kind: str, codec: str, clock_rate: int) -> Rendition:
        key = RenditionKey("audio" if kind == "audio" else "video", "main", codec)
        return Rendition(key, clock_rate, self.fan_out, self.key_frame_requests.append)

    def run(self, seconds: float) -> None:
        self.time.run(seconds)

    def at(self, address: tuple[Any, ...], joined: JoinedPeer) -> None:
        self._peers[address] = joined

    def forget(self, address: tuple[Any, ...]) -> None:
        self._peers.pop(address, None)

    def new_address(self) -> tuple[Any, ...]:
        number = len(self._peers) + 1
        if self.dual_stack:
            return ("::ffff:198.51.100.7", 40000 + number, 0, 0)
        return ("198.51.100.7", 40000 + number)

    def _sendto(self, datagram: memoryview, address: tuple[Any, ...]) -> int:
        if self.refuse_sends:
            self.refuse_sends -= 1
            raise BlockingIOError
        joined = self._peers.get(address)
        if joined is not None:
            joined.down.send(bytes(datagram))
        return len(datagram)

    def _tick(self, now: float) -> None:
        self.acceptor.handle_timer(now)
        for joined in list(self._peers.values()):
            joined.peer.handle_timer(now)
