"""Our offers: for calls we make or that come without one, and for calls that stand.

An offer changes nothing before it is completed: where the peer's own offer was quicker (glare),
or the peer refuses ours, it is thrown away and the agreement before holds.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from signalling.media import h264
from signalling.media.codecs import Codec, acceptable_codecs
from signalling.media.negotiated import OfferRefused, StreamName
from signalling.media.sections import Ssrcs, offered_direction
from signalling.offer_answer.agreement import Agreed, Family, Floor, Flow, LocalMedia
from signalling.offer_answer.answering import draft_of
from signalling.offer_answer.draft import Draft, refused
from signalling.offer_answer.ends import read_ends
from signalling.offer_answer.floor import OfferedFloor, complete_floor, offer_floor
from signalling.offer_answer.flows import (
    Terms,
    direction_of,
    ice_of,
    make_flow,
    session_bitrate,
)
from signalling.offer_answer.refusal import SectionRefused
from signalling.offer_answer.security import (
    OfferedSecurity,
    completed_security,
    offer_again,
    offer_security,
)
from signalling.offer_answer.session import write_session
from signalling.offer_answer.sound import COMFORT_NOISE
from signalling.sdp import Direction, MediaSection, SdpError, SessionDescription

_AUDIO = (
    Codec("opus", 96, 48000, 2, {}, {"minptime": "10", "useinbandfec": "1"}),
    Codec("g722", 9, 8000, 1),
    Codec("pcma", 8, 8000, 1),
    Codec("pcmu", 0, 8000, 1),
)
_EVENTS = {48000: 102, 8000: 101}
"""Clock rate → payload type of keys; 101 is what every device uses."""
_H264_PAYLOAD_TYPES = {1: 97, 0: 98}
_VP8 = Codec("vp8", 99, 90000)

_HELD: dict[Direction, Direction] = {
    "sendrecv": "sendonly",
    "sendonly": "sendonly",
    "recvonly": "inactive",
    "inactive": "inactive",
}
"""What a section that is put on hold becomes (RFC 3264 section 8.4)."""


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One RTP section of an offer of ours.

    ``draft`` is what stands there, ``flow`` what it was before, None for a new one.
    """

    index: int
    stream: StreamName
    draft: Draft
    security: OfferedSecurity
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer that waits for its answer: the description to send, and what completes it."""

    local: SessionDescription
    ours: LocalMedia = field(repr=False)
    sections: tuple[OfferedSection, ...]
    floor: OfferedFloor | None
    previous: Agreed | None
    holding: bool


def make_offer(
    local: LocalMedia,
    *,
    previous: Agreed | None = None,
    family: Family | None = None,
    add: Collection[StreamName] = (),
    holding: bool | None = None,
) -> Offered:
    """Make an offer.

    Args:
        local: our end. The first offer has all its streams, in order; a later one leaves out
            those it has no longer.
        previous: what the call has agreed before. Its sections are offered again as they are,
            each with the one codec in use.
        family: of the addresses in a first offer; None: IPv4 where there is one.
        add: streams to be added to ``previous``; with ``presentation`` goes floor control.
        holding: whether the peer is held from now on; None: as before.
    """
    return _Offering(local, previous, family, tuple(add), holding).offered()


def hold(local: LocalMedia, previous: Agreed) -> Offered:
    """An offer that holds the peer: what it sends is not taken."""
    return make_offer(local, previous=previous, holding=True)


def resume(local: LocalMedia, previous: Agreed) -> Offered:
    """An offer that ends our hold."""
    return make_offer(local, previous=previous, holding=False)


class _Offering:
    def __init__(
        self,
        local: LocalMedia,
        previous: Agreed | None,
        family: Family | None,
        add: tuple[StreamName, ...],
        holding: bool | None,
    ) -> None:
        self.local = local
        self.previous = previous
        self.family: Family = family or ("IP4" if local.ipv4 else "IP6")
        if previous is not None and previous.flows:
            self.family = previous.flows[0].family
        self.holding = holding
        if holding is None:
            self.holding = previous.holding if previous else False
        carried = {flow.media.stream for flow in previous.flows} if previous else set()
        wanted = tuple(local.streams) if previous is None else add
        self.new = [
            one
            for one in wanted
            if one in local.streams and one not in carried and _codecs(local, one)
        ]
        self.sections: dict[int, OfferedSection] = {}
        self.media: dict[int, MediaSection] = {}
        self.floor: OfferedFloor | None = None

    def offered(self) -> Offered:
        previous, local = self.previous, self.local
        old = previous.local.media if previous else ()
        for flow in previous.flows if previous else ():
            if flow.media.stream in local.streams:
                self._repeat(flow, old[flow.index])
        floor = previous.floor if previous else None
        taken = {*self.sections, *({floor.index} if floor else ())}
        free = [index for index in range(len(old)) if index not in taken]
        end = len(old)
        for stream in self.new:
            kind = "audio" if stream == "audio" else "video"
            slot = next((index for index in free if old[index].kind == kind), None)
            if slot is None:
                slot, end = end, end + 1
            else:
                free.remove(slot)
            self._add(slot, stream)
        self._offer_floor(floor, end)
        count = max([len(old), *(index + 1 for index in self.media)], default=0)
        media = [
            self.media[index] if index in self.media else refused(old[index])
            for index in range(count)
        ]
        return Offered(
            write_session(
                media,
                local,
                self.family,
                previous=previous.local if previous else None,
                ice=any(one.draft.ice for one in self.sections.values()),
            ),
            local,
            tuple(self.sections[index] for index in sorted(self.sections)),
            self.floor,
            previous,
            bool(self.holding),
        )

    def _repeat(self, flow: Flow, section: MediaSection) -> None:
        security = offer_again(flow.security, section.protocol)
        draft = draft_of(flow, section.protocol, self.local)
        content = section.content
        draft = replace(draft, content=content[0] if content else "")
        self._put(flow.index, flow.media.stream, draft, security, flow)

    def _add(self, index: int, stream: StreamName) -> None:
        local, sound = self.local, stream == "audio"
        security = offer_security(local)
        codecs = _codecs(local, stream)
        rates = {codec.clock_rate for codec in codecs}
        draft = Draft(
            kind="audio" if sound else "video",
            protocol=security.protocol,
            family=self.family,
            address=local.address(self.family),
            port=local.port(index, self.family),
            direction="sendrecv",
            codecs=codecs,
            security=(),
            events={rate: _EVENTS[rate] for rate in _EVENTS if rate in rates} if sound else {},
            comfort_noise=COMFORT_NOISE if sound and 8000 in rates else None,
            feedback=() if sound else tuple(sorted(local.feedback - {"transport-cc"})),
            rtcp_mux=True,
            label="" if sound else str(index + 1),
            content="" if sound else ("slides" if stream == "presentation" else "main"),
            ptime_ms=20 if sound else 0,
            bitrate_bps=0 if sound else local.receive_bitrate_bps,
        )
        self._put(index, stream, draft, security, None)

    def _put(
        self,
        index: int,
        stream: StreamName,
        draft: Draft,
        security: OfferedSecurity,
        flow: Flow | None,
    ) -> None:
        direction = self.local.streams[stream]
        draft = replace(
            draft,
            direction=_HELD[direction] if self.holding else direction,
            security=tuple(security.lines(self.local)),
        )
        self.sections[index] = OfferedSection(index, stream, draft, security, flow)
        self.media[index] = draft.write()

    def _offer_floor(self, previous: Floor | None, end: int) -> None:
        slides = next((s for s in self.sections.values() if s.stream == "presentation"), None)
        if self.local.floor is None or (previous is None and slides is None):
            return
        if previous is None and self.previous is not None and "presentation" not in self.new:
            return  # the peer has refused it before
        labels = (slides.draft.label,) if slides and slides.draft.label else ()
        index = end if previous is None else previous.index
        self.floor, self.media[index] = offer_floor(
            self.local, self.local.floor, index, self.family, labels, previous
        )


def complete_offer(offered: Offered, answer: SessionDescription) -> Agreed:
    """Take the answer to an offer of ours.

    Raises:
        OfferRefused: it fits the offer in nothing, or not in its sound; a call that stands goes
            on as it was.
    """
    try:
        return _complete(offered, answer)
    except SdpError as error:
        raise OfferRefused(error.message) from error


def _complete(offered: Offered, answer: SessionDescription) -> Agreed:
    if len(answer.media) > len(offered.local.media):
        raise OfferRefused("the answer has more media sections than the offer (RFC 3264)")
    for index, media in enumerate(answer.media):
        if media.kind != offered.local.media[index].kind:
            raise OfferRefused(
                f"m-line {index + 1} of the answer is {media.kind}", f"media[{index}]"
            )
    reasons: dict[int, str] = {}
    flows: list[Flow] = []
    several = False
    ssrcs = Ssrcs(answer, offered.ours.new_ssrc)
    for section in offered.sections:
        try:
            flow, open_choice = _complete_section(offered, section, answer, ssrcs)
        except SectionRefused as refusal:
            if section.stream == "audio" and _is_taken(answer, section.index):
                raise OfferRefused(
                    f"m-line {section.index + 1} of the answer (audio): {refusal}",
                    f"media[{section.index}]",
                ) from refusal
            reasons[section.index] = str(refusal)
        else:
            flows.append(flow)
            several = several or open_choice
    floor = None
    if offered.floor is not None:
        try:
            if not _is_taken(answer, offered.floor.floor.index):
                raise SectionRefused("switched off in the answer")
            floor = complete_floor(offered.floor, answer)
        except SectionRefused as refusal:
            reasons[offered.floor.floor.index] = str(refusal)
    refused_ = tuple(
        f"m-line {index + 1} ({offered.local.media[index].kind}): {reason}"
        for index, reason in sorted(reasons.items())
    )
    if not flows and offered.previous is None:
        raise OfferRefused(f"the answer takes nothing: {'; '.join(refused_)}")
    return Agreed(
        offered.local,
        answer,
        tuple(flows),
        floor,
        holding=offered.holding,
        several_codecs=several,
        max_bitrate_bps=session_bitrate(answer),
        refused=refused_,
    )


def _is_taken(answer: SessionDescription, index: int) -> bool:
    return index < len(answer.media) and answer.media[index].port != 0


def _complete_section(
    offered: Offered, section: OfferedSection, answer: SessionDescription, ssrcs: Ssrcs
) -> tuple[Flow, bool]:
    """The flow of a section, and whether the answer left several codecs; SectionRefused."""
    if not _is_taken(answer, section.index):
        raise SectionRefused("switched off in the answer")
    local, draft = offered.ours, section.draft
    media = answer.media[section.index]
    mux = draft.rtcp_mux and media.has("rtcp-mux")
    ends = read_ends(answer, media, mux=mux)
    if ends.family != draft.family:
        raise SectionRefused("the answer changes the family of addresses")
    sends = draft.direction in ("sendrecv", "sendonly")
    codecs = _common_codecs(draft, media, local, sends=sends)
    if not codecs:
        raise SectionRefused("the answer has none of the codecs that were offered")
    theirs = offered_direction(answer, media)
    direction = direction_of(
        receives=draft.direction in ("sendrecv", "recvonly") and theirs in ("sendrecv", "sendonly"),
        sends=sends and theirs in ("sendrecv", "recvonly"),
    )
    terms = Terms(
        description=answer,
        peer=media,
        index=section.index,
        stream=section.stream,
        ends=ends,
        security=completed_security(section.security, answer, media),
        local_port=draft.port,
        send=codecs[0][0],
        receive=tuple(ours for _, ours in codecs),
        direction=direction,
        would_send=sends,
        rtcp_mux=mux,
        ice=ice_of(answer, media, local)[0] if draft.ice else None,
        label=draft.label,
        events=draft.events,
        comfort_noise=draft.comfort_noise,
        rtx=draft.rtx,
        extensions=draft.extensions,
        previous=section.flow,
    )
    return make_flow(terms, local, ssrcs), len(codecs) > 1


def _common_codecs(
    draft: Draft, media: MediaSection, local: LocalMedia, *, sends: bool
) -> list[tuple[Codec, Codec]]:
    """Codecs of the answer that were offered, in its order: as the peer numbers them, as we do."""
    found: dict[int, tuple[Codec, Codec]] = {}
    for _, theirs in acceptable_codecs(media, sends=sends, wishes=local.wishes):
        ours = next((ours for ours in draft.codecs if _alike(ours, theirs)), None)
        if ours is not None:
            number = ours.payload_type
            found.setdefault(number, (theirs, replace(theirs, payload_type=number)))
    return list(found.values())


def _alike(ours: Codec, theirs: Codec) -> bool:
    """Payload types may differ, and so may levels; the packetization mode may not (RFC 6184)."""
    mode = "packetization-mode"
    return ours.name == theirs.name and (
        ours.answer_parameters.get(mode) == theirs.answer_parameters.get(mode)
    )


def _codecs(local: LocalMedia, stream: StreamName) -> tuple[Codec, ...]:
    """What a new section offers, the preferred first."""
    if stream == "audio":
        return tuple(codec for codec in _AUDIO if codec.name in local.codecs)
    return _video_codecs(local)


def _video_codecs(local: LocalMedia) -> tuple[Codec, ...]:
    found = []
    if "h264" in local.codecs:
        level = h264.ProfileLevel("constrained-baseline", 0x42, 0xE0, local.h264_level)
        for mode in sorted(local.packetization_modes & set(_H264_PAYLOAD_TYPES), reverse=True):
            parameters = {
                "level-asymmetry-allowed": "1",
                "packetization-mode": str(mode),
                "profile-level-id": str(level),
            }
            found.append(Codec("h264", _H264_PAYLOAD_TYPES[mode], 90000, 0, {}, parameters))
    if "vp8" in local.codecs:
        found.append(_VP8)
    return tuple(found)
