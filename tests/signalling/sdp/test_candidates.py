import pytest

from signalling.sdp import IceCandidate, SdpError


@pytest.mark.parametrize(
    "text",
    [
        "1 1 udp 2122194687 192.0.2.2 49540 typ host generation 0 network-id 1",
        "0 1 UDP 2122252543 5f0f1e0a-93a5.local 51234 typ host",
        "2 1 tcp 1518285567 fd00::2 9 typ host tcptype active generation 0",
        "10 2 UDP 1685986303 203.0.113.4 65029 typ srflx raddr 192.0.2.9 rport 65029",
        "3 1 udp 1 2001:db8::1 1 typ relay raddr :: rport 0 x y",
    ],
)
def test_round_trip(text: str) -> None:
    assert str(IceCandidate.parse(text)) == text


def test_fields() -> None:
    candidate = IceCandidate.parse("f 2 udp 7 ::1 9 typ srflx raddr ::2 rport 8 ufrag abc")
    assert candidate == IceCandidate(
        "f", 2, "udp", 7, "::1", 9, "srflx", "::2", 8, (("ufrag", "abc"),)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 1 udp 1 a 1 typ",
        "1 1 udp 1 a 1 kind host",
        "1 0 udp 1 a 1 typ host",
        "1 1 udp 4294967296 a 1 typ host",
        "1 1 udp 1 a 65536 typ host",
        "1 1 udp 1 a 1 typ host raddr",
        "1 1 udp 1 a 1 typ host raddr b rport x",
        "1 1 u(p 1 a 1 typ host",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(SdpError):
        IceCandidate.parse(text)


def test_host_candidates_rank_by_preference() -> None:
    first = IceCandidate.host("192.0.2.1", 5004)
    second = IceCandidate.host("2001:db8::1", 5004, preference=65534)
    assert first.priority == 2130706431  # RFC 8445 section 5.1.2.1: 2^24*126 + 2^8*65535 + 255
    assert first.priority > second.priority
    assert first.foundation != second.foundation
    assert IceCandidate.parse(str(second)) == second
