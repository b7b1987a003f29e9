from mcu.backoff import FIRST_S, LAST_S, Backoff


def longest(low: float, high: float) -> float:
    return high


def test_waits_double_up_to_the_last() -> None:
    backoff = Backoff(0.5, 15.0, uniform=longest)
    assert [backoff.next_s() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_begins_again_after_a_success() -> None:
    backoff = Backoff(uniform=longest)
    waits = [backoff.next_s() for _ in range(3)]
    backoff.reset()
    assert [backoff.next_s() for _ in range(3)] == waits
    assert waits[0] == FIRST_S


def test_rooms_do_not_come_back_in_one_instant() -> None:
    rooms = [Backoff() for _ in range(145)]
    for _ in range(10):
        waits = [room.next_s() for room in rooms]
        assert max(waits) <= LAST_S
        assert max(waits) <= 2 * min(waits)
        assert len(set(waits)) > 100
