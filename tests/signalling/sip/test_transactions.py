"""Every transition, every timer, and which message belongs to which transaction."""

from collections.abc import Callable
from typing import get_args

import pytest
from sipmessage import Request, Response

from signalling.sip.hop import Hop
from signalling.sip.message import response_to
from signalling.sip.statistics import SipStatistics
from signalling.sip.timers import TimerValues
from signalling.sip.transaction_table import TABLES, Happening, Kind, State
from signalling.sip.transactions import (
    AckArrived,
    Key,
    RequestArrived,
    ResponseArrived,
    TransactionEvent,
    TransactionFailed,
    Transactions,
)
from tests.signalling.sip.messages import CLIENT_BRANCH, request, response

UDP = Hop("udp", "192.0.2.7", 5060)
TCP = Hop("tcp", "192.0.2.7", 5060)
CODES = {"1xx": 180, "2xx": 200, "3xx-6xx": 486}
FIRST_TIMERS = {
    # When each timer first fires over UDP, counted from entering the state that starts it.
    "A": 0.5, "B": 32.0, "D": 32.0, "E": 0.5, "F": 32.0, "G": 0.5, "H": 32.0, "I": 5.0,
    "J": 32.0, "K": 5.0, "L": 32.0, "M": 32.0,
}  # fmt: skip

# kind, state, happening: state afterwards, what is sent, what the user is told. From RFC 3261
# figures 5 to 8 with RFC 6026 figures 1 to 4; what is not here changes nothing.
EXPECTED = """
INVITE client | calling    | timer A         | calling    | INVITE |
INVITE client | calling    | timer B         | terminated |        | timeout
INVITE client | calling    | transport error | terminated |        | transport error
INVITE client | calling    | 1xx             | proceeding |        | response
INVITE client | calling    | 2xx             | accepted   |        | response
INVITE client | calling    | 3xx-6xx         | completed  | ACK    | response
INVITE client | proceeding | 1xx             | proceeding |        | response
INVITE client | proceeding | 2xx             | accepted   |        | response
INVITE client | proceeding | 3xx-6xx         | completed  | ACK    | response
INVITE client | completed  | 3xx-6xx         | completed  | ACK    |
INVITE client | completed  | transport error | terminated |        | transport error
INVITE client | completed  | timer D         | terminated |        |
INVITE client | accepted   | 2xx             | accepted   |        | response
INVITE client | accepted   | timer M         | terminated |        |
client        | trying     | timer E         | trying     | INFO   |
client        | trying     | timer F         | terminated |        | timeout
client        | trying     | transport error | terminated |        | transport error
client        | trying     | 1xx             | proceeding |        | response
client        | trying     | 2xx             | completed  |        | response
client        | trying     | 3xx-6xx         | completed  |        | response
client        | proceeding | timer E         | proceeding | INFO   |
client        | proceeding | timer F         | terminated |        | timeout
client        | proceeding | transport error | terminated |        | transport error
client        | proceeding | 1xx             | proceeding |        | response
client        | proceeding | 2xx             | completed  |        | response
client        | proceeding | 3xx-6xx         | completed  |        | response
client        | completed  | timer K         | terminated |        |
INVITE server | proceeding | request         | proceeding | 180    |
INVITE server | proceeding | send 1xx        | proceeding | 180    |
INVITE server | proceeding | send 2xx        | accepted   | 200    |
INVITE server | proceeding | send 3xx-6xx    | completed  | 486    |
INVITE server | proceeding | transport error | proceeding |        | transport error
INVITE server | completed  | request         | completed  | 486    |
INVITE server | completed  | timer G         | completed  | 486    |
INVITE server | completed  | timer H         | terminated |        | timeout
INVITE server | completed  | ack             | confirmed  |        |
INVITE server | completed  | transport error | completed  |        | transport error
INVITE server | confirmed  | timer I         | terminated |        |
INVITE server | accepted   | send 2xx        | accepted   | 200    |
INVITE server | accepted   | ack             | accepted   |        | ack
INVITE server | accepted   | transport error | accepted   |        | transport error
INVITE server | accepted   | timer L         | terminated |        |
server        | trying     | send 1xx        | proceeding | 180    |
server        | trying     | send 2xx        | completed  | 200    |
server        | trying     | send 3xx-6xx    | completed  | 486    |
server        | proceeding | request         | proceeding | 180    |
server        | proceeding | send 1xx        | proceeding | 180    |
server        | proceeding | send 2xx        | completed  | 200    |
server        | proceeding | send 3xx-6xx    | completed  | 486    |
server        | proceeding | transport error | proceeding |        | transport error
server        | completed  | request         | completed  | 200    |
server        | completed  | transport error | completed  |        | transport error
server        | completed  | timer J         | terminated |        |
"""
STATES: dict[Kind, dict[State, tuple[str, ...]]] = {
    # How each state is come to.
    "INVITE client": {
        "calling": (),
        "proceeding": ("1xx",),
        "completed": ("3xx-6xx",),
        "accepted": ("2xx",),
    },
    "client": {"trying": (), "proceeding": ("1xx",), "completed": ("2xx",)},
    "INVITE server": {
        "proceeding": ("send 1xx",),
        "completed": ("send 3xx-6xx",),
        "confirmed": ("send 3xx-6xx", "ack"),
        "accepted": ("send 2xx",),
    },
    "server": {"trying": (), "proceeding": ("send 1xx",), "completed": ("send 2xx",)},
}
METHODS: dict[Kind, str] = {
    "INVITE client": "INVITE",
    "client": "INFO",
    "INVITE server": "INVITE",
    "server": "INFO",
}


