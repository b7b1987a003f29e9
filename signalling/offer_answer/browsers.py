"""Which offers are a browser's: they go to ``signalling.webrtc``, whoever brought them."""

from collections.abc import Sequence

from signalling.media.transport import ice_credentials, usable_fingerprints
from signalling.offer_answer.security import DTLS_PROTOCOLS
from signalling.sdp import MediaSection, Section, SessionDescription

_PROTOCOLS = DTLS_PROTOCOLS | {"RTP/SAVPF", "TCP/DTLS/RTP/SAVPF"}


def is_webrtc(offer: SessionDescription) -> bool:
    """Whether an offer is a browser's.

    It is where all sections of sound and pictures that are not switched off share one transport
    (BUNDLE) and have ICE, DTLS and RTCP on one port. Phones that do all but the first are none.
    """
    bundle = offer.group("BUNDLE")
    media = [one for one in offer.media if one.kind in ("audio", "video")]
    used = [one for one in media if one.port != 0 or one.has("bundle-only")]
    if bundle is None or not bundle.mids or not used:
        return False
    tagged = [one for one in offer.media if one.mid == bundle.mids[0]]
    return all(
        one.mid in bundle.mids and _is_browsers((one, *tagged[:1], offer), one) for one in used
    )


def _is_browsers(places: Sequence[Section], media: MediaSection) -> bool:
    return (
        media.protocol in _PROTOCOLS
        and media.has("rtcp-mux")
        and all(ice_credentials(places))
        and bool(usable_fingerprints(places))
    )
