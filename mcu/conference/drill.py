"""Which faults are put into a drill, when they end, and what people have done about them. Pure.

Nothing of this can be asked of a conference that was not started as a drill.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference import facts
from mcu.conference.alarm_model import AlarmRaised
from mcu.conference.commands import NoteRestarted
from mcu.conference.drill_model import (
    LATEST_STEP_S,
    LONGEST_RESTART_S,
    LONGEST_S,
    MAX_FAULTS,
    MAX_STEPS,
    ClearFaults,
    Drill,
    DrillCommand,
    DrillFact,
    DrillStep,
    Fault,
    FaultEnded,
    FaultEnding,
    FaultInjected,
    FaultMark,
    FaultMarked,
    FaultWish,
    InjectFault,
    MarkKind,
    NoteHand,
    ScriptChanged,
    ScriptStarted,
    ScriptStopped,
    SetScript,
    StartScript,
    StepSkipped,
    StopScript,
)
from mcu.conference.events import ConferenceEnded, Event
from mcu.conference.evolve import evolve_all
from mcu.conference.state import ConferenceState, Refused
from mcu.sentences import sentence

_ABSENCE = frozenset({"lost", "restart"})
"""Faults that take rooms out of the meeting: over when the rooms are back."""
_RATES_KBPS = (16.0, 100_000.0)
_LONGEST_JITTER_MS = 1_000.0


class NotADrill(Refused):
    """Faults are asked for in a conference that was not started as a drill."""

    def __init__(self, state: ConferenceState) -> None:
        super().__init__(
            sentence("not-a-drill", conference=state.name),
            None,
        )


def drill_of(state: ConferenceState) -> Drill:
    """What makes it a drill.

    Raises:
        NotADrill.
    """
    if state.drill is None:
        raise NotADrill(state)
    return state.drill


def decide_drill(
    state: ConferenceState, command: DrillCommand | DrillFact, now: datetime
) -> list[Event]:
    """Decide a command, or take note of a fact.

    Raises:
        NotADrill. Refused: with the field at fault.
    """
    if isinstance(command, DrillFact):
        if state.drill is None:
            return []
        if isinstance(command, NoteHand):
            return list(_hand(state.drill, command, now))
        return _due(state, state.drill, now)
    drill = drill_of(state)
    match command:
        case InjectFault():
            wish = checked_wish(state, command.wish, "")
            return _inject(state, drill, wish, command.by, None, now)
        case ClearFaults():
            return _clear(drill, command, now)
        case SetScript():
            return _set_script(state, drill, command)
        case StartScript():
            if not drill.script:
                raise Refused(sentence("drill.no-script"))
            if drill.script_started_at is not None:
                raise Refused(sentence("drill.script-runs"))
            started = ScriptStarted(now, command.by)
            after = evolve_all(state, [started])
            return [started, *_due(after, drill_of(after), now)]
        case StopScript():
            return [] if drill.script_started_at is None else [ScriptStopped(now, command.by)]


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and what they say of the faults: which end, and what was done about them.

    Args:
        state: before ``events``.
    """
    if state.drill is None or not events:
        return list(events)
    if any(isinstance(one, ConferenceEnded) for one in events):
        over = [_end(one, "ended", now) for one in state.drill.active]
        stop = [] if state.drill.script_started_at is None else [ScriptStopped(now)]
        return [*over, *stop, *events]
    after = evolve_all(state, events)
    return [*events, *_marks(after, drill_of(after), events, now)]


def deadlines_of(drill: Drill) -> Iterator[datetime]:
    """When something of it is due."""
    for one in drill.active:
        yield one.until
    due = drill.step_due
    if due is not None:
        yield due


def checked_wish(state: ConferenceState, wish: FaultWish, prefix: str) -> FaultWish:
    """A fault that can be injected into this conference.

    Args:
        prefix: of the fields that are named where it is refused.

    Raises:
        Refused: somebody who is not on this roster, a value that means nothing for its kind.
    """
    for place, who in enumerate(wish.participants):
        if who not in state.participants:
            raise Refused(
                sentence("drill.no-room", room=who),
                f"{prefix}participants.{place}",
            )
    if len(set(wish.participants)) < len(wish.participants):
        raise Refused(sentence("drill.twice"), f"{prefix}participants")
    if wish.kind == "restart" and wish.participants:
        raise Refused(
            sentence("drill.restart-all"),
            f"{prefix}participants",
        )
    longest = LONGEST_RESTART_S if wish.kind == "restart" else LONGEST_S
    if not 1.0 <= wish.duration_s <= longest:
        raise Refused(
            sentence("drill.duration", longest_s=longest),
            f"{prefix}duration_s",
        )
    _check_line(wish, prefix)
    return wish


def _check_line(wish: FaultWish, prefix: str) -> None:
    takes = {
        "loss_percent": wish.kind == "loss",
        "jitter_ms": wish.kind == "loss",
        "rate_kbps": wish.kind == "overload",
    }
    for name, applies in takes.items():
        if getattr(wish, name) and not applies:
            raise Refused(sentence("drill.not-for-kind", name=name, kind=wish.kind), prefix + name)
    if wish.kind == "loss":
        if not 0.0 <= wish.loss_percent <= 100.0:
            raise Refused(sentence("drill.loss"), f"{prefix}loss_percent")
        if not 0.0 <= wish.jitter_ms <= _LONGEST_JITTER_MS:
            raise Refused(sentence("drill.jitter"), f"{prefix}jitter_ms")
        if not wish.loss_percent and not wish.jitter_ms:
            raise Refused(sentence("drill.loss-or-jitter"), f"{prefix}loss_percent")
    least, most = _RATES_KBPS
    if wish.kind == "overload" and not least <= wish.rate_kbps <= most:
        raise Refused(
            sentence("drill.rate", least=least, most=most),
            f"{prefix}rate_kbps",
        )


