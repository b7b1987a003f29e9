"""How bad the news of a leg's line is, and what of it is the line's own.

A line that is too thin loses packets because of what is sent into it; a bad line loses them
whatever is sent. After a step down the losses are compared with what a line of the measured width
would still lose: what is left over belongs to the line, up to a point. What is made of all this is
``mcu.engine.adaptation``'s.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

Reason = Literal["loss", "rate", "delay"]
"""Why a leg is below its best step: packets are lost, the line carries no more, it queues up."""

LOSS_FALLS = 0.10
LOSS_FALLS_IN_TRIAL = 0.08
LOSS_SEVERE = 0.25
"""Two reports above the first make a leg fall, or one above the last; in a trial, see
``mcu.engine.adaptation``, one above the second."""
LOSS_CLIMBS = 0.03
"""With more loss than the line always has, nothing is tried."""
LOSS_EXPLAINED = 0.05
LOSS_OWN_MOST = 0.4
LOSS_ALIKE = 0.12
"""More than the first beyond what a thin line explains is the line's own, up to the second.
Two reports are of one state of the line when they differ by no more than the third."""

REMB_FRESH_S = 3.0
REMB_FELL = 0.97
REMB_GREW = 1.02
REMB_BELOW = 0.95
REMB_SEVERE = 0.6
"""Parts of the REMB before (twice), and of what is sent. After a mere step of the delay, as when
the path changes, a REMB grows again by some percent a second."""

DELAY_GROWN_S = 0.25
DELAY_JITTERS = 4.0
"""How much longer than the shortest a round trip is that queues; jitter alone is no queue."""
DELAY_REPORTS = 3
QUEUE_S = 0.2
QUEUE_JITTERS = 2.0
QUEUE_REPORTS = 2
LOSS_CORROBORATES = 0.02
"""A longer round trip or a loss that makes a fallen REMB believable: by itself it may tell of a
receiver or sender that was busy for a moment, or of a line with jitter."""
JITTER_GROWN_S = 0.06
DELAY_WINDOW_S = 60.0
"""The shortest round trip and jitter of so long are the line's own."""

WINDOW_S = 3.2
FEW_PACKETS = 10
ENOUGH_PACKETS = 40
"""One report is about at least the first, a sure one about the second."""


@dataclass(frozen=True, slots=True)
class LineReport:
    """What was learnt of a line since the report before; taken about once a second.

    Args:
        packets: sent to the leg and reported on by it; 0: no report came. lost: of these.
        sent_bps: all that went to the leg in this time, headers and repetitions included.
        remb_bps: a REMB that came in this time.
        round_trip_s, jitter_s: as last known.
        watched: the leg reports on each packet; ``remb_bps`` is then what is made of that.
        width_bps: what the line is seen to carry in all; None: not known.
    """

    packets: int = 0
    lost: float = 0.0
    sent_bps: float = 0.0
    remb_bps: int | None = None
    round_trip_s: float | None = None
    jitter_s: float | None = None
    watched: bool = False
    width_bps: float | None = None

    @property
    def share(self) -> float:
        """Part of the packets that was lost."""
        return min(1.0, self.lost / self.packets) if self.packets else 0.0

    @property
    def is_news(self) -> bool:
        """Whether the leg said anything."""
        return self.packets > 0 or self.remb_bps is not None


