"""What subscribers of a conference see of it by SIP (RFC 4575), made from its state.

Changes are told at most once a second for each conference: mute all of 145 rooms is one document.
A conference is there under its id and under its number, which is what our Contact names.
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

# RFC 4575 section 5.5.1 has no word for a line that has fallen silent: "on-hold" is what a room
# wants, and "pending" one that has not come yet.
_STATUS: Final[Mapping[Presence, EndpointStatus]] = {
    "expected": "pending",
    "calling": "dialing-out",
    "connected": "connected",
    "lost": "disconnected",
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
        self._shown: set[str] = set()
        self._is_closed = False

    def open(self) -> None:
        """Show what runs, and listen from now on."""
        self._conferences.listen(self._changed)
        for state in self._conferences.running():
            self._show_now(state)

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
            self._shown.discard(state.id)
            for name in _names(state):
                self._show(name, None)
        elif state.id not in self._shown:
            self._show_now(state)  # a room that is called at once may subscribe at once
        elif state.id not in self._waiting:
            loop = asyncio.get_running_loop()
            self._waiting[state.id] = loop.call_later(EVERY_S, self._tell, state.id)

    def _tell(self, conference: str) -> None:
        self._waiting.pop(conference, None)
        for state in self._conferences.running():
            if state.id == conference:
                self._show_now(state)

    def _show_now(self, state: ConferenceState) -> None:
        self._shown.add(state.id)
        for name in _names(state):
            self._show(name, document_of(state, self._host, name))


def _names(state: ConferenceState) -> tuple[str, ...]:
    return (state.id, state.number) if state.number else (state.id,)


def document_of(state: ConferenceState, host: str, name: str = "") -> ConferenceInfo:
    """A conference as subscribers see it; ``name``: under which it was subscribed."""
    return ConferenceInfo(
        entity=f"sip:{name or state.id}@{host}",
        subject=state.name,
        users=tuple(_user(who, host) for who in state.participants.values()),
        is_locked=state.locked,
    )


def _user(who: Participant, host: str) -> ConferenceUser:
    roles = ("chair",) if who.role == "chair" else ()
    return ConferenceUser(f"sip:{who.id}@{host}", who.label, _STATUS[who.presence], roles=roles)
