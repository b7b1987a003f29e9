"""G.722 (64 kbit/s) through PyAV, converted between 16 and 48 kHz.

Its RTP clock runs at 8 kHz by an old error that RFC 3551, 4.5.2 keeps; that is the caller's
business, here one byte is two samples at 16 kHz.
"""

from typing import Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from mixer.audio.block import MAX_PACKET_SAMPLES, TICK_SAMPLES, Int16Block, to_int16
from mixer.audio.conceal import WaveformConcealer
from mixer.audio.resample import Downsampler, Upsampler
from mixer.codecs.audio_codec import PayloadError

_RATE_HZ = 16_000
_FACTOR = 3
_SAMPLES_PER_BYTE = 2


def _context(mode: Literal["r", "w"]) -> AudioCodecContext:
    context = av.CodecContext.create("g722", mode)
    context.sample_rate = _RATE_HZ
    context.layout = "mono"
    context.format = "s16"
    context.open()
    return context


class G722Decoder:
    """One source of G.722."""

    def __init__(self) -> None:
        self._context = _context("r")
        self._upsampler = Upsampler(_FACTOR)
        self._concealer = WaveformConcealer()

    def decode(self, payload: bytes) -> Int16Block:
        """See ``AudioDecoder``. Any bytes are valid G.722; only the length can be wrong."""
        return self._concealer.accept(to_int16(self._upsampler.process(self.linear(payload))))

    def linear(self, payload: bytes) -> Int16Block:
        """The samples as they are coded, at 16 kHz, for levels only: a third of the cost.

        Raises:
            PayloadError: the length is wrong.
        """
        if not 0 < len(payload) * _SAMPLES_PER_BYTE * _FACTOR <= MAX_PACKET_SAMPLES:
            raise PayloadError(f"G.722 payload of {len(payload)} bytes")
        try:
            frames = self._context.decode(av.Packet(payload))
        except av.FFmpegError as error:
            raise PayloadError(str(error)) from error
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])

    def has_fec(self, payload: bytes) -> bool:
        """Never: G.722 repeats nothing."""
        return False

    def decode_fec(self, next_payload: bytes, samples: int) -> Int16Block | None:
        """G.722 repeats nothing."""
        return None

    def conceal(self, samples: int) -> Int16Block:
        """Repeat the last pitch period."""
        return self._concealer.conceal(samples)

    def is_dtx(self, payload: bytes) -> bool:
        """G.722 has no mark for silence."""
        return False


class G722Encoder:
    """One stream of G.722."""

    def __init__(self) -> None:
        self._context = _context("w")
        self._downsampler = Downsampler(_FACTOR)
        self._samples = 0

    def encode(self, block: Int16Block) -> bytes:
        """See ``AudioEncoder``: 160 bytes."""
        if block.shape != (TICK_SAMPLES,):
            raise ValueError(f"block of shape {block.shape}")
        linear = to_int16(self._downsampler.process(block))
        frame = av.AudioFrame.from_ndarray(linear.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = _RATE_HZ
        frame.pts = self._samples
        self._samples += len(linear)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))

    def set_expected_loss(self, share: float) -> None:
        """No FEC to adapt."""

    def begin_anew(self) -> None:
        """Its adaptation forgets by itself within milliseconds; nothing can be switched."""
