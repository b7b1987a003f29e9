"""Outgoing datagrams of all legs, written into one memory and handed to the kernel together.

``SendStream`` writes and protects packets in free slots and commits them to a leg's path;
``flush`` sends what was committed, in order. Whoever commits sees to the flush before control
goes back to the loop: ``FanOut`` after each slice and after the packets of one sound,
``SendStream.repeat`` and ``MediaPort.transmit`` at their end.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mcu.media import mmsg
from mcu.media.mmsg import SocketPath
from mcu.media.srtp import BUFFER_BYTES, address_of

_pack_message = mmsg.MESSAGE.pack_into

SLOTS = 128
SLOT_BYTES = BUFFER_BYTES

SendTo = Callable[[memoryview, Any], Any]
"""``socket.sendto``; the memory is reused, so whoever keeps the datagram copies it.
Raises BlockingIOError when the socket's buffer is full."""

_NOT_SEGMENTED = (errno.EINVAL, errno.EIO, errno.EOPNOTSUPP, errno.EMSGSIZE, errno.ENOPROTOOPT)
"""No checksum offload on the way out, a path's MTU below a segment, or no such feature."""


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


Committed = tuple[Owner, Target, int, int]
"""A message: whose it is, where it goes, its first slot and how many packets it is cut into."""


