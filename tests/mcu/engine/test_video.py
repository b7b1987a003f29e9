"""Decoded once, composed once, encoded once, for everybody who sees it."""

import asyncio
from io import BytesIO

import pytest
from PIL import Image

from mcu.engine.plan import (
    ParticipantPlan,
    ParticipantSlot,
    PresentationSlot,
    SpeakerSlot,
    ViewPlan,
)
from mcu.legs.leg import StreamCodec
from mcu.media.frames import EncodedFrame
from mcu.media.payload import MAX_PAYLOAD_BYTES
from tests.mcu.engine.video_room import Camera, Leg, VideoRoom, access_units, decoded
from tests.mixer.video.pictures import BLUE, GREEN, RED, colour_at, near

CENTRES = [(160, 80), (480, 80), (160, 250), (480, 250)]


def test_everybody_sees_everybody_in_their_place() -> None:
    room = VideoRoom()
    room.seat("a", "b", "c")
    for name, colour in (("a", RED), ("b", GREEN), ("c", BLUE)):
        room.mixer.add_viewer(room.join(name, colour), "main", room.now)
    room.run(10)
    leg = Leg("viewer", sources=())
    room.mixer.add_viewer(leg, "main", room.now)
    room.run(3)
    shown = decoded(leg.playing["video"])
    for centre, colour in zip(CENTRES, (RED, GREEN, BLUE), strict=False):
        assert near(colour_at(shown, *centre), colour, 12)


def test_twenty_viewers_of_one_view_share_one_encoder() -> None:
    room = VideoRoom()
    room.seat("a")
    room.join("a", RED)
    viewers = [Leg(f"v{number}", sources=()) for number in range(20)]
    for viewer in viewers:
        room.mixer.add_viewer(viewer, "main", room.now)
    room.run(5)
    statistics = room.mixer.statistics()
    assert (statistics.encoders, statistics.renditions, statistics.viewers) == (1, 1, 20)
    assert len({id(viewer.playing["video"]) for viewer in viewers}) == 1
    assert statistics.counters.frames_encoded == 5
    for viewer in viewers[:-1]:
        room.mixer.remove_viewer(viewer)
    assert room.mixer.statistics().encoders == 1
    room.mixer.remove_viewer(viewers[-1])
    statistics = room.mixer.statistics()
    assert (statistics.encoders, statistics.renditions, statistics.viewers) == (0, 0, 0)
    assert all(viewer.playing["video"] is None for viewer in viewers)


def test_other_codecs_and_levels_get_renditions_of_their_own() -> None:
    room = VideoRoom()
    room.seat("a")
    room.join("a", RED)
    vp8 = Leg("vp8", sources=(), codec=StreamCodec("vp8", 90_000))
    small = Leg("small", sources=(), codec=StreamCodec("h264", 90_000, 0, {}, 320, 180, 30))
    full = Leg("full", sources=())
    for leg in (vp8, small, full):
        room.mixer.add_viewer(leg, "main", room.now)
    room.run(5)
    keys = {leg.id: leg.playing["video"].key for leg in (vp8, small, full)}  # type: ignore[union-attr]
    assert keys["leg-vp8"].codec == "vp8"
    assert (keys["leg-small"].width, keys["leg-small"].height) == (320, 180)
    assert (keys["leg-full"].width, keys["leg-full"].height) == (640, 360)
    for leg, place in ((vp8, (160, 80)), (small, (80, 40)), (full, (160, 80))):
        assert near(colour_at(decoded(leg.playing["video"]), *place), RED, 12)


