"""What a payload type means: ``a=rtpmap``, ``a=fmtp``, ``a=rtcp-fb``, ``a=extmap``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from signalling.sdp.errors import SdpError
from signalling.sdp.fields import MAX_PAYLOAD_TYPE, number, token

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(frozen=True, slots=True)
class RtpMap:
    """``a=rtpmap`` (RFC 8866 section 6.6); ``channels`` 0 where the line names none."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 0

    @classmethod
    def parse(cls, text: str) -> "RtpMap":
        """Read ``pt encoding/clock[/channels]``."""
        payload_type, _, rest = text.partition(" ")
        parts = rest.strip().split("/")
        if len(parts) not in (2, 3):
            raise SdpError("rtpmap is not 'payload-type encoding/clock-rate'")
        return cls(
            number(payload_type, "payload type", 0, MAX_PAYLOAD_TYPE),
            token(parts[0], "encoding name"),
            number(parts[1], "clock rate", 1, 2**32 - 1),
            number(parts[2], "channels", 1, 255) if len(parts) == 3 else 0,
        )

    def __str__(self) -> str:
        channels = f"/{self.channels}" if self.channels else ""
        return f"{self.payload_type} {self.encoding}/{self.clock_rate}{channels}"


@dataclass(frozen=True, slots=True)
class Fmtp:
    """``a=fmtp`` (RFC 8866 section 6.15); ``text`` is kept as it came."""

    payload_type: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Fmtp":
        """Read ``format parameters``."""
        payload_type, _, rest = text.partition(" ")
        return cls(token(payload_type, "fmtp format"), rest.strip())

    def __str__(self) -> str:
        return f"{self.payload_type} {self.text}".rstrip()

    @property
    def parameters(self) -> dict[str, str]:
        """The ``key=value`` pairs, keys in lower case; a key without value maps to ``""``."""
        found: dict[str, str] = {}
        for part in self.text.split(";"):
            key, _, value = part.strip().partition("=")
            if key:
                found.setdefault(key.strip().lower(), value.strip())
        return found


def format_parameters(parameters: Mapping[str, str]) -> str:
    """Write fmtp parameters as ``key=value;key``, in the mapping's order."""
    return ";".join(f"{key}={value}" if value else key for key, value in parameters.items())


@dataclass(frozen=True, slots=True)
class RtcpFeedback:
    """``a=rtcp-fb`` (RFC 4585 section 4.2); ``payload_type`` None stands for ``*``."""

    payload_type: int | None
    type: str
    parameter: str = ""

    @classmethod
    def parse(cls, text: str) -> "RtcpFeedback":
        """Read ``pt|* type [parameter]``."""
        parts = text.split(" ", 2)
        if len(parts) < 2 or not parts[1]:
            raise SdpError("rtcp-fb is not 'payload-type type'")
        wild = parts[0] == "*"
        payload_type = None if wild else number(parts[0], "payload type", 0, MAX_PAYLOAD_TYPE)
        return cls(payload_type, parts[1], parts[2].strip() if len(parts) == 3 else "")

    def __str__(self) -> str:
        payload_type = "*" if self.payload_type is None else str(self.payload_type)
        parameter = f" {self.parameter}" if self.parameter else ""
        return f"{payload_type} {self.type}{parameter}"


@dataclass(frozen=True, slots=True)
class ExtMap:
    """``a=extmap`` (RFC 8285 section 8); ``direction`` empty where the line gives none."""

    id: int
    uri: str
    direction: str = ""
    attributes: str = ""

    @classmethod
    def parse(cls, text: str) -> "ExtMap":
        """Read ``id[/direction] URI [attributes]``."""
        parts = text.split(" ", 2)
        if len(parts) < 2 or not parts[1]:
            raise SdpError("extmap is not 'id URI'")
        identifier, slash, direction = parts[0].partition("/")
        if slash and direction not in DIRECTIONS:
            raise SdpError(f"extmap direction is unknown: {direction[:20]!r}")
        return cls(
            number(identifier, "extmap id", 1, 4351),
            parts[1],
            direction,
            parts[2] if len(parts) == 3 else "",
        )

    def __str__(self) -> str:
        direction = f"/{self.direction}" if self.direction else ""
        attributes = f" {self.attributes}" if self.attributes else ""
        return f"{self.id}{direction} {self.uri}{attributes}"
