"""Messages as the layers above want them: read once, checked, with what decides at hand."""

from dataclasses import dataclass

from sipmessage import Address, CSeq, Headers, Message, Request, Response, Via

from signalling.sip import fields as field_of
from signalling.sip.errors import SipError
from signalling.sip.normalise import PlainMessage, normalise
from signalling.sip.uri import SipUri, parse_uri

VERSION = "SIP/2.0"
COOKIE = "z9hG4bK"
"""What the branch of every client of RFC 3261 begins with (section 8.1.1.7)."""
_STAND_IN = "sip:host.invalid"
_ANSWERED_WITH = ("Via", "From", "To", "Call-ID", "CSeq")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What transactions and dialogs ask of every message.

    Args:
        vias: all hops, the last one first; at least one.
        from_tag, to_tag: empty where the peer sent none (RFC 2543).
        contacts: empty also where the field is ``*``, which ``contact_star`` tells.
    """

    vias: tuple[Via, ...]
    from_address: Address
    to_address: Address
    from_tag: str
    to_tag: str
    call_id: str
    cseq: CSeq
    contacts: tuple[Address, ...]
    contact_star: bool


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that can be answered. Its ``message`` must not be changed."""

    message: Request
    uri: SipUri
    envelope: Envelope

    @property
    def method(self) -> str:
        """As written; methods differ by case (RFC 3261 section 7.1)."""
        return self.message.method

    @property
    def headers(self) -> Headers:
        """All fields, in plain form."""
        return self.message.headers

    @property
    def body(self) -> bytes:
        """What Content-Length counts."""
        return self.message.body


@dataclass(frozen=True, slots=True)
class ReceivedResponse:
    """A response. Its ``message`` must not be changed."""

    message: Response
    envelope: Envelope

    @property
    def code(self) -> int:
        """100 to 699."""
        return self.message.code

    @property
    def headers(self) -> Headers:
        """All fields, in plain form."""
        return self.message.headers

    @property
    def body(self) -> bytes:
        """What Content-Length counts."""
        return self.message.body


Received = ReceivedRequest | ReceivedResponse


def parse_message(data: bytes) -> Received:
    """Read one message.

    Args:
        data: a datagram, or what a stream's framing cut out.

    Raises:
        SipError: it cannot be taken; where it was a request that can be answered, the error's
            ``response`` is the answer.
    """
    plain = normalise(data)
    if plain.start_line[0].upper().startswith("SIP/"):
        return _response(plain)
    try:
        return _request(plain)
    except SipError as error:
        error.response = refusal(plain, error)
        raise


def refusal(plain: PlainMessage, error: SipError) -> Response | None:
    """What a broken request is answered with; None for ACK, and without what an answer repeats."""
    if plain.start_line[0] == "ACK":
        return None
    headers = Headers()
    for name, value in plain.fields:
        for wanted in _ANSWERED_WITH:
            if name.lower() == wanted.lower():
                headers.add(wanted, value)
    if any(headers.get(name) is None for name in _ANSWERED_WITH):
        return None
    response = Response(error.status, reason_phrase(error.status, str(error)))
    response.headers = headers
    return response


def _request(plain: PlainMessage) -> ReceivedRequest:
    method, uri_text, version = plain.start_line
    if version.upper() != VERSION:
        raise SipError("start-line", "names a version that is not spoken here", 505)
    if plain.problem is not None:
        raise plain.problem
    # The library takes sip: and tel: only, while an unknown scheme deserves an answer (416).
    message = _library_message(f"{method} {_STAND_IN} {VERSION}", plain)
    if not isinstance(message, Request):
        raise SipError("start-line", "is not a request line")
    envelope = _envelope(message)
    uri = parse_uri(uri_text)
    if uri.headers:
        raise SipError("start-line", "has header fields in the Request-URI")
    message.uri = uri
    if envelope.cseq.method != method:
        raise SipError("CSeq", "names another method than the request line")
    hops = field_of.read_number(message.headers.get("Max-Forwards"), "Max-Forwards", 1_000)
    if hops is not None and hops > 255:
        raise SipError("Max-Forwards", "is above 255")
    return ReceivedRequest(message, uri, envelope)


