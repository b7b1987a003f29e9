"""A room's line over the time of a measurement, from the leg's counters read once a second."""

from collections.abc import Iterable, Mapping

from mcu.legs.leg import LegStatistics, LineStatistics, StreamStatistics
from mcu.readiness.measurements import CapacityProof, LineMeasured

REMB_SLACK = 0.9
"""A peer that estimates less than this part of what it is sent says that its line is narrow; what
it estimates above that mostly follows what it is sent."""


class LineMeter:
    """Takes readings; the first is where counting begins."""

    def __init__(self) -> None:
        self._first: LegStatistics | None = None
        self._last: LegStatistics | None = None
        self._at = 0.0
        self._up_bps = self._down_bps = 0.0
        self._jitter_up: list[float] = []
        self._jitter_down: list[float] = []
        self._round_trips: list[float] = []
        self._width_bps: list[int] = []
        self._told_bps: list[int] = []

    def take(self, reading: LegStatistics, now: float) -> None:
        """Take a reading, about once a second. Cost: a few microseconds."""
        before = self._last
        if before is not None and now > self._at:
            seconds = now - self._at
            self._up_bps = max(self._up_bps, _bits(reading.received, before.received) / seconds)
            self._down_bps = max(self._down_bps, _bits(reading.sent, before.sent) / seconds)
        self._first = self._first or reading
        self._last, self._at = reading, now
        for stream in reading.received.values():
            if stream.packets:
                self._jitter_up.append(stream.jitter_ms)
        for stream in reading.sent.values():
            if stream.reports:
                self._jitter_down.append(stream.jitter_ms)
            if stream.round_trip_ms is not None:
                self._round_trips.append(stream.round_trip_ms)
        if reading.remb_bps is not None:
            self._told_bps.append(reading.remb_bps)
        if reading.line is not None and reading.line.width_bps is not None:
            self._width_bps.append(reading.line.width_bps)

    def measured(self) -> LineMeasured:
        """All of it so far."""
        first, last = self._first, self._last
        if first is None or last is None:
            return LineMeasured()
        audio = last.sent.get("audio", StreamStatistics())
        audio_before = first.sent.get("audio", StreamStatistics())
        down_bps, proof = self._down()
        return LineMeasured(
            loss_up_percent=_loss(first.received, last.received),
            loss_down_percent=_loss_down(first, last),
            jitter_up_ms=_middle(self._jitter_up),
            jitter_down_ms=_middle(self._jitter_down),
            round_trip_ms=_middle(self._round_trips),
            capacity_up_bps=round(self._up_bps) or None,
            capacity_down_bps=down_bps,
            down_proof=proof,
            reports=max(0, audio.reports - audio_before.reports),
            audio_packets=max(0, audio.packets - audio_before.packets),
        )

    def _down(self) -> tuple[int | None, CapacityProof | None]:
        carried = round(self._down_bps)
        if self._width_bps:
            return max(round(_middle(self._width_bps) or 0), 1), "probed"
        told = _middle(self._told_bps)
        if told is not None and told < REMB_SLACK * carried:
            return round(told), "estimated"
        if not carried:
            return None, None
        return carried, "carried"


def _bits(now: Mapping[str, StreamStatistics], before: Mapping[str, StreamStatistics]) -> float:
    """Bits between two readings; a stream that began anew counts from its beginning."""
    total = 0
    for name, stream in now.items():
        earlier = before.get(name, StreamStatistics()).bytes
        total += stream.bytes - (earlier if earlier <= stream.bytes else 0)
    return total * 8.0


def _loss(
    before: Mapping[str, StreamStatistics], now: Mapping[str, StreamStatistics]
) -> float | None:
    """Percent lost of what should have come (RFC 3550 section 6.4.1: expected minus received)."""
    received = lost = 0
    for name, stream in now.items():
        earlier = before.get(name, StreamStatistics())
        received += max(0, stream.packets - earlier.packets)
        lost += max(0, stream.packets_lost - earlier.packets_lost)
    return 100.0 * lost / (received + lost) if received else None


def _loss_down(first: LegStatistics, last: LegStatistics) -> float | None:
    """By reports on each packet where there are any, else by receiver reports."""
    if last.line is not None:
        before = first.line or LineStatistics()
        packets = last.line.packets - before.packets
        if packets > 0:
            return 100.0 * max(0, last.line.lost - before.lost) / packets
    sent = lost = 0
    for name, stream in last.sent.items():
        earlier = first.sent.get(name, StreamStatistics())
        if stream.reports > earlier.reports:
            sent += max(0, stream.packets - earlier.packets)
            lost += max(0, stream.packets_lost - earlier.packets_lost)
    return 100.0 * lost / sent if sent else None


def _middle(values: Iterable[float]) -> float | None:
    """The median: one reading taken while the machine was busy is no property of a line."""
    found = sorted(values)
    return found[len(found) // 2] if found else None
