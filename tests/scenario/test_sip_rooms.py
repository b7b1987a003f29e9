"""SIP rooms and a browser in one conference hear and see each other, by content."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import av
import numpy as np
import pytest

from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.plan import (
    MediaPlan,
    ParticipantPlan,
    ParticipantSlot,
    PresentationSlot,
    ViewPlan,
)
from mcu.engine.pool import InlinePool
from mcu.engine.video import VideoMixer
from mcu.legs.leg import Leg
from mcu.media.assembly import FrameAssembler
from mcu.media.frames import EncodedFrame
from mcu.media.h264 import one_by_one, packetise
from mcu.media.rendition import FanOut
from mixer.codecs.audio import FORMATS, make_decoder, make_encoder
from mixer.codecs.video import VideoDecoder, VideoEncoder
from mixer.video.canvas import frame_planes
from tests.mixer.video.pictures import BLUE, GREEN, RED, Yuv, colour_at, frame, near
from tests.peers.coded_media import Sound, tone_db
from tests.peers.media_world import JoinedPeer, MediaWorld, Recorder
from tests.peers.network import BAD, CLEAN, Faults, VirtualTime
from tests.peers.sip_media import AUDIO, VIDEO, Section, SipRoom, SipWorld, with_direction

WALL = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SIZE = (640, 360)
SLIDES = replace(VIDEO, port=42_000, lines=(*VIDEO.lines, "content:slides"))
MODE_0 = replace(VIDEO, codecs=((97, "H264/90000", "profile-level-id=42e01f"),))


class Attendant(Recorder):
    """Lets a leg take part."""

    def __init__(self, media: ConferenceMedia) -> None:
        super().__init__()
        self._media = media

    def leg_connected(self, leg: Leg, now: float) -> None:
        super().leg_connected(leg, now)
        self._media.add_leg(leg, now)

    def leg_renegotiated(self, leg: Leg, now: float) -> None:
        super().leg_renegotiated(leg, now)
        self._media.leg_renegotiated(leg, now)

    def leg_left(self, leg: Leg, reason: str, now: float) -> None:
        super().leg_left(leg, reason, now)
        self._media.remove_leg(leg)

    def frame_received(self, leg: Leg, source: str, frame: EncodedFrame, now: float) -> None:
        self._media.frame_received(leg, source, frame, now)  # type: ignore[arg-type]


class Meeting:
    """One conference with SIP rooms and browsers, in virtual time."""

    def __init__(self, seed: int = 1) -> None:
        self.time = VirtualTime()
        self.sip = SipWorld(seed, time=self.time)
        self.web = MediaWorld(seed, time=self.time)
        fan_out = FanOut(self.time.schedule)
        self.media = ConferenceMedia(
            "conference",
            fan_out=fan_out,
            video=VideoMixer(
                fan_out=fan_out,
                pool=InlinePool(),
                width=SIZE[0],
                height=SIZE[1],
                bitrate_bps=600_000,
            ),
            max_speakers=8,
        )
        self.time.every(0.02, self.media.audio_tick)
        self.time.every(0.04, lambda now: self.media.video_tick(now, WALL))

    def plan(self, *names: str) -> None:
        people = {one: ParticipantPlan(one, one, "connected") for one in names}
        slots = tuple(ParticipantSlot(one) for one in names)
        view = ViewPlan("main", "2x2", (*slots, *slots), show_clock=False)
        self.media.apply_plan(MediaPlan(people, {"main": view}), self.time.now)

    def room(self, *sections: Section, faults: Faults = CLEAN, suite: str | None = None) -> SipRoom:
        return self.sip.connect(
            *sections, faults=faults, suite=suite, recorder=Attendant(self.media)
        )

    def browser(self) -> JoinedPeer:
        joined = self.web.join(recorder=Attendant(self.media))
        self.time.run(1.0)
        return joined


class Talker:
    """Sends a tone for a SIP room, 20 ms a packet."""

    def __init__(self, meeting: Meeting, room: SipRoom, codec: str, hz: float) -> None:
        self._room, self._hz = room, hz
        self._encoder = make_encoder(codec)
        self._step = FORMATS[codec].rtp_ticks_per_tick  # type: ignore[index]
        self._tick = 0
        self.quiet = False
        meeting.time.every(0.02, self._send)

    def _send(self, now: float) -> None:
        n = np.arange(self._tick * 960, (self._tick + 1) * 960)
        wave = 0 * n if self.quiet else 6_000 * np.sin(2 * np.pi * self._hz * n / 48_000)
        payload = self._encoder.encode(wave.astype(np.int16))
        self._room.send("audio", payload, self._tick * self._step)
        self._tick += 1


class Camera:
    """Sends pictures of one colour for a SIP room."""

    def __init__(
        self,
        meeting: Meeting,
        room: SipRoom,
        colour: Yuv,
        cut: Callable[[bytes], list[bytes]] = packetise,
        *,
        stream: str = "video",
    ) -> None:
        slice_bytes = 1_000 if cut is one_by_one else 0
        self._encoder = VideoEncoder("h264", 320, 180, 25, 300_000, slice_bytes)
        self._room, self._colour, self._cut = room, colour, cut
        self._stream = stream
        self._number = self._plis = 0
        meeting.time.every(0.04, self._send)

    def _send(self, now: float) -> None:
        asked = self._room.plis + self._room.asked_by_info
        data = self._encoder.encode(frame(320, 180, self._colour), asked != self._plis).data
        self._plis = asked
        for payload in (payloads := self._cut(data)):
            last = payload is payloads[-1]
            self._room.send(self._stream, payload, self._number * 3_600, marker=last)
        self._number += 1


def sound_of_room(room: SipRoom, codec: str) -> Sound:
    decoder = make_decoder(codec)
    return np.concatenate([decoder.decode(one.payload) for one in room.received("audio")])


def sound_of_browser(joined: JoinedPeer) -> Sound:
    assert joined.leg is not None
    ssrc = next(one.local_ssrc for one in joined.leg.negotiated.media if one.kind == "audio")
    decoder = make_decoder("opus", 2)
    return np.concatenate(
        [decoder.decode(one.payload) for one in joined.peer.received[ssrc].in_order()]  # type: ignore[index]
    )


def picture_of(payloads: list[tuple[int, int, bool, bytes]]) -> av.VideoFrame:
    """The last picture that packets (sequence, timestamp, marker, payload) make."""
    assembler, decoder = FrameAssembler("h264"), VideoDecoder("h264")
    shown: list[av.VideoFrame] = []
    for sequence, timestamp, marker, payload in payloads:
        for one in assembler.insert(sequence, timestamp, marker, payload):
            shown += decoder.decode(one.data)
    return shown[-1]


def picture_of_room(room: SipRoom, stream: str = "video") -> av.VideoFrame:
    return picture_of(
        [
            (one.sequence_number + 65_536, one.timestamp, bool(one.marker), one.payload)
            for one in room.received(stream)
        ]
    )


def picture_of_browser(joined: JoinedPeer) -> av.VideoFrame:
    assert joined.leg is not None
    ssrc = next(one.local_ssrc for one in joined.leg.negotiated.media if one.kind == "video")
    return picture_of(
        [
            (number, one.timestamp, bool(one.marker), one.payload)
            for number, one in enumerate(joined.peer.received[ssrc].in_order())  # type: ignore[index]
        ]
    )


@pytest.mark.parametrize(
    ("codec", "suite"),
    [
        ("G722", None),
        ("PCMA", "AES_CM_128_HMAC_SHA1_80"),
        ("PCMU", None),
        ("opus", "AEAD_AES_128_GCM"),
    ],
)
def test_a_sip_room_and_a_browser_hear_each_other_and_not_themselves(
    codec: str, suite: str | None
) -> None:
    meeting = Meeting()
    rtpmap = "opus/48000/2" if codec == "opus" else f"{codec}/8000"
    number = {"G722": 9, "PCMA": 8, "PCMU": 0, "opus": 111}[codec]
    room = meeting.room(Section(codecs=((number, rtpmap, ""),)), suite=suite)
    browser = meeting.browser()
    meeting.plan("sip-1", "room-1")
    Talker(meeting, room, codec.lower(), 440)
    encoder = make_encoder("opus")

    def speak(now: float) -> None:
        n = np.arange(speak.tick * 960, (speak.tick + 1) * 960)  # type: ignore[attr-defined]
        wave = (6_000 * np.sin(2 * np.pi * 1_000 * n / 48_000)).astype(np.int16)
        timestamp = speak.tick * 960  # type: ignore[attr-defined]
        browser.peer.send_media("audio", encoder.encode(wave), timestamp, level=(True, 18))
        speak.tick += 1  # type: ignore[attr-defined]

    speak.tick = 0  # type: ignore[attr-defined]
    meeting.time.every(0.02, speak)
    meeting.time.run(4.0)
    assert set(meeting.media.speakers) == {"sip-1", "room-1"}
    by_room, by_browser = sound_of_room(room, codec.lower()), sound_of_browser(browser)
    for heard, wanted, own in ((by_room, 1_000, 440), (by_browser, 440, 1_000)):
        last = heard[-48_000:]
        assert tone_db(last, wanted) == pytest.approx(20 * np.log10(6_000), abs=3)
        assert tone_db(last, own) < tone_db(last, wanted) - 30


@pytest.mark.parametrize("mode", [0, 1])
def test_sip_rooms_see_each_other(mode: int) -> None:
    meeting = Meeting()
    video = MODE_0 if mode == 0 else VIDEO
    rooms = [meeting.room(AUDIO, video), meeting.room(AUDIO, VIDEO)]
    meeting.plan("sip-1", "sip-2")
    Camera(meeting, rooms[0], RED, one_by_one if mode == 0 else packetise)
    Camera(meeting, rooms[1], BLUE)
    meeting.time.run(3.0)
    for room in rooms:
        shown = frame_planes(picture_of_room(room))
        assert near(colour_at(shown, 160, 90), RED, 14)
        assert near(colour_at(shown, 480, 90), BLUE, 14)
    kinds = {one.payload[0] & 0x1F for one in rooms[0].received("video")}
    assert (kinds <= {1, 5, 6, 7, 8}) == (mode == 0)


def test_slides_are_on_second_screens_and_in_the_picture_of_those_without_one() -> None:
    meeting = Meeting()
    rooms = [meeting.room(AUDIO, VIDEO, SLIDES), meeting.room(AUDIO, VIDEO, SLIDES)]
    browser = meeting.browser()
    names = ("sip-1", "sip-2", "room-1")
    people = {one: ParticipantPlan(one, one, "connected") for one in names}
    with_slides = ViewPlan("main+slides", "1x1", (PresentationSlot(),), show_clock=False)
    view = ViewPlan(
        "main", "1x1", (ParticipantSlot("sip-1"),), show_clock=False, with_presentation=with_slides
    )
    cameras = [Camera(meeting, room, RED) for room in rooms]
    assert len(cameras) == 2
    for presenter, other, colour in ((0, 1, GREEN), (1, 0, BLUE)):
        plan = MediaPlan(people, {"main": view}, names[presenter])
        meeting.media.apply_plan(plan, meeting.time.now)
        Camera(meeting, rooms[presenter], colour, stream="presentation")
        meeting.time.run(0.5)
        sent_back = len(rooms[presenter].received("presentation"))
        meeting.time.run(3.0)
        slides = picture_of_room(rooms[other], "presentation")
        assert near(colour_at(frame_planes(slides), 320, 180), colour, 14)
        shown = frame_planes(picture_of_browser(browser))
        assert near(colour_at(shown, shown.y.shape[1] // 2, shown.y.shape[0] // 2), colour, 14)
        assert near(colour_at(frame_planes(picture_of_room(rooms[other])), 320, 180), RED, 14)
        assert len(rooms[presenter].received("presentation")) == sent_back


def test_a_low_level_gets_a_small_picture() -> None:
    meeting = Meeting()
    low = replace(
        VIDEO, codecs=((96, "H264/90000", "profile-level-id=42e00c;packetization-mode=1"),)
    )
    room = meeting.room(AUDIO, low)
    other = meeting.room(AUDIO, VIDEO)
    meeting.plan("sip-1", "sip-2")
    Camera(meeting, other, GREEN)
    meeting.time.run(2.0)
    shown = picture_of_room(room)
    assert (shown.width, shown.height) == (320, 180)
    sps = next(one.payload for one in room.received("video") if b"\x67" in one.payload[:4])
    at = sps.index(b"\x67")
    assert sps[at + 3] <= 12


def test_a_bad_line_is_heard_and_seen_through() -> None:
    meeting = Meeting()
    rooms = [
        meeting.room(AUDIO, VIDEO, faults=BAD, suite="AEAD_AES_128_GCM"),
        meeting.room(AUDIO, VIDEO),
    ]
    meeting.plan("sip-1", "sip-2")
    Talker(meeting, rooms[0], "g722", 440)
    Camera(meeting, rooms[0], RED)
    meeting.time.run(20.0)
    assert meeting.media.speakers == ("sip-1",)
    heard = sound_of_room(rooms[1], "g722")[-5 * 48_000 :]
    assert tone_db(heard, 440) > 20 * np.log10(6_000) - 6
    assert near(colour_at(frame_planes(picture_of_room(rooms[1])), 160, 90), RED, 14)


def test_a_new_codec_is_heard_on() -> None:
    meeting = Meeting()
    room = meeting.room(AUDIO)
    listener = meeting.room(AUDIO, faults=CLEAN)
    meeting.plan("sip-1", "sip-2")
    talker = Talker(meeting, room, "g722", 440)
    meeting.time.run(2.0)
    talker._encoder = make_encoder("pcma")
    meeting.sip.reinvite(room, lambda one: replace(one, codecs=((8, "PCMA/8000", ""),)))
    before = len(room.received("audio"))
    meeting.time.run(3.0)
    assert tone_db(sound_of_room(listener, "g722")[-24_000:], 440) > 20 * np.log10(6_000) - 3
    after = room.received("audio")[before:]
    assert {one.payload_type for one in after[3:]} == {8}
    assert len(after) > 140


def test_pressed_keys_are_not_heard() -> None:
    meeting = Meeting()
    room, listener = meeting.room(AUDIO), meeting.room(AUDIO)
    meeting.plan("sip-1", "sip-2")
    talker = Talker(meeting, room, "g722", 440)
    meeting.time.run(1.5)
    # As a phone does it: what is said stands still while the key is down.
    send, stamp = room.send, talker._tick * 160
    meeting.sip.time.run(0.0)
    presses = iter(range(1, 30))

    def events(stream: str, payload: bytes, timestamp: int, **options: object) -> None:
        number = next(presses, None)
        if number is None:
            send(stream, payload, timestamp)
            return
        end = 0x80 if number > 26 else 0
        duration = (160 * min(number, 26)).to_bytes(2, "big")
        send(stream, bytes((5, end | 10)) + duration, stamp, payload_type=101, marker=number == 1)

    room.send = events  # type: ignore[method-assign]
    meeting.time.run(0.56)
    assert room.digits == ["5"]
    quiet = sound_of_room(listener, "g722")[-12_000:]
    assert np.abs(quiet[:9_600].astype(int)).max() < 100
    meeting.time.run(1.0)
    assert tone_db(sound_of_room(listener, "g722")[-24_000:], 440) > 20 * np.log10(6_000) - 3
    assert meeting.media.audio.statistics().lost == 0


def test_a_camera_that_is_switched_on_in_the_meeting_is_seen_until_it_goes() -> None:
    meeting = Meeting()
    room, watcher = meeting.room(AUDIO), meeting.room(AUDIO, VIDEO)
    meeting.plan("sip-1", "sip-2")
    meeting.time.run(1.0)
    room.sections.append(VIDEO)
    meeting.sip.reinvite(room)
    Camera(meeting, room, RED)
    meeting.time.run(2.0)
    assert near(colour_at(frame_planes(picture_of_room(watcher)), 160, 90), RED, 14)
    assert near(colour_at(frame_planes(picture_of_room(room)), 160, 90), RED, 14)
    assert meeting.media.video.statistics().viewers == 2
    room.send = lambda *arguments, **more: None  # type: ignore[method-assign]
    meeting.sip.reinvite(room, lambda one: replace(one, port=0) if one.kind == "video" else one)
    meeting.time.run(2.0)
    assert not near(colour_at(frame_planes(picture_of_room(watcher)), 160, 90), RED, 14)
    assert meeting.media.video.statistics().viewers == 1
    assert meeting.media.video.statistics().sources == 1
    assert room.leg.state == "connected"


def test_a_room_that_holds_hears_the_meeting_again_afterwards() -> None:
    meeting = Meeting()
    speaker, room = meeting.room(AUDIO), meeting.room(AUDIO, suite="AES_CM_128_HMAC_SHA1_32")
    meeting.plan("sip-1", "sip-2")
    Talker(meeting, speaker, "g722", 440)
    Talker(meeting, room, "g722", 1_000)
    meeting.time.run(2.0)
    meeting.sip.reinvite(room, with_direction("inactive"))
    before = len(room.received("audio"))
    meeting.time.run(10.0)
    assert len(room.received("audio")) - before <= 1
    meeting.sip.reinvite(room, with_direction("sendrecv"))
    meeting.time.run(2.0)
    assert tone_db(sound_of_room(room, "g722")[-24_000:], 440) > 20 * np.log10(6_000) - 3
    assert room.recorder.events == ["connected"]
    assert not room.stray
