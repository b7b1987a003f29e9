"""Silence though somebody should speak, and the noise of rooms, from levels alone.

RFC 6464 gives the level of every packet of every room for nothing, so all rooms are watched,
decoded or not. Speech is what rises and falls: fans, hum and a muted microphone's hiss do not.
"""

import numpy as np
import numpy.typing as npt

HOP_TICKS = 25
"""Levels are judged in stretches of half a second."""
FLOOR_HOPS = 8
"""Within 4 s everybody who speaks takes breath."""
RISE_DB = 9.0
"""Speech stands so much above the room's noise,"""
SPEECH_DBOV = -52.0
"""is at least so loud,"""
SPEECH_TICKS = 4
"""and lasts 80 ms in a stretch: doors and keyboards do not."""
QUIETEST_DBOV = -127.0

Levels = npt.NDArray[np.float32]


class SpeechActivity:
    """Who has spoken lately, of all rooms of a conference at once.

    Args:
        rooms: how many; one column of levels for each.
    """

    def __init__(self, rooms: int) -> None:
        self._waiting: Levels = np.empty((0, rooms), np.float32)
        self._minima: Levels = np.full((FLOOR_HOPS, rooms), np.nan, np.float32)
        self._hop = 0
        self.silent_ticks = np.zeros(rooms, np.int64)
        """int64 (rooms,): how long nobody has spoken, in whole stretches."""
        self.floor_dbov: Levels = np.full(rooms, np.nan, np.float32)
        """float32 (rooms,): noise of the room in the pauses, dBov; nan before the first stretch."""

    def take(self, levels: Levels) -> None:
        """Take the levels of some ticks.

        Args:
            levels: float32 (ticks, rooms), dBov, any number of ticks.
        Raises:
            ValueError: another number of rooms.
        Cost: 0.1 ms for HOP_TICKS of 145 rooms.
        """
        self._waiting = np.concatenate((self._waiting, levels))
        while len(self._waiting) >= HOP_TICKS:
            self._judge(self._waiting[:HOP_TICKS])
            self._waiting = self._waiting[HOP_TICKS:]

    def _judge(self, levels: Levels) -> None:
        triples = levels[: HOP_TICKS // 3 * 3].reshape(-1, 3, levels.shape[1]).mean(axis=1)
        self._minima[self._hop % FLOOR_HOPS] = triples.min(axis=0)
        self._hop += 1
        self.floor_dbov = np.nanmin(self._minima, axis=0)
        speech = np.maximum(self.floor_dbov + RISE_DB, SPEECH_DBOV)
        speaks = (levels >= speech).sum(axis=0) >= SPEECH_TICKS
        self.silent_ticks = np.where(speaks, 0, self.silent_ticks + HOP_TICKS)
