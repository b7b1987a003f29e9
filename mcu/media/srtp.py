"""SRTP sessions over pylibsrtp's libsrtp, without its copies.

``pylibsrtp.Session.protect`` makes an int, a slice and two byte strings per call. All packets of
the process go through one thread, so one preallocated buffer serves every session: a packet is
written into it, protected or opened in place, and sent from there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

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
}
"""libsrtp's numbers by the names of RFC 5764 and RFC 7714."""

_REASONS: Final = {7: "authentication", 9: "replay", 10: "replay", 13: "unknown_stream"}


class SrtpError(Exception):
    """A packet that libsrtp refused; ``reason`` is a short name for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PacketBuffer:
    """Where packets are written, protected and opened; one per media port.

    ``cdata`` and ``length`` are libsrtp's arguments, ``view`` the same memory for Python.
    """

    __slots__ = ("cdata", "length", "view")

    def __init__(self) -> None:
        self.cdata: Any = ffi.new("unsigned char[]", BUFFER_BYTES)
        self.view: memoryview = memoryview(ffi.buffer(self.cdata)).cast("B")
        self.length: Any = ffi.new("int *")


class SrtpSession:
    """One direction of one leg's SRTP and SRTCP.

    Args:
        key: master key followed by master salt. profile: a name in ``PROFILES``, or
            libsrtp's number.
        outbound: we protect with it; otherwise we open with it.
    Raises:
        ValueError: the key is too short for the profile. KeyError: unknown profile.
    """

    __slots__ = ("_buffer", "_session", "handle")

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
        self.handle: Any = self._session._srtp[0]
        """``srtp_t`` for loops that call ``protect_in_place`` themselves."""

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
        return self._run(lib.srtp_protect_rtcp, packet)

    def unprotect_rtcp(self, datagram: bytes) -> bytes:
        """Compound packet of an SRTCP datagram.

        Raises:
            SrtpError: authentication, replay, malformed or too long.
        """
        return self._run(lib.srtp_unprotect_rtcp, datagram)

    def unprotect(self, datagram: bytes) -> int:
        """Open an SRTP datagram into the buffer; returns the packet's length there.

        Raises:
            SrtpError: authentication, replay, malformed or too long.
        """
        size = len(datagram)
        if size > MAX_DATAGRAM_BYTES:
            raise SrtpError("too_long")
        buffer = self._buffer
        buffer.view[:size] = datagram
        length = buffer.length
        length[0] = size
        status = lib.srtp_unprotect(self.handle, buffer.cdata, length)
        if status:
            raise SrtpError(_REASONS.get(status, "malformed"))
        return int(length[0])

    def _run(self, function: Any, packet: bytes) -> bytes:
        size = len(packet)
        if size > MAX_DATAGRAM_BYTES:
            raise SrtpError("too_long")
        buffer = self._buffer
        buffer.view[:size] = packet
        buffer.length[0] = size
        status = function(self.handle, buffer.cdata, buffer.length)
        if status:
            raise SrtpError(_REASONS.get(status, "malformed"))
        return bytes(buffer.view[: buffer.length[0]])


protect_in_place = lib.srtp_protect
"""``(handle, cdata, length) -> status``: 0 when the packet in the buffer is protected."""