def test_whoever_takes_single_units_gets_small_slices_and_nobody_else() -> None:
    room = VideoRoom()
    plain = room.join("a", RED)
    small = room.join("b", GREEN, Leg("b", codec=StreamCodec("h264", 90_000, single_nal=True)))
    room.seat("a", "b")
    room.mixer.add_viewer(plain, "main", room.now)
    room.mixer.add_viewer(small, "main", room.now)
    room.run(10)
    one, other = plain.playing["video"], small.playing["video"]
    assert one is not None
    assert other is not None
    assert one is not other
    assert room.mixer.statistics().encoders == 2
    kinds = {payload[0] & 0x1F for payload in other.ring.payloads if payload}
    assert kinds <= {1, 5, 6, 7, 8}
    assert max(map(len, other.ring.payloads)) <= MAX_PAYLOAD_BYTES
    assert {payload[0] & 0x1F for payload in one.ring.payloads if payload} - kinds
    assert near(colour_at(decoded(other), 160, 90), RED, 12)


def test_only_who_is_seen_is_decoded() -> None:
    room = VideoRoom()
    room.seat("a")
    legs = {name: room.join(name, RED) for name in ("a", "b", "c")}
    room.run(5)
    assert room.mixer.statistics().decoders == 0, "nobody watches"
    room.mixer.add_viewer(Leg("v", sources=()), "main", room.now)
    room.run(5)
    assert room.mixer.statistics().decoders == 1
    assert legs["a"].wanted == {"video": True}
    assert legs["a"].key_frames_asked > 0
    assert not legs["b"].wanted.get("video")
    room.seat("b")
    room.run(2)
    assert room.mixer.statistics().decoders == 1
    assert legs["a"].wanted == {"video": False}
    assert legs["b"].wanted == {"video": True}


def test_a_source_in_two_views_is_decoded_once() -> None:
    room = VideoRoom()
    room.seat("a", layout="1x1")
    room.seat("a", layout="3x3", view="chair")
    room.join("a", RED)
    room.mixer.add_viewer(Leg("x", sources=()), "main", room.now)
    room.mixer.add_viewer(Leg("y", sources=()), "chair", room.now)
    room.run(10)
    statistics = room.mixer.statistics()
    assert statistics.decoders == 1
    assert statistics.counters.frames_decoded <= 10
    assert statistics.encoders == 2


def test_the_first_key_frame_comes_at_once_and_more_within_a_second_are_one() -> None:
    room = VideoRoom()
    room.seat("a")
    room.join("a", RED)
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(1)
    rendition = viewer.playing["video"]
    assert rendition is not None
    assert rendition.key_frames == 1
    for _ in range(10):
        rendition.request_key_frame(room.now)
    room.run(20)
    assert rendition.key_frames == 1, "within a second of the last"
    room.run(10)
    assert rendition.key_frames == 2
    room.run(50)
    assert rendition.key_frames == 2, "nobody asked again"
    rendition.request_key_frame(room.now)
    room.run(1)
    assert rendition.key_frames == 3


def test_timestamps_follow_the_time_of_the_ticks() -> None:
    room = VideoRoom()
    room.seat("a")
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(1)
    rendition = viewer.playing["video"]
    assert rendition is not None
    first, first_at = rendition.timestamp, rendition.timestamp_at
    room.now += 3.3
    room.run(1)
    passed = rendition.timestamp_at - first_at
    assert rendition.timestamp - first == pytest.approx(passed * 90_000, abs=1)


def test_timestamps_stand_for_when_the_speaker_s_pictures_came() -> None:
    room = VideoRoom()
    room.seat("a", "b")
    leg = room.join("a", RED)
    room.join("b", GREEN)
    room.mixer.set_speakers(["a"])
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    for _ in range(20):
        coded = room.cameras["a"].next(leg.key_frames_asked)
        room.mixer.receive("a", "video", coded, room.now + 0.01)
        room.run(1, send=False)
    rendition = viewer.playing["video"]
    assert rendition is not None
    assert rendition.timestamp_at == pytest.approx(room.now - 0.03, abs=0.002)


