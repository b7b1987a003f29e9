"""The floor: asked for, given in the order of asking or to anybody, taken back, out of time.

Pure decisions. Who is given the floor is unmuted, and muted again afterwards if it was muted
before. Where it is shown follows from the state (``plan``), so that nothing has to be put back.
A floor outlives a lost line and a restart, its time goes on; it ends when its holder leaves.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference.events import Event, ParticipantsChanged
from mcu.conference.evolve import evolve_all
from mcu.conference.floor_model import (
    EndFloor,
    Floor,
    FloorCommand,
    FloorEnd,
    FloorEnded,
    FloorGranted,
    FloorHolder,
    FloorInterrupted,
    FloorRequested,
    FloorResumed,
    FloorWithdrawn,
    GrantFloor,
    InterruptFloor,
    NoteFloorOver,
    RequestFloor,
    ResumeFloor,
    WithdrawFloorRequest,
)
from mcu.conference.roll_call_model import calling
from mcu.conference.roster import find
from mcu.conference.state import ConferenceState, Participant, Refused
from mcu.sentences import sentence

LIMIT_S = (1.0, 14_400.0)
"""Shortest and longest time that a floor is given for."""


def decide_floor(
    state: ConferenceState, command: FloorCommand | NoteFloorOver, now: datetime
) -> list[Event]:
    """Decide what is asked of the floor.

    Raises:
        Refused: not on the roster, not here, a time out of its range, nobody to interrupt.
    Cost: O(requests).
    """
    match command:
        case RequestFloor():
            return _request(state, command.participant, now)
        case WithdrawFloorRequest():
            waits = _waits(state.floor, command.participant)
            return [FloorWithdrawn(command.participant)] if waits else []
        case GrantFloor():
            return _grant(state, command, now)
        case EndFloor():
            holder = state.floor.holder
            if holder is None or command.participant not in (None, holder.participant):
                return []
            return _end(state, command.reason, now)
        case InterruptFloor():
            return _interrupt(state, now)
        case ResumeFloor():
            return _resume(state, now, state.chair)
        case NoteFloorOver():
            holder = state.floor.holder
            over = holder is not None and holder.until is not None and holder.until <= now
            return _end(state, "expired", now) if over else []


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and what of the floor they end: who goes neither has it nor waits for it.

    When the chair goes or changes, its interruption ends.
    """
    if state.floor.holder is None and not state.floor.requests:
        return list(events)
    after = evolve_all(state, events)
    if not after.running:
        return list(events)
    gone: list[Event] = [
        FloorWithdrawn(each.participant)
        for each in after.floor.requests
        if not _is_here(after, each.participant)
    ]
    holder = after.floor.holder
    if holder is not None and not _is_here(after, holder.participant):
        gone += _end(after, "left", now)
    elif holder is not None and holder.interrupted_at is not None:
        chair = after.chair
        if chair is None or chair != state.chair or not _is_here(after, chair):
            gone += _resume(after, now, state.chair)
    return [*events, *gone]


def place_of(floor: Floor, participant: str) -> int | None:
    """The place of a request, from 1; None: it has not asked."""
    places = (at for at, each in enumerate(floor.requests, 1) if each.participant == participant)
    return next(places, None)


def _request(state: ConferenceState, participant: str, now: datetime) -> list[Event]:
    who = find(state, participant, "participant")
    holder = state.floor.holder
    if _waits(state.floor, who.id) or (holder is not None and holder.participant == who.id):
        return []
    if not who.takes_part:
        raise Refused(sentence("floor.asker-gone", label=who.label))
    return [FloorRequested(who.id, now)]


