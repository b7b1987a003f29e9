"""Whether a scenario can be carried out: everything that is wrong with it, each with its field.

Pure: what must be known of the registry is handed in. A scenario is checked when it is written and
once more when a conference is started from it, as bridges and units may have gone in between.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from mcu.conference.agenda_resources import planned
from mcu.conference.layouts import POLLING_S
from mcu.conference.scenario import ALL, CHAIR, AgendaItem, Duty, Scenario
from mcu.conference.scenario_units import Successors, unknown_unit
from mcu.conference.state import AUTO_LAYOUT
from mcu.sentences import sentence
from mixer.video.layout import LAYOUTS

DAY_S = 86_400
"""A session is over within a day, and so is each item."""
SHORTEST_S = 10
MAX_ITEMS = 200
PHONE = re.compile(r"\+?[0-9][0-9 ().-]*")
"""What can be dialled: digits, grouped as people do, perhaps with a country's code."""
PHONE_DIGITS = range(3, 16)
"""An extension has three, E.164 allows 15."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong; ``field`` is dotted (``items.0.speaker``)."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Registry:
    """What of the registry a scenario refers to.

    Args:
        bridges: ids that exist and may be called, out of those that the scenario names.
        subtree: ids of all bridges of its unit and below; used where it expects these.
        units: ids that exist, out of those it names. successors: of those that are no more.
    """

    bridges: Collection[str]
    subtree: Collection[str] = ()
    units: Collection[str] = ()
    successors: Successors = field(default_factory=dict)


def named_bridges(scenario: Scenario) -> frozenset[str]:
    """Every bridge that a scenario refers to."""
    named = {*(scenario.expected or ()), scenario.chair}
    for item in scenario.items:
        named |= {item.speaker, item.presentation, *(item.unmuted or ())}
    named |= {duty.bridge for duty in scenario.duties}
    return frozenset(each for each in named if each is not None) - {ALL, CHAIR}


def faults(scenario: Scenario, registry: Registry) -> list[Fault]:
    """Everything that is wrong. Cost: O(bridges + items + duties)."""
    expected = set(registry.subtree if scenario.expected is None else scenario.expected)
    rules = _Rules(registry, expected)
    return [
        *rules.roster(scenario),
        *_layout(scenario.layout, "layout"),
        *rules.agenda(scenario.items),
        *rules.duties(scenario.duties),
    ]


class _Rules:
    def __init__(self, registry: Registry, expected: Collection[str]) -> None:
        self._registry = registry
        self._expected = expected

    def roster(self, scenario: Scenario) -> Iterator[Fault]:
        seen: set[str] = set()
        for index, bridge in enumerate(scenario.expected or ()):
            field = f"expected.{index}"
            if bridge not in self._registry.bridges:
                yield _unknown(bridge, field)
            elif bridge in seen:
                yield Fault(field, sentence("room.twice", room=bridge))
            seen.add(bridge)
        yield from self._participant(scenario.chair, "chair")

    def agenda(self, items: Sequence[AgendaItem]) -> Iterator[Fault]:
        if len(items) > MAX_ITEMS:
            yield Fault(
                "items", sentence("scenario.too-many-items", count=len(items), most=MAX_ITEMS)
            )
        ids: dict[str, int] = {}
        held: dict[tuple[str, str | None], int] = {}
        for index, item in enumerate(items):
            at = f"items.{index}"
            if ids.setdefault(item.id, index) != index:
                yield Fault(
                    f"{at}.id",
                    sentence("scenario.item-id-twice", id=item.id, item=ids[item.id] + 1),
                )
            what = (item.title.casefold(), item.speaker)
            if held.setdefault(what, index) != index:
                yield Fault(f"{at}.title", sentence("scenario.item-twice", item=held[what] + 1))
            yield from self._item(item, at)
        yield from _times(items)

    def duties(self, duties: Sequence[Duty]) -> Iterator[Fault]:
        seen: dict[tuple[str | None, str], int] = {}
        for index, duty in enumerate(duties):
            at = f"duties.{index}"
            key = (duty.bridge, duty.role.casefold())
            if seen.setdefault(key, index) != index:
                taken = (
                    sentence("scenario.duty-twice-at-centre", role=duty.role)
                    if duty.bridge is None
                    else sentence("scenario.duty-twice", role=duty.role, room=duty.bridge)
                )
                yield Fault(f"{at}.role", taken)
            if duty.phone is not None and not _can_be_dialled(duty.phone):
                yield Fault(
                    f"{at}.phone",
                    sentence("scenario.phone", phone=duty.phone),
                )
            yield from self._participant(duty.bridge, f"{at}.bridge")

    def _item(self, item: AgendaItem, at: str) -> Iterator[Fault]:
        yield from self._participant(item.speaker, f"{at}.speaker")
        yield from self._participant(item.presentation, f"{at}.presentation")
        for index, who in enumerate(item.unmuted or ()):
            if who not in (ALL, CHAIR):
                yield from self._participant(who, f"{at}.unmuted.{index}")
        if item.broadcast and item.speaker is None:
            yield Fault(f"{at}.broadcast", sentence("scenario.broadcast-speaker"))
        if item.layout is not None:
            yield from _layout(item.layout, f"{at}.layout")
        if item.polling is not None:
            shortest, longest = POLLING_S
            if not shortest <= item.polling.interval_s <= longest:
                yield Fault(
                    f"{at}.polling.interval_s",
                    sentence("polling.time", shortest_s=shortest, longest_s=longest),
                )
            scope = item.polling.scope
            if scope != ALL and scope not in self._registry.units:
                message = unknown_unit(scope, self._registry.successors)
                yield Fault(f"{at}.polling.scope", message)

    def _participant(self, who: str | None, field: str) -> Iterator[Fault]:
        if who is None or who in self._expected:
            return
        if who not in self._registry.bridges:
            yield _unknown(who, field)
        else:
            yield Fault(field, sentence("scenario.not-expected", room=who))


def _can_be_dialled(phone: str) -> bool:
    digits = sum(character.isdigit() for character in phone)
    return PHONE.fullmatch(phone) is not None and digits in PHONE_DIGITS


def _times(items: Sequence[AgendaItem]) -> Iterator[Fault]:
    ends = 0
    for index, plan in enumerate(planned(items)):
        if not SHORTEST_S <= plan.item.duration_s <= DAY_S:
            yield Fault(
                f"items.{index}.duration_s",
                sentence("scenario.duration", shortest_s=SHORTEST_S, longest_s=DAY_S),
            )
        if plan.starts_s < ends:
            yield Fault(
                f"items.{index}.starts_s",
                sentence("scenario.overlaps", early_s=ends - plan.starts_s, item=index),
            )
        ends = max(ends, plan.ends_s)
    if ends > DAY_S:
        yield Fault("items", sentence("scenario.too-long", hours=ends / 3600))


def _layout(layout: str, field: str) -> Iterator[Fault]:
    if layout != AUTO_LAYOUT and layout not in LAYOUTS:
        known = ", ".join((AUTO_LAYOUT, *LAYOUTS))
        yield Fault(field, sentence("layout.unknown", layout=layout, known=known))


def _unknown(bridge: str, field: str) -> Fault:
    return Fault(field, sentence("scenario.unknown-room", room=bridge))
