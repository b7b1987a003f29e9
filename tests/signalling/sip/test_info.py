"""Key frames and keys by INFO."""

import pytest

from signalling.sip.effects import DigitReceived, Event, InfoReceived, PictureRequested
from signalling.sip.info import digit_body, take_info
from tests.signalling.sip.messages import request
from tests.signalling.sip.test_calls import established, settle

CONTROL = (
    b'<?xml version="1.0" encoding="utf-8" ?><media_control><vc_primitive><to_encoder>'
    b"<picture_fast_update></picture_fast_update></to_encoder></vc_primitive></media_control>"
)


@pytest.mark.parametrize(
    ("content_type", "body", "event"),
    [
        ("application/media_control+xml", CONTROL, PictureRequested("c")),
        ("Application/Media_Control+XML;charset=utf-8", CONTROL, PictureRequested("c")),
        ("application/media_control+xml", b"<media_control/>", None),
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", DigitReceived("c", "5", 160)),
        ("application/dtmf-relay", b"Signal= * \nDuration= 100", DigitReceived("c", "*", 100)),
        ("application/dtmf-relay", b"signal=d", DigitReceived("c", "D", 160)),
        ("application/dtmf-relay", b"Signal=11\r\n", DigitReceived("c", "#", 160)),
        ("application/dtmf-relay", b"Signal=5\r\nDuration=99999", DigitReceived("c", "5", 5_000)),
        ("application/dtmf-relay", b"Signal=16\r\n", None),
        ("application/dtmf-relay", b"Signal=x\r\n", None),
        ("application/dtmf-relay", b"\xff\x00", None),
        ("application/dtmf", b"7", DigitReceived("c", "7", 160)),
        ("application/dtmf", b" # \r\n", DigitReceived("c", "#", 160)),
        ("text/plain", b"hello", InfoReceived("c", "text/plain", b"hello")),
        ("text/plain", b"", None),
    ],
)
def test_what_an_info_means(content_type: str, body: bytes, event: Event | None) -> None:
    info = request("INFO", "z9hG4bK1", f"Content-Type: {content_type}", body=body)
    assert take_info("c", info) == event


def test_between_two_agents() -> None:
    link, ours, theirs, call, their_call = established()
    assert ours.do("request_picture", call)
    for digit in "12#":
        assert ours.do("press", call, digit)
    link.run(1.0)
    assert theirs.one(PictureRequested).call == their_call
    assert "".join(event.digit for event in theirs.of(DigitReceived)) == "12#"
    ours.do("hang_up", call)
    assert not ours.do("request_picture", call)
    settle(link)


def test_keys_that_are_none() -> None:
    for digit in ("", "12", "x", "\r"):
        with pytest.raises(ValueError, match="no key"):
            digit_body(digit)


def test_too_many_keys_at_once() -> None:
    link, ours, _, call, _ = established()
    assert [ours.do("press", call, "1") for _ in range(40)].count(False) == 8
    ours.do("hang_up", call)
    settle(link)
