"""Guessing of secrets, stopped by where it comes from.

Counted by source and account, and by source alone; never by account alone, or anybody could lock
a room out. That a source is not feigned is owed to the nonce (``signalling.sip.digest``).
"""

from mcu.api.client_address import client_key
from mcu.sip.failures import Failures

OF_ACCOUNT = (6, 30.0)
"""Wrong secrets for one account from one source: so many at once, then one in so many seconds."""
OF_SOURCE = (60, 5.0)
"""The same for all accounts together: a room behind the address of many others still gets in."""


class GuessGuard:
    """The ``Guard`` of the digest verifier."""

    def __init__(self) -> None:
        self._accounts: Failures[tuple[str, str]] = Failures(*OF_ACCOUNT)
        self._sources: Failures[str] = Failures(*OF_SOURCE)

    def admits(self, source: str, username: str, now: float) -> bool:
        """Whether credentials of ``username`` from ``source`` are looked at."""
        key = client_key(source)
        return not (
            self._sources.is_full(key, now) or self._accounts.is_full((key, username[:128]), now)
        )

    def wait_s(self, source: str, username: str, now: float) -> float:
        """How long it is until they are looked at again; 0: they are."""
        key = client_key(source)
        return max(
            self._sources.wait_s(key, now), self._accounts.wait_s((key, username[:128]), now)
        )

    def forgive(self, username: str) -> None:
        """The account has another secret: what failed with the one before does not count."""
        self._accounts.forgive(lambda key: key[1] == username)

    def failed(self, source: str, username: str, now: float) -> None:
        """They were wrong."""
        key = client_key(source)
        self._sources.add(key, now)
        self._accounts.add((key, username[:128]), now)
