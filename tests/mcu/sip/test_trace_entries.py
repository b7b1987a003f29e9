"""What the ladder says of a message."""

from datetime import UTC, datetime

import pytest

from mcu.sip.trace import TracedMessage
from mcu.sip.trace_entries import MAX_SUMMARY, entry_of, summary_of

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n", "INVITE"),
        ("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n", "200 OK (INVITE)"),
        ("SIP/2.0 401 Unauthorized\r\ncseq :  7  REGISTER\r\n", "401 Unauthorized (REGISTER)"),
        ("SIP/2.0 180 Ringing", "180 Ringing"),
        ("", ""),
    ],
)
def test_summary(text: str, summary: str) -> None:
    assert summary_of(text) == summary


def test_what_found_no_way() -> None:
    text = "INVITE: no connection: Connection refused"
    message = TracedMessage(AT, "sent", "tcp:10.0.0.7:5060", text, "no connection")
    entry = entry_of(message)
    assert (entry.summary, entry.text, entry.failure) == (text, text, "no connection")
    assert (entry.transport, entry.remote) == ("tcp", "10.0.0.7:5060")


def test_summaries_are_short() -> None:
    text = f"SIP/2.0 500 {'x' * 500}\r\nCSeq: 1 INVITE\r\n"
    assert len(summary_of(text)) == MAX_SUMMARY
    assert summary_of(text).endswith("(INVITE)")
    assert len(summary_of("X" * 500)) == MAX_SUMMARY


def test_an_entry() -> None:
    entry = entry_of(TracedMessage(AT, "sent", "tls:[2001:db8::1]:5061", "BYE sip:a@b SIP/2.0"))
    assert (entry.transport, entry.remote, entry.summary) == ("tls", "[2001:db8::1]:5061", "BYE")
