"""Which signs a report can print. Pure."""

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

BLOCKS: Final = (
    range(0x0020, 0x0500),  # Latin with its extensions, combining marks, Greek, Cyrillic
    range(0x1E00, 0x1F00),  # Latin Extended Additional: Vietnamese
    range(0x2010, 0x2041),  # punctuation
    range(0x2070, 0x20D0),  # superscripts and subscripts, currencies
    range(0x2190, 0x2300),  # arrows, mathematical operators
)
"""The template's font has all that is assigned there."""
MARK: Final = "\ufffd"
_SHOWN: Final = frozenset("LMNPSZ")


def printable(value: Any) -> Any:
    """The same JSON value with a mark for each sign that the font may not have."""
    match value:
        case str():
            return "".join(each if is_printable(each) else MARK for each in value)
        case Mapping():
            return {key: printable(each) for key, each in value.items()}
        case list() | tuple():
            return [printable(each) for each in value]
    return value


def is_printable(character: str) -> bool:
    """Whether the font has it for certain."""
    point = ord(character)
    if character == "\n":
        return True
    return any(point in each for each in BLOCKS) and unicodedata.category(character)[0] in _SHOWN
