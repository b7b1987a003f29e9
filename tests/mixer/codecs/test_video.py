"""Both codecs, both directions, with real pictures."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.codecs.video import VIDEO_CODECS, VideoCodecError, VideoDecoder, VideoEncoder
from mixer.video.canvas import frame_planes
from mixer.video.composer import Composer, Scene
from mixer.video.layout import LAYOUTS
from mixer.video.tile import Tile
from tests.mixer.video.pictures import BLUE, GREEN, RED, colour_at, frame, near, picture


def units(data: bytes) -> list[bytes]:
    """NAL units of an Annex B access unit."""
    return [one.rstrip(b"\x00") for one in data.split(b"\x00\x00\x01") if one.strip(b"\x00")]


@pytest.mark.parametrize("codec", VIDEO_CODECS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_colours_stand_in_the_right_slots_after_coding(codec: str, layout: str) -> None:
    composer = Composer(640, 360)
    rects = composer.rects(layout)
    colours = [(RED, GREEN, BLUE)[number % 3] for number in range(len(rects))]
    tiles = tuple(
        Tile("live", "", picture(rect.width, rect.height, colour))
        for rect, colour in zip(rects, colours, strict=True)
    )
    composer.compose(Scene(layout, tiles), 0)
    encoder, decoder = VideoEncoder(codec, 640, 360, 25, 800_000), VideoDecoder(codec)
    decoded = []
    for number in range(5):
        coded = encoder.encode(composer.canvases[0].frame(), number == 0)
        decoded += decoder.decode(coded.data) if coded.data else []
    shown = frame_planes(decoded[-1])
    for rect, colour in zip(rects, colours, strict=True):
        middle = (rect.x + rect.width // 2, rect.y + rect.height // 2)
        assert near(colour_at(shown, *middle), colour, 12), (layout, rect)


@pytest.mark.parametrize(
    ("size", "fps", "level"), [((1280, 720), 25, 31), ((1280, 720), 30, 31), ((1920, 1080), 25, 40)]
)
def test_the_stream_says_constrained_baseline_and_its_level(
    size: tuple[int, int], fps: int, level: int
) -> None:
    encoder = VideoEncoder("h264", *size, fps, 2_000_000)
    first = encoder.encode(frame(*size, RED), True)
    sps = next(unit for unit in units(first.data) if unit[0] & 31 == 7)
    assert sps[1] == 66
    assert sps[2] & 0x40, "constraint_set1: constrained baseline"
    assert sps[3] == level


def test_key_frames_come_when_asked_for_with_their_parameter_sets() -> None:
    encoder = VideoEncoder("h264", 320, 180, 25, 200_000)
    random = np.random.default_rng(1)
    for number in range(60):
        source = frame(320, 180, (int(random.integers(20, 230)), 128, 128))
        coded = encoder.encode(source, number in (0, 31))
        kinds = {unit[0] & 31 for unit in units(coded.data)}
        assert coded.key_frame == (number in (0, 31))
        assert ({7, 8, 5} <= kinds) == coded.key_frame


def test_no_picture_outgrows_the_buffer() -> None:
    """Noise is the worst a camera can send; a key frame of it must not be a burst of seconds.

    VP8 has no quantiser coarse enough for noise at this rate, so it is not asked.
    """
    encoder = VideoEncoder("h264", 640, 360, 25, 500_000)
    random = np.random.default_rng(2)
    sizes = []
    for number in range(50):
        source = frame(640, 360, RED)
        planes = frame_planes(source)
        planes.y[...] = random.integers(0, 256, planes.y.shape, np.uint8)
        sizes.append(len(encoder.encode(source, number % 25 == 0).data) * 8)
    assert max(sizes) <= 500_000 * 1.0
    assert sum(sizes) / 2 <= 500_000 * 1.6


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_the_size_of_a_stream_may_change(codec: str) -> None:
    decoder = VideoDecoder(codec)
    for size in [(640, 360), (90, 90), (1280, 720), (322, 182)]:
        coded = VideoEncoder(codec, *size, 25, 300_000).encode(frame(*size, GREEN), True)
        shown = decoder.decode(coded.data)[-1]
        assert (shown.width, shown.height) == size


@pytest.mark.parametrize("codec", VIDEO_CODECS)
@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_garbage_is_one_kind_of_error(codec: str, data: bytes) -> None:
    decoder = VideoDecoder(codec)
    with contextlib.suppress(VideoCodecError):
        decoder.decode(data)


@pytest.mark.parametrize("codec", VIDEO_CODECS)
def test_a_decoder_recovers_with_the_next_key_frame(codec: str) -> None:
    encoder, decoder = VideoEncoder(codec, 320, 180, 25, 300_000), VideoDecoder(codec)
    decoder.decode(encoder.encode(frame(320, 180, RED), True).data)
    broken = bytearray(encoder.encode(frame(320, 180, GREEN), False).data)
    broken[len(broken) // 2 :] = b"\xff" * (len(broken) - len(broken) // 2)
    try:
        decoder.decode(bytes(broken))
    except VideoCodecError:
        decoder = VideoDecoder(codec)
    shown = decoder.decode(encoder.encode(frame(320, 180, BLUE), True).data)[-1]
    assert near(colour_at(frame_planes(shown), 160, 90), BLUE, 12)


def test_what_cannot_be_coded_is_refused() -> None:
    with pytest.raises(ValueError, match="vp9"):
        VideoEncoder("vp9", 640, 360, 25, 1)
    with pytest.raises(ValueError, match="vp9"):
        VideoDecoder("vp9")
    with pytest.raises(ValueError, match="even"):
        VideoEncoder("h264", 641, 360, 25, 500_000)
    with pytest.raises(VideoCodecError, match="no data"):
        VideoDecoder("h264").decode(b"")


def test_slices_are_as_small_as_is_asked_for() -> None:
    """For receivers of packetization mode 0, in the noisiest pictures there can be."""
    encoder, decoder = VideoEncoder("h264", 640, 360, 25, 2_000_000, 1_100), VideoDecoder("h264")
    random = np.random.default_rng(2)
    longest = shown = 0
    for number in range(20):
        source = frame(640, 360, RED)
        planes = frame_planes(source)
        planes.y[...] = random.integers(0, 256, planes.y.shape, np.uint8)
        data = encoder.encode(source, number == 10).data
        units = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
        longest = max(longest, *map(len, units))
        shown += len(decoder.decode(data))
    assert 500 < longest <= 1_100
    assert shown == 20
