"""Streams that stand at the same packet of one rendition, written and protected together.

A packet of a rendition goes to many legs. Its payload is copied into a slot for each of them and
their headers are written column by column, by some numpy calls for all; libsrtp and the kernel
get what they need from lists made beforehand. So the interpreter takes no step for a leg's packet.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import chain, repeat
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from mcu.media.batch import SLOTS, PacketBatch, cut
from mcu.media.head import SEQUENCE_AT, TIMESTAMP_AT, PacketHead
from mcu.media.path import SendPath
from mcu.media.repeat import SendTimes
from mcu.media.ring import PayloadRing
from mcu.media.rtp import abs_send_time
from mcu.media.srtp import Argument, argument, protect_many


class Place(NamedTuple):
    """How a stream's packets differ from those of others in its convoy.

    Sequence number = ring index + ``offset``, timestamp = the ring's + ``timestamp_offset``.
    """

    path: SendPath
    template: bytes
    offset: int
    timestamp_offset: int


class Member(Protocol):
    """A stream, which sends alone or marches in a convoy."""

    cursor: int
    """Ring index of its next packet; in a convoy, of the one when it was last asked."""

    @property
    def head(self) -> PacketHead:
        """Of its packets."""

    @property
    def place(self) -> Place:
        """Does not change while it marches."""

    def convoy_key(self) -> Hashable | None:
        """Equal for those that may march together; None: it can not just now."""

    def fall_in(self, convoy: Convoy) -> None:
        """It marches from now on: whatever waits for it in the ring is the convoy's to send."""

    def send_pending(self, limit: int, now: float) -> int:
        """Send alone."""

    def flush(self) -> None:
        """Let what was written leave."""

    def fall_out(self) -> None:
        """Take over from the convoy where it stands, and leave it. Idempotent."""


