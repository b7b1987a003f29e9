"""Who was not let when signing in: said in the log, and kept beside the account it was to be.

Kept is the last refusal of each account until a device of it signs in, or it has another secret; in
memory only, so a restart forgets. Of strangers nothing is kept but the line in the log.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import structlog

from mcu.api.client_address import client_key
from signalling.sip.sign_in import FAULTS, SignInFault, SignInRefused

MAX_ACCOUNTS: Final = 10_000
"""Accounts whose last refusal is kept; the one refused longest ago goes first."""
LOG_EVERY_S: Final = 60.0
"""Of one account and fault, or of all strangers from one source, a line as often as this."""
MAX_LOGGED: Final = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last refusal of an account.

    Args:
        at: the agent's clock. source: address it came from. count: refusals since it was let last.
    """

    at: float
    fault: SignInFault
    source: str
    method: str
    count: int


class SignIns:
    """Refusals by account. Cost: O(1) each."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, Refusal] = OrderedDict()
        self._logged: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def last(self, account: str) -> Refusal | None:
        """What was refused last, since it was let for the last time."""
        return self._last.get(account)

    def refused(self, event: SignInRefused, now: float) -> bool:
        """Note it, and whether it is worth to be told now: not more often than it is logged."""
        source = event.source.host
        if event.account:
            before = self._last.get(event.account)
            count = 1 if before is None else before.count + 1
            self._last[event.account] = Refusal(now, event.fault, source, event.method, count)
            self._last.move_to_end(event.account)
            if len(self._last) > MAX_ACCOUNTS:
                self._last.popitem(last=False)
        key: Hashable = (event.account, event.fault) if event.account else client_key(source)
        at, unsaid = self._logged.get(key, (float("-inf"), 0))
        if now - at < LOG_EVERY_S:
            self._logged[key] = at, unsaid + 1
            return False
        self._logged[key] = now, 0
        self._logged.move_to_end(key)
        if len(self._logged) > MAX_LOGGED:
            self._logged.popitem(last=False)
        log.warning(
            "sip_sign_in_refused",
            account=event.account or None,
            unknown_name=event.given or None,
            reason=event.fault,
            source=source,
            transport=event.source.transport,
            method=event.method,
            unsaid_before=unsaid,
        )
        return bool(event.account)

    def forget(self, account: str) -> bool:
        """It was let, or is another now; whether there was anything to forget."""
        if self._last.pop(account, None) is None:
            return False
        for fault in FAULTS:
            self._logged.pop((account, fault), None)
        return True
