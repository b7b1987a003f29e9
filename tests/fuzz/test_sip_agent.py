"""An agent between an owner that does anything and a peer that sends anything, at any time.

Invariant: no message, command or timer raises; of a call nothing is told after its end; and when
the owner has hung up and time has passed, nothing is left: no call, transaction, subscription or
timer.
"""

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sipmessage import Request

from signalling.sip.conference_info import ConferenceInfo, ConferenceUser
from signalling.sip.digest import Credentials
from signalling.sip.effects import CallEnded, CallReceived
from signalling.sip.hop import Hop
from signalling.sip.message import encode
from signalling.sip.registrar import Registrar
from signalling.sip.transactions import SendMessage
from tests.signalling.sip.messages import request_text, response
from tests.signalling.sip.scripted import Scripted
from tests.signalling.sip.torture import message, names
from tests.signalling.sip.virtual_link import ANSWER, OFFER

METHODS = st.sampled_from(
    ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY",
     "SUBSCRIBE", "REGISTER", "MESSAGE"]
)  # fmt: skip
FIELDS = st.lists(
    st.sampled_from(
        [
            "Contact: <sip:room@192.0.2.7>",
            "Contact: <sip:room@192.0.2.7;transport=tcp>",
            "Contact: <sip:room@192.0.2.7;transport=ws>",
            "Contact: *",
            "Contact: <tel:+84>",
            "Record-Route: <sip:192.0.2.50;lr>, <sip:192.0.2.51>",
            "Record-Route: <tel:+84>",
            "Supported: 100rel, timer",
            "Require: 100rel",
            "Session-Expires: 100;refresher=uac",
            "Session-Expires: 90;refresher=uas",
            "Session-Expires: x",
            "Min-SE: 2000",
            "Event: conference",
            "Event: refer",
            "Expires: 0",
            "Expires: 60",
            "Subscription-State: terminated",
            "Refer-To: <sip:other@192.0.2.9>",
            "Refer-To: x",
            "RAck: 1 1 INVITE",
            "RSeq: 1",
            "RSeq: 2",
            "Allow: INVITE, ACK, BYE",
            "Allow: INVITE, ACK, BYE, UPDATE",
            "Retry-After: 1",
            "Retry-After: x",
            "Reason: SIP;cause=x",
            'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"',
            'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", stale=true',
            'Proxy-Authenticate: Digest realm="r", nonce="n"',
            "Content-Type: application/sdp",
            "Content-Type: application/media_control+xml",
            "Content-Type: application/dtmf-relay",
            "Content-Encoding: gzip",
        ]
    ),
    max_size=6,
    unique_by=lambda field: field.partition(":")[0],
)
BODIES = st.sampled_from([b"", b"", OFFER, ANSWER, b"Signal=1", b"\0\xff"])
CODES = st.sampled_from(
    [100, 180, 183, 199, 200, 202, 299, 302, 401, 404, 407, 408, 422, 481, 486, 487, 488, 491, 500,
     503, 600]
)  # fmt: skip
TORTURE = [message("rfc4475", name) for name in names("rfc4475")]


class AgentMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.peer = Scripted(registrar=Registrar())
        self.branch = 0
        self.checked = 0
        self.over: set[str] = set()
        self.names: list[str] = []
        self.tags = [""]
        self.call_ids = ["call@192.0.2.7"]
        self.ours: list[Request] = []
        self.dialogs: list[tuple[str, str, str]] = []  # Call-ID, the agent's tag, the peer's
        self.cseq = 100
        self.rng = random.Random(1)

    def look(self) -> None:
        """Remember names of what the agent sent, so that the peer can use them."""
        for sent in self.peer.sent[-50:]:
            text = sent.message
            if isinstance(text, Request):
                if text not in self.ours and text.method != "ACK":
                    self.ours.append(text)
                tag = text.headers["From"].partition("tag=")[2]
            else:
                tag = text.headers["To"].partition("tag=")[2]
            if tag not in self.tags:
                self.tags.append(tag)
            if (call_id := text.headers["Call-ID"]) not in self.call_ids:
                self.call_ids.append(call_id)
        del self.peer.sent[:]
        for event in self.peer.events[self.checked :]:
            call = getattr(event, "call", None)
            assert call is None or call not in self.over, event
            if isinstance(event, CallEnded):
                self.over.add(event.call)
            if isinstance(event, CallReceived):
                self.names.append(event.call)
        self.checked = len(self.peer.events)

    @rule(
        method=METHODS, fields=FIELDS, body=BODIES, cseq=st.integers(1, 6), old=st.booleans(),
        where=st.integers(0, 50), stream=st.booleans(), cut=st.integers(0, 400),
    )  # fmt: skip
    def peer_asks(
        self, method: str, fields: list[str], body: bytes, cseq: int, old: bool, where: int,
        stream: bool, cut: int,
    ) -> None:  # fmt: skip
        self.branch += not old
        data = request_text(
            method,
            f"z9hG4bK{self.branch}",
            *fields,
            to_tag=self.tags[-1 - where % len(self.tags)] if where % 3 else "",
            call_id=self.call_ids[-1 - where % len(self.call_ids)],
            cseq=cseq,
            body=body,
        )
        if cut > 390:
            at = self.rng.randrange(len(data))
            data = data[:at] + bytes((self.rng.randrange(256),)) + data[at + 1 :]
        self.peer.source = Hop("tcp" if stream else "udp", "192.0.2.7", 5060, 1 if stream else None)
        self.peer.receive(data)
        self.look()

    @rule(
        code=CODES, fields=FIELDS, body=BODIES, which=st.integers(0, 5), tag=st.sampled_from("ab")
    )
    def peer_answers(self, code: int, fields: list[str], body: bytes, which: int, tag: str) -> None:
        if not self.ours:
            return
        asked = self.ours[-1 - which % len(self.ours)]
        answered = response(asked, code, *fields, to_tag=tag).message
        answered.body = body
        self.peer.receive(encode(answered))
        self.look()

    @rule(
        method=METHODS, fields=FIELDS, body=BODIES, which=st.integers(0, 2), ack=st.integers(0, 2)
    )  # fmt: skip
    def peer_asks_in_dialog(
        self, method: str, fields: list[str], body: bytes, which: int, ack: int
    ) -> None:
        """What belongs to a call."""
        if not self.dialogs:
            return
        call_id, tag, from_tag = self.dialogs[-1 - which % len(self.dialogs)]
        self.branch += 1
        self.cseq += 1
        data = request_text(
            method,
            f"z9hG4bK{self.branch}",
            *fields,
            to_tag=tag,
            from_tag=from_tag,
            call_id=call_id,
            cseq=self.cseq - ack if method == "ACK" else self.cseq,
            body=body,
        )
        self.peer.receive(data)
        self.look()

    @rule(late=st.booleans(), confirmed=st.booleans())
    def peer_calls_and_is_answered(self, late: bool, confirmed: bool) -> None:
        self.branch += 1
        call_id, branch = f"in {self.branch}", f"z9hG4bK{self.branch}"
        fields = ("Contact: <sip:room@192.0.2.7>", "Supported: timer, 100rel")
        body = b"" if late else OFFER
        offer = ("Content-Type: application/sdp",) if body else ()
        self.peer.request("INVITE", branch, *fields, *offer, call_id=call_id, body=body)
        self.look()
        assert self.peer.agent.accept(self.names[-1], ANSWER, self.peer.now)
        (accepted,) = self.peer.taken()
        tag = accepted.headers["To"].partition("tag=")[2]
        self.dialogs.append((call_id, tag, "peer"))
        if confirmed:
            body = OFFER if late else b""
            self.peer.request("ACK", f"{branch}ack", to_tag=tag, call_id=call_id, body=body)
        self.look()

    @rule(late=st.booleans(), confirmed=st.booleans())
    def owner_calls_and_is_answered(self, late: bool, confirmed: bool) -> None:
        self.owner_calls(late, known=False)
        name, invite = self.names[-1], self.ours[-1]
        assert invite.method == "INVITE"
        fields = ("Contact: <sip:room@192.0.2.7>", "Content-Type: application/sdp")
        answered = response(invite, 200, *fields, "Allow: INVITE, UPDATE", to_tag="a").message
        answered.body = ANSWER
        self.peer.receive(encode(answered))
        own_tag = invite.headers["From"].partition("tag=")[2]
        self.dialogs.append((invite.headers["Call-ID"], own_tag, "a"))
        if late and confirmed:
            assert self.peer.agent.confirm(name, OFFER, self.peer.now)
            self.peer.taken()
        self.look()

    @rule(data=st.sampled_from(TORTURE))
    def peer_tortures(self, data: bytes) -> None:
        self.peer.receive(data)
        self.look()

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 5.0, 33.0, 200.0, 2_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.peer.run(seconds)
        self.look()

    @rule(which=st.integers(0, 5))
    def transport_fails(self, which: int) -> None:
        if self.ours:
            failed = self.ours[-1 - which % len(self.ours)]
            branch = failed.headers["Via"].partition("branch=")[2].partition(";")[0]
            key = ("client", branch, failed.method)
            message = SendMessage(Hop("udp", "192.0.2.7", 5060), failed, key)
            self.peer.agent.transport_failed(message, self.peer.now)
            self.peer.taken()
            self.look()

    @rule(late=st.booleans(), known=st.booleans())
    def owner_calls(self, late: bool, known: bool) -> None:
        name = self.peer.agent.call(
            "sip:room@192.0.2.7",
            None if late else OFFER,
            self.peer.now,
            caller="<sip:mcu@192.0.2.1>",
            credentials=Credentials("a", "b") if known else None,
        )
        self.names.append(name)
        self.peer.taken()
        self.look()

    @rule(which=st.integers(0, 3), command=st.integers(0, 12))
    def owner_acts(self, which: int, command: int) -> None:
        if not self.names:
            return
        name, agent, now = self.names[-1 - which % len(self.names)], self.peer.agent, self.peer.now
        actions = [
            lambda: agent.ring(name, now),
            lambda: agent.ring(name, now, 183, ANSWER),
            lambda: agent.accept(name, ANSWER, now),
            lambda: agent.reject(name, 486, now),
            lambda: agent.redirect(name, ("sip:a@b",), now),
            lambda: agent.confirm(name, ANSWER, now),
            lambda: agent.hang_up(name, now),
            lambda: agent.change_media(name, OFFER, now),
            lambda: agent.change_media(name, None, now),
            lambda: agent.answer_media(name, ANSWER, now),
            lambda: agent.refuse_media(name, now),
            lambda: agent.press(name, "1", now),
            lambda: agent.refer(name, "sip:other@192.0.2.9", now),
        ]
        done = actions[command]()
        assert done in (True, False)
        if name in self.over:
            assert not done
        self.peer.taken()
        self.look()

    @rule(number=st.integers(0, 3))
    def conference_changes(self, number: int) -> None:
        users = tuple(ConferenceUser(f"sip:{at}@b") for at in range(number))
        info = ConferenceInfo("sip:mcu@192.0.2.1", users=users) if number else None
        self.peer.agent.show_conference("mcu", info, self.peer.now)
        self.peer.taken()
        self.look()

    @invariant()
    def timers_are_ahead(self) -> None:
        at = self.peer.agent.next_timer()
        assert at is None or at >= self.peer.now

    def teardown(self) -> None:
        for name in self.names:
            self.peer.agent.hang_up(name, self.peer.now)
        self.peer.taken()
        self.look()
        self.peer.run(10_000.0)
        self.look()
        assert set(self.names) == self.over
        assert self.peer.agent.is_idle


TestAgent = AgentMachine.TestCase
TestAgent.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
