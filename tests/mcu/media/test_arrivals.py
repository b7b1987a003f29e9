import random
import struct

import pytest

from mcu.media import rtcp
from mcu.media.arrivals import (
    MAX_INTERVAL_S,
    MAX_SPAN,
    MIN_INTERVAL_S,
    ArrivalLog,
)
from mcu.media.clock import Moments
from mcu.media.rtp import HEADER, bounds, pack_extensions
from mcu.media.transport_feedback import TICK_S, TransportFeedback

IDENTITY = 5


def packet_of(number: int, *, size: int = 1000, more: bytes = b"") -> memoryview:
    values = {3: b"mid" + more, IDENTITY: struct.pack("!H", number & 0xFFFF), 2: b"abc"}
    header = HEADER.pack(0x90, 96, 1, 2, 3) + pack_extensions(values)
    return memoryview(header + bytes(size - len(header)))


class Peer:
    """Keeps what the log told of each packet, as the sender of the packets does."""

    def __init__(self) -> None:
        self.log = ArrivalLog(IDENTITY, Moments(0.02, 0.007))
        self.arrived: dict[int, int | None] = {}
        self.counts: list[int] = []

    def note(self, number: int, now: float, more: bytes = b"", size: int = 1000) -> bool:
        packet = packet_of(number, more=more, size=size)
        extension, start, _ = bounds(packet, len(packet))
        return self.log.note(packet, extension, start, len(packet), now)

    def report(self, now: float, near: int = 0) -> None:
        for member in self.log.report(1, 7, now):
            (value,) = rtcp.read(member)
            assert isinstance(value, TransportFeedback)
            assert (value.ssrc, value.media_ssrc) == (1, 7)
            self.counts.append(value.report)
            base = near + ((value.base - near + 0x8000) & 0xFFFF) - 0x8000
            for number, arrival in enumerate(value.arrivals, base):
                if self.arrived.get(number) is None:
                    self.arrived[number] = arrival


def test_what_came_when_and_what_did_not() -> None:
    peer = Peer()
    assert peer.note(10, 1.0)
    assert not peer.note(11, 1.0101)
    assert not peer.note(13, 1.02)
    peer.report(1.1)
    assert peer.arrived == {10: 4000, 11: 4040, 12: None, 13: 4080}
    assert list(peer.log.report(1, 7, 1.2)) == []
    assert peer.note(15, 1.2)
    peer.report(1.3)
    assert peer.arrived[14] is None
    assert peer.arrived[15] == 4800
    assert peer.counts == [0, 1]


def test_a_late_packet_is_reported_after_all() -> None:
    peer = Peer()
    for number in (1, 2, 4, 5):
        peer.note(number, 1.0)
    peer.report(1.1)
    assert peer.arrived[3] is None
    peer.note(3, 1.12)
    peer.note(6, 1.13)
    peer.report(1.2)
    assert peer.arrived[3] == round(1.12 / TICK_S)
    assert [one is None for one in peer.arrived.values()] == [False] * 6


def test_any_layout_of_extensions_and_none() -> None:
    peer = Peer()
    for number, more in ((1, b""), (2, b"0123456"), (3, b""), (4, b"0123456")):
        peer.note(number, 1.0, more)
    bare = memoryview(HEADER.pack(0x90, 96, 1, 2, 3) + pack_extensions({2: b"ab\x51\x00\x09"}))
    extension, start, _ = bounds(bare, len(bare))
    assert not peer.log.note(bare, extension, start, len(bare), 1.0)
    assert sorted(peer.log.times) == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(5))
def test_loss_disorder_duplicates_and_the_wrap(seed: int) -> None:
    dice = random.Random(seed)
    peer = Peer()
    begin = 0x10000 - 300
    truth: dict[int, float] = {}
    events: list[tuple[float, int]] = []
    for number in range(begin, begin + 1500):
        sent = 10.0 + 0.004 * (number - begin)
        if number > begin and dice.random() < 0.1:
            continue
        for _ in range(2 if dice.random() < 0.05 else 1):
            events.append((sent + 0.02 + dice.random() * 0.03, number))
    due = None
    for now, number in sorted(events):
        if due is not None and now >= due:
            peer.report(due, near=number)
            due = None
        truth[number] = now
        if peer.note(number, now):
            due = peer.log.due_at
    peer.report(20.0, near=begin + 1500)
    assert {one for one, at in peer.arrived.items() if at is not None} == set(truth)
    exact = sum(abs((peer.arrived[one] or 0) * TICK_S - at) <= TICK_S for one, at in truth.items())
    assert exact >= 0.9 * len(truth)  # of duplicates either time may be told
    assert peer.counts == [one & 0xFF for one in range(len(peer.counts))]


def test_a_peer_that_jumps_is_not_told_of_all_between() -> None:
    peer = Peer()
    peer.note(1, 1.0)
    peer.report(1.1)
    for number in (20_000, 20_001, 50_000, 15_000):
        peer.note(number, 1.2)
    peer.report(1.3)
    assert len(peer.arrived) <= MAX_SPAN + 1


@pytest.mark.parametrize(
    ("bps", "interval"), [(30_000, MAX_INTERVAL_S), (600_000, None), (4_000_000, MIN_INTERVAL_S)]
)
def test_reports_come_as_often_as_the_rate_bears(bps: int, interval: float | None) -> None:
    peer = Peer()
    now, number, sent, reports = 1.0, 0, 0, 0
    while now < 11.0:
        now += 1000 * 8 / bps
        number += 1
        if peer.log.times and now >= peer.log.due_at:
            members = list(peer.log.report(1, 7, now))
            sent += sum(len(one) for one in members)
            reports += len(members)
        peer.note(number, now)
    if interval is None:
        assert sent * 8 / 10.0 < 0.01 * bps
        assert MIN_INTERVAL_S < peer.log.interval_s < MAX_INTERVAL_S
    else:
        assert peer.log.interval_s == interval
    assert reports >= 10.0 / (MAX_INTERVAL_S + 1000 * 8 / bps + 0.01)


def test_memory_is_bounded() -> None:
    peer = Peer()
    for number in range(20_000):
        peer.note(number, number * 0.001)
        if number % 50 == 0:
            list(peer.log.report(1, 7, number * 0.001))
    peer.report(20.0, near=20_000)
    assert sum(one is not None for one in peer.arrived.values()) <= 1000


def test_reports_of_many_legs_are_due_at_common_moments() -> None:
    moments = set()
    for number in range(100):
        peer, came = Peer(), 5.0 + number / 1000
        peer.note(1, came)
        assert -1e-9 <= peer.log.due_at - came - peer.log.interval_s < 0.02
        moments.add(round((peer.log.due_at - 0.007) / 0.02, 6))
    assert len(moments) <= 6
    assert all(moment == round(moment) for moment in moments)
