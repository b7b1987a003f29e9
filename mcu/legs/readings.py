"""A leg's counters, read as statistics; rates come from the difference between two reports."""

from collections import Counter

from mcu.legs.feedback import Feedback
from mcu.legs.incoming import Incoming, Source
from mcu.legs.leg import LegStatistics, LineStatistics, StreamStatistics
from mcu.legs.outgoing import Outgoing, Output
from mcu.media.path import SendPath
from signalling.webrtc.dtls import DtlsEndpoint
from signalling.webrtc.ice import IceLite


class _Rate:
    """Bits per second between two readings of a byte counter."""

    __slots__ = ("_at", "_bytes", "bps")

    def __init__(self) -> None:
        self.bps = 0
        self._at: float | None = None
        self._bytes = 0

    def take(self, count: int, now: float) -> None:
        if self._at is not None and now > self._at and count >= self._bytes:
            self.bps = int((count - self._bytes) * 8 / (now - self._at))
        self._at, self._bytes = now, count


class Readings:
    """Statistics of one leg's streams."""

    def __init__(self, incoming: Incoming, outgoing: Outgoing, feedback: Feedback) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._feedback = feedback
        self._received = {name: _Rate() for name in incoming.sources}
        self._sent = {name: _Rate() for name in outgoing.outputs}
        self._lost = dict.fromkeys(incoming.sources, 0)

    def close_interval(self, now: float) -> None:
        """Measure rates since the last call; about once a second."""
        for name, source in self._incoming.sources.items():
            stream = source.stream
            self._received[name].take(stream.bytes if stream is not None else 0, now)
        for name, output in self._outgoing.outputs.items():
            self._sent[name].take(output.stream.bytes, now)

    def read(self, now: float) -> LegStatistics:
        """A reading of all streams; transport values are the caller's to add."""
        reading = LegStatistics(
            remb_bps=self._feedback.remb_bps, rembs=self._feedback.rembs, line=self._read_line(now)
        )
        for name, source in self._incoming.sources.items():
            reading.received[name] = self._read_source(source, self._received[name].bps)
        for name, output in self._outgoing.outputs.items():
            reading.sent[name] = _read_output(output, self._sent[name].bps)
        return reading

    def _read_line(self, now: float) -> LineStatistics | None:
        line = self._outgoing.estimate
        if line is None or not line.reports:
            return None
        width = line.width_bps(now)
        return LineStatistics(
            estimate_bps=line.bps,
            arriving_bps=round(line.arriving_bps),
            loss=line.loss,
            queue_ms=line.queue_s * 1000,
            width_bps=None if width is None else round(width),
            packets=line.packets,
            lost=line.lost,
            outages=line.outages,
            reports=line.reports,
        )

    def _read_source(self, source: Source, bps: int) -> StreamStatistics:
        stream = source.stream
        if stream is None:
            return StreamStatistics()
        round_trip = self._outgoing.round_trip_s
        tracker = stream.tracker
        # A packet that comes late after all was counted as lost; a counter must not fall.
        lost = self._lost[source.name] = max(self._lost[source.name], stream.packets_lost)
        reading = StreamStatistics(
            packets=stream.packets,
            bytes=stream.bytes,
            packets_lost=lost,
            fraction_lost=tracker.fraction_lost / 256,
            jitter_ms=tracker.jitter * 1000 / tracker.clock_rate,
            round_trip_ms=None if round_trip is None else round_trip * 1000,
            retransmissions=stream.retransmissions,
            plis=self._feedback.plis[source.name],
            bitrate_bps=bps,
            transit_s=stream.transit_s,
        )
        video = source.video
        if video is not None:
            reading.frames, reading.key_frames = video.frames, video.key_frames
            reading.nacks = video.nacks
        return reading


def all_drops(
    media: Counter[str], ice: IceLite, dtls: DtlsEndpoint, path: SendPath
) -> dict[str, int]:
    """What a leg dropped, by reason: its media, with what its transport dropped."""
    dropped = media + Counter({"dtls": dtls.dropped, "send": path.dropped})
    for reason, count in ice.dropped.items():
        dropped[f"stun_{reason}"] += count
    return dict(dropped)


def _read_output(output: Output, bps: int) -> StreamStatistics:
    stream = output.stream
    return StreamStatistics(
        packets=stream.packets,
        bytes=stream.bytes,
        packets_lost=output.packets_lost,
        fraction_lost=output.fraction_lost,
        jitter_ms=output.jitter_ms,
        round_trip_ms=None if output.round_trip_s is None else output.round_trip_s * 1000,
        frames=stream.frames,
        key_frames=stream.key_frames,
        nacks=output.nacks,
        retransmissions=stream.repeated,
        plis=output.plis,
        bitrate_bps=bps,
        reports=output.reports,
    )
