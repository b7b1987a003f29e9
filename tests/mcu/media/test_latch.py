from mcu.media.latch import (
    PATIENCE_S,
    RELATCH_S,
    REPORTS_RELATCH_S,
    TRIAL_PACKETS,
    Latch,
    may_be_at,
)

ANNOUNCED = ("198.51.100.7", 4000)
MOVED = ("198.51.100.7", 4100)
ELSEWHERE = ("203.0.113.9", 4000)
STRANGER = ("203.0.113.66", 4000)


def test_the_announced_host_is_taken_at_once_and_kept() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    assert latch.considers(MOVED, 0.1, signed=False)
    assert latch.take(MOVED, 0.1, signed=False)
    assert latch.locked == MOVED
    assert latch.considers(MOVED, 0.2, signed=False)
    for other in (ANNOUNCED, ELSEWHERE):
        assert not latch.considers(other, 0.2, signed=False)
        assert not latch.considers(other, 0.2, signed=True)


def test_another_host_waits_for_the_announced_one_and_shows_that_it_lasts() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    assert not latch.considers(ELSEWHERE, 0.9 * PATIENCE_S, signed=False)
    assert latch.considers(ELSEWHERE, PATIENCE_S, signed=False)
    for number in range(TRIAL_PACKETS - 1):
        assert not latch.take(ELSEWHERE, PATIENCE_S + number, signed=False)
    assert not latch.take(STRANGER, 5.0, signed=False)
    for number in range(TRIAL_PACKETS):
        assert latch.take(ELSEWHERE, 6.0 + number, signed=False) == (number == TRIAL_PACKETS - 1)
    assert latch.locked == ELSEWHERE


def test_once_the_announced_host_was_heard_no_other_one_is_considered() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    latch.take(ANNOUNCED, 0.0, signed=False)
    assert not latch.considers(ELSEWHERE, 1000.0, signed=False)
    assert latch.considers(MOVED, 1000.0, signed=False)


def test_policy_forbids_other_hosts_without_signatures() -> None:
    latch = Latch(ANNOUNCED, elsewhere=False, now=0.0)
    assert not latch.considers(ELSEWHERE, 1000.0, signed=False)
    assert latch.considers(ELSEWHERE, 0.0, signed=True)
    assert latch.take(ELSEWHERE, 0.0, signed=True)


def test_long_silence_lets_the_peer_come_from_another_port() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    latch.take(ANNOUNCED, 10.0, signed=False)
    assert not latch.considers(MOVED, 10.0 + RELATCH_S - 0.1, signed=False)
    assert latch.considers(MOVED, 10.0 + RELATCH_S, signed=False)
    latch.heard_at = 14.0
    assert not latch.considers(MOVED, 14.1, signed=False)


def test_between_reports_nobody_takes_the_peers_place() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0, reports=True)
    latch.take(ANNOUNCED, 10.0, signed=False)
    for silent_s in (RELATCH_S, 6.0, REPORTS_RELATCH_S - 0.1):
        assert not latch.considers(MOVED, 10.0 + silent_s, signed=False)
    assert latch.considers(MOVED, 10.0 + REPORTS_RELATCH_S, signed=False)


def test_reports_of_the_announced_address_are_taken_whoever_was_quicker() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0, reports=True)
    assert latch.take(MOVED, 0.0, signed=False)
    assert not latch.considers(ELSEWHERE, 0.1, signed=False)
    assert latch.considers(ANNOUNCED, 0.1, signed=False)
    assert latch.take(ANNOUNCED, 0.1, signed=False)
    assert not latch.considers(MOVED, 0.2, signed=False)


def test_who_has_moved_with_one_stream_may_have_with_the_other() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0, reports=True)
    latch.take(ANNOUNCED, 10.0, signed=False)
    assert not latch.considers(MOVED, 11.0, signed=False)
    latch.trust(ANNOUNCED[0])
    assert latch.considers(MOVED, 11.0, signed=False)
    assert latch.take(MOVED, 11.0, signed=False)
    assert not latch.considers((MOVED[0], 4_200), 11.1, signed=False)


