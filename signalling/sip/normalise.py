"""Bring a message into the one form that the parser of ``sipmessage`` takes.

RFC 3261 allows much that this parser refuses: CRLF before the start line, folded and compact
header fields, space around colons, tabs. RFC 4475 wants that taken. So the lines of a message are
put into their plain form here, and nothing else is done to them: no value is understood, none is
guessed. Every size has a limit, and what goes beyond one is refused by name.

Cost: O(bytes of the message), before anything is known of its sender.
"""

import re
from dataclasses import dataclass

from sipmessage.message import COMPACT_FORMS

from signalling.sip.errors import SipError

MAX_MESSAGE_BYTES = 65_535
"""What a UDP datagram can hold; streams have the same limit."""
MAX_HEADER_BYTES = 24_576
MAX_FIELD_BYTES = 8_192
MAX_FIELDS = 200
MAX_START_LINE_BYTES = 2_048
MAX_LEADING_BYTES = 64
"""Empty lines before the start line: keep-alives that ran into a message (RFC 3261 section 7.5)."""

SINGLE_FIELDS = frozenset(
    {
        "call-id", "content-disposition", "content-encoding", "content-length", "content-type",
        "cseq", "date", "event", "expires", "from", "max-forwards", "min-expires", "min-se",
        "rack", "refer-to", "replaces", "retry-after", "rseq", "session-expires",
        "subscription-state", "to",
    }
)  # fmt: skip
"""Fields that mean nothing when they come twice (RFC 3261 section 7.3.1)."""
ASCII_FIELDS = frozenset({"call-id", "cseq", "via"})
"""Fields that are compared or sent back as they are, and by their grammar hold ASCII."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_NUMBER = re.compile(r"[0-9]{1,10}\Z")
_SPACES = re.compile(r"[ \t]+")
# A string that nobody closes goes on to the end, so that it is looked through only once.
_QUOTED_OR_SPACES = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)|[ \t]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """A message cut into its parts, each in plain form.

    Args:
        start_line: three parts with single spaces between; of a status line the last may be empty.
        fields: name (compact names written out) and value, in the order they came.
        problem: the first thing wrong with the fields or the body; the rest is there all the
            same, so that a request can be answered.
    """

    start_line: tuple[str, str, str]
    fields: tuple[tuple[str, str], ...]
    body: bytes
    problem: SipError | None = None


def normalise(data: bytes) -> PlainMessage:
    """Cut a message into plain parts.

    Args:
        data: one datagram; what follows the body that Content-Length announces is left out.

    Raises:
        SipError: the whole is no SIP message, or longer than a limit, so that it cannot be
            answered either.
    """
    head, body = split_body(data)
    lines = _unfold(head)
    start_line = _start_line(lines[0])
    fields, problem = _fields(lines[1:])
    try:
        body = _body(fields, body)
    except SipError as error:
        problem = problem or error
    return PlainMessage(start_line, fields, body, problem)


def split_body(data: bytes) -> tuple[bytes, bytes]:
    """Header section without empty lines before it and the empty line after it; and the rest."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise SipError("message", f"is longer than {MAX_MESSAGE_BYTES} bytes", 513)
    start = data[:MAX_LEADING_BYTES].lstrip(b"\r\n")
    skipped = min(len(data), MAX_LEADING_BYTES) - len(start)
    head, end, body = data[skipped:].partition(b"\r\n\r\n")
    if not end:
        raise SipError("message", "ends before the empty line that closes its header fields")
    if len(head) > MAX_HEADER_BYTES:
        raise SipError("message", f"has more than {MAX_HEADER_BYTES} bytes of header fields", 513)
    return head, body


def _unfold(head: bytes) -> list[bytes]:
    """Lines of the header section; one that begins with space continues the one before."""
    lines: list[bytes] = []
    parts: list[bytes] = []
    for line in head.split(b"\r\n"):
        if b"\r" in line or b"\n" in line:
            raise SipError("message", "has a CR or LF that ends no line")
        if line[:1] in (b" ", b"\t"):
            if not parts:
                raise SipError("start-line", "begins with a space")
            parts.append(line.strip(b" \t"))
            continue
        if parts:
            lines.append(b" ".join(parts))
        parts = [line]
    lines.append(b" ".join(parts))
    return lines


def _start_line(line: bytes) -> tuple[str, str, str]:
    if len(line) > MAX_START_LINE_BYTES:
        raise SipError("start-line", f"is longer than {MAX_START_LINE_BYTES} bytes", 414)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise SipError("start-line", "is not UTF-8") from None
    if text[:4].upper() == "SIP/":
        version, _, rest = text.partition(" ")
        code, _, phrase = rest.strip(" ").partition(" ")
        return version, code, phrase.strip(" ")
    parts = _SPACES.sub(" ", text).strip(" ").split(" ")
    if len(parts) != 3:
        raise SipError("start-line", "is not a method, a Request-URI and a version")
    return parts[0], parts[1], parts[2]


def _fields(lines: list[bytes]) -> tuple[tuple[tuple[str, str], ...], SipError | None]:
    if len(lines) > MAX_FIELDS:
        raise SipError("message", f"has more than {MAX_FIELDS} header fields", 513)
    fields: list[tuple[str, str]] = []
    seen: set[str] = set()
    problem = None
    for number, line in enumerate(lines, 1):
        raw_name, colon, raw_value = line.partition(b":")
        name = raw_name.rstrip(b" \t").decode("ascii", "replace")
        if not colon or not _TOKEN.match(name):
            problem = problem or SipError("message", f"header field {number} has no name")
            continue
        name = COMPACT_FORMS.get(name.lower(), name)
        key = name.lower()
        if len(line) > MAX_FIELD_BYTES:
            problem = problem or SipError(name, f"is longer than {MAX_FIELD_BYTES} bytes", 513)
        elif key in SINGLE_FIELDS and key in seen:
            problem = problem or SipError(name, "is there twice")
        else:
            value = _value(raw_value)
            if key in ASCII_FIELDS and not value.isascii():
                problem = problem or SipError(name, "holds characters that are not ASCII")
            else:
                seen.add(key)
                fields.append((name, value))
    return tuple(fields), problem


def _value(raw: bytes) -> str:
    try:
        value = raw.decode()
    except UnicodeDecodeError:
        # Old devices write names in Latin-1. Every byte of it is a character, so the text is
        # readable and can be sent back, which replaced characters could not.
        value = raw.decode("latin-1")
    return _QUOTED_OR_SPACES.sub(_single_space, value).strip(" ")


def _single_space(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else " "


def _body(fields: tuple[tuple[str, str], ...], body: bytes) -> bytes:
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    if not lengths:
        return body  # to the end of the datagram (RFC 3261 section 18.3)
    if not _NUMBER.match(lengths[0]):
        raise SipError("Content-Length", "is not a number of bytes")
    length = int(lengths[0])
    if length > len(body):
        raise SipError("Content-Length", f"announces {length} bytes, but {len(body)} came")
    return body[:length]
