from collections.abc import Callable

import pytest

from signalling.sdp import (
    Bandwidth,
    Line,
    MediaSection,
    Msid,
    SdpError,
    Section,
    SessionDescription,
)

Vector = Callable[[str], SessionDescription]


@pytest.mark.parametrize("text", ["a=sendrecv", "a=x:y:z", "s= ", "k=", "i=Phòng họp"])
def test_line_round_trip(text: str) -> None:
    assert str(Line.parse(text)) == text


@pytest.mark.parametrize("text", ["", "a", "=a", "A=b", "aa=b", " a=b", "a=\x00", "a=b\rc"])
def test_line_refused(text: str) -> None:
    with pytest.raises(SdpError):
        Line.parse(text)


def test_attribute_lines() -> None:
    assert str(Line.attribute("rtcp-mux")) == "a=rtcp-mux"
    assert str(Line.attribute("mid", 0)) == "a=mid:0"
    assert Line.attribute("mid", 0).name == "mid"
    assert Line("s", "mid:0").name == ""


def test_attributes_in_order() -> None:
    section = Section((Line.parse("a=x:1"), Line.parse("b=AS:5"), Line.parse("a=x:2")))
    assert section.attribute("x") == "1"
    assert section.attributes("x") == ("1", "2")
    assert section.attribute("y") is None
    assert section.has("x")
    assert not section.has("AS")
    assert section.field("b") == "AS:5"
    assert section.direction is None


def test_flag_attribute_is_empty_text() -> None:
    assert Section((Line.parse("a=rtcp-mux"),)).attribute("rtcp-mux") == ""


def test_typed_access_for_sip(vector: Vector) -> None:
    audio, video, slides, floor = vector("sip-room").media
    assert [crypto.suite for crypto in audio.cryptos] == [
        "AES_CM_128_HMAC_SHA1_80",
        "AES_CM_128_HMAC_SHA1_32",
    ]
    assert audio.label == "11"
    assert video.bandwidths == (Bandwidth("TIAS", 1_500_000),)
    assert video.content == ("main",)
    assert slides.content == ("slides",)
    assert slides.direction is None
    assert video.direction == "sendrecv"
    assert floor.floorctrl == ("c-only", "s-only")
    assert (floor.port, floor.port_count, floor.protocol) == (49180, 2, "UDP/BFCP")
    assert floor.formats == ("*",)
    assert floor.payload_types == ()
    assert video.connection is None


def test_typed_access_for_webrtc(vector: Vector) -> None:
    offer = vector("chromium-join")
    video = offer.media[1]
    assert video.mid == "1"
    assert video.kind == "video"
    assert video.is_rtp
    assert {fmtp.payload_type for fmtp in video.fmtps} <= set(video.formats)
    assert video.ssrc_groups[0].semantics == "FID"
    assert {line.ssrc for line in video.ssrcs} == set(video.ssrc_groups[0].ssrcs)
    assert {c.transport for c in video.candidates} <= {"udp", "tcp"}
    assert isinstance(video.msids[0], Msid)
    assert video.setup == "actpass"
    assert video.fingerprints[0].algorithm == "sha-256"
    assert video.ice_ufrag == offer.media[0].ice_ufrag
    assert len(video.ice_pwd or "") >= 22
    assert {extmap.id for extmap in video.extmaps}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "audio",
        "audio 9 RTP/AVP",
        "audio x RTP/AVP 0",
        "audio 65536 RTP/AVP 0",
        "audio 9/0 RTP/AVP 0",
        "audio 9 RTP//AVP 0",
        "audio 9 RTP/AVP 128",
        "audio 9 RTP/AVP x",
        "au(dio 9 RTP/AVP 0",
    ],
)
def test_media_line_refused(text: str) -> None:
    with pytest.raises(SdpError):
        MediaSection.parse_media(text)


def test_accessors_of_built_sections_raise_the_typed_error_only() -> None:
    section = MediaSection(lines=(Line("a", "rtpmap:x"), Line("b", "no"), Line("c", "no")))
    with pytest.raises(SdpError):
        _ = section.rtpmaps
    with pytest.raises(SdpError):
        _ = section.bandwidths
    with pytest.raises(SdpError):
        _ = section.connection
