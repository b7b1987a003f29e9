"""What calls over a lossy link (``test_lossy_link``) do not show: other paths over the same link.

10% lost, 10% doubled, out of order, by seed: reliable provisional responses, credentials asked for,
session timers, OPTIONS, redirections, registrations and subscriptions; nothing is left over.
"""

import random

import pytest
from sipmessage import Response

from signalling.sip.conference_info import ConferenceInfo, ConferenceUser
from signalling.sip.digest import Credentials, DigestVerifier, answer, ha1
from signalling.sip.effects import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgressed,
    CallReceived,
    Event,
    OptionsAnswered,
)
from signalling.sip.hop import Hop
from signalling.sip.message import ReceivedRequest, ReceivedResponse, encode, parse_message
from signalling.sip.registrar import BindingsChanged, Registrar
from signalling.sip.session_timer import SessionPolicy
from signalling.sip.settings import AgentSettings, Listener
from tests.signalling.sip.messages import request_text
from tests.signalling.sip.test_lossy_link import check_order, settle
from tests.signalling.sip.virtual_link import ANSWER, BAD, End, Link, pair

SEEDS = range(50)
ROOM = Credentials("room", "secret")
T1_S, T2_S, GIVE_UP_S = 0.5, 4.0, 32.0


def verifier() -> DigestVerifier:
    return DigestVerifier(
        "mcu", lambda user, kind: ha1(user, "mcu", "secret", kind) if user == "room" else None
    )


