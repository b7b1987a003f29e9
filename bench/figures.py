"""Figures and the bars they are held against: what every benchmark gives, and how it is shown.

A benchmark module offers ``async def measure(...) -> list[Figure]`` for the short form of them
all (``python -m bench``) and a command of its own for the long one.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


class VoidRunError(Exception):
    """A run that proves nothing, and why: the generator was starved, a peer did not start."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Args:
        name: what was measured, in words (``"audio-only leg at 100 legs"``).
        value: the value in ``unit``.
        unit: its unit (``"cores"``, ``"ms"``, ``"x Janus"``); empty for counts.
        bar: what is aimed at, in the same unit; None where there is nothing to reach.
        at_least: whether ``value`` is to be at least ``bar``; at most otherwise.
        against: what it was compared to in the same call, with its own value
            (``"Janus 1.31% of a core"``).
    """

    name: str
    value: float
    unit: str = ""
    bar: float | None = None
    at_least: bool = False
    against: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the bar is reached; None where there is none."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for ``json.dumps``."""
        return asdict(self) | {"holds": self.holds}


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table: figure, value, bar, whether it holds, what it was compared to."""
    lines = ["| figure | measured | bar | holds | against |", "|---|---|---|---|---|"]
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        bar = "" if figure.bar is None else f"{sign} {number(figure.bar)}"
        holds = {True: "yes", False: "**no**", None: ""}[figure.holds]
        value = f"{number(figure.value)} {figure.unit}".strip()
        lines.append(f"| {figure.name} | {value} | {bar} | {holds} | {figure.against} |")
    return "\n".join(lines)


def number(value: float) -> str:
    """A value with three significant digits, whole numbers whole."""
    return f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
