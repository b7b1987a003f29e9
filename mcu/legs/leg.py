"""The one Leg protocol: a transport and what was negotiated over it.

WebRTC and SIP legs implement it now, trunk legs later. A leg knows nothing of conferences: it
tells its ``LegObserver`` what arrives, and plays the renditions it is given. All calls happen on
the event loop's thread; none blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mcu.media.frames import EncodedFrame
from mcu.media.lane import Waiting
from mcu.media.receive import AudioSink
from mcu.media.rendition import Rendition

StreamName = Literal["audio", "video", "presentation"]
"""A source (what a leg sends to us) or an outgoing stream (what it receives) of a leg."""

LegKind = Literal["join", "publish", "view"]
"""Both directions (a room), WHIP (sends only), WHEP (receives only)."""

LegState = Literal["new", "connected", "lost", "left"]


@dataclass(frozen=True, slots=True)
class StreamCodec:
    """A negotiated codec.

    Args:
        name: ``opus``, ``g722``, ``pcma``, ``pcmu``, ``h264``, ``vp8`` (lower case).
        clock_rate: RTP clock in Hz. channels: 1 or 2 (0 for video).
        parameters: the fmtp parameters of the peer, lower-case keys.
        max_width, max_height, max_fps: what the negotiated level permits; 0 means no limit.
        max_bitrate_bps: from the SDP's bandwidth lines; 0 means no limit.
        packet_ms: sound that each packet of ours is to hold.
        single_nal: each packet holds one NAL unit, which is never cut (H.264 packetization mode 0).
    """

    name: str
    clock_rate: int
    channels: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)
    max_width: int = 0
    max_height: int = 0
    max_fps: int = 0
    max_bitrate_bps: int = 0
    packet_ms: int = 20
    single_nal: bool = False


@dataclass(slots=True)
class StreamStatistics:
    """Counters of one direction of one stream since it began (RFC 3550 terms).

    ``reports``: how often ``fraction_lost`` of a stream the peer gets was measured anew.
    ``transit_s``: see ``ReceiveStream``; of a stream the peer sends, and tells of.
    """

    packets: int = 0
    bytes: int = 0
    packets_lost: int = 0
    fraction_lost: float = 0.0
    jitter_ms: float = 0.0
    round_trip_ms: float | None = None
    frames: int = 0
    key_frames: int = 0
    nacks: int = 0
    retransmissions: int = 0
    plis: int = 0
    bitrate_bps: int = 0
    reports: int = 0
    transit_s: float | None = None


@dataclass(slots=True)
class LineStatistics:
    """What transport-wide reports tell of the line to a peer; counters since the leg began.

    Args:
        estimate_bps: what pictures may take (draft-ietf-rmcat-gcc-02). arriving_bps: what of
            them arrives now. loss: share of the last half second that was lost. queue_ms: by how
            much the line delays more than at its best. width_bps: what it carries, by bursts of
            the last seconds; None: there were none.
        packets, lost: reported on, outages left out. outages: times in which nothing arrived.
    """

    estimate_bps: int = 0
    arriving_bps: int = 0
    loss: float = 0.0
    queue_ms: float = 0.0
    width_bps: int | None = None
    packets: int = 0
    lost: int = 0
    outages: int = 0
    reports: int = 0


@dataclass(slots=True)
class LegStatistics:
    """A reading of a leg: what it sends to us (received) and what it gets (sent).

    ``rembs``: how many REMBs have come; ``remb_bps`` is the last one's. ``line``: what is known of
    the line to the peer where it reports on each packet. ``on_hold``: the peer has put the call on
    hold: it neither hears the conference nor is heard.
    """

    received: dict[str, StreamStatistics] = field(default_factory=dict)
    sent: dict[str, StreamStatistics] = field(default_factory=dict)
    remote_address: str | None = None
    srtp_profile: str | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    remb_bps: int | None = None
    rembs: int = 0
    line: LineStatistics | None = None
    on_hold: bool = False


class LegObserver(Protocol):
    """Who listens to a leg; one per leg, set before the leg can receive anything."""

    def leg_connected(self, leg: "Leg", now: float) -> None:
        """Media can flow (DTLS done); called once."""

    def leg_lost(self, leg: "Leg", now: float) -> None:
        """Nothing authenticated arrived for the lost-timeout."""

    def leg_returned(self, leg: "Leg", now: float) -> None:
        """A lost leg is heard again."""

    def leg_renegotiated(self, leg: "Leg", now: float) -> None:
        """``sources`` or ``outputs`` have changed: streams came, went, or have another codec.

        A stream that is only held stays where it is, and nothing is told.
        """

    def line_congested(self, leg: "Leg", now: float) -> None:
        """The line carries less than is sent to the peer; told with each report that says so."""

    def leg_left(self, leg: "Leg", reason: str, now: float) -> None:
        """Closed for good: ``bye`` (peer's DTLS close or DELETE), ``timeout``, ``replaced``,
        ``disconnected`` (by an operator), ``ended``, ``failed``. Called once."""

    def frame_received(
        self, leg: "Leg", source: StreamName, frame: EncodedFrame, now: float
    ) -> None:
        """One picture is complete. Only called for sources that are wanted."""


class Leg(Protocol):
    """One media connection of a participant.

    A name is absent from ``sources`` when the peer does not send that stream, from ``outputs`` when
    it does not receive it. Both mappings are replaced as a whole, and only before
    ``leg_renegotiated`` is told.
    """

    id: str
    conference: str
    participant: str | None  # None: a viewer who is not in the roster
    kind: LegKind
    state: LegState
    sources: Mapping[StreamName, StreamCodec]
    outputs: Mapping[StreamName, StreamCodec]

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """Send ``rendition`` on ``stream`` from now on; None pauses it.

        Sequence numbers and timestamps go on across a change. Video waits for the rendition's
        next key frame, which is asked for; audio goes over at once.
        """

    def listen(self, sink: AudioSink | None, waiting: Waiting | None = None) -> None:
        """Hand each packet of ``audio`` to ``sink`` from now on; None: to nobody, as at first.

        Args:
            waiting: where packets may be laid instead, while it is open.
        """

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """Whether pictures of a source are put together at all, at first not; audio is always.

        Beginning asks for a key frame.
        """

    def request_key_frame(self, source: StreamName) -> None:
        """Ask the peer for a key frame (PLI), at most every 500 ms per source."""

    def limit_bitrate(self, bps: int | None) -> None:
        """Limit what the peer sends in total (REMB); None lifts the limit."""

    def probe_line(self, now: float) -> bool:
        """Find out how much the line carries, where the peer reports on each packet.

        Returns: whether a probe left; if not, ask again later.
        """

    def unheard_s(self, now: float) -> float:
        """How long nothing has come that shows that the peer is there; 0 where it may be silent."""

    def statistics(self, now: float) -> LegStatistics:
        """A reading; cheap enough to be taken once a second for every leg."""

    def close(self, reason: str, now: float) -> None:
        """Say goodbye (RTCP BYE, DTLS close-notify) and free everything. Idempotent."""
