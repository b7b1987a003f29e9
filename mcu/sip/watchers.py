"""Who may subscribe to a conference by SIP (RFC 4575): who is in it, or is to be.

Whoever has to enter a PIN first, or waits to be let in, does not see who is inside; nor do rooms of
other units that happen to have an account here.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from mcu.conference.state import ConferenceState
from mcu.conference.waiting import is_outside
from signalling.sip import CallId


class Standing(Protocol):
    """What is asked of a call; ``Conversation`` is one.

    Attributes:
        participant: None while it is not known, or not decided, who comes in.
    """

    conference: str
    participant: str | None


class Meetings(Protocol):
    """What is asked of the conferences; ``mcu.conference.service.Conferences`` is one."""

    def running(self) -> Sequence[ConferenceState]:
        """All that run."""


class RosterWatchers:
    """The ``Watchers`` of the daemon's agent.

    Args:
        call: a call by its name, while it stands.
    Cost: O(running conferences).
    """

    def __init__(self, conferences: Meetings, call: Callable[[CallId], Standing | None]) -> None:
        self._conferences = conferences
        self._call = call

    def may_watch(self, conference: str, account: str, call: CallId | None) -> bool:
        """See ``signalling.sip.Watchers``."""
        state = next(
            (one for one in self._conferences.running() if conference in (one.id, one.number)), None
        )
        if state is None:
            return False
        if call is None:
            # A room that was invited may know before it comes, whether locked out by then or not.
            who = state.participants.get(account)
            return who is not None and not who.waiting
        standing = self._call(call)
        if standing is None or standing.conference != state.id:
            return False
        return not is_outside(state, standing.participant or "")
