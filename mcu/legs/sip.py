"""A SIP leg: the RTP sessions of one call, seen as a leg like any other.

The call is signalling's business: it opens the leg with what was agreed on, tells it of each new
agreement, and closes it. The leg itself never ends for silence; it is lost, and returns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from mcu.legs.context import LegIdentity
from mcu.legs.leg import (
    LegKind,
    LegObserver,
    LegState,
    LegStatistics,
    StreamCodec,
    StreamName,
)
from mcu.legs.liveness import Liveness
from mcu.legs.log import LegLog
from mcu.legs.sip_context import SipContext
from mcu.legs.sip_flow import SipFlow
from mcu.media.bad_line import BadLine
from mcu.media.frames import EncodedFrame
from mcu.media.lane import Waiting
from mcu.media.port_pairs import PortPair
from mcu.media.receive import AudioSink
from mcu.media.rendition import Rendition
from signalling.offer_answer.agreement import Agreed, Flow, Ice

RESTS_S = 15.0
"""Silence after which a peer counts as lost that sent no more than comfort noise or reports: two of
those, of which the intervals vary by half."""


def _nothing() -> None:
    """Nobody asks by signalling."""


def _nobody(key: str) -> None:
    """Nobody is told of keys any more."""


class SipLeg:
    """See ``mcu.legs.leg.Leg``. Made by ``SipAcceptor.open``.

    Args:
        pairs: bound ports by number, one for each flow; owned.
        digits: told of each key pressed, as by RFC 4733.

    Set ``ask_picture`` to have the peer asked for a key frame by signalling (RFC 5168) where no
    RTCP does it; it is called at most every two seconds for each stream.
    """

    def __init__(
        self,
        identity: LegIdentity,
        context: SipContext,
        agreed: Agreed,
        pairs: Mapping[int, PortPair],
        observer: LegObserver,
        *,
        digits: Callable[[str], None],
        now: float,
    ) -> None:
        self.id = identity.id
        self.conference = identity.conference
        self.kind: LegKind = identity.kind
        self.state: LegState = "new"
        self.agreed = agreed
        self.ask_picture: Callable[[], None] = _nothing
        self.dropped: Counter[str] = Counter()
        self.due_at = now
        """When ``handle_timer`` is to be called."""
        self.sources: Mapping[StreamName, StreamCodec] = {}
        self.outputs: Mapping[StreamName, StreamCodec] = {}
        self._context = context
        self._observer = observer
        self._digits = digits
        # Signalling tells when it is over, so a peer is never gone for its silence.
        self._liveness = Liveness(now, context.lost_after_s, float("inf"))
        self._started = False
        self._line: BadLine | None = None
        self._understands = True
        self._sink: AudioSink | None = None
        self._renditions: dict[StreamName, Rendition] = {}
        self._failures: list[str] = []
        self._flows: dict[int, SipFlow] = {}
        for flow in agreed.flows:
            self._open(flow, pairs[flow.local_port], now)
        first = next(iter(self._flows.values()), None)
        self._log = LegLog(identity, context.ports, _FirstPath(self._flows))
        self._log.srtp_profile = None if first is None else first.rtp.srtp_profile
        self._read_streams()

    # Leg

    @property
    def participant(self) -> str | None:
        """See ``Leg``; set once it is known who calls."""
        return self._log.participant

    @participant.setter
    def participant(self, participant: str | None) -> None:
        self._log.named(participant)

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """Send ``rendition`` on ``stream`` from now on, as far as the peer takes it now."""
        if self.state == "left":
            return
        if rendition is None:
            self._renditions.pop(stream, None)
        else:
            self._renditions[stream] = rendition
        flow = self._flow(stream)
        if flow is not None:
            flow.play(rendition, self._context.clock())

    def listen(self, sink: AudioSink | None, waiting: Waiting | None = None) -> None:
        """See ``Leg``. Packets come to a port of their own, one by one."""
        self._sink = sink
        flow = self._flow("audio")
        if flow is not None:
            flow.listen(sink)

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """Begin or cease to put a source's pictures together; beginning asks for a key frame."""
        flow = self._flow(source)
        if flow is not None:
            flow.want(wanted)
            flow.ask(self._context.clock())

    def request_key_frame(self, source: StreamName) -> None:
        """Ask the peer for a key frame, at once or when the interval since the last one is over."""
        flow = self._flow(source)
        if flow is not None:
            flow.request_key_frame()
            flow.ask(self._context.clock())

    def limit_bitrate(self, bps: int | None) -> None:
        """Limit what the peer sends of pictures, where it takes REMB; None lifts the limit."""
        flow = self._flow("video")
        if flow is not None:
            flow.limit_bitrate(bps)

    def probe_line(self, now: float) -> bool:
        """Never: SIP peers do not report on each packet."""
        return False

    def unheard_s(self, now: float) -> float:
        """See ``Leg``."""
        silent = self._expects_nothing() or now < self._rests_until()
        return 0.0 if silent else now - self._liveness.heard_at

    def statistics(self, now: float) -> LegStatistics:
        """A reading of all counters."""
        reading = LegStatistics()
        dropped = Counter(self.dropped)
        for flow in self._flows.values():
            one = flow.readings.read(now)
            reading.received.update(one.received)
            reading.sent.update(one.sent)
            reading.rembs += one.rembs
            if one.remb_bps is not None:
                reading.remb_bps = one.remb_bps
            dropped += flow.drops()
        reading.dropped = dict(dropped)
        reading.on_hold = any(
            flow.held for flow in self.agreed.flows if flow.media.stream == "audio"
        )
        reading.srtp_profile = self._log.srtp_profile
        reading.remote_address = self._log.remote_address
        return reading

    def close(self, reason: str, now: float) -> None:
        """Say goodbye (RTCP BYE) and free everything; signalling ends the call. Idempotent."""
        if self.state == "left":
            return
        self._log.failure = "; ".join(self._failures) or None
        # Its addresses are what the line tells of, so it is written first.
        self._log.left(reason)
        self.state = "left"
        for flow in self._flows.values():
            flow.close(now)
        if self._line is not None:
            self._line.end(now)
            self._line = None
        self._renditions.clear()
        self._context.closed(self)
        self._observer.leg_left(self, reason, now)

    def part(self) -> None:
        """Let go of what refers back to here: it has left, and nothing of it is at work.

        So it is freed at once, and does not wait for the collector of cycles, which takes a tick.
        """
        for flow in self._flows.values():
            flow.part()
        self._flows.clear()
        self._digits, self.ask_picture = _nobody, _nothing

    # Drills

    def go_by(self, line: BadLine | None, now: float) -> None:
        """Let all media that passes between the peer and us go by a bad line; None: as it is."""
        before, self._line = self._line, line
        if line is not None:
            line.wake = self.wake
        for flow in self._flows.values():
            flow.go_by(line)
        if before is not None:
            before.end(now)

    def understand(self, agreed: bool) -> None:
        """Take what the peer sends; or nothing, as if it were in a format not agreed on."""
        self._understands = agreed
        for flow in self._flows.values():
            flow.understand(agreed)

    # Signalling

    def update(
        self, agreed: Agreed, now: float, pairs: Mapping[int, PortPair] | None = None
    ) -> None:
        """Follow a new agreement: hold, resume, other codecs, keys or addresses, other streams.

        Args:
            pairs: bound ports by number, for flows that are new; owned from now on.
        Raises:
            KeyError: there is no port for a new flow; nothing has changed.
        """
        if self.state == "left":
            return
        bound = {flow.pair.port: flow.pair for flow in self._flows.values()} | dict(pairs or {})
        missing = [flow.local_port for flow in agreed.flows if flow.local_port not in bound]
        if missing:
            raise KeyError(f"no port {missing[0]}")
        self.agreed = agreed
        before = (self.sources, self.outputs)
        ours = _ours(agreed)
        wanted = {flow.index: flow for flow in agreed.flows}
        for index, flow in list(self._flows.items()):
            now_agreed = wanted.get(index)
            if (
                now_agreed is None
                or now_agreed.local_port != flow.pair.port
                or (now_agreed.media.stream != flow.stream)
            ):
                del self._flows[index]
                self.dropped += flow.drops()
                flow.close(now)
        for index, one in wanted.items():
            known = self._flows.get(index)
            if known is not None:
                known.update(one, ours.get(index), now)
                continue
            flow = self._open(one, bound[one.local_port], now)
            if self._started:
                flow.start(now)
            flow.play(self._renditions.get(flow.stream), now)
            if flow.stream == "audio":
                flow.listen(self._sink)
        self._read_streams()
        if self._expects_nothing():
            self._heard(now)
        self.wake(now)
        if (self.sources, self.outputs) != before:
            self._observer.leg_renegotiated(self, now)

    def picture_requested(self, now: float) -> None:
        """The peer asks for a key frame by signalling (RFC 5168)."""
        for flow in self._flows.values():
            flow.key_frame_requested(now)

    # FlowOwner

    def flow_ready(self, flow: SipFlow, now: float) -> None:
        """See ``FlowOwner``: the first one is what connects the leg."""
        if self.state != "new":
            return
        self._log.srtp_profile = flow.rtp.srtp_profile
        self._liveness.connected = True
        self._liveness.heard_at = now
        self.state = "connected"
        if self.participant is None:
            self._log.caller_connected()
        else:
            self._log.connected()
        self._observer.leg_connected(self, now)

    def flow_failed(self, flow: SipFlow, reason: str, now: float) -> None:
        """See ``FlowOwner``: what works goes on without it."""
        self._failures.append(f"{flow.stream}: {reason}")
        self.dropped[f"{flow.stream}_failed"] += 1
        if self.state == "new" and len(self._failures) >= len(self._flows):
            self.close("failed", now)

    def flow_heard(self, now: float) -> None:
        """See ``FlowOwner``."""
        if self.state == "connected":
            self._liveness.heard_at = now
        elif self.state == "lost":
            self._heard(now)

    def flow_switched(self, flow: SipFlow, now: float) -> None:
        """See ``FlowOwner``."""
        self._read_streams()
        self._observer.leg_renegotiated(self, now)

    def frame_received(self, source: StreamName, frame: EncodedFrame, now: float) -> None:
        """See ``FlowOwner``."""
        self._observer.frame_received(self, source, frame, now)

    def key_pressed(self, key: str) -> None:
        """See ``FlowOwner``."""
        self._digits(key)

    def picture_needed(self) -> None:
        """See ``FlowOwner``."""
        self.ask_picture()

    def wake(self, at: float) -> None:
        """See ``FlowOwner``."""
        if at < self.due_at:
            self.due_at = at

    # The timer

    def handle_timer(self, now: float) -> None:
        """Do what is due in each flow; notice silence."""
        if self._line is not None:
            self._line.handle_timer(now)
        if self.state == "left":
            return
        if not self._started:
            self._started = True
            for flow in list(self._flows.values()):
                flow.start(now)
        for flow in list(self._flows.values()):
            flow.handle_timer(now)
        self._check_liveness(now)
        times = [flow.next_timer() for flow in self._flows.values()]
        if self._line is not None:
            times.append(self._line.next_timer())
        self.due_at = min((*times, max(self._liveness.next_timer(), self._rests_until())))

    def _check_liveness(self, now: float) -> None:
        if self.state == "left":  # a handshake that failed was its last
            return
        if self._expects_nothing() and self.state != "new":
            # Held: the peer has nothing to send, and some do without RTCP too.
            self._liveness.heard_at = now
            return
        if self.state == "connected" and now < self._rests_until():
            return
        finding = self._liveness.check(now)
        if finding == "failed":
            self._failures = self._failures or ["handshake not finished"]
            self.close("failed", now)
        elif finding in ("lost", "expired"):
            if finding == "expired" and not self._liveness.expired:
                # Whoever it was that announced this address, nobody there has wanted it for long.
                self._liveness.expired = True
                self._pause(True, now)
            if self.state == "connected":
                self.state = "lost"
                self._liveness.lost = True
                self._log.lost(now - self._liveness.heard_at)
                self._observer.leg_lost(self, now)

    def _rests_until(self) -> float:
        """A peer that rests is not lost before then."""
        if self.state == "connected" and any(flow.rests for flow in self._flows.values()):
            return self._liveness.heard_at + RESTS_S
        return float("-inf")

    def _heard(self, now: float) -> None:
        self._liveness.heard_at = now
        if self.state == "lost":
            self.state = "connected"
            if self._liveness.expired:
                self._pause(False, now)
            self._liveness.lost = self._liveness.expired = False
            self._log.returned()
            self._observer.leg_returned(self, now)

    def _pause(self, paused: bool, now: float) -> None:
        for flow in self._flows.values():
            flow.pause(paused, now)

    def _expects_nothing(self) -> bool:
        """Whether the peer may be silent now: it sends nothing, or it holds us.

        Who holds may send music, and most send nothing, whatever their description says.
        """
        held = {flow.index for flow in self.agreed.flows if flow.held}
        return not any(flow.receives for index, flow in self._flows.items() if index not in held)

    # Private

    @property
    def flows(self) -> Sequence[SipFlow]:
        """In the order of their sections."""
        return tuple(self._flows.values())

    def _flow(self, stream: StreamName) -> SipFlow | None:
        return next((flow for flow in self._flows.values() if flow.stream == stream), None)

    def _open(self, flow: Flow, pair: PortPair, now: float) -> SipFlow:
        opened = SipFlow(
            flow, pair, self._context, self, ice=_ours(self.agreed).get(flow.index), now=now
        )
        self._flows[flow.index] = opened
        if self._line is not None:
            opened.go_by(self._line)
        opened.understand(self._understands)
        return opened

    def _read_streams(self) -> None:
        flows = self._flows.values()
        self.sources = {
            flow.stream: flow.streams.source for flow in flows if flow.streams.source is not None
        }
        self.outputs = {
            flow.stream: flow.streams.output for flow in flows if flow.streams.output is not None
        }


class _FirstPath:
    """Where the first flow's packets go, for the log: flows come and go."""

    def __init__(self, flows: Mapping[int, SipFlow]) -> None:
        self._flows = flows

    @property
    def address(self) -> object:
        """See ``mcu.legs.log.Path``."""
        return next((flow.rtp.path.address for flow in self._flows.values()), None)


def _ours(agreed: Agreed) -> dict[int, Ice]:
    """Our ICE credentials in our description, by section."""
    found: dict[int, Ice] = {}
    for index, media in enumerate(agreed.local.media):
        ufrag = media.ice_ufrag or agreed.local.ice_ufrag
        pwd = media.ice_pwd or agreed.local.ice_pwd
        if ufrag and pwd:
            found[index] = Ice(ufrag, pwd)
    return found
