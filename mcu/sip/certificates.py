"""TLS of SIP: what we show, whom we believe, and whose name a certificate bears (RFC 5922)."""

import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

ClientCertificates = Literal["none", "asked", "required"]

_VERIFY: Mapping[ClientCertificates, ssl.VerifyMode] = {
    "none": ssl.CERT_NONE,
    "asked": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def server_context(
    certificate: Path,
    key: Path,
    *,
    authorities: Path | None = None,
    clients: ClientCertificates = "none",
) -> ssl.SSLContext:
    """For connections that come.

    Args:
        authorities: whose certificates clients may show; None: the system's.

    Raises:
        ssl.SSLError, OSError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if clients != "none":
        _believe(context, authorities, ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = _VERIFY[clients]
    return context


def client_context(
    certificate: Path | None = None, key: Path | None = None, *, authorities: Path | None = None
) -> ssl.SSLContext:
    """For connections that go; the name is compared by ``bears``.

    Args:
        certificate, key: shown where the other side asks.

    Raises:
        ssl.SSLError, OSError: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The library's own comparison takes wildcards, and knows nothing of URIs.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    _believe(context, authorities, ssl.Purpose.SERVER_AUTH)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def bears(certificate: Mapping[str, Any], domain: str) -> bool:
    """Whether a certificate is that of a domain, or of an address where it was called by one.

    RFC 5922 section 7: the SIP domains among its URIs count; where there are none, its DNS names.
    Wildcards stand for nothing, and the subject is not looked at.

    Args:
        certificate: as ``SSLObject.getpeercert`` gives it.
    """
    names = [(str(kind), str(name)) for kind, name in certificate.get("subjectAltName", ())]
    try:
        address = ipaddress.ip_address(domain)
    except ValueError:
        wanted = _plain(domain)
        sip = [name for kind, name in names if kind == "URI" and name.lower().startswith("sip:")]
        if sip:
            return any(_plain(uri[4:]) == wanted for uri in sip)
        return any(kind == "DNS" and _plain(name) == wanted for kind, name in names)
    return any(kind == "IP Address" and _is(name, address) for kind, name in names)


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _is(text: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return ipaddress.ip_address(text.strip()) == address
    except ValueError:
        return False


def _believe(context: ssl.SSLContext, authorities: Path | None, purpose: ssl.Purpose) -> None:
    if authorities is None:
        context.load_default_certs(purpose)
    else:
        context.load_verify_locations(authorities)
