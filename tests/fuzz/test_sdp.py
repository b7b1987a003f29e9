"""SDP text of any kind, and offers damaged in every place.

Invariant: reading ends in a description or ``SdpError``; what was read is written and read again
the same. Answering ends in an answer that reads again or ``OfferRefused``. Nothing else is raised.
"""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signalling.sdp import (
    Bandwidth,
    Connection,
    Crypto,
    ExtMap,
    Fingerprint,
    Fmtp,
    Group,
    IceCandidate,
    Msid,
    Origin,
    RtcpFeedback,
    RtpMap,
    SdpError,
    SessionDescription,
    SsrcAttribute,
    SsrcGroup,
)
from signalling.webrtc.negotiation import LocalSide, OfferRefused, answer_offer

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "sdp").glob("*.sdp"))
OFFERS = [path.read_bytes().decode() for path in VECTORS]
VALUES = (
    Bandwidth,
    Connection,
    Crypto,
    ExtMap,
    Fingerprint,
    Fmtp,
    Group,
    IceCandidate,
    Msid,
    Origin,
    RtcpFeedback,
    RtpMap,
    SsrcAttribute,
    SsrcGroup,
)
KINDS = ("join", "publish", "view")

fuzz = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def local_side() -> LocalSide:
    return LocalSide(
        "mcu1",
        "p" * 24,
        (Fingerprint("sha-256", "AB:CD"),),
        (IceCandidate.host("192.0.2.1", 5004),),
        "cname",
        1,
        itertools.count(1).__next__,
    )


def read_and_answer(text: str) -> None:
    try:
        offer = SessionDescription.parse(text)
    except SdpError:
        return
    assert SessionDescription.parse(str(offer)) == offer
    # What parse lets through never fails in an accessor.
    for media in offer.media:
        _ = (media.rtpmaps, media.fmtps, media.rtcp_feedback, media.extmaps, media.candidates)
        _ = (media.ssrcs, media.ssrc_groups, media.msids, media.cryptos, media.fingerprints)
        _ = (media.bandwidths, media.connection, media.content, media.floorctrl, media.mid)
    _ = (offer.origin, offer.groups, offer.direction)
    for kind in KINDS:
        try:
            negotiated = answer_offer(offer, local_side(), kind=kind)  # type: ignore[arg-type]
        except OfferRefused:
            continue
        answer = SessionDescription.parse(str(negotiated.answer))
        assert answer == negotiated.answer
        assert len(answer.media) == len(offer.media)
        accepted = [media for media in answer.media if media.port]
        assert len(accepted) == len(negotiated.media) > 0


@fuzz
@given(st.text(max_size=400))
@example("v=0\no=- 0 0 IN IP4 a\ns=-\nm=audio 9 UDP/TLS/RTP/SAVPF 0\na=rtcp-mux\n")
def test_any_text(text: str) -> None:
    read_and_answer(text)


LINE_STARTS = ["v=0", "o=- 1 1 IN IP4 a", "s=-", "m=audio 9 UDP/TLS/RTP/SAVPF 0 111", "b=AS:1"]
LINE_STARTS += ["a=rtpmap:", "a=fmtp:", "a=ssrc:", "a=candidate:", "a=mid:", "a=group:BUNDLE "]
LINE_STARTS += ["m=video 0 RTP/SAVPF ", "a=extmap:", "a=rtcp-fb:", "a=bundle-only", "a=rtcp-mux"]


@fuzz
@given(st.lists(st.tuples(st.sampled_from(LINE_STARTS), st.text(max_size=20)), max_size=20))
def test_lines_that_nearly_are_sdp(lines: list[tuple[str, str]]) -> None:
    read_and_answer("\r\n".join(start + rest for start, rest in lines))


@fuzz
@given(st.data())
def test_damaged_offers(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(OFFERS)).splitlines()
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        damage = data.draw(st.sampled_from(["drop", "repeat", "swap", "cut", "insert", "digit"]))
        if damage == "drop" and len(lines) > 1:
            del lines[at]
        elif damage == "repeat":
            lines.insert(at, lines[at])
        elif damage == "swap":
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif damage == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        elif damage == "insert":
            where = data.draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:where] + data.draw(st.text(max_size=5)) + lines[at][where:]
        else:
            number = str(
                data.draw(st.sampled_from([-1, 0, 64, 127, 128, 255, 65536, 2**32, 2**64]))
            )
            lines[at] = "".join(number if c.isdigit() else c for c in lines[at])
    read_and_answer("\r\n".join(lines))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_any_value(value: type) -> None:
    @fuzz
    @given(st.text(max_size=60) | st.text("0123456789abcdef :;=/*.-", max_size=60))
    def read(text: str) -> None:
        try:
            parsed = value.parse(text)  # type: ignore[attr-defined]
        except SdpError:
            return
        assert value.parse(str(parsed)) == parsed  # type: ignore[attr-defined]

    read()
