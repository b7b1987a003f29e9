"""Where the packets of one leg go."""

from typing import Any

from mcu.media.batch import PacketBatch, Target
from mcu.media.departures import DepartureLog


class SendPath:
    """Where a leg's packets go: its SRTP session, address and socket; shared by its streams.

    ``handle`` is None until the handshake is done, and again once the leg is closed. Where
    ``plain`` is set packets go as they are written (RTP without SRTP), and it stays None.
    """

    __slots__ = ("_address", "batch", "departures", "dropped", "handle", "plain", "target")

    def __init__(self, batch: PacketBatch, *, plain: bool = False) -> None:
        self.batch = batch
        self.plain = plain
        self.handle: int | None = None
        self.target: Target | None = None
        self.dropped = 0
        """Packets the socket did not take."""
        self.departures = DepartureLog()
        """Of the streams whose packets are numbered transport-wide."""
        self._address: Any = None

    @property
    def ready(self) -> bool:
        """Whether a packet can be sent: where to is known, and the key if it takes one."""
        return self.target is not None and (self.plain or self.handle is not None)

    @property
    def address(self) -> Any:
        """The peer's; None while it is not known."""
        return self._address

    @address.setter
    def address(self, address: Any) -> None:
        if address != self._address:
            self._address = address
            self.target = None if address is None else self.batch.target(address)
