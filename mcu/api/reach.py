"""How far a request's token reaches: the rules of ``rights`` applied to the real registry."""

from collections.abc import Iterable
from typing import Final

from mcu.api.problem import Problem, forbidden, not_found
from mcu.api.rights import (
    Action,
    Holder,
    Relations,
    Room,
    UnitTree,
    may,
    may_be_own,
    relations_to_conference,
    relations_to_participant,
    relations_to_room,
    relations_to_unit,
)
from mcu.api.services import LegInfo, Services
from mcu.conference.invitation_model import is_invited
from mcu.conference.state import ConferenceState, Participant
from mcu.sentences import sentence
from mcu.store.paging import MAX_LIMIT

TREE_SECONDS: Final = 30.0
"""How long the tree is kept when nobody here changes it (another process may)."""


class Directory:
    """The unit tree, read from the store when it may have changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tree: UnitTree | None = None
        self._read_at = 0.0
        self._generation = 0

    def forget(self) -> None:
        """A unit was changed: read the tree again before it is used next."""
        self._tree = None
        self._generation += 1

    async def tree(self) -> UnitTree:
        """The tree as it is. Cost: one query per 500 units, at most twice a minute.

        Raises:
            StoreUnavailable.
        """
        now = self._services.monotonic()
        tree = self._tree
        if tree is None or now - self._read_at > TREE_SECONDS:
            generation = self._generation
            # Whoever succeeded a dissolved unit stands above it.
            parents = dict(await self._services.store.units.former())
            cursor: str | None = None
            while True:
                page = await self._services.store.units.list(limit=MAX_LIMIT, cursor=cursor)
                parents |= {unit.id: unit.parent for unit in page.items}
                cursor = page.next_cursor
                if cursor is None:
                    break
            tree = UnitTree(parents)
            if generation == self._generation:
                # Else a unit was changed while it was read: good for who asked before that only.
                self._tree, self._read_at = tree, now
        return tree


class Reach:
    """One request's (or stream's) token and the tree at that time."""

    def __init__(self, holder: Holder, tree: UnitTree) -> None:
        self.holder: Final = holder
        self.tree: Final = tree

    def allows(self, action: Action, relations: Relations) -> bool:
        """Whether these relations suffice."""
        return may(self.holder.role, action, relations)

    def unit(self, action: Action, unit: str | None) -> bool:
        """Whether the action may be done to something of ``unit``."""
        return self.allows(action, relations_to_unit(self.holder, unit, self.tree))

    def bridge(self, action: Action, bridge: str, unit: str | None) -> bool:
        """Whether the action may be done to a bridge."""
        return self.allows(action, relations_to_room(self.holder, Room(bridge, unit), self.tree))

    def conference(self, action: Action, state: ConferenceState) -> bool:
        """Whether the action may be done to a conference."""
        return self.allows(action, self._to_conference(state))

    def whole(self, state: ConferenceState) -> bool:
        """Whether everybody in a conference is seen in full, not only the token's own rooms.

        Cost: the depth of the tree, however many take part: lists ask it for each of their rows.
        """
        relations = relations_to_conference(self.holder, state.id, state.unit, (), self.tree)
        return "unit" in relations

    def participant(self, action: Action, state: ConferenceState, who: Participant) -> bool:
        """Whether the action may be done to one participant."""
        return self.allows(action, self._to_participant(state, who))

    def own_room(self, who: Participant) -> bool:
        """Whether a participant is a room of this token."""
        room = _room(who, running=True)
        return room is not None and "room" in relations_to_room(self.holder, room, self.tree)

    def may_call(self, state: ConferenceState, bridge: str, unit: str | None) -> bool:
        """Whether a bridge may be called into a conference: it is within reach, or has accepted."""
        if self.bridge(Action.CONTROL_CONFERENCES, bridge, unit):
            return True
        return is_invited(state.invitations, bridge)

    def leg(self, action: Action, leg: LegInfo, state: ConferenceState | None) -> bool:
        """Whether the action may be done to a leg."""
        relations: Relations = frozenset()
        if leg.opened_by == self.holder.token:
            relations |= {"own"}
        if state is not None:
            who = state.participants.get(leg.participant or "")
            if who is not None:
                relations |= self._to_participant(state, who)
            else:
                relations |= self._to_conference(state) & {"unit"}
        return self.allows(action, relations)

    def _to_conference(self, state: ConferenceState) -> Relations:
        return relations_to_conference(
            self.holder, state.id, state.unit, self._rooms(state), self.tree
        )

    def _rooms(self, state: ConferenceState) -> Iterable[Room]:
        """Those through which the token may stand to the conference."""
        role, running = self.holder.role, state.running
        for who in state.participants.values():
            if not may_be_own(role, invited=who.invited and running):
                continue
            room = _room(who, running=running)
            over = who.invited and not running and role != "bridge"
            if room is not None and not over:
                yield room

    def _to_participant(self, state: ConferenceState, who: Participant) -> Relations:
        room = _room(who, running=state.running)
        return relations_to_participant(self.holder, state.id, state.unit, room, self.tree)

    def require_unit(self, action: Action, unit: str | None, what: str) -> None:
        """Raises ``Problem`` forbidden unless the action may be done to something of ``unit``."""
        relations = relations_to_unit(self.holder, unit, self.tree)
        if not self.allows(action, relations):
            where = f"unit {unit!r}" if unit is not None else "the whole installation"
            # Whether there is such a unit elsewhere is not told to who does not reach it.
            hint = " Check the unit's id: one that is not there is answered the same."
            raise forbidden(
                sentence(
                    "unit.out-of-reach",
                    what=what,
                    where=where,
                    extent=self._extent(),
                    role=self.holder.role,
                    hint=hint if unit is not None and "unit" not in relations else "",
                )
            )

    def require_conference(
        self, action: Action, state: ConferenceState, what: str, where: str = "in"
    ) -> None:
        """Raises ``Problem`` forbidden unless the action may be done to the conference.

        Args:
            what, where: of the refusal: "may not ``what`` ``where`` conference ...".
        """
        if not self.conference(action, state):
            # Whose room is invited, and in another conference still, looks for it here first.
            invited = any(
                each.stands and self.bridge(Action.READ_INVITATIONS, each.bridge, each.unit)
                for each in state.invitations
            )
            hint = " What it asks of rooms within reach is in /api/v1/invitations."
            raise forbidden(
                sentence(
                    "conference.out-of-reach",
                    what=what,
                    where=where,
                    conference=state.id,
                    unit=state.unit,
                    extent=self._extent(),
                    role=self.holder.role,
                    hint=hint if invited else "",
                )
            )

    def require_participant(
        self, action: Action, state: ConferenceState, who: Participant, what: str
    ) -> None:
        """Raises ``Problem`` forbidden unless the action may be done to the participant."""
        if not self.participant(action, state, who):
            raise forbidden(
                sentence(
                    "participant.out-of-reach",
                    what=what,
                    participant=who.id,
                    conference=state.id,
                    extent=self._extent(),
                    role=self.holder.role,
                )
            )

    def _extent(self) -> str:
        holder = self.holder
        if holder.role == "bridge":
            return f"the bridge {holder.bridge!r}"
        extent = "everything" if holder.unit is None else f"unit {holder.unit!r} and below"
        if holder.conference is not None:
            extent += f", in conference {holder.conference!r} only"
        return extent


def participant_of(state: ConferenceState, participant: str) -> Participant:
    """A participant of the roster; raises ``Problem`` not-found."""
    try:
        return state.participants[participant]
    except KeyError:
        raise not_found("participant", participant) from None


def require_running(state: ConferenceState) -> None:
    """Raises ``Problem`` conflict when the conference is over."""
    if not state.running:
        raise Problem("conflict", sentence("conference.over", conference=state.id))


def _room(who: Participant, *, running: bool) -> Room | None:
    """A participant as the rules see it; what an invitation gives ends with the conference."""
    if who.bridge is None:
        return None
    return Room(who.bridge, who.unit, invited=who.invited and running)
