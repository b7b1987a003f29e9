"""What ICMP says of datagrams that were sent (RFC 3261 section 18.4), as Linux hands it over."""

import socket
import struct
from contextlib import suppress
from typing import Final

from mcu.sip.stream import plain_address

IP_RECVERR: Final = 11
IPV6_RECVERR: Final = 25
_ERROR: Final = struct.Struct("=IBBBBII")
"""``sock_extended_err``: errno, origin, type, code, padding, information, data."""
_ICMP, _ICMP6 = 2, 3
_UNREACHABLE: Final = {
    # Type and codes that mean that nobody takes it there; others pass (too big, source quench).
    _ICMP: (3, frozenset({0, 1, 2, 3, 6, 7, 9, 10, 11, 12, 13})),
    _ICMP6: (1, frozenset(range(7))),
}
ERRORS_PER_WAKE: Final = 32
_DATA_BYTES, _CONTROL_BYTES = 64, 512

Place = tuple[str, int]


def ask_for_errors(sock: socket.socket) -> None:
    """Have ICMP errors kept for ``unreachable_places``; nothing happens where there are none."""
    with suppress(OSError):  # a socket of IPv6 alone
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)


def unreachable_places(sock: socket.socket) -> list[Place]:
    """Where datagrams did not arrive, of those errors that wait; at most ``ERRORS_PER_WAKE``."""
    found: list[Place] = []
    for _ in range(ERRORS_PER_WAKE):
        try:
            _, control, _, address = sock.recvmsg(_DATA_BYTES, _CONTROL_BYTES, socket.MSG_ERRQUEUE)
        except OSError:
            break
        if address and any(_is_unreachable(data) for _, _, data in control):
            found.append((plain_address(address[0]), address[1]))
    return found


def _is_unreachable(data: bytes) -> bool:
    if len(data) < _ERROR.size:
        return False
    _, origin, kind, code, *_ = _ERROR.unpack_from(data)
    wanted = _UNREACHABLE.get(origin)
    return wanted is not None and kind == wanted[0] and code in wanted[1]
