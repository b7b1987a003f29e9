"""Polling: whose turn it is, and when the next one's has come. Pure decisions.

Who comes next is decided when the time has come (``NotePollingDue``), since only then it is known
who sends a picture. Who is muted in the picture, only watches, or is not here, is passed over.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mcu.conference.events import Event
from mcu.conference.evolve import evolve_all
from mcu.conference.layouts import POLLING_S
from mcu.conference.mutes import in_scope
from mcu.conference.polling_model import (
    NotePollingDue,
    PausePolling,
    Polling,
    PollingCommand,
    PollingMoved,
    PollingPaused,
    PollingResumed,
    PollingSkipped,
    PollingStarted,
    PollingStopped,
    ResumePolling,
    SkipPolling,
    StartPolling,
    StopPolling,
)
from mcu.conference.roster import find
from mcu.conference.state import EVERYONE, ConferenceState, Participant, Refused
from mcu.sentences import sentence


def decide_polling(
    state: ConferenceState, command: PollingCommand | NotePollingDue, now: datetime
) -> list[Event]:
    """Decide what is asked of the polling.

    Raises:
        Refused: an interval out of its range, unknown rooms or units, nothing that runs.
    Cost: O(participants).
    """
    polling = state.polling
    match command:
        case StartPolling():
            return _start(state, command, now)
        case StopPolling():
            return [] if polling is None else [PollingStopped()]
        case NotePollingDue():
            if polling is None or polling.due is None or polling.due > now:
                return []
            return [_moved(state, polling, command.dark, now)]
    if polling is None:
        raise Refused(sentence("polling.none"))
    match command:
        case PausePolling():
            if polling.paused:
                return []
            left = polling.interval_s
            if polling.due is not None:
                left = max(0.0, (polling.due - now).total_seconds())
            return [PollingPaused(left)]
        case ResumePolling():
            if not polling.paused:
                return []
            left = polling.interval_s if polling.left_s is None else polling.left_s
            return [PollingResumed(now + timedelta(seconds=left))]
        case SkipPolling():
            wanted = command.participant
            if wanted is not None and find(state, wanted, "participant").id != polling.participant:
                return []
            skipped = PollingSkipped(polling.participant, now)
            return [skipped, _moved(state, replace(polling, due=now), command.dark, now)]


def follow(state: ConferenceState, events: Sequence[Event], now: datetime) -> list[Event]:
    """Events, and the next one's turn when who is shown goes or is seen no more."""
    if state.polling is None:
        return list(events)
    after = evolve_all(state, events)
    polling = after.polling
    if polling is None or polling.participant is None or not after.running:
        return list(events)
    if _is_able(after, after.participants.get(polling.participant), polling, ()):
        return list(events)
    return [*events, PollingMoved(None, now)]


def _start(state: ConferenceState, command: StartPolling, now: datetime) -> list[Event]:
    shortest, longest = POLLING_S
    if not shortest <= command.interval_s <= longest:
        raise Refused(
            sentence("polling.time", shortest_s=shortest, longest_s=longest), "interval_s"
        )
    in_scope(state, command.scope)
    for index, id_ in enumerate(command.except_):
        find(state, id_, f"except.{index}")
    wanted = Polling(float(command.interval_s), command.scope, command.except_, command.view)
    before = state.polling
    if before is not None and wanted == replace(
        before, participant=None, due=None, paused=False, left_s=None
    ):
        return []
    return [PollingStarted(replace(wanted, due=now))]


def _moved(
    state: ConferenceState, polling: Polling, dark: Collection[str], now: datetime
) -> PollingMoved:
    order = _order(state, polling)
    able = [each.id for each in order if _is_able(state, each, polling, dark)]
    following = _next_after(polling.participant, [each.id for each in order], able)
    if polling.paused:
        return PollingMoved(following, None, polling.interval_s)
    # Keep the beat, unless it was missed.
    due = (polling.due or now) + timedelta(seconds=polling.interval_s)
    return PollingMoved(following, max(due, now + timedelta(seconds=POLLING_S[0])))


def _next_after(current: str | None, order: Sequence[str], able: Sequence[str]) -> str | None:
    place = order.index(current) if current in order else -1
    following = (*order[place + 1 :], *order[: place + 1])
    return next((each for each in following if each in able), None)


def _order(state: ConferenceState, polling: Polling) -> list[Participant]:
    scope = polling.scope
    if not isinstance(scope, str):
        return [state.participants[each] for each in scope if each in state.participants]
    everybody = state.participants.values()
    return [each for each in everybody if scope == EVERYONE or scope in each.unit_path]


def _is_able(
    state: ConferenceState, who: Participant | None, polling: Polling, dark: Collection[str]
) -> bool:
    if who is None or who.id in polling.except_ or who.id in dark or who.video_muted or who.waiting:
        return False
    if polling.view == "chair" and who.id == state.chair:
        return False
    return any(leg.use != "view" and not leg.lost for leg in who.legs)
