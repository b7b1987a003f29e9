"""SIP addresses (RFC 3261 section 19) that are written again exactly as they came.

``sipmessage`` reads a URI into parts and writes it anew from them, with other escapes than it was
given; it knows neither other schemes nor header fields in a URI, and refuses hosts such as
``pc33`` or ``[2001:db8::192.0.2.1]``. Peers compare what they get back, so here the text is kept
beside the library's value, and the host is read by the rules of RFC 3261 and RFC 5118.
"""

import dataclasses
import ipaddress
import re
from collections.abc import Mapping

from sipmessage import URI

from signalling.sip.errors import SipError

MAX_URI_CHARACTERS = 1_024
MAX_TEL_CHARACTERS = 128
"""The library looks through a telephone number once for each of its digits."""
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\\-]*):")
_SIP = re.compile(
    r"(?P<before>[^@]*@)?(?P<host>\[[^\]]*\]|[^:;?@]+)(?P<after>[:;][^?]*)?(?P<headers>\?.*)?\Z"
)
_HOST_NAME = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_\-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_\-]*[A-Za-z0-9_])?)*\.?\Z"
)
_STAND_IN = "host.invalid"
_COMPARED = ("transport", "user", "ttl", "method", "maddr")


@dataclasses.dataclass(frozen=True, eq=False)
class SipUri(URI):
    """A URI with the text it was read from.

    Args:
        text: what ``str`` gives; empty for one that was put together here.
        headers: what stands behind ``?``, as it came.
    """

    text: str = ""
    headers: str = ""

    def __str__(self) -> str:
        return self.text or super().__str__()

    @property
    def is_sip(self) -> bool:
        """Whether it can be called by SIP: ``sip:`` or ``sips:``."""
        return self.scheme in ("sip", "sips")

    @property
    def transport(self) -> str | None:
        """The ``transport`` parameter in lower case; ``sips`` means TLS (RFC 5630)."""
        if self.scheme == "sips":
            return "tls"
        value = parameter(self.parameters, "transport")
        return value.lower() if value else None

    def same_as(self, other: "SipUri") -> bool:
        """Whether both mean the same resource (RFC 3261 section 19.1.4)."""
        if not (self.is_sip and other.is_sip):
            return str(self) == str(other)
        if (self.scheme, self.user, self.password, self.port, self.headers) != (
            other.scheme,
            other.user,
            other.password,
            other.port,
            other.headers,
        ):
            return False
        if self.host.lower() != other.host.lower():
            return False
        mine, theirs = _lower(self.parameters), _lower(other.parameters)
        return all(mine.get(name) == theirs.get(name) for name in _COMPARED) and all(
            mine[name] == theirs[name] for name in mine.keys() & theirs.keys()
        )


def parse_uri(text: str, field: str = "start-line") -> SipUri:
    """Read a URI of any scheme.

    Args:
        text: without angle brackets. field: where it stands, for the error.

    Raises:
        SipError: it is no URI, or no SIP address although its scheme says so.
    """
    if len(text) > MAX_URI_CHARACTERS:
        raise SipError(field, f"has a URI of more than {MAX_URI_CHARACTERS} characters", 414)
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise SipError(field, "has no URI where one should be")
    name = scheme[1].lower()
    rest = text[scheme.end() :]
    if name in ("sip", "sips"):
        return _sip_uri(text, name, rest, field)
    if name == "tel":
        if len(text) > MAX_TEL_CHARACTERS:
            raise SipError(field, "has a telephone number that is too long", 414)
        uri = _library_uri(f"tel:{rest}", field)
        return SipUri("tel", "", user=uri.user, parameters=uri.parameters, text=text)
    if not rest or not text.isprintable() or " " in text:
        raise SipError(field, "has a URI with characters that do not belong there")
    return SipUri(name, "", user=rest, text=text)


def _sip_uri(text: str, scheme: str, rest: str, field: str) -> SipUri:
    # The user part may hold ";", "?" and "/", so it is cut off before anything else is looked at.
    parts = _SIP.match(rest)
    if parts is None:
        raise SipError(field, "has a SIP address without a host")
    before, after = parts["before"] or "", parts["after"] or ""
    uri = _library_uri(f"{scheme}:{before}{_STAND_IN}{after}", field)
    if uri.port is not None and not 0 < uri.port < 65_536:
        raise SipError(field, "has a SIP address with a port that is none")
    return SipUri(
        scheme,
        parse_host(parts["host"], field),
        user=uri.user,
        password=uri.password,
        port=uri.port,
        parameters=uri.parameters,
        text=text,
        headers=(parts["headers"] or "")[1:],
    )


def _library_uri(text: str, field: str) -> URI:
    try:
        return URI.parse(text)
    except (ValueError, TypeError):  # TypeError: a parameter called "self"
        raise SipError(field, "has an address that is not valid") from None


def parse_host(text: str, field: str) -> str:
    """A host name, IPv4 address or ``[IPv6 address]``, the latter in its shortest form.

    RFC 5118 section 4.10: what follows from an error in the grammar of RFC 3261, three colons
    before an IPv4 part, is taken too.
    """
    if text.startswith("["):
        try:
            address = ipaddress.IPv6Address(text[1:-1].replace(":::", "::"))
        except ValueError:
            raise SipError(field, "has an IPv6 address that is none") from None
        return f"[{address}]"
    if len(text) > 255 or not _HOST_NAME.match(text):
        raise SipError(field, "has a host name that is none")
    return text


def parameter(parameters: Mapping[str, str | None], name: str) -> str | None:
    """A parameter by its name in any case; empty where it has no value, None where it is absent."""
    if name in parameters:
        return parameters[name] or ""
    for key, value in parameters.items():
        if key.lower() == name:
            return value or ""
    return None


def _lower(parameters: Mapping[str, str | None]) -> dict[str, str]:
    return {key.lower(): (value or "").lower() for key, value in parameters.items()}