def test_cards_stand_for_who_shows_nothing() -> None:
    room = VideoRoom()
    room.seat("a", "b", "c", "d")
    room.join("a", RED)
    room.put(ParticipantPlan("b", "b", "lost"))
    room.put(ParticipantPlan("c", "c", "expected"))
    room.put(ParticipantPlan("d", "d", "connected", video_muted=True))
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(5)
    shown = decoded(viewer.playing["video"])
    assert near(colour_at(shown, *CENTRES[0]), RED, 12)
    for centre in CENTRES[1:]:
        assert not near(colour_at(shown, centre[0] + 120, centre[1]), RED, 30)
    room.put(ParticipantPlan("a", "a", "connected", video_muted=True))
    room.run(3)
    assert not near(colour_at(decoded(viewer.playing["video"]), *CENTRES[0]), RED, 30)
    assert room.mixer.statistics().decoders == 0, "who is muted is not decoded either"


def test_a_source_that_falls_silent_keeps_its_picture_for_a_while() -> None:
    room = VideoRoom()
    room.seat("a")
    room.join("a", RED)
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(5)
    room.run(50, send=False)
    assert near(colour_at(decoded(viewer.playing["video"]), *CENTRES[0]), RED, 12)
    room.run(100, send=False)
    assert not near(colour_at(decoded(viewer.playing["video"]), *CENTRES[0]), RED, 30)


def test_the_same_room_on_another_leg_goes_on() -> None:
    room = VideoRoom()
    room.seat("a")
    old = room.join("a", RED)
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(5)
    new = room.legs["a"] = Leg("a2")
    room.mixer.add_source("a", "video", new)
    room.cameras["a"] = type(room.cameras["a"])(GREEN)
    assert old.wanted == {"video": False}
    assert new.wanted == {"video": True}
    assert new.key_frames_asked == 1
    room.run(5)
    assert near(colour_at(decoded(viewer.playing["video"]), *CENTRES[0]), GREEN, 12)
    statistics = room.mixer.statistics()
    assert (statistics.sources, statistics.decoders) == (1, 1)


def test_broken_pictures_harm_nobody_else_and_ask_for_a_key_frame() -> None:
    room = VideoRoom()
    room.seat("a", "b")
    bad = room.join("a", RED)
    room.join("b", GREEN)
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(5)
    camera, asked = room.cameras.pop("a"), bad.key_frames_asked
    room.now += 1.0  # a key frame may be asked for again
    for _ in range(5):
        broken = EncodedFrame(b"\x00\x00\x00\x01\x65" + b"\xff" * 400, 0, True, True)
        room.mixer.receive("a", "video", broken, room.now)
        room.run(1)
    assert bad.key_frames_asked > asked
    assert room.mixer.statistics().counters.decode_errors >= 1
    room.cameras["a"] = camera
    room.run(5)
    shown = decoded(viewer.playing["video"])
    assert near(colour_at(shown, *CENTRES[0]), RED, 12)
    assert near(colour_at(shown, *CENTRES[1]), GREEN, 12)
    assert len(access_units(viewer.playing["video"])) >= 15  # type: ignore[arg-type]


def test_rooms_are_asked_for_what_is_shown() -> None:
    room = VideoRoom()
    room.seat("a", layout="1x1")
    legs = {name: room.join(name, RED) for name in ("a", "b")}
    room.mixer.add_viewer(Leg("v", sources=()), "main", room.now)
    room.run(20)
    requests = room.mixer.source_requests()
    shown, hidden = requests["a", "video"], requests["b", "video"]
    assert (shown.width, shown.height, shown.paused) == (640, 360, False)
    assert hidden.paused
    assert (legs["a"].limit or 0) > (legs["b"].limit or 0) > 0


MIDDLE, BARS = (320, 100), ((20, 100), (620, 100))
"""Of a 4:3 picture in a 16:9 one of 640 x 360, whose bars are 80 pixels wide."""


def bars(leg: Leg) -> bool:
    """Whether a viewer sees bars on both sides of a red picture; both or none."""
    shown = decoded(leg.playing["video"])
    assert near(colour_at(shown, *MIDDLE), RED, 12)
    left, right = (not near(colour_at(shown, *place), RED, 12) for place in BARS)
    assert left == right
    return left


