"""A short queue of samples whose front can be looked at and rewritten."""

import numpy as np

from mixer.audio.block import Int16Block


class SampleFifo:
    """Bounded first-in first-out memory of int16 samples.

    Args:
        capacity: samples held at most.
    """

    def __init__(self, capacity: int) -> None:
        self._memory = np.zeros(capacity, np.int16)
        self._start = 0
        self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    def push(self, block: Int16Block) -> None:
        """Append a copy of ``block``.

        Raises:
            OverflowError: more than the capacity would be held.
        """
        count = len(block)
        if self._end + count > len(self._memory):
            held = self._end - self._start
            if held + count > len(self._memory):
                raise OverflowError(f"{held + count} samples in a queue of {len(self._memory)}")
            self._memory[:held] = self._memory[self._start : self._end].copy()
            self._start, self._end = 0, held
        self._memory[self._end : self._end + count] = block
        self._end += count

    def pop(self, count: int) -> Int16Block:
        """Take ``count`` samples (a copy). Raises ValueError when fewer are held."""
        if count > len(self):
            raise ValueError(f"{count} samples wanted of {len(self)}")
        block = self._memory[self._start : self._start + count].copy()
        self._start += count
        return block

    def peek(self, count: int) -> Int16Block:
        """The first ``count`` samples as a view, or all there are."""
        return self._memory[self._start : min(self._start + count, self._end)]

    def replace(self, count: int, block: Int16Block) -> None:
        """Put ``block`` where the first ``count`` samples were."""
        rest = self._memory[self._start + count : self._end].copy()
        self._start = self._end = 0
        self.push(block)
        self.push(rest)
