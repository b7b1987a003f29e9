"""Traced messages as the ladder of the console shows them."""

import re

from mcu.api.services import SipTraceEntry
from mcu.sip.trace import TracedMessage
from signalling.sip.errors import SipError
from signalling.sip.hop import TRANSPORTS
from signalling.sip.uri import parse_uri

MAX_SUMMARY = 100

_METHOD = re.compile(r"^cseq[ \t]*:[ \t]*[0-9]{1,10}[ \t]+([A-Z]{1,20})", re.IGNORECASE | re.M)


def entry_of(message: TracedMessage) -> SipTraceEntry:
    """One arrow of the ladder.

    The summary of a request is its method, that of a response its status and what it answers:
    ``INVITE``, ``200 OK (INVITE)``; of one that found no way, why: ``INVITE: no connection ...``.
    """
    transport, _, remote = message.hop.partition(":")
    return SipTraceEntry(
        time=message.at,
        direction=message.direction,
        transport=next((known for known in TRANSPORTS if known == transport), "udp"),
        remote=remote,
        summary=message.text[:MAX_SUMMARY] if message.failure else summary_of(message.text),
        text=message.text,
        failure=message.failure or None,
        failure_cause=message.cause or None,
        failure_detail=message.detail or None,
    )


def place_of(target: str) -> tuple[str, str]:
    """Transport and host of an address that led nowhere, for the ladder's column; as it is written.

    The transport is UDP where it says nothing: that one is tried first.
    """
    try:
        uri = parse_uri(target)
    except SipError:
        return "udp", target[:MAX_SUMMARY]
    host = uri.host if uri.port is None else f"{uri.host}:{uri.port}"
    return uri.transport or "udp", host


def summary_of(text: str) -> str:
    """What a message is, in a few words."""
    first = text.lstrip("\r\n").partition("\n")[0].strip()
    if not first.startswith("SIP/2.0 "):
        return first.partition(" ")[0][:MAX_SUMMARY]
    method = _METHOD.search(text)
    ending = f" ({method[1]})" if method is not None else ""
    return first.removeprefix("SIP/2.0 ")[: MAX_SUMMARY - len(ending)] + ending
