import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.legs.ice_fragment import MAX_FRAGMENT_BYTES, IceFragment, write_fragment
from signalling.sdp import IceCandidate, SdpError

UFRAG, PWD = "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1"


def test_reads_the_example_of_rfc_9725() -> None:
    text = (
        f"a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\n"
        f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
        f"a=ice-ufrag:{UFRAG}\r\na=ice-pwd:{PWD}\r\n"
        "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
        "a=end-of-candidates\r\n"
    )
    assert IceFragment.parse(text) == IceFragment(UFRAG, PWD)


def test_what_is_written_is_read() -> None:
    candidates = [IceCandidate.host("192.0.2.1", 7000), IceCandidate.host("2001:db8::1", 7000)]
    text = write_fragment(UFRAG, PWD, "0", "audio", candidates)
    assert IceFragment.parse(text) == IceFragment(UFRAG, PWD)
    assert text.count("a=candidate:") == 2
    assert text.endswith("a=end-of-candidates\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"a=ice-ufrag:{UFRAG}\r\n",
        f"a=ice-pwd:{PWD}\r\n",
        f"a=ice-ufrag:abc\r\na=ice-pwd:{PWD}\r\n",
        f"a=ice-ufrag:{UFRAG}\r\na=ice-pwd:short\r\n",
        f"a=ice-ufrag:{UFRAG}!\r\na=ice-pwd:{PWD}\r\n",
        f"a=ice-ufrag:{UFRAG}\r\na=ice-pwd:{PWD}\r\n" + "x" * MAX_FRAGMENT_BYTES,
    ],
)
def test_broken_fragments_are_refused(text: str) -> None:
    with pytest.raises(SdpError):
        IceFragment.parse(text)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        IceFragment.parse(text)
    except SdpError:
        return
