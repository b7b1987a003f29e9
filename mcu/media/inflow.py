"""Packets of sound of many legs, opened and counted together.

The turn's packets lie in slots, one below the other. Those that are their source's next one, as
its columns say, are opened by libsrtp in one go, and what is known of their sources goes on by
some calls of numpy for all. Nothing is believed of a packet that was not opened, except that it is
worth trying: a forged one costs what it costs alone, and its source falls out of step.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, repeat

import numpy as np
import numpy.typing as npt

from mcu.media.frames import AudioPacket
from mcu.media.lane import Lane
from mcu.media.rtp import HEADER_AND_EXTENSION, HEADER_BYTES
from mcu.media.slots import HEAD_BYTES, Slots
from mcu.media.srtp import Argument, unprotect_many

LEAST = 6
"""With fewer packets in step in a turn, one by one is cheaper."""
LONGEST_BYTES = 1500
"""Of a packet; longer ones are no usual sound."""
_TRAILER_BYTES = 16
"""The longest of what SRTP adds; with more than that behind the header there is a payload."""
_ROWS = 64
_LEVEL_AT = HEADER_BYTES + 4
"""Where the first element of the extension is: the level, whose value is one byte."""
_JITTER_WITHIN_S = 2.0
"""See ``SequenceTracker.take``."""
_new_tuple = tuple.__new__

_ROW = np.dtype(
    [
        ("begin", np.int64),
        ("highest", np.int64),
        ("timestamp", np.int64),
        ("transit", np.float64),
        ("jitter", np.float64),
        ("clock_rate", np.float64),
        ("bytes", np.int64),
        ("arrived_at", np.float64),
    ]
)
"""Of one source: where its payloads begin, and where its stream stands."""

_MASK = np.frombuffer(
    HEADER_AND_EXTENSION.pack(0xFF, 0x7F, 0xFFFF, 0, 0xFFFFFFFF, 0xFFFF, 0xFFFF).ljust(17, b"\xff")
    + bytes(HEAD_BYTES - 17),
    np.uint64,
)
"""What of a head is known beforehand: all but marker, timestamp, and what the elements hold."""
_SEQUENCE = 1
"""Of the heads in numbers of two bytes."""


class Inflow:
    """The columns of all sources in step; row 0 is nobody's."""

    def __init__(self) -> None:
        self.pays = False
        """Whether the last turn had enough packets for it."""
        self._table = np.zeros(_ROWS, _ROW)
        self._heads = np.zeros((_ROWS, len(_MASK)), np.uint64)
        self._free = list(range(_ROWS - 1, 0, -1))
        self._lanes: list[Lane | None] = [None] * _ROWS
        self._sessions: list[Argument | None] = [None] * _ROWS

    def enlist(self, lane: Lane, packet: memoryview) -> int:
        """A row for a lane that has a stream, a session and somewhere to lay its packets.

        Args:
            packet: the stream's newest, which ``begins_with_level``.
        """
        stream = lane.stream
        assert stream is not None  # noqa: S101 by contract
        if not self._free:
            self._grow()
        row = self._free.pop()
        tracker = stream.tracker
        transit, jitter = tracker.transit
        self._heads[row] = np.frombuffer(packet[:HEAD_BYTES], np.uint64)
        self._heads.view(">u2")[row, _SEQUENCE] = tracker.highest + 1 & 0xFFFF
        self._table[row] = (
            _LEVEL_AT + 4 * (packet[HEADER_BYTES + 2] << 8 | packet[HEADER_BYTES + 3]),
            tracker.highest,
            tracker.timestamp,
            transit,
            jitter,
            tracker.clock_rate,
            0,
            stream.last_packet_at,
        )
        self._lanes[row], self._sessions[row] = lane, lane.session
        return row

    def dismiss(self, lane: Lane) -> None:
        """Nothing more is taken for it; it is settled."""
        self._table[lane.row] = 0
        self._lanes[lane.row] = self._sessions[lane.row] = None
        self._free.append(lane.row)

    def settle(self, lane: Lane) -> None:
        """Hand over to its stream what was taken since the last time."""
        row, stream = self._table[lane.row], lane.stream
        assert stream is not None  # noqa: S101 it was enlisted with one
        count = int(row["highest"]) - stream.tracker.highest
        if not count:
            return
        stream.tracker.advance(
            count, int(row["timestamp"]), float(row["transit"]), float(row["jitter"])
        )
        stream.packets += count
        stream.bytes += int(row["bytes"])
        row["bytes"] = 0
        stream.last_packet_at = lane.heard_at = float(row["arrived_at"])

    def take(
        self, slots: Slots, lanes: Sequence[Lane], arrived_at: npt.NDArray[np.float64]
    ) -> Sequence[int]:
        """Take what is in step of the packets in the first slots.

        Args:
            lanes: of whoever sent each, by its address. arrived_at: float64 (packets,).
        Returns: numbers of the others, of which nothing was touched, ascending.
        Cost: some 50 us and 1 us for each packet (libsrtp, a copy of its payload).
        """
        count = len(lanes)
        self.pays = count >= LEAST
        rows = np.array([lane.row for lane in lanes], np.intp)
        if np.count_nonzero(rows) < LEAST:
            return range(count)
        state = self._table[rows]
        sizes = slots.sizes[:count]
        differs = ((slots.heads[:count] ^ self._heads[rows]) & _MASK).any(axis=1)
        usual = (
            (rows > 0)
            & ~differs
            & (sizes > state["begin"] + _TRAILER_BYTES)
            & (sizes <= LONGEST_BYTES)
        )
        # Of two that say they are the next one, one at most is.
        usual &= np.bincount(rows[usual], minlength=len(self._table))[rows] < 2
        numbers = usual.nonzero()[0]
        if len(numbers):
            self._open(slots, numbers, rows[numbers], state[numbers], arrived_at[numbers])
        if len(numbers) == count:
            return ()
        result: list[int] = (~usual).nonzero()[0].tolist()
        return result

    def _open(
        self,
        slots: Slots,
        numbers: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
        state: npt.NDArray[np.void],
        arrived_at: npt.NDArray[np.float64],
    ) -> None:
        """Open the packets of these numbers; those that are authentic are counted and kept."""
        which = numbers.tolist()
        sessions = self._sessions
        statuses = unprotect_many(
            [sessions[row] for row in rows.tolist()],
            [slots.arguments[number] for number in which],
            [slots.size_arguments[number] for number in which],
        )
        if any(statuses):
            for row, status, at in zip(rows.tolist(), statuses, arrived_at.tolist(), strict=True):
                lane = self._lanes[row]
                if status and lane is not None:
                    lane.fall_out()
                    lane.refused(status, at)
            opened = np.array(statuses) == 0
            which = list(compress(which, opened.tolist()))
            numbers, rows, state = numbers[opened], rows[opened], state[opened]
            arrived_at = arrived_at[opened]
        begins, ends = state["begin"], slots.sizes[numbers]
        self._advance(rows, state, slots.timestamps[numbers], ends - begins, arrived_at)
        levels = slots.octets[numbers, _LEVEL_AT + 1]
        octets = [slots.packets[number].view for number in which]
        payloads = [
            view[begin:end].tobytes()
            for view, begin, end in zip(octets, begins.tolist(), ends.tolist(), strict=True)
        ]
        packets = map(
            _new_tuple,
            repeat(AudioPacket),
            zip(
                state["highest"].tolist(),
                state["timestamp"].tolist(),
                payloads,
                (-(levels & 0x7F).astype(np.int64)).tolist(),
                (levels >= 0x80).tolist(),
                strict=True,
            ),
        )
        for row, packet, at in zip(rows.tolist(), packets, arrived_at.tolist(), strict=True):
            lane = self._lanes[row]
            if lane is not None and lane.waiting is not None:
                waiting = lane.waiting
                waiting.level, waiting.heard_at = packet[3], at
                waiting.packets.append((packet, at))

    def _advance(
        self,
        rows: npt.NDArray[np.intp],
        state: npt.NDArray[np.void],
        sent_at: npt.NDArray[np.uint32],
        sizes: npt.NDArray[np.int64],
        arrived_at: npt.NDArray[np.float64],
    ) -> None:
        """As ``SequenceTracker.take`` for each of them; ``state`` is theirs from now on."""
        timestamps = state["timestamp"]
        timestamps += (sent_at.astype(np.int64) - timestamps).astype(np.int32)
        transits = arrived_at * state["clock_rate"] - timestamps
        differences = np.abs(transits - state["transit"])
        jitter = state["jitter"]
        within = differences < state["clock_rate"] * _JITTER_WITHIN_S
        jitter += np.where(within, (differences - jitter) / 16.0, 0.0)
        state["transit"] = transits
        state["highest"] += 1
        state["bytes"] += sizes
        state["arrived_at"] = arrived_at
        self._table[rows] = state
        self._heads.view(">u2")[rows, _SEQUENCE] = state["highest"] + 1

    def _grow(self) -> None:
        size = len(self._table)
        self._table = np.concatenate((self._table, np.zeros(size, _ROW)))
        self._heads = np.concatenate((self._heads, np.zeros_like(self._heads)))
        self._free += range(2 * size - 1, size - 1, -1)
        self._lanes += [None] * size
        self._sessions += [None] * size
