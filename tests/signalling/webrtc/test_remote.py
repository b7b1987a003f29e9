import pytest

from signalling.media.negotiated import OfferRefused
from signalling.sdp import SessionDescription
from signalling.webrtc.remote import RemoteTransport, read_transport

HEAD = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
AUDIO = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:a", "a=rtcp-mux"]
VIDEO = ["m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:v", "a=rtcp-mux", "a=bundle-only"]
UFRAG = "a=ice-ufrag:abcd"
PWD = "a=ice-pwd:" + "x" * 22
PRINT = "a=fingerprint:sha-256 AB:CD"
ALL = [UFRAG, PWD, PRINT]


def read(lines: list[str], index: int = 0) -> RemoteTransport:
    offer = SessionDescription.parse("\n".join(lines))
    return read_transport(offer, offer.media[index])


def test_in_the_section() -> None:
    transport = read([*HEAD, *AUDIO, *ALL])
    assert (transport.ufrag, transport.pwd) == ("abcd", "x" * 22)
    assert [str(fingerprint) for fingerprint in transport.fingerprints] == ["sha-256 AB:CD"]


def test_in_the_session() -> None:
    assert read([*HEAD, *ALL, *AUDIO]).ufrag == "abcd"


def test_the_section_goes_before_the_session() -> None:
    other = "a=fingerprint:sha-256 00:00"
    transport = read([*HEAD, "a=ice-ufrag:zzzz", other, *AUDIO, *ALL])
    assert transport.ufrag == "abcd"
    assert [fingerprint.value for fingerprint in transport.fingerprints] == ["AB:CD"]


def test_bundle_only_sections_borrow_from_the_first() -> None:
    lines = [*HEAD, "a=group:BUNDLE a v", *AUDIO, *ALL, "a=setup:passive", *VIDEO]
    assert read(lines, 1) == read(lines, 0)


def test_unbundled_sections_borrow_nothing() -> None:
    with pytest.raises(OfferRefused):
        read([*HEAD, "a=group:BUNDLE a", *AUDIO, *ALL, *VIDEO], 1)


@pytest.mark.parametrize(
    ("setup", "role"),
    [
        ([], "server"),
        (["a=setup:actpass"], "server"),
        (["a=setup:active"], "server"),
        (["a=setup:passive"], "client"),
    ],
)
def test_role(setup: list[str], role: str) -> None:
    assert read([*HEAD, *AUDIO, *ALL, *setup]).role == role


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([PWD, PRINT], "ice-ufrag"),
        (["a=ice-ufrag:abc", PWD, PRINT], "ice-ufrag"),
        (["a=ice-ufrag:ab cd", PWD, PRINT], "ice-ufrag"),
        (["a=ice-ufrag:" + "a" * 257, PWD, PRINT], "ice-ufrag"),
        ([UFRAG, PRINT], "ice-pwd"),
        ([UFRAG, "a=ice-pwd:short", PRINT], "ice-pwd"),
        ([UFRAG, PWD], "fingerprint"),
        ([UFRAG, PWD, "a=fingerprint:sha-1 AB:CD"], "fingerprint"),
        ([*ALL, "a=setup:holdconn"], "setup"),
        ([*ALL, "a=setup:nonsense"], "setup"),
    ],
)
def test_refused(lines: list[str], field: str) -> None:
    with pytest.raises(OfferRefused) as caught:
        read([*HEAD, *AUDIO, *lines])
    assert caught.value.field == field
