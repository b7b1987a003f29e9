"""What conflicts about bridges mean for the conferences concerned: the other side is told, a bridge
that is free goes to who has asked first, one that is to be moved over is moved.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Final

import structlog

from mcu.conference.actor import Actor
from mcu.conference.commands import ChangeParticipant
from mcu.conference.conflict_model import (
    Conflict,
    ConflictDecided,
    ConflictRaised,
    DecideConflict,
    NoteConflict,
    NoteConflictStatus,
    RaiseConflict,
    find_conflict,
)
from mcu.conference.events import ConferenceEnded, Event, ParticipantRemoved
from mcu.conference.state import ConferenceState, Participant, Refused
from mcu.sentences import sentence
from mcu.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from mcu.conference.service import Conferences

SYSTEM: Final = Actor(token="", role="admin", name="system")
Move = Callable[[str, str, str, Actor], Awaitable[Participant]]
"""Moves a participant (conference, participant, other conference, actor)."""

log = structlog.get_logger(__name__)


class Conflicts:
    """All conflicts of one daemon; listens to its conferences. ``close`` in ``finally``."""

    def __init__(self, conferences: "Conferences") -> None:
        self._conferences = conferences
        self._tasks: set[asyncio.Task[None]] = set()
        self._moving: set[str] = set()

    async def close(self) -> None:
        """Give nothing to anybody any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def look_again(self) -> None:
        """After a restart: bridges may have become free while nobody looked."""
        for state in self._conferences.running():
            for each in state.conflicts:
                if each.side == "asking" and each.is_open:
                    self._give(each.bridge)

    async def ask(self, conference: str, bridge: str, name: str, actor: Actor) -> None:
        """Ask for a bridge that another conference has.

        Raises:
            Refused: it is free, or here. UnknownConference, StoreUnavailable.
        """
        self._conferences.get(conference)
        holder = self._conferences.conference_of(bridge)
        if holder is None:
            raise Refused(sentence("conflict.free", name=name), "bridge")
        other = self._conferences.get(holder).name
        command = RaiseConflict(bridge, name, holder, other, actor.name)
        await self._conferences.execute(conference, command, actor)

    async def decide(
        self, conference: str, command: DecideConflict, actor: Actor, move: Move
    ) -> None:
        """Decide for the conference that asks; ``move`` takes the bridge over.

        Raises:
            Refused: nobody asks for it, or it cannot be moved: then it is open as before.
            UnknownConference, StoreUnavailable.
        """
        await self._conferences.execute(conference, command, actor)
        if command.decision != "move":
            return
        bridge = command.bridge
        holder = self._conferences.conference_of(bridge)
        self._moving.add(bridge)
        try:
            if holder is not None and holder != conference:
                await move(holder, bridge, conference, actor)
        except (Refused, StoreUnavailable):
            self._tell_both(conference, bridge, holder or "")
            raise
        finally:
            self._moving.discard(bridge)
            self._give(bridge)

    def changed(self, state: ConferenceState, event: Event) -> None:
        """A listener of the conferences: tell the other side, and give what is free."""
        match event:
            case ConflictRaised(conflict) if conflict.side == "asking":
                self._tell(state, conflict)
            case ConflictDecided(side="asking"):
                status = NoteConflictStatus(event.bridge, state.id, event.status, event.by)
                self._conferences.note(event.other, status)
                if event.status == "settled":
                    self._held_by(event.bridge, state)
            case ParticipantRemoved(participant) if participant.bridge is not None:
                self._give(participant.bridge)
            case ConferenceEnded():
                for each in state.conflicts:
                    if each.is_open:
                        over = NoteConflictStatus(each.bridge, state.id, "settled")
                        if each.side == "asking":
                            self._conferences.note(each.other, over)
                for who in state.participants.values():
                    if who.bridge is not None:
                        self._give(who.bridge)

    # Inside

    def _tell(self, state: ConferenceState, asked: Conflict) -> None:
        told = Conflict(
            asked.bridge, asked.name, "holding", state.id, state.name, asked.at, asked.by
        )
        self._conferences.note(asked.other, NoteConflict(told))

    def _tell_both(self, conference: str, bridge: str, holder: str) -> None:
        self._conferences.note(conference, NoteConflictStatus(bridge, holder, "open"))

    def _held_by(self, bridge: str, holder: ConferenceState) -> None:
        """Others that wait for the same bridge wait for another conference now."""
        for state, asked in self._askers(bridge):
            if state.id == holder.id or asked.other == holder.id:
                continue
            now = Conflict(
                asked.bridge,
                asked.name,
                "asking",
                holder.id,
                holder.name,
                asked.at,
                asked.by,
                asked.is_chair,
                "waiting" if asked.status == "waiting" else "open",
            )
            self._conferences.note(state.id, NoteConflict(now))

    def _askers(self, bridge: str) -> Iterator[tuple[ConferenceState, Conflict]]:
        for state in self._conferences.running():
            asked = find_conflict(state.conflicts, bridge, "asking")
            if asked is not None and asked.is_open:
                yield state, asked

    def _give(self, bridge: str) -> None:
        """Let who has asked first have a bridge, if it is free."""
        if bridge in self._moving or not any(True for _ in self._askers(bridge)):
            return
        task = asyncio.get_running_loop().create_task(self._given(bridge))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _given(self, bridge: str) -> None:
        waiting = sorted(self._askers(bridge), key=lambda found: found[1].at)
        for state, asked in waiting:
            if self._conferences.conference_of(bridge) is not None:
                return
            try:
                await self._conferences.add_bridge(state.id, bridge, SYSTEM)
            except (Refused, StoreUnavailable) as error:
                log.warning(
                    "bridge_not_given", conference=state.id, bridge=bridge, reason=str(error)
                )
                continue
            if asked.is_chair:
                await self._seat_chair(state.id, bridge)
            return

    async def _seat_chair(self, conference: str, bridge: str) -> None:
        """Let the room preside that was asked for as the chair, unless another does by now.

        It has joined in any case: where it cannot be made the chair, the operator does that.
        """
        try:
            if self._conferences.get(conference).chair is None:
                command = ChangeParticipant(bridge, role="chair")
                await self._conferences.execute(conference, command, SYSTEM)
        except (Refused, StoreUnavailable) as error:
            log.warning("chair_not_given", conference=conference, bridge=bridge, reason=str(error))
