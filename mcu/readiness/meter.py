"""Measures one room over its leg: plays the test tone, keeps its sound, looks at its pictures.

Everything here runs on the loop's thread and none of it takes long; what does (``measure_sound``)
is the caller's to run in a pool, with what ``sound_kept`` gives.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.video_requests import AUDIO_BPS, SourceRequest
from mcu.legs.leg import Leg, LegStatistics, StreamStatistics
from mcu.legs.sip import SipLeg
from mcu.readiness.line import LineMeter
from mcu.readiness.lipsync import LipSync
from mcu.readiness.measurements import (
    Configuration,
    Measurements,
    PictureMeasured,
    SoundMeasured,
    Standard,
)
from mcu.readiness.picture import SETTLE_S, PictureWatch, SizeLook
from mcu.readiness.sound import PROBE_TICKS
from mixer.audio.block import TICK_S, TICK_SAMPLES, Int16Block
from mixer.detect.probe import probe
from signalling.offer_answer.agreement import Dtls

FIRST_PROBE_S: Final = 2.0
PROBE_EVERY_S: Final = 7.0
"""Between the probes somebody can speak undisturbed."""
READ_S: Final = 1.0
PROBE_LINE_S: Final = 2.5
SIZE_AT_S: Final = SETTLE_S + 2.0

Ask = Callable[[SourceRequest | None], None]
"""Asks the room for pictures of another size than the layout shows; None: no more."""


class TestTone:
    """Plays the probe to one room; ``began`` holds after how many heard ticks each began."""

    __test__ = False  # no test, although it is called one

    def __init__(self, media: ConferenceMedia, participant: str) -> None:
        self._media, self._participant = media, participant
        self._end: Callable[[], None] | None = None
        self._tick = 0

    @property
    def playing(self) -> bool:
        """Whether the room hears it, or the silence after it, in place of its mix."""
        return self._end is not None

    def play(self, begun: Callable[[], None] = lambda: None) -> None:
        """Play it once; ``begun`` is called as its first tick is taken."""
        self.stop()
        self._tick = 0

        def source(now: float) -> Int16Block | None:
            if not self._tick:
                begun()
            at = self._tick * TICK_SAMPLES
            self._tick += 1
            return probe()[at : at + TICK_SAMPLES] if at < len(probe()) else None

        self._end = self._media.play_to(self._participant, source)

    def handle_timer(self) -> None:
        """Let the room hear its mix again once the tone, and what may return of it, is over."""
        if self._tick > PROBE_TICKS:
            self.stop()

    def stop(self) -> None:
        """Let the room hear its mix again."""
        if self._end is not None:
            self._end()
            self._end = None


class RoomMeter:
    """Measures for ``seconds``; ``handle_timer`` until ``finished``, then ``close``.

    Args:
        leg: the room's, connected.
        ask: see ``Ask``.
    """

    def __init__(
        self,
        media: ConferenceMedia,
        leg: Leg,
        standard: Standard,
        ask: Ask,
        *,
        seconds: float,
        now: float,
    ) -> None:
        participant = leg.participant or ""
        self.leg = leg
        self.probes: list[int] = []
        self._media, self._participant = media, participant
        self._seconds, self._began = seconds, now
        self._ask = ask
        self._uplink_bps = max(AUDIO_BPS, standard.uplink_bps)
        self._ticks: list[Int16Block] = []
        self._tone = TestTone(media, participant)
        self._line = LineMeter()
        self._lip_sync = LipSync()
        self._watch = PictureWatch(now)
        self._look = SizeLook()
        self._next_read = now
        self._next_probe = now + FIRST_PROBE_S
        self._next_line = now + READ_S
        self._settled: tuple[float, StreamStatistics] | None = None
        self._newest: tuple[float, LegStatistics] | None = None
        self._ends: list[Callable[[], None]] = [media.observe_sound(participant, self)]
        self._looking: Callable[[], None] | None = None
        if "video" in leg.sources:
            self._ends.append(media.observe_picture(participant, self._watch, "rows"))
            ask(
                SourceRequest(
                    standard.width,
                    standard.height,
                    max(1, round(standard.fps)),
                    max(AUDIO_BPS, standard.uplink_bps - AUDIO_BPS),
                )
            )

    # SoundObserver

    def heard(self, samples: Int16Block, now: float) -> None:
        """Keep one tick."""
        self._ticks.append(samples.copy())

    # Time

    def finished(self, now: float) -> bool:
        """Whether it has measured for as long as it should."""
        return now - self._began >= self._seconds

    def handle_timer(self, now: float) -> None:
        """To be called a few times a second."""
        if now >= self._next_read:
            self._next_read = now + READ_S
            self._read(now)
        if now >= self._next_line:
            self._next_line = now + PROBE_LINE_S
            self.leg.probe_line(now)
        self._tone.handle_timer()
        left = self._began + self._seconds - now
        if now >= self._next_probe and left > PROBE_TICKS * TICK_S + 0.5:
            self._next_probe = now + PROBE_EVERY_S
            self._tone.play(lambda: self.probes.append(len(self._ticks)))
        if (
            self._looking is None
            and "video" in self.leg.sources
            and now - self._began >= min(SIZE_AT_S, self._seconds / 2)
        ):
            self._looking = self._media.observe_picture(self._participant, self._look)
            self._look.done = self._looking
            self._ends.append(self._looking)

    def sound_kept(self) -> tuple[Sequence[Int16Block], Sequence[int]]:
        """For ``measure_sound``."""
        return self._ticks, self.probes

    def measured(self, sound: SoundMeasured, user_agent: str | None, now: float) -> Measurements:
        """All of it.

        Args:
            user_agent: what the room calls itself, if it is known.
        """
        self._read(now)
        picture = self._picture()
        return Measurements(
            line=self._line.measured(),
            sound=sound,
            picture=picture,
            configuration=self._configuration(user_agent, picture.width, picture.height),
            share=min(1.0, len(self._ticks) * TICK_S / max(TICK_S, now - self._began)),
        )

    def close(self) -> None:
        """Look and listen no more, and let the room be as the layout wants it."""
        self._tone.stop()
        for end in self._ends:
            end()
        self._ends.clear()
        if "video" not in self.leg.sources:
            return
        self._ask(None)
        asked = self._media.video.source_requests().get((self._participant, "video"))
        if asked is not None and self.leg.state != "left":
            self.leg.limit_bitrate(asked.bitrate_bps + AUDIO_BPS)

    # Private

    def _read(self, now: float) -> None:
        reading = self.leg.statistics(now)
        self._line.take(reading, now)
        self._lip_sync.take(reading)
        video = reading.received.get("video")
        if video is not None:
            if self._settled is None and now - self._began >= SETTLE_S:
                self._settled = now, video
            # The mixer limits hidden rooms (REMB) now and then; a limit that is taken back without
            # another in its place stays with some.
            self.leg.limit_bitrate(self._uplink_bps)
        self._newest = now, reading

    def _picture(self) -> PictureMeasured:
        pictures = bits = 0
        seconds = 0.0
        if self._settled is not None and self._newest is not None:
            before_at, before = self._settled
            at, reading = self._newest
            after = reading.received.get("video", before)
            pictures, bits = after.frames - before.frames, (after.bytes - before.bytes) * 8
            seconds = at - before_at
        found = self._watch.measured(
            offered="video" in self.leg.sources,
            pictures=max(0, pictures),
            bits=max(0, bits),
            seconds=seconds,
            size=self._look.size,
        )
        return replace(found, later_ms=self._lip_sync.later_ms) if found.offered else found

    def _configuration(self, user_agent: str | None, width: int, height: int) -> Configuration:
        leg = self.leg
        address = None if self._newest is None else self._newest[1].remote_address
        return Configuration(
            audio_codec=leg.sources["audio"].name if "audio" in leg.sources else None,
            video_codec=leg.sources["video"].name if "video" in leg.sources else None,
            resolution=f"{width}x{height}" if width else None,
            address=None if address is None else address.rpartition(":")[0].strip("[]"),
            user_agent=user_agent or None,
            certificate=_certificate(leg),
        )


def _certificate(leg: Leg) -> str | None:
    """Of a hardware room with DTLS, the first fingerprint of its media; see ``Configuration``."""
    if not isinstance(leg, SipLeg):
        return None
    for flow in leg.agreed.flows:
        if isinstance(flow.security, Dtls):
            return str(flow.security.fingerprints[0])
    return None
