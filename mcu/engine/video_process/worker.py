"""What runs in a video process: the mixers of its conferences, behind messages.

Sans-IO but for the codec pool: messages and ticks come in by calls, messages go out through one
callable. The mixers are the same ones that run in the daemon's process in virtual time; the legs
they see are stand-ins that pass everything on.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from mcu.engine.pool import Pool
from mcu.engine.taps import End, Luma, Wish
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.ticks import TickSchedule
from mcu.engine.video import VideoMixer
from mcu.engine.video_process import messages
from mcu.engine.video_process.messages import FromVideo, LegFormat, ToVideo
from mcu.engine.video_requests import SourceRequest
from mcu.legs.leg import StreamCodec, StreamName
from mcu.media.rendition import Rendition, RenditionKey

REQUESTS_INTERVAL_S = 0.2
STATISTICS_INTERVAL_S = 0.5
THUMBNAILS_INTERVAL_S = 0.2
THUMBNAILS_PER_MESSAGE = 16

log = structlog.get_logger(__name__)

Send = Callable[[FromVideo], None]
Requests = Mapping[tuple[str, StreamName], SourceRequest]


class FarLeg:
    """Stands for a leg of the daemon's process."""

    def __init__(self, form: LegFormat, conference: "_Conference") -> None:
        self.id = form.id
        self.sources: Mapping[StreamName, StreamCodec] = form.sources
        self.outputs: Mapping[StreamName, StreamCodec] = form.outputs
        self._conference = conference

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """See ``Leg.play``."""
        self._conference.play(self.id, stream, rendition)

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """See ``Leg.want_source``."""
        self._conference.send(messages.WantSource(self._conference.name, self.id, source, wanted))

    def request_key_frame(self, source: StreamName) -> None:
        """See ``Leg.request_key_frame``."""
        self._conference.send(messages.RequestKeyFrame(self._conference.name, self.id, source))

    def limit_bitrate(self, bps: int | None) -> None:
        """See ``Leg.limit_bitrate``."""
        self._conference.send(messages.LimitBitrate(self._conference.name, self.id, bps))


class FarObserver:
    """Stands for those who look at a participant's pictures in the daemon's process."""

    def __init__(self, conference: str, participant: str, send: Send) -> None:
        self._conference = conference
        self._participant = participant
        self._send = send

    def seen(self, luma: Luma, now: float) -> None:
        """See ``PictureObserver``."""
        height, width = luma.shape
        self._send(
            messages.Luma(self._conference, self._participant, height, width, luma.tobytes(), now)
        )


class _Conference:
    """One mixer, what it was last said to show, and the way to the daemon."""

    def __init__(self, opened: messages.OpenConference, fps: int, pool: Pool, send: Send) -> None:
        self.name = opened.conference
        self.send = send
        self.renditions: dict[RenditionKey, Rendition] = {}
        self._playing: dict[tuple[str, StreamName], RenditionKey] = {}
        self._sent: dict[RenditionKey, int] = {}
        self.mixer = VideoMixer(
            fan_out=self,
            pool=pool,
            width=opened.width,
            height=opened.height,
            fps=fps,
            bitrate_bps=opened.bitrate_bps,
        )
        self._views: tuple[str, ...] = ()
        self._visible: dict[str, tuple[str | None, ...]] = {}
        self._requests: Requests = {}
        self._held = (0, 0, 0)
        self._observing: dict[str, End] = {}
        self._next_requests = self._next_statistics = 0.0
        self._next_thumbnails = 0.0
        self._thumbnails: dict[str, Thumbnail] = {}

    def play(self, leg: str, stream: StreamName, rendition: Rendition | None) -> None:
        """A mixer gives a leg a rendition, or takes it away."""
        before = self._playing.pop((leg, stream), None)
        if rendition is not None:
            if self.renditions.get(rendition.key) is not rendition:
                self._sent.pop(rendition.key, None)  # a new one of the same key has a new ring
            self.renditions[rendition.key] = rendition
            self._playing[leg, stream] = rendition.key
        if before is not None and before not in self._playing.values():
            self.renditions.pop(before, None)
            self._sent.pop(before, None)
        key = None if rendition is None else rendition.key
        self.send(messages.Play(self.name, leg, stream, key))

    # What a rendition takes for its fan-out: the packets go to the daemon's legs.

    def queue(self, rendition: Rendition, now: float) -> None:
        """Send the packets of the picture just appended."""
        ring = rendition.ring
        first = max(self._sent.get(rendition.key, 0), ring.oldest)
        self._sent[rendition.key] = ring.end
        if self.renditions.get(rendition.key) is not rendition:
            return
        payloads = [ring.payloads[at & ring.mask] for at in range(first, ring.end)]
        key_frame = first <= ring.key_frame < ring.end
        self.send(
            messages.Packets(
                self.name,
                rendition.key,
                payloads,
                rendition.timestamp,
                key_frame,
                now,
                rendition.timestamp_at,
            )
        )

    def send_now(self, rendition: Rendition, now: float) -> None:
        """As ``queue``: video is never sent from here at once."""
        self.queue(rendition, now)

    # The clock

    def tick(self, now: float, wall: datetime) -> None:
        """One frame interval, and what is to be told after it."""
        self.mixer.tick(now, wall)
        visible = {view: tuple(self.mixer.visible(view)) for view in self._views}
        changed = visible != self._visible
        if changed or now >= self._next_requests:
            self._next_requests = now + REQUESTS_INTERVAL_S
            requests = self.mixer.source_requests()
            if changed or requests != self._requests:
                self._visible, self._requests = visible, requests
                self.send(messages.Seen(self.name, visible, dict(requests)))
        if now >= self._next_thumbnails:
            self._next_thumbnails = now + THUMBNAILS_INTERVAL_S
            self._send_thumbnails()
        statistics = self.mixer.statistics()
        held = (statistics.encoders, statistics.decoders, statistics.renditions)
        if now >= self._next_statistics or held != self._held:
            self._held = held
            self._next_statistics = now + STATISTICS_INTERVAL_S
            self.send(messages.Counted(self.name, statistics))

    def observe(self, participant: str, wish: Wish | None) -> None:
        """Send a participant's pictures on, or no more."""
        end = self._observing.pop(participant, None)
        if end is not None:
            end()
        if wish is not None:
            observer = FarObserver(self.name, participant, self.send)
            self._observing[participant] = self.mixer.observe(participant, observer, wish)

    def _send_thumbnails(self) -> None:
        """Those that are new, a few at a time: a message is taken in by one turn of a loop."""
        pictures = self.mixer.thumbnails()
        new = [one for who, one in pictures.items() if self._thumbnails.get(who) is not one]
        self._thumbnails = dict(pictures)
        for first in range(0, len(new), THUMBNAILS_PER_MESSAGE):
            chosen = tuple(new[first : first + THUMBNAILS_PER_MESSAGE])
            self.send(messages.Thumbnails(self.name, chosen))

    def apply_plan(self, message: messages.ApplyPlan) -> None:
        """Take a plan over."""
        self._views = tuple(message.plan.views)
        self.mixer.apply_plan(message.plan, message.now)


