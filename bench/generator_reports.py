"""What a room of the load generator says by RTCP, as a browser does; nothing is sent here.

Of each stream some 0.75 s apart a sender or receiver report with its CNAME (RFC 3550 6.4), and
of packets that are numbered transport-wide when each of them came
(draft-holmer-rmcat-transport-wide-cc-extensions-01). Feedback is laid out by the daemon's own
writer: what shows that the daemon understands others is its tests with Chromium.
"""

import random
import struct
from collections.abc import Iterator

from aiortc.rtp import RtcpReceiverInfo, RtcpSrPacket

from mcu.media import rtcp, transport_feedback
from mcu.media.clock import NtpClock
from mcu.media.rtp import PLAIN_WITH_EXTENSION
from mcu.media.sequence import SequenceTracker

REPORT_S = 0.75
"""Mean time between two reports on a stream: Chromium 156 sent 2.6 a second on two. Each lies
between half and one and a half times as far from the one before, so that rooms which joined
together do not report together."""
AUDIO_HZ, VIDEO_HZ = 48_000, 90_000
_HALF = 0x8000
"""A number so far ahead or more is one from before."""
_NUMBERED = struct.Struct("!BBHLLHHBH")
"""Header, head of the extension, and its first element: a head and two bytes."""


class Medium:
    """What a room sends under an SSRC of its own, and gets under one of the server's."""

    def __init__(self, ssrc: int, clock_rate: int, cname: str) -> None:
        self.heard_ssrc = -1
        self.tracker = SequenceTracker(clock_rate)
        self._ssrc = ssrc
        self._clock_rate = clock_rate
        self._description = rtcp.source_description([ssrc], cname)
        self._packets = self._payload_bytes = 0
        self._sent_at = float("-inf")
        self._timestamp = 0  # of what was sent then
        self._report_middle = 0  # of the server's last sender report, which came at:
        self._report_at = 0.0
        self._due_at = float("-inf")

    def sent(self, timestamp: int, payload_bytes: int, now: float) -> None:
        """Count a packet that leaves."""
        self._packets += 1
        self._payload_bytes += payload_bytes
        self._timestamp, self._sent_at = timestamp, now

    def reported(self, ntp: int, now: float) -> None:
        """Take the time of a sender report."""
        self._report_middle, self._report_at = ntp >> 16 & 0xFFFFFFFF, now

    def report_due(self, clock: NtpClock, now: float) -> bytes | None:
        """A compound packet, if it is time for one."""
        if now < self._due_at:
            return None
        self._due_at = now + random.uniform(0.5, 1.5) * REPORT_S
        blocks = self._blocks(now)
        silent_s = now - self._sent_at
        if silent_s > 2 * REPORT_S:  # RFC 3550 6.4: not in the last two intervals
            return rtcp.receiver_report(self._ssrc, blocks) + self._description
        timestamp = (self._timestamp + round(silent_s * self._clock_rate)) & 0xFFFFFFFF
        ntp = clock.ntp(now)
        head = rtcp.sender_report(
            self._ssrc, ntp, timestamp, self._packets, self._payload_bytes, blocks
        )
        return head + self._description

    def _blocks(self, now: float) -> list[RtcpReceiverInfo]:
        tracker = self.tracker
        if tracker.highest < 0:
            return []
        tracker.close_interval()
        told = self._report_middle != 0
        # Packets are timed by the kernel, and may have come after the moment that is now's.
        since_s = max(0.0, now - self._report_at) if told else 0.0
        return [
            RtcpReceiverInfo(
                ssrc=self.heard_ssrc,
                fraction_lost=tracker.fraction_lost,
                packets_lost=tracker.lost,
                highest_sequence=tracker.reported_highest,
                jitter=tracker.jitter,
                lsr=self._report_middle,
                dlsr=int(since_s * 65536),
            )
        ]


