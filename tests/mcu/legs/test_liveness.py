from mcu.legs.liveness import CONSENT_S, HANDSHAKE_TIMEOUT_S, Liveness


def test_a_handshake_has_its_time() -> None:
    one = Liveness(100.0, 5.0, 30.0)
    assert one.next_timer() == 100.0 + HANDSHAKE_TIMEOUT_S
    assert one.check(100.0 + HANDSHAKE_TIMEOUT_S - 0.1) == "alive"
    assert one.check(100.0 + HANDSHAKE_TIMEOUT_S) == "failed"


def test_silence_is_lost_then_gone() -> None:
    one = Liveness(100.0, 5.0, 30.0)
    one.connected = True
    one.heard_at = 200.0
    assert one.next_timer() == 205.0
    assert one.check(204.9) == "alive"
    assert one.check(205.0) == "lost"
    one.lost = True
    assert one.next_timer() == 200.0 + CONSENT_S
    assert one.check(229.9) == "lost"
    assert one.check(230.0) == "expired"
    one.expired = True
    assert one.next_timer() == 235.0
    assert one.check(234.9) == "expired"
    assert one.check(235.0) == "gone"


def test_what_is_heard_counts() -> None:
    one = Liveness(100.0, 5.0, 30.0)
    one.connected, one.heard_at = True, 200.0
    one.heard_at = 204.0
    assert one.check(208.9) == "alive"


def test_a_long_patience_does_not_outlast_consent() -> None:
    one = Liveness(100.0, 60.0, 600.0)
    one.connected, one.heard_at = True, 200.0
    assert one.next_timer() == 200.0 + CONSENT_S
    assert one.check(200.0 + CONSENT_S) == "expired"


def test_a_short_patience_ends_before_consent() -> None:
    one = Liveness(100.0, 5.0, 10.0)
    one.connected = one.lost = True
    one.heard_at = 200.0
    assert one.next_timer() == 215.0
    assert one.check(215.0) == "gone"
