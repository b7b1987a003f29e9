from pathlib import Path

import pytest

from signalling.sdp import Line, SdpError, SessionDescription
from signalling.sdp.description import (
    MAX_CHARACTERS,
    MAX_LINE_CHARACTERS,
    MAX_LINES,
    MAX_MEDIA_SECTIONS,
)

VECTORS = sorted((Path(__file__).parents[2] / "vectors" / "sdp").glob("*.sdp"))
MINIMAL = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_every_line_comes_out_as_it_came_in(path: Path) -> None:
    text = path.read_bytes().decode()
    description = SessionDescription.parse(text)
    assert str(description) == text
    assert SessionDescription.parse(str(description)) == description


def test_line_ends() -> None:
    expected = SessionDescription.parse(MINIMAL)
    assert SessionDescription.parse(MINIMAL.replace("\r\n", "\n")) == expected
    assert SessionDescription.parse(MINIMAL.rstrip()) == expected
    assert SessionDescription.parse(MINIMAL + "\r\n\r\n") == expected
    assert str(expected) == MINIMAL


def test_accessors() -> None:
    description = SessionDescription.parse(MINIMAL + "a=group:LS 0\r\na=group:BUNDLE 0 1\r\n")
    assert description.origin.session_id == 1
    bundle = description.group("BUNDLE")
    assert bundle is not None
    assert bundle.mids == ("0", "1")
    assert description.group("FID") is None
    assert description.with_media(()) == description


def test_built_description_without_origin() -> None:
    with pytest.raises(SdpError):
        _ = SessionDescription((Line("v", "0"),)).origin


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("v=1\r\n", 1),
        ("s=-\r\nv=0\r\no=- 1 1 IN IP4 a\r\n", 1),
        (MINIMAL + "v=0\r\n", 5),
        (MINIMAL + "\r\na=x\r\n", 5),
        (MINIMAL + "nonsense\r\n", 5),
        (MINIMAL + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:nonsense\r\n", 6),
        (MINIMAL + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\ns=again\r\n", 6),
        (MINIMAL + "m=audio\r\n", 5),
        (MINIMAL + "a=" + "x" * MAX_LINE_CHARACTERS, 5),
        ("v=0\r\ns=-\r\n", 0),
        ("v=0\r\no=- 1 1 IN IP4 a\r\n", 0),
        (MINIMAL + "a=x\r\n" * MAX_LINES, 0),
        (MINIMAL + "a=xxxxxx\r\n" * (MAX_CHARACTERS // 10), 0),
        (MINIMAL + "m=audio 9 RTP/AVP 0\r\n" * (MAX_MEDIA_SECTIONS + 1), 5 + MAX_MEDIA_SECTIONS),
    ],
)
def test_refused_with_the_line_at_fault(text: str, line: int) -> None:
    with pytest.raises(SdpError) as caught:
        SessionDescription.parse(text)
    assert caught.value.line == line
    assert caught.value.message


def test_the_error_speaks_of_the_line() -> None:
    with pytest.raises(SdpError, match="line 5: not an SDP line"):
        SessionDescription.parse(MINIMAL + "nonsense")
