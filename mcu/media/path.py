"""Where the packets of one leg go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcu.media.batch import PacketBatch, Target
from mcu.media.departures import DepartureLog


class SendPath:
    """Where a leg's packets go: its SRTP session, address and socket; shared by its streams.

    ``handle`` is None until the handshake is done, and again once the leg is closed. Where
    ``plain`` is set packets go as they are written (RTP without SRTP), and it stays None.
    """

    __slots__ = (
        "_address",
        "_handle",
        "_watchers",
        "batch",
        "departures",
        "dropped",
        "plain",
        "target",
    )

    def __init__(self, batch: PacketBatch, *, plain: bool = False) -> None:
        self.batch = batch
        self.plain = plain
        self.target: Target | None = None
        self.dropped = 0
        """Packets the socket did not take."""
        self.departures = DepartureLog()
        """Of the streams whose packets are numbered transport-wide."""
        self._address: Any = None
        self._handle: int | None = None
        self._watchers: list[Callable[[], None]] = []

    @property
    def ready(self) -> bool:
        """Whether a packet can be sent: where to is known, and the key if it takes one."""
        return self.target is not None and (self.plain or self._handle is not None)

    @property
    def handle(self) -> int | None:
        """Address of the ``srtp_t`` that protects what goes out."""
        return self._handle

    @handle.setter
    def handle(self, handle: int | None) -> None:
        if handle != self._handle:
            self._handle = handle
            self.changed()

    @property
    def address(self) -> Any:
        """The peer's; None while it is not known."""
        return self._address

    @address.setter
    def address(self, address: Any) -> None:
        if address != self._address:
            self._address = address
            self.target = None if address is None else self.batch.target(address)
            self.changed()

    def go_by(self, batch: PacketBatch) -> None:
        """Let another batch send the packets from now on."""
        self.batch = batch
        self.target = None if self._address is None else batch.target(self._address)
        self.changed()

    def watch(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` each time packets are to go out otherwise than before."""
        self._watchers.append(changed)

    def unwatch(self, changed: Callable[[], None]) -> None:
        """Call it no more."""
        self._watchers = [one for one in self._watchers if one != changed]

    def changed(self) -> None:
        """Tell those that prepared their packets for the path as it was."""
        for watcher in self._watchers:
            watcher()
