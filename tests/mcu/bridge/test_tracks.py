import asyncio
import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mcu.bridge.sound import BLOCK_SAMPLES, Block, tone
from mcu.bridge.tracks import (
    FILE_SKIP_S,
    PAUSED_FPS,
    SOUND_CATCH_UP_S,
    Camera,
    FileCamera,
    MicrophoneTrack,
    PictureRequest,
    TestCamera,
    file_pictures,
)
from tests.peers.virtual_loop import in_virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


def write_video(path: Path, pictures: int, fps: int = 10, size: tuple[int, int] = (64, 48)) -> None:
    """Pictures that grow brighter one by one: number n has luma 20 + 8 n."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(pictures):
            planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
            planes[: size[1]] = 20 + 8 * number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        container.mux(stream.encode(None))


def number_of(frame: av.VideoFrame) -> int:
    return round((float(frame.to_ndarray()[: frame.height].mean()) - 20) / 8)


def test_sound_comes_every_20_ms_with_its_time() -> None:
    async def run() -> None:
        track = MicrophoneTrack(tone(440.0), now())
        for number in range(100):
            frame = await track.recv()
            assert frame.pts == number * BLOCK_SAMPLES
            assert frame.time_base == Fraction(1, 48_000)
            assert (frame.samples, frame.sample_rate) == (BLOCK_SAMPLES, 48_000)
            assert now() == pytest.approx(number * 0.02, abs=0.001)

    in_virtual_time(run())


def test_late_sound_is_sent_after_and_long_gaps_are_left_out() -> None:
    async def run() -> None:
        track = MicrophoneTrack(tone(440.0), now())
        await track.recv()
        await asyncio.sleep(0.2)
        times = [(await track.recv()).pts for _ in range(10)]
        assert times == [BLOCK_SAMPLES * (1 + number) for number in range(10)]
        assert now() == pytest.approx(0.2, abs=0.001)
        await asyncio.sleep(SOUND_CATCH_UP_S + 1.0)
        frame = await track.recv()
        assert frame.pts == pytest.approx(now() * 48_000, abs=48)

    in_virtual_time(run())


def test_the_microphone_gives_the_blocks_in_order() -> None:
    blocks: list[Block] = [np.full(BLOCK_SAMPLES, number, np.int16) for number in range(5)]

    async def run() -> None:
        track = MicrophoneTrack(iter(blocks), now())
        for block in blocks:
            frame = await track.recv()
            assert np.array_equal(frame.to_ndarray().reshape(-1), block)

    in_virtual_time(run())


def test_pictures_have_the_size_and_the_rate_asked_for() -> None:
    async def run() -> None:
        camera = TestCamera("Xã Vạn Ninh", now())
        for request in (
            PictureRequest(320, 180, 25),
            PictureRequest(1280, 720, 10),
            PictureRequest(639, 361, 5),
        ):
            camera.request = request
            frames = [await camera.recv() for _ in range(6)]
            assert {(f.width, f.height) for f in frames} == {
                (request.width & ~1, request.height & ~1)
            }
            steps = [(b.pts - a.pts) / 90_000 for a, b in itertools.pairwise(frames)]
            assert steps == pytest.approx([1 / request.fps] * 5, abs=0.002)
            assert frames[-1].pts == pytest.approx(now() * 90_000, abs=90)

    in_virtual_time(run())


def test_a_paused_room_sends_a_picture_now_and_then() -> None:
    async def run() -> None:
        camera = TestCamera("Xã Vạn Ninh", now())
        camera.request = PictureRequest(paused=True)
        frames = [await camera.recv() for _ in range(4)]
        steps = [(b.pts - a.pts) / 90_000 for a, b in itertools.pairwise(frames)]
        assert steps == pytest.approx([1 / PAUSED_FPS] * 3, abs=0.002)

    in_virtual_time(run())


def test_a_room_that_becomes_visible_does_not_wait_for_its_pause_to_end() -> None:
    async def run() -> None:
        camera = TestCamera("Xã Vạn Ninh", now())
        camera.request = PictureRequest(320, 180, 5, paused=True)
        await camera.recv()
        waiting = asyncio.create_task(camera.recv())
        await asyncio.sleep(0.7)
        camera.request = PictureRequest(640, 360, 25)
        frame = await waiting
        assert frame.width == 640
        assert now() == pytest.approx(0.7, abs=0.002)
        # What it did not send in the meantime is not sent in a burst.
        following = [await camera.recv() for _ in range(3)]
        assert now() == pytest.approx(0.7 + 3 / 25, abs=0.005)
        assert following[0].pts > frame.pts

    in_virtual_time(run())


def test_sound_and_picture_share_a_clock() -> None:
    async def run() -> None:
        start = now()
        camera, microphone = TestCamera("Xã", start), MicrophoneTrack(tone(440.0), start)
        await asyncio.sleep(3.0)
        picture, block = await camera.recv(), await microphone.recv()
        assert picture.pts / 90_000 == pytest.approx(block.pts / 48_000, abs=0.001)

    in_virtual_time(run())


def test_a_file_plays_at_its_own_speed_over_and_over(tmp_path: Path) -> None:
    write_video(tmp_path / "phim.mkv", pictures=10)

    async def run() -> None:
        camera: Camera = FileCamera(tmp_path / "phim.mkv", now())
        camera.request = PictureRequest(64, 48, fps=5)
        shown = [number_of(await camera.recv()) for _ in range(10)]
        first, second = shown[:5], shown[5:]
        assert first == [0, 2, 4, 6, 8]
        assert all(abs(a - b) <= 1 for a, b in zip(first, second, strict=True))

    in_virtual_time(run())


def test_a_file_comes_in_the_size_asked_for(tmp_path: Path) -> None:
    write_video(tmp_path / "phim.mkv", pictures=3)

    async def run() -> None:
        camera = FileCamera(tmp_path / "phim.mkv", now())
        camera.request = PictureRequest(321, 181, fps=10)
        frame = await camera.recv()
        assert (frame.width, frame.height, frame.format.name) == (320, 180, "yuv420p")

    in_virtual_time(run())


def test_after_a_long_stall_a_file_goes_on_where_it_was(tmp_path: Path) -> None:
    write_video(tmp_path / "phim.mkv", pictures=20)

    async def run() -> None:
        camera = FileCamera(tmp_path / "phim.mkv", now())
        camera.request = PictureRequest(64, 48, fps=10)
        before = [number_of(await camera.recv()) for _ in range(4)]
        await asyncio.sleep(24 * 3600 + FILE_SKIP_S)
        after = [number_of(await camera.recv()) for _ in range(4)]
        assert before == [0, 1, 2, 3]
        assert after[0] in (3, 4)
        assert after == list(range(after[0], after[0] + 4))

    in_virtual_time(run())


def test_files_that_cannot_be_seen_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        next(file_pictures(tmp_path / "absent.mkv"))
    (tmp_path / "words.mkv").write_text("không phải phim")
    with pytest.raises(ValueError, match="words"):
        next(file_pictures(tmp_path / "words.mkv"))
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 960), np.int16), layout="stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
    with pytest.raises(ValueError, match="no picture"):
        next(file_pictures(tmp_path / "sound.wav"))
