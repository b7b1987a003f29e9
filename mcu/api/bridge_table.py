"""A table of bridges as CSV or YAML, read completely: every fault with its line.

CSV: UTF-8 with or without a byte-order mark, comma or semicolon (as spreadsheets write it), a
header line with ``id, name, unit`` and optionally ``kind, address, contact_name, contact_phone,
importance`` and ``standard.NAME``. YAML: a list of bridges, or a mapping with ``bridges``; the
members of each are those of ``POST /bridges``.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import ValidationError

from mcu.api.body import MAX_ERRORS, field_errors
from mcu.api.csv_table import CSV_TYPE, plain
from mcu.api.problem import FieldError, Problem
from mcu.api.schemas.base import MAX_LIST
from mcu.api.schemas.registry import NewBridge
from mcu.api.services import well_formed_address
from mcu.api.yaml_text import (
    YAML_TYPES,
    Loader,
    UnsafeYaml,
    check_events,
    line_of,
    repeated_key,
)
from mcu.sentences import sentence
from mcu.store.records import Bridge

TABLE_TYPES: Final = (CSV_TYPE, *YAML_TYPES)

_REQUIRED: Final = ("id", "name", "unit")
_OPTIONAL: Final = ("kind", "address", "contact_name", "contact_phone", "importance")
_STANDARD: Final = "standard."


@dataclass(frozen=True, slots=True)
class TableRow:
    """One bridge and the line it stands on, from 1."""

    line: int
    bridge: NewBridge


def read_table(
    text: str, content_type: str, address_of: Callable[[str], str] = well_formed_address
) -> list[TableRow]:
    """Read a whole table.

    Args:
        address_of: a room's SIP address as it is called; raises ValueError with the reason where
            it cannot be. Called in the thread that this is called in.

    Raises:
        Problem: malformed-request for what is no table, invalid-input with an entry per fault.
    Cost: about a second for the largest one accepted; call it in a thread.
    """
    text = text.removeprefix("\ufeff")
    pairs = _csv_rows(text) if content_type == CSV_TYPE else _yaml_rows(text)
    rows: list[TableRow] = []
    errors: list[FieldError] = []
    try:
        for line, document in pairs:
            if len(rows) >= MAX_LIST:
                raise _broken(f"holds more than {MAX_LIST} bridges; send it in parts", line)
            try:
                if isinstance(document, FieldError):
                    errors.append(document)
                else:
                    bridge = _with_address(NewBridge.model_validate(document), address_of)
                    rows.append(TableRow(line, bridge))
            except _Unfit as error:
                errors.append(FieldError(f"line {line}, address", error.args[0]))
            except ValidationError as error:
                errors += [
                    FieldError(f"line {line}, {found.field.removeprefix('$.')}", found.message)
                    for found in field_errors(error)
                ]
            if len(errors) >= MAX_ERRORS:
                break
    except Problem as broken:
        # From here on it cannot be read; what was found before is said all the same.
        found_here = [*errors, *broken.errors][:MAX_ERRORS]
        raise Problem(broken.kind, broken.detail, errors=found_here) from None
    if errors:
        raise Problem(
            "invalid-input",
            sentence("import.nothing"),
            errors=errors[:MAX_ERRORS],
        )
    if not rows:
        raise _broken("holds no bridge", 1)
    return rows


def table_of(bridges: Sequence[Bridge]) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """Header and rows of a table that ``read_table`` takes, with these bridges."""
    standards = sorted({name for bridge in bridges for name in bridge.standard})
    header = (*_REQUIRED, *_OPTIONAL, *(f"{_STANDARD}{name}" for name in standards))
    rows = (
        (
            bridge.id, bridge.name, bridge.unit, bridge.kind, bridge.address,
            bridge.contact.name, bridge.contact.phone, bridge.importance,
            *(_cell_of(bridge.standard.get(name)) for name in standards),
        )
        for bridge in bridges
    )  # fmt: skip
    return header, rows


def _cell_of(value: Any) -> Any:
    """What ``_scalar`` reads as this value."""
    return json.dumps(value) if isinstance(value, bool) else value


class _Unfit(Exception):  # noqa: N818 - a decision, no failure
    """An address that cannot be called; ``ValidationError`` is a ValueError too."""


def _with_address(bridge: NewBridge, address_of: Callable[[str], str]) -> NewBridge:
    if not bridge.address:
        return bridge
    if bridge.kind != "sip":
        raise _Unfit(sentence("address.without-sip"))
    try:
        return bridge.model_copy(update={"address": address_of(bridge.address)})
    except ValueError as error:
        raise _Unfit(error.args[0]) from error


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, Any] | FieldError]]:
    """Each line's document, or what is wrong with the line as such."""
    first_line = text.partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = reader.line_num
            if len(cells) == len(header):
                yield line, _csv_document(dict(zip(header, cells, strict=True)))
            else:
                message = sentence("import.cells", count=len(cells), most=len(header))
                yield line, FieldError(f"line {line}", message)
    except csv.Error as error:
        raise _broken(f"is no CSV ({error})", reader.line_num) from None


def _check_header(header: list[str]) -> None:
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise _broken(f"must be a header that names {', '.join(missing)}", 1)
    for name in header:
        if name not in (*_REQUIRED, *_OPTIONAL) and not name.startswith(_STANDARD):
            raise _broken(f"names an unknown column {name[:64]!r}", 1)
        if header.count(name) > 1:
            raise _broken(f"names the column {name!r} twice", 1)


def _csv_document(cells: dict[str, str]) -> dict[str, Any]:
    given = {name: plain(cell.strip()) for name, cell in cells.items() if cell.strip()}
    document: dict[str, Any] = {}
    for name, cell in given.items():
        if name.startswith("contact_"):
            document.setdefault("contact", {})[name.removeprefix("contact_")] = cell
        elif name.startswith(_STANDARD):
            document.setdefault("standard", {})[name.removeprefix(_STANDARD)] = _scalar(cell)
        elif name == "importance":
            document[name] = _scalar(cell)
        else:
            document[name] = cell
    return document


def _scalar(cell: str) -> Any:
    """A number or truth value where the cell is one, else its text."""
    try:
        value = json.loads(cell)
    except ValueError:
        return cell
    return value if isinstance(value, (int, float)) else cell


def _yaml_rows(text: str) -> Iterator[tuple[int, Any]]:
    """Each bridge's document, or the key that it gives twice."""
    try:
        check_events(text)
        loader = Loader(text)
        try:
            root = loader.get_single_node()
            for node in _yaml_list(root):
                fault = repeated_key(node)
                line = line_of(node.start_mark)
                yield line, fault or loader.construct_object(node, deep=True)
        finally:
            loader.dispose()
    except UnsafeYaml as error:
        raise _broken(error.message, error.line) from None
    except yaml.MarkedYAMLError as error:
        line = line_of(error.problem_mark or error.context_mark)
        raise _broken(f"is no YAML ({error.problem})", line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _broken(f"is no YAML ({str(error)[:100]})", 1) from None


def _yaml_list(root: yaml.Node | None) -> list[yaml.Node]:
    if isinstance(root, yaml.MappingNode):
        for key, value in root.value:
            if isinstance(key, yaml.ScalarNode) and key.value == "bridges":
                root = value
                break
    if not isinstance(root, yaml.SequenceNode):
        raise _broken("must be a list of bridges, or a mapping with `bridges`", 1)
    return list(root.value)


def _broken(message: str, line: int) -> Problem:
    return Problem(
        "malformed-request",
        sentence("import.line", line=line, reason=message),
        errors=[FieldError(f"line {line}", message)],
    )
