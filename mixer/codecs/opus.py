"""Opus by the system's libopus, with in-band FEC and concealment.

PyAV's Opus has neither, so the library is called directly through opuslib-next's declarations.
Its convenience functions copy through Python arrays; here numpy buffers are made once and
libopus writes into them (the call releases the GIL). Where libopus is missing,
``LIBOPUS_AVAILABLE`` is False and ``mixer.codecs.audio`` takes PyAV's instead.
"""

import ctypes
import weakref
from typing import Any

import numpy as np

from mixer.audio.block import MAX_PACKET_SAMPLES, SAMPLE_RATE_HZ, TICK_SAMPLES, Int16Block
from mixer.codecs.audio_codec import PayloadError

try:
    from opuslib_next import constants
    from opuslib_next.api import c_int16_pointer, ctl
    from opuslib_next.api import decoder as decoder_api
    from opuslib_next.api import encoder as encoder_api

    _disable_prediction = ctl.ctl_set(constants.SET_PREDICTION_DISABLED_REQUEST)
    LIBOPUS_AVAILABLE = True
except Exception:  # opuslib-next raises a bare Exception when the system has no libopus
    LIBOPUS_AVAILABLE = False

DEFAULT_BITRATE_BPS = 40_000
DEFAULT_COMPLEXITY = 5
DEFAULT_EXPECTED_LOSS = 0.05
MAX_PAYLOAD_BYTES = 1_275
"""RFC 6716, 3.2.1."""
_STEP_SAMPLES = 120
"""libopus conceals in multiples of 2.5 ms."""


def is_dtx(payload: bytes) -> bool:
    """A table-of-contents byte with at most one more: DTX (RFC 6716, 3.4 and libopus' habit)."""
    return len(payload) <= 2


def has_fec(payload: bytes) -> bool:
    """Whether a packet repeats the one before it at low rate (LBRR, RFC 6716, 4.2.3).

    Looks at the header bits only. Packets of code 3 (more than two frames) are taken as having
    none: their lost neighbour is then concealed.
    """
    if len(payload) < 2:
        return False
    config, stereo, code = payload[0] >> 3, payload[0] & 4, payload[0] & 3
    if config >= 16 or code == 3:  # CELT alone carries no LBRR
        return False
    first = 1
    if code == 2:
        first = 3 if payload[1] >= 252 else 2
    if len(payload) <= first:
        return False
    frames = (1, 1, 2, 3)[config & 3] if config < 12 else 1  # SILK frames in one Opus frame
    flags = payload[first]
    mid = flags >> (7 - frames) & 1
    side = flags >> (6 - 2 * frames) & 1 if stereo and frames <= 3 else 0
    return bool(mid or side)


def _pointer(block: Int16Block) -> Any:
    return block.ctypes.data_as(c_int16_pointer)


