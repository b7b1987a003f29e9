"""Rows of hits and false alarms, and the table they make."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Figure

HEAD = "| looked for | in | there | cases | alarms | |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Args:
        fault: what is looked for. material: what it was looked for in.
        wanted: whether it is there. alarms: in how many of ``cases`` it was found.
    """

    fault: str
    material: str
    wanted: bool
    cases: int
    alarms: int


def table(found: Sequence[Row]) -> str:
    """Markdown."""
    return "\n".join((HEAD, *map(line_of, found)))


def line_of(row: Row) -> str:
    """One line of it."""
    share = f"{100 * row.alarms / max(row.cases, 1):.0f}%"
    word = "found" if row.wanted else "false"
    there = "yes" if row.wanted else "no"
    return (
        f"| {row.fault} | {row.material} | {there} | {row.cases} | {row.alarms} | {share} {word} |"
    )


def figures(found: Sequence[Row]) -> list[Figure]:
    """Shares found and false, of each fault."""
    result = []
    for fault in dict.fromkeys(row.fault for row in found):
        for wanted, word in ((True, "found"), (False, "false alarms")):
            these = [row for row in found if row.fault == fault and row.wanted == wanted]
            cases = sum(row.cases for row in these)
            if cases:
                share = 100 * sum(row.alarms for row in these) / cases
                result.append(Figure(f"{fault}: {word}", share, "%", against=f"{cases} cases"))
    return result
