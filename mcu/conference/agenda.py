"""Carrying out an agenda: which item is held, and what that does to sound and picture. Pure.

An item sets what it names when it begins. What the operator changes meanwhile stays until the next
one begins. Where the next one says nothing about microphones or the layout, they become what they
were before an item first touched them; a broadcast or message of the item goes with it, and so do
the presentation it gave and the polling it started. The end of the agenda is like an item that
says nothing.

An item never fails for somebody who is missing: the session goes on, and the event says who is.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from mcu.conference.agenda_commands import (
    AgendaCommand,
    ChangeAgenda,
    JumpToItem,
    NextItem,
    PreviousItem,
)
from mcu.conference.agenda_events import (
    AgendaAdvanced,
    AgendaChanged,
    AgendaOverrun,
)
from mcu.conference.agenda_record import overruns_at
from mcu.conference.events import (
    BroadcastStarted,
    BroadcastStopped,
    Event,
    LayoutChanged,
    MessageCleared,
    MessageShown,
    ParticipantsChanged,
    PresentationStarted,
    PresentationStopped,
)
from mcu.conference.evolve import evolve_all
from mcu.conference.floor import decide_floor
from mcu.conference.floor_model import EndFloor
from mcu.conference.polling import decide_polling
from mcu.conference.polling_model import PollingStopped, StartPolling
from mcu.conference.roll_call_model import calling
from mcu.conference.scenario import (
    ALL,
    CHAIR,
    Agenda,
    AgendaItem,
    Before,
    ItemPolling,
)
from mcu.conference.state import (
    EVERYONE,
    ConferenceState,
    Participant,
    Refused,
    ViewSetting,
)
from mcu.engine.plan import EmptySlot, ParticipantSlot, PollingSlot, Slot
from mcu.sentences import sentence

VIEW = "main"
"""The view whose layout an item chooses."""


def decide_agenda(state: ConferenceState, command: AgendaCommand, now: datetime) -> list[Event]:
    """Go through the agenda, or change it.

    Raises:
        Refused: there is none, no such item, nothing after or before; a roll call is on; the
            current item is not in the new one.
    Cost: O(participants + items).
    """
    if isinstance(command, ChangeAgenda):
        return _change(state, command, now)
    agenda = state.agenda
    if agenda is None or not agenda.items:
        raise Refused(sentence("agenda.none"))
    match command:
        case NextItem():
            return _go(state, agenda, _next(agenda), now)
        case PreviousItem():
            return _go(state, agenda, _previous(agenda), now)
        case JumpToItem(wanted):
            found = next((each for each in agenda.items if each.id == wanted), None)
            if found is None:
                raise Refused(sentence("agenda.no-item", item=wanted), "item")
            return _go(state, agenda, found, now)


def note_item_over(state: ConferenceState, now: datetime) -> list[Event]:
    """Say that the current item overruns, if it does and that was not said yet."""
    due = None if state.agenda is None else overruns_at(state.agenda)
    if state.agenda is None or due is None or due > now:
        return []
    visit = state.agenda.visits[-1]
    return [AgendaOverrun(visit.item, visit.title, now)]


def _change(state: ConferenceState, command: ChangeAgenda, now: datetime) -> list[Event]:
    agenda = state.agenda or Agenda()
    if agenda.current is not None and all(each.id != agenda.current for each in command.items):
        title = "" if agenda.item is None else agenda.item.title
        raise Refused(
            sentence("agenda.item-held", title=title, item=agenda.current),
            "items",
        )
    after = AgendaChanged(
        command.items,
        agenda.duties if command.duties is None else command.duties,
        agenda.contingencies if command.contingencies is None else command.contingencies,
        agenda.begins_at if command.begins_at == "kept" else command.begins_at,
        now,
    )
    same = (agenda.items, agenda.duties, agenda.contingencies, agenda.begins_at) == (
        after.items,
        after.duties,
        after.contingencies,
        after.begins_at,
    )
    return [] if same else [after]


def _next(agenda: Agenda) -> AgendaItem | None:
    if agenda.current is None:
        if agenda.finished_at is not None:
            raise Refused(sentence("agenda.finished"))
        return agenda.items[0]
    place = _place(agenda)
    return agenda.items[place + 1] if place + 1 < len(agenda.items) else None


def _previous(agenda: Agenda) -> AgendaItem:
    if agenda.current is None:
        if agenda.finished_at is None:
            raise Refused(sentence("agenda.not-begun"))
        return agenda.items[-1]
    place = _place(agenda)
    if place == 0:
        raise Refused(sentence("agenda.first-item"))
    return agenda.items[place - 1]


def _place(agenda: Agenda) -> int:
    return next(at for at, each in enumerate(agenda.items) if each.id == agenda.current)


def _go(
    state: ConferenceState, agenda: Agenda, item: AgendaItem | None, now: datetime
) -> list[Event]:
    """Hold an item; None: the end. The floor that was given in the item before ends with it."""
    if calling(state.roll_calls) is not None:
        raise Refused(sentence("agenda.roll-call"))
    floor_ended = decide_floor(state, EndFloor(), now)
    if floor_ended:
        state = evolve_all(state, floor_ended)
    said = item or AgendaItem("", "", 0)
    sound, before = _sound(state, said, agenda.before)
    picture, before = _layout(state, said, before)
    effects = [
        *floor_ended,
        *picture,
        *_broadcast(state, said),
        *_presentation(state, agenda.item, said),
        *_message(state, agenda.item, said),
        *_polling(state, agenda.item, said, now),
        *sound,
    ]
    if item is not None and item.id == agenda.current and before == agenda.before:
        return effects  # held already: what it says is set once more
    missing = _missing(state, said)
    title = item.title if item is not None else ""
    advanced = AgendaAdvanced(item.id if item else None, title, now, missing, before)
    return [advanced, *effects]


def _missing(state: ConferenceState, item: AgendaItem) -> tuple[str, ...]:
    named = dict.fromkeys(who for who in (item.speaker, item.presentation) if who is not None)
    missing = [
        who
        for who in named
        if who not in state.participants or not state.participants[who].takes_part
    ]
    if item.polling is not None and not _has_somebody(state, item.polling):
        missing.append(item.polling.scope)
    return tuple(missing)


def _sound(state: ConferenceState, item: AgendaItem, before: Before) -> tuple[list[Event], Before]:
    """Mute everybody but those who are to be heard; or put back what was before."""
    roster = state.participants
    if item.unmuted is None:
        if before.muted is None:
            return [], before
        silent = {who.id for who in roster.values() if _was_muted(who, before, before.muted)}
        entry_muted = before.entry_muted
        before = replace(before, muted=None, entry_muted=(), enlisted=0)
    else:
        if before.muted is None:
            muted = tuple(who.id for who in roster.values() if who.audio_muted)
            before = replace(
                before, muted=muted, entry_muted=state.entry_muted, enlisted=state.enlisted
            )
        heard = {item.speaker, *item.unmuted}
        if CHAIR in heard:
            heard.add(state.chair)
        silent = set() if ALL in heard else set(roster) - heard
        entry_muted = () if ALL in heard else (EVERYONE,)
    events: list[Event] = []
    for muted_now in (True, False):
        changed = tuple(
            who.id
            for who in roster.values()
            if (who.id in silent) is muted_now and who.audio_muted is not muted_now
        )
        if changed:
            events.append(ParticipantsChanged(changed, muted_now, entry_muted))
    if not events and entry_muted != state.entry_muted:
        events.append(ParticipantsChanged((), bool(entry_muted), entry_muted))
    return events, before


def _was_muted(who: Participant, before: Before, muted: Collection[str]) -> bool:
    """Whether somebody was muted before; of who has come since: whether it would have been."""
    if who.order < before.enlisted:
        return who.id in muted
    return any(scope in (EVERYONE, *who.unit_path) for scope in before.entry_muted)


def _layout(state: ConferenceState, item: AgendaItem, before: Before) -> tuple[list[Event], Before]:
    now = state.views[VIEW]
    if item.layout is not None:
        if before.layout is None:
            before = replace(before, layout=now.layout, slots=now.slots, fit=now.fit)
        wanted = ViewSetting(item.layout, None, now.fit)
    elif before.layout is not None:
        slots = None if before.slots is None else tuple(_still(state, s) for s in before.slots)
        wanted = ViewSetting(before.layout, slots, before.fit)
        before = replace(before, layout=None, slots=None)
    else:
        return [], before
    if wanted == now:
        return [], before
    return [LayoutChanged(VIEW, wanted.layout, wanted.slots, wanted.fit)], before


def _still(state: ConferenceState, slot: Slot) -> Slot:
    """A slot without those who have been taken off the roster since."""
    match slot:
        case ParticipantSlot(participant) if participant not in state.participants:
            return EmptySlot()
        case PollingSlot(interval_s, participants) if participants:
            rest = tuple(each for each in participants if each in state.participants)
            # An empty list would mean everybody.
            return PollingSlot(interval_s, rest) if rest else EmptySlot()
        case _:
            return slot


def _polling(
    state: ConferenceState, last: AgendaItem | None, item: AgendaItem, now: datetime
) -> list[Event]:
    """Start the item's polling; one that the last item started ends with it."""
    if item.polling is not None:
        if not _has_somebody(state, item.polling):
            return []
        return decide_polling(state, StartPolling(item.polling.interval_s, item.polling.scope), now)
    running, given = state.polling, None if last is None else last.polling
    if running is None or given is None:
        return []
    same = (running.interval_s, running.scope) == (given.interval_s, given.scope)
    return [PollingStopped()] if same else []


