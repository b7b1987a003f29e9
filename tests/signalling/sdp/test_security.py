import pytest

from signalling.sdp import Crypto, Fingerprint, SdpError


def test_fingerprint_is_normalised() -> None:
    fingerprint = Fingerprint.parse("SHA-256 ab:Cd:01")
    assert fingerprint == Fingerprint("sha-256", "AB:CD:01")
    assert Fingerprint.parse(str(fingerprint)) == fingerprint


@pytest.mark.parametrize("text", ["", "sha-256", "sha-256 ", "sha-256 A:B", "sha-256 AB:", " AB"])
def test_fingerprint_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Fingerprint.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
        "2 AEAD_AES_256_GCM inline:abc|2^20|1:32 KDR=1 UNENCRYPTED_SRTCP",
        "3 AEAD_AES_128_GCM inline:abc \u00a0",
    ],
)
def test_crypto_round_trip(text: str) -> None:
    assert str(Crypto.parse(text)) == text


@pytest.mark.parametrize("text", ["", "1", "1 AES", "x AES inline:a", "1 A/B inline:a"])
def test_crypto_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Crypto.parse(text)
