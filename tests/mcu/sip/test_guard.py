"""Who guesses secrets is stopped; the room whose secret it is is not."""

import pytest

from mcu.sip.guard import OF_ACCOUNT, OF_SOURCE, GuessGuard


def test_a_room_is_not_locked_out_by_somebody_elsewhere() -> None:
    guard = GuessGuard()
    for _ in range(OF_ACCOUNT[0]):
        assert guard.admits("203.0.113.9", "codec", 0.0)
        guard.failed("203.0.113.9", "codec", 0.0)
    assert not guard.admits("203.0.113.9", "codec", 0.0)
    assert guard.admits("10.0.0.7", "codec", 0.0)
    assert guard.admits("203.0.113.9", "another", 0.0)
    assert guard.admits("203.0.113.9", "codec", OF_ACCOUNT[1])


def test_how_long_to_wait() -> None:
    guard = GuessGuard()
    for _ in range(OF_ACCOUNT[0]):
        assert guard.wait_s("10.0.0.7", "codec", 0.0) == 0.0
        guard.failed("10.0.0.7", "codec", 0.0)
    assert guard.wait_s("10.0.0.7", "codec", 0.0) == OF_ACCOUNT[1]
    assert guard.wait_s("10.0.0.7", "codec", 10.0) == pytest.approx(OF_ACCOUNT[1] - 10.0)
    assert guard.wait_s("10.0.0.7", "codec", OF_ACCOUNT[1]) == 0.0


def test_a_source_that_tries_many_accounts() -> None:
    guard = GuessGuard()
    for number in range(OF_SOURCE[0]):
        guard.failed("2001:db8::1", f"room-{number}", 0.0)
    assert not guard.admits("2001:db8::2", "codec", 0.0)
    assert guard.admits("2001:db8:0:1::2", "codec", 0.0)


def test_another_secret_begins_anew() -> None:
    guard = GuessGuard()
    for account in ("codec", "another"):
        for _ in range(OF_ACCOUNT[0]):
            guard.failed("10.0.0.7", account, 0.0)
    guard.forgive("codec")
    assert guard.admits("10.0.0.7", "codec", 0.0)
    assert not guard.admits("10.0.0.7", "another", 0.0)
