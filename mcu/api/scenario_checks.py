"""Everything that is wrong with a scenario, at once: its form, what it refers to, its rules.

Keeping one, checking one and starting from one ask here, so they find the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mcu.api.body import MAX_ERRORS, invalid_input
from mcu.api.call import Call
from mcu.api.errors import body_path
from mcu.api.problem import FieldError
from mcu.api.rights import Action
from mcu.api.scenario_documents import scenario_of
from mcu.api.scenario_reading import Reading, read_scenario
from mcu.conference import scenario as domain
from mcu.conference.scenario_rules import Fault, Registry, faults, named_bridges
from mcu.conference.scenario_units import named_units, succeeded, unknown_unit


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Args:
        scenario: what could be read, with those that came after units that are no more; None:
            nothing could. errors: everything that is wrong; by ``well_formed`` ones of form too.
        expected: how many bridges.
    """

    scenario: domain.Scenario | None
    errors: list[FieldError]
    well_formed: bool
    expected: int = 0

    def usable(self) -> domain.Scenario:
        """The scenario; raises ``Problem`` invalid-input with every error."""
        if self.errors or self.scenario is None:
            raise invalid_input(self.errors[:MAX_ERRORS])
        return self.scenario


async def check_document(call: Call, document: Any, form: Sequence[FieldError] = ()) -> Checked:
    """Check what a client sent.

    Args:
        document: as read from JSON, without what is no member of a scenario.
        form: what was found malformed already.

    Raises:
        Problem: forbidden, if its unit is out of reach. StoreUnavailable.
    """
    reading = read_scenario(document)
    malformed = [*form, *reading.errors]
    if reading.body is None:
        return Checked(None, malformed, False)
    scenario, registry = await as_of_now(call, scenario_of(reading.body))
    found: list[FieldError] = []
    if not reading.malformed("unit"):
        call.reach.require_unit(Action.WRITE_SCENARIOS, scenario.unit, "keep a scenario")
        found = _unit(scenario.unit, registry)
    if scenario.expected is None and (
        found or reading.malformed("unit") or reading.malformed("expected")
    ):
        # Who would be expected is not known: nobody is said not to be.
        registry = replace(registry, subtree=[*registry.subtree, *registry.bridges])
    found += [
        FieldError(reading.sent_path(fault.field), fault.message)
        for fault in faults(scenario, registry)
        if not _is_named(reading, fault)
    ]
    expected = registry.subtree if scenario.expected is None else scenario.expected
    return Checked(scenario, [*malformed, *found], not malformed, len(expected))


async def as_of_now(call: Call, scenario: domain.Scenario) -> tuple[domain.Scenario, Registry]:
    """A scenario with the units of today, and what it refers to. Cost: four queries."""
    successors = await call.services.store.units.successors(named_units(scenario))
    scenario = succeeded(scenario, successors)
    registry = await registry_of(call, scenario)
    return scenario, replace(registry, successors=successors)


async def registry_of(call: Call, scenario: domain.Scenario) -> Registry:
    """What a scenario refers to, as far as the token reaches. Cost: three queries."""
    store = call.services.store
    known = await store.bridges.get_many(named_bridges(scenario))
    bridges = {
        bridge.id
        for bridge in known.values()
        if call.reach.bridge(Action.CONTROL_CONFERENCES, bridge.id, bridge.unit)
    }
    subtree: list[str] = []
    if scenario.expected is None:
        subtree = [bridge.id for bridge in await store.bridges.of_subtree(scenario.unit)]
    units = await store.units.paths(named_units(scenario))
    return Registry(bridges, subtree, set(units))


def fault_errors(found: Sequence[Fault], prefix: str = "$") -> list[FieldError]:
    """Faults as an answer names them."""
    return [
        FieldError(prefix + body_path(fault.field).removeprefix("$"), fault.message)
        for fault in found
    ][:MAX_ERRORS]


def _unit(unit: str, registry: Registry) -> list[FieldError]:
    if unit in registry.units:
        return []
    return [FieldError("$.unit", unknown_unit(unit, registry.successors))]


def _is_named(reading: Reading, fault: Fault) -> bool:
    """Whether its place is named for its form: what stands there is not what was sent."""
    path = reading.sent_path(fault.field)
    return any(error.field == path for error in reading.errors)
