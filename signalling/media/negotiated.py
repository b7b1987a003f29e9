"""What is settled for one media section, whoever the peer is; and the refusal of an offer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from signalling.media.codecs import ACCEPTED_CODECS, Codec
from signalling.sdp import Direction

StreamName = Literal["audio", "video", "presentation"]
DtlsRole = Literal["server", "client"]

EXTENSION_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
EXTENSION_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
EXTENSION_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
EXTENSION_TRANSPORT_NUMBER = (
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)


class OfferRefused(Exception):  # noqa: N818 a fact, named like the events
    """An offer that cannot be answered.

    Args:
        detail: why, for a person.
        field: what in the offer is at fault, ``media[1]`` or ``ice-ufrag``; None for the whole.
        accepted_codecs: what would have been taken, as in rtpmap.
    """

    def __init__(
        self,
        detail: str,
        field: str | None = None,
        accepted_codecs: tuple[str, ...] = ACCEPTED_CODECS,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.accepted_codecs = accepted_codecs


@dataclass(frozen=True, slots=True)
class NegotiatedMedia:
    """One accepted media section.

    Args:
        mid: empty where the peer named none (then it is the only section).
        receives: the peer sends and we take it. sends: we send and the peer takes it.
        receive_codecs: by payload type. send_codec: None unless ``sends``.
        rtx: RTX payload type → the payload type it repeats. send_rtx_pt: the one we use.
        local_ssrc, local_rtx_ssrc: None unless ``sends`` (and RTX is agreed).
        remote_ssrcs: primary SSRCs the offer announced; may be empty.
        remote_rtx: announced RTX SSRC → primary SSRC.
        extensions: URI → id, as offered.
        nack, pli, fir, remb, tmmbr, transport_cc: RTCP feedback both sides use; the last one only
            with its extension.
        max_bitrate_bps: what the peer takes by its bandwidth lines and level; 0 for no limit.
    """

    mid: str
    kind: Literal["audio", "video"]
    stream: StreamName
    receives: bool
    sends: bool
    receive_codecs: Mapping[int, Codec]
    send_codec: Codec | None
    rtx: Mapping[int, int] = field(default_factory=dict)
    send_rtx_pt: int | None = None
    local_ssrc: int | None = None
    local_rtx_ssrc: int | None = None
    remote_ssrcs: tuple[int, ...] = ()
    remote_rtx: Mapping[int, int] = field(default_factory=dict)
    extensions: Mapping[str, int] = field(default_factory=dict)
    nack: bool = False
    pli: bool = False
    fir: bool = False
    remb: bool = False
    tmmbr: bool = False
    transport_cc: bool = False
    max_bitrate_bps: int = 0
    reduced_size_rtcp: bool = False

    @property
    def codec(self) -> Codec:
        """The section's one codec, whichever direction it flows in."""
        return next(iter(self.receive_codecs.values()))

    @property
    def direction(self) -> Direction:
        """Seen from our end, as the answer states it."""
        if self.sends:
            return "sendrecv" if self.receives else "sendonly"
        return "recvonly" if self.receives else "inactive"
