"""One outgoing RTP stream of a leg: a cursor into a rendition's ring.

``send_pending`` is the hottest loop of the project (145 legs, 33,000 packets/s): per packet one
header, one copy into a slot of the shared batch, libsrtp. The system calls are the batch's.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcu.media.batch import SLOTS
from mcu.media.path import SendPath
from mcu.media.repair import SOUND_BPS, RepairBudget
from mcu.media.ring import VIDEO_PACKETS, PayloadRing
from mcu.media.rtp import MARKER_BIT, abs_send_time, pack_extensions
from mcu.media.srtp import REPLAY_WINDOW_PACKETS, protect_in_place

if TYPE_CHECKING:
    from mcu.media.rendition import Rendition

REPEAT_WINDOW_S = 0.1
MAX_REPEATS_PER_WINDOW = 128
"""Packets repeated at most: a peer that asks for everything must not cost others their share."""

_RTX_HEAD_BYTES = 2
_TIMESTAMP_TOLERANCE_S = 0.2


@dataclass(frozen=True, slots=True)
class SendFormat:
    """What was negotiated for one outgoing stream.

    Args:
        extensions: header extension id → constant value (mid) written on each packet.
        abs_send_time_id, number_id: ids of the extensions for the time of sending and the
            transport-wide number, None when not negotiated.
        rtx_payload_type, rtx_ssrc: None where repetitions carry the original header.
    """

    ssrc: int
    payload_type: int
    clock_rate: int
    video: bool
    extensions: Mapping[int, bytes]
    abs_send_time_id: int | None = None
    number_id: int | None = None
    rtx_payload_type: int | None = None
    rtx_ssrc: int | None = None


class SendStream:
    """Sends one rendition after the other under one SSRC.

    Sequence numbers and timestamps go on over a change. Video begins with the rendition's next
    key frame, audio with its next packet.

    Args:
        path: the leg's. first_sequence, first_timestamp: where the stream begins (random).
    """

    def __init__(
        self, form: SendFormat, path: SendPath, first_sequence: int, first_timestamp: int
    ) -> None:
        self.form = form
        self.rendition: Rendition | None = None
        self.packets = 0
        self.bytes = 0
        """Payload bytes, as sender reports count them."""
        self.repeated = 0
        self.waiting = False
        """For a key frame."""
        self._path = path
        self._ring: PayloadRing | None = None
        self._cursor = 0
        self._offset = 0  # sequence number = ring index + offset
        self._next_sequence = first_sequence & 0xFFFF
        self._segment_start = 0  # ring index where this rendition began
        self._timestamp_offset: int | None = None
        self._first_timestamp = first_timestamp
        self._last_timestamp = 0  # with offset, not wrapped
        self._last_timestamp_at = 0.0
        # While nothing is played: RTP timestamp that stood for a moment.
        self._held: int = 0
        self._held_at = 0.0
        self._rtx_sequence = first_sequence & 0xFFFF
        self._rebase_pending = False
        self._repeat_window_ends = 0.0
        self._repeats_left = 0
        self._repair = RepairBudget()
        self._frames = self._key_frames = 0
        self._frames_base = self._key_frames_base = 0
        self._has_send_time = form.abs_send_time_id is not None
        # What was written into each packet of the ring, for repetitions with identical bytes.
        self._send_times = array("I", bytes(4 * VIDEO_PACKETS)) if self._has_send_time else None
        values = {} if form.number_id is None else {form.number_id: bytes(2)}
        values.update(form.extensions)
        self._departures = None if form.number_id is None else path.departures
        self._numbers = (
            array("H", bytes(2 * VIDEO_PACKETS))
            if self._departures is not None and form.rtx_ssrc is None
            else None
        )
        if form.abs_send_time_id is not None:
            # Last, so that its three bytes stand at a fixed place from the end of the header.
            values[form.abs_send_time_id] = bytes(3)
        block = pack_extensions(values)
        self._first_byte = 0x90 if block else 0x80
        used = 4 + sum(1 + len(value) for value in values.values())
        # The number, which is another in each packet, stands first.
        numbered = 0 if form.number_id is None else 7
        self._number_head = block[: numbered - 2] if numbered else b""
        self._before_time = block[numbered : used - 3 if self._has_send_time else None]
        self._after_time = block[used:] if self._has_send_time else b""
        self._header = struct.Struct(
            f"!BBHLL5sH{len(block) - numbered}s" if numbered else f"!BBHLL{len(block)}s"
        )
        # One tuple instead of nine look-ups in the loop's preparation.
        self._fixed = (
            self._header.pack_into,
            self._header.size,
            self._first_byte,
            form.payload_type,
            form.ssrc,
            path.batch.view,
            path.batch.offsets,
            path.batch.addresses,
            path.batch.lengths,
            path.batch.length_addresses,
        )

    def play(self, rendition: Rendition | None, now: float) -> None:
        """Go over to another rendition, or pause (None)."""
        before = self.rendition
        if rendition is before:
            return
        self._hold_mapping(now)
        if before is not None:
            before.unsubscribe(self)
            self._close_segment(before)
        self.rendition = rendition
        if rendition is None:
            self._ring = None
            return
        self._ring = ring = rendition.ring
        self._repair.fit(rendition.key.bitrate_bps or (0 if self.form.video else SOUND_BPS))
        self._cursor = self._segment_start = ring.end
        self._frames_base, self._key_frames_base = rendition.frames, rendition.key_frames
        self._offset = self._next_sequence - ring.end
        self.waiting = self.form.video
        self._rebase_pending = True
        rendition.subscribe(self)
        if self.waiting:
            rendition.request_key_frame(now)

    def carry_on(self, before: SendStream, now: float) -> None:
        """Begin where a stream of another format under the same SSRC ended, which is stopped.

        A receiver sees no step in numbers, and none in time but that of the clock's rate.
        """
        self._next_sequence, self._rtx_sequence = before._next_sequence, before._rtx_sequence
        timestamp = before.timestamp_at(now)
        if timestamp is not None:
            self._first_timestamp = timestamp
        self.packets, self.bytes, self.repeated = before.packets, before.bytes, before.repeated
        self._frames, self._key_frames = before.frames, before.key_frames

    @property
    def frames(self) -> int:
        """Pictures or audio packets handed over by renditions so far."""
        current = self.rendition
        return self._frames + (
            current.frames - self._frames_base if current is not None and not self.waiting else 0
        )

    @property
    def key_frames(self) -> int:
        """Key frames handed over by renditions so far."""
        current = self.rendition
        return self._key_frames + (
            current.key_frames - self._key_frames_base
            if current is not None and not self.waiting
            else 0
        )

    def send_pending(self, limit: int, now: float) -> int:
        """Write at most ``limit`` packets that wait in the ring; returns how many were taken.

        They leave with the batch (``flush``). A packet the socket refuses is counted and left to
        the receiver's NACK.
        """
        ring = self._ring
        path = self._path
        if ring is None or not path.ready:
            return 0
        handle = 0 if path.plain else path.handle
        index = self._cursor
        end = ring.end
        if index == end:
            return 0
        if end - index > ring.capacity:
            self._overrun(ring, now)
            return 0
        if self.waiting or self._rebase_pending:
            if not self._begin(ring, now):
                return 0
            index = self._cursor
        if end - index > limit:
            end = index + limit
        count = end - index
        (
            pack,
            header_bytes,
            first_byte,
            payload_type,
            ssrc,
            view,
            offsets,
            addresses,
            lengths,
            length_addresses,
        ) = self._fixed
        payloads, timestamps, markers, mask = (
            ring.payloads,
            ring.timestamps,
            ring.markers,
            ring.mask,
        )
        offset, timestamp_offset = self._offset, self._timestamp_offset or 0
        protect = protect_in_place
        extension = self._before_time
        send_times = self._send_times
        if send_times is not None:
            send_time = int(now * 262144.0) & 0xFFFFFF
            extension += send_time.to_bytes(3, "big") + self._after_time
        departures, number_head = self._departures, self._number_head
        number_offset = 0 if departures is None else departures.next - index
        payload_bytes = 0
        at = 0
        batch = path.batch
        slot = first_slot = batch.used
        while index < end:
            if slot == SLOTS:
                batch.commit(path, slot - first_slot)
                batch.flush()
                slot = first_slot = 0
            at = index & mask
            payload = payloads[at]
            size = header_bytes + len(payload)
            begin = offsets[slot]
            if departures is None:
                pack(
                    view,
                    begin,
                    first_byte,
                    markers[at] | payload_type,
                    (index + offset) & 0xFFFF,
                    (timestamps[at] + timestamp_offset) & 0xFFFFFFFF,
                    ssrc,
                    extension,
                )
            else:
                pack(
                    view,
                    begin,
                    first_byte,
                    markers[at] | payload_type,
                    (index + offset) & 0xFFFF,
                    (timestamps[at] + timestamp_offset) & 0xFFFFFFFF,
                    ssrc,
                    number_head,
                    (index + number_offset) & 0xFFFF,
                    extension,
                )
            view[begin + header_bytes : begin + size] = payload
            lengths[2 * slot + 1] = size
            if send_times is not None:
                send_times[at] = send_time
            index += 1
            if handle and protect(handle, addresses[slot], length_addresses[slot]):
                path.dropped += 1
                continue
            payload_bytes += size
            slot += 1
        batch.commit(path, slot - first_slot)
        if departures is not None:
            number = departures.next
            departures.next = number + count
            departures.bursts.append((number, number + count, now, payload_bytes))
            if self._numbers is not None:
                for one in range(end - count, end):
                    self._numbers[one & mask] = (one + number_offset) & 0xFFFF
        self.packets += count
        self.bytes += payload_bytes - count * header_bytes
        self._cursor = end
        self._next_sequence = (end + offset) & 0xFFFF
        self._last_timestamp = timestamps[at] + timestamp_offset
        self._last_timestamp_at = now
        return count

    def repeat(self, sequences: list[int], now: float) -> int:
        """Answer a NACK; returns how many packets were sent again (to the socket's best).

        Without RTX the very same bytes are protected again: same header, send time and number,
        hence identical ciphertext. With RTX they go under their own SSRC (RFC 4588).
        """
        ring = self._ring
        if ring is None or not self._path.ready:
            return 0
        oldest = max(self._segment_start, ring.oldest, self._cursor - REPLAY_WINDOW_PACKETS + 1)
        if now >= self._repeat_window_ends:
            self._repeat_window_ends = now + REPEAT_WINDOW_S
            self._repeats_left = MAX_REPEATS_PER_WINDOW
        sent = 0
        for sequence in sequences:
            back = (self._next_sequence - sequence) & 0xFFFF
            index = self._cursor - back
            if back and index >= oldest:
                size = len(ring.payloads[index & ring.mask])
                if self._repeats_left <= 0 or not self._repair.spend(size, now):
                    break
                self._repeats_left -= 1
                sent += self._repeat_one(ring, index, now)
        self._path.batch.flush()
        self.repeated += sent
        return sent

    def probe(self, packets: int, now: float) -> int:
        """Repeat the last packets in one burst, so that reports on it tell the line's width.

        Returns: how many; 0 where repetitions do not go under an SSRC of their own, or packets
            are not numbered.
        """
        ring, departures = self._ring, self._departures
        form = self.form
        if ring is None or departures is None or form.rtx_ssrc is None or not self._path.ready:
            return 0
        oldest = max(self._segment_start, ring.oldest, self._cursor - packets)
        first = departures.next
        for index in range(oldest, self._cursor):
            self._repeat_one(ring, index, now)
        self._path.batch.flush()
        departures.join(first)
        return departures.next - first

    def flush(self) -> None:
        """Let what ``send_pending`` wrote leave, and what others wrote into the same batch."""
        self._path.batch.flush()

    def timestamp_at(self, now: float) -> int | None:
        """RTP timestamp (32 bits) that stands for ``now``; None before the first packet."""
        rendition = self.rendition
        if self._timestamp_offset is None or not self.packets:
            return None
        if rendition is None or self._rebase_pending:
            value = self._held + (now - self._held_at) * self.form.clock_rate
        else:
            value = (
                rendition.timestamp
                + self._timestamp_offset
                + (now - rendition.timestamp_at) * self.form.clock_rate
            )
        return int(value) & 0xFFFFFFFF

    def _begin(self, ring: PayloadRing, now: float) -> bool:
        """Begin with the first packet of a rendition; False: no key frame there yet."""
        if self.waiting:
            if ring.key_frame < max(self._segment_start, ring.oldest):
                return False
            self._cursor = self._segment_start = ring.key_frame
            self._offset = self._next_sequence - ring.key_frame
            self.waiting = False
            rendition = self.rendition
            if rendition is not None:
                self._frames_base = rendition.frames - 1
                self._key_frames_base = rendition.key_frames - 1
        self._rebase_pending = False
        first = ring.timestamps[self._cursor & ring.mask]
        if self._timestamp_offset is None:
            self._timestamp_offset = self._first_timestamp - first
            return True
        rate = self.form.clock_rate
        expected = self._last_timestamp + round((now - self._last_timestamp_at) * rate)
        ahead = first + self._timestamp_offset - expected
        # Renditions of one conference share a time line; then nothing is to be changed.
        if (
            abs(ahead) > rate * _TIMESTAMP_TOLERANCE_S
            or first + self._timestamp_offset <= self._last_timestamp
        ):
            self._timestamp_offset = max(expected, self._last_timestamp + 1) - first
        return True

    def _hold_mapping(self, now: float) -> None:
        """Until the next packet, reports go on as they would have: no receiver sees a step."""
        self._held = self.timestamp_at(now) or 0
        self._held_at = now

    def _overrun(self, ring: PayloadRing, now: float) -> None:
        """The ring went round before this leg was served: begin again at a key frame."""
        self._hold_mapping(now)
        if self.rendition is not None:
            self._close_segment(self.rendition)
            self._frames_base = self.rendition.frames
            self._key_frames_base = self.rendition.key_frames
        self._cursor = self._segment_start = ring.end
        self._offset = self._next_sequence - ring.end
        self._rebase_pending = True
        if self.form.video:
            self.waiting = True
            if self.rendition is not None:
                self.rendition.request_key_frame(now)

    def _close_segment(self, rendition: Rendition) -> None:
        if not self.waiting:
            self._frames += rendition.frames - self._frames_base
            self._key_frames += rendition.key_frames - self._key_frames_base

    def _repeat_one(self, ring: PayloadRing, index: int, now: float) -> int:
        form, path = self.form, self._path
        handle = 0 if path.plain else path.handle
        at = index & ring.mask
        payload = ring.payloads[at]
        rtx = form.rtx_ssrc is not None and form.rtx_payload_type is not None
        extension = self._before_time
        if self._send_times is not None:
            when = abs_send_time(now) if rtx else self._send_times[at]
            extension += when.to_bytes(3, "big") + self._after_time
        sequence = (index + self._offset) & 0xFFFF
        payload_type, ssrc = form.payload_type, form.ssrc
        if form.rtx_ssrc is not None and form.rtx_payload_type is not None:
            payload = sequence.to_bytes(_RTX_HEAD_BYTES, "big") + payload
            payload_type, ssrc = form.rtx_payload_type, form.rtx_ssrc
            sequence = self._rtx_sequence
            self._rtx_sequence = (sequence + 1) & 0xFFFF
        batch = path.batch
        slot = batch.free_slot()
        begin = batch.offsets[slot]
        size = self._header.size + len(payload)
        departures, number = self._departures, 0
        if departures is not None:
            number = departures.next if self._numbers is None else self._numbers[at]
        self._header.pack_into(
            batch.view,
            begin,
            self._first_byte,
            (ring.markers[at] & MARKER_BIT) | payload_type,
            sequence,
            (ring.timestamps[at] + (self._timestamp_offset or 0)) & 0xFFFFFFFF,
            ssrc,
            *(() if departures is None else (self._number_head, number & 0xFFFF)),
            extension,
        )
        batch.view[begin + self._header.size : begin + size] = payload
        batch.lengths[2 * slot + 1] = size
        if departures is not None and self._numbers is None:
            departures.next = number + 1
            departures.bursts.append((number, number + 1, now, size))
        if handle and protect_in_place(handle, batch.addresses[slot], batch.length_addresses[slot]):
            return 0
        batch.commit(path, 1)
        return 1
