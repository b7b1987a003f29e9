"""Whose turn it is to be looked at, when only a few can be at a time. Pure."""

from collections.abc import Sequence


class Rounds:
    """A few of many, each for a while; who matters most stays.

    Args:
        at_once: so many; at least one of them is for those who are only in turn.
        turn_s: so long is one looked at in its turn.
    """

    def __init__(self, at_once: int, turn_s: float) -> None:
        self._at_once = at_once
        self._turn_s = turn_s
        self._ended: dict[str, float] = {}
        self._turns: dict[str, float] = {}  # whose turn it is → since when

    def choose(self, everybody: Sequence[str], first: Sequence[str], now: float) -> frozenset[str]:
        """Who is looked at from now on.

        Args:
            everybody: all there are. first: who matters, the most important first.
        Cost: O(everybody), once a second.
        """
        if not self._at_once:
            return frozenset()
        here = set(everybody)
        self._ended = {who: at for who, at in self._ended.items() if who in here}
        lasting = list(dict.fromkeys(who for who in first if who in here))
        lasting = lasting[: max(1, self._at_once - 1)] if self._at_once > 1 else lasting[:1]
        for who, since in list(self._turns.items()):
            if who not in here or who in lasting or now - since >= self._turn_s:
                del self._turns[who]
                self._ended[who] = now
        free = self._at_once - len(lasting)
        for who in list(self._turns)[free:]:
            del self._turns[who]
        waiting = sorted(
            (who for who in everybody if who not in lasting and who not in self._turns),
            key=lambda who: self._ended.get(who, float("-inf")),
        )
        for who in waiting[: free - len(self._turns)]:
            self._turns[who] = now
        return frozenset([*lasting, *self._turns])
