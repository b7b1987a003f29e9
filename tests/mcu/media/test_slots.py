import numpy as np

from mcu.media.slots import Slots
from mcu.media.srtp import BUFFER_BYTES, PacketBuffer


def test_columns_are_the_packets_memory() -> None:
    memory, lengths = memoryview(bytearray(2 * BUFFER_BYTES)), memoryview(bytearray(8))
    packets = [
        PacketBuffer(memory[BUFFER_BYTES * one :][:BUFFER_BYTES], lengths[4 * one :][:4])
        for one in range(2)
    ]
    slots = Slots(memory, packets, np.frombuffer(lengths, np.int32))
    packets[1].write(bytes(range(30)))
    assert slots.sizes.tolist() == [0, 30]
    assert slots.octets[1, :30].tobytes() == bytes(range(30))
    assert slots.heads[1].tobytes() == bytes(range(24))
    assert slots.timestamps[1] == 0x04050607
    packets[1].length[0] = 14  # as libsrtp writes it
    assert slots.sizes[1] == 14
