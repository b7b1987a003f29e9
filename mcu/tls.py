"""The certificate of the pages and the API: the organisation's, or one made here.

Browsers give camera and microphone only to HTTPS or to localhost. So a loopback address may be
served plainly, and any other address without a configured certificate gets a self-signed one, which
is kept in the data directory, reused, and renewed before it expires.
"""

import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.problems import Problem, SettingsError
from config.sections import HttpSettings
from config.settings import Settings

VALIDITY = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)

ADVICE = (
    "The certificate is self-signed, so browsers warn of it. Install the organisation's own: set "
    "http.tls_certificate and http.tls_key to its PEM files (or MCU_HTTP__TLS_CERTIFICATE and "
    "MCU_HTTP__TLS_KEY in the environment)."
)

TlsKind = Literal["plain", "configured", "self-signed"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, checked to belong together.

    Args:
        certificate, key: PEM files.
        names: DNS names and addresses it is good for.
        fingerprint: SHA-256, hexadecimal with colons, as browsers show it.
    """

    certificate: Path
    key: Path
    names: tuple[str, ...]
    fingerprint: str
    expires_at: datetime


def tls_kind(http: HttpSettings) -> TlsKind:
    """How the configured address is served."""
    if http.tls_certificate is not None:
        return "configured"
    return "plain" if is_loopback(http.host) else "self-signed"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address; other names are taken as reachable."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ssl_context(settings: Settings, now: datetime | None = None) -> ssl.SSLContext | None:
    """Make what the HTTP server needs; None where it is served plainly.

    Makes or renews the self-signed certificate in ``data_dir`` where one is needed.

    Raises:
        SettingsError: a configured file is unreadable or does not fit; ``data_dir`` not writable.
    """
    certificate = prepare(settings, now or datetime.now(UTC))
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate.certificate, certificate.key)
    except (ssl.SSLError, OSError) as error:
        reason = f"{certificate.certificate} cannot be used ({error})"
        raise SettingsError([Problem("http.tls_certificate", reason)]) from error
    return context


def prepare(settings: Settings, now: datetime) -> Certificate | None:
    """Find or make the certificate to serve with; None where it is served plainly.

    Raises:
        SettingsError: as for ``ssl_context``.
    """
    kind = tls_kind(settings.http)
    if kind == "plain":
        return None
    if kind == "configured":
        return configured_certificate(settings.http)
    kept = kept_certificate(settings, now)
    return kept if kept is not None else _make(settings, now)


def configured_certificate(http: HttpSettings) -> Certificate:
    """Check the organisation's certificate and key.

    Raises:
        SettingsError: names ``http.tls_certificate`` or ``http.tls_key``, and why.
    """
    if http.tls_certificate is None or http.tls_key is None:
        raise ValueError("no certificate is configured")
    return _checked(http.tls_certificate, http.tls_key)


def sip_certificate(settings: Settings, now: datetime) -> Certificate:
    """The certificate of SIP over TLS: its own, else the one of HTTP, else the self-signed one.

    Raises:
        SettingsError: a configured file is unreadable or does not fit; ``data_dir`` not writable.
    """
    sip = settings.sip
    if sip.tls_certificate is not None and sip.tls_key is not None:
        return _checked(sip.tls_certificate, sip.tls_key, "sip")
    found = prepare(settings, now) or kept_certificate(settings, now)
    return found if found is not None else _make(settings, now)


def kept_certificate(settings: Settings, now: datetime) -> Certificate | None:
    """Give the self-signed certificate made earlier, if it still serves."""
    certificate, key = _places(settings)
    try:
        found = _checked(certificate, key)
    except SettingsError:
        return None  # missing, damaged, or half renewed when the power failed: made again
    covered = set(_required_names(settings)) <= set(found.names)
    return found if covered and found.expires_at - now > RENEW_BEFORE else None


def _places(settings: Settings) -> tuple[Path, Path]:
    directory = settings.data_dir / "tls"
    return directory / "certificate.pem", directory / "key.pem"


def _checked(certificate: Path, key: Path, section: str = "http") -> Certificate:
    of_certificate, of_key = f"{section}.tls_certificate", f"{section}.tls_key"
    try:
        first, *_chain = x509.load_pem_x509_certificates(_read(certificate, of_certificate))
    except ValueError as error:
        reason = f"{certificate} holds no PEM certificate"
        raise SettingsError([Problem(of_certificate, reason)]) from error
    try:
        private = serialization.load_pem_private_key(_read(key, of_key), password=None)
    except TypeError as error:
        reason = f"{key} is encrypted; give the key without a password"
        raise SettingsError([Problem(of_key, reason)]) from error
    except Exception as error:  # ValueError, UnsupportedAlgorithm, and OpenSSL's own kinds
        if isinstance(error, SettingsError):
            raise
        reason = f"{key} holds no PEM private key"
        raise SettingsError([Problem(of_key, reason)]) from error
    if private.public_key() != first.public_key():
        reason = f"{key} does not belong to the certificate in {certificate}"
        raise SettingsError([Problem(of_key, reason)])
    return Certificate(
        certificate=certificate,
        key=key,
        names=_names_of(first),
        fingerprint=first.fingerprint(hashes.SHA256()).hex(":"),
        expires_at=first.not_valid_after_utc,
    )


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror or error})"
        raise SettingsError([Problem(setting, reason)]) from error


def _names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    )


def _required_names(settings: Settings) -> list[str]:
    """Names without which the certificate is made again: what was configured, and IPv4."""
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), settings.http.host]
    if settings.http.public_url is not None:
        names.append(urlsplit(settings.http.public_url).hostname or "")
    names += settings.media.public_addresses
    names += (name for name in machine_addresses() if ":" not in name)
    return _usable(names)


def _usable(names: Sequence[str]) -> list[str]:
    """Each name once, in the form it has in a certificate; wildcards and non-names left out."""
    found: dict[str, None] = {}
    for name in names:
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            try:
                text = name.rstrip(".").encode("idna").decode("ascii").lower()
            except UnicodeError:
                continue  # a machine may be called anything; such a name cannot be asked for
            if text:
                found[text] = None
        else:
            if not address.is_unspecified:
                found[str(address)] = None
    return list(found)


def machine_addresses() -> list[str]:
    """The addresses under which others reach this machine: no loopback, no link-local ones."""
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ipaddress.ip_address(text.partition("%")[0])
            if not (address.is_link_local or address.is_loopback):
                found.append(str(address))
    return found


def _make(settings: Settings, now: datetime) -> Certificate:
    private = ec.generate_private_key(ec.SECP256R1())
    names = _usable([*_required_names(settings), *machine_addresses()])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MCU, self-signed")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # rooms' clocks may be behind
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(private, hashes.SHA256())
    )
    pem_key = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate_path, key_path = _places(settings)
    try:
        certificate_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(key_path, pem_key)
        _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
    except OSError as error:
        reason = f"{settings.data_dir} cannot be written ({error.strerror or error})"
        raise SettingsError([Problem("data_dir", reason)]) from error
    return _checked(certificate_path, key_path)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, content: bytes) -> None:
    """Write with mode 0600 and put in place whole, so that no reader sees half a file."""
    partial = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
