"""Received packets of one leg: which source an SSRC belongs to, RTX taken off, streams fed.

An SSRC is known from the offer (``a=ssrc``), or learnt from the first packet's mid extension, or
from its payload type where only one source has it. Packets come here opened and authenticated.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiortc.rtp import RtcpReceiverInfo

from mcu.legs.leg import StreamName
from mcu.media.arrivals import ArrivalLog
from mcu.media.clock import Moments
from mcu.media.frames import EncodedFrame
from mcu.media.lane import OUT_OF_STEP, Lane
from mcu.media.receive import AudioReceiveStream, AudioSink, VideoReceiveStream
from mcu.media.rtp import (
    AUDIO_LEVEL_URI,
    HEADER,
    HEADER_AND_EXTENSION,
    HEADER_BYTES,
    MARKER_BIT,
    MID_URI,
    PLAIN_WITH_EXTENSION,
    TRANSPORT_NUMBER_URI,
    RtpError,
    audio_level,
    bounds,
    find_extension,
)
from signalling.webrtc.negotiation import NegotiatedMedia

MAX_SSRCS = 16
TAKE_OVER_S = 0.2
"""A new SSRC takes a source over when the one before was silent for so long."""

FrameSink = Callable[[StreamName, EncodedFrame, float], None]


@dataclass(slots=True)
class _Route:
    source: "Source"
    repeats: bool


class Source:
    """One stream the peer sends: its format and the SSRC that carries it now.

    Args:
        media: the negotiated section; must receive.
        make: builds the stream for an SSRC, with numbers above a given one.
        lane: of its sound.
    """

    def __init__(
        self,
        media: NegotiatedMedia,
        make: Callable[[int, int], AudioReceiveStream | VideoReceiveStream],
        lane: Lane,
    ) -> None:
        self.media = media
        self.name: StreamName = media.stream
        self.payload_types = frozenset(media.receive_codecs)
        self.rtx_payload_types = frozenset(media.rtx)
        self.level_id = media.extensions.get(AUDIO_LEVEL_URI)
        self.numbered = media.transport_cc
        """Its packets may carry a transport-wide number; sound never does."""
        self.audio: AudioReceiveStream | None = None
        self.video: VideoReceiveStream | None = None
        self.sink: AudioSink | None = None
        """Who takes its sound."""
        self.wanted = False
        """Whether its pictures are put together; not before somebody is to see them."""
        self.lane = lane
        self._make = make

    @property
    def stream(self) -> AudioReceiveStream | VideoReceiveStream | None:
        """The current stream, settled; None before the first packet."""
        self.lane.settle()
        return self.audio or self.video

    def switch_to(self, ssrc: int, now: float) -> bool:
        """Make ``ssrc`` the current one; False while the one before is still heard."""
        before = self.stream
        if before is not None and now - before.last_packet_at < TAKE_OVER_S:
            return False
        stream = self._make(ssrc, before.tracker.highest if before is not None else 0)
        if before is not None:
            stream.carry_on(before)
        if isinstance(stream, AudioReceiveStream):
            self.audio = stream
        else:
            self.video = stream
            stream.wanted = self.wanted
        return True


def _nobody(ssrc: int) -> None:
    """There is nothing to forget any more."""


class Incoming:
    """Feeds the streams of a leg's sources.

    Args:
        media: all negotiated sections; those that do not receive are left out.
        frame: where pictures go.
        wake: see ``VideoReceiveStream``.
        forget: called with an SSRC that is evicted, so that SRTP forgets it too.
        lane: for the packets of sound; one that is never in step when None.
        moments: at which it is reported when numbered packets came.
    """

    def __init__(
        self,
        media: Sequence[NegotiatedMedia],
        *,
        frame: FrameSink,
        wake: Callable[[float], None],
        forget: Callable[[int], None],
        lane: Lane | None = None,
        moments: Moments | None = None,
    ) -> None:
        self._lane = lane = lane or Lane()
        self._frame = frame
        self._wake = wake
        self._forget = forget
        self.dropped: Counter[str] = Counter()
        self.sources: dict[StreamName, Source] = {
            one.stream: self._source(one) for one in media if one.receives
        }
        self._routes: dict[int, _Route] = {}
        self._mid_id = next((i for one in media if (i := one.extensions.get(MID_URI))), None)
        numbered = (one for one in media if one.receives and one.transport_cc)
        number_id = next((one.extensions[TRANSPORT_NUMBER_URI] for one in numbered), None)
        self.arrivals = None if number_id is None else ArrivalLog(number_id, moments or Moments())
        """Where the peer wants to know when its packets arrive."""
        for source in self.sources.values():
            for ssrc in source.media.remote_ssrcs[:MAX_SSRCS]:
                self._routes[ssrc] = _Route(source, repeats=False)
            for ssrc in list(source.media.remote_rtx)[:MAX_SSRCS]:
                self._routes[ssrc] = _Route(source, repeats=True)

    def carry_on(self, before: "Incoming") -> None:
        """Go on where another agreement with the same peer ended.

        Streams whose format is the same go on as they are; of the others the counters.
        """
        self.dropped = before.dropped
        for name, source in self.sources.items():
            old = before.sources.get(name)
            if old is None or old.stream is None:
                continue
            source.audio, source.video = old.audio, old.video
            if (old.media.codec.name, old.media.nack) != (
                source.media.codec.name,
                source.media.nack,
            ):
                # No packet has it, so that the next one begins a stream of the new format.
                old.stream.ssrc = -1
                old.stream.last_packet_at = float("-inf")

    def understand(self, agreed: bool) -> None:
        """Take packets of the formats that were agreed on; or none, as if all were of another."""
        for source in self.sources.values():
            types = source.media.receive_codecs if agreed else ()
            source.payload_types = frozenset(types)

    def part(self) -> None:
        """Forget the sources, which refer back to here, and the leg, which has left."""
        self.sources.clear()
        self._routes.clear()
        self._forget = _nobody

    def receive(self, packet: memoryview, length: int, now: float) -> VideoReceiveStream | None:
        """Take one RTP packet.

        Args:
            packet: the slot it lies in, opened; of 16 bytes or more. length: the packet's.
        Returns: the video stream it was for, whose wishes the leg looks after.
        """
        first, second, sequence, timestamp, ssrc, _, words = HEADER_AND_EXTENSION.unpack_from(
            packet
        )
        extension, start, end = HEADER_BYTES, HEADER_BYTES + 4 + 4 * words, length
        if first != PLAIN_WITH_EXTENSION or start > length:
            try:
                extension, start, end = bounds(packet, length)
            except RtpError:
                self.dropped["rtp"] += 1
                return None
        payload_type = second & 0x7F
        route = self._routes.get(ssrc)
        arrivals = self.arrivals
        if (
            arrivals
            and extension
            and (route is None or route.source.numbered)
            and arrivals.note(packet, extension, start, length, now)
        ):
            self._wake(arrivals.due_at)
        if route is None:
            mid = None
            if extension and self._mid_id is not None:
                mid = find_extension(packet, extension, start, self._mid_id)
            route = self._learn(ssrc, payload_type, mid)
            if route is None:
                return None
        source = route.source
        if route.repeats:
            self._receive_repeated(source, packet, (start, end), now)
            return source.video
        if payload_type not in source.payload_types:
            self.dropped["payload_type"] += 1
            return None
        audio, video = source.audio, source.video
        stream = audio or video
        if stream is None or stream.ssrc != ssrc:
            if not source.switch_to(ssrc, now):
                self.dropped["second_ssrc"] += 1
                return None
            audio, video = source.audio, source.video
        payload = packet[start:end].tobytes()
        if audio is not None:
            level = None
            source.lane.fall_out()
            if extension and source.level_id is not None:
                level = audio_level(packet, extension, start, source.level_id)
            in_order = audio.receive(sequence, timestamp, payload, level, now, source.sink)
            if in_order and level is not None and first == PLAIN_WITH_EXTENSION:
                source.lane.fall_in(audio, packet, source.level_id or 0)
            return None
        if video is not None:
            video.receive(sequence, timestamp, second >= MARKER_BIT, payload, now)
        return video

    def stream_of(self, ssrc: int) -> AudioReceiveStream | VideoReceiveStream | None:
        """The current stream with this SSRC."""
        route = self._routes.get(ssrc)
        stream = route.source.stream if route is not None and not route.repeats else None
        return stream if stream is not None and stream.ssrc == ssrc else None

    def end(self, ssrc: int) -> None:
        """The peer said goodbye for an SSRC: another one may carry its source at once."""
        stream = self.stream_of(ssrc)
        if stream is not None:
            self._lane.fall_out()
            stream.last_packet_at = float("-inf")

    def report_blocks(self, now: float) -> list[RtcpReceiverInfo]:
        """One report block per stream; closes their loss interval."""
        blocks = []
        for source in self.sources.values():
            stream = source.stream
            if stream is None:
                continue
            tracker = stream.tracker
            tracker.close_interval()
            blocks.append(
                RtcpReceiverInfo(
                    ssrc=stream.ssrc,
                    fraction_lost=tracker.fraction_lost,
                    packets_lost=tracker.lost,
                    highest_sequence=tracker.reported_highest,
                    jitter=tracker.jitter,
                    lsr=stream.sender_report_middle,
                    dlsr=stream.delay_since_report(now),
                )
            )
        return blocks

    def videos(self) -> list[VideoReceiveStream]:
        """Video streams that have begun."""
        return [source.video for source in self.sources.values() if source.video is not None]

    @property
    def ssrcs(self) -> int:
        """How many SSRCs are known."""
        return len(self._routes)

    def _receive_repeated(
        self, source: Source, packet: memoryview, span: tuple[int, int], now: float
    ) -> None:
        start, end = span
        # Probing sends RTX packets of padding alone.
        if end - start < 3 or source.video is None:
            return
        original = packet[start] << 8 | packet[start + 1]
        _, second, _, timestamp, _ = HEADER.unpack_from(packet)
        payload = bytes(packet[start + 2 : end])
        source.video.receive_repeated(original, timestamp, second >= MARKER_BIT, payload, now)

    def _learn(self, ssrc: int, payload_type: int, mid: bytes | None) -> _Route | None:
        candidates = [
            (source, payload_type in source.rtx_payload_types)
            for source in self.sources.values()
            if payload_type in source.payload_types or payload_type in source.rtx_payload_types
        ]
        if mid is not None:
            candidates = [one for one in candidates if one[0].media.mid.encode() == mid]
        if len(candidates) != 1:
            self.dropped["unknown_ssrc"] += 1
            return None
        if len(self._routes) >= MAX_SSRCS and not self._evict():
            self.dropped["too_many_ssrcs"] += 1
            return None
        source, repeats = candidates[0]
        route = self._routes[ssrc] = _Route(source, repeats)
        return route

    def _evict(self) -> bool:
        """Forget the oldest SSRC that carries nothing now."""
        for ssrc, route in self._routes.items():
            stream = route.source.stream
            if stream is None or stream.ssrc != ssrc:
                del self._routes[ssrc]
                self._forget(ssrc)
                return True
        return False

    def _source(self, media: NegotiatedMedia) -> Source:
        codec = media.codec
        name: StreamName = media.stream

        def make(ssrc: int, above: int) -> AudioReceiveStream | VideoReceiveStream:
            if media.kind == "audio":
                return AudioReceiveStream(ssrc, codec.clock_rate, above, self.dropped)
            return VideoReceiveStream(
                ssrc,
                codec.name,
                codec.clock_rate,
                nack=media.nack,
                deliver=lambda frame, now: self._frame(name, frame, now),
                wake=self._wake,
                above=above,
                dropped=self.dropped,
            )

        return Source(media, make, self._lane if media.kind == "audio" else OUT_OF_STEP)