class Convoy:
    """Sends to its members, all of one ``convoy_key``.

    Args:
        first: one like all that are to come; to be added too. capacity: members at most; as many
            packets as ``SLOTS`` over this go at once.
        left: told of each that leaves.
    """

    def __init__(
        self,
        ring: PayloadRing,
        first: Member,
        capacity: int,
        left: Callable[[Convoy, Member], None],
    ) -> None:
        self.members: list[Member] = []
        self.cursor = first.cursor
        """Ring index of the next packet."""
        self.bytes = 0
        """Payload bytes sent to each since it began."""
        self.timestamp = 0
        """The ring's, of the last packet, and when that was sent:"""
        self.sent_at = 0.0
        self.send_times = SendTimes()
        self._ring = ring
        self._capacity = capacity
        self._left = left
        self._head = first.head
        path = first.place.path
        self._batch = path.batch
        self._plain = path.plain
        self._cuts = path.target is not None and path.batch.segments(path.target)
        self._columns: _Columns | None = None

    @property
    def room(self) -> bool:
        """Whether one more may come."""
        return len(self.members) < self._capacity

    def add(self, member: Member) -> None:
        """Take in one that stands where the convoy stands."""
        self.members.append(member)
        self._columns = None
        member.fall_in(self)

    def remove(self, member: Member) -> None:
        """Let one go; called by itself."""
        self.members.remove(member)
        self._columns = None
        self._left(self, member)

    def send_pending(self, limit: int, now: float) -> int:
        """Write at most ``limit`` packets for each member; gives how many each got.

        Cost: some 40 calls of numpy, and 0.6 us for each packet and member (copy and SRTP).
        """
        ring = self._ring
        count = min(ring.end - self.cursor, limit, SLOTS // max(1, len(self.members)))
        if count <= 0:
            return 0
        if ring.end - self.cursor > ring.capacity:
            for member in tuple(self.members):
                member.fall_out()
            return 0
        batch = self._batch
        batch.free_slots(count * len(self.members))
        if not self.members:
            return 0  # those left whose messages the kernel just refused to cut
        columns = self._columns
        if columns is None:
            columns = self._columns = _Columns(batch, self._head, self.members)
        first, end = self.cursor, self.cursor + count
        payloads = [ring.payloads[index & ring.mask] for index in range(first, end)]
        sizes = [self._head.size + len(payload) for payload in payloads]
        self._write(columns, first, payloads, sizes, now)
        if columns.protect(batch, count):
            batch.commit_rank(columns.rank, cut(sizes) if self._cuts else [1] * count)
        self.cursor = end
        self.bytes += sum(sizes) - count * self._head.size
        self.timestamp = ring.timestamps[(end - 1) & ring.mask]
        self.sent_at = now
        return count

    def flush(self) -> None:
        """Let what ``send_pending`` wrote leave."""
        self._batch.flush()

    def _write(
        self,
        columns: _Columns,
        first: int,
        payloads: list[bytes],
        sizes: list[int],
        now: float,
    ) -> None:
        """Lay the packets of all members into the batch's free slots, member after member."""
        ring, head, batch = self._ring, self._head, self._batch
        count, members = len(payloads), len(self.members)
        used = slice(batch.used, batch.used + count * members)
        slots = batch.slots[used].reshape(members, count, -1)
        indices = [index & ring.mask for index in range(first, first + count)]
        if head.time_at is not None:
            time = abs_send_time(now)
            columns.templates[:, head.time_at : head.time_at + 3] = _octets(time.to_bytes(3, "big"))
            self.send_times.note(first, first + count, time)
        slots[:, :, : head.size] = columns.templates[:, None]
        slots[:, :, 1] |= np.array([ring.markers[at] for at in indices], np.uint8)
        sequences = np.arange(first, first + count).astype(np.uint16)
        _field(slots, SEQUENCE_AT, ">u2")[:] = columns.offsets + sequences
        timestamps = np.array([ring.timestamps[at] & 0xFFFFFFFF for at in indices], np.uint32)
        _field(slots, TIMESTAMP_AT, ">u4")[:] = columns.timestamp_offsets + timestamps
        if head.number_at is not None:
            numbers = columns.numbers(count, sum(sizes), now)
            _field(slots, head.number_at, ">u2")[:] = numbers + np.arange(count, dtype=np.uint16)
        for number, payload in enumerate(payloads):
            slots[:, number, head.size : sizes[number]] = _octets(payload)
        batch.sizes[used].reshape(members, count)[:] = sizes


class _Columns:
    """What is prepared of a convoy's members, in their order; anew when one comes or goes.

    ``templates``: uint8 (members, head's size). ``offsets``: uint16 and ``timestamp_offsets``:
    uint32, both (members, 1).
    """

    def __init__(self, batch: PacketBatch, head: PacketHead, members: list[Member]) -> None:
        places = [member.place for member in members]
        self.templates: npt.NDArray[np.uint8] = (
            _octets(b"".join(place.template for place in places)).reshape(-1, head.size).copy()
        )
        self.offsets: npt.NDArray[np.uint16] = np.array(
            [[place.offset & 0xFFFF] for place in places], np.uint16
        )
        self.timestamp_offsets: npt.NDArray[np.uint32] = np.array(
            [[place.timestamp_offset & 0xFFFFFFFF] for place in places], np.uint32
        )
        self._paths = [place.path for place in places]
        self._logs = [path.departures for path in self._paths]
        self.rank = batch.rank(self._paths)
        self._handles: dict[int, list[Argument]] = {}

    def numbers(self, count: int, size: int, now: float) -> npt.NDArray[np.uint16]:
        """Transport-wide number of each member's next packet, uint16 (members, 1).

        Args:
            count: of packets each gets, whose ``size`` together is noted with their numbers.
        """
        numbers = []
        for log in self._logs:
            # As ``DepartureLog.left``: the one step that is taken for each leg.
            number = log.next
            log.next = number + count
            log.bursts.append((number, number + count, now, size))
            numbers.append([number & 0xFFFF])
        return np.array(numbers, np.uint16)

    def protect(self, batch: PacketBatch, count: int) -> bool:
        """Protect ``count`` packets of each member in the batch's free slots.

        Returns: whether all are to be committed. Otherwise it was done here, but for those that
            libsrtp refused, which never leave.
        """
        if self._paths[0].plain:
            return True
        end = batch.used + count * len(self._paths)
        statuses = protect_many(
            self._repeated_handles(count),
            batch.arguments[batch.used : end],
            batch.size_arguments[batch.used : end],
        )
        if not any(statuses):
            return True
        for path, status in zip(
            chain.from_iterable(repeat(path, count) for path in self._paths), statuses, strict=True
        ):
            if status:
                path.dropped += 1
                batch.skip(1)
            else:
                batch.commit(path, 1)
        return False

    def _repeated_handles(self, count: int) -> list[Argument]:
        """Each member's ``srtp_t`` so many times."""
        found = self._handles.get(count)
        if found is None:
            arguments = [argument(path.handle or 0) for path in self._paths]
            found = self._handles[count] = [one for one in arguments for _ in range(count)]
        return found


def _octets(data: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)


def _field(slots: npt.NDArray[np.uint8], at: int, kind: str) -> npt.NDArray[np.generic]:
    """A field of all headers: (members, packets), written in the byte order of the network."""
    size = int(kind[-1])
    return slots[:, :, at : at + size].view(kind)[:, :, 0]
