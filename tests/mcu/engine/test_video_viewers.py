"""Viewers on weak lines get smaller pictures, the others what they had; the process or not."""

import pytest

from mcu.engine.rendition_sharing import MAX_RENDITIONS
from mcu.engine.video_ladder import AUDIO_ONLY_BPS, rungs
from mcu.engine.video_process import messages
from mcu.legs.leg import StreamCodec
from mcu.media.rendition import Rendition
from tests.mcu.engine.video_process.coupled import CoupledRoom
from tests.mcu.engine.video_room import SIZE, Leg, VideoRoom, decoded
from tests.mixer.video.pictures import GREEN, RED, colour_at, near

RUNGS = list(rungs(*SIZE, 600_000))


def meeting(room: VideoRoom) -> list[Leg]:
    room.seat("a", "b")
    legs = [room.join("a", RED), room.join("b", GREEN)]
    for leg in legs:
        room.mixer.add_viewer(leg, "main", room.now)
    room.run(10)
    return legs


def playing(leg: Leg) -> Rendition:
    rendition = leg.playing["video"]
    assert rendition is not None
    return rendition


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
def test_one_falls_and_climbs_and_the_other_keeps_its_picture(kind: type[VideoRoom]) -> None:
    room = kind()
    weak, strong = meeting(room)
    best = playing(strong)
    assert playing(weak) is best
    low = RUNGS[-1]
    room.mixer.limit_viewer(weak.id, low.bitrate_bps)
    room.run(15)
    key = playing(weak).key
    assert (key.width, key.height, key.bitrate_bps) == (low.width, low.height, low.bitrate_bps)
    assert room.mixer.receives(weak.id) == key
    assert near(colour_at(decoded(playing(weak)), key.width // 4, key.height // 4), RED)
    assert playing(strong) is best
    statistics = room.mixer.statistics()
    assert statistics.renditions == 2
    assert statistics.rungs == {str(RUNGS[0]): 1, str(low): 1}
    room.mixer.limit_viewer(weak.id, None)
    room.run(15)
    assert playing(weak) is best
    assert room.mixer.statistics().rungs == {str(RUNGS[0]): 1}


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
def test_sound_alone_frees_the_encoder_and_the_picture_comes_back(kind: type[VideoRoom]) -> None:
    room = kind()
    weak, strong = meeting(room)
    room.mixer.limit_viewer(weak.id, RUNGS[-1].bitrate_bps)
    room.run(15)
    room.mixer.limit_viewer(weak.id, AUDIO_ONLY_BPS)
    room.run(15)
    assert weak.playing["video"] is None
    assert room.mixer.receives(weak.id) is None
    assert room.mixer.statistics().renditions == 1
    room.apply()  # a plan does not bring it back
    room.run(15)
    assert weak.playing["video"] is None
    assert playing(strong).key.height == SIZE[1]
    room.mixer.limit_viewer(weak.id, RUNGS[-1].bitrate_bps)
    room.run(15)
    assert playing(weak).key.bitrate_bps == RUNGS[-1].bitrate_bps


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
def test_a_limit_stays_when_the_view_changes(kind: type[VideoRoom]) -> None:
    room = kind()
    weak, _ = meeting(room)
    room.seat("b", layout="1x1", view="chair")
    room.mixer.limit_viewer(weak.id, RUNGS[1].bitrate_bps)
    room.mixer.remove_viewer(weak)
    room.mixer.add_viewer(weak, "chair", room.now)
    room.run(5)
    assert playing(weak).key.source == "chair"
    assert playing(weak).key.bitrate_bps == RUNGS[1].bitrate_bps


def test_going_over_costs_one_key_frame_of_what_is_gone_over_to() -> None:
    room = VideoRoom()
    first, second = meeting(room)
    third, fourth = Leg("c", sources=()), Leg("d", sources=())
    for leg in (third, fourth):
        room.mixer.add_viewer(leg, "main", room.now)
    room.run(50)
    low = RUNGS[-1].bitrate_bps
    room.mixer.limit_viewer(third.id, low)
    room.run(50)
    best, small = playing(first), playing(third)
    best_before, small_before = best.key_frames, small.key_frames
    for leg in (second, fourth):
        # What a send stream does when it is given a rendition.
        room.mixer.limit_viewer(leg.id, low)
        assert playing(leg) is small
        small.request_key_frame(room.now)
        room.run(1)
    room.run(10)
    assert small.key_frames == small_before + 1
    assert best.key_frames == best_before


def test_many_bad_lines_share_a_few_encoders() -> None:
    room = VideoRoom()
    meeting(room)
    legs = [Leg(f"v{number}", sources=()) for number in range(len(RUNGS))]
    for leg, rung in zip(legs, RUNGS, strict=True):
        room.mixer.add_viewer(leg, "main", room.now)
        room.mixer.limit_viewer(leg.id, rung.bitrate_bps)
    for leg, rung in zip(reversed(legs), RUNGS, strict=True):
        room.mixer.limit_viewer(leg.id, rung.bitrate_bps)
        assert playing(leg).key.bitrate_bps <= rung.bitrate_bps
        assert room.mixer.statistics().renditions <= MAX_RENDITIONS


def test_a_limit_never_gives_more_than_the_codec_takes() -> None:
    room = VideoRoom()
    meeting(room)
    small = Leg("s", codec=StreamCodec("h264", 90_000, 0, {}, 320, 180, 30), sources=())
    room.mixer.add_viewer(small, "main", room.now)
    room.mixer.limit_viewer(small.id, 10_000_000)
    assert playing(small).key.height == 180
    assert room.mixer.ladder(small.outputs["video"])[0].height == 180


def test_a_new_process_knows_the_limits_and_a_leg_that_is_gone_leaves_none() -> None:
    room = CoupledRoom()
    weak, strong = meeting(room)
    room.mixer.limit_viewer(weak.id, RUNGS[-1].bitrate_bps)
    room.mixer.limit_viewer(strong.id, AUDIO_ONLY_BPS)
    room.run(5)
    room.kill_process()
    room.start_process()
    room.proxy.begin_again()
    room.run(15)
    assert playing(weak).key.bitrate_bps == RUNGS[-1].bitrate_bps
    assert strong.playing["video"] is None
    room.mixer.limit_viewer(weak.id, None)
    room.mixer.limit_viewer(weak.id, None)
    limits = [one for one in room.to_video if isinstance(one, messages.LimitViewer)]
    assert limits[-1].limit_bps is None
    assert len(limits) == 5
    assert room.mixer.ladder(weak.outputs["video"])[-1] == RUNGS[-1]
