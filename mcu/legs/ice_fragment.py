"""trickle-ice-sdpfrag bodies (RFC 8840 9, as WHIP uses them for ICE restarts, RFC 9725 4.3)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from signalling.sdp import IceCandidate, SdpError

MAX_FRAGMENT_BYTES = 16_384

# RFC 8839 5.4: ice-char, 4 to 256 and 22 to 256 of them.
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}\Z")


@dataclass(frozen=True, slots=True)
class IceFragment:
    """The ICE credentials a fragment carries; its candidates are of no use to a lite agent."""

    ufrag: str
    pwd: str

    @classmethod
    def parse(cls, text: str) -> "IceFragment":
        """Read a fragment.

        Raises:
            SdpError: too long, or its credentials are missing or malformed.
        """
        if len(text) > MAX_FRAGMENT_BYTES:
            raise SdpError("the fragment is too long")
        ufrag = pwd = None
        for line in text.splitlines():
            name, _, value = line.strip().partition(":")
            if name == "a=ice-ufrag" and ufrag is None:
                ufrag = value
            elif name == "a=ice-pwd" and pwd is None:
                pwd = value
        if ufrag is None or not _UFRAG.match(ufrag):
            raise SdpError("the fragment has no valid a=ice-ufrag")
        if pwd is None or not _PWD.match(pwd):
            raise SdpError("the fragment has no valid a=ice-pwd")
        return cls(ufrag, pwd)


def write_fragment(
    ufrag: str, pwd: str, mid: str, kind: str, candidates: Sequence[IceCandidate]
) -> str:
    """Our fragment: new credentials and all candidates, for the bundle's first section.

    Args:
        mid, kind: of that section (``audio`` or ``video``).
    """
    lines = [
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        f"m={kind} 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        *(f"a=candidate:{candidate}" for candidate in candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"
