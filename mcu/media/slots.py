"""The memory of a turn's packets, as numpy sees it: one packet below the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcu.media.srtp import BUFFER_BYTES, PacketBuffer

HEAD_BYTES = 24
"""RTP header, the extension's head and its first elements."""


class Slots:
    """Packets of RTP in slots of BUFFER_BYTES.

    ``octets``: uint8 (slots, BUFFER_BYTES). ``heads``: the first HEAD_BYTES, uint64 (slots, 3).
    ``timestamps``: uint32 in the network's order, (slots,). ``sizes``: of each packet, where
    libsrtp reads and writes it. ``arguments``, ``size_arguments``: what ``unprotect_many`` takes.

    Args:
        memory: of all slots. packets: the same, one by one. sizes: int32 (slots,), the packets'.
    """

    def __init__(
        self, memory: memoryview, packets: Sequence[PacketBuffer], sizes: npt.NDArray[np.int32]
    ) -> None:
        self.packets = packets
        self.sizes = sizes
        self.octets = np.frombuffer(memory, np.uint8).reshape(len(packets), BUFFER_BYTES)
        self.heads: npt.NDArray[np.uint64] = self.octets[:, :HEAD_BYTES].view(np.uint64)
        self.timestamps: npt.NDArray[np.uint32] = self.octets[:, 4:8].view(">u4")[:, 0]
        self.arguments = [packet.arguments[0] for packet in packets]
        self.size_arguments = [packet.arguments[1] for packet in packets]
