"""What a leg's line carries, from reports on when its packets arrived.

After draft-ietf-rmcat-gcc-02: packets that left together are a group; where groups arrive further
and further apart a queue grows (the trendline of one-way delay), and the estimate falls below what
arrives; else it grows slowly. Beside it stands what is simply seen: how much of what left lately
arrived, at what rate, and how much longer than the shortest it took.

A burst comes out of a thin line stretched: its packets arrive at the rate the line carries. So each
burst that came whole tells the line's width, without filling it.

An outage is no congestion: nothing at all arrives for a while, and then everything as before. What
was lost in one is not counted.

Sans-IO. Only differences of the peer's times are used.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, cast

from mcu.media.departures import LINE_BYTES, DepartureLog
from mcu.media.transport_feedback import CLOCK_CYCLE, TICK_S, UNTIMED, TransportFeedback
from mcu.media.trendline import Trendline

WINDOW_S = 0.5
"""Of departures, over which rates and loss are measured."""
RECENT_S = 0.09
"""The queue is the shortest delay of so long: jitter delays some, a queue all."""
OUTAGE_S = 0.25
"""So long nothing that left arrived."""
BASE_WINDOW_S = 60
"""The shortest delay of so long is the path's own."""
USUAL_WINDOW_S = 10

DECREASE = 0.85
INCREASE = 1.08
"""Parts of what arrives, and of the estimate each second (sections 5.5 and 4.4)."""
MOST_ABOVE = 1.5
MARGIN_BPS = 10_000
FIRST_BPS = 300_000

QUEUE_S = 0.05
LOSS = 0.10
FEW_LOST = 3
"""A queue and loss so large at once, and the line is too thin."""
LONG_QUEUE_S = 0.1
LONG_QUEUE_LOSS = 0.05
"""With a longer queue less loss is enough..."""
STRETCHED = 1.3
STRETCHED_S = 0.45
"""...or none, where packets arrive over a time so much longer than that in which they left."""
BURST_PACKETS = 4
BURST_LEAST_S = 0.0005
BURST_MOST_S = 2.0
BURSTS = 20
BURSTS_S = 6.0
BURSTS_QUANTILE = 0.75
"""The width is told by bursts of so many packets at least, by the last ones of so long; jitter
stretches some, a line's width all. What arrives in less than the second is from a wide line."""
BUSY_S = 0.2
"""So long after more left than the estimate bears, a burst more might overflow the line."""
CALM_JUDGED_S = 0.25
"""While nothing is lost and nothing queues, a line is judged so often: reports come 16 times a
second from each of 145 rooms."""
LEARNING_S = 3
"""What is usual for a line is not known before."""


class _Record(NamedTuple):
    """Packets that left together: when, when the first and the last arrived, and how many."""

    left: float
    first: float
    last: float
    packets: int
    lost: int
    bytes_sent: float
    bytes_come: float


