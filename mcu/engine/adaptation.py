"""Which step of the ladder a leg's line bears: down fast, up slowly.

Only a line that is too thin gets better by sending less; what a bad line loses whatever is sent
(``mcu.engine.line_signs`` tells the two apart) is borne: repetition and FEC are for that.

Thresholds follow draft-ietf-rmcat-gcc-02: up to 2% loss is nothing, from 10% on the rate falls
to what arrives. REMB is what the receiver's delay-based estimator thinks; it lags and is bounded
by what is sent, so it counts as bad news only when it has just fallen below what is sent, and
never as good news. Where nothing is known of a line, climbing is a try with growing intervals.

Where the leg reports on each packet (transport-wide feedback), a queue in the line is seen as it
begins, and what arrives meanwhile is the line's width: then the leg falls at once (``relieve``).
How bursts arrive tells the width beforehand: the leg climbs at once as high as that allows, and
where it does not allow the next step there is hardly a try.
"""

from collections.abc import Sequence

from mcu.engine.line_signs import (
    ENOUGH_PACKETS,
    LOSS_CLIMBS,
    LOSS_FALLS,
    LineReport,
    LineSigns,
    Reason,
)
from mcu.engine.video_ladder import AUDIO_ONLY_BPS, Rung

AUDIO_NEED_BPS = 72_000
"""Opus with its headers, redundancy included."""
OVERHEAD = 1.06
"""IP, UDP, RTP and SRTP on top of video's payload."""
HEADROOM = 0.95
HEADROOM_GUESSED = 0.5
"""Part of what a line was measured to carry that is used; of a measurement that may have begun
when the line was still good, less."""

LOSS_HALF = 0.5
"""From this on a step up that failed is no mere step too far."""
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
        self._signs = LineSigns()
        self._bad = 0
        self._complained_at = float("-inf")
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
            self._signs.forget()
            self._news_at = self._complained_at = now
            self._bad = 0
            return False
        self._news_at = now
        self._watched = report.watched
        if report.width_bps is not None:
            self._width, self._width_at = report.width_bps, now
        if self._signs.take(report, now):
            self._complained_at = now
        if now - self._fell_at < SETTLE_S:
            self._signs.forget_losses()
            return False
        self._news_since_switch += 1
        loss = self._signs.loss()
        self._learn(report, loss, now)
        trial = self._climbed_within(TRIAL_S, now)
        last = self.step >= len(self.ladder) - 1
        weight, reason = self._signs.complaint(report, loss, now, trial=trial, last=last)
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

    # Steps

    def _learn(self, report: LineReport, loss: float | None, now: float) -> None:
        """Of the line's own loss, and of whether sending less has helped."""
        self._signs.learn_own_loss(report, loss)
        helped = loss is not None and loss < LOSS_CLIMBS
        if helped and self.reason == "loss" and now - self._fell_at < EXPLAINED_WITHIN_S:
            self.reason = "rate"  # with less sent less is lost

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
        if reason == "rate":
            carries = self._signs.within_remb(carries)
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
        self._signs.fell(reason, carries, share, measured=measured)
        if self._climbed_within(REGRET_S, now):
            self._backoff_s = min(BACKOFF_MAX_S, 2 * self._backoff_s)
        self.falls += 1
        self._fell_at = now
        self._probe_s = PROBE_S
        self._climbed_at = None
        self._climb_at = now + self._backoff_s
        self._go(step)
        return True

    def _is_measured(self, share: float) -> bool:
        """Whether the last report is all of a bad time, or only its beginning is in it."""
        if self._news_since_switch == 1 and self._climbed_at is None and self.falls:
            return True  # the first after a fall has settled
        return self._signs.is_steady(share)

    def _climb(self, loss: float | None, now: float) -> bool:
        if self._climbed_at is not None and not self._climbed_within(REGRET_S, now):
            self._backoff_s = BACKOFF_S
        if not self.step:
            return False
        lost = 0.0 if loss is None else loss
        if lost > LOSS_FALLS or lost - self._signs.own_loss > LOSS_CLIMBS:
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
        self._signs.step_changed()
        self._bad = 0
        self._news_since_switch = 0


def need_bps(rung: Rung) -> float:
    """What a line must carry for a rung, with sound."""
    return rung.bitrate_bps * OVERHEAD + AUDIO_NEED_BPS
