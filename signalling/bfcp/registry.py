"""The numbers of BFCP and what they mean (RFC 8855 sections 5.1, 5.2 and 15)."""

from enum import IntEnum

RELIABLE_VERSION = 1
"""Over TCP and TLS (RFC 8855 section 5.1)."""
UNRELIABLE_VERSION = 2
"""Over UDP and DTLS."""
VERSIONS = (RELIABLE_VERSION, UNRELIABLE_VERSION)


class Primitive(IntEnum):
    """What a message is (RFC 8855 table 1)."""

    FLOOR_REQUEST = 1
    FLOOR_RELEASE = 2
    FLOOR_REQUEST_QUERY = 3
    FLOOR_REQUEST_STATUS = 4
    USER_QUERY = 5
    USER_STATUS = 6
    FLOOR_QUERY = 7
    FLOOR_STATUS = 8
    CHAIR_ACTION = 9
    CHAIR_ACTION_ACK = 10
    HELLO = 11
    HELLO_ACK = 12
    ERROR = 13
    FLOOR_REQUEST_STATUS_ACK = 14
    FLOOR_STATUS_ACK = 15
    GOODBYE = 16
    GOODBYE_ACK = 17


class AttributeType(IntEnum):
    """What an attribute is (RFC 8855 table 2)."""

    BENEFICIARY_ID = 1
    FLOOR_ID = 2
    FLOOR_REQUEST_ID = 3
    PRIORITY = 4
    REQUEST_STATUS = 5
    ERROR_CODE = 6
    ERROR_INFO = 7
    PARTICIPANT_PROVIDED_INFO = 8
    STATUS_INFO = 9
    SUPPORTED_ATTRIBUTES = 10
    SUPPORTED_PRIMITIVES = 11
    USER_DISPLAY_NAME = 12
    USER_URI = 13
    BENEFICIARY_INFORMATION = 14
    FLOOR_REQUEST_INFORMATION = 15
    REQUESTED_BY_INFORMATION = 16
    FLOOR_REQUEST_STATUS = 17
    OVERALL_REQUEST_STATUS = 18


class Priority(IntEnum):
    """How urgent a request says it is (RFC 8855 section 5.2.4)."""

    LOWEST = 0
    LOW = 1
    NORMAL = 2
    HIGH = 3
    HIGHEST = 4


class RequestStatus(IntEnum):
    """How far a request has come (RFC 8855 section 5.2.5); the first three are not the end."""

    PENDING = 1
    ACCEPTED = 2
    GRANTED = 3
    DENIED = 4
    CANCELLED = 5
    RELEASED = 6
    REVOKED = 7

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return self > RequestStatus.GRANTED


class ErrorCode(IntEnum):
    """Why a message was refused (RFC 8855 section 5.2.6)."""

    CONFERENCE_UNKNOWN = 1
    USER_UNKNOWN = 2
    UNKNOWN_PRIMITIVE = 3
    UNKNOWN_MANDATORY_ATTRIBUTE = 4
    UNAUTHORIZED = 5
    INVALID_FLOOR = 6
    REQUEST_UNKNOWN = 7
    TOO_MANY_REQUESTS = 8
    USE_TLS = 9
    UNPARSABLE = 10
    USE_DTLS = 11
    UNSUPPORTED_VERSION = 12
    BAD_LENGTH = 13
    GENERIC = 14


ANSWERS: dict[Primitive, Primitive] = {
    Primitive.FLOOR_REQUEST: Primitive.FLOOR_REQUEST_STATUS,
    Primitive.FLOOR_RELEASE: Primitive.FLOOR_REQUEST_STATUS,
    Primitive.FLOOR_REQUEST_QUERY: Primitive.FLOOR_REQUEST_STATUS,
    Primitive.USER_QUERY: Primitive.USER_STATUS,
    Primitive.FLOOR_QUERY: Primitive.FLOOR_STATUS,
    Primitive.CHAIR_ACTION: Primitive.CHAIR_ACTION_ACK,
    Primitive.HELLO: Primitive.HELLO_ACK,
    Primitive.FLOOR_REQUEST_STATUS: Primitive.FLOOR_REQUEST_STATUS_ACK,
    Primitive.FLOOR_STATUS: Primitive.FLOOR_STATUS_ACK,
    Primitive.GOODBYE: Primitive.GOODBYE_ACK,
}
"""What answers a request, unless it is an Error. The last three are of unreliable transports."""
