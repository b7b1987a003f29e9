"""What all payload formats share: size limits and their one error."""

MAX_DATAGRAM_SENT_BYTES = 1172
"""Largest datagram sent: with UDP's and IPv4's headers (28) it passes an MTU of 1,200 whole. IPv6
has none below 1,280."""

MAX_PAYLOAD_BYTES = MAX_DATAGRAM_SENT_BYTES - 12 - 28 - 2 - 16
"""Largest RTP payload sent: what RTP's header, its longest extensions (28, with a mid of 16
bytes), RTX's sequence number (2) and SRTP's longest tag (16) leave."""

MAX_FRAME_BYTES = 2_000_000
"""Largest picture put together from a peer's packets; more is an attack or a fault."""


class PayloadError(ValueError):
    """Payloads of one picture do not follow their format."""
