"""What follows the header, by primitive: the messages of RFC 8855 section 5.3.

Every class reads itself from a message's attributes (``read``) and writes them (``bytes``); both
raise ``BfcpError``, the first where something that must be there is missing or malformed, the
second where a value does not fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from signalling.bfcp.attributes import (
    KNOWN,
    Attribute,
    AttributeReader,
    every,
    first,
    number,
    text,
)
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.information import (
    RequestInformation,
    User,
    number_of,
    read_priority,
    text_of,
    write_optional,
    write_priority,
)
from signalling.bfcp.registry import AttributeType, Primitive

_A = AttributeType

Attributes = Sequence[Attribute]


class _Bare:
    """A message of a header alone; attributes of extensions are left out."""

    __slots__ = ()

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        return cls()

    def __bytes__(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class FloorRequest:
    """A participant asks for floors, for itself or a beneficiary."""

    primitive: ClassVar[Primitive] = Primitive.FLOOR_REQUEST
    floors: tuple[int, ...]
    beneficiary: int | None = None
    information: str | None = None
    priority: int | None = None

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        floors = _floors(attributes)
        if not floors:
            raise BfcpError("FLOOR-ID", "is missing")
        return cls(
            floors,
            number_of(attributes, _A.BENEFICIARY_ID),
            text_of(attributes, _A.PARTICIPANT_PROVIDED_INFO),
            read_priority(attributes),
        )

    def __bytes__(self) -> bytes:
        if not self.floors:
            raise BfcpError("FLOOR-ID", "is missing")
        return (
            _write_floors(self.floors)
            + write_optional(_A.BENEFICIARY_ID, self.beneficiary)
            + text(_A.PARTICIPANT_PROVIDED_INFO, self.information)
            + (b"" if self.priority is None else write_priority(self.priority))
        )


@dataclass(frozen=True, slots=True)
class _OfRequest:
    request: int

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        request = number_of(attributes, _A.FLOOR_REQUEST_ID)
        if request is None:
            raise BfcpError("FLOOR-REQUEST-ID", "is missing")
        return cls(request)

    def __bytes__(self) -> bytes:
        return number(_A.FLOOR_REQUEST_ID, self.request)


class FloorRelease(_OfRequest):
    """A participant gives floors back, or withdraws its request."""

    __slots__ = ()
    primitive: ClassVar[Primitive] = Primitive.FLOOR_RELEASE


class FloorRequestQuery(_OfRequest):
    """How far is this request?"""

    __slots__ = ()
    primitive: ClassVar[Primitive] = Primitive.FLOOR_REQUEST_QUERY


@dataclass(frozen=True, slots=True)
class _WithInformation:
    request: RequestInformation

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        found = first(attributes, _A.FLOOR_REQUEST_INFORMATION)
        if found is None:
            raise BfcpError("FLOOR-REQUEST-INFORMATION", "is missing")
        return cls(RequestInformation.read(reader, found))

    def __bytes__(self) -> bytes:
        return bytes(self.request)


class FloorRequestStatus(_WithInformation):
    """The server tells how far a request has come: an answer, or by itself."""

    __slots__ = ()
    primitive: ClassVar[Primitive] = Primitive.FLOOR_REQUEST_STATUS


class ChairAction(_WithInformation):
    """A floor's chair grants, denies or revokes."""

    __slots__ = ()
    primitive: ClassVar[Primitive] = Primitive.CHAIR_ACTION


@dataclass(frozen=True, slots=True)
class UserQuery:
    """What does somebody (None: the one who asks) have and want?"""

    primitive: ClassVar[Primitive] = Primitive.USER_QUERY
    beneficiary: int | None = None

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        return cls(number_of(attributes, _A.BENEFICIARY_ID))

    def __bytes__(self) -> bytes:
        return write_optional(_A.BENEFICIARY_ID, self.beneficiary)


@dataclass(frozen=True, slots=True)
class UserStatus:
    """The answer to ``UserQuery``."""

    primitive: ClassVar[Primitive] = Primitive.USER_STATUS
    beneficiary: User | None = None
    requests: tuple[RequestInformation, ...] = ()

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        beneficiary = first(attributes, _A.BENEFICIARY_INFORMATION)
        return cls(User.read(reader, beneficiary), _requests(reader, attributes))

    def __bytes__(self) -> bytes:
        who = b""
        if self.beneficiary is not None:
            who = self.beneficiary.write(_A.BENEFICIARY_INFORMATION)
        return who + b"".join(map(bytes, self.requests))


@dataclass(frozen=True, slots=True)
class FloorQuery:
    """Tell me of these floors, now and whenever they change; none: of no floor any more."""

    primitive: ClassVar[Primitive] = Primitive.FLOOR_QUERY
    floors: tuple[int, ...] = ()

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        return cls(_floors(attributes))

    def __bytes__(self) -> bytes:
        return _write_floors(self.floors)


