"""What a peer may make us work on."""

from mcu.legs.budget import (
    FAILED_PER_WINDOW,
    KEY_FRAME_EVERY_S,
    KEY_FRAMES_AT_ONCE,
    PACKETS_AT_ONCE,
    PACKETS_PER_WINDOW,
    REQUESTS_TOGETHER,
    WINDOW_S,
    KeyFrameBudget,
    PacketBudget,
    WindowBudget,
)


def taken(budget: PacketBudget, count: int, now: float) -> int:
    return sum(budget.spend(now) for _ in range(count))


def test_so_many_packets_at_once_and_then_so_many_in_each_window() -> None:
    budget = PacketBudget()
    assert taken(budget, 5000, 10.0) == PACKETS_AT_ONCE
    assert taken(budget, 5000, 10.0 + WINDOW_S / 2) == 0
    for window in range(1, 100):
        assert taken(budget, 5000, 10.0 + window * WINDOW_S) == PACKETS_PER_WINDOW
    assert taken(budget, 5000, 100.0) == PACKETS_AT_ONCE


def test_what_a_room_sends_never_meets_the_limit() -> None:
    budget = PacketBudget()
    for tick in range(1000):
        # Two cameras of 1080p, sound, and a key frame of 400 packets each second.
        packets = 400 if tick % 50 == 0 else 30
        assert all(budget.spend(tick * 0.02) for _ in range(packets))


def test_what_a_line_lets_go_after_two_seconds_is_taken() -> None:
    budget = PacketBudget()
    assert taken(budget, 60, 10.0) == 60
    assert taken(budget, 900, 12.0) == 900


def test_a_forger_uses_up_nothing_of_a_rooms_packets() -> None:
    budget = PacketBudget()
    for _ in range(FAILED_PER_WINDOW - 1):
        assert budget.spend(10.0)
        budget.give_back()
    assert taken(budget, 5000, 10.0) == PACKETS_AT_ONCE


def test_a_flood_of_forged_packets_is_opened_no_more_until_the_window_ends() -> None:
    budget = PacketBudget()
    opened = 0
    for number in range(20_000):
        if budget.spend(10.0 + number / 20_000):
            opened += 1
            budget.give_back()
    assert opened == 4 * FAILED_PER_WINDOW
    assert budget.spend(11.1)


def test_long_messages_cost_more_and_forged_ones_nothing() -> None:
    budget = WindowBudget(1000)
    assert budget.spend(10.0, 600)
    assert not budget.spend(10.0, 600)
    assert budget.spend(10.0, 400)
    assert not budget.spend(10.0, 1)
    budget.give_back(400)
    assert budget.spend(10.0, 400)


def test_control_messages_are_bounded_by_the_window() -> None:
    budget = WindowBudget(3)
    assert [budget.spend(10.0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert not budget.spend(10.0 + WINDOW_S / 2)
    assert [budget.spend(10.0 + WINDOW_S) for _ in range(5)] == [True] * 3 + [False] * 2


def granted(budget: KeyFrameBudget, first: float, seconds: float, step: float) -> list[float]:
    """When requests are granted that come at intervals."""
    times = [first + number * step for number in range(round(seconds / step))]
    return [round(at, 2) for at in times if budget.spend(at)]


def test_requests_of_a_second_are_one_of_which_some_are_passed_on() -> None:
    times = granted(KeyFrameBudget(), 100.0, 3.0, 0.1)
    assert times == [
        *(100.0, 100.1, 100.2, 100.3),
        *(101.0, 101.1, 101.2, 101.3),
        *(102.0, 102.1, 102.2, 102.3),
    ]


def test_who_asks_all_the_time_gets_key_frames_ever_more_rarely() -> None:
    times = granted(KeyFrameBudget(), 100.0, 60.0, 0.001)
    seconds = sorted({int(at - 100.0) for at in times})
    assert seconds[:KEY_FRAMES_AT_ONCE] == list(range(KEY_FRAMES_AT_ONCE))
    later = [at for at in seconds if at > 10]
    assert len(later) == 50 / KEY_FRAME_EVERY_S // 1
    assert len(times) == REQUESTS_TOGETHER * len(seconds)


def test_who_has_been_quiet_is_served_at_once() -> None:
    budget = KeyFrameBudget()
    granted(budget, 100.0, 30.0, 0.1)
    later = 130.0 + KEY_FRAMES_AT_ONCE * KEY_FRAME_EVERY_S
    assert len(granted(budget, later, 5.0, 1.0)) == 5
