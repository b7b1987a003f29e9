"""Packets sent again: what a peer asks for, and bursts that measure its line."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from mcu.media.head import PacketHead, SendFormat
from mcu.media.path import SendPath
from mcu.media.repair import SOUND_BPS, RepairBudget
from mcu.media.ring import VIDEO_PACKETS, PayloadRing
from mcu.media.rtp import MARKER_BIT, abs_send_time
from mcu.media.srtp import protect_in_place

REPEAT_WINDOW_S = 0.1
MAX_REPEATS_PER_WINDOW = 128
"""Packets repeated at most: a peer that asks for everything must not cost others their share."""

_RTX_HEAD_BYTES = 2


class First(NamedTuple):
    """What a packet's header held when it was sent first; timestamps and numbers not wrapped."""

    sequence: int
    timestamp: int
    send_time: int
    number: int


class SendTimes:
    """Times of sending by ring index, each kept until the index a ring further on.

    ``values``: uint32 (VIDEO_PACKETS,), as ``rtp.abs_send_time`` gives them.
    """

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values = array("I", bytes(4 * VIDEO_PACKETS))

    def note(self, first: int, end: int, time: int) -> None:
        """The packets from ``first`` to ``end`` left at a time."""
        values = self.values
        for index in range(first, end):
            values[index % VIDEO_PACKETS] = time

    def copy(self, other: SendTimes, first: int, end: int) -> None:
        """Take over what another one noted of the packets from ``first`` to ``end``."""
        for index in range(max(first, end - VIDEO_PACKETS), end):
            self.values[index % VIDEO_PACKETS] = other.values[index % VIDEO_PACKETS]

    def at(self, index: int) -> int:
        """When a packet left."""
        return self.values[index % VIDEO_PACKETS]


class Repeater:
    """Sends packets of one stream again, within bounds.

    Without RTX the very same bytes are protected again: same header, send time and number,
    hence identical ciphertext. With RTX they go under their own SSRC (RFC 4588).

    Args:
        sequence: where the numbers of RTX packets begin.
    """

    def __init__(self, form: SendFormat, head: PacketHead, path: SendPath, sequence: int) -> None:
        self.sequence = sequence
        """Of the next RTX packet."""
        self._form = form
        self._head = head
        self._path = path
        self._budget = RepairBudget()
        self._window_ends = 0.0
        self._left = 0

    def fit(self, bitrate_bps: int) -> None:
        """Another rendition is played; 0: its rate is not known."""
        self._budget.fit(bitrate_bps or (0 if self._form.video else SOUND_BPS))

    def allows(self, size: int, now: float) -> bool:
        """Whether one more packet of this size may be repeated; takes it from the bounds."""
        if now >= self._window_ends:
            self._window_ends = now + REPEAT_WINDOW_S
            self._left = MAX_REPEATS_PER_WINDOW
        if self._left <= 0 or not self._budget.spend(size, now):
            return False
        self._left -= 1
        return True

    def send(self, ring: PayloadRing, index: int, first: First, now: float) -> int:
        """Write one packet into the batch, whose flush is the caller's; gives how many that is.

        Args:
            ring: holds ``index``. first: as it was sent first. The path is ready.
        """
        form, path, head = self._form, self._path, self._head
        at = index & ring.mask
        payload = ring.payloads[at]
        sequence, timestamp, send_time, number = first
        payload_type, ssrc, departures = form.payload_type, form.ssrc, None
        if form.rtx_ssrc is not None and form.rtx_payload_type is not None:
            payload = (sequence & 0xFFFF).to_bytes(_RTX_HEAD_BYTES, "big") + payload
            payload_type, ssrc = form.rtx_payload_type, form.rtx_ssrc
            sequence = self.sequence
            self.sequence = (sequence + 1) & 0xFFFF
            send_time = abs_send_time(now)
            if head.number_at is not None:
                departures = path.departures
                number = departures.next
        batch = path.batch
        slot = batch.free_slot()
        begin = batch.offsets[slot]
        size = head.size + len(payload)
        head.write(
            batch.view,
            begin,
            (ring.markers[at] & MARKER_BIT) | payload_type,
            sequence,
            timestamp,
            ssrc,
            head.extensions_at(send_time),
            number,
        )
        batch.view[begin + head.size : begin + size] = payload
        batch.lengths[2 * slot + 1] = size
        if departures is not None:
            departures.left(1, size, now)
        handle = 0 if path.plain else path.handle
        if handle and protect_in_place(handle, batch.addresses[slot], batch.length_addresses[slot]):
            return 0
        batch.commit(path, 1)
        return 1
