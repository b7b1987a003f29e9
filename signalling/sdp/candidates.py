"""``a=candidate``: where an ICE agent can be reached."""

from dataclasses import dataclass

from signalling.sdp.errors import SdpError
from signalling.sdp.fields import address_type, number, token


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """``a=candidate`` (RFC 8839 section 5.1); the address may be an mDNS name.

    ``extensions`` holds what follows the type and the related address, as name and value.
    """

    foundation: str
    component: int
    transport: str
    priority: int
    address: str
    port: int
    type: str
    related_address: str = ""
    related_port: int | None = None
    extensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def host(cls, address: str, port: int, *, preference: int = 65535) -> "IceCandidate":
        """A UDP host candidate of component 1.

        Args:
            address: IPv4 or IPv6 literal. port: 1..65535.
            preference: local preference, 0..65535; differs between addresses of one agent.
        """
        priority = (126 << 24) | (preference << 8) | 255  # RFC 8445 section 5.1.2.1
        foundation = f"{address_type(address)[2:]}{preference}"
        return cls(foundation, 1, "udp", priority, address, port, "host")

    @classmethod
    def parse(cls, text: str) -> "IceCandidate":
        """Read ``foundation component transport priority address port typ type ...``."""
        parts = text.split()
        if len(parts) < 8 or parts[6] != "typ" or len(parts) % 2:
            raise SdpError("candidate is not 'foundation component transport ... typ type'")
        pairs = list(zip(parts[8::2], parts[9::2], strict=True))
        related_address, related_port = "", None
        if pairs and pairs[0][0] == "raddr":
            related_address = pairs.pop(0)[1]
            if pairs and pairs[0][0] == "rport":
                related_port = number(pairs.pop(0)[1], "related port", 0, 65535)
        return cls(
            foundation=parts[0],
            component=number(parts[1], "candidate component", 1, 256),
            transport=token(parts[2], "candidate transport"),
            priority=number(parts[3], "candidate priority", 0, 2**32 - 1),
            address=parts[4],
            port=number(parts[5], "candidate port", 0, 65535),
            type=token(parts[7], "candidate type"),
            related_address=related_address,
            related_port=related_port,
            extensions=tuple(pairs),
        )

    def __str__(self) -> str:
        words = [self.foundation, self.component, self.transport, self.priority]
        words += [self.address, self.port, "typ", self.type]
        if self.related_address:
            words += ["raddr", self.related_address]
            if self.related_port is not None:
                words += ["rport", self.related_port]
        for name, value in self.extensions:
            words += [name, value]
        return " ".join(map(str, words))
