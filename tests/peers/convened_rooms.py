"""Rooms that are convened, in virtual time: each answers its calls as its story says.

They join by facts alone, as legs would tell them; media is tested elsewhere.
"""

from dataclasses import dataclass, field

from mcu.conference.commands import NoteCallFailed, NoteCalling, NoteJoined
from mcu.conference.convening_model import ConveningCalled, NoteReachable
from mcu.conference.events import Event
from mcu.conference.state import CallFailure, ConferenceState
from tests.peers.virtual_installation import VirtualInstallation


@dataclass(frozen=True)
class ConvenedRoom:
    """How a room behaves.

    Args:
        kind: ``sip`` rings, ``webrtc`` has a page.
        after_s: how long it takes to come once it is called.
        refuses: what its first calls come to, one after the other.
        there_at: virtual seconds from the beginning of the story before which it cannot be reached.
    """

    name: str
    kind: str = "webrtc"
    after_s: float = 2.0
    refuses: tuple[CallFailure, ...] = ()
    there_at: float = 0.0


@dataclass
class ConvenedRooms:
    """All rooms of a story; ``attach`` them to each installation that runs it.

    Args:
        began: virtual time when the story begins.
    """

    rooms: tuple[ConvenedRoom, ...]
    began: float
    calls: dict[str, int] = field(default_factory=dict)
    site: VirtualInstallation | None = None

    def attach(self, site: VirtualInstallation) -> None:
        """Be called by this installation from now on; another one before it is gone."""
        self.site = site
        site.conferences.listen(lambda state, event: self._hear(site, state, event))
        site.conferences.look_for_pages(
            lambda: frozenset(
                room.name for room in self.rooms if room.kind == "webrtc" and self._is_there(room)
            )
        )
        for room in self.rooms:
            if not self._is_there(room):
                wait_s = self.began + room.there_at - site.time.now
                site.time.schedule(wait_s, lambda now, room=room: self._is_reachable(site, room))

    def _is_there(self, room: ConvenedRoom) -> bool:
        return self.site is not None and self.site.time.now - self.began >= room.there_at

    def _is_reachable(self, site: VirtualInstallation, room: ConvenedRoom) -> None:
        if site is self.site:
            for state in site.conferences.running():
                site.conferences.note(state.id, NoteReachable(room.name))

    def _hear(self, site: VirtualInstallation, state: ConferenceState, event: Event) -> None:
        if site is not self.site or not isinstance(event, ConveningCalled):
            return
        for room in self.rooms:
            if room.name in event.participants:
                self._called(site, state.id, room)

    def _called(self, site: VirtualInstallation, conference: str, room: ConvenedRoom) -> None:
        attempt = self.calls[room.name] = self.calls.get(room.name, 0) + 1
        if not self._is_there(room):
            return  # nothing is heard of it
        if room.kind == "sip":
            site.conferences.note(conference, NoteCalling(room.name))

        def answer(now: float) -> None:
            if site is not self.site:
                return
            if attempt <= len(room.refuses):
                failure = NoteCallFailed(room.name, room.refuses[attempt - 1])
                site.conferences.note(conference, failure)
            else:
                site.conferences.note(conference, NoteJoined(room.name, f"leg-{room.name}"))

        site.time.schedule(room.after_s, answer)
