from hypothesis import given
from hypothesis import strategies as st

from mcu.media.telephone_events import EVENTS, GAP_S, TelephoneEvents


def packet(code: int, duration: int, *, end: bool = False) -> bytes:
    return bytes((code, 0x8A if end else 0x0A)) + duration.to_bytes(2, "big")


def press(code: int, at: int, packets: int = 5) -> list[tuple[int, bool, bytes]]:
    """As a phone sends a key: packets of one timestamp, the end three times."""
    sent = [(at, number == 0, packet(code, 160 * (number + 1))) for number in range(packets)]
    return sent + [(at, False, packet(code, 160 * packets, end=True))] * 3


def keys_of(packets: list[tuple[int, bool, bytes]], interval_s: float = 0.02) -> str:
    events = TelephoneEvents()
    return "".join(
        events.receive(timestamp, marker, payload, number * interval_s)
        for number, (timestamp, marker, payload) in enumerate(packets)
    )


def test_each_key_counts_once() -> None:
    sent = [one for number in range(16) for one in press(number, 2000 * number)]
    assert keys_of(sent) == EVENTS


def test_the_same_key_again_is_another_timestamp() -> None:
    assert keys_of(press(5, 0) + press(5, 2000)) == "55"


@given(st.data())
def test_any_packet_of_a_key_is_enough(data: st.DataObject) -> None:
    sent = []
    for number, code in enumerate((1, 9, 4, 4)):
        kept = data.draw(st.lists(st.integers(0, 7), min_size=1, unique=True).map(sorted))
        sent += [press(code, 2000 * number)[one] for one in kept]
    # Of two equal keys one after the other the end of the first, or the beginning of the second
    # must have come: without both they look like one that is held by a device that counts wrongly.
    found = keys_of(sent)
    assert found in ("1944", "194")
    if len(found) == 3:
        assert not any(marker for timestamp, marker, _ in sent if timestamp == 6000)


def test_the_longest_press_is_one_key() -> None:
    sent = [(0, True, packet(3, 160))]
    sent += [(0, False, packet(3, duration)) for duration in range(0x1000, 0x10000, 0x400)]
    sent += [(0xFFFF, False, packet(3, duration)) for duration in range(160, 3000, 160)]
    sent += [(0xFFFF, False, packet(3, 3000, end=True))] * 3
    assert keys_of(sent) == "3"


def test_a_device_that_counts_the_timestamp_up_presses_one_key() -> None:
    sent = [(160 * one, one == 0, packet(7, 160 * (one + 1))) for one in range(10)]
    assert keys_of(sent) == "7"


def test_without_an_end_the_next_press_counts() -> None:
    events = TelephoneEvents()
    assert events.receive(0, True, packet(2, 160), 0.0) == "2"
    assert events.receive(9000, False, packet(2, 160), GAP_S * 5) == "2"


def test_a_hook_flash_and_unknown_tones_are_no_keys() -> None:
    assert keys_of(press(16, 0) + press(66, 3000)) == ""


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.booleans(), st.binary(max_size=12)), max_size=40
    )
)
def test_takes_anything(packets: list[tuple[int, bool, bytes]]) -> None:
    """Invariant: never raises, never more keys than packets, and only keys there are."""
    found = keys_of(packets)
    assert len(found) <= len(packets)
    assert set(found) <= set(EVENTS)
