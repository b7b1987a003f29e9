"""The peer's end of the transport, read from its offer: ICE credentials, DTLS identity and role."""

from dataclasses import dataclass

from signalling.media.negotiated import DtlsRole, OfferRefused
from signalling.media.transport import (
    HASH_FUNCTIONS,
    answering_role,
    first_value,
    ice_credentials,
    usable_fingerprints,
)
from signalling.sdp import Fingerprint, MediaSection, Section, SessionDescription


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
    ufrag, pwd = ice_credentials(places)
    if ufrag is None:
        raise OfferRefused("the offer has no valid a=ice-ufrag", "ice-ufrag")
    if pwd is None:
        raise OfferRefused("the offer has no valid a=ice-pwd", "ice-pwd")
    usable = usable_fingerprints(places)
    if not usable:
        raise OfferRefused(
            f"the offer has no a=fingerprint with one of {', '.join(HASH_FUNCTIONS)}; "
            "media is only taken over DTLS-SRTP",
            "fingerprint",
        )
    setup = first_value(places, "setup")
    role = answering_role(setup)
    if role is None:
        raise OfferRefused(f"a=setup:{(setup or '')[:20]} cannot be answered", "setup")
    return RemoteTransport(ufrag, pwd, usable, role)


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
