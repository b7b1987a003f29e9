"""From a leg's counters to the word that an operator reads: good, fair, poor."""

from collections.abc import Iterable

from mcu.api.services import Grade, LineQuality
from mcu.legs.leg import LegStatistics

GOOD = (1.0, 30.0, 200.0)
FAIR = (5.0, 60.0, 400.0)
"""Loss in percent, jitter in ms, round trip in ms, at most. Loss that Opus' in-band FEC and
repetition hide is good; what shortens words now and then is fair (after ITU-T G.1010)."""


def grade(loss_percent: float, jitter_ms: float, round_trip_ms: float | None) -> Grade:
    """One word for a line."""
    readings = (loss_percent, jitter_ms, round_trip_ms or 0.0)
    if all(reading <= bound for reading, bound in zip(readings, GOOD, strict=True)):
        return "good"
    if all(reading <= bound for reading, bound in zip(readings, FAIR, strict=True)):
        return "fair"
    return "poor"


def line_quality(legs: Iterable[LegStatistics]) -> LineQuality:
    """The worst of a participant's legs, both directions; ``none`` without any."""
    losses, jitters, round_trips = [0.0], [0.0], []
    any_leg = on_hold = False
    for leg in legs:
        any_leg = True
        on_hold = on_hold or leg.on_hold
        for stream in (*leg.received.values(), *leg.sent.values()):
            losses.append(stream.fraction_lost * 100.0)
            jitters.append(stream.jitter_ms)
            if stream.round_trip_ms is not None:
                round_trips.append(stream.round_trip_ms)
    if not any_leg:
        return LineQuality()
    round_trip = max(round_trips, default=None)
    loss, jitter = max(losses), max(jitters)
    return LineQuality(
        grade=grade(loss, jitter, round_trip),
        loss_percent=round(loss, 2),
        jitter_ms=round(jitter, 1),
        round_trip_ms=None if round_trip is None else round(round_trip, 1),
        on_hold=on_hold,
    )
