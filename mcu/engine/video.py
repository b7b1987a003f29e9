"""A conference's pictures: sources decoded once, views composed once, renditions encoded once.

Only what stands in a slot of a view that somebody receives is decoded, and only renditions that
some leg receives are encoded; ``tick`` brings both in line with the plan before it composes.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import av
import numpy as np

from mcu.engine.conference_video import VideoLeg
from mcu.engine.picture import jpeg
from mcu.engine.picture_fault import FaultyCamera
from mcu.engine.plan import WAITING_VIEW, MediaPlan, ParticipantPlan, PresentationSlot, ViewPlan
from mcu.engine.pool import Pool
from mcu.engine.rendition_sharing import MAX_RENDITIONS
from mcu.engine.shedding import NOTHING, RateGate, Shed
from mcu.engine.taps import LOOK_S, End, Luma, PictureObserver, PictureTaps, Wish
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.thumbnails import Thumbnails
from mcu.engine.video_decoding import Shape
from mcu.engine.video_ladder import Rung
from mcu.engine.video_requests import (
    AUDIO_BPS,
    SourceRequest,
    request_for,
    thumbnail_request,
    wall_request,
)
from mcu.engine.video_source import VideoSource
from mcu.engine.video_statistics import StageClock, VideoCounters, VideoStatistics
from mcu.engine.video_viewers import Viewers
from mcu.engine.view import ASKED_S, View, timestamp_of
from mcu.engine.view_rendition import ViewRendition
from mcu.engine.view_slots import Binding, Room
from mcu.legs.leg import StreamCodec, StreamName
from mcu.media.frames import EncodedFrame
from mcu.media.rendition import Outlet, RenditionKey

PRESENTATION_VIEW = "presentation"
"""The view of legs that receive presentation as a second stream: it alone, as large as it goes."""

HOLD_S = 5.0
"""A source that sends nothing keeps its last picture this long."""

PICTURE_TIMEOUT_S = 3.0
ASKED_SIZE = (320, 180)
"""What a room is asked to send where only a JPEG of it is wanted."""

LIMITS_INTERVAL_S = 0.5

SMALL_SLOT = 1 / 9
"""Part of a view's area up to which a slot is small (``Shed.stills``)."""

SourceId = tuple[str, StreamName]


