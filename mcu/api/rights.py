"""Who may do what, to what: one table, pure.

A token has a role and, mostly, a unit. A target (unit, bridge, conference, participant, leg)
stands in some *relations* to the token, and the table says which of them suffices:

==========  =====================================================================================
relation    holds when
==========  =====================================================================================
``unit``    the target belongs to the token's unit or one below it; a token without a unit
            reaches everything
``room``    the target is a room of the token: the bridge itself for a ``bridge`` token, any
            bridge of its units for a ``technician``; a conference is related when such a room is
            in its roster; for an ``admin`` and ``operator``, a room of its units that is there by
            an invitation, while the conference runs
``own``     the leg was opened with this very token
==========  =====================================================================================

Roles in short: **admin** everything in its unit including tokens; **operator** registry and
conferences in its unit; **technician** reads its unit, looks at the pictures and mutes the
rooms of its unit, also in conferences of a higher level that call them, issues their join links
and SIP secrets, reads their SIP traces, and joins for them; **observer** reads and watches;
**bridge** joins the conferences that it is called to, reads them, presents, asks for the floor,
answers roll calls, and mutes itself. Across the tree, **admin**, **operator** and **technician**
answer invitations of rooms of their unit, and may then do in that one conference what a technician
may: see it, look at and mute their own room, ask for the floor and present for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Role = Literal["admin", "operator", "technician", "observer", "bridge"]
Relation = Literal["unit", "room", "own"]
Relations = frozenset[Relation]


class Action(StrEnum):
    """What a route does; each route names exactly one."""

    READ_UNITS = "units.read"
    WRITE_UNITS = "units.write"
    READ_BRIDGES = "bridges.read"
    WRITE_BRIDGES = "bridges.write"
    ISSUE_BRIDGE_TOKEN = "bridges.token"  # noqa: S105 - an action, not a secret
    ISSUE_SIP_SECRET = "bridges.sip-secret"  # noqa: S105 - an action, not a secret
    READ_SIP_TRACE = "participants.sip-trace"
    MANAGE_TOKENS = "tokens.manage"
    USE_SESSION = "session.use"
    READ_SCENARIOS = "scenarios.read"
    WRITE_SCENARIOS = "scenarios.write"
    READ_INCIDENTS = "incidents.read"
    WRITE_INCIDENTS = "incidents.write"
    READ_CONFERENCES = "conferences.read"
    CONTROL_CONFERENCES = "conferences.control"
    MUTE_PARTICIPANT = "participants.mute"
    PRESENT = "participants.present"
    ASK_FLOOR = "participants.ask-floor"
    ANSWER_ROLL_CALL = "participants.answer-roll-call"
    READ_READINESS = "readiness.read"
    CONFIRM_SOUND = "readiness.confirm"
    RECORD = "recordings.control"
    LIST_RECORDINGS = "recordings.list"
    READ_RECORDING = "recordings.read"
    DELETE_RECORDING = "recordings.delete"
    SEE_VIEW = "views.see"
    SEE_PARTICIPANT = "participants.see"
    JOIN = "legs.join"
    WATCH = "legs.watch"
    READ_LEG = "legs.read"
    CHANGE_LEG = "legs.change"
    READ_EVENTS = "events.read"
    READ_METRICS = "metrics.read"
    READ_REPORTS = "reports.read"
    READ_INVITATIONS = "invitations.read"
    ANSWER_INVITATION = "invitations.answer"


_NONE: Final[Relations] = frozenset()
_UNIT: Final[Relations] = frozenset({"unit"})
_ROOM: Final[Relations] = frozenset({"room"})
_BOTH: Final[Relations] = frozenset({"unit", "room"})
_OWN: Final[Relations] = frozenset({"own"})
_ALL: Final[Relations] = _BOTH | _OWN

_COLUMNS: Final[tuple[Role, ...]] = ("admin", "operator", "technician", "observer", "bridge")
_ROWS: Final[Mapping[Action, tuple[Relations, ...]]] = {
    #                              admin  operator  technician  observer  bridge
    Action.READ_UNITS: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.WRITE_UNITS: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.READ_BRIDGES: (_UNIT, _UNIT, _UNIT, _UNIT, _ROOM),
    Action.WRITE_BRIDGES: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.ISSUE_BRIDGE_TOKEN: (_UNIT, _UNIT, _UNIT, _NONE, _NONE),
    Action.ISSUE_SIP_SECRET: (_UNIT, _UNIT, _UNIT, _NONE, _NONE),
    Action.READ_SIP_TRACE: (_BOTH, _BOTH, _BOTH, _NONE, _NONE),
    Action.MANAGE_TOKENS: (_UNIT, _NONE, _NONE, _NONE, _NONE),
    Action.USE_SESSION: (_UNIT, _UNIT, _UNIT, _UNIT, _ROOM),
    Action.READ_SCENARIOS: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.WRITE_SCENARIOS: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.READ_INCIDENTS: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.WRITE_INCIDENTS: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.READ_CONFERENCES: (_BOTH, _BOTH, _BOTH, _UNIT, _ROOM),
    Action.CONTROL_CONFERENCES: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.MUTE_PARTICIPANT: (_BOTH, _BOTH, _ROOM, _NONE, _ROOM),
    Action.PRESENT: (_BOTH, _BOTH, _ROOM, _NONE, _ROOM),
    Action.ASK_FLOOR: (_BOTH, _BOTH, _ROOM, _NONE, _ROOM),
    Action.ANSWER_ROLL_CALL: (_BOTH, _BOTH, _ROOM, _NONE, _ROOM),
    Action.READ_READINESS: (_UNIT, _UNIT, _UNIT, _UNIT, _ROOM),
    Action.CONFIRM_SOUND: (_UNIT, _UNIT, _ROOM, _NONE, _ROOM),
    Action.RECORD: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.LIST_RECORDINGS: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.READ_RECORDING: (_UNIT, _UNIT, _NONE, _NONE, _NONE),
    Action.DELETE_RECORDING: (_UNIT, _NONE, _NONE, _NONE, _NONE),
    Action.SEE_VIEW: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.SEE_PARTICIPANT: (_BOTH, _BOTH, _BOTH, _UNIT, _ROOM),
    Action.JOIN: (_BOTH, _BOTH, _ROOM, _NONE, _ROOM),
    Action.WATCH: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.READ_LEG: (_ALL, _ALL, _ALL, _UNIT | _OWN, _ROOM | _OWN),
    Action.CHANGE_LEG: (_ALL, _ALL, _ROOM | _OWN, _OWN, _ROOM | _OWN),
    Action.READ_EVENTS: (_BOTH, _BOTH, _BOTH, _UNIT, _ROOM),
    Action.READ_METRICS: (_UNIT, _UNIT, _UNIT, _UNIT, _NONE),
    Action.READ_REPORTS: (_UNIT, _UNIT, _NONE, _UNIT, _NONE),
    Action.READ_INVITATIONS: (_UNIT, _UNIT, _UNIT, _UNIT, _ROOM),
    Action.ANSWER_INVITATION: (_UNIT, _UNIT, _UNIT, _NONE, _NONE),
}
RIGHTS: Final[Mapping[Action, Mapping[Role, Relations]]] = {
    action: dict(zip(_COLUMNS, row, strict=True)) for action, row in _ROWS.items()
}
"""Which relations let a role do an action; an empty set means never."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What of a token the rules look at.

    Args:
        unit: None reaches everything (not for bridges).
        conference: when set, the token is good for this conference only.
    """

    role: Role
    unit: str | None = None
    bridge: str | None = None
    token: str = ""
    conference: str | None = None


class UnitTree:
    """The administrative tree as parents by id; answers in O(depth)."""

    def __init__(self, parents: Mapping[str, str | None]) -> None:
        self.parents: Final = dict(parents)

    def is_within(self, unit: str | None, ancestor: str | None) -> bool:
        """Whether ``unit`` is ``ancestor`` or below it; every unit is within None."""
        if ancestor is None:
            return True
        seen: set[str] = set()
        while unit is not None and unit not in seen:
            if unit == ancestor:
                return True
            seen.add(unit)
            unit = self.parents.get(unit)
        return False

    def subtree(self, root: str | None) -> frozenset[str]:
        """All units within ``root``, itself included. O(units * depth)."""
        return frozenset(unit for unit in self.parents if self.is_within(unit, root))


@dataclass(frozen=True, slots=True)
class Room:
    """A bridge as the rules see it: its id and the unit it belongs to.

    Args:
        invited: it takes part by an invitation to a conference that runs.
    """

    bridge: str
    unit: str | None
    invited: bool = False


def may_ever(role: Role, action: Action) -> bool:
    """Whether there is any target at all on which the role may do it."""
    return bool(RIGHTS[action][role])


def may(role: Role, action: Action, relations: Relations) -> bool:
    """Whether one of the relations to the target suffices for the action."""
    return not RIGHTS[action][role].isdisjoint(relations)


def relations_to_unit(holder: Holder, unit: str | None, tree: UnitTree) -> Relations:
    """How a token stands to something of the registry that belongs to ``unit``.

    A token for one conference only stands to nothing but that conference.
    """
    return _NONE if holder.conference is not None else _through_unit(holder, unit, tree)


def relations_to_room(holder: Holder, room: Room, tree: UnitTree) -> Relations:
    """How a token stands to a bridge of the registry."""
    if holder.role != "bridge" and holder.conference is not None:
        return _NONE
    return _through_room(holder, room, tree)


def relations_to_conference(
    holder: Holder, conference: str, unit: str, rooms: Iterable[Room], tree: UnitTree
) -> Relations:
    """How a token stands to a conference of ``unit`` with ``rooms`` in its roster."""
    if holder.conference not in (None, conference):
        return _NONE
    relations = _through_unit(holder, unit, tree)
    if any(
        may_be_own(holder.role, invited=room.invited)
        and "room" in _through_room(holder, room, tree)
        for room in rooms
    ):
        relations |= _ROOM
    return relations


def relations_to_participant(
    holder: Holder, conference: str, unit: str, room: Room | None, tree: UnitTree
) -> Relations:
    """How a token stands to one participant: through the conference's unit, or as its room."""
    if holder.conference not in (None, conference):
        return _NONE
    relations = _through_unit(holder, unit, tree)
    if room is not None and "room" in _through_room(holder, room, tree):
        relations |= _ROOM
    return relations


def _through_unit(holder: Holder, unit: str | None, tree: UnitTree) -> Relations:
    if holder.role == "bridge" or not tree.is_within(unit, holder.unit):
        return _NONE
    return _UNIT


def _through_room(holder: Holder, room: Room, tree: UnitTree) -> Relations:
    if holder.role == "bridge":
        return _ROOM if room.bridge == holder.bridge else _NONE
    if not tree.is_within(room.unit, holder.unit):
        return _NONE
    return _BOTH if may_be_own(holder.role, invited=room.invited) else _UNIT


def may_be_own(role: Role, *, invited: bool) -> bool:
    """Whether a room may be a token's own; asked before the tree is: of most it is plain."""
    if role in ("technician", "bridge"):
        return True
    return invited and role in ("admin", "operator")
