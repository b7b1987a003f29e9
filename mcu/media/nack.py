"""Which packets of a received stream to ask for again, and when to stop asking.

Pure: sequence numbers and ``now`` in, lists out. A packet that is a little late (reordered) is
not asked for; one that does not come after ``MAX_TRIES`` requests or ``MAX_AGE_S`` is given up.
"""

REORDER_WAIT_S = 0.010
MIN_INTERVAL_S = 0.030
MAX_TRIES = 8
MAX_AGE_S = 0.8
REORDER_AGE_S = 0.040
"""``max_age_s`` for a stream whose peer repeats nothing: only reordering is waited for."""

MAX_MISSING = 256
"""More missing packets than that are not worth asking for: a key frame costs less."""


class NackList:
    """Missing packets of one stream, bounded by ``MAX_MISSING``.

    Args:
        max_age_s: a packet missing for so long is given up.
    """

    __slots__ = ("_max_age_s", "_missing")

    def __init__(self, max_age_s: float = MAX_AGE_S) -> None:
        self._max_age_s = max_age_s
        # Extended sequence → [first missed at, next request at, requests so far]
        self._missing: dict[int, list[float]] = {}

    def __len__(self) -> int:
        return len(self._missing)

    def missed(self, first: int, end: int, now: float) -> bool:
        """Packets ``first`` to ``end - 1`` did not come before ``end`` did.

        Returns: False when they are too many to be asked for (nothing is kept then).
        """
        if end - first + len(self._missing) > MAX_MISSING:
            self._missing.clear()
            return False
        for sequence in range(first, end):
            self._missing[sequence] = [now, now + REORDER_WAIT_S, 0]
        return True

    def received(self, sequence: int) -> bool:
        """A packet came late or again; returns whether it was missing."""
        return self._missing.pop(sequence, None) is not None

    def forget_before(self, sequence: int) -> None:
        """Packets before ``sequence`` are of no use any more."""
        for one in [one for one in self._missing if one < sequence]:
            del self._missing[one]

    def clear(self) -> None:
        """Ask for nothing any more."""
        self._missing.clear()

    def due(self, now: float, round_trip_s: float) -> tuple[list[int], list[int]]:
        """What to ask for now, and what is given up (each ascending).

        Args:
            round_trip_s: a repetition sooner than this would ask for what is under way.
        """
        ask: list[int] = []
        given_up: list[int] = []
        interval = max(MIN_INTERVAL_S, round_trip_s * 1.2)
        for sequence, state in self._missing.items():
            if state[1] > now:
                continue
            if state[2] >= MAX_TRIES or now - state[0] >= self._max_age_s:
                given_up.append(sequence)
                continue
            ask.append(sequence)
            state[1] = min(now + interval, state[0] + self._max_age_s)
            state[2] += 1
        for sequence in given_up:
            del self._missing[sequence]
        return sorted(ask), sorted(given_up)

    def next_timer(self) -> float | None:
        """When ``due`` is to be called next; None when nothing is missing."""
        return min((state[1] for state in self._missing.values()), default=None)
