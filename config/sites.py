"""An installation as data: its units, bridges, usual meetings and what is expected of them.

Presets stand in ``config/sites``; any YAML file of the same form does as well. A preset is a
beginning: what it holds is copied into the registry, which the operators then keep.
"""

import difflib
import json
import typing
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.document import Document, DocumentError, read_document
from config.installation import RANK, Site, SiteBridge, SiteUnit
from config.problems import Problem, SiteError
from config.wording import unknown_key, wording

__all__ = ["Site", "SiteBridge", "SiteError", "SiteUnit", "load_site", "preset_names"]

PRESETS = Path(__file__).with_name("sites")

Location = tuple[str | int, ...]
"""Path of a key in the file."""


def preset_names() -> tuple[str, ...]:
    """Names of the presets that come with the program."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def load_site(name_or_path: str) -> Site:
    """Read a preset by its name, or any site file by its path.

    A text with a ``/`` or one that ends in ``.yaml`` or ``.yml`` is a path.

    Raises:
        SiteError: unknown preset, unreadable file, or entries that do not fit together.
    """
    is_path = "/" in name_or_path or name_or_path.endswith((".yaml", ".yml"))
    if not is_path and name_or_path not in preset_names():
        near = difflib.get_close_matches(name_or_path, preset_names(), n=1)
        hint = f"; the nearest is {near[0]}" if near else ""
        reason = f"no preset is called {name_or_path!r} (known: {', '.join(preset_names())}){hint}"
        raise SiteError([Problem("site", reason)])
    path = Path(name_or_path) if is_path else PRESETS / f"{name_or_path}.yaml"
    try:
        document = read_document(path)
    except DocumentError as error:
        raise SiteError([error.problem]) from error
    return _build(document)


def _build(document: Document) -> Site:
    try:
        site = Site.model_validate_json(json.dumps(document.values))
    except ValidationError as error:
        details = sorted(error.errors(), key=lambda one: document.line(one["loc"]))
        raise SiteError([_problem(one, document) for one in details]) from error
    problems = [
        Problem(_dotted(location), reason, document.origin(location))
        for location, reason in _faults(site)
    ]
    if problems:
        raise SiteError(problems)
    return site


def _problem(details: ErrorDetails, document: Document) -> Problem:
    location = details["loc"]
    reason = wording(details)
    if details["type"] == "extra_forbidden":
        reason = unknown_key(str(location[-1]), _fields_at(location[:-1]))
    return Problem(_dotted(location), reason, document.origin(location))


def _fields_at(location: Location) -> list[str]:
    """Names of the keys that stand below a place in the file."""
    model: type[BaseModel] = Site
    for step in location:
        if isinstance(step, str) and step in model.model_fields:
            inner = _model_in(model.model_fields[step].annotation)
            if inner is None:
                return []
            model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """``tuple[SiteUnit, ...]`` is ``SiteUnit``; None where there is no model in it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in typing.get_args(annotation))
    return next((model for model in inner if model is not None), None)


def _faults(site: Site) -> list[tuple[Location, str]]:
    """Everything in which the entries do not fit together."""
    faults = [
        *_repeated(site),
        *_unknown_references(site),
    ]
    if faults:
        return faults  # what follows needs a tree
    return [*_broken_tree(site), *_wrong_counts(site)]


def _repeated(site: Site) -> list[tuple[Location, str]]:
    faults: list[tuple[Location, str]] = []
    for kind in ("units", "bridges", "meetings", "trunks"):
        seen: dict[str, int] = {}
        for index, item in enumerate(getattr(site, kind)):
            if item.id in seen:
                reason = f"{item.id!r} is already the id of {kind}[{seen[item.id]}]"
                faults.append(((kind, index, "id"), reason))
            seen.setdefault(item.id, index)
    return faults


def _unknown_references(site: Site) -> list[tuple[Location, str]]:
    units = {unit.id for unit in site.units}
    bridges = {bridge.id for bridge in site.bridges}
    faults: list[tuple[Location, str]] = []

    def check(location: Location, wanted: str | None, known: set[str], kind: str) -> None:
        if wanted is not None and wanted not in known:
            faults.append((location, f"no {kind} has the id {wanted!r}"))

    for index, unit in enumerate(site.units):
        check(("units", index, "parent"), unit.parent, units, "unit")
    for index, bridge in enumerate(site.bridges):
        check(("bridges", index, "unit"), bridge.unit, units, "unit")
    for index, trunk in enumerate(site.trunks):
        check(("trunks", index, "unit"), trunk.unit, units, "unit")
    for index, meeting in enumerate(site.meetings):
        check(("meetings", index, "unit"), meeting.unit, units, "unit")
        check(("meetings", index, "chair"), meeting.chair, bridges, "bridge")
        if not isinstance(meeting.bridges, str):
            for place, wanted in enumerate(meeting.bridges):
                check(("meetings", index, "bridges", place), wanted, bridges, "bridge")
    return faults


def _broken_tree(site: Site) -> list[tuple[Location, str]]:
    """Cycles, and units that stand below one of their own or a lower level."""
    by_id = {unit.id: unit for unit in site.units}
    faults: list[tuple[Location, str]] = []
    for index, unit in enumerate(site.units):
        location = ("units", index, "parent")
        seen = {unit.id}
        above = unit.parent
        while above is not None and above not in seen:
            seen.add(above)
            above = by_id[above].parent
        if above is not None:
            faults.append((location, f"{unit.id!r} stands below itself"))
            continue
        parent = by_id[unit.parent] if unit.parent is not None else None
        if (
            parent is not None
            and unit.level != "agency"
            and (parent.level == "agency" or RANK[parent.level] >= RANK[unit.level])
        ):
            reason = f"a {unit.level} cannot stand below the {parent.level} {parent.id!r}"
            faults.append((location, reason))
    return faults


def _wrong_counts(site: Site) -> list[tuple[Location, str]]:
    level = {unit.id: unit.level for unit in site.units}
    found = Counter(level[bridge.unit] for bridge in site.bridges)
    return [
        (("counts", kind), f"says {site.counts.get(kind, 0)}, but there are {found[kind]} bridges")
        for kind in (*RANK, "agency")
        if site.counts.get(kind, 0) != found[kind]
    ]


def _dotted(location: tuple[str | int, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.lstrip(".")
