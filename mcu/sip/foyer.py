"""What callers get before they are let in: coded once, whoever is waiting.

Sounds and pictures are the same for all, so a caller who waits costs a packet every 20 ms and a
picture a second, and no encoder. Coding happens on a thread of its own.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import structlog

from mcu.engine.audio_bus import EncodingKey
from mcu.engine.pool import Pool
from mcu.media.payload import MAX_PAYLOAD_BYTES
from mcu.media.rendition import FanOut, RenditionKey
from mcu.sip.pin_picture import PinScene, draw
from mcu.sip.pin_sounds import Sounds
from mixer.audio.block import Int16Block
from mixer.codecs.audio import make_encoder
from mixer.codecs.opus import DEFAULT_BITRATE_BPS
from mixer.codecs.video import VideoEncoder

MAX_CODED = 128
"""Sounds and pictures that are kept: some 20 kB each, but for a long recording."""
FPS = 5
"""Nominal, for rate control."""
VARIANTS = 2
"""Two key frames of H.264 in a row must differ in ``idr_pic_id`` (ITU-T H.264 7.4.3)."""

T = TypeVar("T")
Pictures = tuple[bytes, ...]

log = structlog.get_logger(__name__)


class CodedSounds:
    """Sounds that were encoded already, as an ``AudioEncoder`` of their blocks."""

    def __init__(self, sounds: Sounds, payloads: Mapping[int, bytes]) -> None:
        self._sounds = sounds  # kept: blocks are known by their identity
        self._payloads = payloads

    def encode(self, block: Int16Block) -> bytes:
        """The payload of a block of ``Sounds.blocks``."""
        return self._payloads[id(block)]

    def set_expected_loss(self, share: float) -> None:
        """Without effect."""

    def begin_anew(self) -> None:
        """Without effect."""


class Foyer:
    """Codes what is played to callers who wait; ``close`` in the end.

    Args:
        fan_out: sends it. pool: codes it.
    """

    def __init__(self, sounds: Sounds, fan_out: FanOut, pool: Pool) -> None:
        self.sounds = sounds
        self.fan_out = fan_out
        self._pool = pool
        self._coded: OrderedDict[Hashable, object] = OrderedDict()

    def close(self) -> None:
        """Stop coding."""
        self._pool.close()

    def code_sounds(self, key: EncodingKey, done: Callable[[CodedSounds], None]) -> None:
        """Give all sounds in a codec, at once or soon."""
        sounds = self.sounds

        def work() -> CodedSounds:
            encoder = make_encoder(key.codec, bitrate_bps=key.bitrate_bps or DEFAULT_BITRATE_BPS)
            return CodedSounds(sounds, {id(one): encoder.encode(one) for one in sounds.blocks()})

        self._code((key.codec, key.bitrate_bps), work, done)

    def code_picture(
        self, scene: PinScene, key: RenditionKey, done: Callable[[Pictures], None]
    ) -> None:
        """Give key frames of a scene, at once or soon, to be sent in turn; none where it fails."""

        def work() -> Pictures:
            frame = draw(scene, key.width, key.height).frame()
            encoder = VideoEncoder(
                key.codec,
                key.width,
                key.height,
                FPS,
                key.bitrate_bps,
                MAX_PAYLOAD_BYTES if key.single_nal else 0,
            )
            made = [encoder.encode(frame, key_frame=True) for _ in range(VARIANTS)]
            return tuple(one.data for one in made if one.data and one.key_frame)

        self._code((scene, key), work, done)

    def _code(self, key: Hashable, work: Callable[[], T], done: Callable[[T], None]) -> None:
        known = self._coded.get(key)
        if known is not None:
            self._coded.move_to_end(key)
            done(known)  # type: ignore[arg-type]
            return

        def finish(result: T | Exception) -> None:
            if isinstance(result, Exception):
                # Who waits goes without; the PIN can be entered all the same.
                log.error("prompt_not_coded", exc_info=result)
                return
            self._coded[key] = result
            if len(self._coded) > MAX_CODED:
                self._coded.popitem(last=False)
            done(result)

        self._pool.submit(work, finish)
