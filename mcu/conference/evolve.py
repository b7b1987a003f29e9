"""How events change a conference's state. Total: an event that was decided is never refused."""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from mcu.conference.agenda_events import AgendaAdvanced, AgendaChanged, AgendaOverrun
from mcu.conference.agenda_record import evolve_agenda
from mcu.conference.alarm_model import AlarmEvent, AlarmRaised, end_alarms, evolve_alarms
from mcu.conference.chair_view_model import ChairViewStarted
from mcu.conference.conflict_model import ConflictEvent, evolve_conflicts
from mcu.conference.convening_model import ConveningEvent, evolve_convening
from mcu.conference.drill_model import Drill, DrillEvent, FaultMarked, evolve_drill
from mcu.conference.events import (
    BroadcastStarted,
    BroadcastStopped,
    ConferenceChanged,
    ConferenceEnded,
    ConferenceLocked,
    ConferenceStarted,
    ConferenceUnlocked,
    Event,
    LayoutChanged,
    MessageCleared,
    MessageShown,
    ParticipantAdded,
    ParticipantRemoved,
    ParticipantsAdmitted,
    ParticipantsChanged,
    ParticipantsRefused,
    PresentationStarted,
    PresentationStopped,
)
from mcu.conference.floor_model import IDLE_FLOOR, FloorEvent, evolve_floor
from mcu.conference.invitation_model import InvitationEvent, evolve_invitations
from mcu.conference.overlay_model import OverlayEvent, OverlayPinned, evolve_overlays
from mcu.conference.polling_model import PollingEvent, PollingMoved, evolve_polling
from mcu.conference.presence import failed_call, next_presence
from mcu.conference.procedure_model import ProcedureEvent
from mcu.conference.recording_model import RecordingEvent, evolve_recordings
from mcu.conference.roll_call_model import RollCallEvent, evolve_roll_calls
from mcu.conference.state import VIEWS, ConferenceState, Message, Participant, ViewSetting

Roster = dict[str, Participant]


def evolve(state: ConferenceState | None, event: Event) -> ConferenceState:
    """Apply one event; ``state`` is None for ``ConferenceStarted`` only.

    Cost: O(participants), one copy of the roster's dict; use ``evolve_all`` for several events.
    """
    return evolve_all(state, (event,))


def evolve_all(state: ConferenceState | None, events: Iterable[Event]) -> ConferenceState:
    """Apply events in order. Cost: O(participants + events).

    Raises:
        ValueError: no state, and the first event does not start a conference.
    """
    roster: Roster = {} if state is None else dict(state.participants)
    for event in events:
        state = _evolve(state, roster, event)
    if state is None:
        raise ValueError("no events and no state")
    return replace(state, participants=MappingProxyType(roster))


def _started(event: ConferenceStarted) -> ConferenceState:
    return ConferenceState(
        id=event.id,
        name=event.name,
        unit=event.unit,
        started_at=event.at,
        chair=event.chair,
        views={view: ViewSetting(event.layout) for view in VIEWS},
        enlisted=len(event.participants),
        pin=event.pin,
        number=event.number,
        agenda=event.agenda,
        calls_when_convened=event.calls_when_convened,
        drill=Drill() if event.drill else None,
    )


