"""What descriptions say of ICE and DTLS: credentials, certificates, who begins."""

import re
from collections.abc import Sequence

from signalling.media.negotiated import DtlsRole
from signalling.sdp import Fingerprint, Section

HASH_FUNCTIONS = ("sha-256", "sha-384", "sha-512")
"""Accepted for fingerprints; RFC 8122 section 5 forbids the older ones."""

# RFC 8839 section 5.4: ice-char, 4 to 256 and 22 to 256 of them.
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}\Z")


def first_value(places: Sequence[Section], name: str) -> str | None:
    """The value of an attribute in the first of the places that has it."""
    return next((value for place in places if (value := place.attribute(name))), None)


def ice_credentials(places: Sequence[Section]) -> tuple[str | None, str | None]:
    """``a=ice-ufrag`` and ``a=ice-pwd``; None for one that is absent or malformed."""
    ufrag, pwd = first_value(places, "ice-ufrag"), first_value(places, "ice-pwd")
    return (
        ufrag if ufrag and _UFRAG.match(ufrag) else None,
        pwd if pwd and _PWD.match(pwd) else None,
    )


def usable_fingerprints(places: Sequence[Section]) -> tuple[Fingerprint, ...]:
    """``a=fingerprint`` of the first place that has any, with hash functions that count."""
    found = next((place.fingerprints for place in places if place.fingerprints), ())
    return tuple(one for one in found if one.algorithm in HASH_FUNCTIONS)


def answering_role(setup: str | None) -> DtlsRole | None:
    """Our DTLS role in an answer to ``a=setup``; None where it cannot be answered.

    Without the attribute the offerer is active (RFC 4145 section 4); we are passive, the server,
    wherever we can.
    """
    if setup in (None, "", "active", "actpass"):
        return "server"
    return "client" if setup == "passive" else None
