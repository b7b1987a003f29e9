"""Which step of the ladder a leg's line bears: down fast, up slowly.

A line that is too thin loses packets because of what is sent into it; a bad line loses them
whatever is sent. Only the first gets better by sending less. So after each step down the losses
are compared with what a line of the measured width would still lose: what is left over belongs
to the line and is borne (repetition and FEC are for that), up to a point.

Thresholds follow draft-ietf-rmcat-gcc-02: up to 2% loss is nothing, from 10% on the rate falls
to what arrives. REMB is what the receiver's delay-based estimator thinks; it lags and is bounded
by what is sent, so it counts as bad news only when it has just fallen below what is sent, and
never as good news. Where nothing is known of a line, climbing is a try with growing intervals.

Where the leg reports on each packet (transport-wide feedback), a queue in the line is seen as it
begins, and what arrives meanwhile is the line's width: then the leg falls at once (``relieve``).
How bursts arrive tells the width beforehand: the leg climbs at once as high as that allows, and
where it does not allow the next step there is hardly a try.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mcu.engine.video_ladder import AUDIO_ONLY_BPS, Rung

Reason = Literal["loss", "rate", "delay"]
"""Why a leg is below its best step: packets are lost, the line carries no more, it queues up."""

AUDIO_NEED_BPS = 72_000
"""Opus with its headers, redundancy included."""
OVERHEAD = 1.06
"""IP, UDP, RTP and SRTP on top of video's payload."""
HEADROOM = 0.95
HEADROOM_GUESSED = 0.5
"""Part of what a line was measured to carry that is used; of a measurement that may have begun
when the line was still good, less."""

LOSS_FALLS = 0.10
LOSS_FALLS_IN_TRIAL = 0.08
LOSS_SEVERE = 0.25
"""Two reports above the first make a leg fall, or one above the last; in a trial, see there, one
above the second."""
LOSS_HALF = 0.5
"""From this on a step up that failed is no mere step too far."""
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
SETTLE_S = 2.0
LAST_SETTLE_S = 8.0
"""After a fall the queue in the line drains and reports are of the past; the second before the
last picture is taken away."""
EXPLAINED_WITHIN_S = 8.0
"""Loss that ends so soon after a fall ended because of it."""
BLACKOUT_S = 3.5
BLACKOUT_AUDIO_S = 10.0
"""What was lost in a silence so long says nothing of the line's width. Reports on sound alone
come every five seconds."""

BACKOFF_S = 10.0
BACKOFF_MAX_S = 80.0
TRIAL_S = 6.0
"""A step up is on trial so long: one bad report ends it."""
REGRET_S = 30.0
"""A fall so soon after a step up doubles the wait before the next."""
CALM_S = 4.0
"""Without a complaint so long before a step up."""
WIDE_ENOUGH = 0.85
"""Part of a line's seen width that a step up may need."""
SEEN_WAIT_S = 3.0
"""After a fall, or a step up, until the line's seen width leads to the next."""
SEEN_CALM_S = 2.0
"""Without a complaint so long before."""
THIN_PATIENCE = 4.0
"""So many times longer than otherwise is waited for a try that the seen width speaks against."""
PROBE_S = 2.5
PROBE_MAX_S = 10.0
"""So long after a line's width was seen last it is probed; longer each time it has not grown."""
SEEN_S = 15.0
"""What was seen counts for so long."""


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


