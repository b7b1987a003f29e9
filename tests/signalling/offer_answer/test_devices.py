"""Offers of real devices: what is taken of each, and that we agree with ourselves about it."""

import pytest

from signalling.offer_answer import Agreed, Dtls, LocalMedia, Plain, Sdes, answer_offer, make_offer
from signalling.offer_answer.agreement import FEEDBACK
from signalling.sdp import SessionDescription
from tests.signalling.offer_answer.ends_of_calls import DEVICES, floor, local_media, ports, vector


def end() -> LocalMedia:
    return local_media(floor=floor(), feedback=FEEDBACK | {"ccm tmmbr"})


def answered(name: str) -> Agreed:
    return answer_offer(vector(name), end())


def codecs(agreed: Agreed) -> list[tuple[str, int]]:
    found = [flow.media.codec for flow in agreed.flows]
    return [(codec.name, codec.payload_type) for codec in found]


@pytest.mark.parametrize("name", DEVICES)
def test_every_offer_is_answered_in_its_own_terms(name: str) -> None:
    described = vector(name)
    agreed = answered(name)
    assert SessionDescription.parse(str(agreed.local)) == agreed.local
    for theirs, ours in zip(described.media, agreed.local.media, strict=True):
        assert (ours.kind, ours.protocol) == (theirs.kind, theirs.protocol)
        assert set(ours.formats) <= set(theirs.formats)
        asked = {(fb.type, fb.parameter) for fb in theirs.rtcp_feedback}
        assert {(fb.type, fb.parameter) for fb in ours.rtcp_feedback} <= asked
    assert agreed.flow("audio") is not None


@pytest.mark.parametrize("name", DEVICES)
def test_every_device_is_offered_again_what_it_has(name: str) -> None:
    agreed = answered(name)
    again = make_offer(end(), previous=agreed)
    assert [bool(m.port) for m in again.local.media] == [bool(port) for port in ports(agreed)]
    for theirs, ours in zip(vector(name).media, again.local.media, strict=True):
        assert set(ours.formats) <= set(theirs.formats)


def test_poly_x30() -> None:
    agreed = answered("poly-x30")
    assert codecs(agreed) == [("g722", 9), ("h264", 110)]
    picture = agreed.flows[1].media
    assert (picture.codec.max_width, picture.codec.max_fps) == (1920, 60)
    assert (picture.fir, picture.tmmbr, picture.pli) == (True, True, False)
    assert [bool(port) for port in ports(agreed)] == [True, True, False, True]
    assert agreed.floor is not None
    assert (agreed.floor.protocol, agreed.floor.role) == ("TCP/BFCP", "server")
    # The presentation follows by an offer of ours.
    more = make_offer(end(), previous=agreed, add=("presentation",))
    assert [m.kind for m in more.local.media] == [
        "audio",
        "video",
        "application",
        "application",
        "video",
    ]
    assert more.local.media[4].content == ("slides",)


def test_poly_group() -> None:
    agreed = answered("poly-group")
    assert codecs(agreed) == [("g722", 9), ("h264", 110)]
    assert agreed.flows[0].dtmf == 119
    assert agreed.flows[1].media.max_bitrate_bps == 924_000
    assert agreed.max_bitrate_bps == 1_024_000
    assert ports(agreed)[3] == 0


def test_cisco_room() -> None:
    agreed = answered("cisco-room")
    assert codecs(agreed) == [("opus", 114), ("h264", 126), ("h264", 126)]
    sound, main, slides = agreed.flows
    assert (sound.dtmf, sound.dtmf_clock_rate) == (101, 8000)
    assert (main.media.stream, slides.media.stream) == ("video", "presentation")
    assert (main.media.codec.max_width, main.media.codec.max_fps) == (1920, 60)
    assert main.media.max_bitrate_bps == 5_000_000
    assert agreed.local.media[1].fmtps[0].parameters["max-fs"] == "8192"
    assert agreed.floor is not None
    assert agreed.floor.labels == ("12",)
    assert [bool(port) for port in ports(agreed)] == [True, True, True, True, False, False]


def test_cisco_jabber_without_a_camera() -> None:
    agreed = answered("cisco-jabber")
    main, slides = agreed.flow("video"), agreed.flow("presentation")
    assert main is not None
    assert slides is not None
    assert main.media.direction == "sendonly"
    assert slides.media.direction == "sendrecv"
    assert main.media.codec.answer_parameters["level-asymmetry-allowed"] == "1"


