"""RTCP of one leg: what arrives is acted on, what is to be sent is made here, not sent.

Feedback goes out as a compound packet unless the peer takes reduced-size ones (RFC 5506).
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)

from mcu.legs.incoming import Incoming
from mcu.legs.leg import StreamName
from mcu.legs.outgoing import Outgoing
from mcu.media import rtcp
from mcu.media.clock import NtpClock
from mcu.media.receive import DEFAULT_ROUND_TRIP_S, PLI_INTERVAL_S
from mcu.media.transport_feedback import TransportFeedback
from signalling.webrtc.negotiation import NegotiatedMedia

UNLIMITED_BPS = 1_000_000_000
"""What is reported when a limit is lifted: a peer keeps the last REMB it got."""


class Feedback:
    """Makes and takes RTCP for one leg.

    Args:
        media: all negotiated sections.
        ntp, cname: of the whole process, so that receivers can align sound and picture.
        ssrc: our feedback's sender.
    """

    def __init__(
        self,
        media: Sequence[NegotiatedMedia],
        incoming: Incoming,
        outgoing: Outgoing,
        *,
        ntp: NtpClock,
        cname: str,
        ssrc: int,
    ) -> None:
        self.limit_bps: int | None = None
        self.remb_bps: int | None = None
        """The peer's last REMB."""
        self.rembs = 0
        self.plis: Counter[StreamName] = Counter()
        """Key frame requests sent, by source."""
        self._incoming = incoming
        self._outgoing = outgoing
        self._ntp = ntp
        self._cname = cname
        self._ssrc = ssrc
        self._reduced = bool(media) and all(one.reduced_size_rtcp for one in media)
        self._remb = any(one.remb and one.receives for one in media)
        self._by_fir = frozenset(
            one.stream for one in media if one.receives and one.fir and not one.pli
        )
        self._next_request: dict[StreamName, float] = {}
        self._fir_number = 0
        self._limited = False
        self.transport_reports = 0
        """Transport-wide reports sent."""

    def receive(self, values: Sequence[rtcp.RtcpValue], now: float) -> None:
        """Act on the members of one RTCP packet."""
        for value in values:
            if isinstance(value, RtcpRtpfbPacket):
                output = self._outgoing.by_ssrc(value.media_ssrc)
                if output is not None:
                    output.nacks += len(value.lost)
                    output.stream.repeat(value.lost, now)
            elif isinstance(value, RtcpPsfbPacket):
                self._receive_payload_feedback(value, now)
            elif isinstance(value, TransportFeedback):
                line = self._outgoing.estimate
                if line is not None:
                    line.take(value, self._outgoing.departures, now)
            elif isinstance(value, RtcpByePacket):
                for ssrc in value.sources:
                    self._incoming.end(ssrc)
            else:
                if isinstance(value, RtcpSrPacket):
                    stream = self._incoming.stream_of(value.ssrc)
                    if stream is not None:
                        info = value.sender_info
                        stream.sender_report(info.ntp_timestamp, info.rtp_timestamp, now)
                for block in value.reports:
                    output = self._outgoing.by_ssrc(block.ssrc)
                    if output is not None:
                        output.report(block, self._ntp, now)
                        self._update_round_trip()

    def _receive_payload_feedback(self, value: RtcpPsfbPacket, now: float) -> None:
        if value.fmt == RTCP_PSFB_PLI:
            output = self._outgoing.by_ssrc(value.media_ssrc)
            if output is not None:
                output.key_frame_requested(now)
        elif value.fmt == RTCP_PSFB_FIR:
            for ssrc, number in rtcp.fir_entries(value):
                output = self._outgoing.by_ssrc(ssrc)
                if output is not None:
                    output.full_intra_requested(value.ssrc, number, now)
        elif value.fmt == RTCP_PSFB_APP:
            bps = rtcp.remb_bps(value)
            if bps is not None:
                self.remb_bps = bps
                self.rembs += 1

    def _update_round_trip(self) -> None:
        round_trip = self._outgoing.round_trip_s
        for video in self._incoming.videos():
            video.round_trip_s = DEFAULT_ROUND_TRIP_S if round_trip is None else round_trip

    def report(self, now: float) -> bytes:
        """The regular compound packet: SR (or RR), SDES, and REMB while a limit stands."""
        blocks = self._incoming.report_blocks(now)
        parts = self._outgoing.sender_reports(self._ntp, self._cname, blocks, now)
        if not parts:
            parts = [
                rtcp.receiver_report(self._ssrc, blocks),
                rtcp.source_description([self._ssrc], self._cname),
            ]
        return b"".join(parts) + self._limit()

    def bitrate_limit(self) -> bytes:
        """REMB at once; empty where the peer does not take it or there is no change to tell."""
        limit = self._limit()
        return self._compound(limit) if limit else b""

    def _limit(self) -> bytes:
        ssrcs = [video.ssrc for video in self._incoming.videos()]
        if not self._remb or not ssrcs:
            return b""
        if self.limit_bps is not None:
            self._limited = True
            return rtcp.bitrate_limit(self._ssrc, self.limit_bps, ssrcs)
        if self._limited:
            self._limited = False
            return rtcp.bitrate_limit(self._ssrc, UNLIMITED_BPS, ssrcs)
        return b""

    def transport_reports_due(self, now: float) -> Iterator[bytes]:
        """Reports on when the peer's packets arrived, if they are due."""
        log = self._incoming.arrivals
        if log is None or not log.times or now < log.due_at:
            return
        # Peers look at what the report is about by any one of their streams.
        ssrc = next((video.ssrc for video in self._incoming.videos()), None)
        if ssrc is None:
            log.times.clear()
            return
        for report in log.report(self._ssrc, ssrc, now):
            self.transport_reports += 1
            yield self._compound(report)

    def repetitions(self, now: float) -> Iterator[bytes]:
        """NACKs that are due."""
        for video in self._incoming.videos():
            missing = video.due(now)
            if missing:
                nack = rtcp.negative_acknowledgement(self._ssrc, video.ssrc, missing)
                yield self._compound(nack)

    def key_frame_requests(self, now: float) -> Iterator[bytes]:
        """PLI (or FIR) for streams in need of a key frame, at most every PLI_INTERVAL_S each."""
        for name, source in self._incoming.sources.items():
            video = source.video
            if video is None or not video.key_frame_needed or not video.wanted:
                continue
            if now < self._next_request.get(name, 0.0):
                continue
            self._next_request[name] = now + PLI_INTERVAL_S
            self.plis[name] += 1
            if name in self._by_fir:
                self._fir_number = (self._fir_number + 1) & 0xFF
                yield self._compound(
                    rtcp.full_intra_request(self._ssrc, video.ssrc, self._fir_number)
                )
            else:
                yield self._compound(rtcp.picture_loss(self._ssrc, video.ssrc))

    def next_timer(self) -> float | None:
        """When repetitions or key frame requests are due next."""
        times: list[float] = []
        log = self._incoming.arrivals
        if log is not None and log.times:
            times.append(log.due_at)
        for name, source in self._incoming.sources.items():
            video = source.video
            if video is None:
                continue
            at = video.next_timer()
            if at is not None:
                times.append(at)
            if video.key_frame_needed and video.wanted:
                times.append(self._next_request.get(name, 0.0))
        return min(times, default=None)

    def goodbye(self) -> bytes:
        """BYE for all our streams."""
        ssrcs = [one.stream.form.ssrc for one in self._outgoing.outputs.values()]
        head = rtcp.receiver_report(self._ssrc)
        return head + rtcp.bye(list(dict.fromkeys([self._ssrc, *ssrcs])))

    def _compound(self, feedback: bytes) -> bytes:
        if self._reduced:
            return feedback
        return (
            rtcp.receiver_report(self._ssrc)
            + rtcp.source_description([self._ssrc], self._cname)
            + feedback
        )