def _inject(
    state: ConferenceState,
    drill: Drill,
    wish: FaultWish,
    by: str,
    step: int | None,
    now: datetime,
) -> list[Event]:
    if len(drill.faults) >= MAX_FAULTS:
        raise Refused(sentence("drill.too-many", most=MAX_FAULTS))
    for one in drill.active:
        common = [who for who in wish.participants if one.concerns(who)]
        if one.wish.kind == wish.kind and (common or not wish.participants):
            raise Refused(sentence("drill.in-effect", number=one.number))
    if wish.kind == "restart" and state.recordings:
        raise Refused(sentence("drill.recording"))
    until = now + timedelta(seconds=wish.duration_s)
    injected = FaultInjected(Fault(len(drill.faults) + 1, wish, by, now, until, step))
    if wish.kind != "restart":
        return [injected]
    # As after a crash: no leg exists any more, and who was here is lost until it comes again.
    return [injected, *facts.note(state, NoteRestarted(), now)]


def _clear(drill: Drill, command: ClearFaults, now: datetime) -> list[Event]:
    if command.number is None:
        return [_end(one, "cleared", now, command.by) for one in drill.active]
    known = next((one for one in drill.faults if one.number == command.number), None)
    if known is None:
        raise Refused(sentence("drill.no-fault", number=command.number), "number")
    return [_end(known, "cleared", now, command.by)] if known.active else []


def _set_script(state: ConferenceState, drill: Drill, command: SetScript) -> list[Event]:
    if drill.script_started_at is not None:
        raise Refused(sentence("drill.script-running"))
    if len(command.steps) > MAX_STEPS:
        raise Refused(sentence("drill.steps", most=MAX_STEPS), "steps")
    for place, step in enumerate(command.steps):
        prefix = f"steps.{place}."
        if not 0.0 <= step.at_s <= LATEST_STEP_S:
            raise Refused(sentence("drill.step-time"), f"{prefix}at_s")
        checked_wish(state, step.fault, prefix)
    steps = tuple(sorted(command.steps, key=lambda one: one.at_s))
    return [] if steps == drill.script else [ScriptChanged(steps, command.by)]


def _due(state: ConferenceState, drill: Drill, now: datetime) -> list[Event]:
    """Faults whose time is over, then steps whose time has come."""
    events: list[Event] = [_end(one, "over", now) for one in drill.active if one.until <= now]
    while True:
        after = evolve_all(state, events) if events else state
        drill = drill_of(after)
        due = drill.step_due
        if due is None or due > now:
            break
        events += _step(after, drill, drill.script[drill.next_step], now)
    if drill.script_started_at is not None and drill.next_step >= len(drill.script):
        events.append(ScriptStopped(now))
    return events


def _step(state: ConferenceState, drill: Drill, step: DrillStep, now: datetime) -> list[Event]:
    """One step of the script; what cannot be done is told, and the script goes on."""
    number = drill.next_step + 1
    wish = step.fault
    here = tuple(who for who in wish.participants if who in state.participants)
    try:
        if wish.participants and not here:
            raise Refused(sentence("drill.left"))
        return _inject(state, drill, replace(wish, participants=here), drill.script_by, number, now)
    except Refused as refused:
        return [StepSkipped(number, refused.reason, now)]


def _end(fault: Fault, reason: FaultEnding, now: datetime, by: str = "") -> FaultEnded:
    return FaultEnded(fault.number, fault.wish.kind, reason, now, by)


def _hand(drill: Drill, hand: NoteHand, now: datetime) -> Iterator[Event]:
    """Somebody did something about a room: of each fault that it has, the first time counts."""
    kinds: tuple[MarkKind, ...] = ("noticed", "acted") if hand.acts else ("noticed",)
    for one in drill.faults:
        if not one.concerns(hand.participant) or one.mark("recovered") is not None:
            continue
        for kind in kinds:
            if one.mark(kind) is None:
                yield FaultMarked(one.number, FaultMark(kind, now, hand.by, hand.what))


def _marks(
    state: ConferenceState, drill: Drill, events: Sequence[Event], now: datetime
) -> Iterator[Event]:
    """What the machine has found out: alarms of faults, and that nothing is left of them."""
    raised = [one.alarm for one in events if isinstance(one, AlarmRaised)]
    for one in drill.faults:
        if one.mark("recovered") is not None:
            continue
        shown = next((alarm for alarm in raised if one.shown_by(alarm)), None)
        if shown is not None and one.mark("detected") is None:
            yield FaultMarked(one.number, FaultMark("detected", shown.raised_at, what=shown.kind))
        elif _is_over(state, one):
            yield FaultMarked(one.number, FaultMark("recovered", now))


def _is_over(state: ConferenceState, fault: Fault) -> bool:
    """Whether nothing is left of a fault: it has ended, no alarm of it lasts, rooms are back.

    A fault that lasts is never over, whatever has silenced its alarm: a restart, a muted picture.
    """
    if fault.active:
        return False
    if any(alarm.open and fault.shown_by(alarm) for alarm in state.alarms):
        return False
    if fault.wish.kind not in _ABSENCE:
        return True
    return not any(
        fault.concerns(who.id)
        and (
            who.presence == "lost"
            or (who.left_at is not None and who.left_at >= fault.began_at and who.legs == ())
        )
        for who in state.participants.values()
    )
