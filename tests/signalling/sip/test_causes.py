"""Words for status codes, and Reason."""

import pytest
from sipmessage import Headers

from signalling.sip.causes import Cause, Reason, cause_of, read_reason, retry_after


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (486, "busy"),
        (600, "busy"),
        (408, "no answer"),
        (480, "no answer"),
        ("timeout", "no answer"),
        (503, "unreachable"),
        ("transport error", "unreachable"),
        (603, "declined"),
        (401, "unauthorized"),
        (407, "unauthorized"),
        (302, "moved"),
        (487, "cancelled"),
        (488, "not acceptable"),
        (404, "not found"),
        (599, "failed"),
    ],
)
def test_causes(outcome: int, cause: Cause) -> None:
    assert cause_of(outcome) == cause


def headers(name: str, value: str) -> Headers:
    made = Headers()
    made.add(name, value)
    return made


@pytest.mark.parametrize(
    "reason",
    [Reason(), Reason("Q.850", 16, "Normal"), Reason("SIP", 486, 'he said "no"')],
)
def test_written_and_read(reason: Reason) -> None:
    read = read_reason(headers("Reason", str(reason)))
    assert read is not None
    assert (read.protocol, read.cause) == (reason.protocol, reason.cause)
    assert str(Reason(text="a\r\nB: c")) == 'SIP;cause=200;text="a B: c"'


@pytest.mark.parametrize("value", ["", "SIP", "SIP;cause=", "SIP;cause=x", ";;;", 'text="x'])
def test_reasons_that_are_none(value: str) -> None:
    assert read_reason(headers("Reason", value)) is None
    assert read_reason(Headers()) is None


def test_retry_after() -> None:
    assert retry_after(headers("Retry-After", "18 (soon)")) == 18
    assert retry_after(headers("Retry-After", "soon")) is None
    assert retry_after(Headers()) is None
