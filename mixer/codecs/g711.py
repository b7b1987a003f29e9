"""G.711 A-law and mu-law by look-up (ITU-T G.711), converted between 8 and 48 kHz.

Decoding is a table of 256 entries, encoding a table of 65,536: one indexing a block.
"""

from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from mixer.audio.block import MAX_PACKET_SAMPLES, TICK_SAMPLES, Int16Block, to_int16
from mixer.audio.conceal import WaveformConcealer
from mixer.audio.level import level_dbov
from mixer.audio.resample import Downsampler, Upsampler
from mixer.codecs.audio_codec import PayloadError

Law = Literal["pcma", "pcmu"]
_FACTOR = 6


@cache
def decoding_table(law: Law) -> Int16Block:
    """Linear value of each of the 256 codes, int16 (256,), read-only."""
    code = np.arange(256)
    if law == "pcmu":
        code = ~code & 0xFF
        magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
        linear = np.where(code & 0x80, -magnitude, magnitude)
    else:
        code = code ^ 0x55
        exponent = (code & 0x70) >> 4
        mantissa = (code & 0x0F) << 4
        magnitude = np.where(
            exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0)
        )
        linear = np.where(code & 0x80, magnitude, -magnitude)
    table = linear.astype(np.int16)
    table.flags.writeable = False
    return table


@cache
def encoding_table(law: Law) -> npt.NDArray[np.uint8]:
    """Code of each int16, uint8 (65536,), indexed by the sample seen as uint16; read-only.

    The code is that of the nearest value; half-way goes to the smaller magnitude.
    """
    values = decoding_table(law).astype(np.int32)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    samples = np.arange(-32_768, 32_768)
    above = np.clip(np.searchsorted(ordered, samples), 1, 255)
    low, high = ordered[above - 1], ordered[above]
    up, down = high - samples, samples - low
    take_high = (up < down) | ((up == down) & (np.abs(high) < np.abs(low)))
    codes = order[np.where(take_high, above, above - 1)].astype(np.uint8)
    # Both laws have a code on either side of zero; silence is sent as the positive one.
    codes[samples == 0] = 0xFF if law == "pcmu" else 0xD5
    table = np.empty(65_536, np.uint8)
    table[samples.astype(np.int16).view(np.uint16)] = codes
    table.flags.writeable = False
    return table


class G711Decoder:
    """One source of A-law or mu-law."""

    def __init__(self, law: Law) -> None:
        self._table = decoding_table(law)
        self._upsampler = Upsampler(_FACTOR)
        self._concealer = WaveformConcealer()

    def decode(self, payload: bytes) -> Int16Block:
        """See ``AudioDecoder``. One byte is one sample at 8 kHz."""
        if not 0 < len(payload) * _FACTOR <= MAX_PACKET_SAMPLES:
            raise PayloadError(f"G.711 payload of {len(payload)} bytes")
        linear = self._table[np.frombuffer(payload, np.uint8)]
        return self._concealer.accept(to_int16(self._upsampler.process(linear)))

    def has_fec(self, payload: bytes) -> bool:
        """Never: G.711 repeats nothing."""
        return False

    def decode_fec(self, next_payload: bytes, samples: int) -> Int16Block | None:
        """G.711 repeats nothing."""
        return None

    def conceal(self, samples: int) -> Int16Block:
        """Repeat the last pitch period."""
        return self._concealer.conceal(samples)

    def is_dtx(self, payload: bytes) -> bool:
        """G.711 has no mark for silence."""
        return False


class G711Encoder:
    """One stream of A-law or mu-law."""

    def __init__(self, law: Law) -> None:
        self._table = encoding_table(law)
        self._downsampler = Downsampler(_FACTOR)

    def encode(self, block: Int16Block) -> bytes:
        """See ``AudioEncoder``: 160 bytes."""
        if block.shape != (TICK_SAMPLES,):
            raise ValueError(f"block of shape {block.shape}")
        linear = to_int16(self._downsampler.process(block))
        return self._table[linear.view(np.uint16)].tobytes()

    def set_expected_loss(self, share: float) -> None:
        """No FEC to adapt."""

    def begin_anew(self) -> None:
        """Every sample stands for itself."""


def payload_level_dbov(law: Law, payload: bytes) -> float:
    """Level of a payload straight from the table, without conversion of the rate."""
    return level_dbov(decoding_table(law)[np.frombuffer(payload, np.uint8)])
