"""Sends renditions to their subscribers: audio at once, video in slices of bounded loop time.

A key frame to 145 legs is thousands of packets. Sent in one go it would block the loop for tens
of milliseconds, so video goes out in passes of a few packets per leg, and a pass is cut into
slices of about ``SLICE_S``; between slices the loop reads packets and runs the audio tick.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcu.media.formation import Sender
    from mcu.media.rendition import Rendition

Schedule = Callable[[float, Callable[[float], None]], None]
"""``schedule(delay_s, call)``: run ``call(now)`` after ``delay_s`` (0: as soon as others ran)."""

SLICE_S = 0.001
SLICE_PACKETS = 256
"""Bounds a slice where no clock is given (virtual time)."""

CHUNK_PACKETS = 16
PASS_INTERVAL_S = 0.002
"""A leg gets at most CHUNK_PACKETS per PASS_INTERVAL_S: 8,000 packets/s, about 75 Mbit/s, so a
key frame of 100 packets is spread over some 14 ms instead of one burst into its access line."""

SLOW_BPS = 600_000
PACED_TIMES = 2.5
PACED_PACKET_BITS = 1200 * 8
"""Renditions of at most ``SLOW_BPS`` go to weak lines, whose queues a key frame in one burst would
overflow: single packets, at so many times the rendition's rate."""


def pace(bitrate_bps: int) -> tuple[int, float]:
    """How many packets of a rendition a leg gets at once, and seconds to the next (0: unknown)."""
    if not 0 < bitrate_bps <= SLOW_BPS:
        return CHUNK_PACKETS, PASS_INTERVAL_S
    return 1, PACED_PACKET_BITS / (PACED_TIMES * bitrate_bps)


class FanOut:
    """Moves subscribers' cursors to the end of their rendition's ring.

    Args:
        schedule: how to be called again; the loop in production, virtual time in tests.
        clock: measures how long a slice took; None: slices are bounded by packets alone.
    """

    def __init__(self, schedule: Schedule, clock: Callable[[], float] | None = None) -> None:
        self._schedule = schedule
        self._clock = clock
        self._passes: deque[_Pass] = deque()
        self._queued: set[Rendition] = set()
        self._due_at: float | None = None
        self._call = 0
        self.slices = 0
        self.longest_slice_s = 0.0
        self.packets = 0

    def send_now(self, rendition: Rendition, now: float) -> None:
        """Send what is new to every subscriber before returning (audio)."""
        formation = rendition.formation
        senders = formation.senders
        for sender, legs in senders:
            self.packets += sender.send_pending(CHUNK_PACKETS, now) * legs
        for sender, _ in senders:
            # Of those that share a batch, the first does it for all.
            sender.flush()
        formation.muster()

    def queue(self, rendition: Rendition, now: float) -> None:
        """Send what is new in slices from the loop (video)."""
        if rendition not in self._queued:
            self._queued.add(rendition)
            self._passes.append(_Pass(rendition, now))
        self._come_again(0.0, now)

    def _come_again(self, delay_s: float, now: float) -> None:
        """Have a slice run; what was to run later is given up for it."""
        if self._due_at is not None and self._due_at <= now + delay_s:
            return
        self._due_at = now + delay_s
        self._call = call = self._call + 1

        def run(now: float) -> None:
            if call == self._call:
                self._run_slice(now)

        self._schedule(delay_s, run)

    def _run_slice(self, now: float) -> None:
        self._due_at = None
        self.slices += 1
        clock = self._clock
        started = clock() if clock is not None else 0.0
        budget = SLICE_PACKETS if clock is None else 1 << 30
        waits: float | None = None
        served: list[Sender] = []
        for _ in range(len(self._passes)):
            one = self._passes[0]
            if one.not_before > now:
                wait = one.not_before - now
                waits = wait if waits is None else min(waits, wait)
                self._passes.rotate(-1)
                continue
            while (found := one.next_sender()) is not None:
                sender, legs = found
                sent = sender.send_pending(one.chunk, now)
                served.append(sender)
                if sent == one.chunk:
                    one.incomplete = True
                budget -= sent * legs
                self.packets += sent * legs
                if budget <= 0 or (sent and clock is not None and clock() - started >= SLICE_S):
                    break
            else:
                self._passes.popleft()
                one.rendition.formation.muster()
                if one.incomplete or one.end != one.rendition.ring.end:
                    again = _Pass(one.rendition, one.not_before + one.interval_s)
                    self._passes.append(again)
                    wait = max(0.0, again.not_before - now)
                    waits = wait if waits is None else min(waits, wait)
                else:
                    self._queued.discard(one.rendition)
                continue
            waits = 0.0
            break
        for sender in served:
            sender.flush()
        if clock is not None:
            self.longest_slice_s = max(self.longest_slice_s, clock() - started)
        if waits is not None:
            self._come_again(waits, now)


class _Pass:
    """One round over a rendition's senders; survives changes of that set between slices."""

    __slots__ = (
        "_position",
        "_senders",
        "chunk",
        "end",
        "incomplete",
        "interval_s",
        "not_before",
        "rendition",
    )

    def __init__(self, rendition: Rendition, not_before: float) -> None:
        self.rendition = rendition
        self.not_before = not_before
        self.chunk, self.interval_s = pace(rendition.key.bitrate_bps)
        self.end = rendition.ring.end
        self.incomplete = False
        self._senders = rendition.formation.senders
        self._position = 0

    def next_sender(self) -> tuple[Sender, int] | None:
        senders = self.rendition.formation.senders
        if self._senders is not senders:
            # Somebody came or left. Those served already have little left to send.
            self._senders = senders
            self._position = 0
        if self._position >= len(senders):
            return None
        self._position += 1
        return senders[self._position - 1]
