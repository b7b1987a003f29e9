"""What a leg hands to the engine: media of one source, reordered and taken out of RTP.

Both values cross from the packet side to the codec side, so they hold bytes and plain
numbers only, and are made once per packet (audio) or once per picture (video). They are tuples
because those are made and pickled several times faster than frozen dataclasses.
"""

from typing import NamedTuple


class AudioPacket(NamedTuple):
    """One RTP audio payload, in the order it arrived (the playout buffer reorders).

    Args:
        sequence: extended RTP sequence number; grows without wrapping (RFC 3550 A.1).
        timestamp: extended RTP timestamp in the codec's RTP clock; may be negative only
            before the first wrap.
        payload: the codec's bytes; empty: the sender is silent until the packet of sound that
            comes under this same sequence number, but for noise of ``level_dbov``.
        level_dbov: RFC 6464 audio level, 0 (loudest) to -127 (silence); None when the
            packet carried no such extension.
        voice: RFC 6464 voice activity flag; False where absent.
    """

    sequence: int
    timestamp: int
    payload: bytes
    level_dbov: int | None
    voice: bool


class EncodedFrame(NamedTuple):
    """One complete coded picture.

    Args:
        data: H.264 Annex B access unit, or a VP8 frame; never empty.
        timestamp: extended RTP timestamp, 90 kHz.
        key_frame: the picture can be decoded without earlier ones.
        contiguous: False when pictures before this one were lost, so that a decoder must
            wait for a key frame (and the source has been asked for one).
    """

    data: bytes
    timestamp: int
    key_frame: bool
    contiguous: bool