class Bench:
    """One transaction, and what can happen to it."""

    def __init__(self, kind: Kind, hop: Hop = UDP) -> None:
        self.now = 100.0
        self.kind = kind
        self.statistics = SipStatistics()
        self.layer = Transactions(TimerValues(), self.statistics)
        self.method = METHODS[kind]
        self.key: Key
        if kind.endswith("client"):
            self.sent = request(self.method, CLIENT_BRANCH).message
            self.key = self.layer.request(self.sent, CLIENT_BRANCH, hop, self.now)
        else:
            self.received = request(self.method)
            (arrived,) = self.layer.receive_request(self.received, hop, self.now)
            assert isinstance(arrived, RequestArrived)
            self.key = arrived.key
        self.hop = hop
        self.taken()

    def happen(self, happening: str) -> list[TransactionEvent]:
        if happening in CODES:
            return self.layer.receive_response(response(self.sent, CODES[happening]), self.now)
        if happening.startswith("send "):
            answer = response_to(self.received, CODES[happening[5:]], "tag")
            self.layer.respond(self.key, answer, self.now)
            return []
        if happening == "request":
            return self.layer.receive_request(request(self.method), self.hop, self.now)
        if happening == "ack":
            ack = request("ACK", to_tag="tag")
            return self.layer.receive_request(ack, self.hop, self.now)
        if happening == "transport error":
            return self.layer.transport_failed(self.key, self.now)
        raise AssertionError(happening)

    def taken(self) -> list[str]:
        """What was put out since last asked, by method or code."""
        sent = []
        while self.layer.outgoing:
            out = self.layer.outgoing.popleft()
            assert out.transaction == self.key
            message = out.message
            sent.append(message.method if isinstance(message, Request) else str(message.code))
        return sent

    def run(self, until: float) -> list[tuple[float, str]]:
        """Let time pass; what is sent or told, and when."""
        log = []
        start = self.now
        while (at := self.layer.next_timer()) is not None and at <= start + until:
            self.now = at
            events = self.layer.handle_timer(at)
            log += [(round(at - start, 6), what) for what in (*self.taken(), *told(events))]
        self.now = start + until
        return log


def told(events: list[TransactionEvent]) -> list[str]:
    names = []
    for event in events:
        if isinstance(event, TransactionFailed):
            names.append(event.reason)
        elif isinstance(event, ResponseArrived):
            names.append("response")
        elif isinstance(event, AckArrived):
            names.append("ack")
        else:
            names.append("request")
    return names


def expected() -> dict[tuple[str, str, str], tuple[str, str, str]]:
    rows = {}
    for line in EXPECTED.strip().splitlines():
        kind, state, happening, after, sent, tells = (part.strip() for part in line.split("|"))
        rows[kind, state, happening] = (after, sent, tells)
    return rows


ROWS = expected()
TIMERS = [f"timer {name}" for name in FIRST_TIMERS]
INPUTS: dict[bool, list[str]] = {
    True: [*CODES, "transport error", *TIMERS],
    False: [*(f"send {name}" for name in CODES), "request", "ack", "transport error", *TIMERS],
}


def pairs() -> list[tuple[Kind, State, str]]:
    return [
        (kind, state, happening)
        for kind, states in STATES.items()
        for state in states
        for happening in INPUTS[kind.endswith("client")]
        if not (kind == "server" and happening == "ack")
    ]


