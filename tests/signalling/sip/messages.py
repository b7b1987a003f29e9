"""Small messages to test with."""

from signalling.sip.message import ReceivedRequest, ReceivedResponse, encode, parse_message

CLIENT_BRANCH = "z9hG4bKclient"


def request_text(
    method: str = "OPTIONS",
    branch: str = "z9hG4bKpeer",
    *extra: str,
    to_tag: str = "",
    cseq: int = 1,
    uri: str = "sip:mcu@192.0.2.1",
    call_id: str = "call@192.0.2.7",
    body: bytes = b"",
    via: str = "SIP/2.0/UDP 192.0.2.7:5060",
    from_tag: str = "peer",
    cseq_method: str = "",
) -> bytes:
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via};branch={branch}" if branch else f"Via: {via}",
        f"From: <sip:room@192.0.2.7>;tag={from_tag}",
        f"To: <sip:mcu@192.0.2.1>{tag}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {cseq_method or method}",
        "Max-Forwards: 70",
        *extra,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def request(*arguments: str, **options: object) -> ReceivedRequest:
    received = parse_message(request_text(*arguments, **options))  # type: ignore[arg-type]
    assert isinstance(received, ReceivedRequest)
    return received


def response(sent: object, code: int, *extra: str, to_tag: str = "far") -> ReceivedResponse:
    """A response as a peer would give it to a request of ours."""
    received = parse_message(encode(sent))  # type: ignore[arg-type]
    assert isinstance(received, ReceivedRequest)
    headers = received.headers
    to = headers["To"] if ";tag=" in headers["To"] else f"{headers['To']};tag={to_tag}"
    lines = [
        f"SIP/2.0 {code} Some Phrase",
        *(f"Via: {via}" for via in headers.getlist("Via")),
        f"From: {headers['From']}",
        f"To: {to}",
        f"Call-ID: {headers['Call-ID']}",
        f"CSeq: {headers['CSeq']}",
        *extra,
    ]
    answer = parse_message(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(answer, ReceivedResponse)
    return answer
