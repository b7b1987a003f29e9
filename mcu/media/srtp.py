"""SRTP sessions over pylibsrtp's libsrtp, without its copies and without giving up the GIL.

``pylibsrtp.Session.protect`` makes an int, a slice and two byte strings per call; here a packet is
protected or opened in the memory it lies in. Its cffi functions also release the GIL around each
call of less than a microsecond. With codec threads beside, every release is a chance to wait for
one of them, 29,000 times a second; so the same functions are called through ``ctypes``, which
keeps it (``bench.kernels_send --contended`` measures both).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import pylibsrtp
from pylibsrtp import Policy
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found, unused-ignore]

BUFFER_BYTES: Final = 2304
MAX_DATAGRAM_BYTES: Final = 2048
"""Longest datagram handled; the rest of the buffer is room for trailers."""

REPLAY_WINDOW_PACKETS: Final = 1024
"""Also how far back a plain retransmission may reach: libsrtp refuses older ones."""

PROFILES: Final = {
    "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "AES128_CM_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES128_CM_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
"""libsrtp's numbers by the names of RFC 5764 and RFC 7714; the last is for SDES alone."""

_REASONS: Final = {7: "authentication", 9: "replay", 10: "replay", 13: "unknown_stream"}


class SrtpError(Exception):
    """A packet that libsrtp refused; ``reason`` is a short name for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_Function = Callable[[int, int, int], int]


def _pointer(name: str) -> int:
    return int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))


def _keeping_the_gil(name: str) -> _Function:
    """``(srtp_t, packet, pointer to its length) -> status``; all three are addresses."""
    three = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    return ctypes.PYFUNCTYPE(ctypes.c_int, *three)(_pointer(name))


protect_in_place = _keeping_the_gil("srtp_protect")
"""0 when the packet is protected and its length grown; the memory behind it has room for that."""

Argument = object
"""An address in the form ctypes passes on as it is."""


def argument(address: int) -> Argument:
    """An address for ``protect_many``; nothing is read from it here."""
    return ctypes.byref(ctypes.c_char.from_address(address))


# These take what ``argument`` gives and convert nothing, for which ctypes takes 0.1 us a packet.
_protect_arguments = ctypes.PYFUNCTYPE(ctypes.c_int)(_pointer("srtp_protect"))
_unprotect_arguments = ctypes.PYFUNCTYPE(ctypes.c_int)(_pointer("srtp_unprotect"))

_protect_rtcp = ctypes.PYFUNCTYPE(ctypes.c_int)(_pointer("srtp_protect_rtcp"))
_unprotect_rtcp = ctypes.PYFUNCTYPE(ctypes.c_int)(_pointer("srtp_unprotect_rtcp"))


def protect_many(
    handles: Iterable[Argument], packets: Iterable[Argument], lengths: Iterable[Argument]
) -> list[int]:
    """Protect packets, each where it lies; as long as the shortest of the three.

    Args:
        handles: of ``srtp_t``. packets, lengths: of the packets, with room for the trailer, and
            of their lengths (four bytes).
    Returns: a status for each, 0 where it is protected.
    Cost: 0.4 us a packet, without a step of the interpreter between them.
    """
    return list(map(_protect_arguments, handles, packets, lengths))


def unprotect_many(
    handles: Iterable[Argument | None], packets: Iterable[Argument], lengths: Iterable[Argument]
) -> list[int]:
    """Open packets, each where it lies; as ``protect_many``. A status is what ``reason`` names."""
    return list(map(_unprotect_arguments, handles, packets, lengths))


def reason(status: int) -> str:
    """Why libsrtp refused a packet: a short name for counting."""
    return _REASONS.get(status, "malformed")


class PacketBuffer:
    """Memory in which one packet is written, protected or opened.

    Args:
        memory: of at least BUFFER_BYTES, writable, and where it begins; owned when None.
        length: of 4 bytes, where libsrtp reads and writes how long the packet is.

    ``view`` and ``length[0]`` are for Python, ``address`` and ``length_address`` for libsrtp,
    ``arguments`` both of them.
    """

    __slots__ = ("address", "arguments", "length", "length_address", "view")

    def __init__(self, memory: memoryview | None = None, length: memoryview | None = None) -> None:
        self.view = memoryview(bytearray(BUFFER_BYTES)) if memory is None else memory
        self.length = (memoryview(bytearray(4)) if length is None else length).cast("i")
        self.address = address_of(self.view)
        self.length_address = address_of(self.length)
        self.arguments = (argument(self.address), argument(self.length_address))

    def write(self, packet: bytes | memoryview) -> None:
        """Copy a packet into the memory.

        Raises:
            SrtpError: it is longer than MAX_DATAGRAM_BYTES.
        """
        size = len(packet)
        if size > MAX_DATAGRAM_BYTES:
            raise SrtpError("too_long")
        self.view[:size] = packet
        self.length[0] = size

    def bytes(self) -> bytes:
        """A copy of the packet."""
        return bytes(self.view[: self.length[0]])


def address_of(view: memoryview) -> int:
    """Where writable memory begins; it must not move or go away while the address is in use."""
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


class SrtpSession:
    """One direction of one leg's SRTP and SRTCP.

    Args:
        key: master key followed by master salt. profile: a name in ``PROFILES``, or
            libsrtp's number.
        outbound: we protect with it; otherwise we open with it.
    Raises:
        ValueError: the key is too short for the profile. KeyError: unknown profile.
    """

    __slots__ = ("_buffer", "_session", "argument", "handle")

    def __init__(
        self, key: bytes, profile: str | int, buffer: PacketBuffer, *, outbound: bool
    ) -> None:
        policy = Policy(
            key=key,
            ssrc_type=Policy.SSRC_ANY_OUTBOUND if outbound else Policy.SSRC_ANY_INBOUND,
            srtp_profile=PROFILES[profile] if isinstance(profile, str) else profile,
        )
        policy.window_size = REPLAY_WINDOW_PACKETS
        # A plain retransmission protects the same bytes under the same index again; SendStream
        # sees to it that they are the same, or GCM would leak its authentication key.
        policy.allow_repeat_tx = outbound
        self._session = pylibsrtp.Session(policy)
        self._buffer = buffer
        self.handle = int(ffi.cast("uintptr_t", self._session._srtp[0]))
        """Address of the ``srtp_t``, for loops that call ``protect_in_place`` themselves; valid
        while this object lives."""
        self.argument = argument(self.handle)
        """The same for ``unprotect_many``."""

    def forget(self, ssrc: int) -> None:
        """Drop the state of one SSRC, so that a peer cannot pile them up."""
        # libsrtp knows it only if a packet of it was authentic.
        with suppress(pylibsrtp.Error):
            self._session.remove_stream(ssrc)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """SRTCP datagram of a compound packet.

        Raises:
            SrtpError: libsrtp refused, or the packet is too long.
        """
        self._buffer.write(packet)
        buffer = self._buffer
        status = _protect_rtcp(self.argument, *buffer.arguments)
        if status:
            raise SrtpError(reason(status))
        return buffer.bytes()

    def unprotect_rtcp(self, datagram: bytes) -> bytes:
        """Compound packet of an SRTCP datagram.

        Raises:
            SrtpError: authentication, replay, malformed or too long.
        """
        self._buffer.write(datagram)
        return self.open_rtcp(self._buffer)

    def unprotect(self, datagram: bytes) -> int:
        """Open an SRTP datagram into the session's buffer; returns the packet's length there.

        Raises:
            SrtpError: authentication, replay, malformed or too long.
        """
        self._buffer.write(datagram)
        return self.open(self._buffer)

    def open(self, packet: PacketBuffer) -> int:
        """Open an SRTP datagram where it lies; returns the packet's length.

        Raises:
            SrtpError: authentication, replay or malformed.
        """
        status = _unprotect_arguments(self.argument, *packet.arguments)
        if status:
            raise SrtpError(reason(status))
        return packet.length[0]

    def open_rtcp(self, packet: PacketBuffer) -> bytes:
        """Compound packet of an SRTCP datagram, which is opened where it lies.

        Raises:
            SrtpError: authentication, replay or malformed.
        """
        status = _unprotect_rtcp(self.argument, *packet.arguments)
        if status:
            raise SrtpError(reason(status))
        return packet.bytes()
