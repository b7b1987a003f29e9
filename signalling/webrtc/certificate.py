"""Our DTLS identity: a self-signed certificate, known to peers by its fingerprint only."""

import datetime
import secrets
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signalling.sdp import Fingerprint

DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}
VALID_DAYS = 3_650
"""A daemon runs around the clock for years; nobody but the fingerprint decides about trust."""


@dataclass(frozen=True, eq=False)
class DtlsCertificate:
    """A P-256 key and a certificate for it (RFC 8827 section 6.5)."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def generate(cls, now_utc: datetime.datetime | None = None) -> "DtlsCertificate":
        """Make one, valid from a day before ``now_utc`` for ``VALID_DAYS``.

        Args:
            now_utc: time of the machine by default; peers compare fingerprints, not dates.
        """
        now = now_utc or datetime.datetime.now(tz=datetime.UTC)
        key = ec.generate_private_key(ec.SECP256R1())
        # A random name: nothing about the installation is told before the peer is known.
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(16))])
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        )
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def fingerprint(self) -> Fingerprint:
        """SHA-256, as it goes into an answer."""
        return fingerprint_of(self.certificate, "sha-256")


def fingerprint_of(certificate: x509.Certificate, algorithm: str) -> Fingerprint:
    """The certificate's fingerprint; KeyError for a hash function not in ``DIGESTS``."""
    digest = certificate.fingerprint(DIGESTS[algorithm])
    return Fingerprint(algorithm, digest.hex(":").upper())


def matches(certificate: x509.Certificate, fingerprints: tuple[Fingerprint, ...]) -> bool:
    """Whether the certificate is one the peer announced (RFC 8122 section 5).

    A peer with several certificates announces a fingerprint of each, so one match is enough;
    but of one hash function at least one must be known here.
    """
    return any(
        fingerprint_of(certificate, wanted.algorithm) == wanted
        for wanted in fingerprints
        if wanted.algorithm in DIGESTS
    )
