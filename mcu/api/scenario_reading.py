"""A scenario as far as it can be read, so that one answer names all that is wrong with it.

What is malformed is named and left out, or stood in for where something has to be there; the rest
is then checked by the same rules as what is well-formed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from mcu.api.body import error_location, field_errors, json_path
from mcu.api.problem import FieldError
from mcu.api.schemas.scenario import ScenarioBody
from mcu.conference.scenario_rules import SHORTEST_S

Step = int | str
Steps = tuple[Step, ...]

ROUNDS: Final = 5
"""What stands in for one thing may have to be made in the place of another: deeper is nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read.

    Args:
        body: None: nothing of it. errors: what is malformed, by its path in what was sent.
    """

    body: ScenarioBody | None
    errors: list[FieldError] = field(default_factory=list)
    document: Any = None
    places: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def sent_path(self, dotted: str) -> str:
        """Where in what was sent a field of ``body`` stood, as a JSON path.

        ``items.0.title`` is ``$.items[1].title`` where the first item was left out.
        """
        value = self.document
        steps: list[Step] = []
        for step in dotted.split("."):
            if isinstance(value, list) and step.isdigit():
                index = int(step)
                places = self.places.get(id(value), range(len(value)))
                steps.append(places[index] if index < len(places) else index)
                value = value[index] if index < len(value) else None
            else:
                steps.append(int(step) if step.isdigit() else step)
                value = value.get(step) if isinstance(value, dict) else None
        return json_path(tuple(steps))

    def malformed(self, member: str) -> bool:
        """Whether a member of the scenario itself could not be read."""
        return any(error.field == f"$.{member}" for error in self.errors)


def read_scenario(document: Any) -> Reading:
    """Read what a client sent, after JSON. Cost: O(document * what is nested in it)."""
    first: list[FieldError] = []
    document = deepcopy(document)
    places: dict[int, list[int]] = {}
    for _ in range(ROUNDS):
        try:
            body = ScenarioBody.model_validate_json(json.dumps(document))
        except ValidationError as error:
            wrong = dict(_located(error))
            if not first:
                shallow = {json_path(steps) for steps in _above(wrong)}
                first = [each for each in field_errors(error) if each.field not in shallow]
            if () in wrong:
                break
            _mend(document, wrong, places)
        else:
            return Reading(body, first, document, places)
    return Reading(None, first)


def _located(error: ValidationError) -> Iterator[tuple[Steps, bool]]:
    """Where something is wrong, and whether it is that nothing is there."""
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        yield error_location(item), item["type"] == "missing"


def _above(wrong: Mapping[Steps, bool]) -> set[Steps]:
    """Places above others: of a union that fits in one way but for a member."""
    return {steps[:end] for steps in wrong for end in range(len(steps))} & wrong.keys()


def _mend(document: Any, wrong: Mapping[Steps, bool], places: dict[int, list[int]]) -> None:
    """Leave out what is wrong, and put something where something must be."""
    above = _above(wrong)
    leave: dict[int, tuple[list[Any], set[int]]] = {}
    for steps, is_missing in wrong.items():
        if steps in above:
            continue
        parent = _at(document, steps[:-1])
        last = steps[-1]
        if isinstance(parent, dict) and isinstance(last, str):
            if is_missing:
                parent[last] = _stand_in(steps)
            else:
                parent.pop(last, None)
        elif isinstance(parent, list) and isinstance(last, int):
            leave.setdefault(id(parent), (parent, set()))[1].add(last)
    for key, (members, gone) in leave.items():
        before = places.get(key) or list(range(len(members)))
        places[key] = [place for at, place in enumerate(before) if at not in gone]
        members[:] = [each for at, each in enumerate(members) if at not in gone]


def _at(document: Any, steps: Steps) -> Any:
    for step in steps:
        if isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        elif isinstance(document, dict) and isinstance(step, str):
            document = document.get(step)
        else:
            return None
    return document


def _stand_in(steps: Steps) -> Any:
    """Something that breaks no rule, and is not the same as another one."""
    if steps[-1] == "duration_s":
        return SHORTEST_S
    if steps[-1] == "unit":
        return "x"
    return "-".join(str(step) for step in ("x", *steps))