def test_two_views_show_the_same_source_whole_and_filling() -> None:
    room = VideoRoom()
    room.seat("a", layout="1x1")
    room.seat("a", layout="1x1", view="chair", fit="crop")
    room.join("a", RED)
    room.cameras["a"] = Camera(RED, (320, 240))
    whole, filling = Leg("whole", sources=()), Leg("filling", sources=())
    room.mixer.add_viewer(whole, "main", room.now)
    room.mixer.add_viewer(filling, "chair", room.now)
    room.run(10)
    assert (bars(whole), bars(filling)) == (True, False)
    assert room.mixer.statistics().decoders == 1
    room.seat("a", layout="1x1", fit="crop")
    room.seat("a", layout="1x1", view="chair")
    room.run(10)
    assert (bars(whole), bars(filling)) == (False, True), "nothing of before is left"


def test_a_changed_fit_is_seen_without_another_picture() -> None:
    room = VideoRoom()
    room.seat("a", layout="1x1")
    room.join("a", RED)
    room.cameras["a"] = Camera(RED, (320, 240))
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(10)
    assert bars(viewer)
    room.seat("a", layout="1x1", fit="crop")
    room.run(3, send=False)
    assert not bars(viewer)


def test_a_presentation_is_shown_whole_in_a_view_that_crops() -> None:
    room = VideoRoom()
    room.plan("1x1", PresentationSlot(), fit="crop")
    leg = room.join("a", GREEN, Leg("a", sources=("video", "presentation")))
    room.mixer.add_source("a", "presentation", leg)
    viewer = Leg("v", sources=())
    room.mixer.add_viewer(viewer, "main", room.now)
    room.run(5)
    slides = Camera(RED, (320, 240))
    for _ in range(10):
        room.mixer.receive("a", "presentation", slides.next(), room.now)
        room.run(1)
    assert bars(viewer)


def test_who_presents_is_who_sends_not_who_could() -> None:
    room = VideoRoom()
    both = ("video", "presentation")
    legs = {name: room.join(name, RED, Leg(name, sources=both, outputs=both)) for name in "ab"}  # type: ignore[arg-type]
    for name, leg in legs.items():
        room.mixer.add_source(name, "presentation", leg)
        room.mixer.add_viewer(leg, "main", room.now)
    room.plan("1x1", PresentationSlot())
    room.run(5)
    assert room.mixer.visible("main") == [None]
    slides = Camera(BLUE)
    for _ in range(5):
        room.mixer.receive("b", "presentation", slides.next(), room.now)
        room.run(1)
    assert room.mixer.visible("main") == ["b"]
    assert near(colour_at(decoded(legs["a"].playing["presentation"]), 320, 180), BLUE, 12)
    assert near(colour_at(decoded(legs["a"].playing["video"]), 320, 180), BLUE, 12)
    room.run(200)
    assert room.mixer.visible("main") == [None], "nobody has sent slides for a while"


def test_slides_that_no_slot_shows_are_sent_all_the_same() -> None:
    room = VideoRoom()
    leg = room.join("a", RED, Leg("a", sources=("video", "presentation")))  # type: ignore[arg-type]
    room.mixer.add_source("a", "presentation", leg)
    room.mixer.add_viewer(leg, "main", room.now)
    room.plan("1x1", PresentationSlot())
    room.run(5)
    assert room.mixer.visible("main") == [None]
    before = room.mixer.source_requests()
    assert before["a", "video"].paused
    assert not before["a", "presentation"].paused, "the slot waits for the first picture"
    slides = Camera(BLUE)
    for _ in range(5):
        room.mixer.receive("a", "presentation", slides.next(), room.now)
        room.run(1)
    assert room.mixer.source_requests()["a", "presentation"].width == 640
    room.plan("1x1", ParticipantSlot("a"))
    room.run(200)
    hidden = room.mixer.source_requests()["a", "presentation"]
    assert not hidden.paused, "a layout with slides again would never see one"
    assert hidden.fps < 10