@pytest.mark.parametrize(("kind", "state", "happening"), pairs())
def test_every_transition(kind: Kind, state: State, happening: str) -> None:
    bench = Bench(kind)
    for step in STATES[kind][state]:
        bench.happen(step)
    bench.taken()
    assert bench.layer.state(bench.key) == state
    row = ROWS.get((kind, state, happening))
    if happening.startswith("timer "):
        if row is None:
            return  # no way to make a timer fire that does not run: see the tests of timing
        log = bench.run(FIRST_TIMERS[happening[-1]])
        sent, tells = row[1], row[2]
        if sent or tells:
            assert log[-1] == (FIRST_TIMERS[happening[-1]], sent or tells)
        assert bench.layer.state(bench.key) == row[0]
        return
    events = bench.happen(happening)
    after, sent, tells = row or (state, "", "")
    assert bench.layer.state(bench.key) == after
    assert bench.taken() == ([sent] if sent else [])
    assert told(events) == ([tells] if tells else [])


def test_the_table_holds_what_is_expected_and_nothing_else() -> None:
    rows = {
        (kind, state, happening)
        for kind, table in TABLES.items()
        for state, happening in table
        if happening != "start"
    }
    assert rows == set(ROWS)
    for kind, state, happening in rows:
        assert happening in get_args(Happening)
        assert TABLES[kind][state, happening].state == ROWS[kind, state, happening][0]


def geometric(first: float, most: float, end: float) -> list[float]:
    times, pause, at = [], first, first
    while at < end:
        times.append(at)
        pause = min(pause * 2, most)
        at += pause
    return times


def test_timers_a_and_b() -> None:
    assert Bench("INVITE client").run(100) == [
        *((at, "INVITE") for at in (0.5, 1.5, 3.5, 7.5, 15.5, 31.5)),
        (32.0, "timeout"),
    ]
    assert Bench("INVITE client", TCP).run(100) == [(32.0, "timeout")]


def test_timers_e_and_f() -> None:
    repeated = geometric(0.5, 4.0, 32.0)
    assert repeated == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert Bench("client").run(100) == [*((at, "INFO") for at in repeated), (32.0, "timeout")]
    assert Bench("client", TCP).run(100) == [(32.0, "timeout")]


def test_timer_e_after_a_provisional_response() -> None:
    bench = Bench("client")
    bench.happen("1xx")
    assert bench.run(100) == [
        *((0.5 + 4.0 * step, "INFO") for step in range(8)),
        (32.0, "timeout"),
    ]


def test_an_invite_that_rings_is_not_repeated_and_has_no_end_here() -> None:
    bench = Bench("INVITE client")
    bench.happen("1xx")
    assert bench.run(10_000) == []
    assert bench.layer.state(bench.key) == "proceeding"


def test_timers_g_and_h() -> None:
    bench = Bench("INVITE server")
    bench.happen("send 3xx-6xx")
    bench.taken()
    times = geometric(0.5, 4.0, 32.0)
    assert bench.run(100) == [*((at, "486") for at in times), (32.0, "timeout")]
    stream = Bench("INVITE server", TCP)
    stream.happen("send 3xx-6xx")
    stream.taken()
    assert stream.run(100) == [(32.0, "timeout")]


@pytest.mark.parametrize(
    ("kind", "steps", "udp_s", "tcp_s"),
    [
        ("INVITE client", ("3xx-6xx",), 32.0, 0.0),  # D
        ("client", ("2xx",), 5.0, 0.0),  # K
        ("INVITE server", ("send 3xx-6xx", "ack"), 5.0, 0.0),  # I
        ("server", ("send 2xx",), 32.0, 0.0),  # J
        ("INVITE server", ("send 2xx",), 32.0, 32.0),  # L
        ("INVITE client", ("2xx",), 32.0, 32.0),  # M
    ],
)
def test_when_transactions_are_forgotten(
    kind: Kind, steps: tuple[str, ...], udp_s: float, tcp_s: float
) -> None:
    for hop, seconds in ((UDP, udp_s), (TCP, tcp_s)):
        bench = Bench(kind, hop)
        for step in steps:
            bench.happen(step)
        bench.taken()
        if seconds:
            bench.run(seconds - 0.001)
            assert len(bench.layer) == 1
            bench.run(0.001)
        assert len(bench.layer) == 0
        assert bench.layer.next_timer() is None


def test_other_times_follow_from_t1() -> None:
    layer = Transactions(TimerValues(t1_s=0.1), SipStatistics())
    layer.request(request("INFO").message, CLIENT_BRANCH, UDP, 0.0)
    assert layer.next_timer() == pytest.approx(0.1)


