"""What an endpoint is told once."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Required, TypedDict

from signalling.sip import Credentials, Hop

MAX_RESPONSE_WAIT_S: Final = 32.0
"""Timer B and F with the standard's values: the longest that an answer may take."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What one source may do: an IPv4 address, or an IPv6 network of 64 bits.

    Args:
        messages_per_s, burst: sustained, and at once after a pause; connections that are opened
            count as messages.
        connections: open at once.
    """

    messages_per_s: float = 50.0
    burst: int = 200
    connections: int = 20


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What an endpoint is told once.

    Args:
        host: address to listen on; ``::`` is every address of both families.
        udp_port, tcp_port, tls_port: None: not that way; 0: the system chooses.
        public_host: name or address that peers are told in place of the one they reached.
        addresses: ours, for peers where it is not known which of them they see.
        server_tls, client_tls: for connections that come and that go; None: without TLS.
        max_connections: open at once, those that are being set up among them.
        idle_s: silence after which a connection is closed; longer than a registration lasts, so
            that devices stay reachable on it. begin_s: for the first whole message, and for the
            rest of one that has begun.
        connect_s: to open a connection, with TLS. trial_s: the same, where the message could go
            another way as well.
    """

    host: str
    udp_port: int | None = 0
    tcp_port: int | None = 0
    tls_port: int | None = None
    public_host: str | None = None
    addresses: tuple[str, ...] = ()
    server_tls: ssl.SSLContext | None = None
    client_tls: ssl.SSLContext | None = None
    limits: SourceLimits = SourceLimits()
    max_connections: int = 1_000
    idle_s: float = 3_900.0
    begin_s: float = 30.0
    connect_s: float = 5.0
    trial_s: float = 1.0


class CallOptions(TypedDict, total=False):
    """What ``UserAgent.call`` takes besides whom to call."""

    caller: Required[str]
    hop: Hop | None
    credentials: Credentials | None
    no_answer_s: float | None
    fields: Mapping[str, str] | None
    is_flow: bool
