import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264PayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import h264
from mcu.media.payload import MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PayloadError
from mixer.codecs.video import VideoEncoder

UNITS = st.lists(
    st.builds(
        lambda head, body: bytes((0x60 | head,)) + body.replace(b"\0", b"\1") + b"\x80",
        st.sampled_from([1, 5, 6, 7, 8, 9]),
        st.binary(max_size=3 * MAX_PAYLOAD_BYTES),
    ),
    min_size=1,
    max_size=6,
)


def annex_b(units: list[bytes]) -> bytes:
    return b"".join(h264.START_CODE + unit for unit in units)


@given(UNITS)
def test_round_trip(units: list[bytes]) -> None:
    payloads = h264.packetise(annex_b(units))
    assert all(0 < len(one) <= MAX_PAYLOAD_BYTES for one in payloads)
    data, key_frame = h264.assemble(payloads)
    assert data == annex_b(units)
    assert key_frame == any(unit[0] & 0x1F == h264.NAL_IDR for unit in units)


@given(UNITS)
def test_aiortc_reads_what_is_written(units: list[bytes]) -> None:
    read = b""
    for payload in h264.packetise(annex_b(units)):
        _, part = H264PayloadDescriptor.parse(payload)
        read += part
    assert read == annex_b(units)


def test_three_byte_start_codes_and_trailing_zeros() -> None:
    data = b"\0\0\1\x67abc\0\0\0\1\x68de\0\0\0\0\0\1\x65f\0\0"
    assert h264.split_annex_b(data) == [b"\x67abc", b"\x68de", b"\x65f"]


def test_no_unit_gives_no_payload() -> None:
    assert h264.packetise(b"") == []
    assert h264.packetise(b"garbage without start code") == []


def test_fragments_are_of_equal_size() -> None:
    sizes = [len(one) for one in h264.packetise(h264.START_CODE + b"\x65" + b"\x11" * 2400)]
    assert max(sizes) - min(sizes) <= 2


@pytest.mark.parametrize(
    ("payload", "begins"),
    [
        (b"", False),
        (b"\x67\x42", True),
        (b"\x65\x88", False),
        (b"\x41\x9a", False),
        (b"\x78\x00\x02\x67\x42\x00\x01\x68", True),
        (b"\x78\x00\x02\x09\x10\x00\x02\x67\x42", True),
        (b"\x78\x00\x02\x06\x05", False),
        (b"\x7c\x85\x11", False),
        (b"\x78\xff\xff\x41", False),
    ],
)
def test_begins_key_frame(payload: bytes, begins: bool) -> None:
    assert h264.begins_key_frame(payload) is begins


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        [b""],
        [b"\x7c\x85"],
        [b"\x7c\x05\x11"],
        [b"\x7c\x85\x11"],
        [b"\x7c\x85\x11", b"\x41\x11"],
        [b"\x7c\x85\x11", b"\x7c\x85\x11"],
        [b"\x78\x00\x05\x67"],
        [b"\x78\x00\x00"],
        [b"\x78\x00"],
        [b"\x79\x11"],
        [b"\x40\x11"],
        [b"\x41" + bytes(MAX_FRAME_BYTES)],
    ],
)
def test_malformed_is_refused(payloads: list[bytes]) -> None:
    with pytest.raises(PayloadError):
        h264.assemble(payloads)


def test_size_is_that_of_the_largest_parameter_set() -> None:
    small, large = (key_parameters(*size) for size in ((320, 180), (1280, 720)))
    slices = b"\x65" + bytes(50)
    assert h264.macroblocks(annex_b([small, slices])) == 20 * 12
    assert h264.macroblocks(annex_b([small, slices, large])) == 3600
    assert h264.macroblocks(annex_b([b"\x41" + bytes(50)])) == 0
    assert h264.macroblocks(b"\0\0\1") == 0
    with pytest.raises(PayloadError):
        h264.macroblocks(annex_b([slices, small[:4]]))


def key_parameters(width: int, height: int) -> bytes:
    coded = VideoEncoder("h264", width, height, 25, 300_000).encode(grey(width, height), True)
    return next(one for one in h264.split_annex_b(coded.data) if one[0] & 0x1F == h264.NAL_SPS)


def grey(width: int, height: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), "yuv420p")


def test_one_unit_for_each_packet() -> None:
    units = [b"\x67\1\2", b"\x68\3", b"\x65" + bytes(range(1, 200)), b"\x41\5"]
    data = b"".join(b"\0\0\0\1" + unit for unit in units)
    assert h264.one_by_one(data) == units
    assert h264.assemble(h264.one_by_one(data)) == (data, True)
    with pytest.raises(ValueError, match="200 bytes"):
        h264.one_by_one(data, 100)