class LineSigns:
    """What one leg's reports show; see the module. Cost: O(reports of WINDOW_S) for each."""

    def __init__(self) -> None:
        self.own_loss = 0.0
        """Share lost whatever is sent."""
        self._recent: deque[tuple[float, LineReport]] = deque()
        self._fell_from: tuple[float, float, bool] | None = None  # arrived, share lost, measured
        self._delayed = 0
        self._remb: float | None = None
        self._remb_grows = False
        self._queued = 0
        self._remb_fell_at = float("-inf")
        self._round_trips: deque[tuple[float, float]] = deque()
        self._jitters: deque[tuple[float, float]] = deque()

    def take(self, report: LineReport, now: float) -> bool:
        """Take a report; returns whether the way has become longer or less even."""
        if report.packets:
            self._recent.append((now, report))
        while self._recent and now - self._recent[0][0] >= WINDOW_S:
            self._recent.popleft()
        if report.remb_bps is not None:
            before = self._remb or report.remb_bps
            if report.remb_bps < before * REMB_FELL:
                self._remb_fell_at = now
            self._remb_grows = report.remb_bps > before * REMB_GREW
            self._remb = report.remb_bps
        longer = _grown(self._round_trips, report.round_trip_s, now)
        jitter = report.jitter_s or 0.0
        grown = longer > DELAY_GROWN_S + DELAY_JITTERS * jitter
        queues = longer > QUEUE_S + QUEUE_JITTERS * jitter
        self._queued = self._queued + 1 if queues else 0
        self._delayed = self._delayed + 1 if grown else 0
        return grown or _grown(self._jitters, report.jitter_s, now) > JITTER_GROWN_S

    def loss(self) -> float | None:
        """Share lost over the last reports; None where they are too few packets."""
        packets = sum(one.packets for _, one in self._recent)
        if packets < ENOUGH_PACKETS:
            return None
        return min(1.0, sum(one.lost for _, one in self._recent) / packets)

    def learn_own_loss(self, report: LineReport, loss: float | None) -> None:
        """Tell what the line loses by itself from what it loses for being thin.

        Args:
            report: the last one; the first after a fall is compared with it.
            loss: what ``loss`` gives.
        """
        if self._fell_from is not None and report.packets >= FEW_PACKETS:
            arrived_bps, before, measured = self._fell_from
            thin = max(0.0, 1.0 - arrived_bps / max(1.0, report.sent_bps))
            share = report.share
            self._fell_from = None
            own = share - thin > LOSS_EXPLAINED
            if own and measured and share <= min(before + LOSS_ALIKE, LOSS_OWN_MOST):
                self.own_loss = share - thin
        if loss is not None:
            clear = loss < LOSS_CLIMBS
            self.own_loss = 0.0 if clear else min(self.own_loss, loss + LOSS_EXPLAINED)

    def complaint(
        self, report: LineReport, loss: float | None, now: float, *, trial: bool, last: bool
    ) -> tuple[int, Reason | None]:
        """How bad the news is (0 to 2), and of what kind.

        Args:
            report: the last one. loss: what ``loss`` gives.
            trial: the leg has just climbed. last: it has one picture to lose, and only loss takes
                that away.
        """
        if report.packets >= (ENOUGH_PACKETS if last else FEW_PACKETS):
            excess = report.share - self.own_loss
            if excess >= LOSS_SEVERE or (trial and excess >= LOSS_FALLS_IN_TRIAL):
                return 2, "loss"
        if not last and self._overused(report, REMB_SEVERE, now):
            return 2, "rate"
        weight = 2 if trial else 1
        if not last and self._overused(report, REMB_BELOW, now):
            return weight, "rate"
        still = report.share - self.own_loss >= LOSS_FALLS / 2
        if still and loss is not None and loss - self.own_loss >= LOSS_FALLS:
            return weight, "loss"
        if self._delayed >= DELAY_REPORTS and not last:
            return 2, "delay"
        return 0, None

    def is_steady(self, share: float) -> bool:
        """Whether the report before the last lost about this share too."""
        return len(self._recent) > 1 and abs(self._recent[-2][1].share - share) <= LOSS_ALIKE

    def within_remb(self, bps: float) -> float:
        """A rate, bounded by the last REMB."""
        return bps if self._remb is None else min(bps, self._remb)

    # What is over

    def forget_losses(self) -> None:
        """What comes from now on is of another state."""
        self._recent.clear()

    def step_changed(self) -> None:
        """The leg is sent another step: losses and delays so far are of the one before."""
        self._recent.clear()
        self._delayed = 0

    def fell(self, reason: Reason, carries_bps: float, share: float, *, measured: bool) -> None:
        """The leg fell.

        Args:
            carries_bps: what arrived before. share: what was lost of it.
            measured: both are of all of a bad time.
        """
        self._fell_from = (carries_bps, share, measured) if reason == "loss" else None
        if reason == "delay" or share <= LOSS_CORROBORATES:
            # A round trip that stays as long when less is sent is the path's, and no queue.
            self._round_trips.clear()
            self._queued = 0
        self._remb_fell_at = float("-inf")

    def forget(self) -> None:
        """After a silence: what was counted in it says nothing of now."""
        self._recent.clear()
        self._remb = None
        self._delayed = 0

    # Inside

    def _overused(self, report: LineReport, part: float, now: float) -> bool:
        return (
            self._remb is not None
            and not self._remb_grows
            and (self._queued >= QUEUE_REPORTS or report.share > LOSS_CORROBORATES)
            and now - self._remb_fell_at <= REMB_FRESH_S
            and self._remb < report.sent_bps * part
        )


def _grown(seen: deque[tuple[float, float]], value: float | None, now: float) -> float:
    """How much a reading is above the least of the last minute."""
    while seen and now - seen[0][0] > DELAY_WINDOW_S:
        seen.popleft()
    if value is None:
        return 0.0
    while seen and seen[-1][1] >= value:
        seen.pop()  # so that the first is always the least
    seen.append((now, value))
    return value - seen[0][1]
