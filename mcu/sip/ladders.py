"""The ladder of each participant: the messages of its last calls, and why there was no call."""

import heapq
import itertools
import re
from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from mcu.api.services import SipTraceEntry
from mcu.sip.call_outcomes import NoPlace
from mcu.sip.trace import Trace, lookup_name
from mcu.sip.trace_entries import entry_of, place_of

TRACED_CALLS: Final = 5
"""Of one participant."""
MAX_TRACED: Final = 1_000
"""Participants whose calls can be looked up."""
MAX_USER_AGENT: Final = 200
_USER_AGENT: Final = re.compile(r"^(?:User-Agent|Server):([^\r\n]+)", re.MULTILINE | re.IGNORECASE)

Key = tuple[str, str]
"""A conference and a participant of it."""


class Ladders:
    """Which messages belong to whom; the messages themselves are the trace's."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._calls: OrderedDict[Key, deque[str]] = OrderedDict()
        self._lookups = itertools.count(1)

    def keep(self, key: Key, call_id: str) -> None:
        """A call is of this participant; the one that was looked at longest ago is forgotten."""
        calls = self._calls.setdefault(key, deque())
        self._calls.move_to_end(key)
        if call_id not in calls:
            calls.append(call_id)
        if len(calls) > TRACED_CALLS:
            self._trace.forget_lookup(calls.popleft())
        if len(self._calls) > MAX_TRACED:
            _, forgotten = self._calls.popitem(last=False)
            for one in forgotten:
                self._trace.forget_lookup(one)

    def nowhere(self, key: Key, place: NoPlace, at: datetime) -> None:
        """There was nowhere to call it: the ladder says why, though nothing was sent."""
        call_id = lookup_name(next(self._lookups))
        transport, host = place_of(place.target)
        self._trace.nowhere(call_id, f"{transport}:{host}", at, place.cause, place.detail)
        self.keep(key, call_id)

    def entries(self, key: Key) -> Sequence[SipTraceEntry] | None:
        """The messages, the oldest first; None: it was never called and has never called."""
        calls = self._calls.get(key)
        if calls is None:
            return None
        # Calls overlap. Within each the order is as things happened, whatever was done to the
        # server's clock meanwhile.
        every = (self._trace.messages(call) for call in calls)
        return [entry_of(message) for message in heapq.merge(*every, key=lambda one: one.at)]

    def of_call(self, call_id: str) -> Sequence[SipTraceEntry]:
        """The messages of one call, whosever it is."""
        return [entry_of(message) for message in self._trace.messages(call_id)]

    def user_agent(self, key: Key) -> str | None:
        """What a room calls itself in its newest message that says so; None: in none."""
        for message in reversed(self.entries(key) or ()):
            if message.direction == "received":
                found = _USER_AGENT.search(message.text)
                if found is not None:
                    return found[1].strip()[:MAX_USER_AGENT]
        return None