class Arrivals:
    """When numbered packets came, to be fed back."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._times: list[float] = []
        self._next: int | None = None  # number of the first one to tell of
        self._count = 0

    def note(self, number: int, now: float) -> None:
        """One came."""
        self._numbers.append(number)
        self._times.append(now)

    def feedback(self, ssrc: int, media_ssrc: int) -> Iterator[bytes]:
        """Packets that tell of all that came since the last call; what comes late is left out."""
        numbers, times = self._numbers, self._times
        if not numbers:
            return
        self._numbers, self._times = [], []
        first = numbers[0] if self._next is None else self._next
        ticks = {
            place: round(at / transport_feedback.TICK_S)
            for number, at in zip(numbers, times, strict=True)
            if (place := (number - first) & 0xFFFF) < _HALF
        }
        if not ticks:
            return
        arrivals = [ticks.get(place) for place in range(max(ticks) + 1)]
        self._next = (first + len(arrivals)) & 0xFFFF
        while arrivals:
            packet, told = transport_feedback.write(ssrc, media_ssrc, first, self._count, arrivals)
            yield packet
            self._count += 1
            first += told
            del arrivals[:told]


class RoomReports:
    """Reports of one room.

    Args:
        clock: of its sender reports. audio_ssrc, video_ssrc: its own; video None: there is none.
    """

    def __init__(
        self, cname: str, clock: NtpClock, audio_ssrc: int, video_ssrc: int | None
    ) -> None:
        self._clock = clock
        self._own = {audio_ssrc: Medium(audio_ssrc, AUDIO_HZ, cname)}
        if video_ssrc is not None:
            self._own[video_ssrc] = Medium(video_ssrc, VIDEO_HZ, cname)
        self._heard: dict[int, Medium] = {}
        self._video_ssrcs = (-1, -1)  # ours, and the server's
        self._number_head = -1
        self._arrivals = Arrivals()
        self._next_number = 0

    def expect(self, own_ssrc: int, heard_ssrc: int, number_id: int | None) -> None:
        """What the answer says of one section.

        Args:
            own_ssrc: under which the room sends in it. heard_ssrc: the server's; -1: none.
            number_id: id of the extension with the transport-wide number; None: not agreed on.
        """
        medium = self._own[own_ssrc]
        medium.heard_ssrc = heard_ssrc
        self._heard[heard_ssrc] = medium
        if number_id is not None:
            self._number_head = number_id << 4 | 1  # a value of two bytes
            self._video_ssrcs = own_ssrc, heard_ssrc

    def number(self, ssrc: int) -> bytes | None:
        """The transport-wide number of the next packet that leaves; None: it has none."""
        if ssrc != self._video_ssrcs[0]:
            return None
        number = self._next_number & 0xFFFF
        self._next_number += 1
        return number.to_bytes(2, "big")

    def sent(self, ssrc: int, timestamp: int, payload_bytes: int, now: float) -> None:
        """Count a packet that leaves."""
        self._own[ssrc].sent(timestamp, payload_bytes, now)

    def note(self, datagram: memoryview, now: float) -> None:
        """Note a packet that came, by its clear header.

        The number is the first element of the extension, as the daemon puts it.
        """
        if len(datagram) < _NUMBERED.size:
            return
        first, _, sequence, timestamp, ssrc, _, _, head, number = _NUMBERED.unpack_from(datagram)
        medium = self._heard.get(ssrc)
        if medium is not None:
            medium.tracker.take(sequence, timestamp, now)
        if head == self._number_head and first == PLAIN_WITH_EXTENSION:
            self._arrivals.note(number, now)

    def take(self, report: RtcpSrPacket, now: float) -> None:
        """Take a sender report of the server."""
        medium = self._heard.get(report.ssrc)
        if medium is not None:
            medium.reported(report.sender_info.ntp_timestamp, now)

    def reports_due(self, now: float) -> Iterator[bytes]:
        """Compound packets that are due."""
        for medium in self._own.values():
            report = medium.report_due(self._clock, now)
            if report is not None:
                yield report

    def feedback(self) -> Iterator[bytes]:
        """Transport-wide feedback on all that came since the last call."""
        return self._arrivals.feedback(*self._video_ssrcs)
