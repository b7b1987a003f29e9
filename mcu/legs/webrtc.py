"""A WebRTC leg: ICE-lite, DTLS-SRTP and the streams negotiated over it.

Thin: protocol engines (ICE, DTLS), streams and RTCP are elsewhere. It has no task and no timer
of its own; the acceptor calls ``handle_timer`` when ``due_at`` has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mcu.legs.budget import (
    CHECKS_PER_WINDOW,
    HANDSHAKE_PER_WINDOW,
    RTCP_BYTES_PER_WINDOW,
    RTCP_LEAST_BYTES,
    PacketBudget,
    WindowBudget,
)
from mcu.legs.context import LegContext, LegIdentity, stream_codec
from mcu.legs.feedback import Feedback
from mcu.legs.ice_fragment import IceFragment, write_fragment
from mcu.legs.incoming import Incoming
from mcu.legs.leg import (
    LegKind,
    LegObserver,
    LegState,
    LegStatistics,
    StreamCodec,
    StreamName,
)
from mcu.legs.liveness import Liveness
from mcu.legs.log import LegLog
from mcu.legs.outgoing import Outgoing
from mcu.legs.readings import Readings, all_drops
from mcu.media import rtcp
from mcu.media.bad_line import BadEnd, BadLine
from mcu.media.frames import EncodedFrame
from mcu.media.lane import Lane, Waiting
from mcu.media.path import SendPath
from mcu.media.port import SocketAddress
from mcu.media.receive import AudioSink
from mcu.media.rendition import Rendition
from mcu.media.srtp import PacketBuffer, SrtpError, SrtpSession, reason
from signalling.webrtc.dtls import Closed, Connected, DtlsEndpoint, DtlsEvent, Failed, SrtpKeys
from signalling.webrtc.ice import CheckReceived, IceLite, Nominated
from signalling.webrtc.negotiation import Negotiated

REPORT_INTERVAL_S = 1.0


class WebRtcLeg:
    """See ``mcu.legs.leg.Leg``. Made by ``WebRtcAcceptor.accept``.

    Args:
        ice, dtls: engines for the negotiated credentials and fingerprints.
        rtcp_ssrc: what our feedback goes out under.
    """

    def __init__(
        self,
        identity: LegIdentity,
        context: LegContext,
        negotiated: Negotiated,
        observer: LegObserver,
        *,
        ice: IceLite,
        dtls: DtlsEndpoint,
        liveness: Liveness,
        rtcp_ssrc: int,
        now: float,
    ) -> None:
        self.id = identity.id
        self.conference = identity.conference
        self.participant = identity.participant
        self.kind: LegKind = identity.kind
        self.state: LegState = "new"
        self.negotiated = negotiated
        self.answer_sdp = str(negotiated.answer)
        media = negotiated.media
        self.sources: Mapping[StreamName, StreamCodec] = {
            one.stream: stream_codec(one) for one in media if one.receives
        }
        self.outputs: Mapping[StreamName, StreamCodec] = {
            one.stream: stream_codec(one) for one in media if one.sends
        }
        self.dropped: Counter[str] = Counter()
        self.due_at = liveness.next_timer()
        """When ``handle_timer`` is to be called."""
        self._context = context
        self._observer = observer
        self._port = context.port
        self._ice = ice
        self._dtls = dtls
        self._liveness = liveness
        self._budget = PacketBudget()
        self._rtcp_budget = WindowBudget(RTCP_BYTES_PER_WINDOW)
        self._handshake_budget = WindowBudget(HANDSHAKE_PER_WINDOW)
        self._check_budget = WindowBudget(CHECKS_PER_WINDOW)
        self._nominated = False
        self._path = SendPath(context.port.batch)
        self._inbound: SrtpSession | None = None
        self._outbound: SrtpSession | None = None
        self._log = LegLog(identity, context.port, self._path)
        self.lane = Lane(context.port.inflow, self._refused)
        self._incoming = Incoming(
            media,
            frame=self._frame_received,
            wake=self._wake,
            forget=self._forget_ssrc,
            lane=self.lane,
            moments=context.moments,
        )
        self._outgoing = Outgoing(media, self._path, context.generator)
        self._feedback = Feedback(
            media,
            self._incoming,
            self._outgoing,
            ntp=context.ntp,
            cname=context.cname,
            ssrc=rtcp_ssrc,
        )
        self._readings = Readings(self._incoming, self._outgoing, self._feedback)
        # Legs that joined in one moment (a whole conference) do not report in one moment.
        first = now + REPORT_INTERVAL_S * (0.5 + context.generator.random() / 2)
        self._next_report = context.moments.after(first)
        self._renditions: dict[StreamName, Rendition] = {}
        self._line: BadLine | None = None
        self._transmit = self._port.transmit

    # Drills

    def go_by(self, line: BadLine | None, now: float) -> None:
        """Let all that passes between the peer and us go by a bad line; None: as it is."""
        before, self._line = self._line, line
        port, path = self._port, self._path
        self.lane.fall_out()
        if before is not None:
            before.batch.forget(path)
        if line is None:
            self._transmit = port.transmit
            port.put_before(self, None)
            path.go_by(port.batch)
        else:
            line.wake = self._wake
            self._transmit = self._transmit_badly
            port.put_before(self, BadEnd(self, line))
            line.batch.carry(path, lambda data, to, at: self._send_badly(line, data, to, at))
            path.go_by(line.batch)
        if before is not None:
            before.end(now)

    def understand(self, agreed: bool) -> None:
        """Take what the peer sends; or nothing, as if it were in a format not agreed on."""
        self.lane.fall_out()
        self._incoming.understand(agreed)

    def _transmit_badly(self, datagram: bytes, address: SocketAddress) -> bool:
        if self._line is not None:
            self._send_badly(self._line, datagram, address, self._context.clock())
        return True

    def _send_badly(
        self, line: BadLine, datagram: bytes, address: SocketAddress, now: float
    ) -> None:
        line.down(len(datagram), now, lambda at: self._port.transmit(datagram, address))

    # Leg

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """Send ``rendition`` on ``stream`` from now on, or as soon as the leg is connected."""
        if self.state == "left" or stream not in self.outputs:
            return
        if rendition is None:
            self._renditions.pop(stream, None)
        else:
            self._renditions[stream] = rendition
        if self._path.handle is not None:
            self._outgoing.play(stream, rendition, self._context.clock())

    def listen(self, sink: AudioSink | None, waiting: Waiting | None = None) -> None:
        """See ``Leg``."""
        source = self._incoming.sources.get("audio")
        if source is not None:
            source.sink = sink
            self.lane.listen(waiting)

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """Begin or cease to put a source's pictures together; beginning asks for a key frame."""
        one = self._incoming.sources.get(source)
        if one is None:
            return
        one.wanted = wanted
        if one.video is not None:
            one.video.want(wanted)
            self._send_key_frame_requests(self._context.clock())

    def request_key_frame(self, source: StreamName) -> None:
        """Ask the peer for a key frame, at once or when the interval since the last one is over."""
        one = self._incoming.sources.get(source)
        if one is not None and one.video is not None:
            one.video.key_frame_needed = True
            self._send_key_frame_requests(self._context.clock())

    def limit_bitrate(self, bps: int | None) -> None:
        """Limit what the peer sends in total (REMB); None lifts the limit."""
        self._feedback.limit_bps = bps
        if self._outbound is not None:
            self._send_rtcp(self._feedback.bitrate_limit())

    def probe_line(self, now: float) -> bool:
        """Repeat a few packets at once; how they arrive tells how much the line carries."""
        return self._path.handle is not None and self._outgoing.probe(now)

    def unheard_s(self, now: float) -> float:
        """See ``Leg``."""
        self._notice_lane()
        return now - self._liveness.heard_at

    def statistics(self, now: float) -> LegStatistics:
        """A reading of all counters."""
        reading = self._readings.read(now)
        reading.srtp_profile = self._log.srtp_profile
        reading.remote_address = self._log.remote_address
        media = self.dropped + self._incoming.dropped
        reading.dropped = all_drops(media, self._ice, self._dtls, self._path)
        return reading

    def close(self, reason: str, now: float) -> None:
        """Say goodbye and free everything. Idempotent."""
        if self.state == "left":
            return
        if self._outbound is not None:
            self._send_rtcp(self._feedback.goodbye())
        self._dtls.close(now)
        self._flush_dtls(now)
        if self._line is not None:
            self.go_by(None, now)
        self.state = "left"
        self._outgoing.stop(now)
        self._renditions.clear()
        self._path.handle = None
        self.lane.listen(None)
        self._inbound = self._outbound = self.lane.session = None
        self._port.unregister(self)
        self._context.closed(self)
        self._log.left(reason)
        self._observer.leg_left(self, reason, now)

    # ICE

    @property
    def ice_ufrag(self) -> str:
        """Our present user fragment."""
        return self._ice.local_ufrag

    def restart_ice(self, fragment: str, now: float) -> str:
        """Take the peer's new credentials, give ours (both trickle-ice-sdpfrag).

        A fragment with the credentials in use only trickles candidates, which a lite agent has
        no use for; it is answered with an empty string. The pair in use carries media on until
        the peer nominates another.

        Raises:
            SdpError: the fragment is broken.
        """
        remote = IceFragment.parse(fragment)
        if remote.ufrag == self._ice.remote_ufrag and remote.pwd == self._ice.remote_pwd:
            return ""
        context = self._context
        ufrag, pwd = context.new_credentials()
        self._port.forget_ufrag(self._ice.local_ufrag)
        self._ice.restart(ufrag, pwd, remote.ufrag, remote.pwd)
        self._port.register(self, ufrag)
        first = self.negotiated.media[0]
        return write_fragment(ufrag, pwd, first.mid, first.kind, context.candidates())

    # Endpoint of the media port

    def receive_stun(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """Answer a check; follow a nomination. Only an authentic check moves the address."""
        if self.state == "left":
            return
        if not self._check_budget.spend(now):
            self.dropped["flood_stun"] += 1
            return
        peer = self._port.peer_address(address)
        for event in self._ice.receive_datagram(datagram, peer, now):
            if isinstance(event, CheckReceived):
                self._port.bind(self, address)
                self._heard(now)
                if self._path.address is None:
                    self._path.address = address
            elif isinstance(event, Nominated):
                self._path.address = address
                self._nominated = True
        for answer, to in self._ice.datagrams_to_send(now):
            self._transmit(answer, address if to == peer else self._port.socket_address(to))
        if self._nominated and self.state == "new" and self._dtls.role == "client":
            self._nominated = False
            self._take(self._dtls.start(now), now)

    def receive_dtls(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """Take a handshake datagram."""
        if self.state == "left":
            return
        if not self._handshake_budget.spend(now):
            self.dropped["flood_dtls"] += 1
            return
        self._take(self._dtls.receive_datagram(datagram, now), now)

    def receive_srtp(self, packet: PacketBuffer, now: float) -> None:
        """Open one RTP datagram and hand its payload on."""
        session = self._inbound
        if session is None:
            self.dropped["not_connected"] += 1
            return
        if not self._budget.spend(now):
            self.dropped["flood"] += 1
            return
        try:
            length = session.open(packet)
        except SrtpError as error:
            self._budget.give_back()
            self.dropped[f"srtp_{error.reason}"] += 1
            return
        video = self._incoming.receive(packet.view, length, now)
        self._heard(now)
        if video is not None and video.key_frame_needed:
            self._send_key_frame_requests(now)

    def receive_srtcp(self, packet: PacketBuffer, now: float) -> None:
        """Open one RTCP datagram and act on it."""
        session = self._inbound
        if session is None:
            self.dropped["not_connected"] += 1
            return
        cost = max(packet.length[0], RTCP_LEAST_BYTES)
        if not self._rtcp_budget.spend(now, cost) or not self._budget.spend(now):
            self.dropped["flood_rtcp"] += 1
            return
        try:
            opened = session.open_rtcp(packet)
        except SrtpError as error:
            self._budget.give_back()
            self._rtcp_budget.give_back(cost)
            self.dropped[f"srtcp_{error.reason}"] += 1
            return
        self._heard(now)
        try:
            values = rtcp.read(opened)
        except rtcp.RtcpError:
            self.dropped["rtcp"] += 1
            return
        self._feedback.receive(values, now)
        line = self._outgoing.estimate
        if line is not None and line.congested:
            self._observer.line_congested(self, now)

    # The timer

    def handle_timer(self, now: float) -> None:
        """Do what is due: reports, requests for repetition, handshake, silence."""
        if self._line is not None:
            self._line.handle_timer(now)
        if self.state == "left":
            return
        dtls_timer = self._dtls.next_timer()
        if dtls_timer is not None and dtls_timer <= now:
            self._take(self._dtls.handle_timer(now), now)
        self._check_liveness(now)
        if self._outbound is not None:
            for request in self._feedback.repetitions(now):
                self._send_rtcp(request)
            self._send_key_frame_requests(now)
            for report in self._feedback.transport_reports_due(now):
                self._send_rtcp(report)
            if now >= self._next_report:
                self._next_report = max(self._next_report + REPORT_INTERVAL_S, now)
                self._send_rtcp(self._feedback.report(now))
                self._readings.close_interval(now)
        self._schedule()

    def _refused(self, status: int, now: float) -> None:
        """A packet that seemed in step is not the peer's, or came before.

        Packets in step spend nothing: there is one in a turn at most.
        """
        if self._budget.spend(now):
            self._budget.give_back()
        self.dropped[f"srtp_{reason(status)}"] += 1

    def _check_liveness(self, now: float) -> None:
        self._notice_lane()
        finding = self._liveness.check(now)
        if finding == "gone":
            self.close("timeout", now)
        elif finding == "failed":
            found = "handshake not finished" if self._path.address else "no connectivity check"
            self._log.failure = f"timeout: {found}"
            self.close("failed", now)
        elif finding != "alive":
            self.lane.fall_out()  # the next packet is to be noticed
            if finding == "expired":
                self._liveness.expired = True
                self._path.handle = None
                self._outgoing.stop(now)
            if self.state == "connected":
                self.state = "lost"
                self._liveness.lost = True
                self._log.lost(now - self._liveness.heard_at)
                self._observer.leg_lost(self, now)

    def _notice_lane(self) -> None:
        self.lane.settle()
        self._liveness.heard_at = max(self._liveness.heard_at, self.lane.heard_at)

    def _schedule(self) -> None:
        times: list[float | None] = [self._liveness.next_timer(), self._dtls.next_timer()]
        if self._outbound is not None:
            requests = None if self._liveness.expired else self._feedback.next_timer()
            times += (self._next_report, requests)
        if self._line is not None:
            times.append(self._line.next_timer())
        self.due_at = min(at for at in times if at is not None)

    def _wake(self, at: float) -> None:
        if at < self.due_at:
            self.due_at = at

    # Private

    def _take(self, events: list[DtlsEvent], now: float) -> None:
        self._flush_dtls(now)
        for event in events:
            if isinstance(event, Connected):
                self._connect(event.keys, now)
            elif isinstance(event, Closed):
                self.close("bye", now)
            elif isinstance(event, Failed):
                self.dropped[f"dtls_{event.reason}"] += 1
                self._log.failure = f"dtls {event.reason}: {event.detail}".removesuffix(": ")
                self.close("failed", now)
        self._schedule()

    def _flush_dtls(self, now: float) -> None:
        address = self._path.address
        for datagram in self._dtls.datagrams_to_send(now):
            if address is not None and not self._liveness.expired:
                self._transmit(datagram, address)

    def _connect(self, keys: SrtpKeys, now: float) -> None:
        profile, buffer = keys.profile.name, self._port.buffer
        self._log.srtp_profile = profile
        self._inbound = SrtpSession(keys.remote_key, profile, buffer, outbound=False)
        self._outbound = SrtpSession(keys.local_key, profile, buffer, outbound=True)
        self.lane.fall_out()
        self.lane.session = self._inbound.argument
        self._liveness.connected = True
        self._liveness.heard_at = now
        self.state = "connected"
        self._begin_sending(now)
        self._log.connected()
        self._observer.leg_connected(self, now)

    def _begin_sending(self, now: float) -> None:
        """Now that there are keys, or the peer is heard again (no change to what goes on)."""
        if self._outbound is not None:
            self._path.handle = self._outbound.handle
            for stream, rendition in self._renditions.items():
                self._outgoing.play(stream, rendition, now)

    def _heard(self, now: float) -> None:
        self._liveness.heard_at = now
        if self.state == "lost":
            self.state = "connected"
            self._liveness.lost = self._liveness.expired = False
            self._begin_sending(now)
            self._log.returned()
            self._observer.leg_returned(self, now)

    def _send_key_frame_requests(self, now: float) -> None:
        if self._path.handle is None:
            return
        for request in self._feedback.key_frame_requests(now):
            self._send_rtcp(request)
        at = self._feedback.next_timer()
        if at is not None:
            self._wake(at)

    def _send_rtcp(self, packet: bytes) -> None:
        session, address = self._outbound, self._path.address
        if not packet or session is None or address is None or self._liveness.expired:
            return  # nothing to say, or nobody who consents to hear it
        try:
            self._transmit(session.protect_rtcp(packet), address)
        except SrtpError as error:
            self.dropped[f"srtcp_{error.reason}"] += 1

    def _forget_ssrc(self, ssrc: int) -> None:
        if self._inbound is not None:
            self._inbound.forget(ssrc)

    def _frame_received(self, source: StreamName, frame: EncodedFrame, now: float) -> None:
        self._observer.frame_received(self, source, frame, now)