def _evolve(state: ConferenceState | None, roster: Roster, event: Event) -> ConferenceState:
    """Apply one event to a state whose participants are in ``roster``, which is changed."""
    if isinstance(event, ConferenceStarted):
        roster.clear()
        roster.update((each.id, each) for each in event.participants)
        return _started(event)
    if state is None:
        raise ValueError(f"{event.type} stands where conference.started should")
    # A page that turns by itself is nobody's decision, nor is what troubles a room or what was seen
    # of it: that makes no operator's version stale.
    version = state.version + (not isinstance(event, PollingMoved | AlarmEvent | FaultMarked))
    if isinstance(event, ProcedureEvent):
        return replace(_evolve_procedure(state, event), version=version)
    if isinstance(event, InvitationEvent):
        invitations = evolve_invitations(state.invitations, event)
        return replace(state, invitations=invitations, version=version)
    match event:
        case ConferenceChanged():
            return replace(
                state,
                name=event.name,
                chair=event.chair,
                pin=event.pin,
                number=event.number,
                version=version,
            )
        case ConferenceEnded():
            _all_leave(roster, event)
            state = replace(state, broadcast=None, presenter=None, message=None, overlays=())
            state = replace(state, floor=IDLE_FLOOR, chair_view=None, polling=None)
            state = replace(state, alarms=end_alarms(state.alarms, event.at))
            return replace(state, ended_at=event.at, version=version)
        case ConferenceLocked():
            return replace(state, locked=True, version=version)
        case ConferenceUnlocked():
            return replace(state, locked=False, version=version)
        case LayoutChanged():
            views = {**state.views, event.view: ViewSetting(event.layout, event.slots, event.fit)}
            return replace(state, views=views, version=version)
        case BroadcastStarted():
            return replace(state, broadcast=event.participant, version=version)
        case BroadcastStopped():
            return replace(state, broadcast=None, version=version)
        case PresentationStarted():
            return replace(state, presenter=event.participant, version=version)
        case PresentationStopped():
            return replace(state, presenter=None, version=version)
        case MessageShown():
            return replace(state, message=Message(event.text, event.until), version=version)
        case MessageCleared():
            return replace(state, message=None, version=version)
        case AgendaChanged() | AgendaAdvanced() | AgendaOverrun():
            return replace(state, agenda=evolve_agenda(state.agenda, event))
        case ParticipantsChanged():
            for id_ in event.participants:
                before = roster[id_]
                roster[id_] = replace(
                    before, audio_muted=event.audio_muted, version=before.version + 1
                )
            return replace(state, entry_muted=event.entry_muted)
        case ParticipantsAdmitted():
            for id_ in event.participants:
                before = roster[id_]
                roster[id_] = replace(before, waiting=False, version=before.version + 1)
            return state
        case ParticipantsRefused():
            return state
        case ParticipantRemoved():
            roster.pop(event.participant.id, None)
            return state
        case ParticipantAdded():
            roster[event.participant.id] = event.participant
            return replace(state, enlisted=max(state.enlisted, event.participant.order + 1))
        case _:
            after = event.participant
            roster[after.id] = after
            came = -1 if after.join_order is None else after.join_order
            return state if came < state.arrivals else replace(state, arrivals=came + 1)


def _evolve_procedure(state: ConferenceState, event: ProcedureEvent) -> ConferenceState:
    if isinstance(event, FloorEvent):
        return replace(state, floor=evolve_floor(state.floor, event))
    if isinstance(event, AlarmEvent):
        raised = state.alarms_raised
        if isinstance(event, AlarmRaised):
            raised = max(raised, event.alarm.number)
        return replace(state, alarms=evolve_alarms(state.alarms, event), alarms_raised=raised)
    if isinstance(event, PollingEvent):
        return replace(state, polling=evolve_polling(state.polling, event))
    if isinstance(event, RollCallEvent):
        return replace(state, roll_calls=evolve_roll_calls(state.roll_calls, event))
    if isinstance(event, ConflictEvent):
        return replace(state, conflicts=evolve_conflicts(state.conflicts, event))
    if isinstance(event, ConveningEvent):
        return replace(state, convening=evolve_convening(state.convening, event))
    if isinstance(event, RecordingEvent):
        return replace(state, recordings=evolve_recordings(state.recordings, event))
    if isinstance(event, OverlayEvent):
        ever = state.overlays_pinned
        if isinstance(event, OverlayPinned):
            ever = max(ever, event.overlay.number)
        overlays = evolve_overlays(state.overlays, event)
        return replace(state, overlays=overlays, overlays_pinned=ever)
    if isinstance(event, DrillEvent):
        return replace(state, drill=evolve_drill(state.drill, event))
    seen = event.participant if isinstance(event, ChairViewStarted) else None
    return replace(state, chair_view=seen)


def _all_leave(roster: Roster, event: ConferenceEnded) -> None:
    for participant in list(roster.values()):
        calling = participant.presence == "calling"
        was_here = not calling or participant.left_at is not None
        presence = next_presence(participant.presence, failed_call(was_here=was_here))
        if presence != participant.presence:
            roster[participant.id] = replace(
                participant,
                presence=presence,
                legs=(),
                lost_at=None,
                left_at=participant.left_at if calling else event.at,
                version=participant.version + 1,
            )