@dataclass(frozen=True, slots=True)
class FloorStatus:
    """Who has a floor and who wants it: an answer, or by itself. None: of no floor."""

    primitive: ClassVar[Primitive] = Primitive.FLOOR_STATUS
    floor: int | None = None
    requests: tuple[RequestInformation, ...] = ()

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        return cls(number_of(attributes, _A.FLOOR_ID), _requests(reader, attributes))

    def __bytes__(self) -> bytes:
        return write_optional(_A.FLOOR_ID, self.floor) + b"".join(map(bytes, self.requests))


@dataclass(frozen=True, slots=True)
class ChairActionAck(_Bare):
    """The chair's action was taken."""

    primitive: ClassVar[Primitive] = Primitive.CHAIR_ACTION_ACK


@dataclass(frozen=True, slots=True)
class Hello(_Bare):
    """Are you there, and what can you do?"""

    primitive: ClassVar[Primitive] = Primitive.HELLO


@dataclass(frozen=True, slots=True)
class HelloAck:
    """Numbers of the primitives and attributes that the server knows."""

    primitive: ClassVar[Primitive] = Primitive.HELLO_ACK
    primitives: tuple[int, ...] = tuple(Primitive)
    attributes: tuple[int, ...] = tuple(sorted(KNOWN))

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        primitives = first(attributes, _A.SUPPORTED_PRIMITIVES)
        types = first(attributes, _A.SUPPORTED_ATTRIBUTES)
        if primitives is None or types is None:
            name = "PRIMITIVES" if primitives is None else "ATTRIBUTES"
            raise BfcpError(f"SUPPORTED-{name}", "is missing")
        return cls(tuple(primitives.content), tuple(each >> 1 for each in types.content))

    def __bytes__(self) -> bytes:
        primitives = Attribute(_A.SUPPORTED_PRIMITIVES, _octets(self.primitives, 0))
        types = Attribute(_A.SUPPORTED_ATTRIBUTES, _octets(self.attributes, 1))
        return bytes(primitives) + bytes(types)


@dataclass(frozen=True, slots=True)
class Error:
    """A request was refused.

    Args:
        code: a number of ``ErrorCode``, or one that is not known.
        details: what the code has of its own (RFC 8855 section 5.2.6).
        information: text for people.
    """

    primitive: ClassVar[Primitive] = Primitive.ERROR
    code: int
    details: bytes = b""
    information: str | None = None

    @property
    def unknown_attributes(self) -> tuple[int, ...]:
        """Types that an error of unknown mandatory attributes names."""
        return tuple(each >> 1 for each in self.details)

    @classmethod
    def read(cls, reader: AttributeReader, attributes: Attributes) -> Self:
        """Read it from a message's attributes."""
        found = first(attributes, _A.ERROR_CODE)
        if found is None:
            raise BfcpError("ERROR-CODE", "is missing")
        found.need(1, at_least=True)
        information = text_of(attributes, _A.ERROR_INFO)
        return cls(found.content[0], found.content[1:], information)

    def __bytes__(self) -> bytes:
        content = _octets((self.code,), 0) + self.details
        return bytes(Attribute(_A.ERROR_CODE, content)) + text(_A.ERROR_INFO, self.information)


@dataclass(frozen=True, slots=True)
class FloorRequestStatusAck(_Bare):
    """Got it (unreliable transports)."""

    primitive: ClassVar[Primitive] = Primitive.FLOOR_REQUEST_STATUS_ACK


@dataclass(frozen=True, slots=True)
class FloorStatusAck(_Bare):
    """Got it (unreliable transports)."""

    primitive: ClassVar[Primitive] = Primitive.FLOOR_STATUS_ACK


@dataclass(frozen=True, slots=True)
class Goodbye(_Bare):
    """One side goes (unreliable transports)."""

    primitive: ClassVar[Primitive] = Primitive.GOODBYE


@dataclass(frozen=True, slots=True)
class GoodbyeAck(_Bare):
    """The other side knows."""

    primitive: ClassVar[Primitive] = Primitive.GOODBYE_ACK


Body = (
    FloorRequest
    | FloorRelease
    | FloorRequestQuery
    | FloorRequestStatus
    | UserQuery
    | UserStatus
    | FloorQuery
    | FloorStatus
    | ChairAction
    | ChairActionAck
    | Hello
    | HelloAck
    | Error
    | FloorRequestStatusAck
    | FloorStatusAck
    | Goodbye
    | GoodbyeAck
)

BODIES: dict[int, type[Body]] = {body.primitive: body for body in Body.__args__}


def _floors(attributes: Attributes) -> tuple[int, ...]:
    """Every floor once, in order."""
    return tuple(dict.fromkeys(each.number for each in every(attributes, _A.FLOOR_ID)))


def _write_floors(floors: Sequence[int]) -> bytes:
    return b"".join(number(_A.FLOOR_ID, floor) for floor in floors)


def _requests(reader: AttributeReader, attributes: Attributes) -> tuple[RequestInformation, ...]:
    found = every(attributes, _A.FLOOR_REQUEST_INFORMATION)
    return tuple(RequestInformation.read(reader, each) for each in found)


def _octets(values: Sequence[int], shift: int) -> bytes:
    try:
        return bytes(value << shift for value in values)
    except ValueError as error:
        raise BfcpError("numbers", "do not fit into bytes") from error
