"""Registrations as the store holds them, in wall time, so that a restart keeps them."""

from collections.abc import Callable
from datetime import datetime

import structlog

from mcu.store.records import SipBinding
from signalling.sip.errors import SipError
from signalling.sip.hop import TRANSPORTS, Hop
from signalling.sip.registrar import Binding
from signalling.sip.uri import parse_uri

log = structlog.get_logger(__name__)


def stored(bridge: str, binding: Binding, wall: Callable[[float], datetime]) -> SipBinding:
    """A registration as it is written.

    Args:
        wall: UTC of a time of the agent's clock.
    """
    source = binding.source
    return SipBinding(
        bridge,
        str(binding.contact),
        binding.q,
        wall(binding.expires_at),
        binding.call_id,
        binding.sequence,
        source.transport,
        source.host,
        source.port,
        wall(binding.since),
        binding.user_agent,
    )


def restored(record: SipBinding, now: float, wall: datetime) -> Binding | None:
    """A registration as it was; None, and a line in the log, for one that cannot be read.

    Args:
        now, wall: the same moment, by the agent's clock and in UTC.
    """
    transport = next((one for one in TRANSPORTS if one == record.transport), None)
    try:
        contact = parse_uri(record.contact, "Contact")
    except SipError as error:
        log.error("binding_unreadable", bridge=record.bridge, reason=str(error))
        return None
    if transport is None:
        log.error("binding_unreadable", bridge=record.bridge, reason=record.transport)
        return None
    return Binding(
        contact,
        record.q,
        now + (record.expires_at - wall).total_seconds(),
        record.call_id,
        record.sequence,
        Hop(transport, record.host, record.port),
        now + (record.since - wall).total_seconds(),
        record.user_agent,
    )


def way_back(binding: Binding) -> Hop | None:
    """The way a REGISTER came; of a stream only while it may still be open, as before a restart."""
    source = binding.source
    return None if source.is_reliable and source.connection is None else source


def written(hop: Hop) -> str:
    """An address and port, as people are shown it."""
    host = f"[{hop.host}]" if ":" in hop.host else hop.host
    return host if hop.port is None else f"{host}:{hop.port}"
