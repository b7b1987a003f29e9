"""What operators read of a leg: one line for each turn in its life, none for packets."""

from typing import Any, Protocol

import structlog

from mcu.legs.context import LegIdentity

log = structlog.get_logger(__name__)


class Path(Protocol):
    """What leads to a peer."""

    @property
    def address(self) -> Any:
        """As the socket takes it; None while it is not known."""


class Addresses(Protocol):
    """Whose socket it is."""

    def peer_address(self, address: Any) -> tuple[str, int]:
        """The address a peer knows itself by."""


class LegLog:
    """Writes the lines of one leg.

    Args:
        port, path: they know where the peer is.

    ``srtp_profile`` is set once negotiated; ``failure`` says more of a leg that fails.
    """

    def __init__(self, identity: LegIdentity, port: Addresses, path: Path) -> None:
        self.srtp_profile: str | None = None
        self.failure: str | None = None
        self._nameless = False
        self._port = port
        self._path = path
        self._whose: dict[str, Any] = {
            "leg": identity.id,
            "conference": identity.conference,
            "participant": identity.participant,
            "kind": identity.kind,
        }

    @property
    def remote_address(self) -> str | None:
        """Where the peer is, ``host:port``; None before its first check."""
        address = self._path.address
        if address is None:
            return None
        host, port = self._port.peer_address(address)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def participant(self) -> str | None:
        """Whose leg it is; None while that is not known, and for viewers."""
        found: str | None = self._whose["participant"]
        return found

    def named(self, participant: str | None) -> None:
        """It is known whose leg it is: of one that waited for that, media flows from now on."""
        waited = self._nameless and participant is not None
        self._whose["participant"] = participant
        if waited:
            self._nameless = False
            self.connected()

    def connected(self) -> None:
        """Keys are there, media flows."""
        log.info("leg_connected", **self._fields())

    def caller_connected(self) -> None:
        """The same, of somebody who is nobody of the roster yet: a PIN is to be entered first."""
        self._nameless = True
        log.info("caller_connected", **self._fields())

    def lost(self, silent_s: float) -> None:
        """Nothing was heard for ``silent_s``."""
        log.warning("leg_lost", **self._fields(), silent_s=round(silent_s, 1))

    def returned(self) -> None:
        """A lost leg is heard again."""
        log.info("leg_returned", **self._fields())

    def left(self, reason: str) -> None:
        """Over; with ``failure`` where it never came to media."""
        if reason == "failed":
            log.warning("leg_left", **self._fields(), reason=reason, failure=self.failure)
        else:
            log.info("leg_left", **self._fields(), reason=reason)

    def _fields(self) -> dict[str, Any]:
        where = {"remote_address": self.remote_address, "srtp_profile": self.srtp_profile}
        return self._whose | where
