"""What was read of tokens and sessions and is true until somebody changes one."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

MAX_KNOWN: Final = 1_024
"""Values kept; those longest unused go first. More than rooms and operators of an installation."""

Value = TypeVar("Value")


class Known(Generic[Value]):
    """A bounded cache that a new version, made by any process, makes stale as a whole.

    Whoever commits says nothing to it, so nothing that revokes or deletes can forget to.

    Args:
        version: of what is kept (``Database.access_changes``).
    """

    def __init__(self, version: Callable[[], int | None]) -> None:
        self._version = version
        self._read_at: int | None = None
        self._values: OrderedDict[bytes, Value] = OrderedDict()

    def get(self, key: bytes) -> Value | None:
        """A value that is as the store has it now; None where it must be read."""
        if not self._values:
            return None
        if self._version() != self._read_at:
            self._values.clear()
            return None
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: bytes, value: Value, version: int | None) -> None:
        """Keep a value; ``version`` is of before it was read (None: it cannot be kept)."""
        if version is None:
            return
        if version != self._read_at:
            self._values.clear()
            self._read_at = version
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > MAX_KNOWN:
            self._values.popitem(last=False)

    def forget(self, key: bytes) -> None:
        """Have one read again."""
        self._values.pop(key, None)
