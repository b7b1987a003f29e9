"""What offer and answer settle: the values that go into a negotiation and come out of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from signalling.media.negotiated import DtlsRole, NegotiatedMedia
from signalling.sdp import Fingerprint, IceCandidate, SessionDescription

LegKind = Literal["join", "publish", "view"]


@dataclass(frozen=True, slots=True)
class LocalSide:
    """What our end puts into an answer.

    Args:
        candidates: host candidates, the preferred one first; at least one.
        cname: one for everything that shares a clock (RFC 7022); no spaces.
        session_id: of ``o=``, below 2**63 (RFC 9429 section 5.2.1).
        new_ssrc: gives an SSRC no other stream of the port uses; asked again when the peer
            has announced the same.
    """

    ice_ufrag: str
    ice_pwd: str
    fingerprints: tuple[Fingerprint, ...]
    candidates: tuple[IceCandidate, ...]
    cname: str
    session_id: int
    new_ssrc: Callable[[], int]

    def __post_init__(self) -> None:
        if not self.candidates:
            raise ValueError("an ICE-lite answer needs a candidate to be reached at")


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The answer, and what it means for the transport and for each stream."""

    answer: SessionDescription
    remote_ufrag: str
    remote_pwd: str
    remote_fingerprints: tuple[Fingerprint, ...]
    dtls_role: DtlsRole
    media: tuple[NegotiatedMedia, ...]
