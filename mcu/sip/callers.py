"""Callers who are not in yet: they stand before a conference and are to enter its PIN.

They are on no roster, so nothing else tells an operator of them.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mcu.api.documents import caller_document
from mcu.api.services import SipCaller
from signalling.sip import CallId

CHANGED: Final = "callers.changed"
MAX_KNOWN: Final = 300
"""Calls whose ladder can be found, those at the prompt and those that were there."""

Publish = Callable[[str, str | None, Mapping[str, Any]], None]
"""As ``Conferences.publish_ephemeral``."""


class Callers:
    """Those of all conferences. O(callers) each; there are no more than there may be calls.

    Args:
        publish: told of each change, with all callers of that conference.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._callers: dict[CallId, tuple[str, SipCaller]] = {}
        self._known: OrderedDict[tuple[str, CallId], str] = OrderedDict()

    def of(self, conference: str) -> Sequence[SipCaller]:
        """Who stands before a conference, the one who waits for longest first."""
        return [caller for where, caller in self._callers.values() if where == conference]

    def come(self, call: CallId, conference: str, caller: SipCaller) -> None:
        """A caller was asked."""
        self._callers[call] = conference, caller
        self._known[conference, call] = caller.call_id
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        self._tell(conference)

    def call_id(self, conference: str, call: CallId) -> str | None:
        """Under which Call-ID the trace has a call that is, or was, at the prompt."""
        return self._known.get((conference, call))

    def tried(self, call: CallId, tries_left: int) -> None:
        """It has entered a wrong PIN."""
        found = self._callers.get(call)
        if found is not None:
            self._callers[call] = found[0], replace(found[1], tries_left=tries_left)
            self._tell(found[0])

    def gone(self, call: CallId) -> None:
        """It is in, or its call has ended. Idempotent."""
        found = self._callers.pop(call, None)
        if found is not None:
            self._tell(found[0])

    def _tell(self, conference: str) -> None:
        callers = [caller_document(one) for one in self.of(conference)]
        self._publish(CHANGED, conference, {"callers": callers})