class LineEstimate:
    """One leg's. Feed it every report; then read."""

    def __init__(self) -> None:
        self.bps = FIRST_BPS
        self.packets = 0
        self.lost = 0
        """Reported on so far, but for outages; what comes late is no longer lost."""
        self.outages = 0
        self.reports = 0
        self.queue_s = 0.0
        """How much longer than the shortest packets take now."""
        self.congested = False
        """The line carries less than is sent into it: act at once."""
        self._bursts: deque[tuple[float, float]] = deque(maxlen=BURSTS)  # left, rate of arrival
        self._began: int | None = None
        """When the burst's first packet came; None: not all that is reported on of it did."""
        self._trend = Trendline()
        self._next = 0
        self._ticks: int | None = None
        self._records: deque[_Record] = deque()
        self._late: set[int] = set()  # numbers taken for lost
        self._silent: tuple[float, int, int] | None = None  # since, packets lost, first number
        self._delays: deque[tuple[int, float, float]] = deque()  # second, least, most
        self._queue_since: float | None = None  # arrival
        self._base = float("inf")
        self._unsettled = True
        """Something is lost or late since the line was judged, or it was congested then."""
        self._judged_at = float("-inf")
        self._grown_at: float | None = None

    def take(self, feedback: TransportFeedback, departures: DepartureLog, now: float) -> None:
        """Take one report; those on what never left are ignored.

        Cost: about 4 us a burst of packets, 8 us in all for a usual report.
        """
        base = departures.next - ((departures.next - feedback.base) & 0xFFFF)
        arrivals = feedback.arrivals
        end = base + len(arrivals)
        if end > departures.next:
            return
        known = self._next - base
        if known > 0:
            if self._late:
                self._correct(base, arrivals[:known])
            arrivals = arrivals[known:]
            base = self._next
        elif known:
            self._began = None
        if not arrivals:
            return
        self.reports += 1
        self._next = end
        bursts = departures.bursts
        while bursts and bursts[0][1] <= base:
            bursts.popleft()
        for first, last, left, total in bursts:
            if first >= end:
                break
            size = total / (last - first) + LINE_BYTES
            begin = first if first >= base else base
            part = arrivals[begin - base : last - base]
            whole = self._take_burst(begin, part, left, size)
            if begin == first:
                self._began = part[0]
            if not whole:
                self._began = None
            if last <= end and self._began is not None and last - first >= BURST_PACKETS:
                self._measure_width(self._began, part[-1], last - first, left, size)
        if self._unsettled or now >= self._judged_at + CALM_JUDGED_S:
            self._judged_at = now
            self._judge(now)

    @property
    def loss(self) -> float:
        """Share lost of what left within the window."""
        packets = sum(one.packets for one in self._records)
        return sum(one.lost for one in self._records) / packets if packets else 0.0

    @property
    def arriving_bps(self) -> float:
        """Rate at which packets arrive, since there is a queue where there is one."""
        since = self._queue_since
        arrived = [one for one in self._records if one.bytes_come]
        come = [one for one in arrived if since is None or one.first >= since]
        if len(come) < 2:
            come = arrived
        return _rate([one.bytes_come for one in come], [one.last for one in come])

    def width_bps(self, now: float) -> float | None:
        """What the line carries, by the last bursts; None: there were none of late."""
        rates = sorted(rate for left, rate in self._bursts if now - left <= BURSTS_S)
        return rates[int(BURSTS_QUANTILE * (len(rates) - 1))] if rates else None

    def is_busy(self, departures: DepartureLog, now: float) -> bool:
        """Whether more left lately than the estimate bears, as while a large picture leaves.

        Cost: what left in ``BUSY_S`` and is not reported on yet, and the records; some 20 entries.
        """
        since = now - BUSY_S
        sent = sum(one.bytes_sent for one in self._records if one.left > since)
        for first, last, left, size in reversed(departures.bursts):
            if left <= since or last <= self._next:
                break
            sent += size + (last - first) * LINE_BYTES
        return sent * 8 > self.bps * BUSY_S

    def _correct(self, base: int, arrivals: Sequence[int | None]) -> None:
        for number, arrival in enumerate(arrivals, base):
            if arrival is not None and number in self._late:
                self._late.discard(number)
                self.lost -= 1

    def _take_burst(self, first: int, part: Sequence[int | None], left: float, size: float) -> bool:
        """Take what is reported on of one; gives whether all of that came, and when is told."""
        come = cast("Sequence[int]", part)  # as nearly always
        lost = 0
        if None in part or UNTIMED in part:
            lost = sum(one is None for one in part)
            come = [one for one in part if one is not None and one != UNTIMED]
            if not come:
                if lost:
                    since, before, number = self._silent or (left, 0, first)
                    self._silent = since, before + lost, number
                return False
        if self._silent is not None:
            self._end_silence(self._silent, left, size)
        count = len(part)
        self.packets += count
        if lost:
            self._unsettled = True
            self.lost += lost
            self._late.update(n for n, one in enumerate(part, first) if one is None)
            if len(self._late) > 1000:
                self._late.clear()
        begins, ends = self._seconds(come[0]), self._seconds(come[-1])
        delay = begins - left
        self._records.append(
            _Record(left, begins, ends, count, lost, count * size, len(come) * size)
        )
        if delay > self._base + QUEUE_S:
            self._unsettled = True
        self._note_delay(int(left), delay)
        self._trend.take(left, ends)
        return len(come) == count

    def _end_silence(self, silence: tuple[float, int, int], left: float, size: float) -> None:
        """Something of what left at ``left`` came again."""
        since, missing, number = silence
        self._silent = None
        if left - since >= OUTAGE_S:
            self.outages += 1
            self._begin_anew()
            return
        self._count_lost(number, missing)
        self._records.append(_Record(since, 0.0, 0.0, missing, missing, missing * size, 0.0))

    def _measure_width(
        self, first: int, last: int | None, packets: int, left: float, size: float
    ) -> None:
        """Take a burst of which all came, the first and the last packet at these times."""
        seconds = ((last or 0) - first) % CLOCK_CYCLE * TICK_S
        if seconds < BURST_MOST_S:
            rate = (packets - 1) * size * 8 / max(BURST_LEAST_S, seconds)
            self._bursts.append((left, rate))

    def _count_lost(self, first: int, count: int) -> None:
        self.packets += count
        self.lost += count
        self._late.update(range(first, first + count))

    def _begin_anew(self) -> None:
        self._records.clear()
        self._bursts.clear()
        self._delays.clear()  # it may be another path
        self._trend = Trendline()
        self._queue_since = None

    def _seconds(self, ticks: int) -> float:
        last = ticks if self._ticks is None else self._ticks
        half = CLOCK_CYCLE // 2
        self._ticks = last + (ticks - last + half) % CLOCK_CYCLE - half
        return self._ticks * TICK_S

    def _note_delay(self, second: int, delay: float) -> None:
        delays = self._delays
        if delays and delays[-1][0] == second:
            _, least, most = delays[-1]
            if not least <= delay <= most:
                delays[-1] = second, min(least, delay), max(most, delay)
            return
        delays.append((second, delay, delay))
        while delays[0][0] <= second - BASE_WINDOW_S:
            delays.popleft()

    def _judge(self, now: float) -> None:
        records = self._records
        if not records:
            return
        newest = records[-1].left
        while records[0].left < newest - WINDOW_S:
            records.popleft()
        self._base = base = min(least for _, least, _ in self._delays)
        delays = [
            one.first - one.left
            for one in records
            if one.bytes_come and one.left >= newest - RECENT_S
        ]
        self.queue_s = max(0.0, min(delays, default=base) - base)
        if self.queue_s < QUEUE_S:
            self._queue_since = None
        elif self._queue_since is None:
            self._queue_since = records[-1].first
        before, self.congested = self.congested, self._is_congested(base)
        if self.congested and not before:
            self._bursts.clear()  # what they told is no longer so
        self._unsettled = self.congested or self._queue_since is not None
        self._adapt(now)

    def _is_congested(self, base: float) -> bool:
        if self.queue_s < QUEUE_S:
            return False
        records = self._records
        usual = self._usual(base)
        if self.queue_s < QUEUE_S + usual / 2:
            return False
        lost = sum(one.lost for one in records)
        long = self.queue_s >= LONG_QUEUE_S + usual / 2
        share = LONG_QUEUE_LOSS if long else LOSS
        if lost >= FEW_LOST and lost >= share * sum(one.packets for one in records):
            return True
        since = self._queue_since
        if since is None or self.queue_s < LONG_QUEUE_S + usual:
            return False
        queued = [one for one in records if one.bytes_come and one.first >= since]
        left_s = queued[-1].left - queued[0].left if queued else 0.0
        came_s = queued[-1].first - queued[0].first if queued else 0.0
        return came_s >= STRETCHED_S and came_s > STRETCHED * left_s

    def _usual(self, base: float) -> float:
        """How much longer than the shortest some packets took before this moment."""
        delays = self._delays
        newest = delays[-1][0]
        if newest - delays[0][0] < LEARNING_S:
            return max(most for _, _, most in delays) - base
        most = sorted(
            most for second, _, most in delays if newest - USUAL_WINDOW_S <= second < newest - 1
        )
        return most[-2] - base if len(most) > 1 else 0.0

    def _adapt(self, now: float) -> None:
        arriving = self.arriving_bps
        if self._trend.overused or self.congested:
            if arriving:
                self.bps = min(self.bps, round(DECREASE * arriving))
        elif not self._trend.underused and self._grown_at is not None:
            seconds = min(1.0, now - self._grown_at)
            most = MOST_ABOVE * arriving + MARGIN_BPS
            if self.bps < most:
                self.bps = round(max(arriving, min(self.bps * INCREASE**seconds, most)))
        self._grown_at = now


def _rate(sizes: list[float], times: list[float]) -> float:
    """Bits a second of things that came at these times; the first only marks the beginning."""
    span = max(times) - min(times) if times else 0.0
    return sum(sizes[1:]) * 8 / span if span > 0 else 0.0
