"""Sizes read from parameter sets, against what encoders wrote and decoders make of it."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from mcu.media import h264, h264_parameters
from mcu.media.payload import PayloadError
from mixer.codecs.video import VideoCodecError, VideoDecoder


def key_frame(size: tuple[int, int], pixels: str = "yuv420p", **options: str) -> bytes:
    """As x264 codes a grey picture."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = *size, pixels
    context.time_base = Fraction(1, 25)
    context.options = {"preset": "ultrafast", "tune": "zerolatency", **options}
    picture = av.VideoFrame(*size, pixels)
    for plane in picture.planes:
        plane.update(np.full(plane.buffer_size, 128, np.uint8).tobytes())
    picture.pts = 0
    return b"".join(bytes(one) for one in (*context.encode(picture), *context.encode(None)))


def parameters(data: bytes) -> bytes:
    return next(one for one in h264.split_annex_b(data) if one[0] & 0x1F == h264.NAL_SPS)


@pytest.mark.parametrize(
    ("size", "pixels", "options", "expected"),
    [
        ((16, 16), "yuv420p", {}, 1),
        ((90, 90), "yuv420p", {"profile": "baseline"}, 36),
        ((640, 360), "yuv420p", {"profile": "baseline"}, 40 * 23),
        ((1280, 720), "yuv420p", {"profile": "main"}, 3_600),
        ((1920, 1080), "yuv420p", {"profile": "high"}, 8_160),
        ((3840, 2160), "yuv420p", {"profile": "high"}, 32_400),
        ((642, 362), "yuv422p", {"profile": "high422"}, 41 * 23),
        ((642, 362), "yuv444p", {"profile": "high444"}, 41 * 23),
        ((640, 360), "yuv420p", {"x264-params": "cqm=jvt"}, 40 * 23),
        # Fields come in pairs of macroblock rows: 360 lines are coded as 384.
        ((640, 360), "yuv420p", {"x264-params": "interlaced=1"}, 40 * 24),
    ],
)
def test_size_of_what_x264_writes(
    size: tuple[int, int], pixels: str, options: dict[str, str], expected: int
) -> None:
    assert h264_parameters.macroblocks(parameters(key_frame(size, pixels, **options))) == expected


def test_order_of_pictures_by_a_cycle_is_skipped() -> None:
    """Type 1 of picture order count, which x264 does not write (7.3.2.1.1)."""
    bits = "1" + "1" + "010" + "1" + "1" + "1" + "011" + "1" + "00110" + "1" + "0"
    # SPS 0, frame numbers; type 1: flag, two offsets, a cycle of two; references, gaps; then size.
    bits += "000010000" + "0001010" + "1"  # 16 wide, 10 high, frames alone
    bits += "1" * (-len(bits) % 8)
    unit = bytes((0x67, 66, 0xC0, 31)) + int(bits, 2).to_bytes(len(bits) // 8, "big")
    assert h264_parameters.macroblocks(unit) == 16 * 10


def test_emulation_prevention_is_taken_out() -> None:
    unit = parameters(key_frame((640, 360), profile="baseline"))
    assert b"\x00\x00\x03" in unit  # the frame rate that stands in it has zeros
    whole = unit[:4] + b"\x00\x00\x03" + unit[4:]
    with pytest.raises(PayloadError):
        # Sixteen zeros where the identifier stands are a number of its own, and the rest shifts.
        h264_parameters.macroblocks(whole.replace(b"\x00\x00\x03", b"\x00\x00\x00\x00"))


SPS = parameters(key_frame((640, 360), profile="baseline"))


def test_cut_short_is_refused() -> None:
    found = []
    for length in range(len(SPS) + 1):
        try:
            found.append(h264_parameters.macroblocks(SPS[:length]))
        except PayloadError:
            assert not found, "once its size is there the rest does not matter"
    assert set(found) == {920}
    assert len(SPS) - len(found) >= 7


@given(st.binary(max_size=200))
def test_any_bytes_give_a_size_or_are_refused(payload: bytes) -> None:
    try:
        found = h264_parameters.macroblocks(b"\x67" + payload)
    except PayloadError:
        return
    assert 1 <= found <= 2 * (1 << 16) ** 2


WHOLE = [key_frame((96, 80), profile="high"), key_frame((176, 144), profile="baseline")]


@given(
    st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 31), st.integers(0, 7)), max_size=4)
)
def test_no_decoder_gives_more_than_was_read(whole: bytes, flips: list[tuple[int, int]]) -> None:
    """Whatever is broken of a parameter set: who is refused by its size cannot be understated."""
    broken = bytearray(whole)
    for at, bit in flips:
        broken[5 + at] ^= 1 << bit
    try:
        pictures = VideoDecoder("h264").decode(bytes(broken))
    except VideoCodecError:
        return
    for picture in pictures:
        used = -(-picture.width // 16) * -(-picture.height // 16)
        assert used <= h264.macroblocks(bytes(broken))
