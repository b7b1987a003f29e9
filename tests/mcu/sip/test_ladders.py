"""Whose messages are whose, in their order, and why there were none."""

from datetime import UTC, datetime, timedelta

from mcu.sip.call_outcomes import NoPlace
from mcu.sip.ladders import MAX_TRACED, TRACED_CALLS, Ladders
from mcu.sip.trace import MAX_CALLS, Trace

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
ROOM = ("meeting", "b1")
NO_NAME = NoPlace("sip:b1@room.test", "lookup", "room.test (NAPTR, SRV _sip._udp, A, AAAA)")


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def said(trace: Trace, call_id: str, at: datetime, text: str = "INVITE sip:a@b SIP/2.0") -> None:
    data = f"{text}\r\nCall-ID: {call_id}\r\nUser-Agent: Codec {call_id}\r\n\r\n"
    trace.add(data.encode(), "received", "udp:192.0.2.7:5060", at)
    trace.keep(call_id)


def test_who_never_called_has_no_ladder() -> None:
    assert Ladders(Trace()).entries(ROOM) is None
    assert Ladders(Trace()).user_agent(ROOM) is None


def test_calls_that_overlap_are_told_in_their_order() -> None:
    trace = Trace()
    ladders = Ladders(trace)
    for call_id, times in (("one", (0, 3)), ("two", (1, 2))):
        for seconds in times:
            said(trace, call_id, after(seconds))
        ladders.keep(ROOM, call_id)
    assert [entry.time for entry in ladders.entries(ROOM) or ()] == [after(n) for n in range(4)]
    assert ladders.user_agent(ROOM) == "Codec one"


def test_a_name_that_nobody_knows_stands_in_the_ladder_each_time_it_was_asked_for() -> None:
    trace = Trace()
    ladders = Ladders(trace)
    ladders.nowhere(ROOM, NO_NAME, AT)
    said(trace, "one", after(1))
    ladders.keep(ROOM, "one")
    ladders.nowhere(ROOM, NO_NAME, after(2))
    first, _, last = ladders.entries(ROOM) or ()
    assert (first.time, last.time) == (AT, after(2))
    assert (last.direction, last.transport, last.remote) == ("sent", "udp", "room.test")
    assert last.failure == (
        "the name is known neither to DNS nor to /etc/hosts: "
        "room.test (NAPTR, SRV _sip._udp, A, AAAA)"
    )
    assert last.text == f"INVITE: {last.failure}"
    assert (last.failure_cause, last.failure_detail) == ("lookup", NO_NAME.detail)


def test_what_is_no_address_stands_there_as_it_was_written() -> None:
    ladders = Ladders(Trace())
    ladders.nowhere(ROOM, NoPlace("sip:[::1", "address", "the bracket is not closed"), AT)
    (entry,) = ladders.entries(ROOM) or ()
    assert (entry.remote, entry.failure_cause) == ("sip:[::1", "address")


def test_attempts_that_found_no_way_count_as_any_others() -> None:
    trace = Trace()
    ladders = Ladders(trace)
    said(trace, "one", AT)
    ladders.keep(ROOM, "one")
    for number in range(1, MAX_CALLS + 1):
        ladders.nowhere(ROOM, NO_NAME, after(number))
    entries = ladders.entries(ROOM) or ()
    assert [entry.time for entry in entries] == [
        after(number) for number in range(MAX_CALLS + 1 - TRACED_CALLS, MAX_CALLS + 1)
    ]
    assert ladders.of_call("one"), "calls are not pushed out by attempts that became none"
    said(trace, "two", after(1_000))
    ladders.keep(ROOM, "two")
    assert [entry.failure is None for entry in ladders.entries(ROOM) or ()] == [False] * 4 + [True]
    for number in range(MAX_TRACED):
        ladders.nowhere(("meeting", str(number)), NO_NAME, after(2_000))
    assert ladders.entries(ROOM) is None


def test_a_peer_cannot_write_into_anothers_lookups() -> None:
    trace = Trace()
    ladders = Ladders(trace)
    ladders.nowhere(ROOM, NO_NAME, AT)
    said(trace, "lookup 1", after(1))
    assert len(ladders.entries(ROOM) or ()) == 1


def test_what_is_kept_is_bounded() -> None:
    trace = Trace()
    ladders = Ladders(trace)
    for number in range(TRACED_CALLS + 1):
        said(trace, f"call-{number}", after(number))
        ladders.keep(ROOM, f"call-{number}")
    assert next(entry.time for entry in ladders.entries(ROOM) or ()) == after(1)
    for number in range(MAX_TRACED):
        ladders.keep(("meeting", str(number)), "call-1")
    assert ladders.entries(ROOM) is None
