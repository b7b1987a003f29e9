"""Why a message of ours found no way, in words for the ladder."""

import os
import ssl
from collections.abc import Mapping
from typing import Final, Protocol

MAX_DETAIL: Final = 400

_WORDS: Final[Mapping[str, str]] = {
    "lookup": "the name is known neither to DNS nor to /etc/hosts",
    "dns": "no name server answers, and /etc/hosts does not know the name",
    "transport": "its transport is none of this server's",
    "family": "it has no address of a family that this server has",
    "icmp": "nobody takes it there, as the network says (ICMP)",
    "address": "it is no address of SIP",
    "connection": "no connection",
    "gone": "the connection it came by is gone",
    "certificate": "the certificate there is not of that name",
    "socket": "the network does not take it",
    "crowd": "too many wait for a way",
    "fault": "a defect of this server; its log says more",
}


class Failed(Protocol):
    """Told why a message could not be sent."""

    def __call__(self, cause: str, detail: str = "") -> None:
        """Take it.

        Args:
            cause: as it is counted (``TransportCounts.unsent``). detail: what the system says.
        """


def why(cause: str, detail: str = "") -> str:
    """What stands in the ladder: ``no connection: Connection refused``."""
    words = _WORDS.get(cause, cause)
    return f"{words}: {detail[:MAX_DETAIL]}" if detail else words


def said_by(error: BaseException, wait_s: float) -> str:
    """What the system says of a connection that was not made.

    Args:
        wait_s: how long was waited for it.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'reason', None) or error}"
    if isinstance(error, TimeoutError) and not getattr(error, "errno", None):
        return f"no answer within {wait_s:g} s"
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)
