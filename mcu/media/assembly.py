"""Packets of a video stream → complete pictures in order.

Pure and bounded: at most ``MAX_PACKETS`` packets wait behind a gap. Only complete pictures come
out; after a gap was given up, pictures follow with ``contiguous=False`` until a key frame.
"""

from collections.abc import Callable
from types import ModuleType

from mcu.media import h264, vp8
from mcu.media.frames import EncodedFrame
from mcu.media.payload import MAX_FRAME_BYTES, PayloadError

MAX_PACKETS = 2048
"""Packets kept behind a gap (about 2 s of 6 Mbit/s), and packets of one picture."""

_FORMATS: dict[str, ModuleType] = {"h264": h264, "vp8": vp8}

_Packet = tuple[int, bool, bytes]  # timestamp, marker, payload


class FrameAssembler:
    """Puts pictures together from packets that come in any order.

    Args:
        codec: ``h264`` or ``vp8``.
    Raises:
        ValueError: no payload format for this codec.
    """

    __slots__ = (
        "_assemble",
        "_begins_key_frame",
        "_boundary",
        "_bytes",
        "_frame",
        "_timestamp",
        "_waiting",
        "broken",
        "contiguous",
        "next_sequence",
    )

    def __init__(self, codec: str) -> None:
        form = _FORMATS.get(codec)
        if form is None:
            raise ValueError(f"no payload format for {codec}")
        self._assemble: Callable[[list[bytes]], tuple[bytes, bool]] = form.assemble
        self._begins_key_frame: Callable[[bytes], bool] = form.begins_key_frame
        self.broken = 0
        """Pictures thrown away: malformed or too large."""
        self.next_sequence = -1
        """Extended sequence number that must come next; -1 before the first packet."""
        self.contiguous = False
        """Whether the next picture continues the last one delivered."""
        self._waiting: dict[int, _Packet] = {}
        self._boundary = False  # the next packet in order begins a picture
        self._timestamp: int | None = None
        self._frame: list[bytes] | None = None  # None: within a picture that cannot be completed
        self._bytes = 0

    def insert(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes
    ) -> list[EncodedFrame]:
        """Take one packet; returns the pictures it completes, in order.

        Args:
            sequence, timestamp: extended. payload: may be empty (padding only).
        """
        expected = self.next_sequence
        if expected < 0:
            expected = self.next_sequence = sequence
        frames: list[EncodedFrame] = []
        if sequence == expected:
            self._take(timestamp, marker, payload, frames)
            if self._waiting:
                self._take_waiting(frames)
        elif sequence > expected and len(self._waiting) < MAX_PACKETS:
            self._waiting[sequence] = (timestamp, marker, payload)
        return frames

    def hold(self, sequence: int, timestamp: int, marker: bool, payload: bytes) -> bool:
        """Keep a packet of a stream whose beginning is not known yet (packets may come reordered).

        Returns: True once the beginning is there: a packet with which a key frame begins, or as
            many packets as fit; then call ``begin``.
        """
        self._waiting[sequence] = (timestamp, marker, payload)
        return self._begins_key_frame(payload) or len(self._waiting) >= MAX_PACKETS

    def begin(self) -> list[EncodedFrame]:
        """Begin with the first key frame among the packets held, else with the first packet.

        Returns: the pictures that are complete.
        """
        held = self._waiting
        starts = [one for one, packet in held.items() if self._begins_key_frame(packet[2])]
        first = min(starts or held, default=-1)
        for sequence in [one for one in held if one < first]:
            del held[sequence]
        self.next_sequence = first
        frames: list[EncodedFrame] = []
        self._take_waiting(frames)
        return frames

    def holds(self, sequence: int) -> bool:
        """Whether a packet waits behind a gap."""
        return sequence in self._waiting

    def skip_to(self, sequence: int) -> list[EncodedFrame]:
        """Packets before ``sequence`` that are missing are given up.

        Returns: pictures that follow the gap completely.
        """
        frames: list[EncodedFrame] = []
        if sequence - self.next_sequence > 2 * MAX_PACKETS:
            # The peer began anew; going through the numbers one by one would take long.
            self._waiting = {one: held for one, held in self._waiting.items() if one >= sequence}
            self._lose()
            self.next_sequence = sequence
        while self.next_sequence < sequence:
            held = self._waiting.pop(self.next_sequence, None)
            if held is None:
                self._lose()
                self.next_sequence += 1
            else:
                self._take(*held, frames)
        self._take_waiting(frames)
        return frames

    @property
    def waiting(self) -> int:
        """Packets held behind a gap."""
        return len(self._waiting)

    def _take_waiting(self, frames: list[EncodedFrame]) -> None:
        while (held := self._waiting.pop(self.next_sequence, None)) is not None:
            self._take(*held, frames)

    def _take(
        self, timestamp: int, marker: bool, payload: bytes, frames: list[EncodedFrame]
    ) -> None:
        self.next_sequence += 1
        if not payload:
            return
        if self._timestamp is None or timestamp != self._timestamp:
            known = self._timestamp is not None
            if self._frame:
                # A picture whose last packet carried no marker ends where the next begins.
                self._finish(frames)
            # After a gap only a packet that itself begins a key frame is a sure start.
            starts = self._boundary or known or self._begins_key_frame(payload)
            self._frame = [] if starts else None
            self._bytes = 0
        elif self._frame is None and self._begins_key_frame(payload):
            self._frame = []
        self._timestamp = timestamp
        self._boundary = False
        if self._frame is not None:
            self._frame.append(payload)
            self._bytes += len(payload)
            if self._bytes > MAX_FRAME_BYTES or len(self._frame) > MAX_PACKETS:
                self._break()
        if marker:
            if self._frame:
                self._finish(frames)
            self._timestamp = None
            self._frame = None
            self._boundary = True

    def _finish(self, frames: list[EncodedFrame]) -> None:
        payloads, timestamp = self._frame or [], self._timestamp or 0
        self._frame, self._bytes = None, 0
        try:
            data, key_frame = self._assemble(payloads)
        except PayloadError:
            self._break()
            return
        if key_frame:
            self.contiguous = True
        frames.append(EncodedFrame(data, timestamp, key_frame, self.contiguous))

    def _lose(self) -> None:
        self._frame = None
        self._bytes = 0
        self._timestamp = None
        self._boundary = False
        self.contiguous = False

    def _break(self) -> None:
        self.broken += 1
        self._frame = None
        self._bytes = 0
        self.contiguous = False
