import datetime

from cryptography.hazmat.primitives import hashes, serialization

from signalling.sdp import Fingerprint
from signalling.webrtc.certificate import DtlsCertificate, fingerprint_of, matches


def test_fingerprint_is_that_of_the_certificate() -> None:
    own = DtlsCertificate.generate()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(own.certificate.public_bytes(serialization.Encoding.DER))
    value = own.fingerprint.value
    assert bytes.fromhex(value.replace(":", "")) == digest.finalize()
    assert Fingerprint.parse(str(own.fingerprint)) == own.fingerprint


def test_certificates_differ() -> None:
    assert DtlsCertificate.generate().fingerprint != DtlsCertificate.generate().fingerprint


def test_validity() -> None:
    now = datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC)
    certificate = DtlsCertificate.generate(now).certificate
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc


def test_matches() -> None:
    own, other = DtlsCertificate.generate(), DtlsCertificate.generate()
    strong = fingerprint_of(own.certificate, "sha-512")
    assert matches(own.certificate, (own.fingerprint,))
    assert matches(own.certificate, (other.fingerprint, strong))
    assert not matches(own.certificate, (other.fingerprint,))
    assert not matches(own.certificate, ())
    assert not matches(own.certificate, (Fingerprint("sha-1", own.fingerprint.value),))
    assert not matches(own.certificate, (Fingerprint("sha-384", own.fingerprint.value),))
