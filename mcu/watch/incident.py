"""An incident: a trouble that people deal with, from its opening to its end. Pure.

What happened to it is a list of entries that only grows; state and assignee follow from them.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from mcu.conference.alarm_model import Severity
from mcu.conference.codec import time_to_text
from mcu.conference.state import Refused
from mcu.sentences import sentence

EntryKind = Literal["opened", "assigned", "commented", "closed", "reopened"]
IncidentState = Literal["open", "closed"]
MAX_ENTRIES: Final = 500


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """One thing that happened to an incident.

    Args:
        by: the operator's name. text: what was said; of ``assigned``: to whom ("" to nobody).
    """

    at: datetime
    by: str
    kind: EntryKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble of a room, or of a unit's meeting as a whole.

    Args:
        unit: whose operators deal with it. bridge: the room, if it is one room's.
        conference, participant, alarm, kind: where it was seen, and the alarm it began with.
        version: grows with every entry (ETag).
    """

    id: str
    unit: str
    title: str
    severity: Severity
    entries: tuple[IncidentEntry, ...]
    bridge: str | None = None
    conference: str | None = None
    participant: str | None = None
    alarm: int | None = None
    kind: str | None = None
    version: int = 1

    @property
    def state(self) -> IncidentState:
        """Whether somebody must still deal with it."""
        ends = [one.kind for one in self.entries if one.kind in ("closed", "reopened")]
        return "closed" if ends and ends[-1] == "closed" else "open"

    @property
    def assignee(self) -> str | None:
        """Who deals with it."""
        named = [one.text for one in self.entries if one.kind == "assigned"]
        return (named[-1] or None) if named else None

    @property
    def opened_at(self) -> datetime:
        """When it was opened."""
        return self.entries[0].at

    @property
    def opened_by(self) -> str:
        """By whom."""
        return self.entries[0].by

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed; None while it is open."""
        if self.state == "open":
            return None
        return [one.at for one in self.entries if one.kind == "closed"][-1]


@dataclass(frozen=True, slots=True)
class AssignIncident:
    """Somebody deals with it from now on; empty: nobody."""

    to: str


@dataclass(frozen=True, slots=True)
class CommentIncident:
    """Something is said about it, also when it is closed."""

    text: str


@dataclass(frozen=True, slots=True)
class CloseIncident:
    """It is dealt with.

    Args:
        text: how.
    """

    text: str = ""


@dataclass(frozen=True, slots=True)
class ReopenIncident:
    """It is not, after all."""

    text: str = ""


IncidentCommand = AssignIncident | CommentIncident | CloseIncident | ReopenIncident


def decide_incident(
    incident: Incident, command: IncidentCommand, by: str, now: datetime
) -> list[IncidentEntry]:
    """What a command adds; nothing when its outcome is there already.

    Raises:
        Refused: a closed one is assigned, or it has too many entries.
    """
    match command:
        case AssignIncident(to):
            if incident.state == "closed":
                raise Refused(sentence("incident.closed"), "assignee")
            entries = [] if to == (incident.assignee or "") else [("assigned", to)]
        case CommentIncident(text):
            entries = [("commented", text)]
        case CloseIncident(text):
            entries = [] if incident.state == "closed" else [("closed", text)]
        case ReopenIncident(text):
            entries = [] if incident.state == "open" else [("reopened", text)]
    if len(incident.entries) + len(entries) > MAX_ENTRIES:
        raise Refused(sentence("incident.full", most=MAX_ENTRIES), None)
    return [IncidentEntry(now, by, kind, text) for kind, text in entries]  # type: ignore[arg-type]


def evolve_incident(incident: Incident, entries: list[IncidentEntry]) -> Incident:
    """The incident after some entries."""
    if not entries:
        return incident
    return replace(incident, entries=(*incident.entries, *entries), version=incident.version + 1)


def replaced_version(incident: Incident, version: int) -> Incident:
    """The same as of another version: the store counts them."""
    return replace(incident, version=version)


def entry_to_json(entry: IncidentEntry) -> dict[str, Any]:
    """An entry as the store and the API write it."""
    return {
        "at": time_to_text(entry.at),
        "by": entry.by,
        "kind": entry.kind,
        "text": entry.text,
    }


def entry_from_json(data: dict[str, Any]) -> IncidentEntry:
    """Read what ``entry_to_json`` wrote. Raises KeyError, ValueError."""
    return IncidentEntry(datetime.fromisoformat(data["at"]), data["by"], data["kind"], data["text"])
