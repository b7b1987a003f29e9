from mcu.media.nack import (
    MAX_AGE_S,
    MAX_MISSING,
    MAX_TRIES,
    MIN_INTERVAL_S,
    REORDER_WAIT_S,
    NackList,
)


def test_a_reordered_packet_is_not_asked_for() -> None:
    nack = NackList()
    nack.missed(5, 7, 0.0)
    assert nack.due(REORDER_WAIT_S / 2, 0.1) == ([], [])
    assert nack.received(5)
    assert nack.due(REORDER_WAIT_S, 0.1) == ([6], [])


def test_asks_again_after_a_round_trip() -> None:
    nack = NackList()
    nack.missed(5, 6, 0.0)
    assert nack.due(0.01, 0.1) == ([5], [])
    assert nack.due(0.1, 0.1) == ([], [])
    assert nack.due(0.14, 0.1) == ([5], [])
    assert nack.next_timer() == 0.14 + 0.1 * 1.2


def test_gives_up_after_tries() -> None:
    nack = NackList(max_age_s=60.0)
    nack.missed(5, 6, 0.0)
    now, asked = 0.0, 0
    while len(nack):
        now += MIN_INTERVAL_S
        ask, given_up = nack.due(now, 0.0)
        asked += len(ask)
    assert asked == MAX_TRIES
    assert given_up == [5]


def test_gives_up_after_its_age() -> None:
    nack = NackList()
    nack.missed(5, 6, 0.0)
    assert nack.due(MAX_AGE_S, 0.1) == ([], [5])
    assert nack.next_timer() is None


def test_too_many_missing_are_not_kept() -> None:
    nack = NackList()
    assert nack.missed(0, MAX_MISSING, 0.0)
    assert not nack.missed(MAX_MISSING, MAX_MISSING + 1, 0.0)
    assert len(nack) == 0


def test_forgets_what_is_of_no_use() -> None:
    nack = NackList()
    nack.missed(0, 10, 0.0)
    nack.forget_before(8)
    assert nack.due(1.0, 0.0)[1] == [8, 9]
    assert not nack.received(3)
