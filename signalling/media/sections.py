"""One offered media section: what it carries, where it flows, what comes with it."""

from collections.abc import Callable, Collection, Mapping

from signalling.media.codecs import Codec
from signalling.media.negotiated import (
    EXTENSION_ABS_SEND_TIME,
    EXTENSION_AUDIO_LEVEL,
    EXTENSION_MID,
    EXTENSION_TRANSPORT_NUMBER,
    OfferRefused,
    StreamName,
)
from signalling.sdp import Direction, MediaSection, SessionDescription

_EXTENSIONS: Mapping[str, frozenset[str]] = {
    "audio": frozenset({EXTENSION_MID, EXTENSION_AUDIO_LEVEL, EXTENSION_ABS_SEND_TIME}),
    "video": frozenset({EXTENSION_MID, EXTENSION_ABS_SEND_TIME, EXTENSION_TRANSPORT_NUMBER}),
}
"""Sound is not numbered transport-wide: its rate is never changed, and a room whose picture is
hidden then costs no reports."""
MAX_EXTENSION_ID = 14
"""One-byte header extensions (RFC 8285 section 4.2) have no higher id."""

MAX_MID_BYTES = 16
"""What a one-byte header extension holds; a longer mid is not sent with packets."""

_REPAIR_GROUPS = frozenset({"FID", "FEC", "FEC-FR"})


def offered_direction(offer: SessionDescription, media: MediaSection) -> Direction:
    """The direction a section has, seen from the peer: its own, else the session's."""
    return media.direction or offer.direction or "sendrecv"


def stream_of(
    media: MediaSection, taken: Collection[StreamName], before: StreamName | None
) -> StreamName | None:
    """Which stream a section carries; None where all of its kind are taken.

    Args:
        taken: by the sections before it. before: what it carried in the agreement before.
    """
    if before is not None and (before == "audio") == (media.kind == "audio"):
        return None if before in taken else before
    if media.kind == "audio":
        return None if "audio" in taken else "audio"
    wishes: tuple[StreamName, ...] = ("video", "presentation")
    if "slides" in media.content:
        wishes = ("presentation",)
    return next((wish for wish in wishes if wish not in taken), None)


class Ssrcs:
    """Gives out SSRCs that neither side of the leg uses yet."""

    ATTEMPTS = 100

    def __init__(self, offer: SessionDescription | None, new_ssrc: Callable[[], int]) -> None:
        sections = offer.media if offer is not None else ()
        self._used = {line.ssrc for media in sections for line in media.ssrcs} | {0}
        self._new_ssrc = new_ssrc

    def take(self, earlier: int | None) -> int:
        """``earlier`` where it is still free, else a new one."""
        candidate = earlier if earlier is not None else self._new_ssrc()
        for _ in range(self.ATTEMPTS):
            if candidate not in self._used:
                self._used.add(candidate)
                return candidate
            candidate = self._new_ssrc()
        raise OfferRefused("the offer announces every SSRC that was tried", "ssrc")


def feedback_of(media: MediaSection, payload_type: int) -> frozenset[str]:
    """RTCP feedback offered for a payload type, as ``nack pli``."""
    return frozenset(
        f"{line.type} {line.parameter}".rstrip()
        for line in media.rtcp_feedback
        if line.payload_type in (None, payload_type)
    )


def remote_sources(media: MediaSection) -> tuple[tuple[int, ...], dict[int, int]]:
    """Primary SSRCs in the offer's order, and which SSRC retransmits which (RFC 5576)."""
    repairs: dict[int, int] = {}
    for group in media.ssrc_groups:
        if group.semantics in _REPAIR_GROUPS and len(group.ssrcs) > 1:
            repairs.update(dict.fromkeys(group.ssrcs[1:], group.ssrcs[0]))
    retransmits = {
        group.ssrcs[1]: group.ssrcs[0]
        for group in media.ssrc_groups
        if group.semantics == "FID" and len(group.ssrcs) > 1
    }
    announced = dict.fromkeys(line.ssrc for line in media.ssrcs)
    return tuple(ssrc for ssrc in announced if ssrc not in repairs), retransmits


def extensions_of(offer: SessionDescription, media: MediaSection) -> dict[str, int]:
    """Header extensions used, under the offer's ids; the first of a repeated id or URI counts."""
    found: dict[str, int] = {}
    wanted = _EXTENSIONS[media.kind]
    if not media.mid or len(media.mid) > MAX_MID_BYTES:
        wanted -= {EXTENSION_MID}
    for extmap in (*media.extmaps, *offer.extmaps):
        if (
            extmap.uri in wanted
            and extmap.id <= MAX_EXTENSION_ID
            and extmap.direction != "inactive"
            and extmap.uri not in found
            and extmap.id not in found.values()
        ):
            found[extmap.uri] = extmap.id
    return found


def max_bitrate(offer: SessionDescription, media: MediaSection, codec: Codec) -> int:
    """What the peer takes in a section, in bit/s, by bandwidth lines and level; 0: no limit."""
    lines = media.bandwidths or offer.bandwidths
    by_type = {line.type: line.bps for line in lines}
    # TIAS counts media only and is the more exact of the two (RFC 3890).
    stated = by_type.get("TIAS") or by_type.get("AS") or by_type.get("CT") or 0
    limits = [limit for limit in (stated, codec.max_bitrate_bps) if limit]
    return min(limits, default=0)