def test_nobody_gets_back_the_slides_that_it_shows() -> None:
    room = VideoRoom()
    both = ("video", "presentation")
    legs = {name: room.join(name, RED, Leg(name, sources=both, outputs=both)) for name in "ab"}  # type: ignore[arg-type]
    for name, leg in legs.items():
        room.mixer.add_source(name, "presentation", leg)
        room.mixer.add_viewer(leg, "main", room.now)
    room.plan("1x1", ParticipantSlot("a"))
    room.run(5)
    for presenter, other, colour in (("a", "b", BLUE), ("b", "a", GREEN)):
        slides = Camera(colour)
        room.present(presenter)
        for _ in range(5):
            room.mixer.receive(presenter, "presentation", slides.next(), room.now)
            room.run(1)
        assert legs[presenter].playing["presentation"] is None
        shown = decoded(legs[other].playing["presentation"])
        assert near(colour_at(shown, 320, 180), colour, 12)
    assert legs["a"].playing["video"] is not None


def test_who_may_present_is_shown_whoever_else_sends() -> None:
    room = VideoRoom()
    both = ("video", "presentation")
    for name in "abc":
        leg = room.join(name, RED, Leg(name, sources=both))  # type: ignore[arg-type]
        room.mixer.add_source(name, "presentation", leg)
    room.mixer.add_viewer(room.legs["a"], "main", room.now)
    room.plan("1x1", PresentationSlot())
    room.run(5)
    slides = {name: Camera(BLUE) for name in "ab"}

    def shown() -> str | None:
        for _ in range(5):
            for name, camera in slides.items():
                room.mixer.receive(name, "presentation", camera.next(), room.now)
            room.run(1)
        return room.mixer.visible("main")[0]

    assert shown() == "b"
    for name, expected in (("a", "a"), ("b", "b"), ("c", None), (None, "b")):
        room.present(name)
        assert shown() == expected, name


def test_who_gets_no_presentation_sees_it_in_the_picture() -> None:
    room = VideoRoom()
    both = ("video", "presentation")
    room.mixer.add_source("a", "presentation", room.join("a", RED, Leg("a", sources=both)))  # type: ignore[arg-type]
    slides = ViewPlan("main+presentation", "1x1", (PresentationSlot(),), show_clock=False)
    whole = Leg("whole", sources=(), outputs=both)  # type: ignore[arg-type]
    plain = Leg("plain", sources=())
    for viewer in (whole, plain):
        room.mixer.add_viewer(viewer, "main", room.now)
    room.plan("1x1", ParticipantSlot("a"), with_presentation=slides)
    room.run(5)

    def shows(leg: Leg, colour: tuple[int, int, int]) -> bool:
        return near(colour_at(decoded(leg.playing["video"]), 320, 180), colour, 12)

    assert shows(plain, RED)
    camera = Camera(BLUE)
    for _ in range(10):
        room.mixer.receive("a", "presentation", camera.next(), room.now)
        room.run(1)
    assert shows(plain, BLUE)
    assert shows(whole, RED)
    assert near(colour_at(decoded(whole.playing["presentation"]), 320, 180), BLUE, 12)
    assert room.mixer.visible("main") == ["a"]
    assert room.mixer.statistics().renditions == 3
    # Everybody sees it by itself: nobody sees "main" as it is, and still somebody is visible.
    room.mixer.remove_viewer(whole)
    assert room.mixer.visible("main") == ["a"]
    # An operator broadcasts: that is shown, whoever presents.
    room.plan("1x1", ParticipantSlot("a"))
    room.mixer.receive("a", "presentation", camera.next(), room.now)
    room.run(3)
    assert shows(plain, RED)
    room.plan("1x1", ParticipantSlot("a"), with_presentation=slides)
    room.mixer.receive("a", "presentation", camera.next(), room.now)
    room.run(3)
    assert shows(plain, BLUE)
    room.run(200)
    assert shows(plain, RED), "nobody has sent slides for a while"
    assert room.mixer.statistics().renditions == 1


