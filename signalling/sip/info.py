"""INFO: key frames asked for (RFC 5168) and keys pressed, as devices send them."""

import re

from signalling.sip.effects import CallId, DigitReceived, Event, InfoReceived, PictureRequested
from signalling.sip.message import ReceivedRequest

MEDIA_CONTROL = "application/media_control+xml"
DTMF_RELAY = "application/dtmf-relay"
DTMF = "application/dtmf"
DIGITS = "0123456789*#ABCD"
DEFAULT_DURATION_MS = 160
MAX_DURATION_MS = 5_000

PICTURE_REQUEST = (
    b'<?xml version="1.0" encoding="utf-8"?>\r\n'
    b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder>"
    b"</vc_primitive></media_control>\r\n"
)

_SIGNAL = re.compile(rb"^\s*Signal\s*=\s*([0-9*#A-Da-d]|1[0-5])\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(rb"^\s*Duration\s*=\s*([0-9]{1,5})\s*$", re.IGNORECASE | re.MULTILINE)


def take_info(call: CallId, request: ReceivedRequest) -> Event | None:
    """What an INFO means; None for one that is empty or says nothing."""
    content_type = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    body = request.body
    if not body:
        return None
    if content_type == MEDIA_CONTROL:
        # Whether the word is there decides; reading XML of strangers would gain nothing.
        return PictureRequested(call) if b"picture_fast_update" in body else None
    if content_type == DTMF_RELAY:
        return _digit(call, body)
    if content_type == DTMF:
        return _digit(call, b"Signal=" + body.strip())
    return InfoReceived(call, content_type, body)


def digit_body(digit: str, duration_ms: int = DEFAULT_DURATION_MS) -> bytes:
    """Body of type ``DTMF_RELAY``; ValueError for what is no key."""
    if len(digit) != 1 or digit.upper() not in DIGITS:
        raise ValueError(f"{digit!r} is no key of a telephone")
    return f"Signal={digit.upper()}\r\nDuration={duration_ms}\r\n".encode()


def _digit(call: CallId, body: bytes) -> DigitReceived | None:
    signal = _SIGNAL.search(body)
    if signal is None:
        return None
    text = signal[1].decode().upper()
    if len(text) == 2:  # 10 to 15: events of RFC 4733
        text = DIGITS[int(text)]
    duration = _DURATION.search(body)
    duration_ms = int(duration[1]) if duration else DEFAULT_DURATION_MS
    return DigitReceived(call, text, min(duration_ms, MAX_DURATION_MS))
