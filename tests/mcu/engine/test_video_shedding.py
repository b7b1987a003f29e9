"""A mixer does without what it is told to, and gets it back; the process boundary or not."""

import pytest

from mcu.engine.decode_budget import STILL_S
from mcu.engine.shedding import NOTHING, STEPS, Shed
from mcu.engine.video_ladder import rungs
from mcu.media.rendition import Rendition
from tests.mcu.engine.video_process.coupled import CoupledRoom
from tests.mcu.engine.video_room import FPS, SIZE, Leg, VideoRoom, decoded
from tests.mixer.video.pictures import BLUE, GREEN, RED, colour_at, near

RUNGS = list(rungs(*SIZE, 600_000))
KINDS = pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])


def meeting(room: VideoRoom, *more: str, layout: str = "2x2") -> list[Leg]:
    room.seat("a", "b", layout=layout)
    legs = [room.join("a", RED), room.join("b", GREEN), *(room.join(one, BLUE) for one in more)]
    for leg in legs:
        room.mixer.add_viewer(leg, "main", room.now)
    room.run(10)
    return legs


def playing(leg: Leg) -> Rendition:
    rendition = leg.playing["video"]
    assert rendition is not None
    return rendition


def frames_in_a_second(room: VideoRoom, leg: Leg) -> int:
    before = playing(leg).frames
    room.run(FPS)
    return playing(leg).frames - before


@KINDS
def test_the_views_rate_falls_and_rooms_are_asked_for_less(kind: type[VideoRoom]) -> None:
    room = kind()
    first, _ = meeting(room)
    assert frames_in_a_second(room, first) == FPS
    room.mixer.shed(STEPS[1])
    room.run(2)
    assert 14 <= frames_in_a_second(room, first) <= 16
    room.mixer.shed(STEPS[2])
    room.run(10)
    assert 9 <= frames_in_a_second(room, first) <= 11
    assert room.mixer.source_requests()["a", "video"].fps == 10
    assert near(colour_at(decoded(playing(first)), SIZE[0] // 4, SIZE[1] // 4), RED)
    room.mixer.shed(NOTHING)
    room.run(10)
    assert frames_in_a_second(room, first) == FPS
    assert room.mixer.source_requests()["a", "video"].fps == FPS


@KINDS
def test_weak_lines_share_the_lowest_and_get_their_own_back(kind: type[VideoRoom]) -> None:
    room = kind()
    legs = meeting(room, "c", "d", "e")
    for leg, rung in zip(legs[1:], [RUNGS[1], RUNGS[2], RUNGS[2], RUNGS[3]], strict=True):
        room.mixer.limit_viewer(leg.id, rung.bitrate_bps)
    room.run(30)
    assert room.mixer.statistics().renditions == 4
    room.mixer.shed(Shed(max_renditions=2))
    room.run(40)
    assert room.mixer.statistics().renditions == 2
    assert {playing(leg).key.bitrate_bps for leg in legs[1:]} == {RUNGS[3].bitrate_bps}
    assert playing(legs[0]).key.bitrate_bps == RUNGS[0].bitrate_bps
    room.mixer.shed(NOTHING)
    room.run(40)
    rates = [playing(leg).key.bitrate_bps for leg in legs]
    assert rates == [RUNGS[n].bitrate_bps for n in (0, 1, 2, 2, 3)]


def decoded_in(room: VideoRoom, seconds: float) -> int:
    before = room.mixer.statistics().counters.frames_decoded
    room.run(round(seconds * FPS))
    return room.mixer.statistics().counters.frames_decoded - before


def test_small_slots_of_who_does_not_speak_show_stills() -> None:
    room = VideoRoom()
    meeting(room, layout="4x4")
    room.mixer.set_speakers(["a"])
    room.mixer.shed(Shed(stills=True))
    room.run(FPS)
    # One that speaks, and a key frame of the other one.
    assert 4 * FPS + 1 <= decoded_in(room, 4.0) <= 4 * FPS + 3
    room.cameras["b"].colour = BLUE
    room.run(round((STILL_S + 0.2) * FPS))
    leg = room.legs["a"]
    planes = decoded(playing(leg))
    assert near(colour_at(planes, 3 * SIZE[0] // 8, SIZE[1] // 8), BLUE)
    asked = room.legs["b"].key_frames_asked
    room.mixer.shed(NOTHING)
    room.run(3)
    assert room.legs["b"].key_frames_asked == asked + 1
    assert decoded_in(room, 2.0) == 4 * FPS


def test_large_slots_go_on_moving() -> None:
    room = VideoRoom()
    meeting(room)
    room.mixer.shed(Shed(stills=True))
    assert decoded_in(room, 2.0) == 4 * FPS


def test_a_new_process_is_told() -> None:
    room = CoupledRoom()
    first, _ = meeting(room)
    room.mixer.shed(STEPS[2])
    room.run(5)
    room.kill_process()
    room.start_process()
    room.proxy.begin_again()
    room.run(30)
    assert 9 <= frames_in_a_second(room, first) <= 11
