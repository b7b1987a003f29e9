"""Answer the offer of a SIP peer (RFC 3264 section 6): pure, and the same again for the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from signalling.media.codecs import choose_codec, why_none
from signalling.media.lines import feedback_names
from signalling.media.negotiated import OfferRefused, StreamName
from signalling.media.sections import Ssrcs, offered_direction
from signalling.offer_answer.agreement import Agreed, Floor, Flow, LocalMedia
from signalling.offer_answer.draft import Draft, refused
from signalling.offer_answer.ends import read_ends
from signalling.offer_answer.floor import answer_floor, floor_protocol, slides_labels
from signalling.offer_answer.flows import (
    Terms,
    direction_of,
    family_of,
    ice_of,
    make_flow,
    session_bitrate,
)
from signalling.offer_answer.refusal import SectionRefused
from signalling.offer_answer.security import answer_security, protections, security_lines
from signalling.offer_answer.session import write_session
from signalling.sdp import MediaSection, SdpError, SessionDescription


def answer_offer(
    offer: SessionDescription, local: LocalMedia, *, previous: Agreed | None = None
) -> Agreed:
    """Answer an offer.

    Args:
        offer: as the peer sent it. local: our end.
        previous: what the call has agreed before, when the peer offers again; ports, keys, SSRCs
            and streams stay with their section, and an answer that says the same is the same.
    Raises:
        OfferRefused: nothing of it can be used (488 Not Acceptable Here); a call that stands
            goes on as it was.
    """
    try:
        return _Answering(offer, local, previous).agreed()
    except SdpError as error:  # an offer that was built, not parsed, can hold bad values
        raise OfferRefused(error.message) from error


@dataclass
class _Answering:
    offer: SessionDescription
    local: LocalMedia
    previous: Agreed | None
    flows: dict[StreamName, Flow] = field(default_factory=dict)
    sections: dict[int, MediaSection] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)

    def agreed(self) -> Agreed:
        offer, previous = self.offer, self.previous
        if previous is not None and len(offer.media) < len(previous.local.media):
            raise OfferRefused("the new offer has fewer media sections than the call (RFC 3264)")
        before = {flow.index: flow for flow in previous.flows} if previous else {}
        ssrcs = Ssrcs(offer, self.local.new_ssrc)
        labels = slides_labels(offer)
        for index in self._order(before):
            try:
                self._take(index, labels, ssrcs, before.get(index))
            except SectionRefused as refusal:
                self.reasons[index] = str(refusal)
        floor = self._take_floor()
        self._check_use()
        media = tuple(
            self.sections.get(index) or refused(offered)
            for index, offered in enumerate(offer.media)
        )
        flows = tuple(sorted(self.flows.values(), key=lambda flow: flow.index))
        family = flows[0].family if flows else family_of(offer)
        return Agreed(
            write_session(
                media,
                self.local,
                family,
                previous=previous.local if previous else None,
                time=offer.field("t") or "0 0",
                ice=any(flow.ice for flow in flows),
            ),
            offer,
            flows,
            floor,
            holding=previous.holding if previous else False,
            max_bitrate_bps=session_bitrate(offer),
            refused=tuple(
                f"m-line {index + 1} ({offer.media[index].kind}): {reason}"
                for index, reason in sorted(self.reasons.items())
            ),
        )

    def _order(self, before: Mapping[int, Flow]) -> list[int]:
        """Sections that are in use first, then protected ones: devices offer the same twice."""

        def place(index: int) -> tuple[bool, bool, int]:
            media = self.offer.media[index]
            return index not in before, protections(self.offer, media) <= {"plain"}, index

        floors = map(floor_protocol, self.offer.media)
        return sorted((i for i, floor in enumerate(floors) if floor is None), key=place)

    def _take(
        self, index: int, labels: frozenset[str], ssrcs: Ssrcs, previous: Flow | None
    ) -> None:
        """Accept a section; raises SectionRefused."""
        media = self.offer.media[index]
        if media.kind not in ("audio", "video"):
            raise SectionRefused("only sound, pictures and floor control are taken")
        if media.port == 0:
            raise SectionRefused("switched off in the offer")
        stream = self._stream(media, labels, previous)
        if previous is not None and previous.media.stream != stream:
            previous = None
        wish = self.local.streams[stream]
        we_send = wish in ("sendrecv", "sendonly")
        security = answer_security(
            self.offer, media, self.local, previous.security if previous else None
        )
        mux = media.has("rtcp-mux")
        ends = read_ends(self.offer, media, mux=mux)
        address = self.local.address(ends.family)
        if not address:
            raise SectionRefused(f"there is no {ends.family} address here")
        codec = choose_codec(media, sends=we_send, wishes=self.local.wishes)
        if codec is None:
            raise SectionRefused(why_none(media, self.local.wishes))
        keeps_port = previous is not None and previous.family == ends.family
        port = previous.local_port if previous and keeps_port else None
        offered = offered_direction(self.offer, media)
        holding = self.previous is not None and self.previous.holding
        direction = direction_of(
            receives=wish in ("sendrecv", "recvonly")
            and offered in ("sendrecv", "sendonly")
            and not holding,
            sends=we_send and offered in ("sendrecv", "recvonly"),
        )
        ice, mismatch = ice_of(self.offer, media, self.local)
        terms = Terms(
            description=self.offer,
            peer=media,
            index=index,
            stream=stream,
            ends=ends,
            security=security,
            local_port=self.local.port(index, ends.family) if port is None else port,
            send=codec,
            receive=(codec,),
            direction=direction,
            would_send=we_send,
            rtcp_mux=mux,
            ice=ice,
            label=self._label(index, stream),
            previous=previous,
        )
        flow = make_flow(terms, self.local, ssrcs)
        self.flows[stream] = flow
        draft = draft_of(flow, media.protocol, self.local)
        self.sections[index] = replace(
            draft,
            direction=direction,
            security=tuple(security_lines(security, self.local)),
            content=_content(media, stream),
            ice_mismatch=mismatch,
        ).write()

    def _stream(
        self, media: MediaSection, labels: frozenset[str], previous: Flow | None
    ) -> StreamName:
        """Which stream a section carries."""
        wishes = self._wishes(media, labels)
        if previous is not None and previous.media.kind == media.kind:
            wishes = (previous.media.stream,)
        wanted = [wish for wish in wishes if wish in self.local.streams]
        if not wanted:
            raise SectionRefused(f"no {wishes[0]} is taken in this call")
        free = [wish for wish in wanted if wish not in self.flows]
        if not free:
            raise SectionRefused(f"another section carries the {wanted[0]} already")
        return free[0]

    def _wishes(self, media: MediaSection, labels: frozenset[str]) -> tuple[StreamName, ...]:
        if media.kind == "audio":
            return ("audio",)
        if "slides" in media.content or (not media.content and media.label in labels):
            return ("presentation",)
        if media.content:
            return ("video",)
        main = self.flows.get("video")
        if main is not None and self.offer.media[main.index].protocol != media.protocol:
            return ("video",)  # the same picture once more, otherwise protected
        return ("video", "presentation")

    def _label(self, index: int, stream: StreamName) -> str:
        """Ours: the peer's, else one for floor control to name the presentation by."""
        media = self.offer.media[index]
        if media.label:
            return media.label
        floors = any(floor_protocol(other) for other in self.offer.media)
        return str(index + 1) if floors and stream == "presentation" else ""

    def _take_floor(self) -> Floor | None:
        """The first section of floor control that can be taken."""
        taken: Floor | None = None
        slides = self.flows.get("presentation")
        labels = (slides.label,) if slides else ()
        before = self.previous.floor if self.previous else None
        for index, media in enumerate(self.offer.media):
            if floor_protocol(media) is None:
                continue
            if taken is not None:
                self.reasons[index] = "another section carries floor control already"
                continue
            known = before if before is not None and before.index == index else None
            try:
                taken, self.sections[index] = answer_floor(
                    self.offer, index, self.local, labels, known
                )
            except SectionRefused as refusal:
                self.reasons[index] = str(refusal)
        return taken

    def _check_use(self) -> None:
        """Refuse where nothing would flow, unless a call that stands switches everything off."""
        off = all(media.port == 0 for media in self.offer.media)
        if self.flows or (self.previous is not None and off):
            return
        each = [
            f"m-line {index + 1} ({self.offer.media[index].kind}): {reason}"
            for index, reason in sorted(self.reasons.items())[:8]
        ]
        raise OfferRefused(
            f"nothing in the offer can be used: {'; '.join(each) or 'it has no media section'}",
            f"media[{min(self.reasons)}]" if self.reasons else None,
        )


def draft_of(flow: Flow, protocol: str, local: LocalMedia) -> Draft:
    """A flow as a section of ours, without its security lines."""
    media = flow.media
    events = {flow.dtmf_clock_rate: flow.dtmf_receive} if flow.dtmf_receive is not None else {}
    return Draft(
        kind=media.kind,
        protocol=protocol,
        family=flow.family,
        address=local.address(flow.family),
        port=flow.local_port,
        direction=media.direction,
        codecs=(media.codec,),
        security=(),
        rtx=media.rtx,
        events=events,
        comfort_noise=flow.comfort_noise,
        feedback=feedback_names(media),
        extensions=media.extensions,
        rtcp_mux=flow.rtcp_mux,
        reduced_size_rtcp=media.reduced_size_rtcp,
        ice=local.ice if flow.ice else None,
        mid=media.mid,
        label=flow.label,
        ptime_ms=20 if media.kind == "audio" else 0,
        bitrate_bps=local.receive_bitrate_bps if media.kind == "video" else 0,
    )


def _content(media: MediaSection, stream: StreamName) -> str:
    if stream == "presentation":
        return "slides"
    return "main" if stream == "video" and media.content else ""