def _grant(state: ConferenceState, command: GrantFloor, now: datetime) -> list[Event]:
    who = find(state, command.participant, "participant")
    if not who.takes_part:
        raise Refused(sentence("floor.not-connected", label=who.label))
    if any(each.on_air is not None for each in state.roll_calls):
        raise Refused(sentence("floor.roll-call"))
    limit = command.limit_s
    if limit is not None and not LIMIT_S[0] <= limit <= LIMIT_S[1]:
        raise Refused(
            sentence("floor.time", shortest_s=LIMIT_S[0], longest_s=LIMIT_S[1]),
            "time_limit_s",
        )
    until = None if limit is None else now + timedelta(seconds=limit)
    before = state.floor.holder
    if before is not None and before.participant == who.id:
        again = replace(before, until=until, limit_s=limit, picture=command.picture)
        if before.interrupted_at is not None:
            again = replace(again, until=None, left_s=limit)
        return [] if again == before else [FloorGranted(again)]
    events = [] if before is None else _end(state, "replaced", now)
    if events:
        # After an interruption that ends with it, the chair is as it was before.
        state = evolve_all(state, events)
        who = state.participants[who.id]
    muted = _was_muted(state, who)
    holder = FloorHolder(who.id, now, until, limit, command.picture, was_muted=muted)
    events.append(FloorGranted(holder))
    return [*events, *_set_muted(state, who.id, muted=False)]


def _end(state: ConferenceState, reason: FloorEnd, now: datetime) -> list[Event]:
    """End the floor, and have its holder and the chair heard as before."""
    holder = state.floor.holder
    if holder is None:
        return []
    events: list[Event] = [FloorEnded(holder.participant, reason, now)]
    interrupted = holder.interrupted_at is not None
    who = state.participants.get(holder.participant)
    if who is not None:
        muted = holder.was_muted or _muted_by_roll_call(state, who)
        if interrupted or muted:
            events += _set_muted(state, who.id, muted=muted)
    return [*events, *_chair_back(state, holder, state.chair)]


def _muted_by_roll_call(state: ConferenceState, who: Participant) -> bool:
    """Whether a roll call that is not over has muted it, with everybody else but the chair."""
    return calling(state.roll_calls) is not None and who.id != state.chair


def _was_muted(state: ConferenceState, who: Participant) -> bool:
    """Whether it is to be muted when its floor ends; a roll call may be over by then."""
    found = calling(state.roll_calls)
    if found is not None and _muted_by_roll_call(state, who):
        return who.id not in found.heard
    return who.audio_muted


def _interrupt(state: ConferenceState, now: datetime) -> list[Event]:
    holder = state.floor.holder
    if holder is None:
        raise Refused(sentence("floor.nobody"))
    if holder.interrupted_at is not None:
        return []
    chair = None if state.chair is None else state.participants[state.chair]
    if chair is None:
        raise Refused(sentence("floor.no-chair"))
    if chair.id == holder.participant:
        raise Refused(sentence("floor.chair-has-it", label=chair.label))
    if not chair.takes_part:
        raise Refused(sentence("floor.chair-gone", label=chair.label))
    left = None if holder.until is None else max(0.0, (holder.until - now).total_seconds())
    stopped = replace(
        holder,
        until=None,
        left_s=left,
        interrupted_at=now,
        chair_was_muted=chair.audio_muted,
    )
    events: list[Event] = [FloorInterrupted(stopped)]
    events += _set_muted(state, holder.participant, muted=True)
    return [*events, *_set_muted(state, chair.id, muted=False)]


def _resume(state: ConferenceState, now: datetime, chair: str | None) -> list[Event]:
    """``chair``: who has interrupted; it may preside no more."""
    holder = state.floor.holder
    if holder is None or holder.interrupted_at is None:
        return []
    until = None if holder.left_s is None else now + timedelta(seconds=holder.left_s)
    again = replace(holder, until=until, left_s=None, interrupted_at=None, chair_was_muted=False)
    events: list[Event] = [FloorResumed(again)]
    events += _set_muted(state, holder.participant, muted=False)
    return [*events, *_chair_back(state, holder, chair)]


def _chair_back(
    state: ConferenceState, holder: FloorHolder, chair: str | None
) -> list[ParticipantsChanged]:
    """Have the chair muted again that was muted before it interrupted."""
    if chair is None or holder.interrupted_at is None or not holder.chair_was_muted:
        return []
    return _set_muted(state, chair, muted=True)


def _set_muted(
    state: ConferenceState, participant: str, *, muted: bool
) -> list[ParticipantsChanged]:
    who = state.participants.get(participant)
    if who is None or who.audio_muted == muted:
        return []
    return [ParticipantsChanged((participant,), muted, state.entry_muted)]


def _is_here(state: ConferenceState, participant: str) -> bool:
    who = state.participants.get(participant)
    return who is not None and who.takes_part


def _waits(floor: Floor, participant: str) -> bool:
    return any(each.participant == participant for each in floor.requests)