class PacketBatch(ABC):
    """Slots to write packets into. Two ways to send them are its subclasses.

    Packets are written at ``offsets[slot]`` of ``view`` from slot ``used`` on, their length at
    ``lengths[2 * slot + 1]``; libsrtp takes the same as ``addresses`` and ``length_addresses``.
    The lengths stand in ``struct iovec``, where the kernel reads them.
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
        self.used = 0
        """Slots that are committed."""

    def target(self, address: Any) -> Target:
        """The form of an address that ``commit`` takes."""
        return Target(address)

    def free_slot(self) -> int:
        """A slot to write into; flushes when all are taken."""
        if self.used == SLOTS:
            self.flush()
        return self.used

    @abstractmethod
    def commit(self, owner: Owner, count: int) -> None:
        """The ``count`` slots from ``used`` on hold packets for ``owner``, who has a target."""

    @abstractmethod
    def flush(self) -> None:
        """Send what was committed; what the socket refuses is counted with its owner."""


class SendtoBatch(PacketBatch):
    """Sends datagram by datagram: where ``sendmmsg`` is missing, and in virtual time."""

    def __init__(self, sendto: SendTo) -> None:
        super().__init__()
        self._sendto = sendto
        self._committed: list[tuple[Owner, Any, int]] = []

    def commit(self, owner: Owner, count: int) -> None:
        """See ``PacketBatch``."""
        if owner.target is not None:
            self._committed.append((owner, owner.target.address, count))
            self.used += count

    def flush(self) -> None:
        """See ``PacketBatch``."""
        committed, self._committed = self._committed, []
        self.used = slot = 0
        for owner, address, count in committed:
            for one in range(slot, slot + count):
                at = self.offsets[one]
                try:
                    self._sendto(self.view[at : at + self.lengths[2 * one + 1]], address)
                except OSError:
                    owner.dropped += 1
            slot += count


class MmsgBatch(PacketBatch):
    """Sends by ``sendmmsg``; packets of one size to one peer as one message that the kernel cuts.

    The kernel does most of its work per message, not per datagram (UDP GSO). A path that refuses
    such a message gets its packets one by one from then on.

    Args:
        sock: non-blocking; not owned. segment: use GSO, where the kernel has it.
    """

    def __init__(
        self, sock: socket.socket, calls: mmsg.SystemCalls, *, segment: bool = True
    ) -> None:
        super().__init__()
        self._socket = sock
        self._send = calls.send
        self._segment = segment and mmsg.can_segment(sock)
        # One more than slots, for what is sent again.
        self._messages = memoryview(bytearray((SLOTS + 1) * mmsg.MESSAGE_BYTES))
        self._messages_address = address_of(self._messages)
        self._controls = memoryview(bytearray(SLOTS * mmsg.CONTROL_BYTES))
        self._controls_address = address_of(self._controls)
        self._iovec_addresses = [
            self._iovecs_address + mmsg.IOVEC.size * slot for slot in range(SLOTS)
        ]
        self._owners: list[Committed] = []

    def target(self, address: Any) -> Target:
        """See ``PacketBatch``."""
        if isinstance(address, SocketPath):
            return Target(address, address.name, address.local)
        return Target(address, mmsg.pack_name(self._socket.family, address))

    def commit(self, owner: Owner, count: int) -> None:
        """See ``PacketBatch``. Cost: one message per run of equal sizes, the last may be less."""
        target = owner.target
        if target is None:
            return
        first = self.used
        self.used = end = first + count
        if count == 1:
            # Sound, for which this is most of what is done beside encryption: no further calls.
            number = len(self._owners)
            _pack_message(
                self._messages,
                mmsg.MESSAGE_BYTES * number,
                *target.peer,
                self._iovec_addresses[first],
                1,
                *target.local,
            )
            self._owners.append((owner, target, first, 1))
            return
        if not (self._segment and target.segmented):
            for slot in range(first, end):
                self._add(owner, target, slot, 1, 0)
            return
        sizes = self.lengths[2 * first + 1 : 2 * end : 2].tolist()
        begin = 0
        while begin < count:
            size = sizes[begin]
            most = min(count, begin + mmsg.MAX_SEGMENTS, begin + mmsg.MAX_MESSAGE_BYTES // size)
            stop = begin + 1
            while stop < most and sizes[stop] == size:
                stop += 1
            if stop < most and sizes[stop] < size:
                stop += 1
            self._add(owner, target, first + begin, stop - begin, size)
            begin = stop

    def flush(self) -> None:
        """See ``PacketBatch``."""
        owners = self._owners
        if not owners:
            return
        self._owners = []
        self.used = 0
        self._send_run(owners, 0, len(owners), self._socket.fileno())

    def _send_run(self, owners: Sequence[Committed], done: int, end: int, descriptor: int) -> None:
        """Send the messages from ``done`` to ``end`` from one socket.

        Args:
            descriptor: of the socket; -1 once it is closed, never another's.
        """
        while done < end:
            at = self._messages_address + mmsg.MESSAGE_BYTES * done
            sent = self._send(descriptor, at, end - done, mmsg.MSG_DONTWAIT)
            if sent > 0:
                done += sent
                continue
            error = ctypes.get_errno()
            if error == errno.EINTR:
                continue
            if error == errno.EAGAIN:
                for owner, _, _, packets in owners[done:end]:
                    owner.dropped += packets
                return
            self._refused(owners[done], error, descriptor)
            done += 1

    def _add(self, owner: Owner, target: Target, slot: int, packets: int, size: int) -> None:
        number = len(self._owners)
        control, control_bytes = target.local
        if packets > 1:
            at = mmsg.CONTROL_BYTES * number
            mmsg.SEGMENT_CONTROL.pack_into(
                self._controls,
                at,
                mmsg.SEGMENT_CONTROL_BYTES,
                mmsg.SOL_UDP,
                mmsg.UDP_SEGMENT,
                size,
            )
            control = self._controls_address + at
            at += mmsg.SEGMENT_CONTROL.size
            self._controls[at : at + control_bytes] = target.control
            control_bytes += mmsg.SEGMENT_CONTROL.size
        self._write(number, target, slot, packets, control, control_bytes)
        # Holds what the pointers point to until it is sent.
        self._owners.append((owner, target, slot, packets))

    def _write(
        self, number: int, target: Target, slot: int, packets: int, control: int, size: int
    ) -> None:
        _pack_message(
            self._messages,
            mmsg.MESSAGE_BYTES * number,
            *target.peer,
            self._iovec_addresses[slot],
            packets,
            control,
            size,
        )

    def _refused(self, refused: Committed, error: int, descriptor: int) -> None:
        """The kernel refused a message: its packets one by one, if that may help."""
        owner, target, slot, packets = refused
        if packets == 1 or error not in _NOT_SEGMENTED:
            owner.dropped += packets
            return
        target.segmented = False
        at = self._messages_address + mmsg.MESSAGE_BYTES * SLOTS
        for one in range(slot, slot + packets):
            self._write(SLOTS, target, one, 1, *target.local)
            if self._send(descriptor, at, 1, mmsg.MSG_DONTWAIT) != 1:
                owner.dropped += 1
