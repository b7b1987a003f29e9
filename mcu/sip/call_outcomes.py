"""What calls of ours come to nothing by, as dialers tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mcu.conference.state import CallFailure
from mcu.sip.lookup import NowhereCause

FAILURES_OF_LOOKUP: Final[Mapping[NowhereCause, CallFailure]] = {
    "lookup": "name_unknown",
    "dns": "dns_silent",
    "transport": "unreachable",
    "family": "unreachable",
}
"""The roster's word for an address that leads nowhere."""


class Failed(Exception):  # noqa: N818 - an outcome, no fault
    """A call came to nothing; ``detail``: what is known beyond the failure, for technicians."""

    def __init__(
        self, failure: CallFailure, retry_after_s: float = 0.0, *, detail: str = ""
    ) -> None:
        super().__init__(failure)
        self.failure = failure
        self.retry_after_s = retry_after_s
        self.detail = detail


@dataclass(frozen=True, slots=True)
class NoPlace:
    """There was nowhere to send an INVITE to.

    Args:
        target: the address that was to be called. cause, detail: see ``no_way.why``.
    """

    target: str
    cause: str
    detail: str
