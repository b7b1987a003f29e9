"""SIP addresses as people type them: into a form, a table, a site's file.

Stricter than ``parse_uri``, which reads what devices send: what a person types wrong is to be said
at once and in words, not to end as a name that nobody knows or a call that never comes.
"""

import ipaddress
import re
from typing import Final

from signalling.sip.errors import SipError
from signalling.sip.uri import SipUri, parameter, parse_uri

FIELD: Final = "address"
EXAMPLE: Final = "sip:room@example.org"
BY_GATEWAY: Final = " (a telephone number is called through a gateway: sip:NUMBER@gateway)"
TRANSPORTS: Final = ("udp", "tcp", "tls")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_OTHERS: Final = frozenset({
    "callto", "facetime", "file", "ftp", "h323", "http", "https", "im", "mailto", "msrp", "pres",
    "rtmp", "rtsp", "skype", "sms", "stun", "tel", "turn", "urn", "ws", "wss", "xmpp",
})  # fmt: skip
"""Schemes that are typed into such lines; ``tel:1`` would be a host called tel at port 1."""
_BROADCAST: Final = ipaddress.IPv4Address("255.255.255.255")
_PORT: Final = re.compile(r":([0-9]*)(?:[;?].*)?\Z")


def typed_address(text: str) -> SipUri:
    """An address as it is called: ``room@host`` is ``sip:room@host``, headers are left out.

    Raises:
        SipError: it cannot be called by SIP; ``detail`` says what is wrong and what to write.
    """
    found = _SCHEME.match(text)
    scheme = "" if found is None else found[1].lower()
    if scheme in _OTHERS:
        raise _wrong(f"{scheme}: is not called by SIP{BY_GATEWAY if scheme == 'tel' else ''}")
    has_scheme = scheme in ("sip", "sips")
    rest = (text.partition(":")[2] if has_scheme else text).partition("?")[0]
    if not rest:
        raise _wrong("it names no host")
    if not text.isprintable() or any(character in '<>" ' for character in text):
        raise _wrong("it holds spaces, brackets, quotation marks or control characters")
    if rest.removeprefix("+").isdecimal() or _is_written_number(rest):
        raise _wrong(f"{rest} names no host{BY_GATEWAY}")
    behind = rest.rpartition("@")[2]
    if not behind or behind[0] in ":;":
        raise _wrong("it names no host")
    if behind.startswith("[") and "]" not in behind:
        raise _wrong("the bracket of the IPv6 address is not closed")
    port = _PORT.search(behind.partition("]")[2] if behind.startswith("[") else behind)
    if port is not None and not (port[1] and len(port[1]) < 6 and 0 < int(port[1]) < 65_536):
        raise _wrong(f"the port {port[1]!r} is none: 1 to 65535")
    if not has_scheme and "@" in rest and ":" in rest.partition("@")[0]:
        raise _wrong("what stands before the first colon is no sip: or sips:")
    try:
        uri = parse_uri(f"{scheme if has_scheme else 'sip'}:{rest}", FIELD)
    except SipError as error:
        raise _wrong(f"it {error.detail}") from error
    _check_host(uri.host)
    _check_transport(uri)
    return uri


def _is_written_number(text: str) -> bool:
    """Whether it is a telephone number as people group it: ``024.38.251.234``, ``(024)3825/1234``.

    Digits in groups that are no IPv4 address, with a 0 in front as numbers of a country have.
    """
    digits = re.sub(r"[.()/-]", "", text)
    return digits.isdecimal() and digits.startswith("0") and 9 <= len(digits) <= 12


def _check_host(host: str) -> None:
    """A name whose last part is a number is an address with a mistake in it (RFC 1123 2.1)."""
    bare = host.strip("[]")
    last = bare.rstrip(".").rpartition(".")[2]
    if not host.startswith("[") and not last.isdecimal():
        return
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if host.startswith("["):
            return  # with a zone; that it is an address was seen when it was read
        raise _wrong(f"{host} is no IPv4 address") from None
    if address.is_multicast or address == _BROADCAST:
        raise _wrong(f"{bare} is the address of many, not of a room")


def _check_transport(uri: SipUri) -> None:
    wanted = parameter(uri.parameters, "transport")
    if wanted is None:
        return
    usable = TRANSPORTS[1:] if uri.scheme == "sips" else TRANSPORTS
    if wanted.lower() not in usable:
        raise _wrong(f"the transport {wanted!r} is none of {', '.join(usable)}")


def _wrong(what: str) -> SipError:
    return SipError(FIELD, f"is no SIP address: {what}; write it as in {EXAMPLE}")
