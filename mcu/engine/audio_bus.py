"""A mix that somebody hears, and its encodings: one for each codec, whatever the listeners."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mcu.engine.taps import Source
from mcu.legs.leg import Leg, StreamCodec
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mixer.audio.block import SILENCE, Int16Block
from mixer.codecs.audio import (
    FORMATS,
    AudioCodecName,
    audio_codec_name,
    make_encoder,
)
from mixer.codecs.audio_codec import AudioEncoder
from mixer.codecs.opus import DEFAULT_BITRATE_BPS, DEFAULT_EXPECTED_LOSS

OPUS_BITRATES_BPS = (DEFAULT_BITRATE_BPS, 24_000, 16_000)
"""The second and third only for peers that ask for less."""
TICK_MS = 20
PACKETS_MS = (10, TICK_MS, 40, 60)
"""Sound in a packet of codecs whose samples stand for themselves."""
PACKET_OVERHEAD_BPS = 16_000
"""IP, UDP and RTP headers at 50 packets/s, which the SDP's bandwidth counts (RFC 3556)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class EncodingKey:
    """What makes two listeners share an encoder; ``bitrate_bps`` is 0 for the usual rate.

    ``packet_ms``: sound in a packet. Opus always has one tick in it: a listener's wish for more or
    less (``ptime``) is no more than that, and frames are not cut or joined once they are coded.
    """

    codec: AudioCodecName
    bitrate_bps: int = 0
    packet_ms: int = TICK_MS

    @classmethod
    def of(cls, codec: StreamCodec) -> "EncodingKey":
        """The encoding for a negotiated codec.

        Raises:
            ValueError: no codec of the mixer.
        """
        name = audio_codec_name(codec.name)
        if name != "opus":
            fitting_ms = [one for one in PACKETS_MS if one <= codec.packet_ms]
            return cls(name, packet_ms=fitting_ms[-1] if fitting_ms else PACKETS_MS[0])
        limits = []
        if codec.max_bitrate_bps > 0:
            limits.append(codec.max_bitrate_bps - PACKET_OVERHEAD_BPS)
        average = codec.parameters.get("maxaveragebitrate", "")  # RFC 7587, 6.1
        if average.isascii() and average.isdigit():
            limits.append(int(average))
        limit = min(limits, default=DEFAULT_BITRATE_BPS)
        fitting = [rate for rate in OPUS_BITRATES_BPS if rate <= limit]
        rate = fitting[0] if fitting else OPUS_BITRATES_BPS[-1]
        return cls(name, 0 if rate == DEFAULT_BITRATE_BPS else rate)


