"""Opus through PyAV, for a system without libopus: no FEC, simple concealment."""

from typing import Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from mixer.audio.block import MAX_PACKET_SAMPLES, SAMPLE_RATE_HZ, TICK_SAMPLES, Int16Block
from mixer.audio.conceal import WaveformConcealer
from mixer.codecs.audio_codec import PayloadError
from mixer.codecs.opus import (
    DEFAULT_BITRATE_BPS,
    DEFAULT_COMPLEXITY,
    DEFAULT_EXPECTED_LOSS,
    is_dtx,
)


def _context(mode: Literal["r", "w"]) -> AudioCodecContext:
    context = av.CodecContext.create("libopus", mode)
    context.sample_rate = SAMPLE_RATE_HZ
    context.layout = "mono"
    context.format = "s16"
    return context


class PyavOpusDecoder:
    """One source of Opus."""

    def __init__(self) -> None:
        self._context = _context("r")
        self._context.open()
        self._concealer = WaveformConcealer()

    def decode(self, payload: bytes) -> Int16Block:
        """See ``AudioDecoder``."""
        if not payload:
            raise PayloadError("empty Opus payload")
        try:
            frames = self._context.decode(av.Packet(payload))
        except av.FFmpegError as error:
            raise PayloadError(str(error)) from error
        if not frames:
            raise PayloadError("nothing in the Opus payload")
        block = np.concatenate([_mono(frame) for frame in frames])[:MAX_PACKET_SAMPLES]
        return self._concealer.accept(block)

    def has_fec(self, payload: bytes) -> bool:
        """Never: PyAV cannot read it."""
        return False

    def decode_fec(self, next_payload: bytes, samples: int) -> Int16Block | None:
        """PyAV cannot."""
        return None

    def conceal(self, samples: int) -> Int16Block:
        """Repeat the last pitch period."""
        return self._concealer.conceal(samples)

    def is_dtx(self, payload: bytes) -> bool:
        """See ``AudioDecoder``."""
        return is_dtx(payload)


def _mono(frame: av.AudioFrame) -> Int16Block:
    samples = frame.to_ndarray().astype(np.int16, copy=False).reshape(-1, frame.layout.nb_channels)
    if samples.shape[1] == 1:
        return samples[:, 0]
    mixed: Int16Block = np.floor_divide(
        samples.sum(axis=1, dtype=np.int32), samples.shape[1]
    ).astype(np.int16)
    return mixed


class PyavOpusEncoder:
    """One stream of Opus; FEC is written, only reading it is what PyAV cannot do."""

    def __init__(
        self,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
        complexity: int = DEFAULT_COMPLEXITY,
        fec: bool = True,
        dtx: bool = False,
        expected_loss: float = DEFAULT_EXPECTED_LOSS,
    ) -> None:
        self._context = _context("w")
        self._context.bit_rate = bitrate_bps
        self._context.options = {
            "application": "voip",
            "frame_duration": "20",
            "vbr": "constrained",
            "compression_level": str(complexity),
            "packet_loss": str(round(expected_loss * 100)),
            "fec": str(int(fec)),
            "dtx": str(int(dtx)),
        }
        self._context.open()
        self._samples = 0

    def encode(self, block: Int16Block) -> bytes:
        """See ``AudioEncoder``."""
        if block.shape != (TICK_SAMPLES,):
            raise ValueError(f"block of shape {block.shape}")
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._samples
        self._samples += TICK_SAMPLES
        return b"".join(bytes(packet) for packet in self._context.encode(frame))

    def set_expected_loss(self, share: float) -> None:
        """PyAV fixes it when the encoder is opened."""

    def begin_anew(self) -> None:
        """PyAV has no access to it."""
