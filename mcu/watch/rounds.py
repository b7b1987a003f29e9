"""Whose turn it is to be looked at, when only a few can be at a time. Pure."""

import math
from collections.abc import Collection, Sequence
from typing import Final

MAX_TURNS: Final = 32
"""More turns than this are never had at the same time, however many rooms there are."""
LEAST_TURN_S: Final = 2.0
"""A turn that ends before its time has lasted so long: a few pictures of a room that was asked."""
SLACK_S: Final = 0.5
"""Half of the time between two choices: turns are as long as they should be in the mean."""


class Rounds:
    """A few of many, each for a while; who matters most stays.

    Args:
        at_once: so many; at least one of them is for those who are only in turn.
        turn_s: so long is one looked at in its turn.
        round_s: everybody has a turn in this time; more than ``at_once`` where it takes that.
        unsure_s: so much longer is a turn of somebody of whom nothing is known yet.
    """

    def __init__(
        self, at_once: int, turn_s: float, round_s: float = math.inf, unsure_s: float = 0.0
    ) -> None:
        self._at_once = at_once
        self._turn_s = turn_s
        self._round_s = round_s
        self._unsure_s = unsure_s
        self._ended: dict[str, float] = {}
        self._turns: dict[str, float] = {}  # whose turn it is → since when
        self._known_at: dict[str, float] = {}
        self.longest_s = 0.0
        """How long ago somebody who waits was looked at, or came, whoever waits longest."""

    def choose(
        self,
        everybody: Sequence[str],
        first: Sequence[str],
        now: float,
        told: Collection[str] = (),
        unsure: Collection[str] = (),
    ) -> frozenset[str]:
        """Who is looked at from now on.

        Args:
            everybody: all there are. first: who matters, the most important first.
            told: of whom everything is known: their turns end where somebody else waits.
            unsure: of whom nothing is known yet.
        Cost: O(everybody), once a second.
        """
        if not self._at_once:
            return frozenset()  # nobody waits either
        here = set(everybody)
        self._ended = {who: at for who, at in self._ended.items() if who in here}
        lasting = list(dict.fromkeys(who for who in first if who in here))
        lasting = lasting[: max(1, self._at_once - 1)] if self._at_once > 1 else lasting[:1]
        others = len(here) - len(lasting)
        free = max(self._at_once - len(lasting), self._turns_needed(others))
        for who, since in list(self._turns.items()):
            lasted_s = now - since
            longest_s = self._turn_s + (self._unsure_s if who in unsure else 0.0)
            over = lasted_s >= longest_s - SLACK_S or (
                others > free and who in told and lasted_s >= LEAST_TURN_S
            )
            if who not in here or who in lasting or over:
                del self._turns[who]
                self._ended[who] = now
        for who in list(self._turns)[free:]:
            del self._turns[who]
        waiting = sorted(
            (who for who in everybody if who not in lasting and who not in self._turns),
            key=lambda who: self._ended.get(who, float("-inf")),
        )
        for who in waiting[: free - len(self._turns)]:
            self._turns[who] = now
        chosen = frozenset([*lasting, *self._turns])
        self._known_at = {
            who: now if who in chosen else self._known_at.get(who, now) for who in everybody
        }
        self.longest_s = now - min(self._known_at.values(), default=now)
        return chosen

    def _turns_needed(self, others: int) -> int:
        """So many turns at the same time let so many rooms have theirs in a round."""
        return min(math.ceil(others * self._turn_s / self._round_s), MAX_TURNS)
