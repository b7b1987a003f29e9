"""One source of pictures that costs too much: key frames alone, and the others go on."""

from collections import deque
from collections.abc import Callable

import pytest

from mcu.engine import video_source
from mcu.engine.decode_budget import PENALTY_S, STILL_S
from mcu.engine.pool import InlinePool, Pool
from mcu.engine.video_source import VideoSource
from mcu.engine.video_statistics import StageClock, VideoCounters
from tests.mcu.engine.video_room import FPS, Camera, Leg
from tests.mixer.video.pictures import RED


class Costly:
    """A source whose pictures take so much processor time each."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, picture_s: float, pool: Pool | None = None
    ) -> None:
        self.picture_s = picture_s
        self.pieces: list[int] = []
        decode = video_source._decode

        def counted(box, batch, *rest):  # type: ignore[no-untyped-def]
            self.pieces.append(len(batch))
            result = decode(box, batch, *rest)
            result.took_s = len(batch) * self.picture_s
            return result

        monkeypatch.setattr(video_source, "_decode", counted)
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
