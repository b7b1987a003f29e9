"""Outgoing datagrams of all legs, written into one memory and handed to the kernel together.

``SendStream`` and ``Convoy`` write and protect packets in free slots and commit them to paths;
``flush`` sends what was committed, in order. Whoever commits sees to the flush before control
goes back to the loop: ``FanOut`` after each slice and after the packets of one sound,
``SendStream.repeat`` and ``MediaPort.transmit`` at their end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mcu.media import mmsg
from mcu.media.srtp import BUFFER_BYTES, address_of, argument

SLOTS = 256
SLOT_BYTES = BUFFER_BYTES

SendTo = Callable[[memoryview, Any], Any]
"""``socket.sendto``; the memory is reused, so whoever keeps the datagram copies it.
Raises BlockingIOError when the socket's buffer is full."""


class Target:
    """A peer's address in the form its batch sends to; made once per change of address."""

    __slots__ = ("address", "control", "local", "name", "peer", "segmented")

    def __init__(self, address: Any, name: bytes = b"", control: bytes = b"") -> None:
        self.address = address
        self.name = memoryview(bytearray(name or b"\0"))
        self.control = memoryview(bytearray(control))
        self.peer = (address_of(self.name), len(self.name))
        """Where the peer's ``sockaddr`` is, and its length; the same of our control data:"""
        self.local = (address_of(self.control) if control else 0, len(self.control))
        self.segmented = True
        """Not refused so far on this path."""


class Owner(Protocol):
    """Whose packets they are: where to send them, and what counts those the socket refused."""

    target: Target | None
    dropped: int

    def changed(self) -> None:
        """The kernel does not cut messages into datagrams for the target any more."""


Committed = tuple[Owner, Target, int, int]
"""A message: whose it is, where it goes, its first slot and how many packets it is cut into."""


class Rank:
    """Owners that are sent the same packets, with what is the same in each of their messages.

    Args:
        owners: all of which have a target; whoever keeps a rank makes it anew when one changes.
    """

    def __init__(self, owners: Sequence[Owner]) -> None:
        self.owners = owners
        self.targets = [owner.target for owner in owners if owner.target is not None]


class PacketBatch(ABC):
    """Slots to write packets into. Two ways to send them are its subclasses.

    One packet is written at ``offsets[slot]`` of ``view`` from slot ``used`` on, its length at
    ``lengths[2 * slot + 1]``; libsrtp takes the same as ``addresses`` and ``length_addresses``.
    The lengths stand in ``struct iovec``, where the kernel reads them.

    Many at once are written into ``slots``, uint8 (SLOTS, SLOT_BYTES), and ``sizes``, uint64
    (SLOTS,), the same memory; ``arguments`` and ``size_arguments`` are what ``protect_many`` takes.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(SLOTS * SLOT_BYTES))
        base = address_of(self.view)
        self.offsets = [SLOT_BYTES * slot for slot in range(SLOTS)]
        self.addresses = [base + offset for offset in self.offsets]
        self._iovecs = memoryview(bytearray(SLOTS * mmsg.IOVEC.size))
        self.lengths = self._iovecs.cast("Q")
        self._iovecs_address = address_of(self._iovecs)
        self.length_addresses = [
            self._iovecs_address + mmsg.IOVEC.size * slot + mmsg.IOVEC_LENGTH_AT
            for slot in range(SLOTS)
        ]
        for slot, address in enumerate(self.addresses):
            self.lengths[2 * slot] = address
        self.slots: npt.NDArray[np.uint8] = np.frombuffer(self.view, np.uint8).reshape(SLOTS, -1)
        self.sizes: npt.NDArray[np.uint64] = np.frombuffer(self.lengths, np.uint64)[1::2]
        self.arguments = [argument(one) for one in self.addresses]
        self.size_arguments = [argument(one) for one in self.length_addresses]
        self.used = 0
        """Slots that are committed."""

    def target(self, address: Any) -> Target:
        """The form of an address that ``commit`` takes."""
        return Target(address)

    def segments(self, target: Target) -> bool:
        """Whether several packets to a peer go as one message that the kernel cuts."""
        return False

    def free_slot(self) -> int:
        """A slot to write into; flushes when all are taken."""
        return self.free_slots(1)

    def free_slots(self, count: int) -> int:
        """The first of so many slots to write into; flushes when there are not as many."""
        if self.used + count > SLOTS:
            self.flush()
            self.used = 0
        return self.used

    def skip(self, count: int) -> None:
        """Leave slots out that were written in vain."""
        self.used += count

    def rank(self, owners: Sequence[Owner]) -> Rank:
        """Owners in the form that ``commit_rank`` takes."""
        return Rank(owners)

    @abstractmethod
    def commit(self, owner: Owner, count: int) -> None:
        """The ``count`` slots from ``used`` on hold packets for ``owner``, who has a target."""

    @abstractmethod
    def commit_rank(self, rank: Rank, runs: Sequence[int]) -> None:
        """The slots from ``used`` on hold packets for each owner, one owner after the other.

        Args:
            runs: each owner's packets, in runs of which each may go as one message; as from
                ``cut`` where ``segments`` says so of all targets, otherwise of one packet each.
        """

    @abstractmethod
    def flush(self) -> None:
        """Send what was committed; what the socket refuses is counted with its owner."""


class SendtoBatch(PacketBatch):
    """Sends datagram by datagram: where ``sendmmsg`` is missing, and in virtual time."""

    def __init__(self, sendto: SendTo) -> None:
        super().__init__()
        self._sendto = sendto
        self._committed: list[tuple[Owner, Any, int, int]] = []

    def commit(self, owner: Owner, count: int) -> None:
        """See ``PacketBatch``."""
        if owner.target is not None:
            self._committed.append((owner, owner.target.address, self.used, count))
            self.used += count

    def commit_rank(self, rank: Rank, runs: Sequence[int]) -> None:
        """See ``PacketBatch``."""
        count = sum(runs)
        firsts = range(self.used, self.used + count * len(rank.owners), count)
        addresses = [target.address for target in rank.targets]
        self._committed.extend(zip(rank.owners, addresses, firsts, repeat(count), strict=False))
        self.used = firsts.stop

    def flush(self) -> None:
        """See ``PacketBatch``."""
        committed, self._committed = self._committed, []
        self.used = 0
        for owner, address, first, count in committed:
            for one in range(first, first + count):
                at = self.offsets[one]
                try:
                    self._sendto(self.view[at : at + self.lengths[2 * one + 1]], address)
                except OSError:
                    owner.dropped += 1


def cut(sizes: Sequence[int]) -> list[int]:
    """Runs of packets that may go as one message: equal sizes, of which the last may be less.

    Returns: how many packets each run has; never more than the kernel cuts.
    """
    runs = []
    begin, count = 0, len(sizes)
    while begin < count:
        size = sizes[begin]
        most = min(count, begin + mmsg.MAX_SEGMENTS, begin + mmsg.MAX_MESSAGE_BYTES // size)
        stop = begin + 1
        while stop < most and sizes[stop] == size:
            stop += 1
        if stop < most and sizes[stop] < size:
            stop += 1
        runs.append(stop - begin)
        begin = stop
    return runs
