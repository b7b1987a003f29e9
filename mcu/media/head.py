"""The header of one outgoing stream's packets: laid out once, with places for what differs."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from mcu.media.rtp import HEADER, HEADER_BYTES, pack_extensions

SEQUENCE_AT = 2
TIMESTAMP_AT = 4
_NUMBER_AT = HEADER_BYTES + 4 + 1
"""Behind the extension's head and the octet of its first element."""
_TIME_BYTES = 3
_pack_number = struct.Struct("!H").pack_into


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


class PacketHead:
    """Where what stands in the header of a stream's packets.

    ``size``: bytes of the header with its extensions. ``number_at``, ``time_at``: offsets of the
    transport-wide number (two bytes) and the time of sending (three); None where they are not
    negotiated. Streams of one ``layout`` differ in values alone.
    """

    __slots__ = (
        "_after_time",
        "_before_time",
        "_first_byte",
        "_pack",
        "layout",
        "number_at",
        "size",
        "time_at",
    )

    def __init__(self, form: SendFormat) -> None:
        # The number stands first and the time last, so that both are at known places.
        values = {} if form.number_id is None else {form.number_id: bytes(2)}
        values.update(form.extensions)
        if form.abs_send_time_id is not None:
            values[form.abs_send_time_id] = bytes(_TIME_BYTES)
        used = HEADER_BYTES + 4 + sum(1 + len(value) for value in values.values())
        block = pack_extensions(values)
        self._first_byte = 0x90 if values else 0x80
        self._pack = struct.Struct(f"{HEADER.format}{len(block)}s").pack_into
        self.size = HEADER_BYTES + len(block)
        self.number_at = None if form.number_id is None else _NUMBER_AT
        self.time_at = None if form.abs_send_time_id is None else used - _TIME_BYTES
        at = len(block) if self.time_at is None else self.time_at - HEADER_BYTES
        self._before_time, self._after_time = block[:at], block[at + _TIME_BYTES :]
        self.layout = (self.size, self.number_at, self.time_at)

    def template(self, payload_type: int, ssrc: int) -> bytes:
        """A header of ``size`` bytes, zero where packets differ."""
        packet = bytearray(self.size)
        self.write(memoryview(packet), 0, payload_type, 0, 0, ssrc, self.extensions_at(0), 0)
        return bytes(packet)

    def extensions_at(self, send_time: int) -> bytes:
        """The extensions of packets that leave at a time as from ``rtp.abs_send_time``."""
        if self.time_at is None:
            return self._before_time
        return self._before_time + send_time.to_bytes(_TIME_BYTES, "big") + self._after_time

    def write(
        self,
        view: memoryview,
        at: int,
        second_byte: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        extensions: bytes,
        number: int,
    ) -> None:
        """Write the header of one packet.

        Args:
            at: where in ``view``. second_byte: marker and payload type.
            sequence, timestamp, number: any integers, cut to their fields. extensions: as from
                ``extensions_at``. number: transport-wide.
        """
        self._pack(
            view,
            at,
            self._first_byte,
            second_byte,
            sequence & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            ssrc,
            extensions,
        )
        if self.number_at is not None:
            _pack_number(view, at + self.number_at, number & 0xFFFF)
