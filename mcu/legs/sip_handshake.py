"""A DTLS handshake over one socket of a SIP leg, and where its datagrams go."""

from mcu.legs.budget import HANDSHAKE_PER_WINDOW, WindowBudget
from mcu.legs.sip_context import SipContext
from mcu.media.path import SendPath
from mcu.media.port_batch import PortAddress, transmit
from signalling.offer_answer.agreement import Dtls
from signalling.webrtc.dtls import DtlsEndpoint, DtlsEvent


class Handshake:
    """One association. Datagrams go back to where the last one of the handshake came from.

    ``path`` is theirs: no media goes over it.
    """

    def __init__(self, context: SipContext, agreed: Dtls) -> None:
        self.path = SendPath(context.ports.batch, plain=True)
        self.refused = 0
        """Datagrams beyond the budget."""
        self._dtls = DtlsEndpoint(agreed.role, context.certificate, agreed.fingerprints)
        self._budget = WindowBudget(HANDSHAKE_PER_WINDOW)

    def start(self, to: PortAddress | None, now: float) -> list[DtlsEvent]:
        """Send the first flight, if it is ours to send and known to whom."""
        if self._dtls.role != "client" or to is None:
            return []
        self.path.address = to
        return self._sent(self._dtls.start(now), now)

    def receive(self, datagram: bytes, source: PortAddress, now: float) -> list[DtlsEvent]:
        """Take a datagram."""
        if not self._budget.spend(now):
            self.refused += 1
            return []
        if self._dtls.state == "handshake":
            self.path.address = source
        return self._sent(self._dtls.receive_datagram(datagram, now), now)

    def handle_timer(self, now: float) -> list[DtlsEvent]:
        """Repeat what is unanswered, when it is time."""
        at = self.next_timer()
        return [] if at is None or at > now else self._sent(self._dtls.handle_timer(now), now)

    def next_timer(self) -> float | None:
        """When ``handle_timer`` has something to do."""
        return self._dtls.next_timer()

    @property
    def dropped(self) -> int:
        """Datagrams that meant nothing."""
        return self._dtls.dropped

    def close(self, now: float) -> None:
        """Say goodbye."""
        self._dtls.close(now)
        self._sent([], now)

    def _sent(self, events: list[DtlsEvent], now: float) -> list[DtlsEvent]:
        for datagram in self._dtls.datagrams_to_send(now):
            transmit(self.path, datagram)
        return events
