"""Messages against bytes typed from the standard, and what must be refused, with its field."""

import pytest

from signalling.bfcp.bodies import Body, FloorRequest, Hello
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.header import MAX_PAYLOAD_BYTES
from signalling.bfcp.information import RequestInformation
from signalling.bfcp.message import Message, parse_message
from signalling.bfcp.registry import ErrorCode
from tests.signalling.bfcp.vectors import VECTORS, typed

names = [f"{type(body).__name__}-{number}" for number, (body, _) in enumerate(VECTORS)]


@pytest.mark.parametrize(("body", "vector"), VECTORS, ids=names)
def test_written_and_read_byte_by_byte(body: Body, vector: str) -> None:
    message = Message(1, 2, 3, body)
    assert bytes(message).hex(" ", 4) == typed(vector).hex(" ", 4)
    assert parse_message(typed(vector)) == message


def test_version_2_says_whether_it_answers() -> None:
    data = typed("50 0b 00 00  80 00 00 01  ff ff 00 03")
    message = Message(0x80000001, 0xFFFF, 3, Hello(), responder=True, version=2)
    assert parse_message(data) == message
    assert bytes(message) == data


def test_flags_mean_nothing_over_reliable_transports() -> None:
    data = typed("38 0b 00 00  00 00 00 01  00 02 00 03")
    assert parse_message(data, reliable=True) == Message(1, 2, 3, Hello())


def test_reserved_bits_are_ignored() -> None:
    assert parse_message(typed("27 0b 00 00  00 00 00 01  00 02 00 03")).body == Hello()


HEAD = "20 01 00 {:02x}  00 00 00 01  00 02 00 03 "
FLOOR = "05 04 00 01 "


@pytest.mark.parametrize(
    ("words", "payload", "field", "code"),
    [
        (1, FLOOR + FLOOR, "header.length", ErrorCode.BAD_LENGTH),
        (2, FLOOR, "header.length", ErrorCode.BAD_LENGTH),
        (0, "", "FLOOR-ID", ErrorCode.UNPARSABLE),
        (1, "05 00 00 01", "FLOOR-ID.length", ErrorCode.UNPARSABLE),
        (1, "05 01 00 01", "FLOOR-ID.length", ErrorCode.UNPARSABLE),
        (1, "05 03 00 01", "FLOOR-ID.length", ErrorCode.UNPARSABLE),
        (1, "05 08 00 01", "FLOOR-ID.length", ErrorCode.UNPARSABLE),
        (2, FLOOR + "09 03 40 00", "PRIORITY.length", ErrorCode.UNPARSABLE),
        (2, FLOOR + "29 04 00 00", "attribute 20", ErrorCode.UNKNOWN_MANDATORY_ATTRIBUTE),
    ],
)
def test_refused_with_its_field(words: int, payload: str, field: str, code: ErrorCode) -> None:
    with pytest.raises(BfcpError) as refused:
        parse_message(typed(HEAD.format(words) + payload))
    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.parametrize(
    ("vector", "field", "code"),
    [
        ("20 0b 00 00  00 00 00 01  00 02 00", "header", ErrorCode.BAD_LENGTH),
        (
            "00 0b 00 00  00 00 00 01  00 02 00 03",
            "header.version",
            ErrorCode.UNSUPPORTED_VERSION,
        ),
        (
            "60 0b 00 00  00 00 00 01  00 02 00 03",
            "header.version",
            ErrorCode.UNSUPPORTED_VERSION,
        ),
        (
            "20 12 00 00  00 00 00 01  00 02 00 03",
            "header.primitive",
            ErrorCode.UNKNOWN_PRIMITIVE,
        ),
        (
            "20 00 00 00  00 00 00 01  00 02 00 03",
            "header.primitive",
            ErrorCode.UNKNOWN_PRIMITIVE,
        ),
        (
            "48 0b 00 00  00 00 00 01  00 02 00 03",
            "header.fragment",
            ErrorCode.BAD_LENGTH,
        ),
        ("20 02 00 00  00 00 00 01  00 02 00 03", "FLOOR-REQUEST-ID", ErrorCode.UNPARSABLE),
        (
            "20 04 00 00  00 00 00 01  00 02 00 03",
            "FLOOR-REQUEST-INFORMATION",
            ErrorCode.UNPARSABLE,
        ),
        (
            "20 04 00 01  00 00 00 01  00 02 00 03  1f 04 00 07",
            "FLOOR-REQUEST-STATUS",
            ErrorCode.UNPARSABLE,
        ),
        (
            "20 04 00 01  00 00 00 01  00 02 00 03  1f 03 00 07",
            "FLOOR-REQUEST-INFORMATION.length",
            ErrorCode.UNPARSABLE,
        ),
        (
            "20 04 00 03  00 00 00 01  00 02 00 03  1f 0c 00 07  23 08 00 01  0b 04 08 00",
            "REQUEST-STATUS",
            ErrorCode.UNPARSABLE,
        ),
        (
            "20 04 00 02  00 00 00 01  00 02 00 03  1f 08 00 07  23 08 00 01",
            "FLOOR-REQUEST-STATUS.length",
            ErrorCode.UNPARSABLE,
        ),
        (
            "20 0c 00 01  00 00 00 01  00 02 00 03  17 03 01 00",
            "SUPPORTED-ATTRIBUTES",
            ErrorCode.UNPARSABLE,
        ),
        ("20 0d 00 00  00 00 00 01  00 02 00 03", "ERROR-CODE", ErrorCode.UNPARSABLE),
        (
            "20 0d 00 01  00 00 00 01  00 02 00 03  0d 02 00 00",
            "ERROR-CODE.length",
            ErrorCode.UNPARSABLE,
        ),
    ],
)
def test_what_else_is_refused(vector: str, field: str, code: ErrorCode) -> None:
    with pytest.raises(BfcpError) as refused:
        parse_message(typed(vector))
    assert (refused.value.field, refused.value.code) == (field, code)


