"""One source of pictures that costs too much: key frames alone or none, and the others go on."""

from collections import deque
from collections.abc import Callable

import pytest

from mcu.engine import video_decoding, video_source
from mcu.engine.decode_budget import PENALTY_S, STILL_S
from mcu.engine.pool import InlinePool, Pool
from mcu.engine.video_source import VideoSource
from mcu.engine.video_statistics import StageClock, VideoCounters
from mcu.legs.leg import StreamCodec
from mcu.media.frames import EncodedFrame
from tests.mcu.engine.video_room import FPS, Camera, Leg
from tests.mixer.video.pictures import RED


class Costly:
    """A source whose pictures take so much processor time each."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, picture_s: float, pool: Pool | None = None
    ) -> None:
        self.picture_s = picture_s
        self.pieces: list[int] = []
        decode = video_decoding.decode

        def counted(box, batch, *rest):  # type: ignore[no-untyped-def]
            self.pieces.append(len(batch))
            result = decode(box, batch, *rest)
            result.took_s = len(batch) * self.picture_s
            return result

        monkeypatch.setattr(video_source, "decode", counted)
        self.counters = VideoCounters()
        self.leg = Leg("a")
        self.source = VideoSource(
            "video", self.leg, pool or InlinePool(), self.counters, StageClock()
        )
        self.camera = Camera(RED)
        self.now = 100.0
        self.source.want([(320, 180, "letterbox")], self.now)

    def run(self, seconds: float) -> int:
        """Pictures decoded meanwhile."""
        before = self.counters.frames_decoded
        for _ in range(round(seconds * FPS)):
            self.now += 1 / FPS
            self.source.receive(self.camera.next(self.leg.key_frames_asked), self.now)
            self.source.tick(self.now, 5.0)
        return self.counters.frames_decoded - before


def test_cheap_pictures_are_all_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Costly(monkeypatch, 0.002)
    assert room.run(60) == 60 * FPS
    assert room.counters.frames_over_budget == 0


def test_costly_ones_come_as_stills_and_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Costly(monkeypatch, 0.04)
    at_once = room.run(2)
    assert at_once < FPS
    stills = room.run(PENALTY_S - 2)
    assert stills <= PENALTY_S / STILL_S
    assert room.counters.frames_over_budget > FPS
    assert room.source.frame is not None
    # In a minute: tries that end soon, and stills in between.
    assert room.run(60) < 60 / STILL_S + 5 * at_once
    room.picture_s = 0.002
    room.run(64)
    assert room.run(10) == 10 * FPS


def test_key_frames_alone_are_not_decoded_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Costly(monkeypatch, 0.04)
    room.run(2)
    before = room.counters.frames_decoded
    for _ in range(2 * FPS):
        room.now += 1 / FPS
        room.source.receive(Camera(RED).next(), room.now)
    assert room.counters.frames_decoded - before <= 2 / STILL_S + 1


class HeldPool(InlinePool):
    """Runs work when it is told to, as when all codec threads are busy."""

    def __init__(self) -> None:
        super().__init__()
        self.held: deque[Callable[[], None]] = deque()

    def submit(self, work, done):  # type: ignore[no-untyped-def]
        self.held.append(lambda: InlinePool.submit(self, work, done))

    def run(self) -> None:
        while self.held:
            self.held.popleft()()


@pytest.mark.parametrize(("picture_s", "together"), [(0.002, 9), (0.008, 2), (0.03, 1)])
def test_pictures_that_wait_are_decoded_in_short_pieces(
    monkeypatch: pytest.MonkeyPatch, picture_s: float, together: int
) -> None:
    pool = HeldPool()
    room = Costly(monkeypatch, picture_s, pool)
    room.run(1 / FPS)
    pool.run()
    room.run(10 / FPS)
    pool.run()
    assert room.pieces[:2] == [1, 1]
    assert max(room.pieces) == together
    assert sum(room.pieces) == 11


def watched(codec: str) -> tuple[VideoSource, Leg, VideoCounters]:
    """A source that somebody sees."""
    leg, counters = Leg("a", codec=StreamCodec(codec, 90_000)), VideoCounters()
    source = VideoSource("video", leg, InlinePool(), counters, StageClock())
    source.want([(320, 180, "letterbox")], 100.0)
    return source, leg, counters


@pytest.mark.parametrize("codec", ["h264", "vp8"])
def test_pictures_larger_than_any_level_agreed_on_are_not_decoded(codec: str) -> None:
    source, leg, counters = watched(codec)
    asked = leg.key_frames_asked
    camera = Camera(RED, (3840, 2160), codec)
    for number in range(3):
        source.receive(camera.next(), 101.0 + number / FPS)
    assert counters.frames_decoded == 0
    assert counters.frames_dropped == counters.frames_over_level == 3
    assert counters.decode_errors == 0
    assert source.frame is None
    assert leg.key_frames_asked == asked + 1, "one that fits is asked for, not at each picture"
    assert source.too_large
    source.want(None, 102.0)
    assert not source.too_large, "nobody misses it"


def test_the_largest_that_is_agreed_on_is_decoded() -> None:
    source, _, counters = watched("h264")
    source.receive(Camera(RED, (1920, 1080)).next(), 101.0)
    assert (counters.frames_decoded, counters.frames_over_level) == (1, 0)
    assert not source.too_large


def test_a_source_that_comes_back_to_a_fitting_size_is_seen_again() -> None:
    source, _, counters = watched("h264")
    small, large = Camera(RED), Camera(RED, (3840, 2160))
    source.receive(small.next(), 101.0)
    source.receive(large.next(), 101.1)
    source.receive(small.next(), 101.2)  # refers to what stood before: nobody knows by now
    assert counters.frames_decoded == 1
    source.receive(small.next(asked=1), 101.3)
    assert counters.frames_decoded == 2


def test_a_parameter_set_that_cannot_be_read_is_no_work_for_a_decoder() -> None:
    source, _, counters = watched("h264")
    source.receive(EncodedFrame(b"\0\0\0\1\x67\x42\0\0\1\x65\x88", 0, True, True), 101.0)
    assert counters.decode_errors == counters.frames_dropped == 1
    assert not source.decoding or counters.frames_decoded == 0


def test_more_macroblocks_a_second_than_the_level_are_shown_as_stills() -> None:
    source, _, counters = watched("h264")
    camera = Camera(RED, (1920, 1080))
    for number in range(4 * 120):
        source.receive(camera.next(), 101.0 + number / 120)
    assert counters.frames_decoded < 120
    assert counters.frames_over_budget > 240
    assert counters.frames_over_level == 0
