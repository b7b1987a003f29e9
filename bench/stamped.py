"""Datagrams of one socket after the other, each with the time at which the kernel had it.

The load generator shares the machine with what it measures. Whenever it gets round to reading, the
time is the kernel's (SO_TIMESTAMPNS, socket(7)), so its own delay is not taken for the server's;
and as reading can wait, one system call fetches what came within some milliseconds.
"""

import socket
import time

from mcu.media import mmsg
from mcu.media.srtp import address_of

DATAGRAMS = 64


class StampedReader:
    """Slots that any number of sockets are read into in turn.

    Args:
        slot_bytes: of each datagram as much is kept as fits.
    Raises:
        RuntimeError: the platform has no ``recvmmsg``.
    """

    def __init__(self, slot_bytes: int) -> None:
        calls = mmsg.system_calls()
        if calls is None:
            raise RuntimeError("the load generator needs recvmmsg, as 64-bit Linux has it")
        self._receive = calls.receive
        self._slot_bytes = slot_bytes
        self._slots = memoryview(bytearray(DATAGRAMS * slot_bytes))
        self._controls = memoryview(bytearray(DATAGRAMS * mmsg.CONTROL_BYTES))
        self._iovecs = memoryview(bytearray(DATAGRAMS * mmsg.IOVEC.size))
        self._messages = memoryview(bytearray(DATAGRAMS * mmsg.MESSAGE_BYTES))
        self._address = address_of(self._messages)
        for number in range(DATAGRAMS):
            slot = address_of(self._slots) + slot_bytes * number
            iovec = mmsg.IOVEC.size * number
            mmsg.IOVEC.pack_into(self._iovecs, iovec, slot, slot_bytes)
            mmsg.MESSAGE.pack_into(
                self._messages,
                mmsg.MESSAGE_BYTES * number,
                0,
                0,
                address_of(self._iovecs) + iovec,
                1,
                address_of(self._controls) + mmsg.CONTROL_BYTES * number,
                mmsg.CONTROL_BYTES,
            )
        self._pristine = bytes(self._messages)

    def read(self, sock: socket.socket) -> list[tuple[memoryview, float]]:
        """What waits, at most DATAGRAMS: its bytes, valid until the next call, and monotonic time.

        Raises:
            BlockingIOError: nothing waits. OSError: the socket told of an error.
        """
        self._messages[:] = self._pristine
        count = self._receive(sock.fileno(), self._address, DATAGRAMS, mmsg.MSG_DONTWAIT, None)
        if count < 0:
            raise mmsg.failed()
        now = time.monotonic()
        wall = time.time() - now
        datagrams = []
        for number in range(count):
            at = mmsg.MESSAGE_BYTES * number + mmsg.MESSAGE_LENGTH_AT
            length = int.from_bytes(self._messages[at : at + 4], "little")
            start = self._slot_bytes * number
            datagrams.append((self._slots[start : start + length], self._time(number, wall, now)))
        return datagrams

    def _time(self, number: int, wall: float, now: float) -> float:
        at = mmsg.CONTROL_BYTES * number
        _, level, kind, seconds, nanoseconds = mmsg.STAMP.unpack_from(self._controls, at)
        if (level, kind) != (socket.SOL_SOCKET, mmsg.SO_TIMESTAMPNS):
            return now
        return float(seconds - wall + nanoseconds * 1e-9)
