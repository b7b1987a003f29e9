"""A conference's video behaves the same with a process boundary in between."""

import asyncio

import pytest

from mcu.engine.decode_budget import MAX_PICTURES_PER_S
from mcu.engine.plan import ParticipantPlan
from mcu.engine.video_process import messages, proxy
from mcu.legs.leg import StreamCodec
from mcu.media.frames import EncodedFrame
from tests.mcu.engine.video_process.coupled import CoupledRoom
from tests.mcu.engine.video_room import SIZE, Leg, decoded
from tests.mixer.video.pictures import BLUE, GREEN, RED, colour_at, near

LEFT, RIGHT = (SIZE[0] // 4, SIZE[1] // 4), (3 * SIZE[0] // 4, SIZE[1] // 4)


def meeting() -> tuple[CoupledRoom, Leg, Leg]:
    room = CoupledRoom()
    room.seat("a", "b")
    first, second = room.join("a", RED), room.join("b", GREEN)
    for leg in (first, second):
        room.mixer.add_viewer(leg, "main", room.now)
    room.run(10)
    return room, first, second


def test_rooms_see_each_other_and_share_one_encoder() -> None:
    room, first, second = meeting()
    rendition = first.playing["video"]
    assert rendition is not None
    assert second.playing["video"] is rendition
    planes = decoded(rendition)
    assert near(colour_at(planes, *LEFT), RED)
    assert near(colour_at(planes, *RIGHT), GREEN)
    room.run(15)
    statistics = room.mixer.statistics()
    assert (statistics.encoders, statistics.decoders, statistics.renditions) == (1, 2, 1)
    assert (statistics.sources, statistics.viewers) == (2, 2)
    assert statistics.counters.frames_decoded >= 20
    assert room.mixer.visible("main") == ("a", "b", None, None)
    requests = room.mixer.source_requests()
    assert requests["a", "video"].width == 320
    assert not requests["a", "video"].paused


def test_a_leg_that_asks_gets_a_key_frame() -> None:
    room, first, _ = meeting()
    rendition = first.playing["video"]
    assert rendition is not None
    room.run(50)
    before = rendition.key_frames
    rendition.request_key_frame(room.now)
    room.run(2)
    assert rendition.key_frames == before + 1


def test_rooms_are_told_what_to_send() -> None:
    room, first, _ = meeting()
    assert first.wanted == {"video": True}
    assert first.key_frames_asked >= 1
    assert first.limit is not None
    room.seat("b")
    room.run(10)
    assert first.wanted == {"video": False}
    assert room.mixer.source_requests()["a", "video"].paused


def test_who_leaves_leaves_nothing_behind() -> None:
    room, first, second = meeting()
    room.mixer.remove_viewer(first)
    assert first.playing["video"] is None
    room.mixer.remove_source("a", "video")
    del room.cameras["a"]
    room.put(ParticipantPlan("a", "a", "left"))
    room.run(20)
    statistics = room.mixer.statistics()
    assert (statistics.sources, statistics.viewers, statistics.decoders) == (1, 1, 1)
    rendition = second.playing["video"]
    assert rendition is not None
    assert not near(colour_at(decoded(rendition), *LEFT), RED, 40)
    room.mixer.remove_viewer(second)
    room.run(20)
    statistics = room.mixer.statistics()
    assert (statistics.encoders, statistics.renditions, statistics.viewers) == (0, 0, 0)
    assert not room.proxy._renditions
    assert not room.proxy._playing
    room.mixer.close()
    assert room.closed == [room.proxy]


def test_a_rendition_lives_as_long_as_a_leg_has_it() -> None:
    room, first, second = meeting()
    third = Leg("v", codec=StreamCodec("vp8", 90_000), sources=())
    room.mixer.add_viewer(third, "main", room.now)
    room.run(5)
    assert third.playing["video"] is not first.playing["video"]
    assert len(room.proxy._renditions) == 2
    room.mixer.remove_viewer(third)
    assert len(room.proxy._renditions) == 1
    room.run(2)
    room.mixer.remove_viewer(first)
    room.run(2)
    assert second.playing["video"] in room.proxy._renditions.values()


def test_a_new_process_goes_on_where_the_old_one_ended() -> None:
    room, first, second = meeting()
    room.run(15)
    before = room.mixer.statistics().counters.frames_decoded
    old = first.playing["video"]
    room.kill_process()
    room.run(25)
    assert room.mixer.visible("main") == ()
    statistics = room.mixer.statistics()
    assert (statistics.encoders, statistics.decoders) == (0, 0)
    assert statistics.counters.frames_decoded == before
    room.start_process()
    room.proxy.begin_again()
    room.run(20)
    rendition = first.playing["video"]
    assert rendition is not None
    assert second.playing["video"] is rendition
    # Its timestamps began anew: legs must come to it as to another rendition.
    assert old is not None
    assert rendition is not old
    assert rendition.timestamp < old.timestamp
    planes = decoded(rendition)
    assert near(colour_at(planes, *LEFT), RED)
    assert near(colour_at(planes, *RIGHT), GREEN)
    assert room.mixer.statistics().counters.frames_decoded > before
    # Whoever joins later finds everything as well.
    room.join("c", BLUE)
    room.seat("a", "b", "c")
    room.run(20)
    assert room.mixer.visible("main") == ("a", "b", "c", None)


def test_a_process_that_stands_still_is_given_no_more_pictures() -> None:
    room, first, _ = meeting()
    room.congested = True
    sent = sum(isinstance(one, messages.Frame) for one in room.to_video)
    room.run(5)
    assert sum(isinstance(one, messages.Frame) for one in room.to_video) == sent
    assert room.proxy.frames_left_out == 10
    room.congested = False
    asked = first.key_frames_asked
    room.run(1)
    frames = [one for one in room.to_video if isinstance(one, messages.Frame)][-2:]
    assert not any(one.frame.contiguous for one in frames)
    room.run(30)
    assert first.key_frames_asked > asked  # what follows a gap cannot be decoded
    frames = [one for one in room.to_video if isinstance(one, messages.Frame)][-2:]
    assert all(one.frame.contiguous for one in frames)


async def test_pictures_are_drawn_over_there() -> None:
    room, _, _ = meeting()

    async def wait_for(picture: "asyncio.Task[bytes | None]") -> bytes | None:
        while not picture.done():
            room.run(1)
            await asyncio.sleep(0)
        return await picture

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        jpeg = await wait_for(group.create_task(room.mixer.picture("main")))
        assert jpeg is not None
        assert jpeg.startswith(b"\xff\xd8")
        jpeg = await wait_for(group.create_task(room.mixer.participant_picture("a")))
        assert jpeg is not None
        assert jpeg.startswith(b"\xff\xd8")
        assert await room.mixer.picture("no such view") is None
        assert await room.mixer.participant_picture("nobody") is None
        # A process that ends answers nobody; who asked is not left waiting.
        asked = group.create_task(room.mixer.participant_picture("a"))
        await asyncio.sleep(0)
        room.kill_process()
        assert await asked is None


def test_a_viewer_that_is_added_again_gets_its_pictures_on() -> None:
    room = CoupledRoom()
    room.seat("a")
    leg = room.join("a", RED)
    room.mixer.add_viewer(leg, "main", room.now)
    room.run(40)
    rendition = leg.playing["video"]
    assert rendition is not None
    before = rendition.key_frames
    room.mixer.add_viewer(leg, "main", room.now)  # its rendition over there is made anew
    room.run(20)
    assert rendition is leg.playing["video"]
    assert rendition.key_frames == before + 1  # or nothing after it could be decoded


async def test_a_picture_asked_for_without_a_process_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxy, "PICTURE_TIMEOUT_S", 0.01)
    room, _, _ = meeting()
    room.kill_process()
    assert await room.mixer.picture("main") is None
    assert not room.proxy._asked


def test_more_pictures_than_any_camera_sends_are_no_messages() -> None:
    room, _, _ = meeting()
    room.run(30)  # a second of its own begins
    before = sum(isinstance(one, messages.Frame) for one in room.to_video)
    counted = room.mixer.statistics().counters.frames_over_rate
    frame = EncodedFrame(b"\0\0\0\1\x41\x9a", 0, key_frame=False, contiguous=True)
    for _ in range(1000):
        room.mixer.receive("a", "video", frame, room.now)
    sent = [one for one in room.to_video if isinstance(one, messages.Frame)][before:]
    assert 50 < len(sent) <= MAX_PICTURES_PER_S
    assert room.mixer.statistics().counters.frames_over_rate == counted + 1000 - len(sent)
    room.kill_process()
    assert room.mixer.statistics().counters.frames_over_rate == counted + 1000 - len(sent)
    room.mixer.receive("a", "video", frame, room.now + 1.0)
    last = next(one for one in reversed(room.to_video) if isinstance(one, messages.Frame))
    assert not last.frame.contiguous, "what was left out is a gap"
    room.mixer.receive("b", "video", frame, room.now)
    assert room.mixer.statistics().counters.frames_over_rate == counted + 1000 - len(sent)
