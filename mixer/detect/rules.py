"""When what detectors measure becomes an alarm: one rule for each fault, to begin with."""

from collections.abc import Mapping
from typing import Literal

from mixer.detect.alarm import Rule

Fault = Literal[
    "black", "frozen", "still", "silent", "clipping", "howl", "hum", "echo", "small", "slow"
]

RULES: Mapping[Fault, Rule] = {
    # 1.0 while it is so, 0.0 while not.
    "black": Rule(1.0, 1.0, raise_after_s=3.0, clear_after_s=3.0),
    "frozen": Rule(1.0, 1.0, raise_after_s=2.0, clear_after_s=3.0),
    "small": Rule(1.0, 1.0, raise_after_s=10.0, clear_after_s=10.0),
    "slow": Rule(1.0, 1.0, raise_after_s=10.0, clear_after_s=10.0),
    # Seconds without movement: the room may be empty, but nobody sits like that for a minute.
    "still": Rule(60.0, 5.0, raise_after_s=0.0, clear_after_s=3.0),
    # Seconds without speech while the room is to speak; the smaller of both.
    "silent": Rule(10.0, 2.0, raise_after_s=0.0, clear_after_s=1.0),
    # ``Clipping.ceiling``, once a second.
    "clipping": Rule(1.0, 0.95, raise_after_s=3.0, clear_after_s=10.0),
    # Seconds a tone has held.
    "howl": Rule(1.0, 0.2, raise_after_s=0.0, clear_after_s=2.0),
    # dBov.
    "hum": Rule(-55.0, -60.0, raise_after_s=5.0, clear_after_s=10.0),
    # ``Likeness.score`` of an echo, 0.0 of anything else, None where no frames were compared.
    "echo": Rule(8.0, 6.0, raise_after_s=0.0, clear_after_s=20.0),
}
"""Fault → its rule. A silence that is raised at once has lasted as long as its value says."""
