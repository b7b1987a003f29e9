"""Session descriptions in messages: by themselves, or as a part among others (RFC 5621).

Some exchanges and gateways send them beside what only they understand (ISUP, locations). One level
of parts is looked through, and of those so many: what is nested deeper is nothing that rooms send.
"""

import re

from signalling.sip.core import SDP
from signalling.sip.errors import SipError
from signalling.sip.message import ReceivedRequest, ReceivedResponse

MAX_PARTS = 10
_BOUNDARY = re.compile(
    r";[ \t]*boundary[ \t]*=[ \t]*(?:\"([^\"\\]{1,70})\"|([\w'()+,\-./:=?]{1,70}))",
    re.IGNORECASE | re.ASCII,
)
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


def sdp_of(message: ReceivedRequest | ReceivedResponse) -> bytes | None:
    """The session description a message carries.

    Raises:
        SipError: status 415, it carries something else.
    """
    if not message.body:
        return None
    named = message.headers.get("Content-Type") or ""
    content_type = _value(named)
    if _value(message.headers.get("Content-Encoding") or "identity") != "identity":
        raise SipError("Content-Encoding", "is not understood here", 415)
    if content_type.startswith("multipart/"):
        boundary = _BOUNDARY.search(named)
        found = _part(message.body, boundary[1] or boundary[2]) if boundary else None
        if found is None:
            raise SipError("Content-Type", "has no session description among its parts", 415)
        return found
    if content_type != SDP:
        raise SipError("Content-Type", "is not a session description", 415)
    return message.body


def _part(body: bytes, boundary: str) -> bytes | None:
    """The first part that is a session description; None where there is none."""
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode(), MAX_PARTS + 1)[1:-1]:
        padding, _, rest = piece.partition(b"\r\n")
        if padding.strip(b" \t"):  # "--" that ends them, or another boundary that begins alike
            return None
        head, _, content = (b"\r\n" + rest).partition(b"\r\n\r\n")
        fields = dict(map(_field, head.decode("latin-1").split("\r\n")))
        is_plain = (
            fields.get("content-transfer-encoding", "") in _PLAIN_ENCODINGS
            and fields.get("content-encoding", "identity") == "identity"
        )
        if is_plain and fields.get("content-type") == SDP and content:
            # The boundary takes a line's end, which may have been that of the description.
            return content if content.endswith(b"\r\n") else content + b"\r\n"
    return None


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), _value(value)


def _value(text: str) -> str:
    """A field's value without its parameters, in lower case."""
    return text.partition(";")[0].strip().lower()
