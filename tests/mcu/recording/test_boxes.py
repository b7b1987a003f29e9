"""What is whole of a file, wherever it was cut."""

import io

import pytest

from mcu.recording.boxes import whole_bytes


def box(kind: bytes, size: int) -> bytes:
    return (8 + size).to_bytes(4, "big") + kind + bytes(size)


HEAD = box(b"ftyp", 20) + box(b"moov", 300)
PIECE = box(b"moof", 90) + box(b"mdat", 700)


@pytest.mark.parametrize("cut", [0, 1, 8, 97, 98, 99, 106, 500, len(PIECE) - 1])
def test_a_piece_counts_with_its_media_only(cut):
    data = HEAD + PIECE + PIECE[:cut]
    assert whole_bytes(io.BytesIO(data), len(data)) == len(HEAD + PIECE)


def test_the_head_alone_is_whole_and_half_of_it_is_nothing():
    assert whole_bytes(io.BytesIO(HEAD), len(HEAD)) == len(HEAD)
    for cut in (0, 5, 28, len(HEAD) - 1):
        assert whole_bytes(io.BytesIO(HEAD[:cut]), cut) == 0


def test_what_is_no_box_ends_it():
    data = HEAD + PIECE + b"\x00\x00\x00\x02oddx" + bytes(50)
    assert whole_bytes(io.BytesIO(data), len(data)) == len(HEAD + PIECE)
    large = (1).to_bytes(4, "big") + b"mdat" + (16 + 64).to_bytes(8, "big") + bytes(64)
    data = HEAD + box(b"moof", 10) + large
    assert whole_bytes(io.BytesIO(data), len(data)) == len(data)
