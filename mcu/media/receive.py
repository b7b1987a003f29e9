"""One received RTP stream: order, loss, repetition, pictures, RFC 3550 statistics.

A stream knows nothing of SRTP or sockets: its leg opens the packets and asks it, driven by one
timer, what to request from the peer.
"""

from collections import Counter
from collections.abc import Callable

from mcu.media.assembly import MAX_PACKETS, FrameAssembler
from mcu.media.frames import AudioPacket, EncodedFrame
from mcu.media.nack import MAX_AGE_S, REORDER_AGE_S, REORDER_WAIT_S, NackList
from mcu.media.sequence import SequenceTracker

PLI_INTERVAL_S = 0.5
START_WAIT_S = 0.1
"""How long a stream that does not begin with a key frame is looked through for a late one."""
DEFAULT_ROUND_TRIP_S = 0.1
MAX_AUDIO_BYTES = 1500

_LEVELS: dict[int | None, tuple[int | None, bool]] = {
    None: (None, False),
    **{octet: (-(octet & 0x7F), octet >= 0x80) for octet in range(256)},
}
"""Level in dBov and voice activity by the octet of the extension (RFC 6464 3)."""
_new_tuple = tuple.__new__
"""Makes a named tuple of its values, at half of what its own constructor takes."""

AudioSink = Callable[[AudioPacket, float], None]
"""Takes each packet and the time it arrived; does not raise."""


class ReceiveStream:
    """What all received streams have in common: counters and report data.

    Counters are of the source: they go on when it changes its SSRC (``carry_on``).

    Args:
        ssrc: of the peer. clock_rate: RTP clock, Hz.
        above: extended sequence numbers will be greater (see ``SequenceTracker``).
        dropped: counts by reason what could not be used; the leg's own, which outlives streams.
    """

    def __init__(
        self, ssrc: int, clock_rate: int, above: int = 0, dropped: Counter[str] | None = None
    ) -> None:
        self.ssrc = ssrc
        self.dropped: Counter[str] = Counter() if dropped is None else dropped
        self.tracker = SequenceTracker(clock_rate, above)
        self.packets = 0
        self.bytes = 0
        self.retransmissions = 0
        self.last_packet_at = 0.0
        self.sender_report_at: float | None = None
        self.sender_report_middle = 0
        self._lost_before = 0
        self._told: tuple[float, int] | None = None

    @property
    def packets_lost(self) -> int:
        """Lost since the source began, under all its SSRCs; ``tracker`` knows of this one."""
        return self._lost_before + self.tracker.lost

    def carry_on(self, before: "ReceiveStream") -> None:
        """Go on counting where the same source's stream under another SSRC ended."""
        self.packets = before.packets
        self.bytes = before.bytes
        self.retransmissions = before.retransmissions
        self._lost_before = before.packets_lost

    def sender_report(self, ntp: int, timestamp: int, now: float) -> None:
        """Take the NTP and RTP timestamps of a sender report.

        For LSR and DLSR of our reports, and for when what comes was captured; a sender without a
        clock says 0 (RFC 3550 6.4.1).
        """
        self.sender_report_at = now
        self.sender_report_middle = ntp >> 16 & 0xFFFFFFFF
        self._told = (ntp / 2**32, timestamp) if ntp else None

    @property
    def transit_s(self) -> float | None:
        """How long after its capture the last packet came, by the sender's clock against ours.

        The two clocks have nothing in common, so one value says nothing; the difference of two
        streams of one sender is by how much one comes later than the other. None: it has not said.
        """
        if self._told is None or self.tracker.highest < 0:
            return None
        ntp_s, timestamp = self._told
        transit, _ = self.tracker.transit
        # The report's timestamp, extended to the packets' by the shorter way.
        ahead = (timestamp - self.tracker.timestamp + 2**31) % 2**32 - 2**31
        return (transit + self.tracker.timestamp + ahead) / self.tracker.clock_rate - ntp_s

    def delay_since_report(self, now: float) -> int:
        """DLSR, in 1/65536 s; 0 before the first sender report.

        A report that is read in the turn of a timer may have come after the time that the timer is
        handed: 0 then too.
        """
        if self.sender_report_at is None:
            return 0
        return min(0xFFFFFFFF, max(0, int((now - self.sender_report_at) * 65536)))


class AudioReceiveStream(ReceiveStream):
    """Audio packets go on at once, in the order they arrive."""

    def receive(
        self,
        sequence: int,
        timestamp: int,
        payload: bytes,
        level: int | None,
        now: float,
        sink: AudioSink | None,
    ) -> bool:
        """Take one packet and hand it to ``sink``; None: only count it.

        Args:
            level: the octet of the audio-level extension (RFC 6464), None where absent.
        Returns: whether it is the newest of the stream.
        """
        self.packets += 1
        size = len(payload)
        self.bytes += size
        self.last_packet_at = now
        tracker = self.tracker
        extended = tracker.take(sequence, timestamp, now)
        if extended is None:
            self.dropped["sequence_jump"] += 1
            return False
        if not 0 < size <= MAX_AUDIO_BYTES:
            self.dropped["audio_size"] += 1
        elif sink is not None:
            values = (extended, tracker.timestamp, payload, *_LEVELS[level])
            sink(_new_tuple(AudioPacket, values), now)
        return extended == tracker.highest


