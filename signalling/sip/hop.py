"""Where messages come from and go to, and what Via says of it (RFC 3261 section 18, RFC 3581)."""

import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sipmessage import Via

from signalling.sip.fields import split_list, with_brackets, without_brackets
from signalling.sip.message import ReceivedRequest, with_top_via
from signalling.sip.uri import DEFAULT_PORTS, SipUri, parameter

Transport = Literal["udp", "tcp", "tls"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)

_RPORT = re.compile(r";\s*rport\s*(=[^;]*)?(?=;|\Z)", re.IGNORECASE)
_RECEIVED = re.compile(r";\s*received\s*=[^;]*(?=;|\Z)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hop:
    """The next place of a message, or the one it came from.

    Args:
        host: a name or an address, IPv6 without brackets.
        port: None where the name is to be looked up (RFC 3263).
        connection: of a stream that is there already, by the driver's number.
        local: our address that the peer reached, or will see; empty where that is not known.
            Answers leave from it, and our Contact names it.
        domain: the name that an address was looked up for; a certificate must be good for it.
    """

    transport: Transport
    host: str
    port: int | None = None
    connection: int | None = None
    local: str = ""
    domain: str = ""

    @property
    def is_reliable(self) -> bool:
        """Whether nothing is lost on the way."""
        return self.transport != "udp"

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.transport}:{with_brackets(self.host)}{port}"


def mark_source(request: ReceivedRequest, source: Hop) -> ReceivedRequest:
    """Write into the top Via where the request really came from.

    ``received`` is set where the address differs from what Via claims or the client asked for
    ``rport``, which then gets the port; what the client itself wrote into ``received`` goes.
    """
    via = request.envelope.vias[0]
    asked = parameter(via.parameters, "rport") is not None
    differs = without_brackets(via.host).lower() != source.host.lower()
    if not asked and not differs and parameter(via.parameters, "received") is None:
        return request
    text = _RECEIVED.sub("", top_via_text(request))
    parameters = dict(via.parameters)
    if asked:
        text = _RPORT.sub(f";rport={source.port}", text, count=1)
        parameters["rport"] = str(source.port)
    parameters.pop("received", None)
    if asked or differs:
        text += f";received={source.host}"
        parameters["received"] = source.host
    marked = replace(via, parameters=via.parameters.replace(**parameters))
    vias = (marked, *request.envelope.vias[1:])
    return replace(
        request,
        message=with_top_via(request.message, text),
        envelope=replace(request.envelope, vias=vias),
    )


def top_via_text(request: ReceivedRequest) -> str:
    """The last hop's Via as it came, without the hops before it."""
    return split_list(request.headers.getlist("Via"), "Via")[0]


def reply_hop(via: Via, source: Hop) -> Hop:
    """Where a response goes (RFC 3261 section 18.2.2, RFC 3581 section 4).

    Over a stream, back on it. Over UDP, to where the request came from: at its port where the
    client asked for that, else at the port of its Via. ``maddr`` is not followed: it would send
    answers to whomever a stranger names.
    """
    if source.is_reliable:
        return source
    if parameter(via.parameters, "rport") is not None:
        return source
    return replace(source, port=via.port or DEFAULT_PORTS["udp"])


def next_hop(uri: SipUri, default: Transport = "udp") -> Hop | None:
    """Where a request for ``uri`` goes; None for what SIP cannot reach.

    Args:
        default: the transport where the address names none and nothing is looked up.
    """
    if not uri.is_sip:
        return None
    named = uri.transport
    transport = default if named is None else _known(named)
    if transport is None:
        return None
    host = parameter(uri.parameters, "maddr") or uri.host
    return Hop(transport, without_brackets(host), uri.port)


def _known(name: str) -> Transport | None:
    return next((known for known in TRANSPORTS if known == name), None)
