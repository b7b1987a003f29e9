"""The daemon's side of a conference whose video runs in a video process."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from mcu.engine.conference_video import VideoLeg
from mcu.engine.decode_budget import PictureRate
from mcu.engine.plan import MediaPlan
from mcu.engine.shedding import NOTHING, Shed
from mcu.engine.taps import End, PictureObserver, PictureTaps, Wish
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.video_ladder import Rung, allowed_rungs
from mcu.engine.video_process import messages
from mcu.engine.video_process.messages import LegFormat
from mcu.engine.video_requests import SourceRequest
from mcu.engine.video_statistics import VideoStatistics
from mcu.legs.leg import StreamCodec, StreamName
from mcu.media.frames import EncodedFrame
from mcu.media.rendition import VIDEO_CLOCK_HZ, Outlet, Rendition, RenditionKey

PICTURE_TIMEOUT_S = 8.0
"""Longer than a mixer waits for a room. What is asked while there is no process gets no answer."""

Send = Callable[[messages.ToVideo], None]


class VideoProxy:
    """See ``ConferenceVideo``. It remembers what it said, to say it again to a new process.

    Args:
        fan_out: sends what comes back to the legs.
        send: takes messages for the process; drops them while there is none.
        congested: whether the process stands still, so that pictures are to be left out.
        fps: of all views.
    """

    def __init__(
        self,
        opened: messages.OpenConference,
        *,
        fan_out: Outlet,
        send: Send,
        congested: Callable[[], bool],
        closed: Callable[["VideoProxy"], None],
        fps: int = 25,
    ) -> None:
        self.conference = opened.conference
        self.frames_left_out = 0
        """Pictures not given to a process that did not keep up."""
        self._rates: dict[tuple[str, StreamName], PictureRate] = {}
        self._over_rate = 0
        self._opened = opened
        self._fps = fps
        self._fan_out = fan_out
        self._send = send
        self._congested = congested
        self._on_closed = closed
        self._sources: dict[tuple[str, StreamName], VideoLeg] = {}
        self._viewers: dict[str, tuple[VideoLeg, str]] = {}
        self._viewer_limits: dict[str, int] = {}
        self._plan: MediaPlan | None = None
        self._speakers: tuple[str, ...] = ()
        self._shed = NOTHING
        self._renditions: dict[RenditionKey, Rendition] = {}
        self._playing: dict[tuple[str, StreamName], RenditionKey] = {}
        self._gaps: set[tuple[str, StreamName]] = set()
        self._seen = messages.Seen(self.conference, {}, {})
        self._statistics = VideoStatistics()
        self._gone = VideoStatistics()
        self._watched: frozenset[str] = frozenset()
        self._thumbnails: dict[str, Thumbnail] = {}
        self._numbers = itertools.count()
        self._asked: dict[int, asyncio.Future[bytes | None]] = {}
        self._now = 0.0
        self._taps = PictureTaps(self._wish)
        send(opened)

    # ConferenceVideo

    def add_source(self, participant: str, source: StreamName, leg: VideoLeg) -> None:
        """See ``ConferenceVideo``."""
        self._sources[participant, source] = leg
        self._send(messages.AddSource(self.conference, participant, source, LegFormat.of(leg)))

    def remove_source(self, participant: str, source: StreamName) -> None:
        """See ``ConferenceVideo``."""
        if self._sources.pop((participant, source), None) is not None:
            self._rates.pop((participant, source), None)
            self._gaps.discard((participant, source))
            self._send(messages.RemoveSource(self.conference, participant, source))

    def receive(
        self, participant: str, source: StreamName, frame: EncodedFrame, now: float
    ) -> None:
        """See ``ConferenceVideo``. Cost: some microseconds, for one message per picture."""
        key = (participant, source)
        if key not in self._sources:
            return
        rate = self._rates.get(key)
        if rate is None:
            rate = self._rates[key] = PictureRate()
        if not rate.take(now):
            # The process would leave it out as well, but a message costs what a packet does.
            self._over_rate += 1
            self._gaps.add(key)
            return
        if self._congested():
            self.frames_left_out += 1
            self._gaps.add(key)
            return
        if key in self._gaps:
            self._gaps.discard(key)
            frame = frame._replace(contiguous=False)
        self._send(messages.Frame(self.conference, participant, source, frame, now))

    def add_viewer(self, leg: VideoLeg, view: str, now: float) -> None:
        """See ``ConferenceVideo``."""
        self._viewers[leg.id] = (leg, view)
        self._send(messages.AddViewer(self.conference, LegFormat.of(leg), view, now))

    def remove_viewer(self, leg: VideoLeg) -> None:
        """See ``ConferenceVideo``. The leg is silent at once, whatever the process does."""
        if self._viewers.pop(leg.id, None) is None:
            return
        # Those it had, which may not be in its outputs any more.
        streams = [stream for one, stream in self._playing if one == leg.id]
        for stream in {*leg.outputs, *streams} - {"audio"}:
            leg.play(stream, None)
            self._stop(leg.id, stream)
        self._send(messages.RemoveViewer(self.conference, leg.id))

    def ladder(self, codec: StreamCodec) -> tuple[Rung, ...]:
        """See ``ConferenceVideo``."""
        opened = self._opened
        return allowed_rungs(
            codec,
            width=opened.width,
            height=opened.height,
            fps=self._fps,
            bitrate_bps=opened.bitrate_bps,
        )

    def limit_viewer(self, leg_id: str, limit_bps: int | None) -> None:
        """See ``ConferenceVideo``; only a change is sent."""
        if self._viewer_limits.get(leg_id) == limit_bps:
            return
        if limit_bps is None:
            del self._viewer_limits[leg_id]
        else:
            self._viewer_limits[leg_id] = limit_bps
        self._send(messages.LimitViewer(self.conference, leg_id, limit_bps))

    def receives(self, leg_id: str) -> RenditionKey | None:
        """See ``ConferenceVideo``."""
        return self._playing.get((leg_id, "video"))

    def apply_plan(self, plan: MediaPlan, now: float) -> None:
        """See ``ConferenceVideo``."""
        self._now = now
        # What the conference hands out may be views of its own dictionaries, which do not travel.
        self._plan = replace(plan, participants=dict(plan.participants), views=dict(plan.views))
        self._send(messages.ApplyPlan(self.conference, self._plan, now))

    def set_speakers(self, speakers: Sequence[str]) -> None:
        """See ``ConferenceVideo``; only a change is sent."""
        named = tuple(speakers)
        if named != self._speakers:
            self._speakers = named
            self._send(messages.SetSpeakers(self.conference, named))

    def shed(self, shed: Shed) -> None:
        """See ``ConferenceVideo``; only a change is sent."""
        if shed != self._shed:
            self._shed = shed
            self._send(messages.ApplyShed(self.conference, shed))

    def tick(self, now: float, wall: datetime) -> None:
        """The process keeps its own clock; this only notes the time."""
        self._now = now

    def visible(self, view: str) -> Sequence[str | None]:
        """See ``ConferenceVideo``; as of the process's last change."""
        return self._seen.visible.get(view, ())

    def source_requests(self) -> Mapping[tuple[str, StreamName], SourceRequest]:
        """See ``ConferenceVideo``; as of the process's last change."""
        return {
            key: request for key, request in self._seen.requests.items() if key in self._sources
        }

    def observe(self, participant: str, observer: PictureObserver, wish: Wish) -> End:
        """See ``ConferenceMedia.observe_picture``."""
        return self._taps.add(participant, observer, wish)

    async def picture(self, view: str) -> bytes | None:
        """See ``ConferenceVideo``."""
        if self._plan is None or view not in self._plan.views:
            return None
        return await self._ask(view=view)

    async def participant_picture(self, participant: str) -> bytes | None:
        """See ``ConferenceVideo``."""
        if (participant, "video") not in self._sources:
            return None
        return await self._ask(participant=participant)

    def watch_wall(self, participants: Collection[str]) -> None:
        """See ``ConferenceVideo``; only a change is sent."""
        watched = frozenset(participants)
        if watched == self._watched:
            return
        self._watched = watched
        self._thumbnails = {who: one for who, one in self._thumbnails.items() if who in watched}
        self._send(messages.WatchWall(self.conference, watched))

    def thumbnails(self) -> Mapping[str, Thumbnail]:
        """See ``ConferenceVideo``; a fifth of a second later than they were drawn."""
        return self._thumbnails

    def statistics(self) -> VideoStatistics:
        """See ``ConferenceVideo``; at most half a second old."""
        reading = self._statistics.counted_since(self._gone)
        counted = reading.counters
        counters = replace(
            counted,
            frames_left_out=self.frames_left_out,
            frames_received=counted.frames_received + self._over_rate,
            frames_dropped=counted.frames_dropped + self._over_rate,
            frames_over_rate=counted.frames_over_rate + self._over_rate,
        )
        return replace(reading, counters=counters)

    def close(self) -> None:
        """See ``ConferenceVideo``."""
        self._send(messages.CloseConference(self.conference))
        self._on_closed(self)
        self._give_up_asked()
        for leg, _ in list(self._viewers.values()):
            self.remove_viewer(leg)
        self._sources.clear()
        self._rates.clear()

    # The process

    def handle(self, message: messages.FromVideo) -> None:
        """Do what the process says; what concerns a leg that is gone has no effect."""
        match message:
            case messages.Packets(_, key, payloads, timestamp, key_frame, now, captured):
                rendition = self._renditions.get(key)
                if rendition is not None:
                    rendition.append_packets(
                        payloads, timestamp, key_frame=key_frame, now=now, captured=captured
                    )
            case messages.Play(_, leg, stream, key):
                self._play(leg, stream, key)
            case messages.Seen():
                self._seen = message
            case messages.Counted(_, statistics):
                self._statistics = statistics
            case messages.WantSource(_, leg, stream, wanted):
                self._sender(leg, lambda one: one.want_source(stream, wanted))
            case messages.RequestKeyFrame(_, leg, stream):
                self._sender(leg, lambda one: one.request_key_frame(stream))
            case messages.LimitBitrate(_, leg, bps):
                self._sender(leg, lambda one: one.limit_bitrate(bps))
            case messages.Luma(_, participant, height, width, rows, now):
                luma = np.frombuffer(rows, np.uint8).reshape(height, width)
                self._taps.tell(participant, luma, now)
            case messages.Thumbnails(_, pictures):
                for one in pictures:
                    if one.participant in self._watched:
                        self._thumbnails[one.participant] = one
            case messages.Picture(_, number, jpeg):
                future = self._asked.pop(number, None)
                if future is not None and not future.done():
                    future.set_result(jpeg)

    def process_lost(self) -> None:
        """The process is gone: nobody waits for it any more, what it counted stays."""
        self._give_up_asked()
        # A new process counts its RTP timestamps anew: in renditions of its own, to which legs go
        # over like to any other, with timestamps that go on.
        self._renditions.clear()
        self._playing.clear()
        self._gone = self.statistics()
        self._over_rate = 0
        self._statistics = VideoStatistics()
        self._seen = messages.Seen(self.conference, {}, {})

    def begin_again(self) -> None:
        """Tell a new process all that the old one knew."""
        self._gaps.clear()
        self._send(self._opened)
        if self._plan is not None:
            self._send(messages.ApplyPlan(self.conference, self._plan, self._now))
        self._send(messages.SetSpeakers(self.conference, self._speakers))
        self._send(messages.ApplyShed(self.conference, self._shed))
        for (participant, stream), leg in self._sources.items():
            self._send(messages.AddSource(self.conference, participant, stream, LegFormat.of(leg)))
        for name, limit_bps in self._viewer_limits.items():
            self._send(messages.LimitViewer(self.conference, name, limit_bps))
        for leg, view in self._viewers.values():
            self._send(messages.AddViewer(self.conference, LegFormat.of(leg), view, self._now))
        if self._watched:
            self._send(messages.WatchWall(self.conference, self._watched))
        for participant, wish in self._taps.wishes().items():
            self._wish(participant, wish)

    # Private

    def _wish(self, participant: str, wish: Wish | None) -> None:
        self._send(messages.ObservePicture(self.conference, participant, wish))

    def _sender(self, leg_id: str, tell: Callable[[VideoLeg], None]) -> None:
        for leg in self._sources.values():
            if leg.id == leg_id:
                tell(leg)
                return

    def _play(self, leg_id: str, stream: StreamName, key: RenditionKey | None) -> None:
        found = self._viewers.get(leg_id)
        if found is None:
            return
        rendition = None
        if key is not None:
            rendition = self._renditions.get(key) or self._open(key)
            self._renditions[key] = rendition
        self._stop(leg_id, stream, going_on=key)
        if key is not None:
            self._playing[leg_id, stream] = key
        found[0].play(stream, rendition)

    def _stop(self, leg_id: str, stream: StreamName, going_on: RenditionKey | None = None) -> None:
        """Forget the rendition a leg had, if it was the last that had it."""
        before = self._playing.pop((leg_id, stream), None)
        if before not in (None, going_on) and before not in self._playing.values():
            self._renditions.pop(before, None)

    def _open(self, key: RenditionKey) -> Rendition:
        def key_frame_wanted(now: float) -> None:
            self._send(messages.WantKeyFrame(self.conference, key, now))

        return Rendition(key, VIDEO_CLOCK_HZ, self._fan_out, key_frame_wanted)

    async def _ask(
        self, *, view: str | None = None, participant: str | None = None
    ) -> bytes | None:
        number = next(self._numbers)
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = future
        self._send(messages.AskPicture(self.conference, number, view, participant))
        try:
            async with asyncio.timeout(PICTURE_TIMEOUT_S):
                return await future
        except TimeoutError:
            return None
        finally:
            self._asked.pop(number, None)

    def _give_up_asked(self) -> None:
        for future in self._asked.values():
            if not future.done():
                future.set_result(None)
        self._asked.clear()
