"""Floor control of all calls: which conference has which floor, and what each call's seat needs."""

import asyncio
from collections import Counter
from collections.abc import Callable

from mcu.conference.events import (
    ConferenceEnded,
    Event,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantsAdmitted,
    PresentationStarted,
    PresentationStopped,
)
from mcu.conference.service import Conferences
from mcu.conference.state import ConferenceState
from mcu.media.latch import Elsewhere
from mcu.media.port_pairs import PortPair
from mcu.media.ports import MediaPorts
from mcu.sip.conference_floor import ConferenceFloor
from mcu.sip.floor_seat import FloorSeat, SeatContext


class Floors:
    """Listens to the conferences from ``open`` on.

    Args:
        ports: where sockets for UDP are read.
        take_over: see ``PresentationFloor``.
    """

    def __init__(
        self,
        conferences: Conferences,
        ports: MediaPorts,
        *,
        clock: Callable[[], float],
        take_over: bool = False,
    ) -> None:
        self._conferences = conferences
        self._ports = ports
        self._clock = clock
        self._take_over = take_over
        self.counts: Counter[str] = Counter()
        """Messages ``received`` and ``sent``, ``stray`` (of who speaks no BFCP now), ``unreadable``
        (which end their connection), and wishes that a conference has ``refused``."""
        self._floors: dict[str, ConferenceFloor] = {}

    def open(self) -> None:
        """Follow the conferences."""
        self._conferences.listen(self._conference_changed)

    def seat(
        self, conference: str, take_pair: Callable[[], PortPair], elsewhere: Elsewhere = True
    ) -> FloorSeat:
        """A seat for a call; whoever takes it closes it.

        Args:
            take_pair: gives a pair of ports of those reserved for the call.
            elsewhere: see ``FloorDatagrams``.
        """
        context = SeatContext(asyncio.get_running_loop(), self._ports, self._clock, elsewhere)
        return FloorSeat(self._floor(conference), context, take_pair)

    def _floor(self, conference: str) -> ConferenceFloor:
        found = self._floors.get(conference)
        if found is None:
            found = self._floors[conference] = ConferenceFloor(
                conference,
                self._conferences,
                clock=self._clock,
                take_over=self._take_over,
                counts=self.counts,
            )
            found.resume()
        return found

    def _conference_changed(self, state: ConferenceState, event: Event) -> None:
        floor = self._floors.get(state.id)
        if floor is None:
            return
        if isinstance(event, PresentationStarted):
            floor.started(event.participant, state.participants[event.participant].label)
        elif isinstance(event, PresentationStopped):
            floor.stopped(event.participant)
        elif isinstance(event, ParticipantsAdmitted | ParticipantChanged | ParticipantJoined):
            floor.admitted()
        elif isinstance(event, ConferenceEnded):
            del self._floors[state.id]
            floor.close()
