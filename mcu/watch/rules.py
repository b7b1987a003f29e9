"""Readings in, alarms out: hysteresis for each kind of each room, and patience with what flaps.

Pure: no clock, no I/O. Transitions are ``mixer.detect.alarm``'s table.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from config.alarms_section import AlarmSettings
from mcu.conference.alarm_model import AlarmKind
from mixer.detect.alarm import Alarm, AlarmState, Rule

FLAP_S: Final = 300.0
"""Raised again within this time after it was cleared, an alarm flaps."""
MAX_PATIENCE: Final = 8.0
"""What flaps must be healthy for twice as long each time, at most for so many times as long."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A trouble has lasted long enough; ``since``: when it began, the clock of ``now``."""

    participant: str
    kind: AlarmKind
    since: float


@dataclass(frozen=True, slots=True)
class Cleared:
    """It is over, or its room is gone."""

    participant: str
    kind: AlarmKind


Change = Raised | Cleared
Values = Mapping[AlarmKind, float | None]
"""What was measured, in each rule's unit; None or absent: nothing was."""


def rules_of(settings: AlarmSettings) -> dict[AlarmKind, Rule]:
    """The rules of an installation. Values that are True or False are 1.0 and 0.0."""
    loss = settings.loss_percent
    rules: dict[AlarmKind, Rule] = {
        "lost": Rule(1.0, 1.0, settings.lost_after_s, 2.0),
        "black": Rule(1.0, 1.0, settings.black_after_s, 3.0),
        "frozen": Rule(1.0, 1.0, settings.frozen_after_s, 3.0),
        # Seconds of silence: what is raised at once has lasted as long as its value says.
        "silent": Rule(max(settings.silent_after_s, 1.0), 1.0, 0.0, 1.0),
        "clipping": Rule(1.0, 0.95, settings.clipping_after_s, 10.0),
        "echo": Rule(settings.echo_score, 0.75 * settings.echo_score, 0.0, 8.0),
        # Seconds that a tone has held.
        "howl": Rule(max(settings.howl_after_s, 0.2), 0.2, 0.0, 2.0),
        "loss": Rule(loss, 0.4 * loss, settings.loss_after_s, 20.0),
        "drift": Rule(1.0, 0.6, 10.0, 20.0),
    }
    return {kind: rule for kind, rule in rules.items() if kind not in settings.off}


class _Trouble:
    """One kind of one room, and how often it came back."""

    __slots__ = ("alarm", "cleared_at", "rule", "times")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.alarm = Alarm(rule)
        self.cleared_at = float("-inf")
        self.times = 0


class AlarmBook:
    """The alarms of one conference's rooms.

    Args:
        rules: kinds without a rule are not raised.
    """

    def __init__(self, rules: Mapping[AlarmKind, Rule]) -> None:
        self._rules = dict(rules)
        self._troubles: dict[str, dict[AlarmKind, _Trouble]] = {}
        self.raised: dict[AlarmKind, int] = dict.fromkeys(self._rules, 0)
        """How often each kind was raised."""

    def take(self, participant: str, values: Values, now: float) -> list[Change]:
        """Take one look at a room. Cost: 2 us for each value that is there.

        Args:
            now: seconds, never less than before.
        """
        changes: list[Change] = []
        troubles = self._troubles.setdefault(participant, {})
        for kind, rule in self._rules.items():
            value = values.get(kind)
            trouble = troubles.get(kind)
            if trouble is None:
                if value is None:
                    continue
                trouble = troubles[kind] = _Trouble(rule)
            change = trouble.alarm.take(value, now)
            if change == "raised":
                self._note_flapping(trouble, now)
                since = trouble.alarm.since
                self.raised[kind] += 1
                changes.append(Raised(participant, kind, now if since is None else since))
            elif change == "cleared":
                trouble.cleared_at = now
                changes.append(Cleared(participant, kind))
        return changes

    def adopt(self, participant: str, kind: AlarmKind, since: float) -> None:
        """Go on with an alarm that was raised before this book was begun."""
        rule = self._rules.get(kind)
        if rule is not None:
            trouble = self._troubles.setdefault(participant, {}).setdefault(kind, _Trouble(rule))
            trouble.alarm.state = AlarmState.RAISED
            trouble.alarm.since = since

    def agree(self, participant: str, lasting: Collection[AlarmKind], now: float) -> None:
        """Take over what the conference says, which ends the alarms of rooms that are lost.

        Args:
            lasting: what the room is in trouble with; anything else may begin anew.
        """
        for kind, one in self._troubles.get(participant, {}).items():
            if one.alarm.raised and kind not in lasting:
                one.alarm.state = AlarmState.CLEAR
                one.alarm.since = None
        raised = self.raised_of(participant)
        for kind in lasting:
            if kind not in raised:
                self.adopt(participant, kind, now)

    def keep(self, participants: Iterable[str]) -> list[Change]:
        """Forget all others; what was raised of them is cleared."""
        changes: list[Change] = []
        for gone in self._troubles.keys() - set(participants):
            changes += [Cleared(gone, kind) for kind in self.raised_of(gone)]
            del self._troubles[gone]
        return changes

    def raised_of(self, participant: str) -> list[AlarmKind]:
        """What a room is in trouble with."""
        return [
            kind for kind, one in self._troubles.get(participant, {}).items() if one.alarm.raised
        ]

    def pending_of(self, participant: str) -> list[AlarmKind]:
        """What it is, may be soon, or is recovering from: worth another look."""
        troubles = self._troubles.get(participant, {})
        return [kind for kind, one in troubles.items() if one.alarm.state is not AlarmState.CLEAR]

    def _note_flapping(self, trouble: _Trouble, now: float) -> None:
        again = now - trouble.cleared_at <= FLAP_S
        trouble.times = trouble.times + 1 if again else 0
        patience = min(2.0**trouble.times, MAX_PATIENCE)
        rule = trouble.rule
        trouble.alarm.rule = replace(rule, clear_after_s=rule.clear_after_s * patience)
