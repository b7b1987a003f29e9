"""What the transports count; plain numbers, to be read at any time."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class TransportCounts:
    """Counters since the start.

    Args:
        received, sent: messages by transport.
        dropped: what was not taken, by cause: ``rate`` (too many from one source), ``crowd`` (too
            many wait), ``keep-alive`` (nothing but that), ``framing`` (a stream that cannot be
            cut), ``connections``, ``connections of source`` (too many open), ``handshake`` (TLS
            not agreed on), ``slow reader``, ``idle``, ``unfinished`` (a message that did not end);
            ``unreachable``: datagrams of ours that did not arrive, as ICMP says.
        delayed: messages of streams that waited as their source sent too many.
        unsent: messages of ours that found no way, by cause: ``lookup``, ``dns``, ``transport``,
            ``family``, ``connection``, ``gone``, ``certificate``, ``socket``, ``crowd``, ``fault``.
        opened: connections by ``in tcp``, ``out tls`` ...
        faults: defects of this program that a message met; each is logged.
    """

    received: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    delayed: int = 0
    unsent: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    faults: int = 0
