import pytest

from mcu.media.ring import PayloadRing


def test_keeps_the_newest() -> None:
    ring = PayloadRing(4)
    ring.append([b"a", b"b"], 10, key_frame=True, marked=True)
    ring.append([b"c", b"d", b"e"], 20, key_frame=False, marked=True)
    assert (ring.oldest, ring.end, ring.key_frame) == (1, 5, 0)
    held = [ring.payloads[index & ring.mask] for index in range(ring.oldest, ring.end)]
    assert held == [b"b", b"c", b"d", b"e"]
    assert [ring.markers[index & ring.mask] for index in range(1, 5)] == [0x80, 0, 0, 0x80]
    assert [ring.timestamps[index & ring.mask] for index in range(1, 5)] == [10, 20, 20, 20]


def test_audio_has_no_marker() -> None:
    ring = PayloadRing(4)
    ring.append([b"a"], 10, key_frame=True, marked=False)
    assert ring.markers[0] == 0


def test_nothing_appended_changes_nothing() -> None:
    ring = PayloadRing(4)
    ring.append([], 10, key_frame=True, marked=True)
    assert (ring.end, ring.key_frame) == (0, -1)


@pytest.mark.parametrize("capacity", [0, 3, -4])
def test_capacity_is_a_power_of_two(capacity: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        PayloadRing(capacity)
