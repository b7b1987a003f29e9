"""From readings that flutter to an alarm that an operator can trust.

A reading is trouble from ``raise_at`` on and stays so until it falls below ``clear_at``. Trouble
that lasts raises the alarm, health that lasts clears it. All transitions stand in one table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal


class AlarmState(Enum):
    """Where an alarm is."""

    CLEAR = "clear"
    RISING = "rising"
    """In trouble, not yet long enough."""
    RAISED = "raised"
    FALLING = "falling"
    """Raised, and healthy for a while."""


class Reading(Enum):
    """What a value says of the state it meets."""

    BAD = "bad"
    BETWEEN = "between"
    GOOD = "good"
    UNKNOWN = "unknown"
    """Nothing was measured: neither trouble nor health is proved, and no time counts."""


Change = Literal["raised", "cleared"]

_S, _R = AlarmState, Reading
TRANSITIONS: Mapping[tuple[AlarmState, Reading], AlarmState] = {
    (_S.CLEAR, _R.BAD): _S.RISING,
    (_S.CLEAR, _R.BETWEEN): _S.CLEAR,
    (_S.CLEAR, _R.GOOD): _S.CLEAR,
    (_S.CLEAR, _R.UNKNOWN): _S.CLEAR,
    (_S.RISING, _R.BAD): _S.RISING,
    (_S.RISING, _R.BETWEEN): _S.RISING,
    (_S.RISING, _R.GOOD): _S.CLEAR,
    (_S.RISING, _R.UNKNOWN): _S.CLEAR,
    (_S.RAISED, _R.BAD): _S.RAISED,
    (_S.RAISED, _R.BETWEEN): _S.RAISED,
    (_S.RAISED, _R.GOOD): _S.FALLING,
    (_S.RAISED, _R.UNKNOWN): _S.RAISED,
    (_S.FALLING, _R.BAD): _S.RAISED,
    (_S.FALLING, _R.BETWEEN): _S.FALLING,
    (_S.FALLING, _R.GOOD): _S.FALLING,
    (_S.FALLING, _R.UNKNOWN): _S.RAISED,
}
"""What a reading does at once."""

ON_TIME: Mapping[AlarmState, tuple[AlarmState, Change]] = {
    _S.RISING: (_S.RAISED, "raised"),
    _S.FALLING: (_S.CLEAR, "cleared"),
}
"""What happens when a state has lasted as long as the rule says."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a value is trouble.

    Args:
        raise_at: from here on it is bad. clear_at: below this it is good; not above ``raise_at``.
            With ``raise_at`` below ``clear_at`` small values are the bad ones, and all is mirrored.
        raise_after_s, clear_after_s: so long must it last.
    """

    raise_at: float
    clear_at: float
    raise_after_s: float
    clear_after_s: float

    def read(self, value: float | None) -> Reading:
        """What a value says; None: not measured."""
        if value is None or value != value:
            return Reading.UNKNOWN
        sign = 1.0 if self.raise_at >= self.clear_at else -1.0
        if sign * value >= sign * self.raise_at:
            return Reading.BAD
        return Reading.GOOD if sign * value < sign * self.clear_at else Reading.BETWEEN


class Alarm:
    """One kind of trouble of one room.

    Args:
        rule: when it is raised and cleared.
    """

    __slots__ = ("_entered", "rule", "since", "state")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.state = AlarmState.CLEAR
        self.since: float | None = None
        """When the trouble began that is rising or raised; the same clock as ``now``."""
        self._entered = 0.0

    @property
    def raised(self) -> bool:
        """Whether an operator is being told of it."""
        return self.state in (AlarmState.RAISED, AlarmState.FALLING)

    def take(self, value: float | None, now: float) -> Change | None:
        """Take a reading; says when the alarm is raised or cleared by it.

        Args:
            value: in the rule's unit; None: could not be measured.
            now: seconds, never less than before.
        Cost: under 2 us.
        """
        state = TRANSITIONS[self.state, self.rule.read(value)]
        if state is not self.state:
            if self.state is AlarmState.CLEAR:
                self.since = now
            elif state is AlarmState.CLEAR:
                self.since = None
            self.state, self._entered = state, now
        lasting = {
            AlarmState.RISING: self.rule.raise_after_s,
            AlarmState.FALLING: self.rule.clear_after_s,
        }.get(state)
        if lasting is None or now - self._entered < lasting:
            return None
        self.state, change = ON_TIME[state]
        self._entered = now
        if self.state is AlarmState.CLEAR:
            self.since = None
        return change
