"""One outgoing RTP stream of a leg: a cursor into a rendition's ring.

A stream begins alone: it waits for its key frame and catches up, packet by packet. Then it goes
with others in a ``Convoy``, which sends for all of them, until something makes it differ from them.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import TYPE_CHECKING

from mcu.media.batch import SLOTS
from mcu.media.convoy import Convoy, Place
from mcu.media.head import PacketHead, SendFormat
from mcu.media.path import SendPath
from mcu.media.repeat import First, Repeater, SendTimes
from mcu.media.ring import VIDEO_PACKETS, PayloadRing
from mcu.media.rtp import abs_send_time
from mcu.media.srtp import REPLAY_WINDOW_PACKETS, protect_in_place

if TYPE_CHECKING:
    from mcu.media.rendition import Rendition

__all__ = ["SendFormat", "SendStream"]

_TIMESTAMP_TOLERANCE_S = 0.2


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
        self.head = PacketHead(form)
        self.rendition: Rendition | None = None
        self.cursor = 0
        """Ring index of the next packet; behind the convoy's, while there is one."""
        self.repeated = 0
        self.waiting = False
        """For a key frame."""
        self._packets = 0
        self._bytes = 0
        self._path = path
        self._ring: PayloadRing | None = None
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
        self._rebase_pending = False
        self._frames = self._key_frames = 0
        self._frames_base = self._key_frames_base = 0
        self._repeater = Repeater(form, self.head, path, first_sequence & 0xFFFF)
        # What was written into each packet of the ring, for repetitions with identical bytes.
        self._send_times = SendTimes()
        plain_repeats = form.number_id is not None and form.rtx_ssrc is None
        self._numbers = array("H", bytes(2 * VIDEO_PACKETS)) if plain_repeats else None
        self._convoy: Convoy | None = None
        self._joined = 0  # ring index where it fell in
        self._convoy_bytes = 0  # the convoy's, when it was last asked
        self._volunteered = False
        path.watch(self.fall_out)

    @property
    def packets(self) -> int:
        """Sent so far, as sender reports count them."""
        self._catch_up()
        return self._packets

    @property
    def bytes(self) -> int:
        """Payload bytes, as sender reports count them."""
        self._catch_up()
        return self._bytes

    def play(self, rendition: Rendition | None, now: float) -> None:
        """Go over to another rendition, or pause (None)."""
        before = self.rendition
        if rendition is before:
            return
        self.fall_out()
        self._hold_mapping(now)
        if before is not None:
            before.unsubscribe(self)
            self._close_segment(before)
        self.rendition = rendition
        if rendition is None:
            self._ring = None
            return
        self._ring = ring = rendition.ring
        self._repeater.fit(rendition.key.bitrate_bps)
        self._volunteered = False
        self.cursor = self._segment_start = ring.end
        self._frames_base, self._key_frames_base = rendition.frames, rendition.key_frames
        self._offset = self._next_sequence - ring.end
        self.waiting = self.form.video
        self._rebase_pending = True
        rendition.subscribe(self)
        if self.waiting:
            rendition.request_key_frame(now)

    def retire(self) -> None:
        """It plays nothing, and never will again; the path is another stream's."""
        self._path.unwatch(self.fall_out)

    def carry_on(self, before: SendStream, now: float) -> None:
        """Begin where a stream of another format under the same SSRC ended, which is stopped.

        A receiver sees no step in numbers, and none in time but that of the clock's rate.
        """
        self._next_sequence = before._next_sequence
        self._repeater.sequence = before._repeater.sequence
        timestamp = before.timestamp_at(now)
        if timestamp is not None:
            self._first_timestamp = timestamp
        self._packets, self._bytes, self.repeated = before.packets, before.bytes, before.repeated
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
        the receiver's NACK. In a convoy there is nothing left to do here.
        """
        ring, path = self._ring, self._path
        if ring is None or self._convoy is not None or not path.ready or self.cursor == ring.end:
            return 0
        if ring.end - self.cursor > ring.capacity:
            self._overrun(ring, now)
            return 0
        if (self.waiting or self._rebase_pending) and not self._begin(ring, now):
            return 0
        first, end = self.cursor, min(ring.end, self.cursor + min(limit, SLOTS))
        size = self._write(ring, first, end, now)
        count = end - first
        if self.head.number_at is not None:
            path.departures.left(count, size, now)
        self._count(end, size - count * self.head.size, ring.timestamps[(end - 1) & ring.mask], now)
        if end == ring.end and not self._volunteered and self.rendition is not None:
            self._volunteered = True
            self.rendition.formation.volunteer(self)
        return count

    def _write(self, ring: PayloadRing, first: int, end: int, now: float) -> int:
        """Write, protect and commit the packets from ``first`` to ``end``; gives their bytes."""
        head, path, form = self.head, self._path, self.form
        batch, handle = path.batch, 0 if path.plain else path.handle
        view, offsets, lengths = batch.view, batch.offsets, batch.lengths
        timestamp_offset = self._timestamp_offset or 0
        time = abs_send_time(now)
        if head.time_at is not None:
            self._send_times.note(first, end, time)
        extensions = head.extensions_at(time)
        number = path.departures.next
        total = 0
        slot = begin_slot = batch.free_slots(end - first)
        for index in range(first, end):
            at = index & ring.mask
            payload = ring.payloads[at]
            size = head.size + len(payload)
            begin = offsets[slot]
            head.write(
                view,
                begin,
                ring.markers[at] | form.payload_type,
                index + self._offset,
                ring.timestamps[at] + timestamp_offset,
                form.ssrc,
                extensions,
                number + index - first,
            )
            view[begin + head.size : begin + size] = payload
            lengths[2 * slot + 1] = size
            total += size
            if self._numbers is not None:
                self._numbers[index % VIDEO_PACKETS] = (number + index - first) & 0xFFFF
            if handle and protect_in_place(
                handle, batch.addresses[slot], batch.length_addresses[slot]
            ):
                path.dropped += 1
            else:
                slot += 1
        batch.commit(path, slot - begin_slot)
        return total

    def _count(self, cursor: int, payload_bytes: int, timestamp: int, now: float) -> None:
        """The packets up to ``cursor`` are sent, the last one, ``timestamp`` (the ring's), now."""
        self._packets += cursor - self.cursor
        self._bytes += payload_bytes
        self.cursor = cursor
        self._next_sequence = (cursor + self._offset) & 0xFFFF
        self._last_timestamp = timestamp + (self._timestamp_offset or 0)
        self._last_timestamp_at = now

    @property
    def place(self) -> Place:
        """See ``Member``."""
        template = self.head.template(self.form.payload_type, self.form.ssrc)
        return Place(self._path, template, self._offset, self._timestamp_offset or 0)

    def convoy_key(self) -> Hashable | None:
        """See ``Member``. Where repetitions carry their number, each packet's is noted: alone."""
        path = self._path
        if self._convoy is not None or self._numbers is not None or path.target is None:
            return None
        if not path.ready or self.waiting or self._rebase_pending:
            return None
        return (id(path.batch), path.plain, path.batch.segments(path.target), self.head.layout)

    def fall_in(self, convoy: Convoy) -> None:
        """See ``Member``."""
        self._convoy = convoy
        self._joined = self.cursor
        self._convoy_bytes = convoy.bytes

    def fall_out(self) -> None:
        """See ``Member``. What follows is sent from here, until it volunteers again."""
        self._withdraw()
        convoy = self._convoy
        if convoy is None:
            return
        self._catch_up()
        self._send_times.copy(convoy.send_times, self._joined, self.cursor)
        self._convoy = None
        convoy.remove(self)

    def _withdraw(self) -> None:
        """What others would rely on has changed."""
        if self._volunteered and self.rendition is not None:
            self.rendition.formation.withdraw(self)
        self._volunteered = False

    def _catch_up(self) -> None:
        """Take over what the convoy has sent for this stream."""
        convoy = self._convoy
        if convoy is not None and convoy.cursor != self.cursor:
            self._count(
                convoy.cursor, convoy.bytes - self._convoy_bytes, convoy.timestamp, convoy.sent_at
            )
            self._convoy_bytes = convoy.bytes

    def repeat(self, sequences: list[int], now: float) -> int:
        """Answer a NACK; returns how many packets were sent again (to the socket's best)."""
        ring = self._ring
        if ring is None or not self._path.ready:
            return 0
        self._catch_up()
        oldest = max(self._segment_start, ring.oldest, self.cursor - REPLAY_WINDOW_PACKETS + 1)
        sent = 0
        for sequence in sequences:
            back = (self._next_sequence - sequence) & 0xFFFF
            index = self.cursor - back
            if back and index >= oldest:
                if not self._repeater.allows(len(ring.payloads[index & ring.mask]), now):
                    break
                sent += self._repeater.send(ring, index, self._first(ring, index), now)
        self.flush()
        self.repeated += sent
        return sent

    def probe(self, packets: int, now: float) -> int:
        """Repeat the last packets in one burst, so that reports on it tell the line's width.

        Returns: how many; 0 where repetitions do not go under an SSRC of their own, or packets
            are not numbered.
        """
        ring, departures, form = self._ring, self._path.departures, self.form
        if ring is None or form.number_id is None or form.rtx_ssrc is None or not self._path.ready:
            return 0
        self._catch_up()
        oldest = max(self._segment_start, ring.oldest, self.cursor - packets)
        first = departures.next
        for index in range(oldest, self.cursor):
            self._repeater.send(ring, index, self._first(ring, index), now)
        self.flush()
        departures.join(first)
        return departures.next - first

    def _first(self, ring: PayloadRing, index: int) -> First:
        """What the header of a packet held that was sent."""
        convoy = self._convoy
        times = self._send_times if convoy is None or index < self._joined else convoy.send_times
        return First(
            index + self._offset,
            ring.timestamps[index & ring.mask] + (self._timestamp_offset or 0),
            times.at(index),
            0 if self._numbers is None else self._numbers[index % VIDEO_PACKETS],
        )

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
            self.cursor = self._segment_start = ring.key_frame
            self._offset = self._next_sequence - ring.key_frame
            self.waiting = False
            rendition = self.rendition
            if rendition is not None:
                self._frames_base = rendition.frames - 1
                self._key_frames_base = rendition.key_frames - 1
        self._rebase_pending = False
        first = ring.timestamps[self.cursor & ring.mask]
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
        self._withdraw()
        if self.rendition is not None:
            self._close_segment(self.rendition)
            self._frames_base = self.rendition.frames
            self._key_frames_base = self.rendition.key_frames
        self.cursor = self._segment_start = ring.end
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
