import pytest

from signalling.sdp import ExtMap, Fmtp, RtcpFeedback, RtpMap, SdpError, format_parameters


@pytest.mark.parametrize("text", ["111 opus/48000/2", "0 PCMU/8000", "96 H264/90000"])
def test_rtpmap_round_trip(text: str) -> None:
    assert str(RtpMap.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "111", "111 opus", "128 a/1", "-1 a/1", "x a/1", "1 a/0", "1 a/1/0", "1 a/1/2/3", "1 /1"],
)
def test_rtpmap_refused(text: str) -> None:
    with pytest.raises(SdpError):
        RtpMap.parse(text)


def test_fmtp_parameters() -> None:
    fmtp = Fmtp.parse("96 Profile-Level-Id=42e01f; packetization-mode=1 ;;flag;a=b=c;flag=late")
    assert fmtp.payload_type == "96"
    assert fmtp.parameters == {
        "profile-level-id": "42e01f",
        "packetization-mode": "1",
        "flag": "",
        "a": "b=c",
    }


@pytest.mark.parametrize("text", ["111 minptime=10;useinbandfec=1", "101 0-15", "63 111/111", "9"])
def test_fmtp_keeps_its_text(text: str) -> None:
    assert str(Fmtp.parse(text)) == text


def test_format_parameters() -> None:
    assert format_parameters({"a": "1", "flag": "", "b": "x"}) == "a=1;flag;b=x"


@pytest.mark.parametrize(
    "text", ["96 nack", "96 nack pli", "* ccm fir", "97 trr-int 100 more", "1 nack\t"]
)
def test_feedback_round_trip(text: str) -> None:
    assert str(RtcpFeedback.parse(text)) == text


def test_feedback_wildcard() -> None:
    assert RtcpFeedback.parse("* nack").payload_type is None


@pytest.mark.parametrize("text", ["", "96", "96 ", "x nack", "200 nack"])
def test_feedback_refused(text: str) -> None:
    with pytest.raises(SdpError):
        RtcpFeedback.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "1 urn:a",
        "3/sendonly urn:a",
        "14 urn:a vad=on",
        "4351/inactive URI:x with more words",
        "1 a  ",
    ],
)
def test_extmap_round_trip(text: str) -> None:
    assert str(ExtMap.parse(text)) == text


@pytest.mark.parametrize("text", ["", "1", "0 urn:a", "4352 urn:a", "1/up urn:a", "1/ urn:a", "1 "])
def test_extmap_refused(text: str) -> None:
    with pytest.raises(SdpError):
        ExtMap.parse(text)
