"""What the API and the event stream show of a conference: the JSON of ``api.md``.

Live readings (levels, what is visible, quality) are no part of the state; the API adds them.
"""

from collections import Counter
from typing import Any

from mcu.conference.agenda_events import AgendaAdvanced, AgendaChanged, AgendaOverrun
from mcu.conference.agenda_resources import agenda_event_data
from mcu.conference.codec import Json, slot_to_json, time_to_text
from mcu.conference.conflict_resources import open_conflicts
from mcu.conference.convening_resources import convening_summary
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
    ParticipantJoined,
    ParticipantLeft,
    ParticipantRemoved,
    ParticipantsAdmitted,
    ParticipantsChanged,
    ParticipantsRefused,
    PresentationStarted,
    PresentationStopped,
)
from mcu.conference.evolve import evolve
from mcu.conference.invitation_model import InvitationEvent
from mcu.conference.invitation_resources import invitation_data
from mcu.conference.presence import PRESENCES
from mcu.conference.procedure_model import ProcedureEvent
from mcu.conference.procedure_resources import (
    called_resource,
    floor_resource,
    overlay_resource,
    polling_resource,
    procedure_data,
    running_recording,
)
from mcu.conference.state import ConferenceState, Participant, ViewSetting


def conference_resource(state: ConferenceState) -> Json:
    """``Conference`` of the API. Cost: O(participants), for the counts."""
    counted = Counter(participant.presence for participant in state.participants.values())
    return {
        "id": state.id,
        "name": state.name,
        "unit": state.unit,
        "state": "running" if state.running else "ended",
        "chair": state.chair,
        "views": {name: view_resource(view) for name, view in state.views.items()},
        "locked": state.locked,
        "message": None
        if state.message is None
        else {"text": state.message.text, "until": _time(state.message.until)},
        "overlays": [overlay_resource(one) for one in state.overlays],
        "broadcast": state.broadcast,
        "presentation": state.presenter,
        "floor": floor_resource(state.floor),
        "chair_view": state.chair_view,
        "polling": None if state.polling is None else polling_resource(state.polling),
        "roll_call": called_resource(state.roll_calls[-1]) if state.roll_calls else None,
        "convening": None if state.convening is None else convening_summary(state.convening),
        "waiting": sum(each.waiting for each in state.participants.values()),
        "conflicts": open_conflicts(state),
        "calls_when_convened": state.calls_when_convened,
        "recordings": [running_recording(each) for each in state.recordings],
        "drill": state.drill is not None,
        "counts": {presence: counted[presence] for presence in PRESENCES},
        "started_at": time_to_text(state.started_at),
        "ended_at": _time(state.ended_at),
        "number": state.number,
        "has_pin": state.pin is not None,
        "scenario": None if state.agenda is None else state.agenda.scenario,
        "damaged": state.damaged,
        "version": state.version,
    }


def view_resource(view: ViewSetting) -> Json:
    """What was chosen for a view; ``slots`` null: chosen automatically (see ``resolve_view``)."""
    slots = None if view.slots is None else [slot_to_json(slot) for slot in view.slots]
    return {"layout": view.layout, "slots": slots, "fit": view.fit}


def participant_resource(participant: Participant) -> Json:
    """``Participant`` of the API, without the live readings."""
    return {
        "id": participant.id,
        "bridge": participant.bridge,
        "address": participant.address,
        "name": participant.name,
        "label": participant.label,
        "unit": participant.unit,
        "role": participant.role,
        "importance": participant.importance,
        "state": participant.presence,
        "waiting": participant.waiting,
        "invited": participant.invited,
        "call_failure": participant.call_failure,
        "call_failure_detail": participant.call_failure_detail,
        "audio_muted": participant.audio_muted,
        "video_muted": participant.video_muted,
        "deafened": participant.deafened,
        "volume_db": participant.volume_db,
        "view": participant.view,
        "legs": [leg.id for leg in participant.legs],
        "joined_at": _time(participant.joined_at),
        "lost_at": _time(participant.lost_at),
        "version": participant.version,
    }


def event_data(event: Event) -> Json:
    """The ``data`` of an event on the stream.

    Events about one participant carry ``participant``, the whole resource; the broadcast's carry
    its id. ``participants.changed`` carries ids and the ``changes`` that each of them now shows.
    """
    if isinstance(event, ProcedureEvent):
        return procedure_data(event)
    if isinstance(event, InvitationEvent):
        return invitation_data(event)
    match event:
        case ConferenceStarted():
            return {
                "conference": conference_resource(evolve(None, event)),
                "participants": [participant_resource(each) for each in event.participants],
            }
        case ConferenceChanged():
            # The PIN itself is for operators, and streams have other readers too.
            return {
                "name": event.name,
                "chair": event.chair,
                "number": event.number,
                "has_pin": event.pin is not None,
            }
        case ConferenceEnded():
            return {"reason": event.reason, "ended_at": time_to_text(event.at)}
        case ConferenceLocked() | ConferenceUnlocked() | MessageCleared():
            return {}
        case AgendaChanged() | AgendaAdvanced() | AgendaOverrun():
            return agenda_event_data(event)
        case ParticipantsChanged():
            return {
                "participants": list(event.participants),
                "changes": {"audio_muted": event.audio_muted},
                "entry_muted": list(event.entry_muted),
            }
        case ParticipantsAdmitted():
            return {
                "participants": list(event.participants),
                "changes": {"waiting": False},
                "by": event.by,
            }
        case ParticipantsRefused():
            return {"participants": list(event.participants), "by": event.by}
        case LayoutChanged():
            setting = ViewSetting(event.layout, event.slots, event.fit)
            return {"view": event.view, **view_resource(setting)}
        case PresentationStarted():
            return {"participant": event.participant, "replaced": event.replaced}
        case BroadcastStarted() | BroadcastStopped() | PresentationStopped():
            return {"participant": event.participant}
        case MessageShown():
            return {"text": event.text, "until": _time(event.until)}
        case ParticipantJoined():
            return {
                "participant": participant_resource(event.participant),
                "leg": event.leg,
                "replaced": list(event.replaced),
            }
        case ParticipantLeft() | ParticipantRemoved():
            return {
                "participant": participant_resource(event.participant),
                "reason": event.reason,
            }
        case _:
            return {"participant": participant_resource(event.participant)}


def _time(time: Any) -> str | None:
    return None if time is None else time_to_text(time)
