"""PINs of conferences: compared, and guessing stopped by where it comes from."""

import hmac
from typing import Literal

from mcu.api.client_address import client_key
from mcu.sip.failures import Failures

PinVerdict = Literal["right", "wrong", "blocked"]

BURST = 6
EVERY_S = 60.0
"""Wrong PINs that one address may enter for one conference at once, and then one in so long."""


class PinGate:
    """Judges PINs. Who comes from elsewhere is never kept out by somebody's wrong ones."""

    def __init__(self) -> None:
        self._failures: Failures[tuple[str, str]] = Failures(BURST, EVERY_S)

    def judge(self, conference: str, pin: str, entered: str, source: str, now: float) -> PinVerdict:
        """Compare what a caller entered.

        Args:
            pin: of the conference (``Destination.pin``). source: ``Caller.source``.
        """
        key = conference, client_key(source)
        if self._failures.is_full(key, now):
            return "blocked"
        if hmac.compare_digest(pin.encode(), entered.encode("utf-8", "replace")):
            return "right"
        self._failures.add(key, now)
        return "wrong"
