"""``sendmmsg(2)`` and ``recvmmsg(2)``: many datagrams by one system call, and the memory they read.

Called by ``ctypes`` out of the C library that Python runs on, so nothing has to be compiled. The
calls keep the GIL: they never wait (``MSG_DONTWAIT``), and a thread that gives the GIL up a
thousand times a second waits for it as often.

Layouts are those of 64-bit little-endian Linux; elsewhere ``system_calls`` gives None and the
caller sends and reads one by one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

MESSAGE_BYTES: Final = 64
"""``struct mmsghdr``; MESSAGE writes its ``msghdr`` but for the flags."""
MESSAGE: Final = struct.Struct("=QI4xQQQQ")
"""Name, its length, iovecs, their number, control data, its length; pointers are addresses."""
MESSAGE_LENGTH_AT: Final = 56
"""Offset of ``msg_len``, four bytes."""

IOVEC: Final = struct.Struct("=QQ")
IOVEC_LENGTH_AT: Final = 8

MSG_DONTWAIT: Final = 0x40

SOL_UDP: Final = 17
UDP_SEGMENT: Final = 103
MAX_SEGMENTS: Final = 64
MAX_MESSAGE_BYTES: Final = 65_000
"""What one message may be cut from (linux/udp.h, and the longest IP datagram)."""
SEGMENT_CONTROL: Final = struct.Struct("=QiiH6x")
SEGMENT_CONTROL_BYTES: Final = 18
"""``cmsg_len`` of it: its head of 16 bytes and 2 of data."""

IP_PKTINFO: Final = 8
IPV6_RECVPKTINFO: Final = 49
IPV6_PKTINFO: Final = 50
SO_TIMESTAMPNS: Final = 35
STAMP: Final = struct.Struct("=Qiiqq")
"""Control data that begins with the time of arrival: its length, level and kind, wall clock
seconds and nanoseconds (socket(7)). The kernel puts it before all other."""
CONTROL_BYTES: Final = 96
"""Room for the control data of one message in either direction."""

_CONTROL_HEAD: Final = struct.Struct("=Qii")
_PKTINFO4: Final = struct.Struct("=Qiii4s4s4x")
_PKTINFO6: Final = struct.Struct("=Qii16si4x")
_NAME4: Final = struct.Struct("=H2s4s8x")
_NAME6: Final = struct.Struct("=H2sI16sI")
NAME_BYTES: Final = _NAME6.size
_LINK_LOCAL: Final = b"\xfe\x80"


class _Header(ctypes.Structure):
    """``struct msghdr`` as a compiler lays it out, to compare ours with."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_bytes", ctypes.c_uint32),
        ("iovecs", ctypes.c_void_p),
        ("iovec_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_bytes", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """``struct mmsghdr``."""

    _fields_ = (("header", _Header), ("length", ctypes.c_uint))


class SystemCalls(NamedTuple):
    """Each gives what it did, or -1 with ``ctypes.get_errno()``.

    ``send(descriptor, messages, count, flags)``, ``receive(descriptor, messages, count, flags,
    timeout)``; ``messages`` is an address.
    """

    send: Callable[[int, int, int, int], int]
    receive: Callable[[int, int, int, int, None], int]


class SocketPath(NamedTuple):
    """Between whom a datagram travelled; begins as the socket module's addresses do.

    ``name`` is the peer's ``sockaddr``; ``local`` is control data which makes an answer leave
    from the address the peer sent to, empty where the socket is bound to one address.
    """

    host: str
    port: int
    name: bytes
    local: bytes


@cache
def system_calls() -> SystemCalls | None:
    """The two calls; None where the platform or the kernel has them not or lays out otherwise."""
    if sys.platform != "linux" or sys.byteorder != "little" or not _laid_out_as_expected():
        return None
    try:
        library = ctypes.PyDLL(None, use_errno=True)
        send, receive = library.sendmmsg, library.recvmmsg
    except (OSError, AttributeError):
        return None
    send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    receive.argtypes = (*send.argtypes, ctypes.c_void_p)
    calls = SystemCalls(send, receive)
    return calls if _answered(calls) else None


def _laid_out_as_expected() -> bool:
    return (
        ctypes.sizeof(ctypes.c_void_p) == 8
        and ctypes.sizeof(_Message) == MESSAGE_BYTES
        and _Header.iovecs.offset == 16
        and _Header.control.offset == 32
        and _Message.length.offset == MESSAGE_LENGTH_AT
    )


def _answered(calls: SystemCalls) -> bool:
    """Whether the kernel (or a filter before it) knows both: asked with nothing to do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        descriptor = sock.fileno()
        sent = calls.send(descriptor, 0, 0, MSG_DONTWAIT)
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        calls.receive(descriptor, ctypes.addressof(message), 1, MSG_DONTWAIT, None)
        return sent == 0 and ctypes.get_errno() == errno.EAGAIN


def failed() -> OSError:
    """The error of the call that just gave -1."""
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def can_segment(sock: socket.socket) -> bool:
    """Whether the kernel cuts a message into datagrams (UDP GSO, Linux 4.18)."""
    try:
        sock.getsockopt(SOL_UDP, UDP_SEGMENT)
    except OSError:
        return False
    return True


def ask_for_local_addresses(sock: socket.socket) -> None:
    """Have the socket tell with each datagram to which of our addresses it was sent.

    Raises:
        OSError: the kernel does not.
    """
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


def ask_for_times(sock: socket.socket) -> None:
    """Have the kernel note when datagrams come.

    Raises:
        OSError: the kernel does not.
    """
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def pack_name(family: int, address: tuple[object, ...]) -> bytes:
    """``sockaddr`` of ``(host, port)`` or ``(host, port, flow, scope)``.

    Raises:
        OSError: the host is no address of the family.
    """
    host, port = str(address[0]), int(str(address[1])).to_bytes(2, "big")
    packed = socket.inet_pton(family, host.partition("%")[0])
    if family == socket.AF_INET:
        return _NAME4.pack(family, port, packed)
    scope = int(str(address[3])) if len(address) > 3 else 0
    return _NAME6.pack(family, port, 0, packed, scope)


def unpack_name(name: bytes) -> tuple[str, int]:
    """Host and port of a ``sockaddr``."""
    if len(name) == _NAME4.size:
        _, port, packed = _NAME4.unpack(name)
        return socket.inet_ntop(socket.AF_INET, packed), int.from_bytes(port, "big")
    _, port, _, packed, _ = _NAME6.unpack(name)
    return socket.inet_ntop(socket.AF_INET6, packed), int.from_bytes(port, "big")


def answering_control(control: bytes) -> bytes:
    """Control data that sends from the address a datagram was sent to; empty: not told.

    Args:
        control: what came with it (RFC 3542 6.2, ip(7)). The interface is left to the routes,
            but for link-local addresses, which mean nothing without it.
    """
    at = 0
    while at + _CONTROL_HEAD.size <= len(control):
        size, level, kind = _CONTROL_HEAD.unpack_from(control, at)
        if size < _CONTROL_HEAD.size or at + size > len(control):
            break
        if (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
            _, _, _, local, interface = _PKTINFO6.unpack_from(control.ljust(at + 40, b"\0"), at)
            if not local.startswith(_LINK_LOCAL):
                interface = 0
            return _PKTINFO6.pack(36, level, kind, local, interface)
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, _, _, _, local, _ = _PKTINFO4.unpack_from(control.ljust(at + 32, b"\0"), at)
            return _PKTINFO4.pack(28, level, kind, 0, local, bytes(4))
        at += (size + 7) & ~7
    return b""