class VideoReceiveStream(ReceiveStream):
    """Video packets are put in order and together; what is missing is asked for again.

    Args:
        codec: ``h264`` or ``vp8``.
        nack: the peer repeats on request; otherwise only reordering is waited for.
        deliver: called with each complete picture, in order, while ``want`` says so; at first
            packets are only counted.
        wake: called with the time at which ``due`` is to be called, when a gap opens.
    """

    def __init__(
        self,
        ssrc: int,
        codec: str,
        clock_rate: int,
        *,
        nack: bool,
        deliver: Callable[[EncodedFrame, float], None],
        wake: Callable[[float], None],
        above: int = 0,
        dropped: Counter[str] | None = None,
    ) -> None:
        super().__init__(ssrc, clock_rate, above, dropped)
        self.wanted = False
        self.key_frame_needed = False
        """The leg is to send a PLI (at most every PLI_INTERVAL_S) until this is False."""
        self.frames = 0
        self.key_frames = 0
        self.nacks = 0
        self.given_up = 0
        self.round_trip_s = DEFAULT_ROUND_TRIP_S
        self._codec = codec
        self._nack = nack
        self._deliver = deliver
        self._wake = wake
        self._assembler = FrameAssembler(codec)
        self._missing = NackList(MAX_AGE_S if nack else REORDER_AGE_S)
        self._broken_before = 0
        self._started_at: float | None = None

    def carry_on(self, before: ReceiveStream) -> None:
        """See ``ReceiveStream``; the round trip is the same line's."""
        super().carry_on(before)
        if isinstance(before, VideoReceiveStream):
            self.frames = before.frames
            self.key_frames = before.key_frames
            self.nacks = before.nacks
            self.given_up = before.given_up
            self.round_trip_s = before.round_trip_s

    def receive(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes, now: float
    ) -> None:
        """Take one packet of the primary stream."""
        self.packets += 1
        self.bytes += len(payload)
        self.last_packet_at = now
        tracker = self.tracker
        before = tracker.highest
        restarts = tracker.restarts
        extended = tracker.take(sequence, timestamp, now)
        if extended is None:
            self.dropped["sequence_jump"] += 1
            return
        extended_timestamp = tracker.timestamp
        if not self.wanted:
            return
        if self._assembler.next_sequence < 0:
            self._start(extended, extended_timestamp, marker, payload, now)
            return
        if extended == before + 1:
            pass
        elif extended < before:
            if not self._missing.received(extended):
                return
        elif extended > before:
            if (
                tracker.restarts == restarts
                and self._assembler.waiting < MAX_PACKETS
                and self._missing.missed(before + 1, extended, now)
            ):
                self._wake(now + REORDER_WAIT_S)
            else:
                self._missing.clear()
                self._skip(extended, now)
        self._insert(extended, extended_timestamp, marker, payload, now)

    def receive_repeated(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes, now: float
    ) -> None:
        """Take one packet that came by RTX (RFC 4588), under its original sequence number."""
        self.retransmissions += 1
        if not self.wanted or self.tracker.highest < 0:
            return
        highest = self.tracker.highest
        extended = highest - ((highest - sequence) & 0xFFFF)
        if self._missing.received(extended):
            self._insert(extended, self.tracker.extend_timestamp(timestamp), marker, payload, now)
        else:
            self.dropped["repetition"] += 1

    def want(self, wanted: bool) -> None:
        """Begin or cease to put pictures together; packets are counted either way."""
        if wanted == self.wanted:
            return
        self.wanted = wanted
        self._assembler = FrameAssembler(self._codec)
        self._missing.clear()
        self._broken_before = 0
        self._started_at = None
        self.key_frame_needed = wanted

    def due(self, now: float) -> list[int]:
        """Extended sequence numbers to be asked for again now, ascending."""
        if not len(self._missing):
            return []
        ask, given_up = self._missing.due(now, self.round_trip_s)
        if given_up:
            self.given_up += len(given_up)
            self._skip(given_up[-1] + 1, now)
        if not self._nack:
            return []
        self.nacks += len(ask)
        return ask

    def next_timer(self) -> float | None:
        """When ``due`` is to be called next."""
        return self._missing.next_timer()

    def _start(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes, now: float
    ) -> None:
        """Look for the beginning of a stream, whose first packets may come reordered."""
        if self._started_at is None:
            self._started_at = now
        assembler = self._assembler
        found = assembler.hold(sequence, timestamp, marker, payload)
        if not found and now - self._started_at < START_WAIT_S:
            return
        frames = assembler.begin()
        for one in range(assembler.next_sequence, self.tracker.highest):
            if not assembler.holds(one) and not self._missing.missed(one, one + 1, now):
                self._skip(sequence, now)
                break
        if len(self._missing):
            self._wake(now + REORDER_WAIT_S)
        if not found:
            self.key_frame_needed = True
        self._emit(frames, now)

    def _insert(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes, now: float
    ) -> None:
        frames = self._assembler.insert(sequence, timestamp, marker, payload)
        if frames:
            self._emit(frames, now)
        if self._assembler.broken != self._broken_before:
            self.dropped["picture"] += self._assembler.broken - self._broken_before
            self._broken_before = self._assembler.broken
            self.key_frame_needed = True

    def _skip(self, sequence: int, now: float) -> None:
        self.key_frame_needed = True
        if self._assembler.next_sequence >= 0:
            self._missing.forget_before(sequence)
            self._emit(self._assembler.skip_to(sequence), now)

    def _emit(self, frames: list[EncodedFrame], now: float) -> None:
        for frame in frames:
            self.frames += 1
            if frame.key_frame:
                self.key_frames += 1
                self.key_frame_needed = False
            elif not frame.contiguous:
                self.key_frame_needed = True
            self._deliver(frame, now)