def _has_somebody(state: ConferenceState, polling: ItemPolling) -> bool:
    """Whether the roster has anybody of a scope; units may have been merged meanwhile."""
    scope = polling.scope
    return scope == ALL or any(scope in who.unit_path for who in state.participants.values())


def _broadcast(state: ConferenceState, item: AgendaItem) -> list[Event]:
    wanted = item.speaker if item.broadcast and item.speaker in state.participants else None
    if wanted == state.broadcast:
        return []
    if wanted is not None:
        return [BroadcastStarted(wanted)]
    return [] if state.broadcast is None else [BroadcastStopped(state.broadcast)]


def _presentation(state: ConferenceState, last: AgendaItem | None, item: AgendaItem) -> list[Event]:
    who = state.participants.get(item.presentation or "")
    if who is not None and who.takes_part:
        if state.presenter == who.id:
            return []
        return [PresentationStarted(who.id, state.presenter)]
    given = None if last is None else last.presentation
    if state.presenter is None or state.presenter != given or given == item.presentation:
        return []
    return [PresentationStopped(state.presenter)]


def _message(state: ConferenceState, last: AgendaItem | None, item: AgendaItem) -> list[Event]:
    shown = None if state.message is None else state.message.text
    if item.message is not None:
        return [] if shown == item.message else [MessageShown(item.message, None)]
    of_item = last is not None and last.message is not None and last.message == shown
    return [MessageCleared()] if of_item else []
