"""A line that is made bad on purpose, for one leg: everything that passes between it and us.

What a datagram meets is ``Impairment``'s; here it waits until it arrives. A leg goes by such a line
only in a drill. It leaves the ways that packets of many legs share, so that no other leg pays for
it: its arrivals go one by one through a stand-in at the port, its packets through a batch of their
own. Delays are kept as exactly as the leg's timer is driven, which is within some 10 ms.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from itertools import count
from typing import Any, Final

from mcu.media.batch import Owner, SendtoBatch
from mcu.media.impairment import Conditions, Impairment
from mcu.media.lane import OUT_OF_STEP, Lane
from mcu.media.path import SendPath
from mcu.media.port import Endpoint, SocketAddress
from mcu.media.srtp import MAX_DATAGRAM_BYTES, PacketBuffer

MAX_WAITING: Final = 4_096
"""Datagrams that are under way on one line; more are lost, whoever sends them."""
AT_ONCE_S: Final = 0.0005

Deliver = Callable[[float], object]
"""Let a datagram arrive, at this time."""
Carry = Callable[[bytes, Any, float], None]
"""Take a datagram of ours: its bytes, the address as its batch takes it, and when it was sent."""


class BadLine:
    """Both directions of one leg's line. Sans-IO.

    Args:
        conditions: of each direction. cut: nothing passes at all.
        seed: equal seeds and datagrams give equal fates.
        batch: takes the leg's packets, and hands them to the line.
    """

    def __init__(
        self, conditions: Conditions, batch: LineBatch, *, seed: object, cut: bool = False
    ) -> None:
        self.batch = batch
        self.wake: Callable[[float], None] = lambda at: None
        """Told when ``handle_timer`` is to be called."""
        self._up = Impairment(conditions, f"{seed} up")
        self._down = Impairment(conditions, f"{seed} down")
        self._up.cut = self._down.cut = cut
        self._waiting: list[tuple[float, int, Deliver]] = []
        self._numbers = count()

    @property
    def lost(self) -> int:
        """Datagrams that were lost, both ways."""
        return self._up.lost + self._down.lost

    def up(self, size: int, now: float, deliver: Deliver) -> None:
        """A datagram of the peer's comes, of so many bytes."""
        self._pass(self._up, size, now, deliver)

    def down(self, size: int, now: float, deliver: Deliver) -> None:
        """One of ours goes."""
        self._pass(self._down, size, now, deliver)

    def handle_timer(self, now: float) -> None:
        """Let arrive what is due, in order."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            heapq.heappop(waiting)[2](now)

    def next_timer(self) -> float:
        """When ``handle_timer`` has something to do."""
        return self._waiting[0][0] if self._waiting else float("inf")

    def end(self, now: float) -> None:
        """The line is as it was: what is under way arrives now."""
        waiting, self._waiting = self._waiting, []
        for _, _, deliver in sorted(waiting, key=lambda one: one[:2]):
            deliver(now)

    def _pass(self, way: Impairment, size: int, now: float, deliver: Deliver) -> None:
        for at in way.arrivals(size, now):
            if at - now <= AT_ONCE_S and not self._waiting:
                deliver(now)
            elif len(self._waiting) < MAX_WAITING:
                heapq.heappush(self._waiting, (at, next(self._numbers), deliver))
                self.wake(at)
            else:
                way.lost += 1


class LineBatch(SendtoBatch):
    """Packets of all legs that have a bad line; each goes to its own.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(lambda datagram, address: None)
        self._clock = clock
        self._carriers: dict[Owner, Carry] = {}

    def carry(self, path: SendPath, carry: Carry) -> None:
        """Hand a path's packets to ``carry`` from now on."""
        self._carriers[path] = carry

    def forget(self, path: SendPath) -> None:
        """Nothing more of a path comes. Idempotent."""
        self._carriers.pop(path, None)

    def flush(self) -> None:
        """See ``PacketBatch``."""
        committed, self._committed = self._committed, []
        self.used = 0
        now = self._clock()
        for owner, address, first, packets in committed:
            carry = self._carriers.get(owner)
            for one in range(first, first + packets):
                at = self.offsets[one]
                if carry is None:
                    owner.dropped += 1
                else:
                    carry(bytes(self.view[at : at + self.lengths[2 * one + 1]]), address, now)


class BadEnd:
    """Stands for a leg at the media port while its line is bad; see ``Endpoint``."""

    lane: Lane = OUT_OF_STEP

    def __init__(self, endpoint: Endpoint, line: BadLine) -> None:
        self._endpoint = endpoint
        self._line = line
        self._buffer = PacketBuffer()

    def receive_stun(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """See ``Endpoint``."""
        take = self._endpoint.receive_stun
        self._line.up(len(datagram), now, lambda at: take(datagram, address, at))

    def receive_dtls(self, datagram: bytes, address: SocketAddress, now: float) -> None:
        """See ``Endpoint``."""
        take = self._endpoint.receive_dtls
        self._line.up(len(datagram), now, lambda at: take(datagram, address, at))

    def receive_srtp(self, packet: PacketBuffer, now: float) -> None:
        """See ``Endpoint``."""
        self._take(packet, self._endpoint.receive_srtp, now)

    def receive_srtcp(self, packet: PacketBuffer, now: float) -> None:
        """See ``Endpoint``."""
        self._take(packet, self._endpoint.receive_srtcp, now)

    def _take(
        self, packet: PacketBuffer, take: Callable[[PacketBuffer, float], None], now: float
    ) -> None:
        data = packet.bytes()

        def arrive(at: float) -> None:
            self._buffer.write(data)
            take(self._buffer, at)

        self._line.up(len(data), now, arrive)


class BadReceiver:
    """Stands for one socket's reader while its line is bad; see ``PortReceiver``.

    Args:
        known: the address whose packets go to ``receive``, as it is when one arrives.
        receive, receive_from, receive_other: of the reader.
    """

    def __init__(
        self,
        line: BadLine,
        *,
        known: Callable[[], Hashable | None],
        receive: Callable[[PacketBuffer, float], object],
        receive_from: Callable[[PacketBuffer, Hashable, Any, float], None],
        receive_other: Callable[[bytes, Hashable, Any, float], None],
    ) -> None:
        self.peer: Hashable | None = None
        """Nobody's packets go the short way."""
        self._line = line
        self._known = known
        self._receive = receive
        self._receive_from = receive_from
        self._receive_other = receive_other
        self._buffer = PacketBuffer()

    def receive(self, packet: PacketBuffer, now: float) -> object:
        """See ``PortReceiver``; without a known peer nothing comes here."""
        return None

    def receive_from(self, packet: PacketBuffer, key: Hashable, address: Any, now: float) -> None:
        """See ``PortReceiver``."""
        data = packet.bytes()
        if len(data) > MAX_DATAGRAM_BYTES:
            return

        def arrive(at: float) -> None:
            self._buffer.write(data)
            if key == self._known():
                self._receive(self._buffer, at)
            else:
                self._receive_from(self._buffer, key, address, at)

        self._line.up(len(data), now, arrive)

    def receive_other(self, datagram: bytes, key: Hashable, address: Any, now: float) -> None:
        """See ``PortReceiver``."""
        take = self._receive_other
        self._line.up(len(datagram), now, lambda at: take(datagram, key, address, at))
