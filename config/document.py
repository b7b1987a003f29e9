"""YAML text as plain values, with the line of every key kept for error messages.

Stricter than the library's safe loader: a key given twice is an error, and a date is text, since
nothing in a configuration is a date.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from config.problems import Problem

MAX_FILE_BYTES = 4 * 1024 * 1024
"""More than any real configuration; keeps a wrong path (a recording, a disk) from being read."""

MAX_VALUES = 200_000
"""Keys and list items of one document, aliases written out; stops a file that multiplies itself."""

_TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"


class DocumentError(Exception):
    """The file cannot be read or is not YAML; ``problem`` says where and why."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML mapping.

    Args:
        name: how messages call the file.
        values: plain dict, list, str, int, float, bool, None.
        lines: line (from 1) of each key, by path: ``{("http", "port"): 3, ("units", 0): 7}``.
    """

    name: str
    values: Mapping[str, Any]
    lines: Mapping[tuple[str | int, ...], int]

    def origin(self, path: tuple[str | int, ...]) -> str:
        """Name the file and the line of the key, or of the nearest one above it that has a line."""
        line = self.line(path)
        return f"{self.name} line {line}" if line else self.name

    def line(self, path: tuple[str | int, ...]) -> int:
        """Find that line; 0 where none is known, as of what is missing at the top."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 0


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP_TAG]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }


def read_document(path: Path) -> Document:
    """Read and parse one file.

    Raises:
        DocumentError: unreadable, too large, not UTF-8, not YAML, or not a mapping.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
        raise DocumentError(Problem("", reason, name)) from error
    if len(raw) > MAX_FILE_BYTES:
        raise DocumentError(Problem("", f"is larger than {MAX_FILE_BYTES} bytes", name))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DocumentError(Problem("", "is not UTF-8 text", f"{name} line {line}")) from error
    return parse_document(text, name)


def parse_document(text: str, name: str) -> Document:
    """Parse YAML text; an empty text is an empty mapping.

    Raises:
        DocumentError: not YAML, a key given twice, an alias that contains itself, or not a mapping.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return Document(name, {}, {})
            lines: dict[tuple[str | int, ...], int] = {}
            _collect_lines(node, (), lines, name, ())
            values = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise DocumentError(_syntax_problem(error, name)) from error
    except ValueError as error:  # an impossible number, such as 0o9 or !!int x
        raise DocumentError(Problem("", f"is not valid YAML: {error}", name)) from error
    except RecursionError as error:
        raise DocumentError(Problem("", "is nested too deeply", name)) from error
    if not isinstance(values, dict):
        reason = "must be a mapping of keys to values at its top level"
        raise DocumentError(Problem("", reason, name))
    return Document(name, values, lines)


def _collect_lines(
    node: yaml.Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
    above: tuple[yaml.Node, ...],
) -> None:
    """Note each key's line; refuse repeated keys, keys that are not text, and endless aliases."""
    origin = f"{name} line {node.start_mark.line + 1}"
    if any(node is outer for outer in above):
        raise DocumentError(Problem("", "contains itself through an alias", origin))
    if len(lines) > MAX_VALUES:
        raise DocumentError(Problem("", f"has more than {MAX_VALUES} values", origin))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            _collect_lines(item, (*path, index), lines, name, (*above, node))
    elif isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            line = key_node.start_mark.line + 1
            dotted = ".".join(str(step) for step in path)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
                reason = "has a key that is not text; quote it if it is meant"
                raise DocumentError(Problem(dotted, reason, f"{name} line {line}"))
            here = (*path, str(key_node.value))
            if here in lines:
                reason = f"is given twice (first on line {lines[here]})"
                key = ".".join(str(step) for step in here)
                raise DocumentError(Problem(key, reason, f"{name} line {line}"))
            lines[here] = line
            _collect_lines(value, here, lines, name, (*above, node))


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        origin = f"{name} line {mark.line + 1}" if mark is not None else name
        return Problem("", f"is not valid YAML: {error.problem or error.context}", origin)
    return Problem("", f"is not valid YAML: {' '.join(str(error).split())}", name)
