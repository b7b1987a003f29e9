"""Fits what each leg receives to what its line bears, once a second.

The decision is ``mcu.engine.adaptation``'s; here its reports are made from a leg's counters, and
its answer reaches the conference's video.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import structlog

from mcu.api.services import Receives
from mcu.engine.adaptation import AUDIO_NEED_BPS, Adaptation
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.line_signs import LineReport
from mcu.legs.leg import Leg, LegStatistics, LineStatistics, StreamStatistics

PACKET_OVERHEAD_BYTES = 64
"""IP, UDP, RTP with its extensions, and the tag of SRTP."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Stream:
    """A stream's counters as of the report before."""

    reports: int = 0
    packets: int = 0


@dataclass(slots=True)
class _Line:
    """One leg."""

    adaptation: Adaptation
    streams: dict[str, _Stream] = field(default_factory=dict)
    bytes: int = 0
    rembs: int = 0
    numbered: LineStatistics = field(default_factory=LineStatistics)
    """What the reports on each packet said then."""
    at: float | None = None
    sound_reports: int = 0
    """How many there were on sound since it is alone."""

    def report(self, reading: LegStatistics, now: float) -> LineReport:
        """What the counters say since the call before.

        Browsers report on sound every five seconds only, so what such a report says may be about
        an earlier step: it counts where there is nothing else, from the second one on.
        """
        packets, lost = 0, 0.0
        if not self.adaptation.audio_only:
            self.sound_reports = 0
        for name, stream in reading.sent.items():
            before = self.streams.setdefault(name, _Stream())
            if stream.reports > before.reports:
                sent = stream.packets - before.packets
                before.reports, before.packets = stream.reports, stream.packets
                if name == "audio":
                    self.sound_reports += 1
                    if not self.adaptation.audio_only or self.sound_reports < 2:
                        continue
                packets += sent
                lost += sent * stream.fraction_lost
        total = sum(_bytes(one) for one in reading.sent.values())
        elapsed = now - self.at if self.at is not None else 0.0
        sent_bps = (total - self.bytes) * 8 / elapsed if elapsed > 0 else 0.0
        remb = reading.remb_bps if reading.rembs > self.rembs else None
        numbered = reading.line
        if numbered is not None and numbered.reports > self.numbered.reports:
            packets = max(0, numbered.packets - self.numbered.packets)
            lost = max(0, numbered.lost - self.numbered.lost)
            remb = numbered.estimate_bps + AUDIO_NEED_BPS
            self.numbered = numbered
        else:
            numbered = None
        self.bytes, self.rembs, self.at = total, reading.rembs, now
        picture = reading.sent.get("video", StreamStatistics())
        trips = [
            one.round_trip_ms for one in reading.sent.values() if one.round_trip_ms is not None
        ]
        return LineReport(
            packets=packets,
            lost=lost,
            sent_bps=sent_bps,
            remb_bps=remb,
            round_trip_s=max(trips) / 1000 if trips else None,
            jitter_s=picture.jitter_ms / 1000 if picture.reports else None,
            watched=numbered is not None,
            width_bps=(
                numbered.width_bps + AUDIO_NEED_BPS
                if numbered is not None and numbered.width_bps is not None
                else None
            ),
        )


def _bytes(stream: StreamStatistics) -> int:
    """All that went out for a stream, repetitions as of its mean size."""
    packets = stream.packets + stream.retransmissions
    mean = stream.bytes / stream.packets if stream.packets else 0.0
    return round(packets * (mean + PACKET_OVERHEAD_BYTES))


class Lines:
    """The adaptations of all legs that receive pictures."""

    def __init__(self) -> None:
        self.switches: Counter[str] = Counter()
        """``down`` and ``up``, since the daemon began."""
        self._lines: dict[str, _Line] = {}

    def keep(self, legs: Collection[str]) -> None:
        """Forget the lines of all other legs."""
        for gone in self._lines.keys() - legs:
            del self._lines[gone]

    def forget(self, leg_id: str) -> None:
        """Begin anew with a leg, which takes other pictures than it did."""
        self._lines.pop(leg_id, None)

    def receives(self, media: ConferenceMedia, leg_id: str) -> Receives | None:
        """What a leg gets and why; None before it was first looked at."""
        line = self._lines.get(leg_id)
        if line is None:
            return None
        adaptation = line.adaptation
        reason = adaptation.reason
        text = {
            None: "",
            "loss": f"loss {adaptation.loss:.0%}",
            "rate": f"line carries {adaptation.carries_bps // 1000} kbit/s",
            "delay": "line queues up",
        }[reason]
        found = None if adaptation.audio_only else media.video.receives(leg_id)
        return Receives(
            step=f"{found.height}p" if found is not None else "audio",
            width=found.width if found is not None else 0,
            height=found.height if found is not None else 0,
            bitrate_bps=found.bitrate_bps if found is not None else 0,
            best=not adaptation.step,
            reason=reason,
            text=text,
            loss_percent=round(adaptation.loss * 100, 1) if reason is not None else None,
            carries_bps=adaptation.carries_bps if reason is not None else None,
        )

    def take(self, media: ConferenceMedia, leg: Leg, reading: LegStatistics, now: float) -> None:
        """Take a leg's reading, about once a second, and move it if its line asks for it."""
        if "video" not in leg.outputs:
            return
        line = self._lines.get(leg.id)
        if line is None:
            ladder = media.video.ladder(leg.outputs["video"])
            line = self._lines[leg.id] = _Line(Adaptation(ladder))
        adaptation = line.adaptation
        before = adaptation.step
        report = line.report(reading, now)
        if leg.state == "connected" and adaptation.take(report, now):
            self._moved(media, leg, adaptation, before)
        elif adaptation.wants_width(now) and leg.probe_line(now):
            adaptation.probed(now)

    def relieve(self, media: ConferenceMedia, leg: Leg, now: float) -> None:
        """The leg's line is congested: do not wait for the next reading.

        Cost: a comparison while the last step is young, else a reading.
        """
        line = self._lines.get(leg.id)
        if line is None or leg.state != "connected" or line.adaptation.settles(now):
            return
        found = leg.statistics(now).line
        if found is None:
            return
        adaptation = line.adaptation
        before = adaptation.step
        # Of sound as much is lost; what it does not get the pictures do.
        carries_bps = found.arriving_bps + AUDIO_NEED_BPS * (1.0 - found.loss)
        if adaptation.relieve(carries_bps, found.loss, now):
            self._moved(media, leg, adaptation, before)

    def _moved(self, media: ConferenceMedia, leg: Leg, adaptation: Adaptation, before: int) -> None:
        self.switches["down" if adaptation.step > before else "up"] += 1
        media.limit_leg(leg, adaptation.limit_bps)
        log.info(
            "line_step",
            leg=leg.id,
            participant=leg.participant,
            step=str(adaptation.rung or "audio"),
            reason=adaptation.reason,
            loss=round(adaptation.loss, 3),
            carries_bps=adaptation.carries_bps,
        )
