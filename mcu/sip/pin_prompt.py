"""Tells one caller to enter a PIN, by sound and picture, until it is let in or sent away."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from mcu.engine.audio_bus import Encoding, EncodingKey
from mcu.engine.video_ladder import choose_rung
from mcu.legs.leg import Leg, StreamCodec
from mcu.media.rendition import VIDEO_CLOCK_HZ, Rendition, RenditionKey
from mcu.sip.foyer import FPS, CodedSounds, Foyer, Pictures
from mcu.sip.pin_picture import Notice, PinScene
from mcu.sip.pin_sounds import Announcer
from mixer.audio.block import TICK_S

WIDTH: Final = 640
HEIGHT: Final = 360
BITRATE_BPS: Final = 400_000
PICTURE_S: Final = 1.0
"""A picture as often as this: it is a key frame, so what is lost is healed by the next."""
SOONEST_S: Final = 0.2
"""Between two pictures, whatever the peer asks for."""
BEHIND_S: Final = 0.2
"""Ticks that are later than this are left out."""

SOURCE: Final = "pin"


class PinPrompt:
    """One caller's prompt: ``run`` as a task, ``close`` before anybody else plays to the leg.

    Args:
        leg: the caller's, None before there is one. clock: monotonic seconds.
    """

    def __init__(
        self, leg: Callable[[], Leg | None], foyer: Foyer, clock: Callable[[], float]
    ) -> None:
        self.scene = PinScene()
        """What is to be seen now."""
        self._leg = leg
        self._foyer = foyer
        self._clock = clock
        self._announcer = Announcer(foyer.sounds)
        self._closed = False
        self._audio: StreamCodec | None = None
        self._encoding: Encoding | None = None
        self._video: StreamCodec | None = None
        self._rendition: Rendition | None = None
        self._pictures: Pictures = ()
        self._shown = 0
        self._next_picture = self._soonest_picture = 0.0

    # What the caller does

    def digits(self, count: int) -> None:
        """So many digits stand there now."""
        self._announcer.key_pressed()
        self._show(replace(self.scene, entered=count, notice="" if count else self.scene.notice))

    def refused(self, notice: Notice, tries: int) -> None:
        """What was entered is not taken; ``tries`` are left."""
        self._announcer.wrong()
        self._show(PinScene(0, notice, tries))

    def close(self) -> None:
        """Play nothing more. Idempotent."""
        if self._closed:
            return
        self._closed = True
        leg = self._leg()
        if leg is not None:
            leg.play("audio", None)
            leg.play("video", None)

    # The clock

    async def run(self) -> None:
        """Play until it is closed."""
        tick, at = 0, self._clock()
        while not self._closed:
            now = self._clock()
            if now - at > BEHIND_S:
                at = now
            leg = self._leg()
            if leg is not None and leg.state in ("connected", "lost"):
                self.tick(leg, tick, now)
            tick, at = tick + 1, at + TICK_S
            await asyncio.sleep(max(0.0, at - self._clock()))

    def tick(self, leg: Leg, tick: int, now: float) -> None:
        """Play 20 ms, in what the leg takes now."""
        audio, video = leg.outputs.get("audio"), leg.outputs.get("video")
        if audio != self._audio:
            self._audio, self._encoding = audio, None
            if audio is not None:
                self._open_sound(leg, audio)
        if video != self._video:
            self._video, self._rendition = video, None
            if video is not None:
                self._open_picture(leg, video)
        if self._encoding is not None:
            self._encoding.encode(self._announcer.block(), tick, now)
        rendition, pictures = self._rendition, self._pictures
        if rendition is not None and pictures and now >= self._next_picture:
            self._next_picture, self._soonest_picture = now + PICTURE_S, now + SOONEST_S
            self._shown += 1
            picture = pictures[self._shown % len(pictures)]
            rendition.append(picture, round(now * VIDEO_CLOCK_HZ), key_frame=True, now=now)

    # Private

    def _open_sound(self, leg: Leg, codec: StreamCodec) -> None:
        key = EncodingKey.of(codec)

        def coded(sounds: CodedSounds) -> None:
            if self._closed or codec is not self._audio:
                return
            self._encoding = Encoding(key, SOURCE, self._foyer.fan_out, (), 0.0, encoder=sounds)
            leg.play("audio", self._encoding.rendition)

        self._foyer.code_sounds(key, coded)

    def _open_picture(self, leg: Leg, codec: StreamCodec) -> None:
        rung = choose_rung(codec, width=WIDTH, height=HEIGHT, fps=FPS, bitrate_bps=BITRATE_BPS)
        key = RenditionKey(
            "video",
            SOURCE,
            codec.name,
            rung.width,
            rung.height,
            rung.bitrate_bps,
            single_nal=codec.single_nal,
        )
        self._rendition = Rendition(key, VIDEO_CLOCK_HZ, self._foyer.fan_out, self._picture_wanted)
        self._pictures = ()
        leg.play("video", self._rendition)
        self._show(self.scene)

    def _picture_wanted(self, now: float) -> None:
        self._next_picture = min(self._next_picture, self._soonest_picture)

    def _show(self, scene: PinScene) -> None:
        self.scene = scene
        rendition = self._rendition
        if rendition is None:
            return

        def coded(pictures: Pictures) -> None:
            if rendition is self._rendition and scene == self.scene:
                self._pictures = pictures
                self._next_picture = self._soonest_picture

        self._foyer.code_picture(scene, rendition.key, coded)
