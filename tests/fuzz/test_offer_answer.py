"""Offers and answers of SIP peers: text of any kind, and those of devices damaged in every place.

Invariant: reading ends in a description or ``SdpError``; answering in an agreement or
``OfferRefused``; so does completing an offer of ours. Nothing else is raised. An answer reads
again the same, has the offer's sections in the offer's order, and no payload type the offer has
not; its flows are those of its sections that are not switched off. Answering again, offering again
and holding go on from any agreement. Two ends of any kind that agree at all agree about everything.
"""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signalling.offer_answer import (
    Agreed,
    Dtls,
    Flow,
    Ice,
    LocalFloor,
    LocalMedia,
    OfferRefused,
    Sdes,
    answer_offer,
    complete_offer,
    make_offer,
)
from signalling.offer_answer.agreement import FEEDBACK, SUITES
from signalling.sdp import Crypto, Fingerprint, SdpError, SessionDescription

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "sdp").rglob("*.sdp"))
OFFERS = [path.read_bytes().decode() for path in VECTORS]
KEY = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"

fuzz = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def an_end(**changes: Any) -> LocalMedia:
    """An end that takes everything there is."""
    ports, ssrcs, keys = itertools.count(40000, 2), itertools.count(1000), itertools.count(1)
    values: dict[str, Any] = {
        "port": lambda index, family: next(ports),
        "session_id": 7,
        "cname": "clock",
        "new_ssrc": lambda: next(ssrcs),
        "new_key": lambda length: bytes([next(keys) % 256]) * length,
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "fingerprints": (Fingerprint("sha-256", "AB:CD"),),
        "ice": Ice("mcu1", "p" * 24),
        "feedback": FEEDBACK | {"ccm tmmbr", "transport-cc"},
        "floor": LocalFloor(
            lambda protocol: 50000,
            1,
            2,
            protocols=("UDP/BFCP", "TCP/BFCP", "UDP/TLS/BFCP", "TCP/TLS/BFCP"),
        ),
    }
    return LocalMedia(**(values | changes))


def check_answer(offer: SessionDescription, agreed: Agreed) -> None:
    answer = agreed.local
    assert SessionDescription.parse(str(answer)) == answer
    assert [(m.kind, m.protocol.upper()) for m in answer.media] == [
        (m.kind, m.protocol.upper()) for m in offer.media
    ]
    for offered, answered in zip(offer.media, answer.media, strict=True):
        assert set(answered.formats) <= {*offered.formats, "*"}
        assert offered.port or not answered.port
    on = {index for index, media in enumerate(answer.media) if media.port}
    used = {flow.index for flow in agreed.flows}
    assert on == (used | {agreed.floor.index} if agreed.floor else used)
    assert len({flow.media.stream for flow in agreed.flows}) == len(agreed.flows)


def go_through(text: str) -> None:
    try:
        offer = SessionDescription.parse(text)
    except SdpError:
        return
    local = an_end()
    try:
        agreed = answer_offer(offer, local)
    except OfferRefused:
        pass
    else:
        check_answer(offer, agreed)
        assert answer_offer(offer, local, previous=agreed).flows == agreed.flows
        more = make_offer(local, previous=agreed, add=("audio", "video", "presentation"))
        assert SessionDescription.parse(str(more.local)) == more.local
        complete(more, offer)
    for protections in (("sdes", "plain"), ("dtls",)):
        complete(make_offer(an_end(protections=protections)), offer)


def complete(offered: Any, answer: SessionDescription) -> None:
    try:
        agreed = complete_offer(offered, answer)
    except OfferRefused:
        return
    make_offer(offered.ours, previous=agreed, holding=True)


@fuzz
@given(st.text(max_size=400))
@example("v=0\no=- 0 0 IN IP4 a\ns=-\nc=IN IP4 a\nm=audio 9 RTP/AVP 0\n")
def test_any_text(text: str) -> None:
    go_through(text)