def test_a_new_description_begins_anew() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    latch.take(ANNOUNCED, 10.0, signed=False)
    latch.announce(ELSEWHERE, 11.0)
    assert latch.considers(ELSEWHERE, 11.0, signed=False)
    assert latch.take(ELSEWHERE, 11.0, signed=False)
    assert not latch.considers(ANNOUNCED, 11.1, signed=False)


def test_nothing_announced_is_anybody_where_policy_says_so() -> None:
    assert Latch(None, elsewhere=True, now=0.0).considers(STRANGER, 0.0, signed=False)
    assert not Latch(None, elsewhere=False, now=0.0).considers(STRANGER, 9.0, signed=False)


def test_a_host_that_another_stream_found_is_taken_at_once() -> None:
    latch = Latch(ANNOUNCED, elsewhere=False, now=0.0)
    assert not latch.considers(ELSEWHERE, 0.1, signed=False)
    latch.trust(ELSEWHERE[0])
    assert latch.considers(ELSEWHERE, 0.1, signed=False)
    assert latch.take(ELSEWHERE, 0.1, signed=False)
    latch.announce(ANNOUNCED, 5.0)
    assert not latch.considers(STRANGER, 5.0, signed=False)


def test_policy_can_allow_one_host_besides() -> None:
    latch = Latch(ANNOUNCED, elsewhere="203.0.113.9", now=0.0)
    other = ("203.0.113.10", 4_000)
    beside = ("203.0.113.9", 4_000)
    assert not latch.considers(other, PATIENCE_S + 1, signed=False)
    assert not latch.considers(beside, PATIENCE_S / 2, signed=False)
    assert latch.considers(beside, PATIENCE_S + 1, signed=False)
    assert latch.considers(other, PATIENCE_S + 1, signed=True)  # it has to prove itself
    taken = [latch.take(beside, 2.0, signed=False) for _ in range(TRIAL_PACKETS)]
    assert taken == [False] * (TRIAL_PACKETS - 1) + [True]


def test_where_a_peer_may_be() -> None:
    assert may_be_at("a", True)
    assert not may_be_at("a", False)
    assert may_be_at("a", "a")
    assert not may_be_at("a", "b")


def test_who_may_be_found_to_be_the_peer() -> None:
    latch = Latch(ANNOUNCED, elsewhere="203.0.113.9", now=0.0)
    assert latch.may_become(ELSEWHERE)
    assert latch.may_become(MOVED)
    assert not latch.may_become(STRANGER)
    latch.take(ANNOUNCED, 0.0, signed=False)
    assert not latch.may_become(ELSEWHERE)
    assert not Latch(ANNOUNCED, elsewhere=False, now=0.0).may_become(ELSEWHERE)


def test_what_was_under_way_does_not_hold_back_who_moves() -> None:
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    latch.take(ANNOUNCED, 10.0, signed=False)
    latch.announce(MOVED, 11.0)
    latch.heard_at = 11.1  # one more from before
    assert not latch.considers(STRANGER, 11.2, signed=True)
    assert latch.considers(MOVED, 11.2, signed=False)
    assert latch.take(MOVED, 11.2, signed=False)
    assert not latch.considers(ANNOUNCED, 11.3, signed=False), "it was there before"


def test_who_says_nothing_new_or_stays_where_it_is_stays_locked() -> None:
    """A device behind address translation describes itself anew, with an address nobody reaches."""
    latch = Latch(ANNOUNCED, elsewhere=True, now=0.0)
    latch.take(ELSEWHERE, 0.0, signed=True)
    latch.announce(ANNOUNCED, 10.0)
    latch.heard_at = 10.1
    assert not latch.considers(ANNOUNCED, 10.2, signed=True)
    latch.announce(MOVED, 20.0)
    latch.heard_at = 20.0 + RELATCH_S
    assert not latch.considers(MOVED, 20.1 + RELATCH_S, signed=True)
