"""How media is protected: ``a=fingerprint`` for DTLS, ``a=crypto`` for SDES."""

import re
from dataclasses import dataclass

from signalling.sdp.errors import SdpError
from signalling.sdp.fields import number, token

_HEX_OCTETS = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){0,127}\Z")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """``a=fingerprint`` (RFC 8122 section 5): lower-case algorithm, upper-case hex octets."""

    algorithm: str
    value: str

    @classmethod
    def parse(cls, text: str) -> "Fingerprint":
        """Read ``algorithm XX:XX:...``."""
        algorithm, _, value = text.partition(" ")
        if not _HEX_OCTETS.match(value.strip()):
            raise SdpError("fingerprint is not hexadecimal octets separated by colons")
        return cls(token(algorithm, "hash function").lower(), value.strip().upper())

    def __str__(self) -> str:
        return f"{self.algorithm} {self.value}"


@dataclass(frozen=True, slots=True)
class Crypto:
    """``a=crypto`` (RFC 4568 section 9.1), as SIP peers offer it."""

    tag: int
    suite: str
    key_parameters: str
    session_parameters: str = ""

    @classmethod
    def parse(cls, text: str) -> "Crypto":
        """Read ``tag suite inline:...[ session parameters]``."""
        parts = text.split(" ", 3)
        if len(parts) < 3 or not parts[2]:
            raise SdpError("crypto is not 'tag suite key-parameters'")
        return cls(
            number(parts[0], "crypto tag", 0, 999_999_999),
            token(parts[1], "crypto suite"),
            parts[2],
            parts[3] if len(parts) == 4 else "",
        )

    def __str__(self) -> str:
        session = f" {self.session_parameters}" if self.session_parameters else ""
        return f"{self.tag} {self.suite} {self.key_parameters}{session}"