class VideoWorker:
    """The conferences of one video process.

    Args:
        send: takes messages for the daemon. pool: runs codecs.
        fps: of all views. start: monotonic time of the first tick. wall: local time.
    """

    def __init__(
        self, send: Send, pool: Pool, fps: int, start: float, wall: Callable[[], datetime]
    ) -> None:
        self.clock = TickSchedule(1.0 / fps, start)
        self.faults = 0
        self._send = send
        self._pool = pool
        self._fps = fps
        self._wall = wall
        self._conferences: dict[str, _Conference] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._next_reading = start

    @property
    def meets(self) -> bool:
        """Whether there is a conference."""
        return bool(self._conferences)

    def handle(self, message: ToVideo) -> None:
        """Do what the daemon says. Messages of a conference that is gone have no effect."""
        if isinstance(message, messages.OpenConference):
            before = self._conferences.get(message.conference)
            if before is not None:
                before.mixer.close()
            self._conferences[message.conference] = _Conference(
                message, self._fps, self._pool, self._send
            )
            return
        conference = self._conferences.get(getattr(message, "conference", ""))
        if conference is None:
            return
        mixer = conference.mixer
        match message:
            case messages.Frame(_, participant, stream, frame, now):
                mixer.receive(participant, stream, frame, now)
            case messages.SetSpeakers(_, speakers):
                mixer.set_speakers(speakers)
            case messages.ApplyShed(_, shed):
                mixer.shed(shed)
            case messages.ApplyPlan():
                conference.apply_plan(message)
            case messages.AddSource(_, participant, stream, leg):
                mixer.add_source(participant, stream, FarLeg(leg, conference))
            case messages.RemoveSource(_, participant, stream):
                mixer.remove_source(participant, stream)
            case messages.AddViewer(_, leg, view, now):
                mixer.add_viewer(FarLeg(leg, conference), view, now)
            case messages.RemoveViewer(_, name):
                mixer.remove_viewer(FarLeg(LegFormat(name, {}, {}), conference))
            case messages.LimitViewer(_, name, limit_bps):
                mixer.limit_viewer(name, limit_bps)
            case messages.WatchWall(_, participants):
                mixer.watch_wall(participants)
            case messages.WantKeyFrame(_, key, now):
                rendition = conference.renditions.get(key)
                if rendition is not None:
                    rendition.request_key_frame(now)
            case messages.ObservePicture(_, participant, wish):
                conference.observe(participant, wish)
            case messages.AskPicture():
                task = asyncio.get_running_loop().create_task(self._draw(conference, message))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            case messages.CloseConference(name):
                del self._conferences[name]
                mixer.close()

    def handle_timer(self, now: float) -> None:
        """Run the tick that is due, for every conference; the latest only after a stall."""
        if self.clock.due(now):
            wall = self._wall()
            for conference in list(self._conferences.values()):
                try:
                    conference.tick(now, wall)
                except Exception:
                    # One conference's defect must not stop the pictures of the others.
                    self.faults += 1
                    log.exception("video_tick_failed", conference=conference.name)
        if now >= self._next_reading:
            self._next_reading = now + STATISTICS_INTERVAL_S
            self._send(
                messages.Ticked(
                    self.clock.statistics.reading(),
                    self.faults,
                    self._pool.busy_s(now),
                    time.process_time(),
                )
            )

    def close(self) -> None:
        """Free everything."""
        for conference in self._conferences.values():
            conference.mixer.close()
        self._conferences.clear()

    async def _draw(self, conference: _Conference, asked: messages.AskPicture) -> None:
        if asked.view is not None:
            jpeg = await conference.mixer.picture(asked.view)
        else:
            jpeg = await conference.mixer.participant_picture(asked.participant or "")
        self._send(messages.Picture(asked.conference, asked.number, jpeg))
