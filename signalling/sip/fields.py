"""Header fields that carry addresses and paths, read into the values of ``sipmessage``.

The library's values lose what peers compare (they write ``tag=a+b`` as ``tag=a%2Bb``), so whoever
sends a field back sends the text it came in; these values are for deciding only.
"""

import dataclasses
import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import unquote

from sipmessage import Address, CSeq, Headers, Parameters, Via

from signalling.sip.errors import SipError
from signalling.sip.uri import SipUri, parameter, parse_host, parse_uri

MAX_LIST_ITEMS = 70
"""Values of one list field (Via, Route, Contact): a request passes at most 70 proxies."""
MAX_SEQUENCE = 2**31 - 1
"""Of CSeq (RFC 3261 section 8.1.1.5)."""
MAX_SECONDS = 2**32 - 1
"""Of Expires and its kin (RFC 3261 section 20.19); what is larger means this."""

_PIECE = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)|<[^>]*(?:>|\Z)|,|[^",<]+', re.DOTALL)
_VIA = re.compile(
    r"(?P<protocol>SIP\s*/\s*2\.0\s*/\s*[A-Za-z0-9\-.!%*_+`'~]+)\s+"
    r"(?P<host>\[[^\]]*\]|[^\s:;,\[]+)\s*(?P<port>:\s*[0-9]{1,5})?\s*(?P<rest>;.*)?\Z",
    re.DOTALL | re.IGNORECASE,
)
_RECEIVED_IPV6 = re.compile(r"(;\s*received\s*=\s*)([0-9A-Fa-f]*:[0-9A-Fa-f:.]+)", re.IGNORECASE)
_PARAMETER = re.compile(
    r" *; *(?P<name>[A-Za-z0-9\-.!%*_+`'~]+)"
    r"(?: *= *(?P<value>\"(?:[^\"\\]|\\.)*\"|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-.!%*_+`'~]+))?"
)
_DIGITS = re.compile(r"[0-9]+\Z")
_NOTHING = "sip:host.invalid"
_NO_PARAMETERS = Parameters()


def split_list(values: Sequence[str], field: str) -> list[str]:
    """Items of a field that may come as a list, several times, or both; texts as they came.

    Raises:
        SipError: an item is empty, or there are more than ``MAX_LIST_ITEMS``.
    """
    items: list[str] = []
    for value in values:
        item: list[str] = []
        for piece in _PIECE.findall(value):
            if piece == ",":
                items.append("".join(item).strip())
                item = []
            else:
                item.append(piece)
        items.append("".join(item).strip())
    if len(items) > MAX_LIST_ITEMS:
        raise SipError(field, f"has more than {MAX_LIST_ITEMS} values", 513)
    if not all(items):
        raise SipError(field, "has an empty value between commas")
    return items


def read_address(text: str, field: str) -> Address:
    """One ``name-addr`` or ``addr-spec`` with its parameters; its ``uri`` is a ``SipUri``."""
    pieces = _PIECE.findall(text)
    bracket = next((at for at, piece in enumerate(pieces) if piece.startswith("<")), None)
    if bracket is None:
        # Without brackets all parameters are the field's (RFC 3261 section 20).
        bare, _, rest = text.partition(";")
        bare, name, rest = bare.strip(), "", f";{rest}" if rest else ""
        if "?" in bare or "," in bare or " " in bare:
            raise SipError(field, "has an address that must stand in angle brackets")
    else:
        bare = pieces[bracket]
        if not bare.endswith(">"):
            raise SipError(field, "has an angle bracket that is not closed")
        bare = bare[1:-1]
        name, rest = "".join(pieces[:bracket]), "".join(pieces[bracket + 1 :])
    uri = parse_uri(bare, field)
    if not name.strip():
        return Address(uri, parameters=_parameters(rest, field))
    try:
        # Without parameters: the library takes quotes of a name and of a parameter for one text.
        address = Address.parse(f"{name}<{_NOTHING}>")
    except ValueError:
        raise SipError(field, "has a name that is none") from None
    return dataclasses.replace(address, uri=uri, parameters=_parameters(rest, field))


def _parameters(text: str, field: str) -> Parameters:
    """What stands behind an address; quoted values keep their quotes, and may hold anything."""
    found: dict[str, str | None] = {}
    at = 0
    while part := _PARAMETER.match(text, at):
        value = part["value"]
        found[unquote(part["name"])] = None if value is None else unquote(value)
        at = part.end()
    if text[at:].strip(" ") or "self" in found:  # which the library cannot hold
        raise SipError(field, "is not an address with parameters")
    return Parameters(**found) if found else _NO_PARAMETERS


def uri_of(address: Address) -> SipUri:
    """The URI of an address that ``read_address`` read."""
    if not isinstance(address.uri, SipUri):
        return parse_uri(str(address.uri))
    return address.uri


def read_addresses(headers: Headers, field: str) -> tuple[Address, ...]:
    """All addresses of a list field; empty where it is absent."""
    return tuple(read_address(item, field) for item in split_list(headers.getlist(field), field))


def read_via(text: str) -> Via:
    """One hop of Via; an IPv6 address in ``received`` may lack brackets (RFC 5118 section 4.5)."""
    parts = _VIA.match(text)
    if parts is None:
        raise SipError("Via", "is not a protocol, a host and parameters")
    host = parse_host(parts["host"], "Via")
    rest = _RECEIVED_IPV6.sub(r"\1[\2]", parts["rest"] or "")
    port = (parts["port"] or "").replace(" ", "")
    try:
        via = Via.parse(f"{parts['protocol'].upper()} host.invalid{port}{rest}")
    except (ValueError, TypeError):
        raise SipError("Via", "has parameters that are none") from None
    return dataclasses.replace(via, host=host)


def read_vias(headers: Headers) -> tuple[Via, ...]:
    """All hops, the last one first."""
    return tuple(read_via(item) for item in split_list(headers.getlist("Via"), "Via"))


def read_cseq(text: str) -> CSeq:
    """Sequence number and method; at most ``MAX_SEQUENCE``."""
    number, _, method = text.partition(" ")
    if not _DIGITS.match(number) or len(number) > 20 or not method:
        raise SipError("CSeq", "is not a number and a method")
    if int(number) > MAX_SEQUENCE:
        raise SipError("CSeq", f"has a number above {MAX_SEQUENCE}")
    try:
        return CSeq.parse(f"{int(number)} {method}")
    except ValueError:
        raise SipError("CSeq", "has a method that is none") from None


def read_number(text: str | None, field: str, most: int = MAX_SECONDS) -> int | None:
    """A whole number that may be followed by parameters or a comment; ``most`` at most.

    Raises:
        SipError: it does not begin with digits.
    """
    if text is None:
        return None
    digits = re.split(r"[;( ]", text, maxsplit=1)[0]
    if not _DIGITS.match(digits):
        raise SipError(field, "is not a number")
    return most if len(digits) > 19 else min(int(digits), most)


def tokens(headers: Headers, field: str) -> frozenset[str]:
    """The words of a list field such as ``Supported``, in lower case."""
    return frozenset(
        token.strip().lower()
        for value in headers.getlist(field)
        for token in value.split(",")
        if token.strip()
    )


def tag_of(address: Address) -> str:
    """The ``tag`` of From or To; empty where there is none."""
    return parameter(address.parameters, "tag") or ""


def without_brackets(host: str) -> str:
    """An address as sockets want it; other hosts as they are."""
    return host[1:-1] if host.startswith("[") else host


def with_brackets(host: str) -> str:
    """A host as SIP writes it: IPv6 addresses in brackets."""
    try:
        return f"[{ipaddress.IPv6Address(host)}]"
    except ValueError:
        return host
