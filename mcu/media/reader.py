"""Incoming datagrams of a turn, read into slots where they are opened without being copied."""

from __future__ import annotations

import socket
import time
from collections.abc import Hashable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mcu.media import mmsg
from mcu.media.mmsg import SocketPath
from mcu.media.slots import Slots
from mcu.media.srtp import BUFFER_BYTES, PacketBuffer, address_of

DATAGRAMS_PER_WAKE = 128
"""A tick of a hundred rooms' sound. Then the loop runs what else is due; the rest waits in the
kernel for the next turn."""


MAX_WAIT_S = 0.1
"""A datagram that seems to have waited longer in the kernel came when the wall clock was set."""


_STAMPED = mmsg.SO_TIMESTAMPNS << 32 | socket.SOL_SOCKET
_SECONDS = 2
"""Level and kind of ``mmsg.STAMP`` as one number, and where its times begin, in numbers."""


class Reader(Protocol):
    """Reads up to ``DATAGRAMS_PER_WAKE`` at once."""

    @property
    def packets(self) -> Sequence[PacketBuffer]:
        """One slot each; the first ones hold what the last ``read`` gave, until the next."""

    @property
    def slots(self) -> Slots | None:
        """The same in columns; None where one by one is all."""

    def turn_to(self, sock: socket.socket) -> None:
        """Read another socket of the same family from now on."""

    def read(self, now: float) -> int:
        """Read what waits; gives how many.

        Raises:
            BlockingIOError: nothing waits. OSError: the socket told of an error.
        """

    def key(self, number: int) -> Hashable:
        """Tells peers apart, cheaply."""

    def keys(self) -> Sequence[Hashable]:
        """``key`` of each that was read."""

    def arrived_at(self, number: int) -> float:
        """When a datagram came, on the clock of the ``now`` it was read at, and not after it."""

    def arrivals(self) -> npt.NDArray[np.float64]:
        """``arrived_at`` of each that was read."""

    def address(self, number: int) -> Any:
        """Where a datagram came from, as the batch of the same socket takes it."""


class RecvfromReader:
    """One system call per datagram: where ``recvmmsg`` is missing."""

    def __init__(self, sock: socket.socket) -> None:
        self.packets = [PacketBuffer() for _ in range(DATAGRAMS_PER_WAKE)]
        self.slots = None
        self._socket = sock
        self._addresses: list[Any] = []
        self._now = 0.0
        self._error: OSError | None = None

    def turn_to(self, sock: socket.socket) -> None:
        """See ``Reader``."""
        self._socket = sock
        self._error = None

    def read(self, now: float) -> int:
        """See ``Reader``."""
        self._now = now
        error, self._error = self._error, None
        if error is not None:
            raise error
        self._addresses.clear()
        for packet in self.packets:
            try:
                packet.length[0], address = self._socket.recvfrom_into(packet.view)
            except OSError as error:
                if not self._addresses:
                    raise
                if not isinstance(error, BlockingIOError):
                    self._error = error
                break
            self._addresses.append(address)
        return len(self._addresses)

    def key(self, number: int) -> Hashable:
        """See ``Reader``."""
        return tuple(self._addresses[number])

    def keys(self) -> list[Hashable]:
        """See ``Reader``."""
        return [tuple(one) for one in self._addresses]

    def arrived_at(self, number: int) -> float:
        """See ``Reader``: that it was read is all that is known."""
        return self._now

    def arrivals(self) -> npt.NDArray[np.float64]:
        """See ``Reader``."""
        return np.full(len(self._addresses), self._now)

    def address(self, number: int) -> Any:
        """See ``Reader``."""
        return self._addresses[number]


