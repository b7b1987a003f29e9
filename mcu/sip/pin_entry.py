"""A PIN by the keypad: keys come one by one, ``#`` or the last digit ends it, ``*`` begins anew."""

from collections.abc import Callable
from typing import Final

MAX_KEYS: Final = 20
TRIES: Final = 3
WAIT_S: Final = 60.0
"""How long a caller may take for all of it."""


class PinEntry:
    """Collects keys into PINs.

    Args:
        digits: of the PIN that is wanted.
        entered: gets each PIN that was entered.
    """

    def __init__(self, digits: int, entered: Callable[[str], None]) -> None:
        self._digits = digits
        self._entered = entered
        self._keys = ""

    @property
    def count(self) -> int:
        """Digits of the PIN that is being entered."""
        return len(self._keys)

    def press(self, key: str) -> None:
        """Take a key (``0`` to ``9``, ``*``, ``#``; others are none)."""
        if key == "*":
            self._keys = ""
        elif key == "#":
            self._end()
        elif key.isdecimal() and len(self._keys) < MAX_KEYS:
            self._keys += key
            if len(self._keys) >= self._digits:
                self._end()

    def _end(self) -> None:
        keys, self._keys = self._keys, ""
        if keys:
            self._entered(keys)
