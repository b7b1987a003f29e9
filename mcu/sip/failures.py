"""How often something has failed lately, by key: a leaky bucket each, bounded in number."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MAX_KEYS = 10_000
"""The least recently used is forgotten first, which only ever forgives."""

Key = TypeVar("Key", bound=Hashable)


class Failures(Generic[Key]):
    """Counts failures; one is forgotten every ``every_s`` seconds.

    Cost: O(1) each; memory for ``MAX_KEYS`` keys.
    """

    def __init__(self, burst: int, every_s: float) -> None:
        self._burst = burst
        self._every_s = every_s
        self._levels: OrderedDict[Key, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def is_full(self, key: Key, now: float) -> bool:
        """Whether so many have failed that the next attempt must wait."""
        return self._level(key, now) > self._burst - 1

    def wait_s(self, key: Key, now: float) -> float:
        """How long it is until the next attempt; 0: it may be made."""
        return max(0.0, self._level(key, now) - (self._burst - 1)) * self._every_s

    def add(self, key: Key, now: float) -> None:
        """One has failed."""
        self._levels[key] = self._level(key, now) + 1.0, now
        self._levels.move_to_end(key)
        if len(self._levels) > MAX_KEYS:
            self._levels.popitem(last=False)

    def forgive(self, pardoned: Callable[[Key], bool]) -> None:
        """Forget what has failed for these keys. O(keys)."""
        for key in [key for key in self._levels if pardoned(key)]:
            del self._levels[key]

    def _level(self, key: Key, now: float) -> float:
        level, at = self._levels.get(key, (0.0, now))
        return max(0.0, level - max(0.0, now - at) / self._every_s)
