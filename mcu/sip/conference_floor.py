"""The floor of one conference's presentation, and those of its rooms that speak BFCP.

``PresentationFloor`` says what follows from what; here it meets the conference's commands, the
clock and the lines of the calls.
"""

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from mcu.conference.commands import StartPresentation, StopPresentation
from mcu.conference.presentation_floor import PresentationFloor, Wish
from mcu.conference.service import Conferences
from mcu.conference.state import Refused
from mcu.conference.waiting import is_outside
from mcu.rooms.rooms import SYSTEM
from mcu.sip.alarm import Alarm
from mcu.store.errors import StoreUnavailable
from signalling.bfcp import FloorServer, ask_policy

FLOOR: Final = 1
"""The one floor there is."""
MAX_CONFERENCE: Final = (1 << 31) - 1
"""Some devices read ``a=confid`` as a signed number."""
MAX_USER: Final = (1 << 16) - 1

Send = Callable[[bytes], None]
Command = StartPresentation | StopPresentation
log = structlog.get_logger(__name__)


class Follower(Protocol):
    """A room that insists on being the server of the floor itself."""

    def started(self, participant: str) -> None:
        """Somebody presents."""

    def stopped(self, participant: str) -> None:
        """It does not any more."""


class ConferenceFloor:
    """See the module. Everything on one loop; nothing here waits but the commands.

    Args:
        take_over: see ``PresentationFloor``.
        counts: of messages, see ``Floors``.
    """

    def __init__(
        self,
        conference: str,
        conferences: Conferences,
        *,
        clock: Callable[[], float],
        take_over: bool,
        counts: Counter[str] | None = None,
    ) -> None:
        self.number = secrets.randbelow(MAX_CONFERENCE) + 1
        """``a=confid``; drawn at random, as it is what messages are known by."""
        self.take_over = take_over
        self.clock = clock
        self._counts: Counter[str] = Counter() if counts is None else counts
        self._conference = conference
        self._conferences = conferences
        self._server = FloorServer(self.number, (FLOOR,), ask_policy)
        self._floor = PresentationFloor(self._server, FLOOR, take_over=take_over)
        self._users: set[int] = set()
        self._joined: dict[int, str] = {}
        self._sends: dict[int, Send] = {}
        self._followers: list[Follower] = []
        self._alarm = Alarm(clock, self._handle_timer)
        self._orders: deque[tuple[Command, Callable[[], None]]] = deque()
        self._worker: asyncio.Task[None] | None = None

    # Calls

    def new_user(self) -> int:
        """A number for a call, ``a=userid``; give it back by ``leave``."""
        while True:
            user = secrets.randbelow(MAX_USER) + 1
            if user not in self._users:
                self._users.add(user)
                return user

    def open(self, user: int, send: Send, *, reliable: bool) -> None:
        """A call speaks BFCP from now on, or its connection begins.

        It is told no names before whoever calls is known and let in.
        """
        first = secrets.randbelow(MAX_USER) + 1
        self._server.open(user, reliable=reliable, first_transaction=first, sees_names=False)
        self._sends[user] = send
        self._settle()

    def join(self, user: int, participant: str, label: str) -> None:
        """It is known who calls; what it has asked before is looked at now."""
        self._floor.join(user, participant)
        self._server.rename(user, label)
        self._joined[user] = participant
        self.admitted()

    def admitted(self) -> None:
        """Somebody who waited at a locked conference may have been let in."""
        for user, participant in self._joined.items():
            if not self._is_outside(participant):
                self._server.let_in(user, self.clock())
        self._settle()

    def heard(self, user: int, data: bytes, now: float) -> bool:
        """Something came of a call; False: it is no BFCP, close the connection."""
        if user not in self._server:
            self._counts["stray"] += 1
            return True
        self._counts["received"] += 1
        self._server.receive(user, data, now)
        failed = self._server.association(user).failure is not None
        if failed:
            self._counts["unreadable"] += 1
        self._settle()
        return not failed

    def shut(self, user: int) -> None:
        """It speaks BFCP no more, or its connection has ended: what it holds is free."""
        self._server.close(user, self.clock())
        self._sends.pop(user, None)
        self._settle()

    def leave(self, user: int) -> None:
        """The call has ended."""
        self.shut(user)
        self._floor.leave(user)
        self._joined.pop(user, None)
        self._users.discard(user)

    def follow(self, follower: Follower) -> None:
        """Tell somebody what becomes of the presentation, from what is now on."""
        self._followers.append(follower)
        presenter = self._presenter()
        if presenter is not None:
            follower.started(presenter)

    def unfollow(self, follower: Follower) -> None:
        """Tell it nothing more."""
        self._followers.remove(follower)

    def order(self, command: Command, refused: Callable[[], None]) -> None:
        """Have a command carried out, after those before it.

        Args:
            refused: called if the conference does not follow it.
        """
        self._orders.append((command, refused))
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._carry_out())

    # The conference

    def started(self, participant: str, label: str) -> None:
        """Somebody presents."""
        self._floor.started(participant, label, self.clock())
        for follower in tuple(self._followers):
            follower.started(participant)
        self._settle()

    def stopped(self, participant: str) -> None:
        """It does not any more."""
        self._floor.stopped(participant, self.clock())
        for follower in tuple(self._followers):
            follower.stopped(participant)
        self._settle()

    def resume(self) -> None:
        """Take over who presents already."""
        presenter = self._presenter()
        if presenter is not None:
            self.started(presenter, self.label_of(presenter))

    def label_of(self, participant: str) -> str:
        """What a participant is called; empty if it is not there."""
        try:
            return self._conferences.participant(self._conference, participant).label
        except Refused:
            return ""

    def close(self) -> None:
        """The conference has ended; its calls end by themselves."""
        self._alarm.set(None)
        self._orders.clear()

    # Inside

    def _is_outside(self, participant: str) -> bool:
        try:
            return is_outside(self._conferences.get(self._conference), participant)
        except Refused:
            return True

    def _presenter(self) -> str | None:
        try:
            return self._conferences.get(self._conference).presenter
        except Refused:
            return None

    def _handle_timer(self) -> None:
        self._server.handle_timer(self.clock())
        self._settle()

    def _settle(self) -> None:
        """After every call: what rooms want goes to the conference, what they are told goes out."""
        now = self.clock()
        while wishes := self._floor.wishes(now):
            for wish in wishes:
                self._wish(wish)
        for user, data in self._server.data_to_send():
            send = self._sends.get(user)
            if send is not None:
                self._counts["sent"] += 1
                send(data)
        self._alarm.set(self._server.next_timer())

    def _wish(self, wish: Wish) -> None:
        def refused() -> None:
            self._floor.refused(wish, self.clock())
            self._settle()

        self.order(wish.command, refused)

    async def _carry_out(self) -> None:
        try:
            while self._orders:
                command, refused = self._orders.popleft()
                try:
                    await self._conferences.execute(self._conference, command, SYSTEM)
                except (Refused, StoreUnavailable) as error:
                    log.info(
                        "presentation_refused", conference=self._conference, reason=error.reason
                    )
                    self._counts["refused"] += 1
                    refused()
        finally:
            self._worker = None