HEAD = ["v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7"]
STARTS = ["m=audio 9 RTP/AVP 0 8", "m=audio 4000 RTP/SAVP 0", "m=video 4002 RTP/AVP 97"]
STARTS += ["m=application 5000 UDP/BFCP ", "m=application 5000 TCP/TLS/BFCP *", "c=IN IP4 "]
STARTS += [f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {KEY}", "a=crypto:", "a=rtcp:", "a=ptime:"]
STARTS += ["a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f;max-fs=", "a=setup:"]
STARTS += ["a=floorid:", "a=floorctrl:", "a=confid:", "a=userid:", "a=label:", "a=content:"]
STARTS += ["a=rtcp-fb:* ", "a=maxptime:", "a=rtpmap:101 telephone-event/", "b=AS:", "t="]
STARTS += ["a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 22, "a=fingerprint:sha-256 AB:CD", "a=mid:"]


@fuzz
@given(st.lists(st.tuples(st.sampled_from(STARTS), st.text(max_size=12)), max_size=20))
def test_lines_that_nearly_are_sdp(lines: list[tuple[str, str]]) -> None:
    go_through("\r\n".join([*HEAD, *(start + rest for start, rest in lines)]))


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
            number = str(data.draw(st.sampled_from([-1, 0, 9, 64, 127, 128, 65535, 65536, 2**64])))
            lines[at] = "".join(number if c.isdigit() else c for c in lines[at])
    go_through("\r\n".join(lines))


@fuzz
@given(st.text(max_size=60) | st.text("0123456789abcdef |:;^=/*.-ABCD", max_size=80))
@example(f"{KEY}|2^31|1:1")
def test_any_key(text: str) -> None:
    line = f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 {text}"
    try:
        Crypto.parse(line.partition(":")[2])
    except SdpError:
        return
    go_through("\r\n".join([*HEAD, "m=audio 4000 RTP/SAVP 8", line]))


@pytest.mark.parametrize("text", OFFERS, ids=[path.stem for path in VECTORS])
@pytest.mark.parametrize("answer", OFFERS[::4])
def test_any_offer_as_the_answer_to_any_agreement(text: str, answer: str) -> None:
    local = an_end()
    try:
        agreed = answer_offer(SessionDescription.parse(text), local)
    except OfferRefused:
        return
    complete(make_offer(local, previous=agreed), SessionDescription.parse(answer))


DIRECTIONS = st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"])
ENDS = st.fixed_dictionaries(
    {
        "protections": st.permutations(["sdes", "dtls", "plain"]).flatmap(
            lambda order: st.integers(1, 3).map(lambda count: tuple(order[:count]))
        ),
        "suites": st.permutations(list(SUITES)).flatmap(
            lambda order: st.integers(1, len(SUITES)).map(lambda count: tuple(order[:count]))
        ),
        "codecs": st.frozensets(
            st.sampled_from(["opus", "g722", "pcma", "pcmu", "h264", "vp8"]), min_size=1
        ),
        "packetization_modes": st.frozensets(st.sampled_from([0, 1]), min_size=1),
        "h264_level": st.sampled_from([12, 31, 40, 52]),
        "streams": st.fixed_dictionaries(
            {"audio": DIRECTIONS}, optional={"video": DIRECTIONS, "presentation": DIRECTIONS}
        ),
        "feedback": st.frozensets(st.sampled_from(sorted(FEEDBACK))),
        "receive_bitrate_bps": st.sampled_from([0, 64_000, 2_000_000]),
    }
)


def kept(flow: Flow) -> Flow:
    """What an offer that changes nothing keeps: all but what one more exchange tells of levels."""
    received = flow.media.receive_codecs.items()
    codecs = {number: (one.name, one.single_nal_units) for number, one in received}
    sent = flow.media.send_codec and flow.media.send_codec.payload_type
    media = replace(flow.media, receive_codecs={}, send_codec=None, max_bitrate_bps=0)
    return replace(flow, media=media, label=f"{codecs} {sent} {flow.label}")


@fuzz
@given(ENDS, ENDS)
def test_two_ends_agree_about_everything(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    one, other = an_end(**ours), an_end(**theirs, session_id=8)
    offered = make_offer(one)
    if not offered.local.media:
        return
    try:
        answered = answer_offer(offered.local, other)
    except OfferRefused:
        return
    check_answer(offered.local, answered)
    completed = complete_offer(offered, answered.local)
    assert [flow.index for flow in completed.flows] == [flow.index for flow in answered.flows]
    mirror = {"sendonly": "recvonly", "recvonly": "sendonly"}
    for near, far in zip(completed.flows, answered.flows, strict=True):
        assert near.media.stream == far.media.stream
        assert mirror.get(near.media.direction, near.media.direction) == far.media.direction
        for flow, peer in ((near, far), (far, near)):
            assert flow.remote == ("192.0.2.1", peer.local_port)
            if flow.media.send_codec is not None:
                taken = peer.media.receive_codecs[flow.media.send_codec.payload_type]
                assert taken.name == flow.media.send_codec.name
            assert flow.dtmf == peer.dtmf_receive
            assert flow.comfort_noise == peer.comfort_noise
        if isinstance(near.security, Sdes):
            assert isinstance(far.security, Sdes)
            assert near.security.local_key == far.security.remote_key
            assert near.security.remote_key == far.security.local_key
        if isinstance(near.security, Dtls):
            assert isinstance(far.security, Dtls)
            assert near.security.role != far.security.role
    floors = (completed.floor, answered.floor)
    assert (floors[0] is None) == (floors[1] is None)
    # And the same again, from the other side.
    again = make_offer(other, previous=answered)
    second = answer_offer(again.local, one, previous=completed)
    assert list(map(kept, second.flows)) == list(map(kept, completed.flows))
    settled = complete_offer(again, second.local)
    assert list(map(kept, settled.flows)) == list(map(kept, answered.flows))
