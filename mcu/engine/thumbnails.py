"""Thumbnails of a conference's rooms, for the wall: drawn once, whoever looks.

A room that stands in a view is decoded anyway: its newest picture is drawn once a second. Of
hidden rooms as few pictures are decoded as ``ThumbnailPace`` says. Nothing at all is done for a
room at whose thumbnail nobody looks. All calls come from the loop's thread; decoding, scaling
and JPEG run in the pool.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import av

from mcu.engine.conference_video import VideoLeg
from mcu.engine.decode_budget import MAX_MACROBLOCKS
from mcu.engine.picture import thumbnail
from mcu.engine.picture_fault import FaultyCamera
from mcu.engine.pool import Lane, Pool
from mcu.engine.thumbnail import Thumbnail
from mcu.engine.thumbnail_pace import STREAM_S, ThumbnailPace
from mcu.engine.video_decoding import DecoderBox, decode
from mcu.engine.video_source import MACROBLOCKS, VideoSource
from mcu.engine.video_statistics import StageClock, VideoCounters
from mcu.legs.leg import StreamName
from mcu.media.frames import EncodedFrame
from mcu.media.payload import PayloadError

ASKS_PER_TICK: Final = 4
"""Key frames of 145 rooms are asked for over more than a second, not at once."""
MAX_BACKLOG: Final = 3
NEAR_S: Final = 0.25 * STREAM_S
"""A picture that comes this much before the second is over is drawn with it."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    jpeg: bytes
    digest: str


class Thumbnails:
    """The wall of one conference.

    Args:
        pool: runs codecs. counters, clock: of the conference's video.
    """

    def __init__(self, pool: Pool, counters: VideoCounters, clock: StageClock) -> None:
        self.pictures: dict[str, Thumbnail] = {}
        """Participant → newest picture, of those that are watched."""
        self.sparing = False
        """Key frames of hidden rooms alone: the machine is full."""
        self.cameras: Mapping[str, FaultyCamera] = {}
        """Of participants whose camera seems to fail, in a drill."""
        self._pool = pool
        self._counters = counters
        self._clock = clock
        self._watched: frozenset[str] = frozenset()
        self._hidden: dict[str, _Hidden] = {}
        self._due: dict[str, float] = {}
        self._drawing: set[str] = set()

    @property
    def watched(self) -> frozenset[str]:
        """Participants at whose thumbnails somebody looks."""
        return self._watched

    def watch(self, participants: Collection[str]) -> None:
        """Draw thumbnails of these from now on, and of no others."""
        watched = frozenset(participants)
        for participant in self._watched - watched:
            self.forget(participant)
            self.pictures.pop(participant, None)
        self._watched = watched

    def forget(self, participant: str) -> None:
        """Its source is gone, or nobody looks any more; the last picture stays while watched."""
        hidden = self._hidden.pop(participant, None)
        if hidden is not None:
            hidden.close(release=True)
        self._due.pop(participant, None)

    def receive(self, participant: str, frame: EncodedFrame, now: float) -> None:
        """Take one coded picture of a room that no view decodes."""
        hidden = self._hidden.get(participant)
        if hidden is not None and hidden.receive(frame, now):
            return
        self._counters.frames_dropped += 1

    def tick(self, sources: Mapping[tuple[str, StreamName], VideoSource], now: float) -> None:
        """Draw what is due; ask hidden rooms for key frames. Cost: O(watched)."""
        asks = ASKS_PER_TICK
        for participant in self._watched:
            source = sources.get((participant, "video"))
            hidden = self._hidden.get(participant)
            if source is None:
                continue
            if source.wanted_since is not None:
                if hidden is not None:
                    del self._hidden[participant]
                    hidden.close(release=False)  # its pictures go on being put together
                self._draw_visible(participant, source, now)
                continue
            if hidden is None or hidden.leg is not source.leg:
                if hidden is not None:
                    hidden.close(release=True)
                lane = self._pool.lane()
                hidden = _Hidden(participant, source.leg, lane, self, now)
                self._hidden[participant] = hidden
            if asks and hidden.tick(now):
                asks -= 1

    def close(self) -> None:
        """Free everything."""
        self.watch(())

    def _draw_visible(self, participant: str, source: VideoSource, now: float) -> None:
        frame, taken_at = source.frame, source.picture_at
        if frame is None or taken_at is None or now < self._due.get(participant, now):
            return
        before = self.pictures.get(participant)
        if participant in self._drawing or (before is not None and before.taken_at == taken_at):
            return
        self._due[participant] = now + STREAM_S
        self._drawing.add(participant)

        def done(result: _Drawn | Exception) -> None:
            self._drawing.discard(participant)
            self._keep(participant, result, taken_at, STREAM_S)

        self._pool.submit(lambda: _draw(frame), done)

    def _keep(
        self, participant: str, result: _Drawn | Exception, taken_at: float, next_s: float
    ) -> None:
        if isinstance(result, Exception):
            raise result  # a defect of ours: it is a picture that was decoded
        if participant in self._watched:
            self.pictures[participant] = Thumbnail(
                participant, result.jpeg, result.digest, taken_at, next_s
            )

    # What a hidden room needs of the wall

    def decode(self, hidden: "_Hidden", frame: EncodedFrame, now: float, *, draw: bool) -> None:
        """In the room's lane: decode a picture, and draw it unless it is too early for that."""
        box, clock, camera = hidden.box, self._clock, self.cameras.get(hidden.participant)
        instead = None if camera is None else camera.instead_of

        def work() -> tuple[bool, int, _Drawn | None]:
            decoded = decode(box, [frame], {}, {}, clock, instead)
            shown = decoded.frame if draw else None
            return decoded.failed, decoded.decoded, None if shown is None else _draw(shown)

        def done(result: tuple[bool, int, _Drawn | None] | Exception) -> None:
            if isinstance(result, Exception):
                raise result
            failed, count, drawn = result
            self._counters.frames_decoded += count
            if failed:
                self._counters.decode_errors += 1
                hidden.pace.lost(now)
            if drawn is not None:
                self._keep(hidden.participant, drawn, now, hidden.pace.next_s)

        hidden.lane.submit(work, done)

    def note_received(self) -> None:
        """A picture of a hidden room is decoded."""
        self._counters.frames_received += 1

    def note_asked(self) -> None:
        """A key frame was asked for."""
        self._counters.key_frames_asked += 1


