"""What subscribers of a conference see of it by SIP (RFC 4575), made from its state.

Changes are told at most once a second for each conference: mute all of 145 rooms is one document.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from mcu.conference.events import Event
from mcu.conference.service import Conferences
from mcu.conference.state import ConferenceState, Participant
from mcu.engine.plan import Presence
from signalling.sip import ConferenceInfo, ConferenceUser
from signalling.sip.conference_info import EndpointStatus

EVERY_S: Final = 1.0

_STATUS: Final[Mapping[Presence, EndpointStatus]] = {
    "expected": "pending",
    "calling": "dialing-out",
    "connected": "connected",
    "lost": "on-hold",
    "left": "disconnected",
}

Show = Callable[[str, ConferenceInfo | None], None]


class ConferenceSight:
    """Shows conferences as they change; ``open`` once they are restored, then ``close``."""

    def __init__(self, conferences: Conferences, host: str, show: Show) -> None:
        self._conferences = conferences
        self._host = host
        self._show = show
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._is_closed = False

    def open(self) -> None:
        """Show what runs, and listen from now on."""
        self._conferences.listen(self._changed)
        for state in self._conferences.running():
            self._show(state.id, document_of(state, self._host))

    def close(self) -> None:
        """Show nothing more."""
        self._is_closed = True
        for handle in self._waiting.values():
            handle.cancel()

    def _changed(self, state: ConferenceState, event: Event) -> None:
        if self._is_closed:
            return
        if not state.running:
            handle = self._waiting.pop(state.id, None)
            if handle is not None:
                handle.cancel()
            self._show(state.id, None)
        elif state.id not in self._waiting:
            loop = asyncio.get_running_loop()
            self._waiting[state.id] = loop.call_later(EVERY_S, self._tell, state.id)

    def _tell(self, conference: str) -> None:
        self._waiting.pop(conference, None)
        for state in self._conferences.running():
            if state.id == conference:
                self._show(conference, document_of(state, self._host))


def document_of(state: ConferenceState, host: str) -> ConferenceInfo:
    """A conference as subscribers see it."""
    return ConferenceInfo(
        entity=f"sip:{state.id}@{host}",
        subject=state.name,
        users=tuple(_user(who, host) for who in state.participants.values()),
        is_locked=state.locked,
    )


def _user(who: Participant, host: str) -> ConferenceUser:
    roles = ("chair",) if who.role == "chair" else ()
    return ConferenceUser(f"sip:{who.id}@{host}", who.label, _STATUS[who.presence], roles=roles)
