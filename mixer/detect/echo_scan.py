"""Which rooms may return what they are sent: a first look at all of them, by levels alone.

Correlates how the level of what is sent to a room and of what comes from it rise and fall, for
delays up to half a second in steps of a tick. What is found is a suspicion, for ``EchoSearch`` to
prove: levels of different people in conversation are alike by chance now and then.
"""

import numpy as np
import numpy.typing as npt

WINDOW_TICKS = 300
STEP_TICKS = 100
"""Six seconds are compared, every two."""
DELAYS = 26
"""0 to 500 ms in ticks."""
SUSPICION = 0.45
"""Correlation from which a room is worth the search."""
RANGE_DB = 25.0
"""Of each level only what is within this below its loudest counts: pauses are all alike."""
SMOOTH_TICKS = 25
QUIETEST_DBOV = -75.0

Levels = npt.NDArray[np.float32]


class EchoScan:
    """Looks at all rooms of a conference.

    Args:
        rooms: how many; one column of levels for each.
    """

    def __init__(self, rooms: int) -> None:
        self._sent: Levels = np.empty((0, rooms), np.float32)
        self._returned: Levels = np.empty((0, rooms), np.float32)
        self.likeness: Levels = np.zeros(rooms, np.float32)
        """float32 (rooms,): -1 to 1, of the last window; 0 where nothing was sent or returned."""
        self.delay_ticks = np.zeros(rooms, np.int64)
        """int64 (rooms,): the delay of the greatest likeness."""

    def take(self, sent: Levels, returned: Levels) -> None:
        """Take the levels of some ticks.

        Args:
            sent: float32 (ticks, rooms), dBov, of the mix encoded for each room in each tick.
            returned: the same of what came from the room in that tick.
        Raises:
            ValueError: shapes differ.
        Cost: 2 ms for STEP_TICKS (2 s) of 145 rooms.
        """
        if sent.shape != returned.shape:
            raise ValueError(f"{sent.shape} sent, {returned.shape} returned")
        self._sent = np.concatenate((self._sent, sent))
        self._returned = np.concatenate((self._returned, returned))
        while len(self._sent) >= WINDOW_TICKS:
            self._compare()
            self._sent, self._returned = self._sent[STEP_TICKS:], self._returned[STEP_TICKS:]

    def suspects(self) -> npt.NDArray[np.intp]:
        """Rooms worth a search, the likeliest first."""
        order = np.argsort(-self.likeness)
        return order[self.likeness[order] >= SUSPICION]

    def _compare(self) -> None:
        sent = _movement(self._sent[:WINDOW_TICKS])
        returned = _movement(self._returned[:WINDOW_TICKS])
        compared = WINDOW_TICKS - DELAYS + 1
        late = returned[DELAYS - 1 :]
        power = np.square(late).sum(axis=0)
        found = np.zeros((DELAYS, sent.shape[1]), np.float32)
        for delay in range(DELAYS):
            first = DELAYS - 1 - delay
            early = sent[first : first + compared]
            energy = np.square(early).sum(axis=0) * power
            found[delay] = (early * late).sum(axis=0) / np.sqrt(np.maximum(energy, 1.0))
        self.delay_ticks = found.argmax(axis=0)
        self.likeness = found.max(axis=0)


def _movement(levels: Levels) -> Levels:
    """How levels go up and down around their own course: (ticks, rooms), dB."""
    loudest = levels.max(axis=0)
    heard = np.maximum(levels, np.maximum(loudest - RANGE_DB, QUIETEST_DBOV))
    sums = np.cumsum(np.pad(heard, ((SMOOTH_TICKS // 2 + 1, SMOOTH_TICKS // 2), (0, 0)), "edge"), 0)
    course = (sums[SMOOTH_TICKS:] - sums[:-SMOOTH_TICKS]) / SMOOTH_TICKS
    moved: Levels = (heard - course).astype(np.float32)
    return moved
