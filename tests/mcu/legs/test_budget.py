"""A peer's packet budget."""

from mcu.legs.budget import PACKETS_PER_WINDOW, WINDOW_S, PacketBudget


def test_a_window_takes_so_many_and_no_more() -> None:
    budget = PacketBudget()
    assert all(budget.spend(10.0) for _ in range(PACKETS_PER_WINDOW))
    assert not budget.spend(10.0)
    assert not budget.spend(10.0 + WINDOW_S / 2)
    assert budget.spend(10.0 + WINDOW_S)


def test_what_a_room_sends_never_meets_the_limit() -> None:
    budget = PacketBudget()
    for tick in range(1000):
        # Two cameras of 1080p, sound, and a key frame of 400 packets each second.
        packets = 400 if tick % 50 == 0 else 30
        assert all(budget.spend(tick * 0.02) for _ in range(packets))
