"""What all payload formats share: size limits and their one error."""

MAX_PAYLOAD_BYTES = 1176
"""Largest RTP payload sent. With RTP header and extensions (28), RTX sequence (2), GCM tag (16),
UDP and IPv6 headers (48) it stays below 1,280 bytes, IPv6's smallest MTU."""

MAX_FRAME_BYTES = 2_000_000
"""Largest picture put together from a peer's packets; more is an attack or a fault."""


class PayloadError(ValueError):
    """Payloads of one picture do not follow their format."""