def test_tandberg_with_rtcp_in_the_clear() -> None:
    agreed = answered("tandberg-sdes")
    securities = [flow.security for flow in agreed.flows]
    # Keys whose RTCP is not encrypted are left; without others the section is plain.
    assert isinstance(securities[0], Sdes)
    assert securities[0].tag == 1
    assert securities[2] == Plain()
    strict = answer_offer(vector("tandberg-sdes"), local_media(protections=("sdes",)))
    assert [flow.media.stream for flow in strict.flows] == ["audio", "video"]


def test_yealink_room() -> None:
    agreed = answered("yealink-room")
    assert codecs(agreed) == [("g722", 9), ("h264", 107), ("h264", 107)]
    assert all(isinstance(flow.security, Sdes) for flow in agreed.flows)
    assert agreed.flows[1].media.codec.single_nal_units
    assert agreed.floor is not None
    assert agreed.floor.labels == ("3",)


def test_yealink_phone() -> None:
    agreed = answered("yealink-phone")
    assert codecs(agreed) == [("g722", 9)]
    assert agreed.flows[0].dtmf == 101


def test_huawei_room() -> None:
    agreed = answered("huawei-room")
    security = agreed.flows[0].security
    assert isinstance(security, Sdes)
    assert security.remote_mki_bytes == 1
    assert codecs(agreed)[1:] == [("h264", 106), ("h264", 106)]
    assert agreed.floor is None  # over TLS, which this end does not do
    assert ports(agreed)[3:] == [0, 0]


def test_lifesize() -> None:
    agreed = answered("lifesize")
    assert codecs(agreed) == [("g722", 9), ("h264", 96)]
    assert [bool(port) for port in ports(agreed)] == [True, True, False, False, True]
    assert agreed.flows[0].dtmf == 101


def test_freeswitch_offers_twice() -> None:
    agreed = answered("freeswitch-optional")
    (flow,) = agreed.flows
    assert isinstance(flow.security, Sdes)
    assert (flow.security.tag, flow.security.profile) == (2, "AEAD_AES_256_GCM")
    assert flow.rtcp_mux
    assert flow.media.codec.parameters["maxaveragebitrate"] == "18000"
    assert [bool(port) for port in ports(agreed)] == [True, False]


def test_freeswitch_with_dtls_under_savpf() -> None:
    (flow,) = answered("freeswitch-dtls").flows
    assert isinstance(flow.security, Dtls)
    assert flow.ice is not None
    assert (flow.dtmf, flow.dtmf_clock_rate) == (103, 48000)


def test_asterisk() -> None:
    agreed = answered("asterisk-pjsip")
    assert codecs(agreed) == [("opus", 107), ("h264", 99)]
    assert all(isinstance(flow.security, Sdes) for flow in agreed.flows)
    assert {m.protocol for m in agreed.local.media} == {"RTP/AVP"}


def test_linphone() -> None:
    agreed = answered("linphone-avpf")
    assert codecs(agreed) == [("opus", 96), ("h264", 96)]
    sound, picture = agreed.flows
    assert (sound.dtmf, sound.dtmf_clock_rate) == (101, 48000)
    assert (picture.media.pli, picture.media.fir, picture.media.nack) == (True, True, False)


def test_grandstream_over_ipv6() -> None:
    agreed = answered("grandstream-ipv6")
    assert [flow.family for flow in agreed.flows] == ["IP6", "IP6"]
    assert all(flow.ice is not None for flow in agreed.flows)
    assert agreed.flows[1].media.max_bitrate_bps == 284_000


@pytest.mark.parametrize(
    ("name", "security"),
    [
        ("baresip-plain", Plain),
        ("baresip-sdes", Sdes),
        ("baresip-sdes-mandf", Sdes),
        ("baresip-dtls", Dtls),
        ("baresip-dtls-ice", Dtls),
    ],
)
def test_baresip(name: str, security: type) -> None:
    agreed = answered(name)
    assert codecs(agreed) == [("opus", 96), ("h264", 97)]
    assert all(type(flow.security) is security for flow in agreed.flows)
    assert all((flow.ice is not None) == name.endswith("-ice") for flow in agreed.flows)
    assert agreed.flows[1].media.pli
