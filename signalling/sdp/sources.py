"""Which streams belong together: ``a=group``, ``a=msid``, ``a=ssrc``, ``a=ssrc-group``."""

from dataclasses import dataclass

from signalling.sdp.errors import SdpError
from signalling.sdp.fields import MAX_SSRC, number, token


@dataclass(frozen=True, slots=True)
class SsrcAttribute:
    """``a=ssrc`` (RFC 5576 section 4.1).

    ``attribute`` is empty where a peer names its SSRC alone, as Linphone does.
    """

    ssrc: int
    attribute: str
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> "SsrcAttribute":
        """Read ``ssrc [attribute[:value]]``."""
        ssrc, _, rest = text.partition(" ")
        attribute, _, value = rest.partition(":")
        if rest and not attribute:
            raise SdpError("ssrc line names no attribute")
        return cls(number(ssrc, "SSRC", 0, MAX_SSRC), attribute, value)

    def __str__(self) -> str:
        if not self.attribute:
            return str(self.ssrc)
        return f"{self.ssrc} {self.attribute}" + (f":{self.value}" if self.value else "")


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    """``a=ssrc-group`` (RFC 5576 section 4.2)."""

    semantics: str
    ssrcs: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "SsrcGroup":
        """Read ``semantics ssrc ssrc...``."""
        semantics, *ssrcs = text.split() or [""]
        numbers = tuple(number(ssrc, "SSRC", 0, MAX_SSRC) for ssrc in ssrcs)
        return cls(token(semantics, "ssrc-group semantics"), numbers)

    def __str__(self) -> str:
        return " ".join([self.semantics, *map(str, self.ssrcs)])


@dataclass(frozen=True, slots=True)
class Group:
    """``a=group`` (RFC 5888 section 5)."""

    semantics: str
    mids: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Group":
        """Read ``semantics mid mid...``."""
        semantics, *mids = text.split() or [""]
        return cls(token(semantics, "group semantics"), tuple(token(mid, "mid") for mid in mids))

    def __str__(self) -> str:
        return " ".join([self.semantics, *self.mids])


@dataclass(frozen=True, slots=True)
class Msid:
    """``a=msid`` (RFC 8830 section 2): the stream and, where given, the track."""

    stream: str
    track: str = ""

    @classmethod
    def parse(cls, text: str) -> "Msid":
        """Read ``stream [track]``."""
        parts = text.split()
        if len(parts) not in (1, 2):
            raise SdpError("msid is not 'stream [track]'")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.stream} {self.track}".rstrip()
