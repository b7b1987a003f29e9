"""A caller is told to enter a PIN, in the codecs that it takes."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytest

from mcu.engine.pool import InlinePool
from mcu.legs.leg import Leg, StreamCodec, StreamName
from mcu.media.rendition import FanOut, Rendition
from mcu.sip.foyer import Foyer
from mcu.sip.pin_picture import PinScene, draw
from mcu.sip.pin_prompt import PICTURE_S, SOONEST_S, PinPrompt
from mcu.sip.pin_sounds import THINKING_S, WRONG_HZ, make_sounds
from mixer.audio.block import TICK_S
from mixer.codecs.audio import make_decoder
from mixer.codecs.video import VideoDecoder

PCMA = StreamCodec("pcma", 8_000, 1)
OPUS = StreamCodec("opus", 48_000, 2)
H264 = StreamCodec("h264", 90_000, max_width=1280, max_height=720, max_fps=30)
SMALL = StreamCodec("h264", 90_000, max_width=352, max_height=288, max_fps=15)


class Room:
    """A leg that keeps what it is to play."""

    def __init__(self, **outputs: StreamCodec) -> None:
        self.state = "connected"
        self.outputs: Mapping[str, StreamCodec] = outputs
        self.playing: dict[StreamName, Rendition | None] = {}

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        self.playing[stream] = rendition

    def rendition(self, stream: StreamName) -> Rendition:
        found = self.playing[stream]
        assert found is not None
        return found

    def heard(self, packets: int) -> list[bytes]:
        """The newest payloads of sound."""
        ring = self.rendition("audio").ring
        return [ring.payloads[number & ring.mask] for number in range(ring.end - packets, ring.end)]


class Call:
    """A prompt whose time is a test's."""

    def __init__(self, **outputs: StreamCodec) -> None:
        self.room = Room(**outputs)
        self.now = 100.0
        self.ticks = 0
        foyer = Foyer(make_sounds(), FanOut(lambda delay_s, run: None), InlinePool())
        self.prompt = PinPrompt(lambda: cast("Leg", self.room), foyer, lambda: self.now)

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.prompt.tick(cast("Leg", self.room), self.ticks, self.now)
            self.ticks += 1
            self.now += TICK_S


def frames(call: Call) -> int:
    return call.room.rendition("video").frames


def test_sound_comes_every_tick_and_a_picture_a_second() -> None:
    call = Call(audio=PCMA, video=H264)
    call.wait(2.5 * PICTURE_S)
    sound = call.room.rendition("audio")
    assert sound.frames == round(2.5 * PICTURE_S / TICK_S)
    assert (sound.key.codec, sound.timestamp) == ("pcma", (sound.frames - 1) * 160)
    assert frames(call) == 3
    assert (call.room.rendition("video").key.width, call.room.rendition("video").key.height) == (
        640,
        360,
    )


def test_a_digit_is_seen_at_once_and_silences_the_prompt() -> None:
    call = Call(audio=PCMA, video=H264)
    call.wait(0.4)
    call.prompt.digits(1)
    assert call.prompt.scene == PinScene(entered=1)
    call.wait(TICK_S)
    assert frames(call) == 2
    call.wait(1.0)
    decoder = make_decoder("pcma")
    heard = np.concatenate([decoder.decode(one) for one in call.room.heard(40)])
    assert np.abs(heard).max() < 100
    call.wait(THINKING_S)
    heard = np.concatenate([decoder.decode(one) for one in call.room.heard(40)])
    assert np.abs(heard).max() > 1_000


def test_digits_in_a_burst_are_no_burst_of_pictures() -> None:
    call = Call(video=H264)
    call.wait(1.0)
    before = frames(call)
    for count in range(8):
        call.prompt.digits(count)
        call.wait(TICK_S)
    assert frames(call) - before <= 1 + 8 * TICK_S / SOONEST_S
    call.wait(SOONEST_S)
    assert frames(call) - before >= 2


def test_a_wrong_pin_is_heard_and_seen_until_the_next_digit() -> None:
    call = Call(audio=OPUS, video=H264)
    call.wait(1.0)
    call.prompt.digits(4)
    call.prompt.refused("wrong", 2)
    assert call.prompt.scene == PinScene(0, "wrong", 2)
    call.wait(0.2)
    decoder = make_decoder("opus")
    heard = np.concatenate([decoder.decode(one) for one in call.room.heard(9)])
    spectrum = np.abs(np.fft.rfft(heard))
    assert int(spectrum.argmax()) * 48_000 / len(heard) == pytest.approx(WRONG_HZ[0], abs=10)
    call.prompt.digits(0)
    assert call.prompt.scene.notice == "wrong"
    call.prompt.digits(1)
    assert call.prompt.scene == PinScene(1, "", 2)


def test_what_is_sent_shows_the_scene() -> None:
    call = Call(video=H264)
    call.prompt.digits(3)
    call.wait(TICK_S)
    sent: list[bytes] = []
    rendition = call.room.rendition("video")
    append = rendition.append

    def kept(data: bytes, *rest: Any, **named: Any) -> None:
        sent.append(data)
        append(data, *rest, **named)

    rendition.append = kept  # type: ignore[method-assign]
    call.wait(2.5 * PICTURE_S)
    assert len(sent) == 2
    assert sent[0] != sent[1]  # idr_pic_id
    decoder = VideoDecoder("h264")
    meant = draw(PinScene(entered=3), 640, 360).planes.y.astype(int)
    for data in sent:
        (shown,) = decoder.decode(data)
        assert np.abs(shown.to_ndarray()[:360].astype(int) - meant).mean() < 4


def test_a_key_frame_that_is_asked_for_comes_soon_and_not_too_often() -> None:
    call = Call(video=H264)
    call.wait(1.5 * PICTURE_S)
    before = frames(call)
    for _ in range(round(0.4 / TICK_S)):
        call.room.rendition("video").request_key_frame(call.now)
        call.wait(TICK_S)
    assert 1 <= frames(call) - before <= 0.4 / SOONEST_S + 1


def test_a_device_of_a_low_level_gets_a_smaller_picture() -> None:
    call = Call(video=SMALL)
    call.wait(TICK_S)
    key = call.room.rendition("video").key
    assert (key.width, key.height) == (320, 180)


def test_it_follows_what_is_agreed_on_anew() -> None:
    call = Call(audio=PCMA)
    call.wait(1.0)
    call.room.outputs = {"audio": OPUS, "video": H264}
    call.wait(1.0)
    assert call.room.rendition("audio").key.codec == "opus"
    assert frames(call) >= 1
    call.room.outputs = {}
    call.wait(1.0)
    assert call.room.rendition("audio").frames == 50


async def test_it_waits_for_media_and_plays_nothing_once_it_is_closed() -> None:
    call = Call(audio=PCMA)
    call.prompt.close()
    call.prompt.close()
    await call.prompt.run()
    assert call.room.playing == {"audio": None, "video": None}
