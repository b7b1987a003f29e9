"""One message of every kind, typed byte by byte from the formats of RFC 8855 section 5.

Conference 1, transaction 2, user 3 unless said otherwise. Spaces and line ends are for the reader.
"""

from signalling.bfcp.bodies import (
    Body,
    ChairAction,
    ChairActionAck,
    Error,
    FloorQuery,
    FloorRelease,
    FloorRequest,
    FloorRequestQuery,
    FloorRequestStatus,
    FloorRequestStatusAck,
    FloorStatus,
    FloorStatusAck,
    Goodbye,
    GoodbyeAck,
    Hello,
    HelloAck,
    UserQuery,
    UserStatus,
)
from signalling.bfcp.information import RequestInformation, Standing, User
from signalling.bfcp.registry import RequestStatus

INFORMATION = RequestInformation(
    request=7,
    floors=(Standing(1, RequestStatus.ACCEPTED, 2),),
    overall=Standing(7, RequestStatus.ACCEPTED, 2, "wait"),
    beneficiary=User(3, "Bob", "sip:b@c"),
    requested_by=User(4),
    priority=3,
    information="hi",
)
GRANTED = RequestInformation(9, (Standing(1),), Standing(9, RequestStatus.GRANTED))

INFORMATION_BYTES = """
    1f 40 00 07                FLOOR-REQUEST-INFORMATION, 64 bytes, request 7
    25 10 00 07                OVERALL-REQUEST-STATUS, 16 bytes, request 7
    0b 04 02 02                REQUEST-STATUS accepted, second
    13 06 77 61 69 74 00 00    STATUS-INFO "wait"
    23 08 00 01                FLOOR-REQUEST-STATUS of floor 1
    0b 04 02 02
    1d 18 00 03                BENEFICIARY-INFORMATION, user 3
    19 05 42 6f 62 00 00 00    USER-DISPLAY-NAME "Bob"
    1b 09 73 69 70 3a 62 40 63 00 00 00    USER-URI "sip:b@c"
    21 04 00 04                REQUESTED-BY-INFORMATION, user 4
    09 04 60 00                PRIORITY high
    11 04 68 69                PARTICIPANT-PROVIDED-INFO "hi"
"""

VECTORS: list[tuple[Body, str]] = [
    (
        FloorRequest((1, 2), 5, "show", 4),
        """
        20 01 00 06  00 00 00 01  00 02 00 03
        05 04 00 01  05 04 00 02               FLOOR-ID 1 and 2
        03 04 00 05                            BENEFICIARY-ID 5
        11 06 73 68 6f 77 00 00                PARTICIPANT-PROVIDED-INFO "show"
        09 04 80 00                            PRIORITY highest
        """,
    ),
    (FloorRelease(7), "20 02 00 01  00 00 00 01  00 02 00 03  07 04 00 07"),
    (FloorRequestQuery(7), "20 03 00 01  00 00 00 01  00 02 00 03  07 04 00 07"),
    (
        FloorRequestStatus(INFORMATION),
        "20 04 00 10  00 00 00 01  00 02 00 03" + INFORMATION_BYTES,
    ),
    (UserQuery(), "20 05 00 00  00 00 00 01  00 02 00 03"),
    (UserQuery(6), "20 05 00 01  00 00 00 01  00 02 00 03  03 04 00 06"),
    (
        UserStatus(User(6), (GRANTED,)),
        """
        20 06 00 05  00 00 00 01  00 02 00 03
        1d 04 00 06
        1f 10 00 09  25 08 00 09  0b 04 03 00  23 04 00 01
        """,
    ),
    (FloorQuery((1,)), "20 07 00 01  00 00 00 01  00 02 00 03  05 04 00 01"),
    (FloorQuery(), "20 07 00 00  00 00 00 01  00 02 00 03"),
    (
        FloorStatus(1, (GRANTED,)),
        """
        20 08 00 05  00 00 00 01  00 02 00 03
        05 04 00 01
        1f 10 00 09  25 08 00 09  0b 04 03 00  23 04 00 01
        """,
    ),
    (
        ChairAction(RequestInformation(9, (Standing(1, RequestStatus.DENIED),))),
        """
        20 09 00 03  00 00 00 01  00 02 00 03
        1f 0c 00 09  23 08 00 01  0b 04 04 00
        """,
    ),
    (ChairActionAck(), "20 0a 00 00  00 00 00 01  00 02 00 03"),
    (Hello(), "20 0b 00 00  00 00 00 01  00 02 00 03"),
    (
        HelloAck((11, 12, 13), (1, 2, 18)),
        """
        20 0c 00 04  00 00 00 01  00 02 00 03
        17 05 0b 0c 0d 00 00 00                SUPPORTED-PRIMITIVES
        15 05 02 04 24 00 00 00                SUPPORTED-ATTRIBUTES, seven bits each
        """,
    ),
    (
        Error(4, b"\x28", "no"),
        """
        20 0d 00 02  00 00 00 01  00 02 00 03
        0d 04 04 28                            ERROR-CODE: unknown mandatory attribute, type 20
        0f 04 6e 6f                            ERROR-INFO "no"
        """,
    ),
    (Error(5), "20 0d 00 01  00 00 00 01  00 02 00 03  0d 03 05 00"),
    (FloorRequestStatusAck(), "20 0e 00 00  00 00 00 01  00 02 00 03"),
    (FloorStatusAck(), "20 0f 00 00  00 00 00 01  00 02 00 03"),
    (Goodbye(), "20 10 00 00  00 00 00 01  00 02 00 03"),
    (GoodbyeAck(), "20 11 00 00  00 00 00 01  00 02 00 03"),
]


def typed(vector: str) -> bytes:
    """The bytes of a vector: what stands before the explanation in each line."""
    found = bytearray()
    for line in vector.splitlines():
        for word in line.split():
            if len(word) != 2 or not set(word) <= set("0123456789abcdef"):
                break
            found.append(int(word, 16))
    return bytes(found)