def _response(plain: PlainMessage) -> ReceivedResponse:
    version, code, phrase = plain.start_line
    if version.upper() != VERSION:
        raise SipError("start-line", "names a version that is not spoken here", 505)
    if plain.problem is not None:
        raise plain.problem
    if len(code) != 3 or not (code.isascii() and code.isdigit()) or not "100" <= code <= "699":
        raise SipError("start-line", "has a status code that is none")
    message = _library_message(f"{VERSION} {code} {phrase}", plain)
    if not isinstance(message, Response):
        raise SipError("start-line", "is not a status line")
    return ReceivedResponse(message, _envelope(message))


def _library_message(start_line: str, plain: PlainMessage) -> Request | Response:
    lines = [start_line, *(f"{name}: {value}" for name, value in plain.fields)]
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + plain.body
    try:
        return Message.parse(data)
    except (ValueError, TypeError):
        raise SipError("message", "is not SIP") from None


def _envelope(message: Message) -> Envelope:
    headers = message.headers
    for name in _ANSWERED_WITH:
        if not headers.get(name):
            raise SipError(name, "is missing")
    from_address = _single(headers, "From")
    to_address = _single(headers, "To")
    contact_star = headers.getlist("Contact") == ["*"]
    for route in ("Route", "Record-Route"):
        field_of.read_addresses(headers, route)
    return Envelope(
        vias=field_of.read_vias(headers),
        from_address=from_address,
        to_address=to_address,
        from_tag=field_of.tag_of(from_address),
        to_tag=field_of.tag_of(to_address),
        call_id=headers["Call-ID"],
        cseq=field_of.read_cseq(headers["CSeq"]),
        contacts=() if contact_star else field_of.read_addresses(headers, "Contact"),
        contact_star=contact_star,
    )


def _single(headers: Headers, field: str) -> Address:
    items = field_of.split_list(headers.getlist(field), field)
    if len(items) != 1:
        raise SipError(field, "has more than one address")
    return field_of.read_address(items[0], field)


def response_to(
    request: ReceivedRequest, code: int, to_tag: str = "", phrase: str = ""
) -> Response:
    """A response with the fields RFC 3261 section 8.2.6 takes over from the request.

    Args:
        to_tag: added to To where the request's has none; not wanted for 100.
    """
    response = Response(code, reason_phrase(code, phrase))
    for name in _ANSWERED_WITH:
        values = request.headers.getlist(name)
        if name == "To" and to_tag and not request.envelope.to_tag:
            values = [f"{values[0]};tag={to_tag}"]
        response.headers.setlist(name, list(values))
    if code == 100 and (timestamp := request.headers.get("Timestamp")) is not None:
        response.headers.set("Timestamp", timestamp)
    return response


def with_top_via(request: Request, via: str) -> Request:
    """The same request with its first Via replaced, as text."""
    hops = field_of.split_list(request.headers.getlist("Via"), "Via")
    copy = copy_of(request)
    copy.headers.setlist("Via", [via, *hops[1:]])
    return copy


def copy_of(request: Request) -> Request:
    """A request that can be changed without changing this one."""
    copy = Request(request.method, request.uri, request.body)
    for name in request.headers.keys():  # noqa: SIM118 not a mapping
        copy.headers.setlist(name, list(request.headers.getlist(name)))
    return copy


def set_body(message: Request | Response, content_type: str, body: bytes) -> None:
    """Give a message its body and the type of it."""
    message.body = body
    message.headers.set("Content-Type", content_type)


def encode(message: Request | Response) -> bytes:
    """The bytes on the wire, with the Content-Length that is true."""
    message.headers.set("Content-Length", str(len(message.body)))
    return bytes(message)


def reason_phrase(code: int, wanted: str = "") -> str:
    """A phrase for a status line: ``wanted`` on one line and printable, or the standard's."""
    shown = "".join(one for one in " ".join(wanted.split()) if one.isprintable())
    if shown:
        return shown[:120]
    return REASON_PHRASES.get(code, "Unknown")


REASON_PHRASES = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
