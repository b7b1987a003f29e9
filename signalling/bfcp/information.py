"""What messages say of users and floor requests: the groups of RFC 8855 section 5.2."""

from collections.abc import Sequence
from dataclasses import dataclass

from signalling.bfcp.attributes import (
    Attribute,
    AttributeReader,
    every,
    first,
    group,
    number,
    text,
)
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.registry import AttributeType, Priority, RequestStatus

_A = AttributeType
_PRIORITY_SHIFT = 5


def write_priority(priority: int) -> bytes:
    """PRIORITY: three bits, then 13 that are reserved.

    Raises:
        BfcpError: it does not fit.
    """
    if not 0 <= priority <= 7:
        raise BfcpError("PRIORITY", f"{priority} is not a number of 3 bits")
    return bytes(Attribute(_A.PRIORITY, bytes((priority << _PRIORITY_SHIFT, 0))))


def read_priority(attributes: Sequence[Attribute]) -> Priority | None:
    """PRIORITY; a reserved value counts as normal, none as None.

    Raises:
        BfcpError: wrong length.
    """
    found = first(attributes, _A.PRIORITY)
    if found is None:
        return None
    found.need(2)
    value = found.content[0] >> _PRIORITY_SHIFT
    return Priority(value) if value <= Priority.HIGHEST else Priority.NORMAL


@dataclass(frozen=True, slots=True)
class User:
    """BENEFICIARY-INFORMATION or REQUESTED-BY-INFORMATION: a user's number, name and address."""

    id: int
    name: str | None = None
    uri: str | None = None

    def write(self, type_: AttributeType) -> bytes:
        """The group.

        Raises:
            BfcpError: too long.
        """
        name = text(_A.USER_DISPLAY_NAME, self.name)
        return group(type_, self.id, name, text(_A.USER_URI, self.uri))

    @classmethod
    def read(cls, reader: AttributeReader, found: Attribute | None) -> "User | None":
        """Read the group, None where it is not there.

        Raises:
            BfcpError.
        """
        if found is None:
            return None
        id_, inside = reader.read_group(found)
        return cls(id_, text_of(inside, _A.USER_DISPLAY_NAME), text_of(inside, _A.USER_URI))


@dataclass(frozen=True, slots=True)
class Standing:
    """FLOOR-REQUEST-STATUS or OVERALL-REQUEST-STATUS: how far a request has come.

    Args:
        id: of the floor, or of the request.
        status: None: not said. queue_position: 1 is next; 0: not known or not in the queue.
        information: text for people.
    """

    id: int
    status: RequestStatus | None = None
    queue_position: int = 0
    information: str | None = None

    def write(self, type_: AttributeType) -> bytes:
        """The group.

        Raises:
            BfcpError: too long, or a position above 255.
        """
        status = b""
        if self.status is not None:
            if not 0 <= self.queue_position <= 255:
                raise BfcpError("REQUEST-STATUS", "the queue position is not a byte")
            content = bytes((self.status, self.queue_position))
            status = bytes(Attribute(_A.REQUEST_STATUS, content))
        return group(type_, self.id, status, text(_A.STATUS_INFO, self.information))

    @classmethod
    def read(cls, reader: AttributeReader, found: Attribute) -> "Standing":
        """Read the group.

        Raises:
            BfcpError: also for a status that the standard does not have.
        """
        id_, inside = reader.read_group(found)
        information = text_of(inside, _A.STATUS_INFO)
        status = first(inside, _A.REQUEST_STATUS)
        if status is None:
            return cls(id_, information=information)
        status.need(2)
        value, position = status.content
        if not RequestStatus.PENDING <= value <= RequestStatus.REVOKED:
            raise BfcpError("REQUEST-STATUS", f"{value} is unknown")
        return cls(id_, RequestStatus(value), position, information)


@dataclass(frozen=True, slots=True)
class RequestInformation:
    """FLOOR-REQUEST-INFORMATION (RFC 8855 section 5.2.15).

    Args:
        request: the server's number of the request.
        floors: at least one. overall: of the request as a whole.
        beneficiary: for whom. requested_by: who asked, where that is somebody else.
        information: what the participant said with it.
    """

    request: int
    floors: tuple[Standing, ...]
    overall: Standing | None = None
    beneficiary: User | None = None
    requested_by: User | None = None
    priority: int | None = None
    information: str | None = None

    @property
    def status(self) -> RequestStatus | None:
        """Of the whole; where that is not said, of the first floor."""
        if self.overall is not None and self.overall.status is not None:
            return self.overall.status
        return self.floors[0].status

    def __bytes__(self) -> bytes:
        if not self.floors:
            raise BfcpError("FLOOR-REQUEST-INFORMATION", "names no floor")
        parts = [b"" if self.overall is None else self.overall.write(_A.OVERALL_REQUEST_STATUS)]
        parts += (each.write(_A.FLOOR_REQUEST_STATUS) for each in self.floors)
        if self.beneficiary is not None:
            parts.append(self.beneficiary.write(_A.BENEFICIARY_INFORMATION))
        if self.requested_by is not None:
            parts.append(self.requested_by.write(_A.REQUESTED_BY_INFORMATION))
        if self.priority is not None:
            parts.append(write_priority(self.priority))
        parts.append(text(_A.PARTICIPANT_PROVIDED_INFO, self.information))
        return group(_A.FLOOR_REQUEST_INFORMATION, self.request, *parts)

    @classmethod
    def read(cls, reader: AttributeReader, found: Attribute) -> "RequestInformation":
        """Read the group.

        Raises:
            BfcpError.
        """
        request, inside = reader.read_group(found)
        floors = tuple(
            Standing.read(reader, each) for each in every(inside, _A.FLOOR_REQUEST_STATUS)
        )
        if not floors:
            raise BfcpError("FLOOR-REQUEST-STATUS", "is missing in FLOOR-REQUEST-INFORMATION")
        overall = first(inside, _A.OVERALL_REQUEST_STATUS)
        return cls(
            request,
            floors,
            None if overall is None else Standing.read(reader, overall),
            User.read(reader, first(inside, _A.BENEFICIARY_INFORMATION)),
            User.read(reader, first(inside, _A.REQUESTED_BY_INFORMATION)),
            read_priority(inside),
            text_of(inside, _A.PARTICIPANT_PROVIDED_INFO),
        )


def number_of(attributes: Sequence[Attribute], type_: AttributeType) -> int | None:
    """The number in the first attribute of a type, None where there is none.

    Raises:
        BfcpError.
    """
    found = first(attributes, type_)
    return None if found is None else found.number


def text_of(attributes: Sequence[Attribute], type_: AttributeType) -> str | None:
    """The text of the first attribute of a type, None where there is none."""
    found = first(attributes, type_)
    return None if found is None else found.text


def write_optional(type_: AttributeType, value: int | None) -> bytes:
    """A number, or nothing for None.

    Raises:
        BfcpError: it does not fit.
    """
    return b"" if value is None else number(type_, value)