class VideoMixer:
    """Video of one conference; see ``ConferenceVideo``.

    Args:
        fan_out: sends what is encoded. pool: runs codecs.
        width, height, fps, bitrate_bps: of a view and its best rendition.
    """

    def __init__(
        self,
        *,
        fan_out: Outlet,
        pool: Pool,
        width: int = 1280,
        height: int = 720,
        fps: int = 25,
        bitrate_bps: int = 1_500_000,
    ) -> None:
        self._fan_out = fan_out
        self._pool = pool
        self._width, self._height, self._fps = width, height, fps
        self._counters = VideoCounters()
        self._clock = StageClock()
        self._plan = MediaPlan()
        self._speakers: Sequence[str] = ()
        self._present: tuple[str, ...] = ()
        self._showing: str | None = None
        """The leg whose presentation is shown."""
        self._sources: dict[SourceId, VideoSource] = {}
        self._views: dict[str, View] = {}
        self._viewers = Viewers(
            self._views,
            self._open_rendition,
            width=width,
            height=height,
            fps=fps,
            bitrate_bps=bitrate_bps,
        )
        self._taps = PictureTaps()
        self._looked_at: dict[str, float] = {}
        """When the last picture came that observers were shown."""
        self._wall = Thumbnails(pool, self._counters, self._clock)
        self._limits: dict[str, int | None] = {}
        self._picture_until: dict[str, float] = {}
        self._waiting: list[tuple[str, float, asyncio.Future[VideoSource | None]]] = []
        self._epoch: float | None = None
        self._now = 0.0
        self._next_limits = float("-inf")
        self._shed = NOTHING
        self._gate = RateGate()
        self._open_view(ViewPlan(PRESENTATION_VIEW, "1x1", (PresentationSlot(),), show_clock=False))

    # Sources

    def add_source(self, participant: str, source: StreamName, leg: VideoLeg) -> None:
        """Let a participant be seen; a source it had before goes over to the new leg."""
        before = self._sources.get((participant, source))
        if before is not None:
            self._limits.pop(before.leg.id, None)
            before.replace(leg, self._now)
            return
        self._sources[participant, source] = VideoSource(
            source, leg, self._pool, self._counters, self._clock
        )
        if self._plan.faults:
            self._let_fail()

    def remove_source(self, participant: str, source: StreamName) -> None:
        """Forget a source; its slot shows a card."""
        gone = self._sources.pop((participant, source), None)
        if gone is not None:
            gone.close()
            self._looked_at.pop(participant, None)
            if source == "video":
                self._wall.forget(participant)
            self._limits.pop(gone.leg.id, None)

    def receive(
        self, participant: str, source: StreamName, frame: EncodedFrame, now: float
    ) -> None:
        """Take one coded picture; without effect when the participant has no such source."""
        found = self._sources.get((participant, source))
        if found is None:
            return
        if source == "video" and found.wanted_since is None and participant in self._wall.watched:
            self._wall.receive(participant, frame, now)
        else:
            found.receive(frame, now)

    # Viewers

    def add_viewer(self, leg: VideoLeg, view: str, now: float) -> None:
        """Let a leg receive a view (``leg.outputs["video"]``), and presentation where it can."""
        self._now = now
        self._viewers.add(leg, "video", view)
        if "presentation" in leg.outputs and view != WAITING_VIEW:
            self._viewers.add(leg, "presentation", PRESENTATION_VIEW)

    def remove_viewer(self, leg: VideoLeg) -> None:
        """Send no more video to a leg; an encoder that nobody else needs is freed."""
        self._viewers.remove(leg)

    def ladder(self, codec: StreamCodec) -> tuple[Rung, ...]:
        """See ``ConferenceVideo``."""
        return self._viewers.ladder(codec)

    def limit_viewer(self, leg_id: str, limit_bps: int | None) -> None:
        """See ``ConferenceVideo``; the leg goes over with the next key frame of the other one."""
        self._viewers.limit(leg_id, limit_bps)

    def receives(self, leg_id: str) -> RenditionKey | None:
        """See ``ConferenceVideo``."""
        return self._viewers.receives(leg_id)

    # Control

    def apply_plan(self, plan: MediaPlan, now: float) -> None:
        """Take over layouts, slots, labels and mutes from the next tick on."""
        self._now = now
        faults, self._plan = self._plan.faults, plan
        if faults != plan.faults:
            self._let_fail()
        for view_plan in _with_variants(plan):
            view = self._views.get(view_plan.name)
            if view is None:
                self._open_view(view_plan)
            else:
                view.plan = view_plan
        connected = [one for one in plan.participants.values() if one.presence == "connected"]
        connected.sort(key=lambda one: -one.importance)
        self._present = tuple(one.participant for one in connected)
        self._viewers.show(plan.views, self._showing)

    def set_speakers(self, speakers: Sequence[str]) -> None:
        """Who speaks, the most prominent first."""
        self._speakers = speakers

    def shed(self, shed: Shed) -> None:
        """See ``ConferenceVideo``."""
        self._shed = shed
        self._wall.sparing = shed.without_thumbnails
        self._viewers.share(shed.max_renditions or MAX_RENDITIONS)

    # The clock

    def tick(self, now: float, wall: datetime) -> None:
        """One frame interval: resolve slots, decode what they need, compose and encode.

        Cost on the loop: O(slots); codecs and canvas work run in the pool.
        """
        self._now = now
        if self._epoch is None:
            self._epoch = now
        timestamp = timestamp_of(now, self._epoch)
        room = Room(self._speakers, self._present, self._presenter(), self._has_picture)
        self._follow_presenter(room.presenter)
        active = [view for view in self._views.values() if view.active(now)]
        for view in active:
            view.resolve(room, now)
        self._want(active, now)
        for source in self._sources.values():
            source.tick(now, HOLD_S)
        self._wall.tick(self._sources, now)
        self._answer_waiting(now)
        if self._taps:
            self._look()
        if not self._gate.passes(self._shed.view_rate):
            return
        for view in active:
            if view.plan.name == PRESENTATION_VIEW and room.presenter is None:
                continue
            view.tick(self._plan, self._speakers, now, timestamp, wall)

    # What can be seen

    def visible(self, view: str) -> Sequence[str | None]:
        """Who stands in each slot of a view now; nobody in one that is not composed."""
        found = self._views.get(view)
        plan = self._plan.views.get(view)
        if self._showing is not None and plan is not None and plan.with_presentation is not None:
            instead = self._views[plan.with_presentation.name]
            if found is None or not found.active(self._now):
                found = instead
        if found is None or not found.active(self._now):
            return ()
        return [None if one is None else one.participant for one in found.bindings]

    def source_requests(self) -> Mapping[SourceId, SourceRequest]:
        """What each room should send: as much as the largest slot it stands in shows."""
        sizes: dict[SourceId, list[tuple[int, int]]] = {key: [] for key in self._sources}
        for view in self._views.values():
            if view.active(self._now):
                for binding, size in view.sizes():
                    if (binding.participant, binding.stream) in sizes:
                        sizes[binding.participant, binding.stream].append(size)
        for participant in self._picture_until:
            # Somebody asks for its picture: a room that is paused has to send one.
            if (participant, "video") in sizes:
                sizes[participant, "video"].append(ASKED_SIZE)
        fps = round(self._fps * self._shed.view_rate)
        requests = {key: request_for(found, fps) for key, found in sizes.items()}
        # A presentation stands in a slot from its first picture on, so it must not wait for a slot
        # to send one: nobody would ever see it.
        presentations = [key for key in sizes if key[1] == "presentation"]
        for key in [*presentations, *((who, "video") for who in self._taps.wishes())]:
            if key in requests and requests[key].paused:
                requests[key] = thumbnail_request()
        for participant in self._wall.watched:
            request = requests.get((participant, "video"))
            if request is not None and request.paused:
                requests[participant, "video"] = wall_request()
        return requests

    def observe(self, participant: str, observer: PictureObserver, wish: Wish) -> End:
        """See ``ConferenceMedia.observe_picture``."""
        return self._taps.add(participant, observer, wish)

    def watch_wall(self, participants: Collection[str]) -> None:
        """See ``ConferenceVideo``."""
        self._wall.watch(participants)

    def thumbnails(self) -> Mapping[str, Thumbnail]:
        """See ``ConferenceVideo``."""
        return self._wall.pictures

    async def picture(self, view: str) -> bytes | None:
        """JPEG of a view, with the presentation in it; None when there is no such view.

        It is what a room with one picture sees: those that receive a presentation as a stream of
        its own see the view without it.
        """
        plan = self._plan.views.get(view)
        if plan is None:
            return None
        if self._showing is not None and plan.with_presentation is not None:
            view = plan.with_presentation.name
        found = self._views.get(view)
        if found is None:
            return None
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        found.ask(future, self._now)
        return await future

    async def participant_picture(self, participant: str) -> bytes | None:
        """JPEG of what a participant sends; None when it sends no picture within some seconds."""
        source = self._sources.get((participant, "video"))
        if source is None:
            return None
        loop = asyncio.get_running_loop()
        self._picture_until[participant] = self._now + ASKED_S
        waiting: asyncio.Future[VideoSource | None] = loop.create_future()
        self._waiting.append((participant, self._now + PICTURE_TIMEOUT_S, waiting))
        found = await waiting
        frame = found.frame if found is not None else None
        if frame is None:
            return None
        drawn: asyncio.Future[bytes | None] = loop.create_future()

        def done(result: bytes | Exception) -> None:
            if not drawn.done():
                drawn.set_result(None if isinstance(result, Exception) else result)

        self._pool.submit(lambda: jpeg(frame), done)
        return await drawn

    def statistics(self) -> VideoStatistics:
        """A reading."""
        renditions = [one for view in self._views.values() for one in view.renditions.values()]
        return VideoStatistics(
            encoders=sum(one.encoding for one in renditions),
            decoders=sum(source.decoding for source in self._sources.values()),
            renditions=len(renditions),
            rungs=Counter(
                str(Rung(one.key.width, one.key.height, one.key.bitrate_bps)) for one in renditions
            ),
            sources=len(self._sources),
            viewers=len(self._viewers),
            too_large=frozenset(key for key, one in self._sources.items() if one.too_large),
            counters=self._counters,
            seconds=self._clock.reading(),
        )

    def close(self) -> None:
        """Free everything."""
        for _, _, future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
        self._wall.close()
        for source in self._sources.values():
            source.close()
        self._sources.clear()
        for view in self._views.values():
            view.close()
        self._views.clear()

    # Private

    def _let_fail(self) -> None:
        """Let cameras show what a drill has them show."""
        cameras: dict[str, FaultyCamera] = {}
        for who, one in self._plan.faults.items():
            if one.picture is not None:
                known = self._wall.cameras.get(who)
                same = known is not None and known.fault == one.picture
                cameras[who] = known if known and same else FaultyCamera(one.picture, None)
        self._wall.cameras = cameras
        for (participant, stream), source in self._sources.items():
            if stream == "video":
                found = self._plan.faults.get(participant)
                source.seem(None if found is None else found.picture)

    def _open_view(self, plan: ViewPlan) -> None:
        self._views[plan.name] = View(
            plan,
            width=self._width,
            height=self._height,
            pool=self._pool,
            counters=self._counters,
            clock=self._clock,
            find_source=self._find_source,
        )

    def _open_rendition(self, key: RenditionKey) -> ViewRendition:
        return ViewRendition(
            key,
            self._fps,
            fan_out=self._fan_out,
            pool=self._pool,
            counters=self._counters,
            clock=self._clock,
        )

    def _find_source(self, binding: Binding) -> VideoSource | None:
        return self._sources.get((binding.participant, binding.stream))

    def _participant(self, participant: str) -> ParticipantPlan | None:
        return self._plan.participants.get(participant)

    def _has_picture(self, participant: str) -> bool:
        who = self._participant(participant)
        return (
            who is not None
            and who.presence == "connected"
            and not who.video_muted
            and (participant, "video") in self._sources
        )

    def _presenter(self) -> str | None:
        """Who shows a presentation: not who could, but who sends pictures.

        It is who may present; where nobody was given that, the latest who does.
        """
        presenting = [
            who
            for (who, stream), source in self._sources.items()
            if stream == "presentation" and source.picture_at is not None and who in self._present
        ]
        allowed = self._plan.presenter
        if allowed is not None:
            return allowed if allowed in presenting else None
        return presenting[-1] if presenting else None

    def _follow_presenter(self, presenter: str | None) -> None:
        source = None if presenter is None else self._sources[presenter, "presentation"]
        showing = None if source is None else source.leg.id
        if self._showing != showing:
            self._showing = showing
            self._viewers.show(self._plan.views, showing)

    def _want(self, active: Sequence[View], now: float) -> None:
        """Let sources be decoded in the shapes they are shown in, and no others at all."""
        wanted: dict[SourceId, set[Shape]] = {}
        small = self._width * self._height * SMALL_SLOT if self._shed.stills else 0.0
        for view in active:
            for binding, size in view.sizes():
                who = self._participant(binding.participant)
                muted = binding.stream == "video" and who is not None and who.video_muted
                if not muted:
                    shapes = wanted.setdefault((binding.participant, binding.stream), set())
                    shapes.add((*size, view.plan.fit))
        for participant, until in list(self._picture_until.items()):
            if until < now:
                del self._picture_until[participant]
            else:
                wanted.setdefault((participant, "video"), set())
        wishes = self._taps.wishes() if self._taps else {}
        for participant in wishes:
            wanted.setdefault((participant, "video"), set())
        for key, source in self._sources.items():
            if source.stream == "presentation":
                wanted.setdefault(key, set())  # decoded to see whether there is one at all
            shapes_wanted = wanted.get(key)
            if shapes_wanted or key[1] != "video":
                source.stills = (
                    key[1] == "video"
                    and key[0] not in self._speakers
                    and all(width * height <= small for width, height, _ in shapes_wanted or ())
                )
            else:
                source.stills = wishes.get(key[0]) == "glimpse" and source.is_large
            source.want(shapes_wanted, now)
        if now >= self._next_limits:
            self._next_limits = now + LIMITS_INTERVAL_S
            self._limit_rates()

    def _look(self) -> None:
        """Show observers what is new. Cost: a look at each source that is observed."""
        for participant in self._taps.wishes():
            source = self._sources.get((participant, "video"))
            if source is None or source.frame is None or source.picture_at is None:
                continue
            if source.picture_at - self._looked_at.get(participant, float("-inf")) >= LOOK_S:
                self._looked_at[participant] = source.picture_at
                self._taps.tell(participant, _luma(source.frame), source.picture_at)

    def _limit_rates(self) -> None:
        """Ask rooms that know no other request to send no more bits than are shown (REMB)."""
        for key, request in self.source_requests().items():
            leg = self._sources[key].leg
            limit = None if key[1] == "presentation" else request.bitrate_bps + AUDIO_BPS
            if key[1] == "video" and self._limits.get(leg.id) != limit:
                self._limits[leg.id] = limit
                leg.limit_bitrate(limit)

    def _answer_waiting(self, now: float) -> None:
        left = []
        for participant, deadline, future in self._waiting:
            source = self._sources.get((participant, "video"))
            if source is not None and source.frame is None and now < deadline:
                left.append((participant, deadline, future))
            elif not future.done():
                future.set_result(source)
        self._waiting = left


def _luma(frame: av.VideoFrame) -> Luma:
    """A decoded picture's luma, without a copy: uint8 (height, width)."""
    plane = frame.planes[0]
    rows: Luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]


def _with_variants(plan: MediaPlan) -> Iterator[ViewPlan]:
    for view in plan.views.values():
        yield view
        if view.with_presentation is not None:
            yield view.with_presentation
