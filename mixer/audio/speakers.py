"""Who is in the mix: the few loudest sources, with enough inertia that nobody flickers.

All sources are rows of arrays, so a tick costs the same few numpy calls for 5 and for 300.
"""

import numpy as np
import numpy.typing as npt

DEFAULT_SPEAKERS = 8
ON_DBOV = -50.0
"""Louder than this asks for a place in the mix."""
OFF_DBOV = -58.0
"""Quieter than this begins to lose it."""
HOLD_TICKS = 75
"""1.5 s: the place is kept through the pauses of a sentence."""
DISPLACE_DB = 6.0
"""When the mix is full, a newcomer must be that much louder than the weakest in it."""
ADMISSIONS_PER_TICK = 2
"""Each costs run-in decodes and encodes, which must not pile up in one tick."""
FLOOR_DBOV = -70.0
"""Loudness is counted from here, so that the first loud packet after silence suffices."""
ATTACK = 0.5
RELEASE_DB = 1.6
"""Per tick: 80 dB/s."""
LEAD_TICKS = 15
LEAD_DB = 3.0
"""Who is to take the lead must be that much louder than the leader for 0.3 s."""
IMPORTANCE_DB = 200.0
"""A step of importance outweighs any loudness."""

Levels = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


def follow_loudness(loudness: Levels, levels: Levels) -> Levels:
    """Smooth levels over time: fast up, slowly down.

    Args:
        loudness, levels: float32 (sources,), dBov; the state before and this tick's input.
    Returns: the new state, at least FLOOR_DBOV.
    """
    rising = loudness + ATTACK * (levels - loudness)
    falling = np.maximum(levels, loudness - RELEASE_DB)
    return np.maximum(np.where(levels > loudness, rising, falling), FLOOR_DBOV).astype(np.float32)


class SpeakerSelector:
    """Chooses rows. Rows are numbered in the order they were added; removing one moves the
    later ones down by one.

    Args:
        max_speakers: places in the mix.
    """

    def __init__(self, max_speakers: int = DEFAULT_SPEAKERS) -> None:
        if max_speakers < 1:
            raise ValueError("at least one speaker")
        self._places = max_speakers
        self._loudness: Levels = np.empty(0, np.float32)
        self._hold = np.empty(0, np.int32)
        self._active: Flags = np.empty(0, np.bool_)
        self._led = np.empty(0, np.int64)
        self._tick = 0
        self._leader = -1
        self._challenger = -1
        self._challenged = 0

    @property
    def loudness(self) -> Levels:
        """Smoothed level of each row, dBov, FLOOR_DBOV where silent. Not to be written to."""
        return self._loudness

    def add(self) -> int:
        """A new, silent row; returns its number."""
        self._loudness = np.append(self._loudness, np.float32(FLOOR_DBOV))
        self._hold = np.append(self._hold, np.int32(0))
        self._active = np.append(self._active, False)
        self._led = np.append(self._led, np.int64(0))
        return len(self._loudness) - 1

    def remove(self, row: int) -> None:
        """Forget a row; rows above it are renumbered."""
        self._loudness = np.delete(self._loudness, row)
        self._hold = np.delete(self._hold, row)
        self._active = np.delete(self._active, row)
        self._led = np.delete(self._led, row)
        self._leader = _renumbered(self._leader, row)
        self._challenger = _renumbered(self._challenger, row)

    def update(self, levels: Levels, eligible: Flags, importance: Levels) -> list[int]:
        """One tick.

        Args:
            levels: float32 (rows,), dBov of this tick.
            eligible: bool (rows,), False for muted ones.
            importance: float32 (rows,), steps; a higher one always goes before.
        Returns: rows in the mix, at most ``max_speakers``, the most prominent first.
        Raises:
            ValueError: the arrays have another length than there are rows.
        Cost: about 20 us.
        """
        if not len(levels) == len(eligible) == len(importance) == len(self._loudness):
            raise ValueError("one value per row, please")
        self._tick += 1
        loudness = self._loudness = follow_loudness(self._loudness, levels)
        self._hold = np.where(loudness > OFF_DBOV, HOLD_TICKS, np.maximum(self._hold - 1, 0))
        self._active &= eligible & (self._hold > 0)
        wanting = eligible & ~self._active & (loudness > ON_DBOV)
        if wanting.any():
            self._admit(np.flatnonzero(wanting), loudness + IMPORTANCE_DB * importance)
        active = np.flatnonzero(self._active)
        if not len(active):
            self._leader = -1
            return []
        self._follow_lead(active)
        order = np.lexsort((-loudness[active], -self._led[active]))
        return [int(row) for row in active[order]]

    def _admit(self, wanting: npt.NDArray[np.intp], weight: Levels) -> None:
        strongest = wanting[np.argsort(-weight[wanting], kind="stable")]
        for row in strongest[:ADMISSIONS_PER_TICK]:
            active = np.flatnonzero(self._active)
            if len(active) >= self._places:
                weakest = active[weight[active].argmin()]
                if weight[row] < weight[weakest] + DISPLACE_DB:
                    return
                self._active[weakest] = False
            self._active[row] = True
            self._led[row] = 0

    def _follow_lead(self, active: npt.NDArray[np.intp]) -> None:
        loudness = self._loudness
        loudest = int(active[loudness[active].argmax()])
        leader = self._leader
        if leader < 0 or not self._active[leader]:
            self._lead(loudest)
        elif loudest != leader and loudness[loudest] >= loudness[leader] + LEAD_DB:
            if loudest != self._challenger:
                self._challenger, self._challenged = loudest, 0
            self._challenged += 1
            if self._challenged >= LEAD_TICKS:
                self._lead(loudest)
        else:
            self._challenger = -1

    def _lead(self, row: int) -> None:
        self._leader = row
        self._challenger = -1
        self._led[row] = self._tick


def _renumbered(row: int, removed: int) -> int:
    if row == removed:
        return -1
    return row - 1 if row > removed else row
