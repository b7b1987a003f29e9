"""One source of pictures: its decoder, what waits for it, and its newest picture."""

from collections.abc import Callable, Iterable, Mapping

import av
import structlog

from mcu.engine.age import Fastest
from mcu.engine.conference_video import VideoLeg
from mcu.engine.decode_budget import MAX_MACROBLOCKS, STILL_S, DecodeBudget, PictureRate
from mcu.engine.picture_fault import FaultyCamera
from mcu.engine.plan import PictureFault
from mcu.engine.pool import Lane, Pool
from mcu.engine.video_decoding import Decoded, DecoderBox, Shape, SharedScaler, decode
from mcu.engine.video_statistics import StageClock, VideoCounters
from mcu.legs.leg import StreamName
from mcu.media import h264, vp8
from mcu.media.frames import EncodedFrame
from mcu.media.payload import PayloadError
from mcu.media.rendition import VIDEO_CLOCK_HZ
from mixer.video.layout import Fit
from mixer.video.scale import Picture

MAX_BACKLOG = 12
"""Coded pictures that may wait for the decoder: half a second. More: wait for a key frame."""

ASK_AGAIN_S = 1.0
ASK_AGAIN_MAX_S = 8.0
"""A key frame that does not come is asked for again, after twice the time each time."""

SLICE_S = 0.02
"""Pictures that wait are decoded together as far as that takes this long, half a frame interval:
a source of large pictures lets others at the codec threads in between."""

FRUITLESS = 25
"""So many pictures without a result mean the stream cannot be decoded from here."""

TELL_AGAIN_S = 60.0
"""Of pictures that are too large the log is told once in so long, for each source."""

LARGE_MACROBLOCKS = 480
"""Pictures of more than this, 480x256, are dear to whoever only glimpses at them; rooms that do as
they are asked send a thumbnail of 240."""

Size = tuple[int, int]

MACROBLOCKS: Mapping[str, Callable[[bytes], int]] = {
    "h264": h264.macroblocks,
    "vp8": vp8.macroblocks,
}
"""Codec → size of the pictures that some coded one begins."""

log = structlog.get_logger(__name__)