class MmsgReader:
    """One system call per turn.

    Args:
        sock: non-blocking; not owned. Where it was asked for times (``mmsg.ask_for_times``),
            datagrams arrived when the kernel had them, however late they are read.
    """

    def __init__(self, sock: socket.socket, calls: mmsg.SystemCalls) -> None:
        self._socket = sock
        self._receive = calls.receive
        count = DATAGRAMS_PER_WAKE
        self._messages = memoryview(bytearray(count * mmsg.MESSAGE_BYTES))
        self._messages_address = address_of(self._messages)
        slots = memoryview(bytearray(count * BUFFER_BYTES))
        names = memoryview(bytearray(count * mmsg.NAME_BYTES))
        self._controls = memoryview(bytearray(count * mmsg.CONTROL_BYTES))
        self._iovecs = memoryview(bytearray(count * mmsg.IOVEC.size))
        self._filled = 0
        self._now = self._wall_offset = 0.0
        self.packets: list[PacketBuffer] = []
        name_bytes = len(mmsg.pack_name(sock.family, sock.getsockname()))
        self._names: list[memoryview] = []
        for number in range(count):
            message = mmsg.MESSAGE_BYTES * number
            length = self._messages[message + mmsg.MESSAGE_LENGTH_AT :][:4]
            packet = PacketBuffer(slots[BUFFER_BYTES * number :][:BUFFER_BYTES], length)
            self.packets.append(packet)
            name = names[mmsg.NAME_BYTES * number :][:name_bytes]
            self._names.append(name)
            iovec = mmsg.IOVEC.size * number
            mmsg.IOVEC.pack_into(self._iovecs, iovec, packet.address, BUFFER_BYTES)
            mmsg.MESSAGE.pack_into(
                self._messages,
                message,
                address_of(name),
                name_bytes,
                address_of(self._iovecs) + iovec,
                1,
                address_of(self._controls) + mmsg.CONTROL_BYTES * number,
                mmsg.CONTROL_BYTES,
            )
        self._pristine = bytes(self._messages)
        sizes = np.frombuffer(self._messages, np.int32).reshape(count, -1)
        self.slots = Slots(slots, self.packets, sizes[:, mmsg.MESSAGE_LENGTH_AT // 4])
        octets = np.frombuffer(names, np.uint8).reshape(count, -1)
        self._keys = octets[:, :name_bytes].view(f"V{name_bytes}")[:, 0]
        self._stamps = np.frombuffer(self._controls, np.int64).reshape(count, -1)

    def turn_to(self, sock: socket.socket) -> None:
        """See ``Reader``."""
        self._socket = sock

    def read(self, now: float) -> int:
        """See ``Reader``. A datagram longer than its slot is cut off there."""
        # The kernel wrote lengths where it reads them.
        used = self._filled * mmsg.MESSAGE_BYTES
        self._messages[:used] = self._pristine[:used]
        self._filled = 0
        count = self._receive(
            self._socket.fileno(),
            self._messages_address,
            DATAGRAMS_PER_WAKE,
            mmsg.MSG_DONTWAIT,
            None,
        )
        if count < 0:
            raise mmsg.failed()
        self._filled = count
        self._now, self._wall_offset = now, time.time() - now
        return count

    def key(self, number: int) -> Hashable:
        """See ``Reader``: the bytes of the ``sockaddr``."""
        return self._names[number].tobytes()

    def keys(self) -> list[bytes]:
        """See ``Reader``."""
        keys: list[bytes] = self._keys[: self._filled].tolist()
        return keys

    def arrived_at(self, number: int) -> float:
        """See ``Reader``."""
        now = self._now
        stamp = mmsg.STAMP.unpack_from(self._controls, mmsg.CONTROL_BYTES * number)
        if stamp[2] != mmsg.SO_TIMESTAMPNS or stamp[1] != socket.SOL_SOCKET:
            return now
        at: float = stamp[3] - self._wall_offset + stamp[4] * 1e-9
        return at if now - MAX_WAIT_S < at < now else now

    def arrivals(self) -> npt.NDArray[np.float64]:
        """See ``Reader``."""
        now, stamps = self._now, self._stamps[: self._filled]
        at = stamps[:, _SECONDS] - self._wall_offset + stamps[:, _SECONDS + 1] * 1e-9
        known = (stamps[:, 1] == _STAMPED) & (at > now - MAX_WAIT_S) & (at < now)
        return np.where(known, at, now)

    def address(self, number: int) -> SocketPath:
        """See ``Reader``."""
        at = mmsg.MESSAGE_BYTES * number
        size = mmsg.MESSAGE.unpack_from(self._messages, at)[5]
        control = self._controls[mmsg.CONTROL_BYTES * number :][:size].tobytes()
        name = self._names[number].tobytes()
        return SocketPath(*mmsg.unpack_name(name), name, mmsg.answering_control(control))
