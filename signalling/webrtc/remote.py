"""The peer's end of the transport, read from its offer: ICE credentials, DTLS identity and role."""

import re
from dataclasses import dataclass

from signalling.media.negotiated import DtlsRole, OfferRefused
from signalling.sdp import Fingerprint, MediaSection, Section, SessionDescription

HASH_FUNCTIONS = ("sha-256", "sha-384", "sha-512")
"""Accepted for fingerprints; RFC 8122 section 5 forbids the older ones."""

# RFC 8839 section 5.4: ice-char, 4 to 256 and 22 to 256 of them.
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}\Z")


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """What one bundled transport needs to know of the peer; ``role`` is ours."""

    ufrag: str
    pwd: str
    fingerprints: tuple[Fingerprint, ...]
    role: DtlsRole


def read_transport(offer: SessionDescription, media: MediaSection) -> RemoteTransport:
    """Read the transport that ``media``, the first accepted section, stands on.

    Raises:
        OfferRefused: credentials or a usable fingerprint are missing or malformed.
    """
    places = _places(offer, media)
    ufrag = _first(places, "ice-ufrag")
    if not ufrag or not _UFRAG.match(ufrag):
        raise OfferRefused("the offer has no valid a=ice-ufrag", "ice-ufrag")
    pwd = _first(places, "ice-pwd")
    if not pwd or not _PWD.match(pwd):
        raise OfferRefused("the offer has no valid a=ice-pwd", "ice-pwd")
    fingerprints = next((place.fingerprints for place in places if place.fingerprints), ())
    usable = tuple(f for f in fingerprints if f.algorithm in HASH_FUNCTIONS)
    if not usable:
        raise OfferRefused(
            f"the offer has no a=fingerprint with one of {', '.join(HASH_FUNCTIONS)}; "
            "media is only taken over DTLS-SRTP",
            "fingerprint",
        )
    # Without a=setup the offerer is active (RFC 4145 section 4); we are passive wherever we can.
    setup = _first(places, "setup") or "active"
    if setup not in ("active", "passive", "actpass"):
        raise OfferRefused(f"a=setup:{setup[:20]} cannot be answered", "setup")
    return RemoteTransport(ufrag, pwd, usable, "client" if setup == "passive" else "server")


def _places(offer: SessionDescription, media: MediaSection) -> tuple[Section, ...]:
    """Where transport attributes may stand: the section, the bundle's first one, the session.

    Bundle-only sections of an offer carry none of their own (RFC 8843 section 7.1.3).
    """
    bundle = offer.group("BUNDLE")
    tagged = [
        other
        for other in offer.media
        if bundle and bundle.mids and media.mid in bundle.mids and other.mid == bundle.mids[0]
    ]
    return (media, *tagged[:1], offer)


def _first(places: tuple[Section, ...], name: str) -> str | None:
    return next((value for place in places if (value := place.attribute(name))), None)
