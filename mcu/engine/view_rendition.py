"""One encoding of a view: an encoder, the ring its packets go to, and when key frames are made."""

from collections.abc import Callable

import av
from av.video.reformatter import Interpolation, VideoReformatter

from mcu.engine.pool import Pool
from mcu.engine.video_statistics import StageClock, VideoCounters
from mcu.media.payload import MAX_PAYLOAD_BYTES
from mcu.media.rendition import VIDEO_CLOCK_HZ, Outlet, Rendition, RenditionKey
from mixer.codecs.video import EncodedPicture, VideoCodecError, VideoEncoder

KEY_FRAME_INTERVAL_S = 1.0
"""The first key-frame request is served with the next picture, further ones coalesce this long."""


class ViewRendition:
    """Encodes each composed picture of a view once, for all legs that receive this rendition.

    The encoder lives in a lane of the pool and is opened with the first picture.
    """

    def __init__(
        self,
        key: RenditionKey,
        fps: int,
        *,
        fan_out: Outlet,
        pool: Pool,
        counters: VideoCounters,
        clock: StageClock,
    ) -> None:
        self.key = key
        self.legs: dict[str, object] = {}
        """Ids of the legs that receive it."""
        self.rendition = Rendition(key, VIDEO_CLOCK_HZ, fan_out, self._key_frame_wanted)
        self._fps = fps
        self._counters = counters
        self._clock = clock
        self._lane = pool.lane()
        self._encoder = _EncoderBox()
        self._key_wanted = True
        self._key_made_at = float("-inf")
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a picture is being encoded."""
        return self._lane.pending > 0

    @property
    def encoding(self) -> bool:
        """Whether its encoder is open."""
        return self._encoder.encoder is not None

    def encode(
        self,
        frame: av.VideoFrame,
        timestamp: int,
        now: float,
        captured: float,
        done: Callable[[], None],
    ) -> None:
        """Encode one picture off the loop and append it; ``done`` when ``frame`` is free again.

        Args:
            captured: when what it shows came to us, for sender reports.
        """
        key_frame = self._key_wanted and now - self._key_made_at >= KEY_FRAME_INTERVAL_S
        if key_frame:
            self._key_wanted = False
            self._key_made_at = now
        box, key, fps, clock = self._encoder, self.key, self._fps, self._clock

        def work() -> EncodedPicture:
            with clock.measure("encode"):
                return box.encode(frame, key, fps, key_frame)

        def finish(result: EncodedPicture | Exception) -> None:
            done()
            if self._closed:
                self._lane.close()
                return
            if isinstance(result, VideoCodecError):
                self._counters.encode_errors += 1
                self._key_wanted = True
                return
            if isinstance(result, Exception):
                raise result
            self._counters.frames_encoded += 1
            if result.key_frame:
                self._counters.key_frames_encoded += 1
                self._key_made_at = now
            elif key_frame:
                self._key_wanted = True  # the encoder left the picture out
            if result.data:
                self.rendition.append(
                    result.data,
                    timestamp,
                    key_frame=result.key_frame,
                    now=now,
                    captured=captured,
                )

        self._lane.submit(work, finish)

    def close(self) -> None:
        """Free the encoder. A picture under way is finished, since the canvas is being read."""
        self._closed = True
        if not self.busy:
            self._lane.close()

    def _key_frame_wanted(self, now: float) -> None:
        self._key_wanted = True


class _EncoderBox:
    """An encoder opened on first use and again after an error. One lane's own."""

    def __init__(self) -> None:
        self.encoder: VideoEncoder | None = None
        self._scaler = VideoReformatter()

    def encode(
        self, frame: av.VideoFrame, key: RenditionKey, fps: int, key_frame: bool
    ) -> EncodedPicture:
        if self.encoder is None:
            self.encoder = VideoEncoder(
                key.codec,
                key.width,
                key.height,
                fps,
                key.bitrate_bps,
                MAX_PAYLOAD_BYTES if key.single_nal else 0,
            )
            key_frame = True
        if (frame.width, frame.height) != (key.width, key.height):
            frame = self._scaler.reformat(
                frame, key.width, key.height, interpolation=Interpolation.BILINEAR, threads=1
            )
        try:
            return self.encoder.encode(frame, key_frame)
        except VideoCodecError:
            self.encoder = None
            raise