def test_a_speaker_takes_the_large_slot_after_a_moment() -> None:
    room = VideoRoom()
    room.plan("1x1", SpeakerSlot(1))
    for name, colour in (("a", RED), ("b", GREEN)):
        room.mixer.add_viewer(room.join(name, colour), "main", room.now)
    room.mixer.set_speakers(["a"])
    room.run(5)
    assert room.mixer.visible("main") == ["a"]
    room.mixer.set_speakers(["b", "a"])
    room.run(5)
    assert room.mixer.visible("main") == ["a"], "a cough does not take the picture"
    room.run(30)
    assert room.mixer.visible("main") == ["b"]


async def test_pictures_for_rest() -> None:
    room = VideoRoom()
    room.seat("a")
    leg = room.join("a", RED)
    room.join("b", GREEN)
    asked = asyncio.ensure_future(room.mixer.picture("main"))
    hidden = asyncio.ensure_future(room.mixer.participant_picture("b"))
    await asyncio.sleep(0)
    while not (asked.done() and hidden.done()):
        room.run(1)
        await asyncio.sleep(0)
    assert (await asked or b"").startswith(b"\xff\xd8")
    assert (await hidden or b"").startswith(b"\xff\xd8")
    assert leg.wanted == {"video": True}
    assert not room.mixer.source_requests()["b", "video"].paused, "a paused room would send none"
    assert await room.mixer.picture("no such view") is None
    assert await room.mixer.participant_picture("nobody") is None
    room.run(300)
    assert room.mixer.statistics().decoders == 0, "nobody asks any more"


async def test_a_picture_of_a_view_has_the_presentation_in_it() -> None:
    room = VideoRoom()
    both = ("video", "presentation")
    room.mixer.add_source("a", "presentation", room.join("a", RED, Leg("a", sources=both)))  # type: ignore[arg-type]
    slides = ViewPlan("main+presentation", "1x1", (PresentationSlot(),), show_clock=False)
    camera = Camera(BLUE)

    async def picture(*, presented: bool) -> tuple[int, int, int]:
        asked = asyncio.ensure_future(room.mixer.picture("main"))
        await asyncio.sleep(0)
        while not asked.done():
            if presented:
                room.mixer.receive("a", "presentation", camera.next(), room.now)
            room.run(1)
            await asyncio.sleep(0)
        with Image.open(BytesIO(await asked or b"")) as image:
            red, green, blue = image.convert("RGB").getpixel((320, 180))  # type: ignore[misc]
        return red, green, blue

    room.plan("1x1", ParticipantSlot("a"), with_presentation=slides)
    room.run(5)
    before = await picture(presented=False)
    assert before[0] > 150 > 80 > before[2]
    for _ in range(10):
        room.mixer.receive("a", "presentation", camera.next(), room.now)
        room.run(1)
    during = await picture(presented=True)
    assert during[2] > 150 > 80 > during[0]
    room.plan("1x1", ParticipantSlot("a"))  # broadcast: that is shown, whoever presents
    assert (await picture(presented=True))[0] > 150


async def test_no_picture_is_waited_for_beyond_the_end() -> None:
    room = VideoRoom()
    room.seat("a")
    room.join("a", RED)
    room.cameras.clear()
    asked = [
        asyncio.ensure_future(room.mixer.picture("main")),
        asyncio.ensure_future(room.mixer.participant_picture("a")),
    ]
    await asyncio.sleep(0)
    room.run(1)
    room.mixer.close()
    assert await asyncio.gather(*asked) == [None, None]


def test_come_and_gone_leaves_nothing() -> None:
    room = VideoRoom()
    room.seat("a")
    for _ in range(30):
        leg = room.join("a", RED)
        room.mixer.add_viewer(leg, "main", room.now)
        room.run(2)
        room.mixer.remove_viewer(leg)
        room.mixer.remove_source("a", "video")
        del room.cameras["a"]
    room.run(1)
    statistics = room.mixer.statistics()
    assert (statistics.sources, statistics.viewers) == (0, 0)
    assert (statistics.decoders, statistics.encoders, statistics.renditions) == (0, 0, 0)
    assert room.mixer._limits == {}