class Encoding:
    """One encoder and the rendition it feeds.

    Args:
        run_in: blocks (960,) that its listeners have just heard from another encoder. They are
            encoded and thrown away, so that this encoder's memory is what their decoders expect.
        before: whose encoder is the very one they have heard; it goes on as it is.
        encoder: to be used in place of one of its own.
    """

    def __init__(
        self,
        key: EncodingKey,
        source: str,
        fan_out: FanOut,
        run_in: Sequence[Int16Block],
        expected_loss: float,
        before: "Encoding | None" = None,
        encoder: AudioEncoder | None = None,
    ) -> None:
        form = FORMATS[key.codec]
        self.rendition = Rendition(
            RenditionKey("audio", source, key.codec, bitrate_bps=key.bitrate_bps),
            form.rtp_clock_hz,
            fan_out,
        )
        # What a packet of several ticks is made of.
        self._ticks = max(1, key.packet_ms // TICK_MS)
        self._payloads: deque[bytes] = deque(maxlen=self._ticks)
        self._parts = max(1, TICK_MS // key.packet_ms)
        self.encoder: AudioEncoder
        if before is not None:
            self.encoder = before.encoder
            self._payloads.extend(before._payloads)
            run_in = ()
        else:
            self.encoder = encoder or make_encoder(
                key.codec,
                bitrate_bps=key.bitrate_bps or DEFAULT_BITRATE_BPS,
                expected_loss=expected_loss,
            )
        self.legs: set[str] = set()
        self._timestamp_step = form.rtp_ticks_per_tick
        self._look_ahead_s = form.look_ahead_s
        for block in run_in[max(0, len(run_in) - max(form.memory_ticks, self._ticks - 1)) :]:
            self._payloads.append(self.encoder.encode(block))

    def encode(
        self, block: Int16Block, tick: int, now: float, captured: float | None = None
    ) -> None:
        """Encode one tick and send it to all listeners.

        Args:
            captured: when the sound was, for sender reports; None: now.
        """
        payload = self.encoder.encode(block)
        step, ticks, parts = self._timestamp_step, self._ticks, self._parts
        heard = (now if captured is None else captured) - self._look_ahead_s
        if ticks > 1:
            self._payloads.append(payload)
            if (tick + 1) % ticks or len(self._payloads) < ticks:
                return
            payload = b"".join(self._payloads)
            heard -= (ticks - 1) * TICK_MS / 1000
        timestamp = (tick + 1 - ticks) * step
        size = -(-len(payload) // parts)
        for part in range(parts):
            self.rendition.append(
                payload[part * size : (part + 1) * size],
                timestamp + part * step // parts,
                key_frame=True,
                now=now,
                captured=heard + part * TICK_MS / 1000 / parts,
            )


class Bus:
    """One mix and those who hear it.

    Args:
        name: ``total``, ``silence``, ``minus:<participant>``, ``fade``.
        heard: gain with which it is heard now (0 for silence).
    """

    def __init__(self, name: str, fan_out: FanOut, heard: float) -> None:
        self.name = name
        self.heard = heard
        self.legs: dict[str, Leg] = {}
        self.encodings: dict[EncodingKey, Encoding] = {}
        self.expected_loss = DEFAULT_EXPECTED_LOSS
        self._fan_out = fan_out

    def join(self, leg: Leg, run_in: Sequence[Int16Block], before: Encoding | None = None) -> None:
        """Let a leg hear this mix.

        Args:
            run_in, before: see ``Encoding``; for the case that there is none yet for its codec.
        """
        key = EncodingKey.of(leg.outputs["audio"])
        encoding = self.encodings.get(key)
        if encoding is None:
            encoding = self.encodings[key] = Encoding(
                key, self.name, self._fan_out, run_in, self.expected_loss, before
            )
        if before is None or encoding.encoder is not before.encoder:
            encoding.encoder.begin_anew()
        encoding.legs.add(leg.id)
        self.legs[leg.id] = leg
        leg.play("audio", encoding.rendition)

    def own_encoding(self, leg: Leg) -> Encoding | None:
        """The encoding a leg hears, if nobody else does."""
        encoding = self.encodings.get(EncodingKey.of(leg.outputs["audio"]))
        return encoding if encoding is not None and encoding.legs == {leg.id} else None

    def leave(self, leg: Leg) -> None:
        """Take a leg out; an encoder that nobody listens to goes too."""
        if self.legs.pop(leg.id, None) is None:
            return
        for key, encoding in list(self.encodings.items()):
            encoding.legs.discard(leg.id)
            if not encoding.legs:
                del self.encodings[key]

    def encode(
        self, block: Int16Block, tick: int, now: float, captured: float | None = None
    ) -> None:
        """Encode one tick in every codec that is listened to; see ``Encoding.encode``."""
        for encoding in self.encodings.values():
            encoding.encode(block, tick, now, captured)

    def expect_loss(self, share: float) -> None:
        """Let encoders reckon with a share of lost packets (0 to 1)."""
        self.expected_loss = share
        for encoding in self.encodings.values():
            encoding.encoder.set_expected_loss(share)


class Branch(Bus):
    """A mix that begins as what its listeners heard before and becomes what they shall hear.

    Args:
        owner: the speaker whose voice is taken away; None for a crowd that is (un)deafened.
        heard: gain at the start. target: gain it goes to in one tick.
    """

    def __init__(
        self, name: str, fan_out: FanOut, owner: str | None, heard: float, target: float
    ) -> None:
        super().__init__(name, fan_out, heard)
        self.owner = owner
        self.target = target
        self.settled_ticks = 0
        """So long it has carried the same as the mix its listeners can go back to."""


class Played(Bus):
    """What one participant alone hears instead of its mix: a test tone.

    Args:
        source: gives each tick; None from it is silence.
    """

    def __init__(self, participant: str, fan_out: FanOut, source: Source) -> None:
        super().__init__(f"played:{participant}", fan_out, 1.0)
        self.block: Int16Block = SILENCE
        """Of this tick."""
        self._source: Source | None = source

    def draw(self, now: float) -> None:
        """Take the next tick; a source that raises is a defect, told once, and silent after it."""
        if self._source is None:
            return
        try:
            block = self._source(now)
        except Exception:
            log.exception("played_failed", bus=self.name)
            self._source, block = None, None
        self.block = SILENCE if block is None else block
