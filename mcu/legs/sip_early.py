"""Pressed keys (RFC 4733) that come before it is known whose they are.

Plain media from another host than the announced one is believed only after a while. Sound of that
time is no loss, but the first digit of a PIN is: packets of keys are kept, by where they came from,
and count once that place is found to be the peer's.
"""

from collections.abc import Callable, Hashable
from typing import Final

from mcu.media.rtp import HEADER_BYTES
from mcu.media.srtp import PacketBuffer

MAX_SOURCES: Final = 4
MAX_PACKETS: Final = 100
"""Of one source: ten keys and their repetitions."""
MAX_BYTES: Final = 64


class EarlyKeys:
    """What came early at one socket; bounded, whoever sends.

    Args:
        is_key: whether packets of a payload type carry keys.
    """

    def __init__(self, is_key: Callable[[int], bool]) -> None:
        self._is_key = is_key
        self._kept: dict[Hashable, list[tuple[memoryview, float]]] = {}

    def keep(self, source: Hashable, packet: PacketBuffer, now: float) -> None:
        """Keep a packet if it carries a key."""
        size = packet.length[0]
        if not HEADER_BYTES < size <= MAX_BYTES or not self._is_key(packet.view[1] & 0x7F):
            return
        if source not in self._kept and len(self._kept) >= MAX_SOURCES:
            return
        kept = self._kept.setdefault(source, [])
        if len(kept) < MAX_PACKETS:
            kept.append((memoryview(packet.bytes()), now))

    def release(self, source: Hashable) -> list[tuple[memoryview, float]]:
        """What came from there, with its times; what came from elsewhere is forgotten."""
        found = self._kept.pop(source, [])
        self._kept.clear()
        return found
