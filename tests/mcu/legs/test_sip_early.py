"""Pressed keys that come before it is known whose they are."""

from mcu.legs.sip_early import MAX_BYTES, MAX_PACKETS, MAX_SOURCES, EarlyKeys
from mcu.media.srtp import PacketBuffer

KEYS = 101


def packet(number: int, payload_type: int = KEYS, size: int = 4) -> PacketBuffer:
    made = PacketBuffer()
    data = bytes((0x80, payload_type, 0, number)) + bytes(8 + size)
    made.view[: len(data)] = data
    made.length[0] = len(data)
    return made


def made() -> EarlyKeys:
    return EarlyKeys(lambda payload_type: payload_type == KEYS)


def numbers(found: list[tuple[memoryview, float]]) -> list[int]:
    return [one[3] for one, _ in found]


def test_keys_are_kept_in_their_order_with_their_times() -> None:
    early = made()
    for number in range(3):
        early.keep("a", packet(number), number / 10)
    found = early.release("a")
    assert numbers(found) == [0, 1, 2]
    assert [at for _, at in found] == [0.0, 0.1, 0.2]
    assert early.release("a") == []


def test_the_buffer_may_be_used_again() -> None:
    early, buffer = made(), packet(7)
    early.keep("a", buffer, 0.0)
    buffer.view[3] = 8
    assert numbers(early.release("a")) == [7]


def test_what_is_no_key_is_not_kept() -> None:
    early = made()
    early.keep("a", packet(1, payload_type=8), 0.0)
    early.keep("a", packet(1, size=0), 0.0)
    early.keep("a", packet(1, size=MAX_BYTES), 0.0)
    assert early.release("a") == []


def test_what_others_sent_is_forgotten() -> None:
    early = made()
    early.keep("a", packet(1), 0.0)
    early.keep("b", packet(2), 0.0)
    assert numbers(early.release("b")) == [2]
    assert early.release("a") == []


def test_it_is_bounded() -> None:
    early = made()
    for source in range(MAX_SOURCES + 3):
        for number in range(MAX_PACKETS + 5):
            early.keep(source, packet(number), 0.0)
    assert not early.release(MAX_SOURCES)
    for source in range(MAX_SOURCES):
        early.keep(source, packet(0), 0.0)
    for _ in range(MAX_PACKETS + 5):
        early.keep(0, packet(1), 0.0)
    assert len(early.release(0)) == MAX_PACKETS
