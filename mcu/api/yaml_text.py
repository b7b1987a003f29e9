"""YAML as clients send it: bounded, without aliases, and no key twice."""

from typing import Any, Final

import yaml

from mcu.api.problem import FieldError, Problem
from mcu.sentences import sentence

YAML_TYPES: Final = ("application/yaml", "application/x-yaml", "text/yaml")
MAX_DEPTH: Final = 16
Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser where the wheel has it: a full table must not take seconds."""


class UnsafeYaml(Exception):  # noqa: N818 - what it is
    """It would be an endless or bottomless document."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_yaml(text: str) -> Any:
    """The document in a YAML text.

    Raises:
        Problem: malformed-request with the line, for what is no YAML or not read here.
    Cost: about a second for a megabyte; call it in a thread.
    """
    try:
        check_events(text)
        loader = Loader(text)
        try:
            root = loader.get_single_node()
            fault = repeated_key(root)
            if fault is not None:
                raise Problem(
                    "malformed-request",
                    sentence("yaml.line", line=line_of(root.start_mark), reason=fault.message),
                    errors=[fault],
                )
            return None if root is None else loader.construct_document(root)
        finally:
            loader.dispose()
    except UnsafeYaml as error:
        raise _broken(error.message, error.line) from None
    except yaml.MarkedYAMLError as error:
        line = line_of(error.problem_mark or error.context_mark)
        raise _broken(f"is no YAML ({error.problem})", line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _broken(f"is no YAML ({str(error)[:100]})", 1) from None


def check_events(text: str) -> None:
    """Refuse what would make a small text an endless or bottomless document.

    Raises:
        UnsafeYaml. yaml.YAMLError: no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.AliasEvent):
            raise UnsafeYaml("uses an alias, which is not read here", line_of(event.start_mark))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise UnsafeYaml("is nested too deeply", line_of(event.start_mark))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def repeated_key(node: yaml.Node | None) -> FieldError | None:
    """A key given twice would silently win over the first."""
    if isinstance(node, yaml.SequenceNode):
        return next((fault for each in node.value if (fault := repeated_key(each))), None)
    if not isinstance(node, yaml.MappingNode):
        return None
    seen: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                return FieldError(
                    f"line {line_of(key.start_mark)}", sentence("yaml.twice", key=key.value)
                )
            seen.add(key.value)
        fault = repeated_key(value)
        if fault is not None:
            return fault
    return None


def line_of(mark: Any) -> int:
    """The line of a YAML mark, from 1; marks may be missing."""
    return 1 if mark is None else int(mark.line) + 1


def _broken(message: str, line: int) -> Problem:
    return Problem(
        "malformed-request",
        sentence("yaml.line", line=line, reason=message),
        errors=[FieldError(f"line {line}", message)],
    )
