"""A simulated room: real ICE, DTLS-SRTP, Opus and video opposite to the daemon's media port.

It sends a tone and pictures of one colour, answers requests for key frames, asks for those it
needs, reports as RFC 3550 wants, and keeps all it got.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiortc.rtp import RtcpSrPacket

from mcu.legs.leg import LegKind
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.coded_media import (
    BLUE,
    GREEN,
    RED,
    CodedLoop,
    Colour,
    Sound,
    coded_colour,
    coded_sound,
)
from tests.peers.network import CLEAN, Faults, Line, VirtualTime
from tests.peers.receivers import Screen, longest_gap, sound_of
from tests.peers.virtual_network import VirtualNetwork
from tests.peers.webrtc_peer import OfferOptions, ReceivedStream, WebRtcPeer

TICK_S = 0.01
AUDIO_S = 0.02
REPORT_S = 1.0
KEY_REQUEST_S = 0.5
NTP_BEFORE_UNIX_S = 2_208_988_800


@dataclass
class RoomSetup:
    """What a room is like.

    Args:
        name: the bridge's id; also seeds what is random about the room.
        hz: its tone. pulse_s: the tone is loud so long in each second; 0: always.
        colour: of its pictures. fps: of its camera.
        clock_ppm: how much faster than true its sound card runs, in millionths.
        watches: it decodes the pictures it gets.
        sends_levels: its packets carry the level of its sound (RFC 6464).
    """

    name: str
    hz: float = 440.0
    pulse_s: float = 0.0
    colour: Colour = RED
    fps: int = 10
    codec: str = "H264"
    clock_ppm: float = 0.0
    kind: LegKind = "join"
    watches: bool = True
    sends_levels: bool = True
    faults: Faults = CLEAN
    options: OfferOptions = field(default_factory=OfferOptions)


THREE = (
    RoomSetup("dien-khanh", 440.0, colour=RED),
    RoomSetup("vinh-nguyen", 1010.0, colour=GREEN),
    RoomSetup("truong-sa", 2130.0, colour=BLUE),
)
"""No tone is near a harmonic, sum or difference of others, which any codec makes a little of."""


class VirtualRoom:
    """One connection of a room; who comes again is another ``VirtualRoom`` of the same setup.

    Args:
        attempt: number of the connection, so that each draws other random numbers.
    """

    def __init__(
        self,
        setup: RoomSetup,
        network: VirtualNetwork,
        certificate: DtlsCertificate,
        attempt: int = 1,
    ) -> None:
        self.setup = setup
        self.name = setup.name
        self.hz, self.colour = setup.hz, setup.colour
        self.network = network
        self.time: VirtualTime = network.time
        self.address: tuple[Any, ...] = network.new_address()
        self.leg_id = ""
        self.silent = False
        """Sends silence in place of its tone."""
        self.camera_on = self.microphone_on = True
        self.gone = False
        """Its power failed: it takes and sends nothing any more."""
        random_of = lambda what: random.Random(f"{network.seed} {setup.name} {attempt} {what}")  # noqa: E731
        self.up = Line(self.time, random_of("up"), setup.faults, self._reach_port)
        self.down = Line(self.time, random_of("down"), setup.faults, self._reach_peer)
        options = setup.options
        if options.video:
            options = replace(options, video=setup.codec)
        self.peer = WebRtcPeer(random_of("peer"), certificate, self.up.send, options)
        self.screen = Screen(setup.codec)
        self.began = self.time.now
        self.audio_ticks = self.pictures_sent = 0
        self.pulse_times: list[float] = []
        """When its tone set in, by its own clock: the beginning of each loop."""
        self.picture_index = 0
        self._plis_answered = 0
        self._loop = coded_sound(setup.hz, setup.pulse_s)
        self._silence = coded_sound(0.0)
        self.voice: Callable[[int], tuple[bytes, int]] | None = None
        """Gives the packet of each tick, and its level (RFC 6464), in place of its tone."""
        self.pictures = coded_colour(setup.colour, setup.codec).pictures
        self._phase = random_of("phase").random() * AUDIO_S
        self._next_key_request = 0.0
        network.join(self)

    # Life

    def start(self, answer_sdp: str, leg_id: str) -> None:
        """Take the answer; the room connects and sends by itself as time goes on."""
        self.leg_id = leg_id
        self.peer.start(answer_sdp, self.time.now)
        self.every(TICK_S, self._tick)
        if self.setup.kind != "view":
            clock = 1.0 + self.setup.clock_ppm / 1e6
            if self.setup.options.audio:
                interval = AUDIO_S / clock
                self.time.schedule(self._phase, lambda now: self.every(interval, self._talk))
            if self.setup.options.video:
                self.every(1.0 / self.setup.fps, self._film)
        self.every(REPORT_S, self._report)

    @property
    def connected(self) -> bool:
        return self.peer.connected_at is not None and not self.peer.closed

    def hang_up(self) -> None:
        """Say goodbye."""
        self.peer.close(self.time.now)

    def vanish(self) -> None:
        """Be gone without a word, as when the power fails."""
        self.up.cut = self.down.cut = True
        self.gone = True
        self.network.leave(self)

    def every(self, interval: float, call: Any) -> None:
        """Like ``VirtualTime.every``, until the connection is over."""

        def again(now: float) -> None:
            if self.peer.closed or self.gone:
                return
            self.time.schedule(interval, again)
            call(now)

        self.time.schedule(interval, again)

    # What it got

    def stream(self, kind: str) -> ReceivedStream:
        """The stream of sound (``audio``) or pictures (``video``) it receives."""
        sent = self.peer.sent[kind].payload_type
        for stream in self.peer.received.values():
            if next(iter(stream.packets.values())).payload_type == sent:
                return stream
        return ReceivedStream()

    def sound(self, seconds: float, before: float = 0.0) -> Sound:
        """The last ``seconds`` of what it hears, up to ``before`` seconds ago."""
        stream = self.stream("audio")
        last = stream.highest - round(before / AUDIO_S)
        run_in, count = 10, round(seconds / AUDIO_S)
        heard = sound_of(stream.packets, last - count - run_in + 1, last)
        return heard[-count * 960 :]

    def longest_audio_gap(self) -> int:
        """Packets of 20 ms that never came, the longest run."""
        return longest_gap(self.stream("audio").packets)

    def true_time(self, kind: str, timestamp: int) -> float:
        """When a received timestamp was made, by the sender reports that came with it."""
        ssrc = next(iter(self.stream(kind).packets.values())).ssrc
        rate = 48_000 if kind == "audio" else 90_000
        reports = [
            one for one in self.peer.rtcp if isinstance(one, RtcpSrPacket) and one.ssrc == ssrc
        ]
        info = reports[-1].sender_info
        since = (timestamp - info.rtp_timestamp + 0x80000000) % 0x100000000 - 0x80000000
        unix_s = info.ntp_timestamp / 4294967296.0 - NTP_BEFORE_UNIX_S
        return self.network.monotonic(unix_s) + since / rate

    # Inside

    def _reach_port(self, datagram: bytes, now: float) -> None:
        self.network.deliver(datagram, self.address, now)

    def _reach_peer(self, datagram: bytes, now: float) -> None:
        if not self.gone:
            self.peer.receive(datagram, now)

    def _tick(self, now: float) -> None:
        self.peer.handle_timer(now)
        if self.setup.watches and self.setup.options.video and self.connected:
            stream = self.stream("video")
            if stream.packets:
                self.screen.update(stream, now)
                if self.screen.wants_key_frame and now >= self._next_key_request:
                    self._next_key_request = now + KEY_REQUEST_S
                    self.peer.send_pli(next(iter(stream.packets.values())).ssrc)

    def _talk(self, now: float) -> None:
        if not self.connected:
            return
        number = self.audio_ticks
        self.audio_ticks += 1
        if not self.microphone_on:
            return
        loop: CodedLoop = self._silence if self.silent else self._loop
        place = number % len(loop.packets)
        if not place:
            self.pulse_times.append(now - AUDIO_S)
        packet, level = loop.packets[place], loop.levels[place]
        if self.voice is not None:
            packet, level = self.voice(number)
        self.peer.send_media(
            "audio",
            packet,
            number * 960 & 0xFFFFFFFF,
            level=(level < 60, level) if self.setup.sends_levels else None,
        )

    def _film(self, now: float) -> None:
        if not self.connected or not self.camera_on:
            return
        if self.peer.plis > self._plis_answered:
            self._plis_answered = self.peer.plis
            self.picture_index = 0
        payloads = self.pictures[self.picture_index]
        self.picture_index = (self.picture_index + 1) % len(self.pictures)
        self.pictures_sent += 1
        timestamp = round((now - self.began) * 90_000) & 0xFFFFFFFF
        for payload in payloads:
            self.peer.send_media("video", payload, timestamp, marker=payload is payloads[-1])

    def _report(self, now: float) -> None:
        if not self.connected:
            return
        ntp = int((self.network.unix(now) + NTP_BEFORE_UNIX_S) * 4294967296.0)
        for name in self.peer.sent:
            timestamp = self.audio_ticks * 960
            if name != "audio":
                timestamp = round((now - self.began) * 90_000)
            self.peer.send_report(name, ntp, timestamp & 0xFFFFFFFF, now)
