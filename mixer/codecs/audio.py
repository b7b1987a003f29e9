"""Choice of audio codec by its SDP name, and a cheap level for packets that carry none."""

from dataclasses import dataclass
from typing import Literal, get_args

from mixer.audio.block import SAMPLE_RATE_HZ, TICK_SAMPLES
from mixer.audio.level import SILENCE_DBOV, level_dbov
from mixer.codecs.audio_codec import AudioDecoder, AudioEncoder, PayloadError
from mixer.codecs.g711 import G711Decoder, G711Encoder, payload_level_dbov
from mixer.codecs.g722 import G722Decoder, G722Encoder
from mixer.codecs.opus import (
    DEFAULT_BITRATE_BPS,
    DEFAULT_COMPLEXITY,
    DEFAULT_EXPECTED_LOSS,
    LIBOPUS_AVAILABLE,
    OpusDecoder,
    OpusEncoder,
)
from mixer.codecs.opus_fallback import PyavOpusDecoder, PyavOpusEncoder

AudioCodecName = Literal["opus", "g722", "pcma", "pcmu"]


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """A codec's RTP side: ``rtp_clock_hz`` is 8000 for G.722 too (RFC 3551, 4.5.2).

    ``look_ahead_s``: so much later than its timestamp says comes sound out of the decoder.
    ``memory_ticks``: so long before a moment does what was encoded matter to it.
    """

    rtp_clock_hz: int
    look_ahead_s: float = 0.0
    memory_ticks: int = 0

    @property
    def samples_per_rtp_tick(self) -> int:
        """48 kHz samples in one step of the RTP timestamp."""
        return SAMPLE_RATE_HZ // self.rtp_clock_hz

    @property
    def rtp_ticks_per_tick(self) -> int:
        """How far the RTP timestamp goes in one 20 ms tick."""
        return TICK_SAMPLES // self.samples_per_rtp_tick


FORMATS: dict[AudioCodecName, AudioFormat] = {
    "opus": AudioFormat(48_000, 0.0065, 5),
    "g722": AudioFormat(8_000, memory_ticks=15),
    "pcma": AudioFormat(8_000, memory_ticks=1),
    "pcmu": AudioFormat(8_000, memory_ticks=1),
}


def audio_codec_name(name: str) -> AudioCodecName:
    """Check a codec's name (any case).

    Raises:
        ValueError: not one of the four.
    """
    lower = name.lower()
    for known in get_args(AudioCodecName):
        if lower == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"unknown audio codec {name!r}")


def make_decoder(name: str, channels: int = 1) -> AudioDecoder:
    """A decoder to 48 kHz mono int16.

    Raises:
        ValueError: unknown codec, or channels not 1 or 2.
    """
    match audio_codec_name(name):
        case "opus":
            return OpusDecoder(channels) if LIBOPUS_AVAILABLE else PyavOpusDecoder()
        case "g722":
            return G722Decoder()
        case "pcma" | "pcmu" as law:
            return G711Decoder(law)


def make_encoder(
    name: str,
    *,
    bitrate_bps: int = DEFAULT_BITRATE_BPS,
    complexity: int = DEFAULT_COMPLEXITY,
    fec: bool = True,
    dtx: bool = False,
    expected_loss: float = DEFAULT_EXPECTED_LOSS,
) -> AudioEncoder:
    """An encoder of 20 ms blocks; everything after the name is for Opus only.

    Raises:
        ValueError: unknown codec.
    """
    match audio_codec_name(name):
        case "opus":
            kind = OpusEncoder if LIBOPUS_AVAILABLE else PyavOpusEncoder
            return kind(bitrate_bps, complexity, fec, dtx, expected_loss)
        case "g722":
            return G722Encoder()
        case "pcma" | "pcmu" as law:
            return G711Encoder(law)


class LevelProbe:
    """Level of single payloads of a source whose packets carry no RFC 6464 level.

    Args:
        name: the source's codec.
    """

    def __init__(self, name: str) -> None:
        self._name = audio_codec_name(name)
        self._decoder: AudioDecoder | None = None
        if self._name == "opus" and LIBOPUS_AVAILABLE:
            self._decoder = OpusDecoder(sample_rate_hz=8_000)
        elif self._name in ("opus", "g722"):
            self._decoder = make_decoder(self._name)

    def level_dbov(self, payload: bytes) -> float:
        """-127 to 0; a damaged payload is silence. Cost: 5 to 25 us."""
        if self._name == "pcma" or self._name == "pcmu":
            return payload_level_dbov(self._name, payload)
        decoder = self._decoder
        if decoder is None:
            return SILENCE_DBOV
        try:
            if isinstance(decoder, G722Decoder):
                return level_dbov(decoder.linear(payload))
            return level_dbov(decoder.decode(payload))
        except PayloadError:
            return SILENCE_DBOV