class OpusDecoder:
    """One source of Opus.

    Args:
        channels_in: what the sender announced; stereo is mixed down by libopus itself, which
            decodes any packet to the channels it is asked for (RFC 6716, 2.1.2).
        sample_rate_hz: rate of the result; 8000 decodes at half the cost, for levels only.
    """

    def __init__(self, channels_in: int = 1, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        if channels_in not in (1, 2):
            raise ValueError(f"{channels_in} channels")
        self._longest = MAX_PACKET_SAMPLES * sample_rate_hz // SAMPLE_RATE_HZ
        self._step = _STEP_SAMPLES * sample_rate_hz // SAMPLE_RATE_HZ
        self._buffer = np.zeros(self._longest, np.int16)
        self._output = _pointer(self._buffer)
        self._state = decoder_api.create_state(sample_rate_hz, 1)
        weakref.finalize(self, decoder_api.destroy, self._state)

    def decode(self, payload: bytes) -> Int16Block:
        """See ``AudioDecoder``. Cost: about 30 us for 20 ms."""
        if not payload:  # libopus would take it as a lost packet
            raise PayloadError("empty Opus payload")
        return self._call(payload, self._longest, 0)

    def has_fec(self, payload: bytes) -> bool:
        """See ``AudioDecoder``."""
        return has_fec(payload)

    def decode_fec(self, next_payload: bytes, samples: int) -> Int16Block | None:
        """See ``AudioDecoder`` (RFC 6716, 4.2.5)."""
        if not has_fec(next_payload):
            return None
        try:
            return self._call(next_payload, self._whole_steps(samples), 1)[:samples]
        except PayloadError:
            return None

    def conceal(self, samples: int) -> Int16Block:
        """Packet-loss concealment by libopus; after a DTX packet, its comfort noise."""
        try:
            return self._call(None, self._whole_steps(samples), 0)[:samples]
        except PayloadError:  # a decoder that has never decoded anything sensible
            return np.zeros(samples, np.int16)

    def is_dtx(self, payload: bytes) -> bool:
        """See ``AudioDecoder``."""
        return is_dtx(payload)

    def _whole_steps(self, samples: int) -> int:
        return min(-(-samples // self._step) * self._step, self._longest)

    def _call(self, payload: bytes | None, samples: int, fec: int) -> Int16Block:
        length = 0 if payload is None else len(payload)
        count = decoder_api.libopus_decode(self._state, payload, length, self._output, samples, fec)
        if count < 0:
            raise PayloadError(f"libopus refuses the payload ({count})")
        return self._buffer[:count].copy()


class OpusEncoder:
    """One stream of Opus: 48 kHz mono, 20 ms a packet, constrained VBR.

    The application is VOIP with the signal said to be voice. In-band FEC exists only in SILK
    and hybrid frames, and at the rates used here this choice keeps every encoder in hybrid mode
    whatever it hears, so a listener may pass from one encoder to another without a change of
    mode, which is what would click.

    Args:
        bitrate_bps: 6,000 to 128,000. complexity: 0 to 10.
        expected_loss: 0 to 1; how much FEC to spend bits on.
        dtx: send next to nothing in silence.
    """

    def __init__(
        self,
        bitrate_bps: int = DEFAULT_BITRATE_BPS,
        complexity: int = DEFAULT_COMPLEXITY,
        fec: bool = True,
        dtx: bool = False,
        expected_loss: float = DEFAULT_EXPECTED_LOSS,
    ) -> None:
        self._block = np.zeros(TICK_SAMPLES, np.int16)
        self._input = _pointer(self._block)
        self._payload = ctypes.create_string_buffer(MAX_PAYLOAD_BYTES)
        self._state = encoder_api.create_state(SAMPLE_RATE_HZ, 1, constants.APPLICATION_VOIP)
        weakref.finalize(self, encoder_api.destroy, self._state)
        for control, value in (
            (ctl.set_bitrate, bitrate_bps),
            (ctl.set_complexity, complexity),
            (ctl.set_inband_fec, int(fec)),
            (ctl.set_dtx, int(dtx)),
            (ctl.set_signal, constants.SIGNAL_VOICE),
        ):
            encoder_api.encoder_ctl(self._state, control, value)
        self.set_expected_loss(expected_loss)
        self._anew = False

    def set_expected_loss(self, share: float) -> None:
        """Say what share of packets is lost on the way (0 to 1)."""
        percent = round(max(0.0, min(1.0, share)) * 100)
        encoder_api.encoder_ctl(self._state, ctl.set_packet_loss_perc, percent)

    def begin_anew(self) -> None:
        """See ``AudioEncoder``: the next packet is made with prediction disabled.

        Without it SILK's long-term prediction, which with steady sounds has a gain near one,
        carries the difference between two encoders on for several packets.
        """
        self._anew = True
        self._set_prediction_disabled(1)

    def _set_prediction_disabled(self, value: int) -> None:
        _disable_prediction(encoder_api.libopus_ctl, self._state, value)

    def encode(self, block: Int16Block) -> bytes:
        """See ``AudioEncoder``. Cost: about 160 us."""
        if block.shape != (TICK_SAMPLES,):
            raise ValueError(f"block of shape {block.shape}")
        self._block[:] = block
        length = encoder_api.libopus_encode(
            self._state, self._input, TICK_SAMPLES, self._payload, MAX_PAYLOAD_BYTES
        )
        if length < 0:
            raise RuntimeError(f"libopus cannot encode ({length})")
        if self._anew:
            self._anew = False
            self._set_prediction_disabled(0)
        return ctypes.string_at(self._payload, length)
