"""Keys that ask for the floor and give it up, and keys that do neither."""

import pytest

from mcu.sip.floor_keys import FloorKeys


@pytest.mark.parametrize(
    ("keys", "wishes"),
    [
        ("*1", [True]),
        ("*0", [False]),
        ("*1*0*1", [True, False, True]),
        ("1", []),
        ("0123456789#", []),
        ("**1", [True]),
        ("*21", []),
        ("*#1", []),
        ("*1111", [True]),
        ("12*", []),
    ],
)
def test_what_keys_mean(keys: str, wishes: list[bool]) -> None:
    heard: list[bool] = []
    floor_keys = FloorKeys(heard.append)
    for key in keys:
        floor_keys.press(key)
    assert heard == wishes


def test_the_key_that_says_that_the_tone_is_heard() -> None:
    wishes: list[bool] = []
    heard: list[str] = []
    keys = FloorKeys(wishes.append, lambda: heard.append("tone"))
    for key in "5*5*15":
        keys.press(key)
    assert (wishes, heard) == ([True], ["tone"])
