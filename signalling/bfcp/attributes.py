"""Attributes: type, length, value, filled up to words of four bytes (RFC 8855 section 5.2).

Reading knows which groups may stand in which, so nothing nests deeper than the standard has it.
Attributes that are unknown, or known and out of place, are left out; an unknown one that is
mandatory (the M bit) refuses the message, with all such types in the answer's details.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from signalling.bfcp.errors import BfcpError
from signalling.bfcp.header import WORD_BYTES
from signalling.bfcp.registry import AttributeType, ErrorCode

MAX_ATTRIBUTE_BYTES = 255
"""The length is one byte and counts itself and the type."""
MAX_TEXT_BYTES = MAX_ATTRIBUTE_BYTES - 2
MAX_ATTRIBUTES = 1_024
"""In one message, groups' contents included."""

KNOWN = frozenset(AttributeType)


def name_of(type_: int) -> str:
    """The standard's name of a type."""
    if type_ in KNOWN:
        return AttributeType(type_).name.replace("_", "-")
    return f"attribute {type_}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as it stands on the wire; ``content`` is without header and filling."""

    type: int
    content: bytes
    mandatory: bool = True

    def __bytes__(self) -> bytes:
        length = len(self.content) + 2
        if length > MAX_ATTRIBUTE_BYTES:
            raise BfcpError(name_of(self.type), f"is longer than {MAX_TEXT_BYTES} bytes")
        head = bytes((self.type << 1 | self.mandatory, length))
        return head + self.content + bytes(-length % WORD_BYTES)

    @property
    def number(self) -> int:
        """Content of 16 bits.

        Raises:
            BfcpError: it is not of 16 bits.
        """
        self.need(2)
        return int.from_bytes(self.content, "big")

    @property
    def text(self) -> str:
        """Content as text: UTF-8, where it is not, replaced; what fills it up is cut off."""
        return self.content.decode("utf-8", "replace").rstrip("\0")

    def need(self, count: int, *, at_least: bool = False) -> None:
        """See to it that the content has so many bytes.

        Raises:
            BfcpError.
        """
        if len(self.content) < count or (len(self.content) > count and not at_least):
            raise BfcpError(f"{name_of(self.type)}.length", f"is {len(self.content) + 2}")


@dataclass(slots=True)
class AttributeReader:
    """Reads the attributes of one message and remembers what was mandatory and unknown."""

    budget: int = MAX_ATTRIBUTES
    unknown: list[int] = field(default_factory=list)

    def read(self, data: bytes, where: str) -> list[Attribute]:
        """Split a message's payload, or a group's content, into attributes. Cost: O(bytes).

        Args:
            where: the message's or group's name, for errors.

        Raises:
            BfcpError: a length that cannot be, or too many attributes.
        """
        found = []
        at = 0
        while at < len(data):
            if len(data) - at < 2:
                raise BfcpError(where, "ends amid an attribute")
            type_, mandatory = data[at] >> 1, bool(data[at] & 1)
            length = data[at + 1]
            if length < 2 or at + length > len(data):
                raise BfcpError(f"{name_of(type_)}.length", f"is {length}, in {where}")
            self.budget -= 1
            if self.budget < 0:
                raise BfcpError(where, f"has more than {MAX_ATTRIBUTES} attributes")
            if type_ in KNOWN:
                found.append(Attribute(type_, data[at + 2 : at + length], mandatory))
            elif mandatory and type_ not in self.unknown:
                self.unknown.append(type_)
            at += length + -length % WORD_BYTES
        return found

    def read_group(self, group: Attribute) -> tuple[int, list[Attribute]]:
        """The 16 bit number a group begins with, and what follows it.

        Raises:
            BfcpError.
        """
        group.need(2, at_least=True)
        number = int.from_bytes(group.content[:2], "big")
        return number, self.read(group.content[2:], name_of(group.type))

    def finish(self) -> None:
        """Refuse the message if something unknown in it was mandatory.

        Raises:
            BfcpError.
        """
        if self.unknown:
            raise BfcpError(
                name_of(self.unknown[0]),
                "is mandatory and unknown",
                ErrorCode.UNKNOWN_MANDATORY_ATTRIBUTE,
                bytes(type_ << 1 for type_ in self.unknown),
            )


def first(attributes: Iterable[Attribute], type_: AttributeType) -> Attribute | None:
    """The first of a type; further ones, where the standard has one, are left out."""
    return next((each for each in attributes if each.type == type_), None)


def every(attributes: Iterable[Attribute], type_: AttributeType) -> Iterator[Attribute]:
    """All of a type, in order."""
    return (each for each in attributes if each.type == type_)


def number(type_: AttributeType, value: int) -> bytes:
    """An attribute that is a number of 16 bits.

    Raises:
        BfcpError: it does not fit.
    """
    return bytes(Attribute(type_, word16(value, name_of(type_))))


def text(type_: AttributeType, value: str | None) -> bytes:
    """An attribute that is text; nothing for None.

    Raises:
        BfcpError: it does not fit, or cannot be written as UTF-8.
    """
    if value is None:
        return b""
    try:
        return bytes(Attribute(type_, value.encode()))
    except UnicodeEncodeError as error:
        raise BfcpError(name_of(type_), "cannot be written as UTF-8") from error


def group(type_: AttributeType, first_number: int, *parts: bytes) -> bytes:
    """A group: its number, then attributes that are encoded already.

    Raises:
        BfcpError: it is too long.
    """
    return bytes(Attribute(type_, word16(first_number, name_of(type_)) + b"".join(parts)))


def word16(value: int, field: str) -> bytes:
    """Two bytes.

    Raises:
        BfcpError: it does not fit.
    """
    if not 0 <= value <= 0xFFFF:
        raise BfcpError(field, f"{value} is not a number of 16 bits")
    return value.to_bytes(2, "big")
