"""Pairs of UDP ports for RTP sessions of their own: RTP even, RTCP the odd one above (RFC 3550 11).

A range is gone round, so that a port that was freed is not another call's in the next moment, when
its last packets may still be on their way.
"""

import errno
import socket
from contextlib import ExitStack, suppress

from mcu.media import mmsg

BUFFER_BYTES = 1 << 20
"""Of each socket in each direction: some key frames of one room."""


class PortsExhausted(OSError):  # noqa: N818 named like what the standard library raises here
    """No pair of the range is free, or no descriptor for its sockets."""


class PortPair:
    """Two bound sockets, non-blocking.

    Where RTCP is found to go over RTP's port the other one stays bound: a later description may
    part them again.
    """

    __slots__ = ("port", "rtcp", "rtp")

    def __init__(self, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.rtp = rtp
        self.rtcp = rtcp
        self.port = int(rtp.getsockname()[1])
        """RTP's."""

    def close(self) -> None:
        """Free both ports. Idempotent."""
        self.rtp.close()
        self.rtcp.close()


class PortPairs:
    """Binds pairs out of a range.

    Args:
        first, last: ports, both included.
        host: address to bind to; ``::`` is IPv4 and IPv6, or IPv4 alone where IPv6 is off.
    Raises:
        ValueError: the range holds no pair.
    """

    def __init__(self, first: int, last: int, host: str = "::") -> None:
        self._first = first + first % 2
        self._count = (last - self._first + 1) // 2
        if self._count < 1:
            raise ValueError(f"no pair of ports in {first}-{last}")
        self._next = 0
        self._range = f"{first}-{last}"
        family = socket.AF_INET6 if ":" in host and socket.has_ipv6 else socket.AF_INET
        if family == socket.AF_INET6 and not _works(family):
            family = socket.AF_INET
        self.family = family
        self.host = "0.0.0.0" if host == "::" and family == socket.AF_INET else host  # noqa: S104
        """As the sockets are bound."""

    @property
    def descriptors(self) -> int:
        """What all pairs together take."""
        return 2 * self._count

    @property
    def dual_stack(self) -> bool:
        """Sockets take IPv4 peers as mapped IPv6 addresses."""
        return self.family == socket.AF_INET6 and self.host == "::"

    def take(self) -> PortPair:
        """Bind the next free pair; whoever takes it closes it.

        Raises:
            PortsExhausted: all are in use. Cost: some 30 us, and as much for each pair in use
                that is met on the way.
        """
        for _ in range(self._count):
            port = self._first + 2 * self._next
            self._next = (self._next + 1) % self._count
            with ExitStack() as opened:
                rtp = self._bind(port, opened)
                rtcp = None if rtp is None else self._bind(port + 1, opened)
                if rtp is not None and rtcp is not None:
                    opened.pop_all()
                    return PortPair(rtp, rtcp)
        raise PortsExhausted(f"all UDP ports {self._range} for the media of SIP calls are in use")

    def _bind(self, port: int, opened: ExitStack) -> socket.socket | None:
        try:
            sock = socket.socket(self.family, socket.SOCK_DGRAM)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise PortsExhausted(f"no descriptors are left for sockets: {error}") from error
            raise
        opened.callback(sock.close)
        try:
            if self.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not self.dual_stack))
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
            sock.setblocking(False)
            sock.bind((self.host, port))
            if self.host in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
                # Answers leave from the address that the peer knows, not the one routes choose.
                with suppress(OSError):
                    mmsg.ask_for_local_addresses(sock)
            with suppress(OSError):
                mmsg.ask_for_times(sock)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return None
        return sock


def _works(family: int) -> bool:
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True
