"""What every audio codec looks like to the mixer: 48 kHz mono int16 on the inside."""

from typing import Protocol

from mixer.audio.block import Int16Block


class PayloadError(ValueError):
    """A payload that is not what the codec's format allows. Its sender's fault, never fatal."""


class AudioDecoder(Protocol):
    """Decoding state of one source."""

    def decode(self, payload: bytes) -> Int16Block:
        """The packet's samples, 48 kHz mono, at most 120 ms, owned by the caller.

        Raises:
            PayloadError: the payload is damaged; the state stays usable.
        """

    def has_fec(self, payload: bytes) -> bool:
        """Whether the packet repeats the one before it and ``decode_fec`` can read that."""

    def decode_fec(self, next_payload: bytes, samples: int) -> Int16Block | None:
        """A lost packet of ``samples`` out of what the packet after it repeats.

        Returns None, and changes nothing, when that packet repeats nothing.
        """

    def conceal(self, samples: int) -> Int16Block:
        """A plausible continuation, exactly ``samples`` long (at most 120 ms). Never raises."""

    def is_dtx(self, payload: bytes) -> bool:
        """Whether the sender says with this packet that it falls silent (nothing follows)."""


class AudioEncoder(Protocol):
    """Encoding state of one stream."""

    def encode(self, block: Int16Block) -> bytes:
        """One payload for one tick.

        Args:
            block: int16, shape (960,), 48 kHz mono.
        Raises:
            ValueError: another shape.
        """

    def set_expected_loss(self, share: float) -> None:
        """Reckon with a share of lost packets (0 to 1); no effect on a codec without FEC."""

    def begin_anew(self) -> None:
        """Let the next packet lean as little as possible on those before it.

        For decoders that have heard another encoder until now: what they predict from is alike,
        not the same. No effect on a codec without such prediction.
        """
