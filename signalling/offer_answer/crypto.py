"""Keys in descriptions: ``a=crypto`` (SDES, RFC 4568; suites of RFC 7714).

Refused are lines whose parameters would change how packets look in a way that is not done here:
several keys, a key derivation rate, packets without encryption or authentication, and session
parameters that nobody knows and that are not marked as optional.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from signalling.offer_answer.agreement import SUITES
from signalling.sdp import Crypto

KEY_BYTES = {
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
    "AEAD_AES_128_GCM": 28,
    "AEAD_AES_256_GCM": 44,
}
"""Master key and master salt together (RFC 4568 section 6.2, RFC 7714 section 12)."""

MAX_MKI_BYTES = 128
_LIFETIME = re.compile(r"(2\^)?([0-9]{1,20})\Z")
_MKI = re.compile(r"([0-9]{1,40}):([0-9]{1,3})\Z")
_MAX_LIFETIME_PACKETS = 2**48
_HARMLESS = re.compile(r"(FEC_ORDER=(FEC_SRTP|SRTP_FEC)|FEC_KEY=.*|WSH=[0-9]{1,10}|-.*)\Z")
"""Of forward error correction, which is never agreed, of the peer's replay window, or optional."""


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """What one usable ``a=crypto`` line says: the key its writer sends with."""

    tag: int
    suite: str
    key: bytes = field(repr=False)
    mki_bytes: int = 0


def read_key(crypto: Crypto) -> OfferedKey | None:
    """Read a line; None where it cannot be used."""
    length = KEY_BYTES.get(crypto.suite)
    if length is None or not all(map(_HARMLESS.match, crypto.session_parameters.split())):
        return None
    method, _, parameters = crypto.key_parameters.partition(":")
    if method != "inline" or ";" in parameters:
        return None
    encoded, *extra = parameters.split("|")
    mki_bytes = _read_extra(extra)
    key = _decode(encoded)
    if mki_bytes is None or key is None or len(key) != length:
        return None
    return OfferedKey(crypto.tag, crypto.suite, key, mki_bytes)


def choose_key(cryptos: Iterable[Crypto], suites: Sequence[str]) -> OfferedKey | None:
    """The first line, in the order of the peer, that can be used; one without MKI before others."""
    keys = [key for crypto in cryptos if crypto.suite in suites and (key := read_key(crypto))]
    return next((key for key in keys if not key.mki_bytes), keys[0] if keys else None)


def write_key(tag: int, suite: str, key: bytes) -> Crypto:
    """A line of ours: one key, no lifetime, no MKI."""
    return Crypto(tag, suite, "inline:" + base64.b64encode(key).decode())


def suite_of(profile: str) -> str:
    """The suite of an SRTP profile."""
    return next(suite for suite, name in SUITES.items() if name == profile)


def _decode(encoded: str) -> bytes | None:
    if len(encoded) > 100:
        return None
    padded = encoded + "=" * (-len(encoded) % 4)  # some leave the padding out
    try:
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _read_extra(parts: Sequence[str]) -> int | None:
    """Lifetime and MKI behind a key: the MKI's length, 0 without; None where they are no such."""
    rest = list(parts)
    if rest and (lifetime := _LIFETIME.match(rest[0])):
        rest.pop(0)
        exponential, digits = lifetime.groups()
        value = int(digits)
        packets = 2 ** min(value, 99) if exponential else value
        if not 0 < packets <= _MAX_LIFETIME_PACKETS:
            return None
    if not rest:
        return 0
    mki = _MKI.match(rest[0]) if len(rest) == 1 else None
    if mki is None:
        return None
    value, length = int(mki[1]), int(mki[2])
    fits = 1 <= length <= MAX_MKI_BYTES and value < 256**length
    return length if fits else None
