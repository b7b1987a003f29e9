"""A room that insists on being the server of its floor: we ask it like a participant.

What it shows is its presentation while it, or somebody at it, has its floor. While another one of
the conference presents, the floor is asked for, so that the room takes what it is sent.
"""

import secrets
from collections.abc import Callable
from typing import Final

from mcu.conference.commands import StartPresentation, StopPresentation
from mcu.sip.alarm import Alarm
from mcu.sip.conference_floor import MAX_USER, ConferenceFloor
from signalling.bfcp import BfcpClient, HolderChanged, ServerGone
from signalling.offer_answer.agreement import Floor

AGAIN_S: Final = 10.0
"""A room that does not answer is asked again after so long, as long as its call stands."""


class FollowedFloor:
    """See ``Follower`` and ``FloorEnd``."""

    def __init__(
        self, conference: ConferenceFloor, floor: Floor, send: Callable[[bytes], None]
    ) -> None:
        self._conference = conference
        self._agreed = floor
        self._send = send
        self._participant: str | None = None
        self._presenter: str | None = None
        self._is_shown = False
        self._client: BfcpClient | None = None
        self._again_at: float | None = None
        self._alarm = Alarm(conference.clock, self._handle_timer)
        conference.follow(self)

    def join(self, participant: str) -> None:
        """It is known who calls."""
        self._participant = participant
        if self._is_shown:
            self._wish_to_present()
        self._pursue()

    def close(self) -> None:
        """The call has ended."""
        self.disconnected()
        self._conference.unfollow(self)

    # Follower

    def started(self, participant: str) -> None:
        """See ``Follower``."""
        self._presenter = participant
        self._pursue()

    def stopped(self, participant: str) -> None:
        """See ``Follower``."""
        if self._presenter == participant:
            self._presenter = None
        self._pursue()

    # FloorEnd

    def connected(self) -> None:
        """See ``FloorEnd``."""
        agreed = self._agreed
        self._client = BfcpClient(
            agreed.conference_id,
            agreed.user_id,
            agreed.floor_id,
            reliable=agreed.protocol.startswith("TCP"),
            first_transaction=secrets.randbelow(MAX_USER) + 1,
        )
        self._again_at = None
        self._client.start(self._conference.clock())
        self._pursue()

    def heard(self, data: bytes, now: float) -> bool:
        """See ``FloorEnd``."""
        client = self._client
        if client is None:
            return True
        client.receive(data, now)
        self._settle(client)
        return not (client.association.reliable and client.association.failure)

    def disconnected(self) -> None:
        """See ``FloorEnd``."""
        self._client = None
        self._alarm.set(None)
        self._shown(False)

    # Inside

    def _pursue(self) -> None:
        """Hold the floor while another one presents."""
        client = self._client
        if client is None:
            return
        now = self._conference.clock()
        if self._presenter is not None and self._presenter != self._participant:
            client.request_floor(now)
        else:
            client.release_floor(now)
        self._settle(client)

    def _handle_timer(self) -> None:
        now, client = self._conference.clock(), self._client
        if client is None:
            return
        if self._again_at is not None and self._again_at <= now:
            self.connected()
        else:
            client.handle_timer(now)
            self._settle(client)

    def _settle(self, client: BfcpClient) -> None:
        for event in client.events():
            if isinstance(event, HolderChanged):
                self._shown(event.user is not None)
            elif isinstance(event, ServerGone):
                self._shown(False)
                self._again_at = self._conference.clock() + AGAIN_S
        for data in client.data_to_send():
            self._send(data)
        times = (client.next_timer(), self._again_at)
        self._alarm.set(min((time for time in times if time is not None), default=None))

    def _shown(self, shown: bool) -> None:
        """Whether the room has its own floor now."""
        if shown == self._is_shown:
            return
        self._is_shown = shown
        if shown:
            self._wish_to_present()
        elif self._participant is not None:
            self._conference.order(StopPresentation(self._participant), lambda: None)

    def _wish_to_present(self) -> None:
        if self._participant is not None:
            command = StartPresentation(self._participant, self._conference.take_over)
            self._conference.order(command, self._pursue)
