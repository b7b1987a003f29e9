"""The packets of all legs sent by ``sendmmsg``, several to one peer as one message (UDP GSO)."""

from __future__ import annotations

import ctypes
import errno
import socket
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu.media import mmsg
from mcu.media.batch import SLOTS, Committed, Owner, PacketBatch, Rank, Target, cut
from mcu.media.mmsg import SocketPath
from mcu.media.srtp import address_of

_pack_message = mmsg.MESSAGE.pack_into

_NOT_SEGMENTED = (errno.EINVAL, errno.EIO, errno.EOPNOTSUPP, errno.EMSGSIZE, errno.ENOPROTOOPT)
"""No checksum offload on the way out, a path's MTU below a segment, or no such feature."""

_WORDS = mmsg.MESSAGE_BYTES // 8
_IOVECS, _IOVEC_COUNT, _CONTROL, _CONTROL_SIZE = 2, 3, 4, 5
"""Where in a message, in words of eight bytes; the peer's name and its length come before."""
_SEGMENT_SIZE_AT = 8
"""Where in control data the size of a segment stands, in words of two bytes."""


class MmsgRank(Rank):
    """A rank's messages and control data, but for what differs from packet to packet.

    ``messages``: uint64 (owners, _WORDS). ``controls``: uint8 (owners, CONTROL_BYTES), with the
    head that has a message cut. ``control_sizes``: uint64 (owners,), of those.
    """

    def __init__(self, owners: Sequence[Owner]) -> None:
        super().__init__(owners)
        count = len(owners)
        self.messages: npt.NDArray[np.uint64] = np.zeros((count, _WORDS), np.uint64)
        self.controls: npt.NDArray[np.uint8] = np.zeros((count, mmsg.CONTROL_BYTES), np.uint8)
        head = mmsg.SEGMENT_CONTROL
        for number, target in enumerate(self.targets):
            self.messages[number, :_IOVECS] = target.peer
            self.messages[number, _CONTROL : _CONTROL_SIZE + 1] = target.local
            control = _segment_control(0) + target.control
            self.controls[number, : len(control)] = np.frombuffer(control, np.uint8)
        self.control_sizes = self.messages[:, _CONTROL_SIZE] + np.uint64(head.size)


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
        self._message_words = np.frombuffer(self._messages, np.uint64).reshape(-1, _WORDS)
        self._controls = memoryview(bytearray(SLOTS * mmsg.CONTROL_BYTES))
        self._controls_address = address_of(self._controls)
        self._control_bytes = np.frombuffer(self._controls, np.uint8).reshape(SLOTS, -1)
        self._iovec_addresses = [
            self._iovecs_address + mmsg.IOVEC.size * slot for slot in range(SLOTS)
        ]
        self._iovec_column = np.array(self._iovec_addresses, np.uint64)
        self._control_column = self._controls_address + np.arange(
            0, SLOTS * mmsg.CONTROL_BYTES, mmsg.CONTROL_BYTES, dtype=np.uint64
        )
        self._owners: list[Committed] = []

    def target(self, address: Any) -> Target:
        """See ``PacketBatch``."""
        if isinstance(address, SocketPath):
            return Target(address, address.name, address.local)
        return Target(address, mmsg.pack_name(self._socket.family, address))

    def segments(self, target: Target) -> bool:
        """See ``PacketBatch``."""
        return self._segment and target.segmented

    def rank(self, owners: Sequence[Owner]) -> MmsgRank:
        """See ``PacketBatch``."""
        return MmsgRank(owners)

    def commit(self, owner: Owner, count: int) -> None:
        """See ``PacketBatch``. Cost: one message per run of equal sizes, the last may be less."""
        target = owner.target
        if target is None:
            return
        first = self.used
        self.used = end = first + count
        if count == 1:
            self._add(owner, target, first, 1)
        elif self.segments(target):
            for run in cut(self.sizes[first:end].tolist()):
                self._add(owner, target, first, run)
                first += run
        else:
            for slot in range(first, end):
                self._add(owner, target, slot, 1)

    def commit_rank(self, rank: Rank, runs: Sequence[int]) -> None:
        """See ``PacketBatch``. Cost: the same however many owners, but for what numpy takes."""
        assert isinstance(rank, MmsgRank)  # noqa: S101 whoever commits got it from this batch
        owners, step = len(rank.owners), sum(runs)
        first, end = self.used, self.used + owners * step
        for run in runs:
            number = len(self._owners)
            messages = self._message_words[number : number + owners]
            messages[:] = rank.messages
            messages[:, _IOVECS] = self._iovec_column[first:end:step]
            messages[:, _IOVEC_COUNT] = run
            if run > 1:
                controls = self._control_bytes[number : number + owners]
                controls[:] = rank.controls
                controls.view(np.uint16)[:, _SEGMENT_SIZE_AT] = self.sizes[first:end:step]
                messages[:, _CONTROL] = self._control_column[number : number + owners]
                messages[:, _CONTROL_SIZE] = rank.control_sizes
            self._owners.extend(
                zip(rank.owners, rank.targets, range(first, end, step), repeat(run), strict=False)
            )
            first += run
        self.used = end

    def flush(self) -> None:
        """See ``PacketBatch``."""
        owners = self._owners
        self.used = 0
        if not owners:
            return
        self._owners = []
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

    def _add(self, owner: Owner, target: Target, slot: int, packets: int) -> None:
        number = len(self._owners)
        control, control_bytes = target.local
        if packets > 1:
            at = mmsg.CONTROL_BYTES * number
            data = _segment_control(self.lengths[2 * slot + 1]) + target.control
            self._controls[at : at + len(data)] = data
            control, control_bytes = self._controls_address + at, len(data)
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
        owner.changed()
        at = self._messages_address + mmsg.MESSAGE_BYTES * SLOTS
        for one in range(slot, slot + packets):
            self._write(SLOTS, target, one, 1, *target.local)
            if self._send(descriptor, at, 1, mmsg.MSG_DONTWAIT) != 1:
                owner.dropped += 1


def _segment_control(size: int) -> bytes:
    return mmsg.SEGMENT_CONTROL.pack(
        mmsg.SEGMENT_CONTROL_BYTES, mmsg.SOL_UDP, mmsg.UDP_SEGMENT, size
    )
