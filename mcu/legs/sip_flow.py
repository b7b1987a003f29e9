"""One RTP session of a SIP leg: its sockets, its streams, its RTCP.

The streams are those of any leg (``Incoming``, ``Outgoing``, ``Feedback``); each session has its
own, because payload types and SSRCs mean something within their session only. What is added here:
packets that carry no sound, a peer that goes over to another codec, hold, and renegotiation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mcu.legs.feedback import Feedback
from mcu.legs.incoming import Incoming
from mcu.legs.leg import StreamName
from mcu.legs.outgoing import Outgoing
from mcu.legs.readings import Readings
from mcu.legs.sip_component import Component
from mcu.legs.sip_context import FlowOwner, SipContext
from mcu.legs.sip_sound import Sound
from mcu.legs.sip_streams import FlowStreams, flow_streams
from mcu.media import rtcp
from mcu.media.bad_line import BadLine
from mcu.media.port_pairs import PortPair
from mcu.media.receive import AudioSink
from mcu.media.rendition import Rendition
from mcu.media.rtp import RtpError
from signalling.offer_answer.agreement import Dtls, Flow, Ice
from signalling.webrtc.ice import IceLite

REPORT_INTERVAL_S = 1.0
PLAIN_REPORT_INTERVAL_S = 5.0
"""Where no feedback was negotiated (AVP) RFC 3550 6.2 wants reports no more often."""
ASK_INTERVAL_S = 2.0
"""Between requests for a picture by signalling, each of which is a transaction."""
RESTS_AFTER_S = 2.0
"""Reports without media for so long are a peer that has nothing to say."""


class SipFlow:
    """See above; a ``ComponentOwner``.

    Args:
        pair: bound, as announced; owned.
        ice: ours, where the peer makes checks.
    """

    def __init__(
        self,
        agreed: Flow,
        pair: PortPair,
        context: SipContext,
        owner: FlowOwner,
        *,
        ice: Ice | None,
        now: float,
    ) -> None:
        self.agreed = agreed
        self.pair = pair
        self.stream: StreamName = agreed.media.stream
        self.streams: FlowStreams = flow_streams(agreed, None, None)
        self.dropped: Counter[str] = Counter()
        self.paused = False
        self._context = context
        self._owner = owner
        self._ice = ice
        self._sound = Sound(agreed, owner.key_pressed)
        self._wanted = False
        self._understands = True
        self._line: BadLine | None = None
        self._rendition: Rendition | None = None
        self._next_ask = 0.0
        self._media_at = self._quiet_at = float("-inf")
        self.rtp = Component(
            context,
            pair.rtp,
            self,
            rtp=True,
            announced=agreed.remote,
            security=agreed.security,
            ice=self._ice_end(),
            sessions=None,
            now=now,
        )
        self.rtcp = self.rtp
        self._part_rtcp(now)
        self._make_streams()
        # Legs that joined in one moment (a whole conference) do not report in one moment.
        self._next_report = now + self._report_interval_s * (0.5 + context.generator.random() / 2)
        self._next_reading = now + REPORT_INTERVAL_S

    # Drills

    def go_by(self, line: BadLine | None) -> None:
        """Let all that passes go by a bad line; None: as it is."""
        self._line = line
        for component in self._components():
            component.go_by(line)

    def understand(self, agreed: bool) -> None:
        """Take what the peer sends; or nothing, as if it were in a format not agreed on."""
        self._understands = agreed
        self._incoming.understand(agreed)

    # Descriptions

    def start(self, now: float) -> None:
        """Begin handshakes; where none is needed packets can be sent at once."""
        for component in self._components():
            component.start(now)
        if self.rtp.ready:
            self._owner.flow_ready(self, now)

    @property
    def sends(self) -> bool:
        """Whether the peer takes what we send now."""
        return self.agreed.media.sends

    @property
    def receives(self) -> bool:
        """Whether the peer is to send now."""
        return self.agreed.media.receives

    def update(self, agreed: Flow, ice: Ice | None, now: float) -> None:
        """Follow a new agreement; what did not change goes on."""
        before, self.agreed = self.agreed, agreed
        if agreed == before:
            return
        self._sound.agreed = agreed
        if ice is not None and agreed.ice is not None and agreed.ice != before.ice:
            self._ice = ice
            for component in self._components():
                component.restart_ice(ice, agreed.ice)
        if agreed.remote != before.remote:
            self.rtp.announce(agreed.remote, now)
        if agreed.security != before.security:
            self.rtp.renew(agreed.security, None)
            if self.rtcp is not self.rtp:
                shared = None if isinstance(agreed.security, Dtls) else self.rtp.sessions
                self.rtcp.renew(agreed.security, shared)
        if agreed.rtcp_mux != before.rtcp_mux:
            if self.rtcp is not self.rtp:
                self.rtcp.close(now)
            self.rtcp = self.rtp
            self._part_rtcp(now)
        elif self.rtcp is not self.rtp and agreed.remote_rtcp != before.remote_rtcp:
            self.rtcp.announce(agreed.remote_rtcp, now)
        self._follow(flow_streams(agreed, self.streams, self.streams.payload_type), now)
        self._sound.feed(self._incoming)
        self.start(now)
        self._play(now)

    def _ice_end(self) -> IceLite | None:
        ours, theirs = self._ice, self.agreed.ice
        if ours is None or theirs is None:
            return None
        return IceLite(ours.ufrag, ours.pwd, theirs.ufrag, theirs.pwd)

    def _part_rtcp(self, now: float) -> None:
        """Give RTCP its own socket, if it has one."""
        agreed = self.agreed
        if agreed.rtcp_mux:
            return
        self.rtcp = Component(
            self._context,
            self.pair.rtcp,
            self,
            rtp=False,
            announced=agreed.remote_rtcp,
            security=agreed.security,
            ice=self._ice_end(),
            sessions=None if isinstance(agreed.security, Dtls) else self.rtp.sessions,
            now=now,
        )
        if self._line is not None:
            self.rtcp.go_by(self._line)

    def _follow(self, streams: FlowStreams, now: float) -> None:
        """Make the streams anew whose format has changed; counters and numbers go on."""
        if streams.media == self.streams.media:
            self.streams = streams
            return
        incoming, outgoing, feedback = self._incoming, self._outgoing, self._feedback
        self._outgoing.stop(now)
        self.streams = streams
        self._make_streams()
        self._incoming.carry_on(incoming)
        self._outgoing.carry_on(outgoing, now)
        self._feedback.limit_bps, self._feedback.plis = feedback.limit_bps, feedback.plis
        self._play(now)

    def _make_streams(self) -> None:
        context, media = self._context, [self.streams.media]
        self._incoming = Incoming(
            media, frame=self._owner.frame_received, wake=self._owner.wake, forget=self._forget
        )
        self._outgoing = Outgoing(media, self.rtp.path, context.generator)
        self._feedback = Feedback(
            media,
            self._incoming,
            self._outgoing,
            ntp=context.ntp,
            cname=context.cname,
            ssrc=self.agreed.ssrc,
        )
        self.readings = Readings(self._incoming, self._outgoing, self._feedback)
        self._payload_type = self.streams.payload_type
        self._report_interval_s = (
            REPORT_INTERVAL_S if self._has_feedback else PLAIN_REPORT_INTERVAL_S
        )
        self._sound.feed(self._incoming)
        self._incoming.understand(self._understands)
        self.want(self._wanted)

    @property
    def _has_feedback(self) -> bool:
        media = self.agreed.media
        return media.nack or media.pli or media.fir or media.remb or media.reduced_size_rtcp

    @property
    def rests(self) -> bool:
        """Whether the peer lets hear of it now and then only, because it has nothing to say.

        It sends comfort noise (RFC 3389 4.1 leaves it how often), or reports alone, which come some
        five seconds apart (RFC 3550 6.2).
        """
        return self._quiet_at - self._media_at > RESTS_AFTER_S

    # What the engine wants

    def play(self, rendition: Rendition | None, now: float) -> None:
        """Send a rendition as long as the peer takes what we send; None: nothing."""
        self._rendition = rendition
        self._play(now)

    def pause(self, paused: bool, now: float) -> None:
        """Send nothing for now, or go on."""
        if paused != self.paused:
            self.paused = paused
            self._play(now)

    def _play(self, now: float) -> None:
        flows = self.sends and self.rtp.ready and not self.paused
        self._outgoing.play(self.stream, self._rendition if flows else None, now)

    def listen(self, sink: AudioSink | None) -> None:
        """Hand sound to ``sink`` from now on."""
        self._sound.sink = sink
        self._sound.feed(self._incoming)

    def want(self, wanted: bool) -> None:
        """Put pictures together, or cease to."""
        self._wanted = wanted
        source = self._incoming.sources.get(self.stream)
        if source is not None:
            source.wanted = wanted
            if source.video is not None:
                source.video.want(wanted)

    def request_key_frame(self) -> None:
        """The next ``ask`` asks the peer for a key frame."""
        source = self._incoming.sources.get(self.stream)
        if source is not None and source.video is not None:
            source.video.key_frame_needed = True

    def key_frame_requested(self, now: float) -> None:
        """The peer asks for a key frame by signalling."""
        output = self._outgoing.outputs.get(self.stream)
        if output is not None:
            output.key_frame_requested(now)

    def limit_bitrate(self, bps: int | None) -> None:
        """Limit what the peer sends, where it takes REMB."""
        self._feedback.limit_bps = bps
        self.rtcp.send_rtcp(self._feedback.bitrate_limit())

    # ComponentOwner

    def plausible(self, payload_type: int) -> bool:
        """See ``ComponentOwner``."""
        agreed = self.agreed
        return (
            payload_type in agreed.media.receive_codecs
            or payload_type in agreed.media.rtx
            or self._sound.is_interlude(payload_type)
        )

    def is_key(self, payload_type: int) -> bool:
        """See ``ComponentOwner``."""
        return payload_type == self.agreed.dtmf_receive

    def packet_opened(self, packet: memoryview, length: int, now: float) -> None:
        """See ``ComponentOwner``."""
        self._owner.flow_heard(now)
        self._media_at = now
        payload_type = packet[1] & 0x7F
        if payload_type != self._payload_type:
            agreed = self.agreed
            if self._sound.is_interlude(payload_type):
                self._receive_interlude(packet, length, now)
                return
            if payload_type in agreed.media.receive_codecs and self.streams.source is not None:
                self._follow(flow_streams(agreed, self.streams, payload_type), now)
                self._owner.flow_switched(self, now)
        video = self._incoming.receive(packet, length, now)
        if video is not None and video.key_frame_needed:
            self.ask(now)

    def _receive_interlude(self, packet: memoryview, length: int, now: float) -> None:
        try:
            if self._sound.receive(packet, length, self._incoming, now):
                self._media_at, self._quiet_at = float("-inf"), now
        except RtpError:
            self.dropped["rtp"] += 1

    def report_opened(self, packet: bytes, now: float) -> None:
        """See ``ComponentOwner``."""
        self._owner.flow_heard(now)
        self._quiet_at = now
        try:
            values = rtcp.read(packet)
        except rtcp.RtcpError:
            self.dropped["rtcp"] += 1
            return
        self._feedback.receive(values, now)

    def component_ready(self, component: Component, now: float) -> None:
        """See ``ComponentOwner``."""
        if component is self.rtp:
            self._owner.flow_ready(self, now)
            self._play(now)

    def component_settled(self, component: Component, host: str) -> None:
        """See ``ComponentOwner``: what translates the addresses of RTP does RTCP's too."""
        if component is self.rtp and self.rtcp is not self.rtp:
            self.rtcp.trust(host)

    def component_failed(self, component: Component, reason: str, now: float) -> None:
        """See ``ComponentOwner``; without RTCP media still flows."""
        if component is self.rtp:
            self._owner.flow_failed(self, reason, now)

    # Requests and reports

    def ask(self, now: float) -> None:
        """Ask for a key frame where one is needed, in the way the peer knows."""
        media = self.agreed.media
        if media.pli or media.fir:
            for request in self._feedback.key_frame_requests(now):
                self.rtcp.send_rtcp(request)
        elif now >= self._next_ask and self._picture_needed():
            self._next_ask = now + ASK_INTERVAL_S
            self._feedback.plis[self.stream] += 1
            self._owner.picture_needed()
        at = self._next_request()
        if at is not None:
            self._owner.wake(at)

    def _picture_needed(self) -> bool:
        return any(one.wanted and one.key_frame_needed for one in self._incoming.videos())

    def _next_request(self) -> float | None:
        media = self.agreed.media
        if media.pli or media.fir:
            return self._feedback.next_timer()
        times = [one.next_timer() for one in self._incoming.videos()]
        if self._picture_needed():
            times.append(self._next_ask)
        return min((at for at in times if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Do what is due: handshakes, repetitions, requests, reports."""
        for component in self._components():
            component.handle_timer(now)
        if self.rtp.ready:
            for request in self._feedback.repetitions(now):
                if self.agreed.media.nack:
                    self.rtcp.send_rtcp(request)
            self.ask(now)
        if now >= self._next_report:
            self._next_report = max(self._next_report + self._report_interval_s, now)
            self.rtcp.send_rtcp(self._feedback.report(now))
        if now >= self._next_reading:
            self._next_reading = max(self._next_reading + REPORT_INTERVAL_S, now)
            self.readings.close_interval(now)

    def next_timer(self) -> float:
        """When ``handle_timer`` has something to do."""
        times = [one.next_timer() for one in self._components()]
        if self.rtp.ready:
            times.append(self._next_request())
        found = [at for at in times if at is not None]
        return min(self._next_report, self._next_reading, *found)

    def _components(self) -> Iterator[Component]:
        yield self.rtp
        if self.rtcp is not self.rtp:
            yield self.rtcp

    def _forget(self, ssrc: int) -> None:
        self.rtp.forget_ssrc(ssrc)

    def drops(self) -> Counter[str]:
        """What was dropped, by reason."""
        dropped = self.dropped + self._incoming.dropped
        for component in self._components():
            dropped += component.drops()
        return dropped

    def close(self, now: float) -> None:
        """Say goodbye and free the sockets. Idempotent."""
        self.rtcp.send_rtcp(self._feedback.goodbye())
        self._outgoing.stop(now)
        for component in self._components():
            component.close(now)
        self.pair.close()

    def part(self) -> None:
        """See ``SipLeg.part``; nothing may follow."""
        self._incoming.part()
        self._outgoing.part()
        del self.rtp, self.rtcp