class VideoSource:
    """Pictures of one participant's camera or presentation, which is always shown whole.

    Only what somebody sees is decoded: ``want`` says in which shapes. All calls come from the
    loop's thread; decoding runs in a lane of the pool.
    """

    def __init__(
        self,
        stream: StreamName,
        leg: VideoLeg,
        pool: Pool,
        counters: VideoCounters,
        clock: StageClock,
    ) -> None:
        self.stream = stream
        self.leg = leg
        self.picture_at: float | None = None
        """When the newest picture arrived."""
        self.captured_at: float | None = None
        """When it would have arrived, had nothing held it up."""
        self.wanted_since: float | None = None
        """Since when somebody wants to see it; None while hidden."""
        self.frame: av.VideoFrame | None = None
        self.stills = False
        """Decode a key frame every ``STILL_S`` and nothing else."""
        self._pool = pool
        self._counters = counters
        self._clock = clock
        self._shapes: frozenset[Shape] = frozenset()
        self._scalers: dict[Shape, SharedScaler] = {}
        self._pictures: dict[Shape, Picture] = {}
        self._taken = True
        self._lane: Lane | None = None
        self._decoder: DecoderBox | None = None
        self._batch: list[EncodedFrame] = []
        self._batch_at = 0.0
        self._fastest = Fastest()
        self._rate = PictureRate()
        self._macroblocks = 0
        self._told_at = float("-inf")
        self._budget = DecodeBudget()
        self._next_still = float("-inf")
        self._picture_took_s = 0.0
        self._needs_key = True
        self._asked_at: float | None = None
        self._ask_after_s = ASK_AGAIN_S
        self._fruitless = 0
        self._fault: PictureFault | None = None
        self._camera: FaultyCamera | None = None

    def seem(self, fault: PictureFault | None) -> None:
        """Show black, or stand still, from the next picture on; None: show what is there."""
        if fault != self._fault:
            self._fault = fault
            self._camera = None if fault is None else FaultyCamera(fault, self.frame)

    @property
    def decoding(self) -> bool:
        """Whether it has a decoder."""
        return self._decoder is not None

    @property
    def too_large(self) -> bool:
        """Whether somebody wants to see it, and its pictures are too large to be decoded."""
        return self.wanted_since is not None and self._macroblocks > MAX_MACROBLOCKS

    @property
    def is_large(self) -> bool:
        """Whether its newest pictures are large for one that nobody sees."""
        return self._macroblocks > LARGE_MACROBLOCKS

    def want(self, shapes: Iterable[Shape] | None, now: float) -> None:
        """See it in these shapes from now on; empty: decoded only; None: hidden.

        Becoming visible asks the room for a key frame; becoming hidden frees the decoder.
        """
        if shapes is None:
            if self.wanted_since is not None:
                self._hide()
            return
        before, self._shapes = self._shapes, frozenset(map(self._allowed, shapes))
        if self._shapes == before and len(self._scalers) == len(before) and self._lane is not None:
            return  # as in nearly every tick
        self._scalers = {
            shape: self._scalers.get(shape) or SharedScaler(shape, self._clock)
            for shape in self._shapes
        }
        self._pictures = {
            shape: one for shape, one in self._pictures.items() if shape in self._shapes
        }
        if self.wanted_since is None:
            self.wanted_since = now
            self._open()
            self.leg.want_source(self.stream, True)
            self._need_key_frame(now)

    def replace(self, leg: VideoLeg, now: float) -> None:
        """Take the pictures from another leg; the last one stays until a new one comes."""
        old = self.leg
        self.leg = leg
        self._macroblocks = 0
        self._fastest = Fastest()
        if self.wanted_since is not None:
            if old is not leg:
                old.want_source(self.stream, False)
            self._open()
            leg.want_source(self.stream, True)
            self._need_key_frame(now)

    def receive(self, frame: EncodedFrame, now: float) -> None:
        """Take one coded picture; dropped while hidden or waiting for a key frame."""
        self._counters.frames_received += 1
        self._fastest.take(frame.timestamp / VIDEO_CLOCK_HZ, now)
        if self._lane is None:
            self._counters.frames_dropped += 1
            return
        if not self._rate.take(now):
            self._counters.frames_dropped += 1
            self._counters.frames_over_rate += 1
            self._needs_key = True
            return
        if not self._is_agreed(frame, now):
            return
        if self._is_still(now) and not self._take_still(frame, now):
            return
        if not frame.contiguous and not frame.key_frame:
            self._needs_key = True
        if self._needs_key and not frame.key_frame:
            self._counters.frames_dropped += 1
            self._ask(now)
            return
        if len(self._batch) >= MAX_BACKLOG and not frame.key_frame:
            self._counters.frames_dropped += len(self._batch) + 1
            self._batch.clear()
            self._need_key_frame(now)
            return
        if frame.key_frame:
            # What waits before it would be decoded for nothing.
            self._counters.frames_dropped += len(self._batch)
            self._batch.clear()
            self._needs_key = False
        if self._budget.take(self._macroblocks, now):
            self._counters.frames_dropped += len(self._batch) + 1
            self._counters.frames_over_budget += 1
            self._batch.clear()
            self._needs_key = True
            self._next_still = now + STILL_S
            return
        self._batch.append(frame)
        self._batch_at = now
        if not self._lane.pending:
            self._start()

    def picture(self, size: Size, fit: Fit = "letterbox") -> Picture | None:
        """The newest picture for a slot of this size; None before the first one."""
        self._taken = True
        shape = self._allowed((*size, fit))
        picture = self._pictures.get(shape)
        if picture is None and self.frame is not None:
            scaler = self._scalers.get(shape)
            if scaler is None:
                scaler = self._scalers[shape] = SharedScaler(shape, self._clock)
            picture = self._pictures[shape] = Picture(self.frame, scaler.scale)
        return picture

    def tick(self, now: float, hold_s: float) -> None:
        """Ask again for a key frame that did not come; let go of a picture that is too old."""
        if self._lane is not None and self._needs_key and now >= self._next_still:
            self._ask(now)
        if self.picture_at is not None and now - self.picture_at > hold_s:
            self.frame = None
            self.picture_at = self.captured_at = None
            self._pictures = {}

    def close(self) -> None:
        """Free everything; results still under way are dropped."""
        if self.wanted_since is not None:
            self._hide()
        self.frame = None
        self._pictures = {}

    def _open(self) -> None:
        if self._lane is not None:
            self._lane.close()
        self._lane = self._pool.lane()
        self._decoder = DecoderBox(self.leg.sources[self.stream].name)
        self._batch = []
        self._fruitless = 0

    def _hide(self) -> None:
        if self._lane is not None:
            self._lane.close()
        self._lane = None
        self._decoder = None
        self._batch = []
        self._shapes = frozenset()
        self._scalers = {}
        self._needs_key = True
        self._next_still = float("-inf")
        self._asked_at = None
        self.wanted_since = None
        self.leg.want_source(self.stream, False)

    def _allowed(self, shape: Shape) -> Shape:
        """Edges of a presentation hold what somebody wants to be read."""
        return (*shape[:2], "letterbox") if self.stream == "presentation" else shape

    def _need_key_frame(self, now: float) -> None:
        self._needs_key = True
        self._asked_at = None
        self._ask_after_s = ASK_AGAIN_S
        self._ask(now)

    def _ask(self, now: float) -> None:
        if self._asked_at is not None:
            if now - self._asked_at < self._ask_after_s:
                return
            self._ask_after_s = min(2 * self._ask_after_s, ASK_AGAIN_MAX_S)
        self._asked_at = now
        self._counters.key_frames_asked += 1
        self.leg.request_key_frame(self.stream)

    def _is_agreed(self, frame: EncodedFrame, now: float) -> bool:
        """Whether pictures are of a size that is decoded at all: read before any work is done."""
        try:
            begun = MACROBLOCKS[self.leg.sources[self.stream].name](frame.data)
        except PayloadError:
            self._counters.decode_errors += 1
            self._refuse(now)
            return False
        self._macroblocks = begun or self._macroblocks
        if self._macroblocks <= MAX_MACROBLOCKS:
            return True
        self._counters.frames_over_level += 1
        if now - self._told_at >= TELL_AGAIN_S:
            self._told_at = now
            log.warning(
                "pictures_too_large",
                leg=self.leg.id,
                stream=self.stream,
                macroblocks=self._macroblocks,
                limit=MAX_MACROBLOCKS,
            )
        self._refuse(now)
        return False

    def _refuse(self, now: float) -> None:
        self._counters.frames_dropped += 1
        self._needs_key = True
        self._ask(now)

    def _is_still(self, now: float) -> bool:
        """Whether key frames alone are decoded now; once no more, the next is waited for."""
        still = self.stills or self._budget.is_over(now)
        if not still and self._next_still > float("-inf"):
            self._next_still = float("-inf")
            self._need_key_frame(now)
        return still

    def _take_still(self, frame: EncodedFrame, now: float) -> bool:
        """Whether a picture is one of those that are decoded while key frames alone are."""
        if frame.key_frame and now >= self._next_still:
            self._next_still = now + STILL_S
            return True
        self._counters.frames_dropped += 1
        self._counters.frames_over_budget += not self.stills
        if now >= self._next_still:
            self._needs_key = True
            self._ask(now)
        return False

    def _start(self) -> None:
        lane, box = self._lane, self._decoder
        if lane is None or box is None or not self._batch:
            return
        count = max(1, int(SLICE_S / max(self._picture_took_s, 1e-6)))
        batch, self._batch = self._batch[:count], self._batch[count:]
        arrived = self._batch_at
        captured = self._fastest.came_at(batch[-1].timestamp / VIDEO_CLOCK_HZ)
        # Scaled here, beside other work, when the last picture was shown. When it was not, this
        # one may not be either (a source faster than the view): then only if somebody looks.
        scalers = dict(self._scalers) if self._taken else {}
        lazy = {} if self._taken else dict(self._scalers)
        self._taken = False
        clock = self._clock
        instead = None if self._camera is None else self._camera.instead_of

        def work() -> Decoded:
            return decode(box, batch, scalers, lazy, clock, instead)

        lane.submit(work, lambda result: self._finish(result, len(batch), arrived, captured))

    def _finish(
        self, result: Decoded | Exception, frames: int, arrived: float, captured: float
    ) -> None:
        if isinstance(result, Exception):
            raise result  # a defect of ours: decoders' own errors are in the result
        self._counters.frames_decoded += result.decoded
        self._picture_took_s = result.took_s / frames
        if self._budget.spend(result.took_s, arrived):
            self._counters.frames_dropped += len(self._batch)
            self._batch.clear()
            self._next_still = arrived + STILL_S
        if result.failed:
            self._counters.decode_errors += 1
        if result.frame is not None:
            self._fruitless = 0
            self._ask_after_s = ASK_AGAIN_S
            self.frame = result.frame
            self.picture_at = arrived
            self.captured_at = captured
            # Shapes may have changed meanwhile; ``picture`` makes what is missing.
            self._pictures = {
                shape: one for shape, one in result.pictures.items() if shape in self._shapes
            }
        else:
            self._fruitless += frames
        if result.failed or self._fruitless >= FRUITLESS:
            self._fruitless = 0
            if self._batch and not self._batch[0].key_frame:
                self._counters.frames_dropped += len(self._batch)
                self._batch.clear()
            if not self._batch:
                self._needs_key = True
                self._ask(arrived)
        self._restart()

    def _restart(self) -> None:
        lane = self._lane
        if self._batch and lane is not None:
            self._start()
