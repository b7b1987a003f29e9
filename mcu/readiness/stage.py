"""Where rooms are met for a check: a conference of its own, in which nobody hears or sees another.

Rooms that are in the conference that is being checked are met there. A room that is in another
one is left where it is. See docs/decisions for why.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from mcu.conference.commands import (
    ChangeParticipant,
    EndConference,
    RemoveParticipant,
    SetLayout,
    ShowMessage,
    StartConference,
)
from mcu.conference.for_checks import for_check
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import Refused, UnknownConference
from mcu.engine.plan import EmptySlot
from mcu.readiness.model import Check, Seen
from mcu.store.errors import StoreUnavailable

READINESS: Final = Actor(token="", role="admin", name="readiness")
MESSAGE: Final = (
    "Kiểm tra kỹ thuật: nghe tiếng thử thì bấm *5, và xin nói vài câu · "
    "Readiness check: press *5 when you hear the tone"
)

log = structlog.get_logger(__name__)


def belongs_to(conference: str, check: str) -> bool:
    """Whether a conference was made for a check."""
    return conference.startswith(f"{check}.")


class Stage:
    """The conference of one check; made when the first room needs it, ended with the check.

    Args:
        run: starts work whose end is waited for when the daemon stops.
        call_again: calls a room in (conference, participant) that had hung up.
    """

    def __init__(
        self,
        conferences: Conferences,
        check: Check,
        run: Callable[[Coroutine[Any, Any, None]], None],
        call_again: Callable[[str, str], None],
    ) -> None:
        self._conferences = conferences
        self._check = check.id
        self._name, self._unit, self._target = check.name, check.unit, check.conference
        self._run = run
        self._call_again = call_again
        self._turn = asyncio.Lock()
        self._count = 0
        self._own: str | None = None
        self._troubles: dict[str, Seen] = {}

    def here(self, bridge: str) -> str | None:
        """The conference in which this check meets a room; None: it is in none of them."""
        where = self._conferences.conference_of(bridge)
        return where if where is not None and where in (self._own, self._target) else None

    def is_own(self, conference: str) -> bool:
        """Whether it was made for this check."""
        return conference == self._own

    def seen(self, bridge: str) -> Seen:
        """Where a room is now."""
        where = self._conferences.conference_of(bridge)
        if where is None:
            return self._troubles.get(bridge, Seen("absent"))
        if self.here(bridge) is None:
            return Seen("busy", where, self._conferences.get(where).name)
        who = self._conferences.participant(where, bridge)
        if who.presence == "connected":
            return Seen("connected", where)
        return Seen("absent", where, cause=who.call_failure or "no answer")

    def invite(self, bridge: str) -> None:
        """Call or await a room."""
        self._troubles.pop(bridge, None)
        where = self.here(bridge)
        if where is not None:
            self._call_again(where, bridge)
            return
        self._run(self._invite(bridge))

    def dismiss(self, bridge: str) -> None:
        """Let a room go that was met in the check's own conference."""
        self._troubles.pop(bridge, None)
        if self._own is not None:
            self._run(self._dismiss(bridge))

    def close(self) -> None:
        """End the check's own conference."""
        self._run(self._end())

    async def _invite(self, bridge: str) -> None:
        async with self._turn:
            try:
                if self._own is None:
                    self._own = await self._start()
                await self._conferences.add_bridge(self._own, bridge, READINESS)
                deaf = ChangeParticipant(bridge, deafened=True)
                await self._conferences.execute(self._own, deaf, READINESS)
            except Refused as refused:
                if self._conferences.conference_of(bridge) is None:
                    gone = refused.field == "bridge"
                    self._troubles[bridge] = Seen(
                        "gone" if gone else "absent", cause=refused.reason
                    )
            except StoreUnavailable as error:
                self._troubles[bridge] = Seen("absent", cause=error.reason)

    async def _start(self) -> str:
        self._count += 1
        # A number that was used before this process began is passed over.
        while True:
            id_ = for_check(self._check, self._count)
            try:
                await self._conferences.read(id_)
            except UnknownConference:
                break
            self._count += 1
        name = f"Kiểm tra: {self._name}"[:200]
        command = StartConference(name, self._unit, id=id_, layout="1x1")
        state = await self._conferences.start(command, READINESS)
        for view in state.views:
            empty = SetLayout(view, "1x1", (EmptySlot(),))
            await self._conferences.execute(id_, empty, READINESS)
        await self._conferences.execute(id_, ShowMessage(MESSAGE), READINESS)
        return id_

    async def _dismiss(self, bridge: str) -> None:
        async with self._turn:
            own = self._own
            if own is None or self._conferences.conference_of(bridge) != own:
                return
            try:
                await self._conferences.execute(own, RemoveParticipant(bridge), READINESS)
            except (Refused, StoreUnavailable) as error:
                log.warning("readiness_room_kept", bridge=bridge, reason=error.reason)

    async def _end(self) -> None:
        async with self._turn:
            own, self._own = self._own, None
            if own is not None:
                await end_conference(self._conferences, own)


async def end_conference(conferences: Conferences, conference: str) -> None:
    """End a check's own conference; one that is over already is no error."""
    try:
        await conferences.execute(conference, EndConference("ended"), READINESS)
    except UnknownConference:
        return
    except (Refused, StoreUnavailable) as error:
        log.warning("readiness_conference_kept", conference=conference, reason=error.reason)
