"""Video codecs as the mixer uses them: coded pictures in, ``av.VideoFrame`` out, and back.

Both run on worker threads and release the GIL; an object is used by one thread at a time.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from mixer.codecs import h264, vp8

VIDEO_CODECS = ("h264", "vp8")

MAX_PICTURE_PIXELS = 4096 * 2304
"""A picture of more pixels is refused before memory is taken for it."""

_DECODERS = {"h264": "h264", "vp8": "vp8"}
_ENCODERS = {"h264": "libx264", "vp8": "libvpx"}


class VideoCodecError(Exception):
    """A picture could not be decoded or encoded; the codec may be used again."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One coded picture.

    Args:
        data: H.264 Annex B access unit (SPS and PPS in front of a key frame), or a VP8 frame.
            Empty when the encoder left the picture out to keep its bit rate.
        key_frame: it can be decoded without earlier ones.
    """

    data: bytes
    key_frame: bool


class VideoDecoder:
    """Decodes one source. Its pictures may change in size and pixel format at any key frame.

    Args:
        name: ``h264`` or ``vp8``.
    Raises:
        ValueError: another codec.
    """

    def __init__(self, name: str) -> None:
        if name not in _DECODERS:
            raise ValueError(f"no video decoder for {name!r}")
        self.name = name
        context = _context(_DECODERS[name], "r")
        context.thread_count = 1
        context.flags |= av.codec.context.Flags.low_delay
        context.options = {"max_pixels": str(MAX_PICTURE_PIXELS)}
        self._context = context

    def decode(self, data: bytes) -> list[av.VideoFrame]:
        """Pictures that ``data`` (one access unit) completes; mostly one, sometimes none.

        Raises:
            VideoCodecError: the bytes are no picture of this codec, are too large, or refer to
                pictures that are not there.
        Cost: about 2 ms for 720p, 0.46 ms for 360p H.264.
        """
        if not data:
            # libavcodec reads an empty packet as the end of the stream and stops for good.
            raise VideoCodecError(f"{self.name}: no data")
        try:
            return self._context.decode(av.Packet(data))
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoCodecError(f"{self.name}: {error}") from error


class VideoEncoder:
    """Encodes one rendition of a view: constant size and rate, key frames on demand.

    Args:
        name: ``h264`` or ``vp8``.
        width, height: even. fps: nominal, for rate control. bitrate_bps: target.
        slice_bytes: the largest NAL unit of H.264; 0: a picture is one slice.
    Raises:
        ValueError: another codec, or a size or rate no level allows.
        VideoCodecError: the encoder could not be opened.
    """

    def __init__(
        self, name: str, width: int, height: int, fps: int, bitrate_bps: int, slice_bytes: int = 0
    ) -> None:
        if name not in _ENCODERS:
            raise ValueError(f"no video encoder for {name!r}")
        if width < 16 or height < 16 or width % 2 or height % 2:
            raise ValueError(f"cannot encode {width}x{height}: sizes are even and at least 16")
        self.name = name
        self.width = width
        self.height = height
        context = _context(_ENCODERS[name], "w")
        context.width = width
        context.height = height
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, fps)
        context.framerate = Fraction(fps, 1)
        context.bit_rate = bitrate_bps
        context.thread_count = 1
        if name == "h264":
            context.options = h264.encoder_options(width, height, fps, bitrate_bps, slice_bytes)
        else:
            context.gop_size = max(1, round(vp8.KEY_INTERVAL_S * fps))
            context.options = {
                **vp8.encoder_options(fps),
                "minrate": str(bitrate_bps),
                "maxrate": str(bitrate_bps),
                "bufsize": str(round(bitrate_bps * vp8.BUFFER_SECONDS)),
            }
        try:
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoCodecError(f"{name} encoder: {error}") from error
        self._context = context
        self._pictures = 0

    def encode(self, frame: av.VideoFrame, key_frame: bool) -> EncodedPicture:
        """Code one picture; the encoder no longer reads ``frame`` when this returns.

        Args:
            frame: yuv420p of the encoder's size. Its ``pts`` and ``pict_type`` are set, so two
                encoders need a frame object each (over the same planes if they like).
            key_frame: make this one a key frame.
        Raises:
            VideoCodecError: the frame does not fit, or the encoder failed.
        """
        frame.pts = self._pictures
        frame.time_base = self._context.time_base
        frame.pict_type = PictureType.I if key_frame else PictureType.NONE
        self._pictures += 1
        try:
            packets = self._context.encode(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise VideoCodecError(f"{self.name} encoder: {error}") from error
        return EncodedPicture(
            data=b"".join(bytes(packet) for packet in packets),
            key_frame=any(packet.is_keyframe for packet in packets),
        )


def _context(codec: str, mode: Literal["r", "w"]) -> VideoCodecContext:
    context = av.CodecContext.create(codec, mode)
    if not isinstance(context, VideoCodecContext):
        raise ValueError(f"{codec} is no video codec")
    return context
