"""A PIN by the keypad."""

import pytest

from mcu.sip.pin_entry import MAX_KEYS, PinEntry


@pytest.mark.parametrize(
    ("digits", "keys", "entered"),
    [
        (4, "2468", ["2468"]),
        (4, "24682468", ["2468", "2468"]),
        (4, "246#2468", ["246", "2468"]),
        (4, "24*2468", ["2468"]),
        (4, "#2468#", ["2468"]),
        (4, "2A4B68", ["2468"]),
        (30, "1" * (MAX_KEYS + 5) + "#", ["1" * MAX_KEYS]),
    ],
)
def test_keys_become_pins(digits: int, keys: str, entered: list[str]) -> None:
    found: list[str] = []
    entry = PinEntry(digits, found.append)
    for key in keys:
        entry.press(key)
    assert found == entered