def settings(host: str, **more: object) -> AgentSettings:
    return AgentSettings((Listener("udp", host, 5060),), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_reliable_ringing_before_an_answer(seed: int) -> None:
    """Each provisional response that says something is acknowledged by PRACK (RFC 3262)."""
    link, ours, theirs = pair(seed, BAD)

    def callee(event: Event) -> None:
        if isinstance(event, CallReceived):
            link.at(0.3, lambda: theirs.do("ring", event.call, code=183, sdp=ANSWER))
            link.at(4.0, lambda: theirs.do("ring", event.call, code=180))
            link.at(9.0, lambda: theirs.do("accept", event.call, ANSWER))

    theirs.hooks.append(callee)
    call = ours.call(theirs)
    link.run(40.0)
    progressed = ours.of(CallProgressed)
    assert progressed[0].sdp == ANSWER
    assert ours.one(CallAnswered)
    assert link.sent("PRACK", ours)
    ours.do("hang_up", call)
    settle(link)
    check_order(ours)


@pytest.mark.parametrize("seed", SEEDS)
def test_credentials_are_asked_for(seed: int) -> None:
    link = Link(seed, BAD)
    ours = End(link, "192.0.2.1")
    theirs = End(link, "192.0.2.2", verifier=verifier())
    theirs.answers()
    call = ours.call(theirs, credentials=ROOM)
    refused = ours.call(theirs, credentials=Credentials("room", "guessed"))
    link.run(70.0)
    assert ours.of(CallAnswered)[0].call == call
    (wrong,) = (event for event in ours.of(CallEnded) if event.call == refused)
    assert wrong.cause == "unauthorized"
    assert theirs.one(CallConfirmed)
    ours.do("hang_up", call)
    settle(link)


@pytest.mark.parametrize("seed", SEEDS)
def test_session_timers_keep_a_call(seed: int) -> None:
    """Refreshed for an hour: the call stands; then a side vanishes, and it ends.

    Every 90 of 180 seconds: with the 90 that the RFC allows, a refresh that got through
    in the last of its 32 seconds comes too late for the next.
    """
    link = Link(seed, BAD)
    policy = SessionPolicy(wanted_s=180, least_s=90)
    ours = End(link, "192.0.2.1", settings=settings("192.0.2.1", session=policy))
    theirs = End(link, "192.0.2.2", settings=settings("192.0.2.2", session=policy))
    theirs.answers()
    ours.call(theirs)
    link.run(3_600.0)
    assert not ours.of(CallEnded)
    assert not theirs.of(CallEnded)
    assert len(link.sent("UPDATE")) > 30
    link.cut.add(theirs.host)
    link.run(250.0)
    assert ours.one(CallEnded).cause == "gone"
    assert theirs.one(CallEnded).cause == "gone"
    link.cut.clear()
    settle(link)


@pytest.mark.parametrize("seed", SEEDS)
def test_options_and_redirections(seed: int) -> None:
    link, ours, theirs = pair(seed, BAD)
    asked = [ours.do("ask_options", theirs.address, caller=f"<{ours.address}>") for _ in range(10)]

    def callee(event: Event) -> None:
        if isinstance(event, CallReceived):
            theirs.do("redirect", event.call, ("sip:room@192.0.2.9",))

    theirs.hooks.append(callee)
    call = ours.call(theirs)
    link.run(70.0)
    found = ours.of(OptionsAnswered)
    assert sorted(event.request for event in found) == sorted(asked)
    assert {event.outcome for event in found} == {200}
    ended = ours.one(CallEnded)
    assert (ended.call, ended.cause, ended.contacts) == (call, "moved", ("sip:room@192.0.2.9",))
    settle(link)


class Client:
    """A room that sends requests as RFC 3261 section 17.1.2 wants it, and answers NOTIFY."""

    def __init__(self, link: Link, server: End, host: str) -> None:
        self.link, self.server, self.host = link, server, host
        self.final: dict[int, ReceivedResponse] = {}
        self.documents: list[str] = []
        self.states: list[str] = []
        self._sequence = 0
        self._rng = random.Random(host)
        link.ends[host] = self  # type: ignore[assignment]
        self.agent = self

    # The link asks it like an end; it has no timers of its own.

    def next_timer(self) -> None:
        return None

    def flush(self) -> None: ...

    def tick(self) -> None: ...

    def take(self, data: bytes, source: Hop) -> None:
        received = parse_message(data)
        if isinstance(received, ReceivedRequest):
            self.states.append(received.headers["Subscription-State"] or "")
            self.documents.append(received.body.decode())
            answered = Response(200, "OK")
            for name in ("Via", "From", "To", "Call-ID", "CSeq"):
                answered.headers.setlist(name, list(received.headers.getlist(name)))
            answered.headers.set("Content-Length", "0")
            self._send(encode(answered))
        elif received.code >= 200:
            self.final.setdefault(received.envelope.cseq.sequence, received)

    def ask(self, method: str, *fields: str, to_tag: str = "", signs: bool = True) -> int:
        """Send a request until it is answered; its number. Once more with credentials if asked."""
        self._sequence += 1
        number = self._sequence
        data = request_text(
            method, f"z9hG4bK{self.host}.{number}", f"Contact: <sip:room@{self.host}>", *fields,
            via=f"SIP/2.0/UDP {self.host}", uri="sip:192.0.2.1" if method == "REGISTER" else
            "sip:mcu@192.0.2.1", cseq=number, to_tag=to_tag, call_id=f"{method}@{self.host}",
        )  # fmt: skip
        data = (
            data.replace(b"To: <sip:mcu@192.0.2.1>", b"To: <sip:room@192.0.2.1>")
            if (method == "REGISTER")
            else data
        )
        self._repeat(number, data, 0.0, T1_S)
        return number

    def signed(self, number: int, method: str, uri: str) -> str:
        """The field that answers a challenge."""
        challenges = self.final[number].headers.getlist("WWW-Authenticate")
        return f"Authorization: {answer(challenges, method, uri, ROOM)}"

    def _repeat(self, number: int, data: bytes, waited_s: float, next_s: float) -> None:
        if number in self.final or waited_s >= GIVE_UP_S:
            return
        self._send(data)
        again = min(2 * next_s, T2_S)
        self.link.at(next_s, lambda: self._repeat(number, data, waited_s + next_s, again))

    def _send(self, data: bytes) -> None:
        faults = self.link.faults
        source = Hop("udp", self.host, 5060)
        for _ in range(1 + (self.link.rng.random() < faults.doubled)):
            if self.link.rng.random() >= faults.loss:
                delay = faults.delay_s + self.link.rng.random() * faults.jitter_s
                self.link.at(delay, lambda: self.server.take(data, source))


@pytest.mark.parametrize("seed", SEEDS)
def test_registrations(seed: int) -> None:
    """Challenged, signed in once whatever is doubled, renewed, and gone without a trace."""
    link = Link(seed, BAD)
    registrar = Registrar()
    server = End(link, "192.0.2.1", verifier=verifier(), registrar=registrar)
    client = Client(link, server, "192.0.2.7")
    for expires, there in ((60, 1), (60, 1), (0, 0)):
        first = client.ask("REGISTER", f"Expires: {expires}")
        link.run(GIVE_UP_S)
        assert client.final[first].code == 401
        field = client.signed(first, "REGISTER", "sip:192.0.2.1")
        second = client.ask("REGISTER", f"Expires: {expires}", field)
        link.run(20.0)
        assert client.final[second].code == 200
        assert len(registrar) == there
    changes = server.of(BindingsChanged)
    assert [len(event.bindings) for event in changes][-1] == 0
    assert server.agent.statistics.registrations["accepted"] == 3
    link.run(100.0)
    assert server.agent.is_idle
    assert server.agent.next_timer() is None


@pytest.mark.parametrize("seed", SEEDS)
def test_subscriptions(seed: int) -> None:
    """The last document arrives, the end is told, and nothing stays."""
    link = Link(seed, BAD)
    server = End(link, "192.0.2.1")
    info = ConferenceInfo("sip:mcu@192.0.2.1", "Họp", ())
    server.do("show_conference", "mcu", info)
    client = Client(link, server, "192.0.2.7")
    first = client.ask("SUBSCRIBE", "Event: conference", "Expires: 600")
    link.run(20.0)
    assert client.final[first].code == 200
    tag = client.final[first].envelope.to_tag
    for number in range(5):
        who = tuple(ConferenceUser(f"sip:r{n}@b") for n in range(number + 1))
        changed = ConferenceInfo("sip:mcu@192.0.2.1", "Họp", who)
        server.do("show_conference", "mcu", changed)
        link.run(10.0)
    link.run(30.0)
    assert any("sip:r4@b" in document for document in client.documents)
    last = client.ask("SUBSCRIBE", "Event: conference", "Expires: 0", to_tag=tag)
    link.run(60.0)
    assert client.final[last].code == 200
    assert any(state.startswith("terminated") for state in client.states)
    server.do("show_conference", "mcu", None)
    link.run(100.0)
    assert server.agent.is_idle
    assert server.agent.next_timer() is None
