"""The wall: everybody's picture, decoded once, drawn once, and only while somebody looks."""

import io

import numpy as np
import pytest
from PIL import Image

from mcu.engine.shedding import NOTHING, STEPS, Shed
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.thumbnail_pace import STILL_S, STREAM_S
from mcu.engine.video_requests import THUMBNAIL_FPS, WALL_FPS
from mcu.media.frames import EncodedFrame
from tests.mcu.engine.video_process.coupled import CoupledRoom
from tests.mcu.engine.video_room import WALL, Camera, Leg, VideoRoom
from tests.mixer.video.pictures import BLUE, GREEN, RED, Yuv


class SlowCamera(Camera):
    """Its pictures come once a second."""

    def next(self, asked: int = 0) -> EncodedFrame:
        coded = super().next(asked)
        return coded._replace(timestamp=self._number * 90_000)


class WallRoom(VideoRoom):
    """Hidden rooms send about a picture a second where they are asked to."""

    def slow(self, name: str, colour: Yuv) -> Leg:
        leg = self.join(name, colour)
        self.cameras[name] = SlowCamera(colour)
        return leg

    def run(self, ticks: int = 1, *, send: bool = True) -> None:
        for _ in range(ticks):
            self.now += 1 / 25
            beat = round(self.now * 25) % 25 == 0
            for name, camera in self.cameras.items():
                slow = isinstance(camera, SlowCamera)
                if send and (beat or not slow):
                    coded = camera.next(self.legs[name].key_frames_asked)
                    self.mixer.receive(name, "video", coded, self.now)
            self.mixer.tick(self.now, WALL)


def colour_of(thumbnail: Thumbnail) -> tuple[int, ...]:
    """Its middle, as RGB."""
    picture = Image.open(io.BytesIO(thumbnail.jpeg)).convert("RGB")
    assert picture.size == (192, 108)
    return tuple(int(one) for one in np.asarray(picture)[54, 96])


def looks(thumbnail: Thumbnail, which: int) -> bool:
    """Whether red, green or blue (0, 1, 2) is the strongest by far."""
    colour = colour_of(thumbnail)
    return all(colour[which] > 60 + colour[other] for other in range(3) if other != which)


def test_hidden_rooms_that_send_a_thumbnail_stream_are_seen_once_a_second() -> None:
    room = WallRoom()
    room.seat("a")
    red, green = room.slow("a", RED), room.slow("b", GREEN)
    room.run(50)
    assert room.mixer.statistics().counters.frames_decoded == 0, "nobody looks"
    assert room.mixer.source_requests()["b", "video"].fps == THUMBNAIL_FPS
    room.mixer.watch_wall({"a", "b"})
    assert room.mixer.source_requests()["b", "video"].fps == WALL_FPS
    assert not room.mixer.source_requests()["b", "video"].paused
    room.run(75)
    wall = room.mixer.thumbnails()
    assert looks(wall["a"], 0)
    assert looks(wall["b"], 1)
    assert room.now - wall["b"].taken_at < 1.1
    before = room.mixer.statistics().counters.frames_decoded
    room.run(250)
    assert room.mixer.statistics().counters.frames_decoded - before == 20
    assert room.mixer.thumbnails()["b"].next_s == STREAM_S
    room.mixer.watch_wall(())
    assert room.mixer.thumbnails() == {}
    assert red.wanted["video"] is green.wanted["video"] is False
    assert room.mixer.source_requests()["b", "video"].paused
    before = room.mixer.statistics().counters.frames_decoded
    room.run(100)
    assert room.mixer.statistics().counters.frames_decoded == before


def test_what_a_view_decodes_is_not_decoded_again() -> None:
    room = VideoRoom()
    room.seat("a")
    room.mixer.add_viewer(room.join("a", RED), "main", room.now)
    room.run(30)
    before = room.mixer.statistics().counters.frames_decoded
    room.mixer.watch_wall({"a"})
    room.run(100)
    assert room.mixer.statistics().counters.frames_decoded - before == 100
    first = room.mixer.thumbnails()["a"]
    assert looks(first, 0)
    assert room.now - first.taken_at < 1.1
    room.run(10)
    assert room.mixer.source_requests()["a", "video"].fps == 25, "as the view needs it"


