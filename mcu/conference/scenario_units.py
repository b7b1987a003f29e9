"""The units that a scenario names, after units were merged and split. Pure.

Where exactly one living unit came after another, it stands in its place; what was split into
several is nobody's to guess, and is named as a fault (``scenario_rules``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcu.conference.scenario import ALL, AgendaItem, Scenario
from mcu.sentences import Sentence, sentence

Successors = Mapping[str, Sequence[str]]
"""Units that are no more → the living ones that came after them."""


def named_units(scenario: Scenario) -> frozenset[str]:
    """Every unit that a scenario refers to: its own, and those of its items."""
    scopes = {item.polling.scope for item in scenario.items if item.polling is not None}
    return frozenset({scenario.unit, *scopes} - {ALL})


def succeeded(scenario: Scenario, successors: Successors) -> Scenario:
    """The scenario with the one successor of each unit in that one's place."""
    one = {unit: after[0] for unit, after in successors.items() if len(after) == 1}
    if not one:
        return scenario
    items = tuple(_item(each, one) for each in scenario.items)
    return replace(scenario, unit=one.get(scenario.unit, scenario.unit), items=items)


def unknown_unit(unit: str, successors: Successors) -> Sentence:
    """What is wrong with a unit that there is not (any more)."""
    if unit not in successors:
        return sentence("unit.unknown", unit=unit)
    after = ", ".join(repr(each) for each in successors[unit])
    if not after:
        return sentence("unit.dissolved", unit=unit)
    return sentence("unit.succeeded", unit=unit, after=after)


def _item(item: AgendaItem, one: Mapping[str, str]) -> AgendaItem:
    if item.polling is None or item.polling.scope not in one:
        return item
    return replace(item, polling=replace(item.polling, scope=one[item.polling.scope]))
