import itertools

import pytest

from mcu.media.fan_out import (
    CHUNK_PACKETS,
    PASS_INTERVAL_S,
    SLICE_PACKETS,
    SLICE_S,
    SLOW_BPS,
    pace,
)
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from tests.peers.network import VirtualTime

PACKET_S = 0.0001


class Cursor:
    """A subscriber whose sending costs time on a clock of its own."""

    def __init__(self, rendition: Rendition, clock: list[float], sent: list[float]) -> None:
        self.ring = rendition.ring
        self.at = self.ring.end
        self.times: list[tuple[float, int]] = []
        self.unflushed = 0
        self._clock, self._sent = clock, sent

    def send_pending(self, limit: int, now: float) -> int:
        sent = min(limit, self.ring.end - self.at)
        self.at += sent
        self._clock[0] += sent * PACKET_S
        if sent:
            self.times.append((now, sent))
            self._sent.append(now)
            self.unflushed += sent
        return sent

    def flush(self) -> None:
        self.unflushed = 0


class Setting:
    def __init__(self, legs: int, *, clocked: bool) -> None:
        self.time = VirtualTime(0.0)
        self.cost = [0.0]
        self.sent: list[float] = []
        self.fan_out = FanOut(self.time.schedule, (lambda: self.cost[0]) if clocked else None)
        self.rendition = self.new("main")
        self.legs = [self.add() for _ in range(legs)]

    def new(self, source: str) -> Rendition:
        return Rendition(RenditionKey("video", source, "vp8"), 90000, self.fan_out)

    def add(self) -> Cursor:
        cursor = Cursor(self.rendition, self.cost, self.sent)
        self.rendition.subscribe(cursor)
        return cursor

    def frame(self, packets: int) -> None:
        data = b"\0" * (packets * 1000)
        self.rendition.append(data, 0, key_frame=True, now=self.time.now)


@pytest.mark.parametrize("clocked", [True, False])
def test_everything_reaches_everybody(clocked: bool) -> None:
    setting = Setting(40, clocked=clocked)
    setting.frame(100)
    assert setting.sent == []
    setting.time.run(5.0)
    assert {leg.at for leg in setting.legs} == {setting.rendition.ring.end}
    assert setting.fan_out.packets == 40 * setting.rendition.ring.end


def test_a_slice_ends_after_its_time() -> None:
    setting = Setting(145, clocked=True)
    setting.frame(8)
    setting.time.run(1.0)
    # One leg's packets of a frame go together, so a slice overruns by one leg at most.
    assert setting.fan_out.longest_slice_s <= SLICE_S + CHUNK_PACKETS * PACKET_S + 1e-9
    work_s = 145 * setting.rendition.ring.end * PACKET_S
    assert setting.fan_out.slices >= work_s / (SLICE_S + CHUNK_PACKETS * PACKET_S)


def test_a_slice_without_clock_ends_after_its_packets() -> None:
    setting = Setting(145, clocked=False)
    setting.frame(16)
    calls = setting.fan_out.slices
    setting.time.run(0.001)
    assert setting.fan_out.slices - calls >= 145 * 15 // (SLICE_PACKETS + CHUNK_PACKETS)


def test_a_key_frame_is_spread_over_one_leg() -> None:
    setting = Setting(1, clocked=True)
    setting.frame(100)
    setting.time.run(1.0)
    times = setting.legs[0].times
    assert all(sent <= CHUNK_PACKETS for _, sent in times)
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(times)]
    assert min(gaps) >= PASS_INTERVAL_S - 1e-9
    assert times[-1][0] < 0.05


def test_one_rendition_does_not_wait_for_another() -> None:
    setting = Setting(1, clocked=True)
    other = setting.new("chair")
    small = Cursor(other, setting.cost, setting.sent)
    other.subscribe(small)
    setting.frame(200)
    other.append(b"\0" * 500, 0, key_frame=True, now=0.0)
    setting.time.run(1.0)
    assert small.times[0][0] <= PASS_INTERVAL_S


def test_subscribers_come_and_go_between_slices() -> None:
    setting = Setting(60, clocked=True)
    setting.frame(60)
    setting.time.run(0.0005)
    gone = setting.legs[50]
    setting.rendition.unsubscribe(gone)
    at = gone.at
    late = setting.add()
    setting.time.run(3.0)
    assert gone.at == at
    stay = [leg for leg in setting.legs if leg is not gone]
    assert {leg.at for leg in stay} == {setting.rendition.ring.end}
    assert late.at == setting.rendition.ring.end


def test_rests_when_there_is_nothing_to_send() -> None:
    setting = Setting(3, clocked=True)
    setting.frame(3)
    setting.time.run(1.0)
    slices = setting.fan_out.slices
    setting.time.run(1.0)
    assert setting.fan_out.slices == slices
    setting.frame(3)
    setting.time.run(1.0)
    assert setting.fan_out.slices > slices


@pytest.mark.parametrize("clocked", [True, False])
def test_nothing_is_left_unflushed(clocked: bool) -> None:
    setting = Setting(40, clocked=clocked)
    setting.rendition.append(bytes(30_000), 0, key_frame=True, now=setting.time.now)
    for _ in range(30):
        setting.time.run(0.001)
        assert [leg.unflushed for leg in setting.legs] == [0] * 40
    assert all(leg.at == setting.rendition.ring.end for leg in setting.legs)


def test_a_slow_rendition_is_paced_and_a_fast_one_does_not_wait_for_it() -> None:
    setting = Setting(1, clocked=True)
    slow = Rendition(
        RenditionKey("video", "main", "vp8", 320, 180, 200_000), 90_000, setting.fan_out
    )
    weak = Cursor(slow, setting.cost, setting.sent)
    slow.subscribe(weak)
    slow.append(b"\0" * 20_000, 0, key_frame=True, now=0.0)
    setting.time.run(0.051)
    setting.frame(2)
    asked_at = setting.time.now
    setting.time.run(2.0)
    times = [at for at, _ in weak.times]
    assert all(count == 1 for _, count in weak.times)
    rate = 20_000 * 8 / (times[-1] - times[0])
    assert 2.0 < rate / 200_000 < 3.0  # a key frame comes at a few times the rate, not in a burst
    assert setting.legs[0].times[0][0] == asked_at


def test_only_what_is_known_to_be_slow_is_paced() -> None:
    assert pace(0) == pace(SLOW_BPS + 1) == (CHUNK_PACKETS, PASS_INTERVAL_S)
    assert pace(SLOW_BPS)[0] == 1
