"""Outgoing streams of one leg: which rendition plays where, and what the peer says of them."""

import random
from collections.abc import Mapping, Sequence

from aiortc.rtp import RtcpReceiverInfo

from mcu.legs.budget import KeyFrameBudget
from mcu.legs.leg import StreamName
from mcu.media import rtcp
from mcu.media.clock import NtpClock
from mcu.media.line_estimate import LineEstimate
from mcu.media.path import SendPath
from mcu.media.rendition import Rendition
from mcu.media.rtp import ABS_SEND_TIME_URI, MID_URI, TRANSPORT_NUMBER_URI
from mcu.media.send import SendFormat, SendStream
from signalling.webrtc.negotiation import NegotiatedMedia

LOSS_INTERVAL_S = 0.9
PROBE_PACKETS = 5
"""Some 5 kB: a line of 300 kbit/s is busy with them for 130 ms."""


class Output:
    """One outgoing stream and the peer's reports on it."""

    def __init__(self, stream: SendStream) -> None:
        self.stream = stream
        self.nacks = 0
        self.plis = 0
        self.reports = 0
        self.packets_lost = 0
        self.fraction_lost = 0.0
        self.jitter_ms = 0.0
        self.round_trip_s: float | None = None
        self._key_frames = KeyFrameBudget()
        self._last_fir: tuple[int, int] | None = None
        self._counted: tuple[float, int, int] | None = None  # when, highest sequence, lost

    def report(self, block: RtcpReceiverInfo, clock: NtpClock, now: float) -> None:
        """Take the peer's report block."""
        self.packets_lost = block.packets_lost
        self._count(block, now)
        self.jitter_ms = block.jitter * 1000 / self.stream.form.clock_rate
        round_trip = rtcp.round_trip_s(block, clock, now)
        if round_trip is not None:
            self.round_trip_s = round_trip

    def _count(self, block: RtcpReceiverInfo, now: float) -> None:
        """Measure loss over about a second.

        A block's own fraction is of the time since the block before, and peers that put a report
        before each feedback packet send several a second, each about a few packets.
        """
        before = self._counted
        fraction = block.fraction_lost / 256
        if before is not None:
            if now - before[0] < LOSS_INTERVAL_S:
                return
            expected = (block.highest_sequence - before[1]) & 0xFFFFFFFF
            if expected < 1 << 31:
                lost = min(max(0, block.packets_lost - before[2]), expected)
                fraction = lost / expected if expected else 0.0
        self._counted = (now, block.highest_sequence, block.packets_lost)
        self.fraction_lost = fraction
        self.reports += 1

    def key_frame_requested(self, now: float) -> None:
        """The peer sent PLI, or a FIR with a new number."""
        self.plis += 1
        rendition = self.stream.rendition
        if rendition is None or not self.stream.form.video:
            return
        if self._key_frames.spend(now):
            rendition.request_key_frame(now)

    def full_intra_requested(self, sender_ssrc: int, number: int, now: float) -> None:
        """FIR is repeated under one number until it is answered (RFC 5104 4.3.1.2)."""
        if self._last_fir != (sender_ssrc, number):
            self._last_fir = (sender_ssrc, number)
            self.key_frame_requested(now)


