"""Muting many at once, and what holds for those who come later.

``MuteAll`` mutes who is on the roster, present or expected. With ``all`` or a unit as scope the
conference remembers it: newcomers of that scope come in muted. ``UnmuteAll`` for all forgets
every such scope, for a unit only that unit's (so a unit unmuted while the whole conference is
muted still brings muted newcomers: an open microphone is the worse mistake).
"""

from collections.abc import Collection

from mcu.conference.commands import MuteAll, UnmuteAll
from mcu.conference.events import Event, ParticipantsChanged
from mcu.conference.roster import find
from mcu.conference.state import EVERYONE, ConferenceState, Participant, Refused
from mcu.sentences import sentence

CHAIR = "chair"
"""In ``except_``: whoever presides now."""


def mute(state: ConferenceState, command: MuteAll | UnmuteAll) -> list[Event]:
    """Mute or unmute a scope; one event, however many it concerns.

    Raises:
        Refused: unknown participants, or a unit that has nobody here.
    Cost: O(participants).
    """
    muted = isinstance(command, MuteAll)
    changed = tuple(
        id_ for id_ in meant(state, command) if state.participants[id_].audio_muted != muted
    )
    entry_muted = newcomers(state.entry_muted, command.scope, muted)
    if not changed and entry_muted == state.entry_muted:
        return []
    return [ParticipantsChanged(changed, muted, entry_muted)]


def meant(state: ConferenceState, command: MuteAll | UnmuteAll) -> list[str]:
    """Whom a command means now, whether or not it changes anything for them.

    Raises:
        Refused: see ``mute``.
    """
    spared = _spared(state, command.except_)
    return [each.id for each in in_scope(state, command.scope) if each.id not in spared]


def in_scope(state: ConferenceState, scope: str | tuple[str, ...]) -> Collection[Participant]:
    """Whom a scope means now.

    Raises:
        Refused: an unknown participant, or a unit that has nobody here.
    """
    if not isinstance(scope, str):
        return [find(state, id_, f"scope.{index}") for index, id_ in enumerate(scope)]
    if scope == EVERYONE:
        return state.participants.values()
    members = [each for each in state.participants.values() if scope in each.unit_path]
    if not members:
        raise Refused(
            sentence("mute.nobody", unit=scope),
            "scope",
        )
    return members


def _spared(state: ConferenceState, except_: tuple[str, ...]) -> frozenset[str]:
    spared = set()
    for index, id_ in enumerate(except_):
        if id_ == CHAIR:
            if state.chair is not None:
                spared.add(state.chair)
        else:
            spared.add(find(state, id_, f"except.{index}").id)
    return frozenset(spared)


def newcomers(
    before: tuple[str, ...], scope: str | tuple[str, ...], muted: bool
) -> tuple[str, ...]:
    """``entry_muted`` after a scope was muted or unmuted."""
    if not isinstance(scope, str):
        return before
    if scope == EVERYONE:
        return (EVERYONE,) if muted else ()
    without = tuple(each for each in before if each != scope)
    return (*without, scope) if muted else without
