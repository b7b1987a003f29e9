"""Fragmented MP4, made in memory: every second of it can be played without what follows.

The muxer is libavformat's through PyAV, which holds the interpreter's lock while it writes. So it
writes into memory only, and whoever owns this writes the bytes to the disk without the lock.
See decision 14 for why MP4 in fragments.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from mcu.recording.timeline import AUDIO_HZ, VIDEO_HZ

FRAGMENT_S = 1.0
"""So much is lost at most when the process is killed, and what waits in the queue."""
PACKET_SAMPLES = 960
PICTURE_TICKS = VIDEO_HZ // 25
"""How long the last picture of a fragment is said to stand; the next fragment knows better."""

_OPTIONS = {
    # The sizes and codecs first, then pieces that stand for themselves (ISO 14496-12, 8.8).
    "movflags": "empty_moov+default_base_moof",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    # A stream that has nothing to say keeps the other one waiting no longer than this.
    "max_interleave_delta": str(round(FRAGMENT_S * 1e6)),
}


class FragmentedMp4:
    """One file's worth of H.264 and Opus.

    Args:
        key_frame: the first picture, Annex B with its parameter sets; None: sound alone.
    """

    def __init__(self, key_frame: bytes | None) -> None:
        self._sink = _Sink()
        self._output: OutputContainer = av.open(self._sink, "w", format="mp4", options=_OPTIONS)
        self._video: VideoStream | None = None
        if key_frame is not None:
            with av.open(io.BytesIO(key_frame), format="h264") as described:
                # ``opaque``: described by the picture; no encoder is opened for it.
                self._video = self._output.add_stream_from_template(
                    described.streams.video[0], opaque=True
                )
            self._video.time_base = Fraction(1, VIDEO_HZ)
        # Describes the stream (OpusHead with its 312 samples of pre-skip); encodes nothing.
        self._audio = self._output.add_stream("libopus", rate=AUDIO_HZ, layout="mono")
        self._audio.time_base = Fraction(1, AUDIO_HZ)
        self._output.start_encoding()

    def video(self, access_unit: bytes, time: int, *, key_frame: bool) -> None:
        """Add a picture.

        Args:
            access_unit: Annex B. time: 90 kHz from the file's beginning, growing.
        """
        if self._video is None:
            raise ValueError("this file holds sound alone")
        packet = av.Packet(access_unit)
        packet.stream = self._video
        packet.is_keyframe = key_frame
        self._add(packet, time, PICTURE_TICKS, VIDEO_HZ)

    def audio(self, payload: bytes, time: int) -> None:
        """Add 20 ms of Opus; ``time``: 48 kHz from the file's beginning, growing."""
        packet = av.Packet(payload)
        packet.stream = self._audio
        packet.is_keyframe = True
        self._add(packet, time, PACKET_SAMPLES, AUDIO_HZ)

    def take(self) -> bytes:
        """What is to be written now; whole pieces only."""
        return self._sink.take()

    def close(self) -> bytes:
        """End the file; gives the rest. Nothing may be added then."""
        self._output.close()
        return self._sink.take()

    def _add(self, packet: av.Packet[Any], time: int, duration: int, rate: int) -> None:
        packet.time_base = Fraction(1, rate)
        packet.pts = packet.dts = time
        packet.duration = duration
        self._output.mux(packet)


class _Sink(io.RawIOBase):
    """Takes what the muxer writes. It cannot be sought in, so the muxer never goes back."""

    def __init__(self) -> None:
        super().__init__()
        self._data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        size = len(self._data)
        self._data += data  # type: ignore[arg-type]  # bytes-like, as the muxer has it
        return len(self._data) - size

    def take(self) -> bytes:
        taken = bytes(self._data)
        self._data.clear()
        return taken