class Outgoing:
    """The outgoing streams of a leg.

    Args:
        media: all negotiated sections; those that do not send are left out.
        path: the leg's. generator: gives the random beginnings.
    """

    def __init__(
        self, media: Sequence[NegotiatedMedia], path: SendPath, generator: random.Random
    ) -> None:
        self.outputs: dict[StreamName, Output] = {}
        self.departures = path.departures
        """Of packets numbered transport-wide."""
        self.estimate = LineEstimate() if any(o.sends and o.transport_cc for o in media) else None
        """What the line carries, by the reports on them; None: they are not numbered."""
        self._by_ssrc: dict[int, Output] = {}
        self._described: tuple[list[int], str] = ([], "")
        self._description = b""  # of those, as it stands in each report
        for one in media:
            form = _format(one)
            if form is None:
                continue
            # Below 2**15 libsrtp cannot mistake an early loss for a wrap (RFC 3711 3.3.1).
            first_sequence = generator.randrange(1, 1 << 15)
            output = Output(SendStream(form, path, first_sequence, generator.getrandbits(32)))
            self.outputs[one.stream] = output
            self._by_ssrc[form.ssrc] = output

    def carry_on(self, before: "Outgoing", now: float) -> None:
        """Go on where another agreement with the same peer ended: numbers, time and counters."""
        for name, output in list(self.outputs.items()):
            old = before.outputs.get(name)
            if old is None:
                continue
            form = output.stream.form
            if old.stream.form == form:
                output.stream.retire()
                self.outputs[name] = self._by_ssrc[form.ssrc] = old
                continue
            output.stream.carry_on(old.stream, now)
            old.stream.retire()
            output.nacks, output.plis, output.reports = old.nacks, old.plis, old.reports
            output.packets_lost, output.round_trip_s = old.packets_lost, old.round_trip_s

    def by_ssrc(self, ssrc: int) -> Output | None:
        """The output with this primary SSRC."""
        return self._by_ssrc.get(ssrc)

    def play(self, stream: StreamName, rendition: Rendition | None, now: float) -> None:
        """Play on one stream; a stream the peer does not take is left out silently."""
        output = self.outputs.get(stream)
        if output is not None:
            output.stream.play(rendition, now)

    def probe(self, now: float) -> bool:
        """Send a burst whose arrival tells how much the line carries.

        Returns: whether one left. While a large picture leaves none does: the queue of a thin line
            has no room for both.
        """
        if self.estimate is None or self.estimate.is_busy(self.departures, now):
            return False
        return any(one.stream.probe(PROBE_PACKETS, now) for one in self.outputs.values())

    def part(self) -> None:
        """Let go of the path, which refers back to here: the leg has left."""
        for output in self.outputs.values():
            output.stream.retire()

    def stop(self, now: float) -> None:
        """Leave all renditions."""
        for output in self.outputs.values():
            output.stream.play(None, now)

    @property
    def round_trip_s(self) -> float | None:
        """The latest round trip of any stream."""
        return next(
            (one.round_trip_s for one in self.outputs.values() if one.round_trip_s is not None),
            None,
        )

    def sender_reports(
        self, clock: NtpClock, cname: str, blocks: Sequence[RtcpReceiverInfo], now: float
    ) -> list[bytes]:
        """SR and SDES of each stream that has begun; the first SR carries ``blocks``."""
        parts: list[bytes] = []
        ssrcs = []
        for output in self.outputs.values():
            stream = output.stream
            timestamp = stream.timestamp_at(now)
            if timestamp is None:
                continue
            ssrc = stream.form.ssrc
            parts.append(
                rtcp.sender_report(
                    ssrc,
                    clock.ntp(now),
                    timestamp,
                    stream.packets,
                    stream.bytes,
                    () if parts else blocks,
                )
            )
            ssrcs.append(ssrc)
        if ssrcs:
            if (ssrcs, cname) != self._described:
                self._described = (ssrcs, cname)
                self._description = rtcp.source_description(ssrcs, cname)
            parts.append(self._description)
        return parts


def _format(media: NegotiatedMedia) -> SendFormat | None:
    codec, ssrc = media.send_codec, media.local_ssrc
    if not media.sends or codec is None or ssrc is None:
        return None
    constant: Mapping[int, bytes] = {}
    mid_id = media.extensions.get(MID_URI)
    if mid_id is not None and media.mid:
        constant = {mid_id: media.mid.encode()[:16]}
    rtx = media.send_rtx_pt is not None and media.local_rtx_ssrc is not None
    return SendFormat(
        ssrc=ssrc,
        payload_type=codec.payload_type,
        clock_rate=codec.clock_rate,
        video=media.kind == "video",
        extensions=constant,
        abs_send_time_id=media.extensions.get(ABS_SEND_TIME_URI),
        number_id=media.extensions.get(TRANSPORT_NUMBER_URI),
        rtx_payload_type=media.send_rtx_pt if rtx else None,
        rtx_ssrc=media.local_rtx_ssrc if rtx else None,
    )
