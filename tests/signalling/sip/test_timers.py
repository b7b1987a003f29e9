"""The queue: earliest first, moved, cancelled, bounded."""

import random

import pytest

from signalling.sip.timers import TimerName, TimerQueue, TimerValues


def test_in_order() -> None:
    queue: TimerQueue[str] = TimerQueue()
    for key, at in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
        queue.set(key, at)
    assert queue.next() == 1.0
    assert list(queue.due(2.0)) == ["a", "b"]
    assert queue.next() == 3.0
    assert len(queue) == 1


def test_moved_and_cancelled() -> None:
    queue: TimerQueue[str] = TimerQueue()
    queue.set("a", 1.0)
    queue.set("a", 5.0)
    queue.set("b", 2.0)
    queue.cancel("b")
    queue.cancel("unknown")
    assert queue.next() == 5.0
    assert "b" not in queue
    assert list(queue.due(4.0)) == []
    assert list(queue.due(5.0)) == ["a"]
    assert queue.next() is None


def test_what_is_set_while_taking_is_taken_too() -> None:
    queue: TimerQueue[int] = TimerQueue()
    queue.set(0, 1.0)
    taken = []
    for key in queue.due(3.0):
        taken.append(key)
        if key < 5:
            queue.set(key + 1, 1.0 + key)
    assert taken == [0, 1, 2, 3]


def test_moving_often_keeps_nothing() -> None:
    queue: TimerQueue[int] = TimerQueue()
    rng = random.Random(1)
    for step in range(10_000):
        queue.set(rng.randrange(10), float(step))
    assert len(queue) == 10
    assert sorted(queue.due(1e9)) == list(range(10))
    assert len(queue) == 0


@pytest.mark.parametrize(
    ("timer", "udp", "tcp"),
    [
        ("A", 0.5, None), ("B", 32, 32), ("C", 181, 181), ("D", 32, 0), ("E", 0.5, None),
        ("F", 32, 32), ("G", 0.5, None), ("H", 32, 32), ("I", 5, 0), ("J", 32, 0), ("K", 5, 0),
        ("L", 32, 32), ("M", 32, 32),
    ],
)  # fmt: skip
def test_values_of_table_4(timer: TimerName, udp: float | None, tcp: float | None) -> None:
    assert TimerValues().duration_s(timer, reliable=False) == udp
    assert TimerValues().duration_s(timer, reliable=True) == tcp
