"""From what is known to what the engine does: the plan says everything, every time."""

from dataclasses import replace
from types import MappingProxyType

from mcu.conference import on_air
from mcu.conference.automatic import fill, kept_seats, seating, slot_count
from mcu.conference.drill_effects import is_down, leg_faults
from mcu.conference.overlays import overlay_plans
from mcu.conference.state import ConferenceState, Participant
from mcu.engine.plan import (
    WAITING_VIEW,
    EmptySlot,
    MediaPlan,
    ParticipantPlan,
    ParticipantSlot,
    PollingSlot,
    PresentationSlot,
    Slot,
    ViewPlan,
)

BROADCAST_LAYOUT = "1x1"
PRESENTATION_LAYOUT = "presenter"
WAITING_TEXT = (
    "Xin chờ trong giây lát, người điều khiển sẽ mời vào họp · "
    "Please wait: the operator will let you in"
)
"""In both languages: all who wait see one picture, whatever language their room's page has."""


def media_plan(state: ConferenceState) -> MediaPlan:
    """The whole conference for the engine; empty once it has ended. Cost: O(n log n)."""
    if not state.running:
        return MediaPlan()
    people = seating(state)
    return MediaPlan(
        participants=MappingProxyType(
            {id_: _participant(each) for id_, each in state.participants.items()}
        ),
        views=MappingProxyType(
            {name: _view(state, name, people) for name in state.views} | _waiting_room(state)
        ),
        presenter=state.presenter,
        faults={} if state.drill is None else leg_faults(state.drill, state.participants),
        down=state.drill is not None and is_down(state.drill),
    )


def resolve_view(state: ConferenceState, view: str) -> ViewPlan:
    """What a view shows now, its automatic slots filled in (KeyError: no such view)."""
    return _view(state, view, seating(state))


def _waiting_room(state: ConferenceState) -> dict[str, ViewPlan]:
    """What those see who wait; nothing where nobody does."""
    if not any(each.waiting for each in state.participants.values()):
        return {}
    card = ViewPlan(WAITING_VIEW, BROADCAST_LAYOUT, (EmptySlot(),), WAITING_TEXT)
    return {WAITING_VIEW: card}


def _participant(participant: Participant) -> ParticipantPlan:
    if participant.waiting:
        # Nobody sees or hears it, and it sees and hears nobody.
        participant = replace(
            participant, presence="expected", audio_muted=True, video_muted=True, deafened=True
        )
    return ParticipantPlan(
        participant=participant.id,
        label=participant.label,
        presence=participant.presence,
        audio_muted=participant.audio_muted,
        video_muted=participant.video_muted,
        deafened=participant.deafened,
        volume_db=participant.volume_db,
        importance=participant.importance,
        view=participant.view,
    )


def _view(state: ConferenceState, name: str, people: list[Participant]) -> ViewPlan:
    plan = _unmarked(state, name, people)
    overlays = overlay_plans(state, name)
    if not state.recordings and not overlays:
        return plan
    shared = plan.with_presentation
    if shared is not None:
        shared = replace(shared, recorded=bool(state.recordings), overlays=overlays)
    return replace(
        plan, recorded=bool(state.recordings), overlays=overlays, with_presentation=shared
    )


def _unmarked(state: ConferenceState, name: str, people: list[Participant]) -> ViewPlan:
    setting = state.views[name]
    message = None if state.message is None else state.message.text
    alone = on_air.alone(state, name)
    if alone is not None:
        shown: tuple[Slot, ...] = (ParticipantSlot(alone),)
        return ViewPlan(name, BROADCAST_LAYOUT, shown, message, fit=setting.fit)
    leading = on_air.leaders(state, name)
    kept = kept_seats(state)
    if name == "chair":
        # The presiding room looks at the others; who sees "main" sees the chair.
        people = [each for each in people if each.role != "chair"]
    if setting.slots is None:
        layout, slots = on_air.led(setting.layout, people, leading, kept)
    else:
        layout, slots = setting.layout, tuple(_resolve(slot, people) for slot in setting.slots)
        slots = on_air.take_lead(slots, leading)
    if len(slots) != slot_count(layout):  # a layout got other slots since it was chosen
        layout, slots = fill(layout, people, kept)
    watcher = state.chair if name == "chair" else None
    view = ViewPlan(name, layout, slots, message, fit=setting.fit, watcher=watcher)
    if setting.slots is not None or any(isinstance(each, PresentationSlot) for each in slots):
        return view  # the operator has said what stands where, or it is shown already
    return replace(view, with_presentation=_with_presentation(view, people, leading, kept))


def _with_presentation(
    view: ViewPlan, people: list[Participant], leading: tuple[str, ...], kept: frozenset[str]
) -> ViewPlan:
    layout, slots = on_air.led(PRESENTATION_LAYOUT, people, leading, kept)
    return replace(view, name=f"{view.name}+presentation", layout=layout, slots=slots)


def _resolve(slot: Slot, people: list[Participant]) -> Slot:
    """Polling without a list goes through everybody who is here."""
    if isinstance(slot, PollingSlot) and not slot.participants:
        here = tuple(each.id for each in people if each.takes_part)
        return PollingSlot(slot.interval_s, here) if here else EmptySlot()
    return slot