class Adaptation:
    """One leg's place on the ladder. Sans-IO; call ``take`` about once a second.

    Args:
        ladder: the rungs its codec allows, best first, at least one. Below them is sound alone.
    """

    def __init__(self, ladder: Sequence[Rung]) -> None:
        if not ladder:
            raise ValueError("a ladder has at least one rung")
        self.ladder = tuple(ladder)
        self.step = 0
        self.reason: Reason | None = None
        self.loss = 0.0
        """Share lost when the reason was found, and what the line carried then:"""
        self.carries_bps = 0
        self.falls = self.climbs = 0
        self._recent: deque[tuple[float, LineReport]] = deque()
        self._line_loss = 0.0  # lost whatever is sent
        self._fell_from: tuple[float, float, bool] | None = None  # arrived, share lost, measured
        self._bad = 0
        self._delayed = 0
        self._remb: float | None = None
        self._remb_grows = False
        self._queued = 0
        self._remb_fell_at = self._complained_at = float("-inf")
        self._round_trips: deque[tuple[float, float]] = deque()
        self._jitters: deque[tuple[float, float]] = deque()
        self._news_at: float | None = None
        self._fell_at = float("-inf")
        self._climbed_at: float | None = None  # unless it has fallen since
        self._backoff_s = BACKOFF_S
        self._climb_at = float("-inf")
        self._news_since_switch = 0
        self._watched = False
        self._width = 0.0
        self._width_at = self._probed_at = float("-inf")
        self._probe_s = PROBE_S

    @property
    def audio_only(self) -> bool:
        """Whether the line bears no picture at all."""
        return self.step == len(self.ladder)

    @property
    def rung(self) -> Rung | None:
        """What the leg is to get; None: sound alone."""
        return None if self.audio_only else self.ladder[self.step]

    @property
    def limit_bps(self) -> int | None:
        """For ``ConferenceVideo.limit_viewer``; None: the best there is."""
        if not self.step:
            return None
        rung = self.rung
        return AUDIO_ONLY_BPS if rung is None else rung.bitrate_bps

    def take(self, report: LineReport, now: float) -> bool:
        """Take a report; returns whether the step has changed."""
        if not report.is_news:
            return False
        silence = BLACKOUT_AUDIO_S if self.audio_only else BLACKOUT_S
        if self._news_at is not None and now - self._news_at > silence:
            self._forget(now)
            return False
        self._news_at = now
        self._watched = report.watched
        if report.width_bps is not None:
            self._width, self._width_at = report.width_bps, now
        self._note(report, now)
        if now - self._fell_at < SETTLE_S:
            self._recent.clear()
            return False
        self._news_since_switch += 1
        loss = self._pooled_loss()
        self._learn_line_loss(report, loss, now)
        weight, reason = self._complaint(report, loss, now)
        if weight:
            self._complained_at = now
            self._bad += weight
            if self._bad >= 2 and reason is not None:
                return self._fall(report, reason, now)
            return False
        self._bad = 0
        return self._climb(loss, now)

    def settles(self, now: float) -> bool:
        """Whether ``relieve`` would do nothing: it has just fallen, or is as low as that goes."""
        return self.step >= len(self.ladder) - 1 or now - self._fell_at < SETTLE_S

    def relieve(self, carries_bps: float, loss: float, now: float) -> bool:
        """The line is seen to be congested; returns whether the step has changed.

        Args:
            carries_bps: what arrived while it was, sound included. loss: share lost lately.
        """
        if self.settles(now):
            return False
        self._complained_at = now
        self._width, self._width_at = carries_bps, now
        report = LineReport(ENOUGH_PACKETS, ENOUGH_PACKETS * loss, sent_bps=carries_bps)
        return self._fall(report, "rate", now, carries_bps)

    def wants_width(self, now: float) -> bool:
        """Whether the line is to be probed: nothing tells whether it carries the next step."""
        known_at = max(self._probed_at, self._width_at, self._fell_at)
        between = 0 < self.step < len(self.ladder)
        return between and self._watched and now - known_at >= self._probe_s

    def probed(self, now: float) -> None:
        """A probe has left: there is no other until it can have told something."""
        self._probed_at = now
        self._probe_s = min(PROBE_MAX_S, 2 * self._probe_s)

    # What is known

    def _forget(self, now: float) -> None:
        """After a silence: what was counted in it says nothing of now."""
        self._news_at = now
        self._recent.clear()
        self._remb = None
        self._bad = self._delayed = 0
        self._complained_at = now

    def _note(self, report: LineReport, now: float) -> None:
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
        if grown or _grown(self._jitters, report.jitter_s, now) > JITTER_GROWN_S:
            self._complained_at = now

    def _pooled_loss(self) -> float | None:
        """Share lost over the last reports; None where they are too few packets."""
        packets = sum(one.packets for _, one in self._recent)
        if packets < ENOUGH_PACKETS:
            return None
        return min(1.0, sum(one.lost for _, one in self._recent) / packets)

    def _learn_line_loss(self, report: LineReport, loss: float | None, now: float) -> None:
        """Tell what the line loses by itself from what it loses for being thin."""
        if self._fell_from is not None and report.packets >= FEW_PACKETS:
            arrived_bps, before, measured = self._fell_from
            thin = max(0.0, 1.0 - arrived_bps / max(1.0, report.sent_bps))
            share = report.share
            self._fell_from = None
            own = share - thin > LOSS_EXPLAINED
            if own and measured and share <= min(before + LOSS_ALIKE, LOSS_OWN_MOST):
                self._line_loss = share - thin
        if loss is not None:
            clear = loss < LOSS_CLIMBS
            if clear and self.reason == "loss" and now - self._fell_at < EXPLAINED_WITHIN_S:
                self.reason = "rate"  # with less sent less is lost
            self._line_loss = 0.0 if clear else min(self._line_loss, loss + LOSS_EXPLAINED)

    def _complaint(
        self, report: LineReport, loss: float | None, now: float
    ) -> tuple[int, Reason | None]:
        """How bad the news is (0 to 2), and of what kind. Only loss takes the last picture away."""
        trial = self._climbed_within(TRIAL_S, now)
        last = self.step >= len(self.ladder) - 1
        if report.packets >= (ENOUGH_PACKETS if last else FEW_PACKETS):
            excess = report.share - self._line_loss
            if excess >= LOSS_SEVERE or (trial and excess >= LOSS_FALLS_IN_TRIAL):
                return 2, "loss"
        if not last and self._overused(report, REMB_SEVERE, now):
            return 2, "rate"
        weight = 2 if trial else 1
        if not last and self._overused(report, REMB_BELOW, now):
            return weight, "rate"
        still = report.share - self._line_loss >= LOSS_FALLS / 2
        if still and loss is not None and loss - self._line_loss >= LOSS_FALLS:
            return weight, "loss"
        if self._delayed >= DELAY_REPORTS and not last:
            return 2, "delay"
        return 0, None

    def _overused(self, report: LineReport, part: float, now: float) -> bool:
        return (
            self._remb is not None
            and not self._remb_grows
            and (self._queued >= QUEUE_REPORTS or report.share > LOSS_CORROBORATES)
            and now - self._remb_fell_at <= REMB_FRESH_S
            and self._remb < report.sent_bps * part
        )

    # Steps

    def _fall(
        self, report: LineReport, reason: Reason, now: float, seen_bps: float | None = None
    ) -> bool:
        soon = self.step == len(self.ladder) - 1 and now - self._fell_at < LAST_SETTLE_S
        if self.audio_only or soon:
            self._bad = 0
            return False
        share = report.share
        measured = seen_bps is not None or self._is_measured(share)
        carries = report.sent_bps * (1.0 - share)
        if reason == "rate" and self._remb is not None:
            carries = min(carries, self._remb)
        if seen_bps is not None:
            carries = seen_bps
        lowest = len(self.ladder) - 1
        tried = self._climbed_within(TRIAL_S, now) and share < LOSS_HALF and seen_bps is None
        if self.step == lowest or reason == "delay" or tried:
            step = self.step + 1  # when a step up fails, the one before it was known to be good
        else:
            headroom = HEADROOM if measured else HEADROOM_GUESSED
            if seen_bps is not None:
                headroom = 1.0  # what arrives from a line that is full is what it carries
            fitting = (
                index
                for index in range(self.step + 1, lowest)
                if need_bps(self.ladder[index]) <= carries * headroom
            )
            step = next(fitting, lowest)
        self.reason, self.loss, self.carries_bps = reason, share, round(carries)
        self._fell_from = (carries, share, measured) if reason == "loss" else None
        if reason == "delay" or share <= LOSS_CORROBORATES:
            # A round trip that stays as long when less is sent is the path's, and no queue.
            self._round_trips.clear()
            self._queued = 0
        if self._climbed_within(REGRET_S, now):
            self._backoff_s = min(BACKOFF_MAX_S, 2 * self._backoff_s)
        self.falls += 1
        self._fell_at = now
        self._probe_s = PROBE_S
        self._climbed_at = None
        self._climb_at = now + self._backoff_s
        self._remb_fell_at = float("-inf")
        self._go(step)
        return True

    def _is_measured(self, share: float) -> bool:
        """Whether the last report is all of a bad time, or only its beginning is in it."""
        if self._news_since_switch == 1 and self._climbed_at is None and self.falls:
            return True  # the first after a fall has settled
        return len(self._recent) > 1 and abs(self._recent[-2][1].share - share) <= LOSS_ALIKE

    def _climb(self, loss: float | None, now: float) -> bool:
        if self._climbed_at is not None and not self._climbed_within(REGRET_S, now):
            self._backoff_s = BACKOFF_S
        if not self.step:
            return False
        lost = 0.0 if loss is None else loss
        if lost > LOSS_FALLS or lost - self._line_loss > LOSS_CLIMBS:
            return False
        calm_s = now - self._complained_at
        seen = self._seen_step(now)
        if seen is not None and calm_s >= SEEN_CALM_S:
            if seen < self.step:
                return self._climb_to(seen, now)
            if now < self._fell_at + self._backoff_s * THIN_PATIENCE:
                return False
        if now < self._climb_at or calm_s < CALM_S:
            return False
        if not self.audio_only and self._news_since_switch < 2:
            return False
        return self._climb_to(self.step - 1, now)

    def _seen_step(self, now: float) -> int | None:
        """The best step the line is seen to carry, at most the one it is on; None: not seen."""
        since = max(self._fell_at, self._climbed_at or self._fell_at)
        if self.audio_only or now - since < SEEN_WAIT_S or now - self._width_at > SEEN_S:
            return None
        room = self._width * WIDE_ENOUGH
        better = (at for at in range(self.step) if need_bps(self.ladder[at]) <= room)
        return next(better, self.step)

    def _climb_to(self, step: int, now: float) -> bool:
        self.climbs += 1
        self._probe_s = PROBE_S
        self._climbed_at = now
        self._climb_at = now + TRIAL_S
        self._go(step)
        if not self.step:
            self.reason = None
        return True

    def _climbed_within(self, seconds: float, now: float) -> bool:
        return self._climbed_at is not None and now - self._climbed_at <= seconds

    def _go(self, step: int) -> None:
        self.step = step
        self._recent.clear()
        self._bad = self._delayed = 0
        self._news_since_switch = 0


def need_bps(rung: Rung) -> float:
    """What a line must carry for a rung, with sound."""
    return rung.bitrate_bps * OVERHEAD + AUDIO_NEED_BPS


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
