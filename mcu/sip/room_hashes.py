"""What rooms sign in with now and signed in with before, as hashes, by account.

The ones before are known so that a device that was forgotten, and tries its old secret for ever, is
told of as such and locks nobody out: it guesses nothing.
"""

from collections.abc import Iterable, Mapping

from mcu.store.records import SipSecret
from mcu.store.sip_secrets import MAX_VOID
from signalling.sip.digest import Algorithm

Hashes = Mapping[str, str]
"""HA1 by algorithm."""


class RoomHashes:
    """Those of one realm; ``secret_of`` and ``void_of`` are for the digest verifier. O(1) each."""

    def __init__(self) -> None:
        self._now: dict[str, Hashes] = {}
        self._void: dict[str, tuple[Hashes, ...]] = {}
        """The latest first."""

    def restore(self, now: Iterable[SipSecret], void: Iterable[SipSecret]) -> None:
        """Take in what the store has; ``void``: the latest first."""
        self._now = {secret.bridge: secret.ha1 for secret in now}
        for secret in void:
            self._void[secret.bridge] = (*self._void.get(secret.bridge, ()), secret.ha1)

    def __contains__(self, account: str) -> bool:
        return account in self._now

    def put(self, account: str, hashes: Hashes) -> None:
        """It has another secret; the one before is void."""
        self.drop(account)
        self._now[account] = hashes

    def drop(self, account: str) -> bool:
        """It has none any more; whether it had one."""
        had = self._now.pop(account, None)
        if had is None:
            return False
        others = [one for one in self._void.get(account, ()) if one != had]
        self._void[account] = (had, *others)[:MAX_VOID]
        return True

    def secret_of(self, account: str, algorithm: Algorithm) -> str | None:
        """What it signs in with."""
        hashes = self._now.get(account)
        return None if hashes is None else hashes[algorithm]

    def void_of(self, account: str, algorithm: Algorithm) -> tuple[str, ...]:
        """What it signed in with before, ``MAX_VOID`` at most."""
        return tuple(hashes[algorithm] for hashes in self._void.get(account, ()))

    def meant_by(self, name: str) -> str | None:
        """The account whose name differs from this one in capital letters alone. O(accounts).

        It cannot be let: the name is part of what its password was hashed with.
        """
        wanted = name.lower()
        return next((account for account in self._now if account.lower() == wanted), None)
