"""What of the event stream one token sees: which conferences, and of whom how much.

A sight is worked out once per conference and kept; a change of the roster or a new reach (units
moved) throws it away. Rooms get their own readings and of others only what a room shows; of
levels they hear when they begin and cease to be heard.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcu.api.documents import reduced
from mcu.api.reach import Reach
from mcu.api.rights import Action
from mcu.conference.feed import RecordedEvent
from mcu.conference.service import Conferences
from mcu.conference.state import ConferenceState, UnknownConference

ROSTER_EVENTS: Final = frozenset({"participant.added", "participant.removed"})
PRIVATE: Final = frozenset({"leg", "replaced", "entry_muted"})
"""Members of an event's data that are for operators only."""
ROLL_CALL_NEWS: Final = frozenset({"roll-call.called", "roll-call.paused", "roll-call.resumed"})
"""What rooms hear of a roll call: who is called. The record is for operators."""
RECORDING_NEWS: Final = frozenset({"recording.started", "recording.stopped"})
RECORDING_SEEN: Final = ("id", "view", "started_at")
"""Rooms are told that they are recorded, not by whom, nor how the disk is."""
UNSEEN: Final = (
    "alarm.", "callers.", "chair-view.", "polling.", "roll-call.", "convening.", "conflict.",
    "recording.", "invitation.", "drill.",
)  # fmt: skip
"""What an operator or the chair looks at, and records, is nothing to other rooms."""
CALLED: Final = "convening.called"
"""Rooms hear of a convening when it is their turn, so that their pages can say so."""
ROLL_CALL_ENDS: Final = frozenset({"roll-call.signed", "roll-call.cancelled"})
BRIDGE_EVENTS: Final = frozenset(
    {
        "bridge.registered",
        "bridge.unregistered",
        "bridge.refused",
        "readiness.changed",
        "invitation.changed",
    }
)
"""About a room, not about a conference: for who may read the room."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How a token sees one conference; ``rooms`` are its own participants."""

    visible: bool
    whole: bool
    rooms: frozenset[str] = frozenset()


class EventSight:
    """One stream's view of all conferences; give it a new ``reach`` from time to time."""

    def __init__(self, conferences: Conferences, reach: Reach) -> None:
        self._conferences = conferences
        self._reach = reach
        self._known: dict[str, Sight] = {}
        self._speaking: dict[str, bool] = {}
        self.renew(reach)

    def renew(self, reach: Reach) -> None:
        """Units may have moved: look at every running conference again."""
        self._reach = reach
        self._known = {state.id: self._sight(state) for state in self._conferences.running()}

    def accepts(self, event: RecordedEvent) -> bool:
        """Whether an event may be queued at all; called by the feed when it is published.

        True for a conference that must be looked up first (``shown`` decides then).
        """
        if event.type in BRIDGE_EVENTS:
            return self._reach.bridge(Action.READ_BRIDGES, event.data["bridge"], event.data["unit"])
        if event.conference is None:
            return True
        before = self._known.get(event.conference)
        if before is None or event.type in ROSTER_EVENTS:
            try:
                now = self._sight(self._conferences.get(event.conference))
            except UnknownConference:
                return before is None or before.visible
            self._known[event.conference] = now
            # Who is taken off the roster still hears of it, and sees nothing after it.
            return now.visible or (before is not None and before.visible)
        if event.seq is None and not before.whole:
            return before.visible and self._is_news(event.conference, event, before.rooms)
        return before.visible

    def _is_news(self, conference: str, event: RecordedEvent, rooms: frozenset[str]) -> bool:
        """Whether a reading tells a room something: four times a second it mostly does not."""
        if event.type != "levels.measured":
            return concerns(event.type, event.data, rooms)
        speaking = not rooms.isdisjoint(event.data.get("speakers", ()))
        if self._speaking.get(conference) == speaking:
            return False
        self._speaking[conference] = speaking
        return True

    async def shown(self, event: RecordedEvent) -> str | None:
        """The event as text, as much of it as the token may see; None: not at all.

        Raises:
            StoreUnavailable: an ended conference cannot be looked up.
        """
        if event.conference is None:
            return event.encoded
        sight = self._known.get(event.conference)
        if sight is None:
            sight = self._known[event.conference] = await self._ended(event.conference)
        if sight.whole:
            return event.encoded
        data = seen_by_room(event.type, event.data, sight.rooms | self._own())
        if data is None or (not sight.visible and event.type != "participant.removed"):
            return None
        document = event.to_json() | {"data": data}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def _own(self) -> frozenset[str]:
        """A room's own id is known even when it has just been taken off the roster."""
        bridge = self._reach.holder.bridge
        return frozenset() if bridge is None else frozenset({bridge})

    def _sight(self, state: ConferenceState) -> Sight:
        if not self._reach.conference(Action.READ_EVENTS, state):
            return Sight(visible=False, whole=False)
        if self._reach.whole(state):
            return Sight(visible=True, whole=True)
        rooms = frozenset(
            who.id for who in state.participants.values() if self._reach.own_room(who)
        )
        return Sight(visible=True, whole=False, rooms=rooms)

    async def _ended(self, conference: str) -> Sight:
        try:
            return self._sight(await self._conferences.read(conference))
        except UnknownConference:
            return Sight(visible=False, whole=False)


def concerns(type_: str, data: Mapping[str, Any], rooms: frozenset[str]) -> bool:
    """Whether an ephemeral event says anything to these rooms; O(rooms), as it is asked for each
    of 145 streams when a reading is published.
    """
    if type_ == "load.measured":
        return False
    about = data.get("requests") if type_ == "sources.requested" else data.get("quality")
    return about is None or any(room in about for room in rooms)


def seen_by_room(
    type_: str, data: Mapping[str, Any], rooms: frozenset[str]
) -> dict[str, Any] | None:
    """An event's data as a room may see it; None: it is nothing to the room.

    Args:
        rooms: the participants that are the token's own.
    """
    if type_ == "levels.measured":
        own = {who: level for who, level in data.get("levels", {}).items() if who in rooms}
        return {"levels": own, "speakers": data.get("speakers", [])}
    if type_ == "quality.measured":
        own = {who: line for who, line in data.get("quality", {}).items() if who in rooms}
        return {"quality": own} if own else None
    if type_ == "load.measured":
        return None  # what the server does about its load is for those who run it
    if type_ == "sources.requested":
        wanted = data["requests"]
        own = {who: wanted[who] for who in rooms if who in wanted}
        return {"requests": own} if own else None
    if type_ in ROLL_CALL_ENDS:
        return {"number": data["number"]}
    if type_ == CALLED:
        called = [who for who in data["participants"] if who in rooms]
        return {**data, "participants": called} if called else None
    if type_ in RECORDING_NEWS:
        return {name: data[name] for name in RECORDING_SEEN if name in data}
    if type_.startswith(UNSEEN) and type_ not in ROLL_CALL_NEWS:
        return None
    participant = data.get("participant")
    if isinstance(participant, Mapping):
        if participant["id"] in rooms:
            return dict(data)
        kept = {name: value for name, value in data.items() if name not in PRIVATE}
        if type_ == "participant.removed":
            kept["reason"] = ""  # it was said to the room that is gone
        return kept | {"participant": reduced(participant)}
    if type_ == "conference.started":
        participants = [
            each if each["id"] in rooms else reduced(each) for each in data["participants"]
        ]
        return {**data, "participants": participants}
    return {name: value for name, value in data.items() if name not in PRIVATE}
