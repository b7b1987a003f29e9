"""PINs: right, wrong, and no more tries from there."""

from mcu.sip.pins import BURST, EVERY_S, PinGate


def test_guessing_is_stopped_where_it_comes_from() -> None:
    gate = PinGate()
    for number in range(BURST):
        assert gate.judge("c", "4711", f"{number:04}", "203.0.113.9", 0.0) == "wrong"
    assert gate.judge("c", "4711", "4711", "203.0.113.9", 1.0) == "blocked"
    assert gate.judge("c", "4711", "4711", "203.0.113.10", 1.0) == "right"
    assert gate.judge("d", "0815", "0815", "203.0.113.9", 1.0) == "right"
    assert gate.judge("c", "4711", "4711", "203.0.113.9", EVERY_S + 1.0) == "right"


def test_one_network_of_a_subscriber_is_one_source() -> None:
    gate = PinGate()
    for number in range(BURST):
        gate.judge("c", "4711", "no", f"2001:db8::{number:x}", 0.0)
    assert gate.judge("c", "4711", "4711", "2001:db8::ffff", 0.0) == "blocked"


def test_right_ones_cost_nothing() -> None:
    gate = PinGate()
    for _ in range(50):
        assert gate.judge("c", "4711", "4711", "203.0.113.9", 0.0) == "right"
    assert gate.judge("c", "4711", "4711x", "203.0.113.9", 0.0) == "wrong"
    assert gate.judge("c", "4711", "số", "203.0.113.9", 0.0) == "wrong"