def test_ack_of_a_refusal_is_made_as_the_standard_wants() -> None:
    bench = Bench("INVITE client")
    bench.sent.headers.setlist("Route", ["<sip:proxy.example.com;lr>"])
    bench.layer.outgoing.clear()
    bench.layer.receive_response(response(bench.sent, 404), bench.now)
    ack = bench.layer.outgoing.popleft().message
    assert isinstance(ack, Request)
    assert str(ack.uri) == str(bench.sent.uri)
    for name in ("From", "Call-ID", "Route", "Max-Forwards"):
        assert ack.headers.getlist(name) == bench.sent.headers.getlist(name)
    assert ack.headers.getlist("Via") == bench.sent.headers.getlist("Via")
    assert ack.headers["To"].endswith(";tag=far")
    assert ack.headers["CSeq"] == "1 ACK"
    assert ack.body == b""


def test_what_cannot_be_answered_any_more() -> None:
    bench = Bench("server")
    answer = response_to(bench.received, 200)
    assert bench.layer.respond(bench.key, answer, bench.now)
    assert not bench.layer.respond(bench.key, answer, bench.now)
    assert not bench.layer.respond(("no", "such"), answer, bench.now)


Change = Callable[[Transactions], list[TransactionEvent]]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (request("INFO"), True),
        (request("INFO", "z9hG4bKother"), False),
        (request("INFO", via="SIP/2.0/UDP 192.0.2.8:5060"), False),
        (request("INFO", via="SIP/2.0/UDP 192.0.2.7"), False),
        (request("OPTIONS"), False),
        (request("INFO", call_id="another"), True),
    ],
)
def test_matching_by_branch(other: object, same: bool) -> None:
    bench = Bench("server")
    events = bench.layer.receive_request(other, UDP, bench.now)  # type: ignore[arg-type]
    assert (events == []) is same
    assert len(bench.layer) == (1 if same else 2)


@pytest.mark.parametrize("branch", ["old", "z9hG4bK", ""])
def test_matching_of_clients_of_rfc_2543(branch: str) -> None:
    layer = Transactions(TimerValues(), SipStatistics())
    invite = request("INVITE", branch)
    (arrived,) = layer.receive_request(invite, UDP, 0.0)
    assert isinstance(arrived, RequestArrived)
    assert layer.receive_request(invite, UDP, 0.0) == []
    for other in (
        request("INVITE", branch, cseq=2),
        request("INVITE", branch, call_id="another"),
        request("INVITE", branch, from_tag="another"),
    ):
        (new,) = layer.receive_request(other, UDP, 0.0)
        assert isinstance(new, RequestArrived)
    assert layer.matching_invite(request("CANCEL", branch)) == arrived.key
    layer.respond(arrived.key, response_to(invite, 486, "tag"), 0.0)
    assert layer.receive_request(request("ACK", branch, to_tag="tag"), UDP, 0.0) == []
    assert layer.state(arrived.key) == "confirmed"


def test_cancel_finds_its_invite_and_is_a_transaction_of_its_own() -> None:
    bench = Bench("INVITE server")
    cancel = request("CANCEL")
    assert bench.layer.matching_invite(cancel) == bench.key
    (arrived,) = bench.layer.receive_request(cancel, UDP, bench.now)
    assert isinstance(arrived, RequestArrived)
    assert arrived.key != bench.key
    assert bench.layer.matching_invite(request("CANCEL", "z9hG4bKother")) is None


def test_ack_of_a_success_belongs_to_nobody_here() -> None:
    bench = Bench("INVITE server")
    bench.happen("send 2xx")
    (ack,) = bench.layer.receive_request(request("ACK", "z9hG4bKnew", to_tag="tag"), UDP, 0.0)
    assert isinstance(ack, AckArrived)


def test_responses_that_answer_nothing_are_dropped_and_counted() -> None:
    bench = Bench("INVITE client")
    stranger = request("INVITE", "z9hG4bKother").message
    assert bench.layer.receive_response(response(stranger, 200), bench.now) == []
    passed_on = request("INVITE", CLIENT_BRANCH).message
    passed_on.headers.add("Via", "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKx")
    assert bench.layer.receive_response(response(passed_on, 200), bench.now) == []
    assert bench.statistics.dropped == {"response to nothing": 2}


def test_what_is_counted() -> None:
    bench = Bench("client")
    bench.run(100)
    assert bench.statistics.transactions == {"client": 1}
    assert bench.statistics.repetitions == {"sent": 10}
    assert bench.statistics.failures == {"timeout": 1}
    server = Bench("server")
    server.happen("request")
    assert server.statistics.repetitions == {"received": 1}


def test_a_response_is_sent_where_it_is_told() -> None:
    hop = Hop("udp", "198.51.100.9", 40_000)
    bench = Bench("server", hop)
    bench.happen("send 2xx")
    out = bench.layer.outgoing.popleft()
    assert out.hop == hop
    assert isinstance(out.message, Response)
