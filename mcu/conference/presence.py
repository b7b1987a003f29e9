"""How a participant comes and goes: every transition stands in one table.

``expected`` is on the roster and was never here; ``calling`` is being dialed; ``connected`` has
at least one living leg; ``lost`` keeps its tile and may come back by itself; ``left`` is gone
from the picture but stays on the roster, so that attendance can be reported.
"""

from collections.abc import Mapping
from typing import Literal

from mcu.engine.plan import Presence

Fact = Literal["called", "call_failed", "joined", "lost", "returned", "left", "restarted"]
"""What can happen to a participant as a whole (legs are counted before this table is asked)."""

PRESENCES: tuple[Presence, ...] = ("expected", "calling", "connected", "lost", "left")

TRANSITIONS: Mapping[tuple[Presence, Fact], Presence] = {
    ("expected", "called"): "calling",
    ("expected", "joined"): "connected",
    ("calling", "joined"): "connected",
    ("calling", "call_failed"): "expected",
    ("calling", "left"): "left",  # it was here before, and the call came to nothing
    ("connected", "joined"): "connected",  # another leg, or the same room once more
    ("connected", "lost"): "lost",
    ("connected", "left"): "left",
    ("connected", "restarted"): "lost",  # a restarted daemon has no legs; the room rejoins
    ("lost", "joined"): "connected",
    ("lost", "returned"): "connected",
    ("lost", "left"): "left",
    ("left", "called"): "calling",
    ("left", "joined"): "connected",
}
"""(presence, fact) → presence. A pair that is absent means: the fact changes nothing."""


def next_presence(presence: Presence, fact: Fact) -> Presence:
    """Look one transition up; a fact the table does not know leaves the presence as it is."""
    return TRANSITIONS.get((presence, fact), presence)


def failed_call(*, was_here: bool) -> Fact:
    """What it means that a call came to nothing: who had left has left again."""
    return "left" if was_here else "call_failed"


def holds_tile(presence: Presence) -> bool:
    """Whether a participant stands in an automatic picture as a room that is (or just was) here."""
    return presence in ("connected", "lost")


def diagram() -> str:
    """Draw the table as a Mermaid state diagram (``docs`` and the test use it)."""
    lines = ["stateDiagram-v2", "    [*] --> expected"]
    lines += [f"    {before} --> {after}: {fact}" for (before, fact), after in TRANSITIONS.items()]
    return "\n".join(lines) + "\n"