def test_of_a_hidden_camera_at_full_rate_key_frames_are_decoded_now_and_then() -> None:
    room = VideoRoom()
    room.seat("a")
    leg = room.join("a", BLUE)
    room.mixer.watch_wall({"a"})
    room.run(25)
    assert looks(room.mixer.thumbnails()["a"], 2)
    room.run(25 * 60)
    decoded = room.mixer.statistics().counters.frames_decoded
    assert 6 <= decoded <= 3 * 60 / STILL_S + 12
    assert room.mixer.thumbnails()["a"].next_s == STILL_S
    assert leg.key_frames_asked <= 10
    assert leg.wanted["video"] is False, "its packets are not put together in between"


def test_from_hidden_to_seen_and_back_the_picture_goes_on() -> None:
    room = WallRoom()
    room.seat("b")
    leg = room.slow("a", RED)
    room.slow("b", GREEN)
    room.mixer.add_viewer(Leg("v", sources=()), "main", room.now)
    room.mixer.watch_wall({"a", "b"})
    room.run(100)
    for shown in ("a", "b"):
        room.seat(shown)
        room.run(100)
        wall = room.mixer.thumbnails()
        assert leg.wanted["video"] is True
        assert room.now - wall["a"].taken_at < 1.2
        assert room.now - wall["b"].taken_at < 1.2
    assert room.mixer.statistics().counters.decode_errors == 0


def test_a_room_that_stops_keeps_its_last_picture_with_its_time() -> None:
    room = WallRoom()
    room.slow("a", RED)
    room.mixer.watch_wall({"a"})
    room.run(100)
    last = room.mixer.thumbnails()["a"]
    room.run(250, send=False)
    assert room.mixer.thumbnails()["a"] == last
    room.mixer.remove_source("a", "video")
    room.run(5, send=False)
    assert room.mixer.thumbnails()["a"] == last
    room.mixer.close()
    assert room.mixer.thumbnails() == {}


def test_garbage_harms_nobody() -> None:
    room = WallRoom()
    room.slow("a", RED)
    room.join("b", GREEN)
    del room.cameras["b"]
    room.mixer.watch_wall({"a", "b"})
    for number in range(200):
        key = number % 10 == 0
        rubbish = EncodedFrame(b"\0\0\0\1\x65garbage", number * 90_000, key, contiguous=True)
        room.mixer.receive("b", "video", rubbish, room.now)
        room.run(1)
    wall = room.mixer.thumbnails()
    assert looks(wall["a"], 0)
    assert "b" not in wall


def test_another_leg_takes_over() -> None:
    room = WallRoom()
    first = room.slow("a", RED)
    room.mixer.watch_wall({"a"})
    room.run(60)
    second = Leg("again")
    room.mixer.add_source("a", "video", second)
    room.legs["a"] = second
    room.cameras["a"] = SlowCamera(BLUE)
    room.run(60)
    assert looks(room.mixer.thumbnails()["a"], 2)
    assert (first.wanted["video"], second.wanted["video"]) == (False, True)


def test_a_full_machine_draws_less_often() -> None:
    room = WallRoom()
    room.slow("a", RED)
    room.mixer.watch_wall({"a"})
    room.mixer.shed(Shed(0.4, 2))
    room.run(25 * 60)
    assert room.mixer.statistics().counters.frames_decoded <= 8
    room.mixer.shed(NOTHING)
    before = room.mixer.statistics().counters.frames_decoded
    room.run(25 * 20)
    assert room.mixer.statistics().counters.frames_decoded - before >= 18


def test_thumbnails_are_not_what_is_given_up_first() -> None:
    room = WallRoom()
    room.slow("a", RED)
    room.mixer.watch_wall({"a"})
    room.run(25 * 3)
    room.mixer.shed(STEPS[1])
    before = room.mixer.statistics().counters.frames_decoded
    room.run(25 * 20)
    assert room.mixer.statistics().counters.frames_decoded - before == 20


@pytest.mark.parametrize("killed", [False, True])
def test_through_the_process_boundary(killed: bool) -> None:
    room = CoupledRoom()
    room.seat("a")
    room.mixer.add_viewer(room.join("a", RED), "main", room.now)
    room.join("b", GREEN)
    room.mixer.watch_wall({"a", "b"})
    room.run(50)
    if killed:
        room.kill_process()
        room.start_process()
        room.proxy.begin_again()
        room.run(50)
    wall = room.mixer.thumbnails()
    assert looks(wall["a"], 0)
    assert looks(wall["b"], 1)
    assert room.now - wall["a"].taken_at < 1.5
    room.mixer.watch_wall(())
    assert room.mixer.thumbnails() == {}
    room.run(10)
    assert room.legs["b"].wanted["video"] is False
