"""Who is on the roster: added, changed, presiding, removed."""

from collections.abc import Sequence
from dataclasses import replace

from mcu.conference.commands import AddParticipant, ChangeParticipant, RemoveParticipant
from mcu.conference.events import (
    BroadcastStopped,
    ConferenceChanged,
    Event,
    LayoutChanged,
    ParticipantAdded,
    ParticipantChanged,
    ParticipantRemoved,
)
from mcu.conference.invitation_model import is_invited
from mcu.conference.state import (
    EVERYONE,
    ConferenceState,
    Participant,
    Refused,
    RosterEntry,
)
from mcu.conference.texts import MAX_NAME, MAX_REASON, checked_name, checked_text
from mcu.engine.plan import EmptySlot, ParticipantSlot, PollingSlot, Slot
from mcu.sentences import sentence

MAX_PARTICIPANTS = 1_000
"""A roster that is longer belongs on several MCUs; it also bounds what guests can fill up."""
VOLUME_DB = (-60.0, 20.0)
IMPORTANCE = (0, 100)


def find(state: ConferenceState, participant: str, field: str | None) -> Participant:
    """Look a participant up.

    Raises:
        Refused: not on the roster.
    """
    found = state.participants.get(participant)
    if found is None:
        raise Refused(
            sentence("roster.nobody", participant=participant),
            field,
        )
    return found


def enlist(
    entries: Sequence[RosterEntry], chair: str | None, field: str
) -> tuple[Participant, ...]:
    """Make the roster that a conference starts with.

    Raises:
        Refused: somebody is named twice, or they are too many.
    """
    if len(entries) > MAX_PARTICIPANTS:
        raise Refused(
            sentence("roster.too-many", most=MAX_PARTICIPANTS, given=len(entries)),
            field,
        )
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise Refused(sentence("room.twice", room=entry.id), field)
        seen.add(entry.id)
    return tuple(
        _participant(entry, order, is_chair=entry.id == chair)
        for order, entry in enumerate(entries)
    )


def add(state: ConferenceState, command: AddParticipant) -> list[Event]:
    """Put somebody on the roster; who is on it already changes nothing.

    Raises:
        Refused: the conference is full, or locked and this is no one who knocks.
    """
    entry = command.entry
    if entry.id in state.participants:
        return []
    if state.locked and not command.knocks:
        raise Refused(sentence("locked.to-add"), None)
    if len(state.participants) >= MAX_PARTICIPANTS:
        raise Refused(sentence("roster.full", most=MAX_PARTICIPANTS), None)
    muted = any(scope in (EVERYONE, *entry.unit_path) for scope in state.entry_muted)
    newcomer = _participant(entry, state.enlisted, is_chair=False)
    invited = is_invited(state.invitations, entry.bridge)
    return [ParticipantAdded(replace(newcomer, audio_muted=muted, invited=invited))]


def remove(state: ConferenceState, command: RemoveParticipant) -> list[Event]:
    """Take somebody off the roster, out of the slots, the chair and the broadcast.

    Raises:
        Refused: not on the roster, or a reason that cannot be shown.
    """
    gone = find(state, command.participant, "participant")
    reason = checked_text(command.reason, "reason", MAX_REASON)
    events: list[Event] = []
    if state.broadcast == gone.id:
        events.append(BroadcastStopped(gone.id))
    for name, view in state.views.items():
        if view.slots is None:
            continue
        slots = tuple(_without(slot, gone.id) for slot in view.slots)
        if slots != view.slots:
            events.append(LayoutChanged(name, view.layout, slots, view.fit))
    if state.chair == gone.id:
        events.append(ConferenceChanged(state.name, None, state.pin, state.number))
    events.append(ParticipantRemoved(gone, reason))
    return events


def change(state: ConferenceState, command: ChangeParticipant) -> list[Event]:
    """Change one participant; taking the chair takes it away from who had it.

    Raises:
        Refused: not on the roster, or a value out of its range.
    """
    before = find(state, command.participant, "participant")
    after = before
    if command.audio_muted is not None:
        after = replace(after, audio_muted=command.audio_muted)
    if command.video_muted is not None:
        after = replace(after, video_muted=command.video_muted)
    if command.deafened is not None:
        after = replace(after, deafened=command.deafened)
    if command.importance is not None:
        _check_range(command.importance, IMPORTANCE, "importance")
        after = replace(after, importance=command.importance)
    if command.volume_db is not None:
        _check_range(command.volume_db, VOLUME_DB, "volume_db")
        after = replace(after, volume_db=float(command.volume_db))
    if command.label is not None:
        label = checked_text(command.label, "label", MAX_NAME)
        after = replace(after, label=label or before.name)
    if command.role is not None:
        after = replace(after, role=command.role)
        if command.role == "chair":
            after = replace(after, waiting=False)
    if after == before:
        return []
    after = replace(after, version=before.version + 1)
    if after.role == before.role:
        return [ParticipantChanged(after)]
    chair = after.id if after.role == "chair" else None
    return [
        ParticipantChanged(after),
        *(event for event in change_roles(state, chair) if event.participant.id != after.id),
        ConferenceChanged(state.name, chair, state.pin, state.number),
    ]


def change_roles(state: ConferenceState, chair: str | None) -> list[ParticipantChanged]:
    """The events that make ``chair`` (on the roster, or None) the only one who presides."""
    events = []
    if state.chair is not None and state.chair != chair:
        before = state.participants[state.chair]
        events.append(replace(before, role="participant", version=before.version + 1))
    if chair is not None and chair != state.chair:
        before = state.participants[chair]
        events.append(replace(before, role="chair", waiting=False, version=before.version + 1))
    return [ParticipantChanged(participant) for participant in events]


def _participant(entry: RosterEntry, order: int, *, is_chair: bool) -> Participant:
    name = checked_name(entry.name, "name")
    return Participant(
        id=entry.id,
        name=name,
        label=name,
        order=order,
        bridge=entry.bridge,
        unit=entry.unit,
        unit_path=entry.unit_path,
        role="chair" if is_chair else "participant",
        importance=entry.importance,
        address=entry.address,
    )


def _without(slot: Slot, participant: str) -> Slot:
    if slot == ParticipantSlot(participant):
        return EmptySlot()
    if isinstance(slot, PollingSlot) and participant in slot.participants:
        rest = tuple(each for each in slot.participants if each != participant)
        # An empty list would mean everybody.
        return PollingSlot(slot.interval_s, rest) if rest else EmptySlot()
    return slot


def _check_range(value: float, bounds: tuple[float, float], field: str) -> None:
    lowest, highest = bounds
    if not lowest <= value <= highest:
        raise Refused(
            sentence("out-of-range", field=field, lowest=lowest, highest=highest, given=value),
            field,
        )
