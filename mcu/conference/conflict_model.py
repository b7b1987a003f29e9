"""A bridge that two conferences want: its value, commands, facts and events.

The conference that asks has the conflict on its ``asking`` side and decides; the one whose roster
the bridge is on is told by facts and keeps the same as ``holding``, so that both logs have it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

Side = Literal["asking", "holding"]
Decision = Literal["wait", "move", "decline"]
ConflictStatus = Literal["open", "waiting", "moving", "declined", "settled"]
"""``waiting`` until the bridge is free; ``settled``: it has come, or nobody asks any more."""

STATUS_OF: dict[Decision, ConflictStatus] = {
    "wait": "waiting",
    "move": "moving",
    "decline": "declined",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """One bridge, asked for while another conference has it.

    Args:
        other: the other conference, ``other_name`` as it was called then.
        by: who asked. is_chair: it is to preside where it comes.
        decided_by, decided_at: the last decision.
    """

    bridge: str
    name: str
    side: Side
    other: str
    other_name: str
    at: datetime
    by: str = ""
    is_chair: bool = False
    status: ConflictStatus = "open"
    decided_by: str = ""
    decided_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the bridge is still asked for."""
        return self.status in ("open", "waiting", "moving")


@dataclass(frozen=True, slots=True)
class RaiseConflict:
    """Ask for a bridge that the conference ``other`` has."""

    bridge: str
    name: str
    other: str
    other_name: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class DecideConflict:
    """Decide about a bridge that is asked for."""

    bridge: str
    decision: Decision
    by: str = ""


@dataclass(frozen=True, slots=True)
class NoteConflict:
    """The other side has raised this, or another conference has the bridge now."""

    conflict: Conflict


@dataclass(frozen=True, slots=True)
class NoteConflictStatus:
    """The other side has decided or settled it; or a move has come to nothing (``open``)."""

    bridge: str
    other: str
    status: ConflictStatus
    by: str = ""


ConflictCommand = RaiseConflict | DecideConflict
ConflictFact = NoteConflict | NoteConflictStatus


@dataclass(frozen=True, slots=True)
class ConflictRaised:
    """Two conferences want one bridge."""

    type: ClassVar[str] = "conflict.raised"
    conflict: Conflict


@dataclass(frozen=True, slots=True)
class ConflictDecided:
    """What was decided, or that it is over."""

    type: ClassVar[str] = "conflict.decided"
    bridge: str
    side: Side
    other: str
    status: ConflictStatus
    by: str
    at: datetime


ConflictEvent = ConflictRaised | ConflictDecided

MAX_KEPT = 200
"""Conflicts that are over are kept in the state as long as there are no more."""


def find_conflict(
    conflicts: tuple[Conflict, ...], bridge: str, side: Side, other: str | None = None
) -> Conflict | None:
    """The one about a bridge; ``other`` None: whoever the other one is."""
    return next(
        (
            each
            for each in conflicts
            if (each.bridge, each.side) == (bridge, side) and other in (None, each.other)
        ),
        None,
    )


def evolve_conflicts(before: tuple[Conflict, ...], event: ConflictEvent) -> tuple[Conflict, ...]:
    """The conflicts after an event: one for each bridge, and each who asks. O(conflicts)."""
    if isinstance(event, ConflictRaised):
        new = event.conflict
        kept = tuple(each for each in before if not _same(each, new))
        while len(kept) >= MAX_KEPT and (over := [one for one in kept if not one.is_open]):
            kept = tuple(each for each in kept if each is not over[0])
        return (*kept, new)
    return tuple(
        replace(each, status=event.status, decided_by=event.by, decided_at=event.at)
        if (each.bridge, each.side, each.other) == (event.bridge, event.side, event.other)
        else each
        for each in before
    )


def _same(one: Conflict, other: Conflict) -> bool:
    if (one.bridge, one.side) != (other.bridge, other.side):
        return False
    return one.side == "asking" or one.other == other.other
