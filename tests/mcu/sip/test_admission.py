"""Who may send more just now."""

from mcu.sip.admission import Admission
from mcu.sip.settings import SourceLimits

LIMITS = SourceLimits(messages_per_s=10.0, burst=3, connections=2)


def test_a_burst_and_then_the_rate() -> None:
    admission = Admission(LIMITS)
    assert [admission.admits("192.0.2.7", 0.0) for _ in range(4)] == [True, True, True, False]
    assert [admission.admits("192.0.2.7", 0.1) for _ in range(2)] == [True, False]
    assert admission.admits("192.0.2.8", 0.1)


def test_an_ipv6_network_of_64_bits_is_one_source() -> None:
    admission = Admission(LIMITS)
    taken = [admission.admits(f"2001:db8::{number:x}", 0.0) for number in range(1, 5)]
    assert taken == [True, True, True, False]
    assert admission.admits("2001:db8:0:1::1", 0.0)


def test_connections_of_a_source() -> None:
    admission = Admission(LIMITS)
    assert [admission.connect("192.0.2.7") for _ in range(3)] == [True, True, False]
    assert admission.connect("192.0.2.8")
    admission.disconnect("192.0.2.7")
    assert admission.connect("192.0.2.7")