class _Hidden:
    """A room that no view shows: its decoder, and when it is used."""

    def __init__(
        self, participant: str, leg: VideoLeg, lane: Lane, wall: Thumbnails, now: float
    ) -> None:
        self.participant = participant
        self.leg = leg
        self.pace = ThumbnailPace(now)
        self.codec = leg.sources["video"].name
        self.box = DecoderBox(self.codec)
        self.lane = lane
        self._wall = wall
        self._open = False
        self._drawn_at = float("-inf")
        self._macroblocks = 0

    def tick(self, now: float) -> bool:
        """Whether the room was asked for a key frame."""
        self.pace.spare(self._wall.sparing, now)
        asks = self.pace.asks(now)
        if asks:
            self.pace.asked(now)
        if self.pace.is_open != self._open:
            self._open = self.pace.is_open
            self.leg.want_source("video", self._open)
        if asks:
            self._wall.note_asked()
            self.leg.request_key_frame("video")
        return asks

    def receive(self, frame: EncodedFrame, now: float) -> bool:
        """Take one coded picture; False: it is of no use."""
        if not self.pace.take(frame, now):
            return False
        if not self._is_agreed(frame) or self.lane.pending >= MAX_BACKLOG:
            self.pace.lost(now)
            return False
        draw = now - self._drawn_at >= STREAM_S - NEAR_S
        if draw:
            self._drawn_at = now
        self._wall.note_received()
        self._wall.decode(self, frame, now, draw=draw)
        return True

    def close(self, *, release: bool) -> None:
        """Free the decoder; ``release``: packets need not be put together any more."""
        self.lane.close()
        if release and self._open:
            self.leg.want_source("video", False)
        self._open = False

    def _is_agreed(self, frame: EncodedFrame) -> bool:
        """Whether pictures are of a size that is decoded at all."""
        try:
            self._macroblocks = MACROBLOCKS[self.codec](frame.data) or self._macroblocks
        except PayloadError:
            return False
        return self._macroblocks <= MAX_MACROBLOCKS


def _draw(frame: av.VideoFrame) -> _Drawn:
    jpeg = thumbnail(frame)
    return _Drawn(jpeg, hashlib.blake2b(jpeg, digest_size=8).hexdigest())
