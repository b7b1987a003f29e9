"""One view of a conference: who stands where, the composed canvas, and its renditions.

A tick composes into the canvas that no encoder reads, then hands it to every rendition's encoder.
If the work of the tick before still runs, the tick is left out and counted: the clock waits for
nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from mcu.engine.age import Age
from mcu.engine.picture import jpeg
from mcu.engine.plan import MediaPlan, OverlayPlan, ParticipantPlan, ViewPlan
from mcu.engine.pool import Pool
from mcu.engine.video_source import VideoSource
from mcu.engine.video_statistics import StageClock, VideoCounters
from mcu.engine.view_rendition import ViewRendition
from mcu.engine.view_slots import Binding, Room, SlotResolver
from mcu.media.rendition import VIDEO_CLOCK_HZ
from mixer.video.caption import Caption, reading
from mixer.video.composer import BUFFERS, Composer, Scene
from mixer.video.tile import EMPTY_TILE, RECORDING_DOT, Tile, TileState

PICTURE_ON_ITS_WAY_S = 3.0
"""A room that was just shown has this long to send its first picture before the card says none."""

ASKED_S = 10.0
"""A view whose JPEG was asked for is composed this long, so that the next one comes at once."""

SETTLE_S = 1.5
"""A first JPEG waits at most this long for pictures of its rooms."""

_CARDS: dict[str, TileState] = {
    "expected": "waiting",
    "calling": "calling",
    "lost": "lost",
    "left": "left",
}

log = structlog.get_logger(__name__)

FindSource = Callable[[Binding], VideoSource | None]


@dataclass(slots=True)
class _Asked:
    """Somebody waits for a JPEG."""

    future: asyncio.Future[bytes | None]
    since: float


class View:
    """Composes one view while somebody receives it or asks for its picture."""

    def __init__(
        self,
        plan: ViewPlan,
        *,
        width: int,
        height: int,
        pool: Pool,
        counters: VideoCounters,
        clock: StageClock,
        find_source: FindSource,
    ) -> None:
        self.plan = plan
        self.renditions: dict[object, ViewRendition] = {}
        self.bindings: tuple[Binding | None, ...] = ()
        self._sizes: list[tuple[Binding, tuple[int, int]]] = []
        self._pool = pool
        self._counters = counters
        self._clock = clock
        self._find_source = find_source
        self._composer = Composer(width, height)
        self._resolver = SlotResolver()
        self._lane = pool.lane()
        self._readers = [0] * BUFFERS
        self._last = 0
        self._asked: list[_Asked] = []
        self._drawing: list[_Asked] = []
        self._asked_until = float("-inf")
        self._scene: Scene | None = None
        self._age = Age()

    def active(self, now: float) -> bool:
        """Whether anybody wants it composed."""
        return bool(self.renditions) or bool(self._asked) or now < self._asked_until

    def resolve(self, room: Room, now: float) -> None:
        """Decide who stands in which slot now."""
        rects = self._composer.rects(self.plan.layout)
        areas = [rect.width * rect.height for rect in rects]
        if self.plan.watcher in room.present:
            others = [one for one in room.present if one != self.plan.watcher]
            room = replace(room, present=others)
        self.bindings = self._resolver.resolve(self.plan.slots, areas, room, now)
        self._sizes = [
            (binding, (rect.width, rect.height))
            for binding, rect in zip(self.bindings, rects, strict=True)
            if binding is not None
        ]

    def sizes(self) -> list[tuple[Binding, tuple[int, int]]]:
        """Who is shown, and in which size, as of the last ``resolve``.

        A plan that came since may have another layout; its slots are bound at the next tick.
        """
        return self._sizes

    def tick(
        self,
        media: MediaPlan,
        speakers: Sequence[str],
        now: float,
        timestamp: int,
        wall: datetime,
    ) -> None:
        """Compose and encode one picture."""
        self._counters.ticks += 1
        buffer = (self._last + 1) % BUFFERS
        if self._lane.pending or self._readers[buffer]:
            self._counters.ticks_skipped += 1
            return
        scene = self._make_scene(media, speakers, now, wall)
        if self._scene is not None and scene == self._scene:
            scene = self._scene  # the same object costs the composer nothing
        self._scene = scene
        self._last = buffer
        ready = [asked for asked in self._asked if self._is_settled(asked, now)]
        self._asked = [asked for asked in self._asked if asked not in ready]
        self._drawing = ready
        composer, clock = self._composer, self._clock
        captured = now - self._age_of_picture(speakers, now)

        def work() -> bytes | None:
            with clock.measure("compose"):
                composer.compose(scene, buffer)
            return jpeg(composer.canvases[buffer].frame()) if ready else None

        self._lane.submit(
            work, lambda result: self._composed(result, buffer, ready, timestamp, now, captured)
        )

    def ask(self, future: asyncio.Future[bytes | None], now: float) -> None:
        """Have ``future`` resolved with a JPEG of the view."""
        self._asked.append(_Asked(future, now))
        self._asked_until = now + ASKED_S

    def close(self) -> None:
        """Free everything."""
        self._lane.close()
        for rendition in self.renditions.values():
            rendition.close()
        self.renditions.clear()
        _answer([*self._asked, *self._drawing], None)
        self._asked = self._drawing = []

    def _composed(
        self,
        result: bytes | Exception | None,
        buffer: int,
        ready: list[_Asked],
        timestamp: int,
        now: float,
        captured: float,
    ) -> None:
        self._drawing = []
        _answer(ready, result if isinstance(result, bytes) else None)
        if isinstance(result, Exception):
            self._counters.compose_errors += 1
            if self._counters.compose_errors == 1:
                # A lasting defect would fill the log 25 times a second; the rest is counted.
                log.error("compose_failed", view=self.plan.name, exc_info=result)
            return
        self._counters.frames_composed += 1
        for rendition in self.renditions.values():
            if rendition.busy:
                self._counters.encodes_skipped += 1
                continue
            self._readers[buffer] += 1
            frame = self._composer.canvases[buffer].frame()
            rendition.encode(frame, timestamp, now, captured, lambda: self._release(buffer))

    def _release(self, buffer: int) -> None:
        self._readers[buffer] -= 1

    def _age_of_picture(self, speakers: Sequence[str], now: float) -> float:
        """How long pictures have been here when they are composed; whose sound is heard counts."""
        speaker = speakers[0] if speakers else None
        for binding in self.bindings:
            if binding is not None and binding.participant == speaker:
                source = self._find_source(binding)
                if source is not None and source.captured_at is not None:
                    self._age.take(now - source.captured_at)
        return self._age.seconds

    def _is_settled(self, asked: _Asked, now: float) -> bool:
        if now - asked.since >= SETTLE_S:
            return True
        sources = [self._find_source(binding) for binding in self.bindings if binding is not None]
        return all(source.frame is not None for source in sources if source is not None)

    def _make_scene(
        self, media: MediaPlan, speakers: Sequence[str], now: float, wall: datetime
    ) -> Scene:
        rects = self._composer.rects(self.plan.layout)
        tiles = tuple(
            EMPTY_TILE
            if binding is None
            else self._tile(binding, (rect.width, rect.height), media, speakers, now)
            for binding, rect in zip(self.bindings, rects, strict=True)
        )
        return Scene(
            layout=self.plan.layout,
            tiles=tiles,
            message=self.plan.message,
            clock=self._reading(wall),
            captions=tuple(_caption(one, wall) for one in self.plan.overlays),
        )

    def _reading(self, wall: datetime) -> str | None:
        """What the clock in the picture says: the time, behind a red disc while it is recorded."""
        if not self.plan.show_clock:
            return None
        reading = wall.strftime("%H:%M:%S")
        return f"{RECORDING_DOT} {reading}" if self.plan.recorded else reading

    def _tile(
        self,
        binding: Binding,
        size: tuple[int, int],
        media: MediaPlan,
        speakers: Sequence[str],
        now: float,
    ) -> Tile:
        who = media.participants.get(binding.participant)
        if who is None:
            return EMPTY_TILE
        speaking = binding.participant in speakers and not who.audio_muted
        source = self._find_source(binding)
        state: TileState = _CARDS.get(who.presence) or self._live_state(who, binding, source, now)
        picture = (
            source.picture(size, self.plan.fit) if source is not None and state == "live" else None
        )
        return Tile(state, who.label, picture, who.audio_muted, speaking and state == "live")

    @staticmethod
    def _live_state(
        who: ParticipantPlan, binding: Binding, source: VideoSource | None, now: float
    ) -> TileState:
        if source is None or (who.video_muted and binding.stream == "video"):
            return "no_video"
        if source.frame is not None:
            return "live"
        wanted = source.wanted_since
        return "name" if wanted is None or now - wanted < PICTURE_ON_ITS_WAY_S else "no_video"


def _caption(overlay: OverlayPlan, wall: datetime) -> Caption:
    """What an overlay says at this time; equal for a whole second, so that it costs nothing."""
    left_s = overlay.left_s
    if overlay.until is not None:
        left_s = (overlay.until - wall).total_seconds()
    return Caption(overlay.position, overlay.text, None if left_s is None else reading(left_s))


def _answer(asked: list[_Asked], picture: bytes | None) -> None:
    for one in asked:
        if not one.future.done():
            one.future.set_result(picture)


def timestamp_of(now: float, epoch: float) -> int:
    """RTP timestamp, 90 kHz, of a picture composed at ``now``."""
    return round((now - epoch) * VIDEO_CLOCK_HZ)