def test_all_unknown_mandatory_attributes_are_named_once_also_those_in_groups() -> None:
    inside = "23 08 00 01  2d 04 00 00 "
    data = typed("20 04 00 05  00 00 00 01  00 02 00 03  29 04 00 00  1f 0c 00 07 " + inside
                 + "29 04 00 00")  # fmt: skip
    with pytest.raises(BfcpError) as refused:
        parse_message(data)
    assert refused.value.code is ErrorCode.UNKNOWN_MANDATORY_ATTRIBUTE
    assert refused.value.details == bytes((20 << 1, 22 << 1))


def test_unknown_optional_and_misplaced_attributes_are_left_out() -> None:
    data = typed(
        "20 01 00 05  00 00 00 01  00 02 00 03 "
        "28 04 00 00  05 04 00 01  1f 08 00 07  05 04 00 09  0d 03 01 00"
    )
    assert parse_message(data).body == FloorRequest((1,))


def test_a_floor_named_twice_is_one_and_reserved_priorities_are_normal() -> None:
    data = typed("20 01 00 03  00 00 00 01  00 02 00 03  04 04 00 01  05 04 00 01  09 04 ff ff")
    assert parse_message(data).body == FloorRequest((1,), priority=2)


def test_text_that_is_no_utf_8_can_still_be_read() -> None:
    data = typed("20 01 00 03  00 00 00 01  00 02 00 03  05 04 00 01  11 05 ff 61 00 00 00 00")
    assert parse_message(data).body == FloorRequest((1,), information="\ufffda")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Message(1 << 32, 2, 3, Hello()), "header.conference"),
        (Message(1, 65_536, 3, Hello()), "header.transaction"),
        (Message(1, 2, -1, Hello()), "header.user"),
        (Message(1, 2, 3, FloorRequest(())), "FLOOR-ID"),
        (Message(1, 2, 3, FloorRequest((65_536,))), "FLOOR-ID"),
        (Message(1, 2, 3, FloorRequest((1,), priority=8)), "PRIORITY"),
        (Message(1, 2, 3, FloorRequest((1,), information="x" * 254)), "PARTICIPANT-PROVIDED-INFO"),
        (Message(1, 2, 3, FloorRequest((1,), information="\ud800")), "PARTICIPANT-PROVIDED-INFO"),
    ],
)
def test_what_does_not_fit_is_not_written(message: Message, field: str) -> None:
    with pytest.raises(BfcpError) as refused:
        bytes(message)
    assert refused.value.field == field


def test_a_request_without_floors_and_too_much_of_it_are_not_written() -> None:
    with pytest.raises(BfcpError, match="names no floor"):
        bytes(RequestInformation(1, ()))
    floors = tuple(range(MAX_PAYLOAD_BYTES // 4 + 1))
    with pytest.raises(BfcpError, match=r"header\.length"):
        bytes(Message(1, 2, 3, FloorRequest(floors)))
