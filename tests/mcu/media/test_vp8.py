import av
import numpy as np
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import vp8
from mcu.media.payload import MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PayloadError
from mixer.codecs.video import VideoEncoder


@given(st.binary(min_size=1, max_size=4 * MAX_PAYLOAD_BYTES))
def test_round_trip(data: bytes) -> None:
    payloads = vp8.packetise(data)
    assert all(1 < len(one) <= MAX_PAYLOAD_BYTES for one in payloads)
    assert vp8.assemble(payloads) == (data, data[0] & 1 == 0)


@given(st.binary(min_size=1, max_size=4 * MAX_PAYLOAD_BYTES))
def test_aiortc_reads_what_is_written(data: bytes) -> None:
    read = b""
    for number, payload in enumerate(vp8.packetise(data)):
        descriptor, part = VpxPayloadDescriptor.parse(payload)
        assert descriptor.partition_start == (number == 0)
        assert descriptor.picture_id is None
        read += part
    assert read == data


@given(
    st.binary(min_size=1, max_size=50),
    st.one_of(st.none(), st.integers(0, 32767)),
    st.booleans(),
    st.booleans(),
)
def test_reads_descriptors_of_others(
    data: bytes, picture_id: int | None, temporal: bool, level: bool
) -> None:
    descriptor = VpxPayloadDescriptor(
        partition_start=1,
        partition_id=0,
        picture_id=picture_id,
        tl0picidx=7 if level else None,
        tid=(1, 0) if temporal else None,
        keyidx=3 if temporal else None,
    )
    payload = bytes(descriptor) + data
    assert vp8.descriptor_bytes(payload) == len(payload) - len(data)
    assert vp8.assemble([payload])[0] == data


def test_nothing_gives_nothing() -> None:
    assert vp8.packetise(b"") == []


@pytest.mark.parametrize(
    ("payload", "begins"),
    [
        (b"", False),
        (b"\x10\x00", True),
        (b"\x10\x01", False),
        (b"\x00\x00", False),
        (b"\x10", False),
    ],
)
def test_begins_key_frame(payload: bytes, begins: bool) -> None:
    assert vp8.begins_key_frame(payload) is begins


@pytest.mark.parametrize(
    "payloads",
    [
        [],
        [b""],
        [b"\x10"],
        [b"\x00\x01"],
        [b"\x11\x01"],
        [b"\x90"],
        [b"\x90\x80"],
        [b"\x90\x80\x80"],
        [b"\x90\xe0\x01\x01"],
        [b"\x10\x01", b""],
        [b"\x10" + bytes(MAX_FRAME_BYTES)],
    ],
)
def test_malformed_is_refused(payloads: list[bytes]) -> None:
    with pytest.raises(PayloadError):
        vp8.assemble(payloads)


@pytest.mark.parametrize(("size", "expected"), [((320, 180), 20 * 12), ((1280, 720), 3600)])
def test_size_of_what_an_encoder_writes(size: tuple[int, int], expected: int) -> None:
    encoder = VideoEncoder("vp8", *size, 25, 300_000)
    grey = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
    sizes = [
        vp8.macroblocks(encoder.encode(av.VideoFrame.from_ndarray(grey, "yuv420p"), key).data)
        for key in (True, False)
    ]
    assert sizes == [expected, 0]


def test_bits_that_ask_for_scaling_are_no_size() -> None:
    header = b"\x10\x00\x00\x9d\x01\x2a" + (640 | 1 << 14).to_bytes(2, "little")
    assert vp8.macroblocks(header + (360 | 3 << 14).to_bytes(2, "little")) == 920


@given(st.binary(max_size=40))
def test_any_bytes_have_a_size_or_are_refused(data: bytes) -> None:
    try:
        assert 0 <= vp8.macroblocks(data) <= 1024 * 1024
    except PayloadError:
        assert data[0] & 1 == 0
        assert len(data) < 10 or data[3:6] != b"\x9d\x01\x2a"
