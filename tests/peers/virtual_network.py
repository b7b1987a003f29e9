"""The in-memory network between rooms and one media port, in virtual time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from mcu.media.port import MediaPort
from tests.peers.network import VirtualTime

WALL_START = datetime(2026, 11, 2, 7, 0, tzinfo=UTC)


class Host(Protocol):
    """Who has an address."""

    address: tuple[Any, ...]
    down: Any


class VirtualNetwork:
    """Carries datagrams between addresses and the port that is open now.

    Args:
        seed: of all that is random about the lines.
    """

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.time = VirtualTime()
        self.port: MediaPort | None = None
        self.tap: Callable[[bytes, tuple[Any, ...]], None] | None = None
        """Shown every datagram that reaches the machine."""
        self._start = self.time.now
        self._hosts: dict[tuple[Any, ...], Host] = {}
        self._addresses = 0

    # Clocks

    def unix(self, now: float) -> float:
        """Wall time, seconds."""
        return WALL_START.timestamp() + now - self._start

    def monotonic(self, unix_s: float) -> float:
        """Virtual time of a wall time."""
        return unix_s - WALL_START.timestamp() + self._start

    def utcnow(self) -> datetime:
        return WALL_START + timedelta(seconds=self.time.now - self._start)

    # Datagrams

    def new_address(self) -> tuple[Any, ...]:
        self._addresses += 1
        return ("198.51.100.7", 40_000 + self._addresses)

    def join(self, host: Host) -> None:
        self._hosts[host.address] = host

    def leave(self, host: Host) -> None:
        if self._hosts.get(host.address) is host:
            del self._hosts[host.address]

    def deliver(self, datagram: bytes, address: tuple[Any, ...], now: float) -> None:
        """A datagram reaches the machine; with no port open there it is lost."""
        if self.tap is not None:
            self.tap(datagram, address)
        if self.port is not None:
            self.port.datagram_received(datagram, address, now)

    def sendto(self, datagram: memoryview, address: tuple[Any, ...]) -> int:
        """What the port calls in place of a socket's ``sendto``."""
        host = self._hosts.get(address)
        if host is not None:
            host.down.send(bytes(datagram))
        return len(datagram)
