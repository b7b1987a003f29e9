"""What comes in from outside a call: taken, refused with what the standard wants said, counted."""

import pytest
from sipmessage import Response

from signalling.sip.digest import Credentials, DigestVerifier, answer, ha1
from signalling.sip.effects import CallEnded, CallReceived
from signalling.sip.registrar import BindingsChanged, Registrar
from signalling.sip.settings import AgentSettings
from signalling.sip.sign_in import SignedIn, SignInRefused
from signalling.sip.timers import TimerValues
from tests.signalling.sip.messages import request_text
from tests.signalling.sip.scripted import CONTACT, OWN, SOURCE, Scripted, code_of, final
from tests.signalling.sip.virtual_link import ANSWER, OFFER

SDP = "Content-Type: application/sdp"
REALM = "mcu.example.vn"
ROOM = Credentials("room", "secret")


def verifier() -> DigestVerifier:
    return DigestVerifier(
        REALM,
        lambda user, algorithm: (
            ha1(user, REALM, ROOM.password, algorithm) if user == ROOM.username else None
        ),
    )


@pytest.mark.parametrize(
    ("method", "options", "extra", "code", "field", "value"),
    [
        ("NEWMETHOD", {}, (), 501, "Allow", "INVITE"),
        ("MESSAGE", {}, (), 501, "Allow", "INVITE"),
        ("OPTIONS", {"uri": "tel:+84"}, (), 416, "", ""),
        ("OPTIONS", {"uri": "urn:x:y"}, (), 416, "", ""),
        ("INVITE", {}, (CONTACT, "Require: 100rel, replaces, xyz"), 420, "Unsupported", "xyz"),
        ("INVITE", {}, (), 400, "", ""),
        ("INVITE", {"body": b"x"}, (CONTACT, "Content-Type: text/plain"), 415, "Accept", "sdp"),
        (
            "INVITE",
            {"body": b"x"},
            (CONTACT, SDP, "Content-Encoding: gzip"),
            415,
            "Accept-Encoding",
            "identity",
        ),
        ("INVITE", {}, (CONTACT, "Supported: timer", "Session-Expires: 60"), 422, "Min-SE", "90"),
        ("INVITE", {}, (CONTACT, "Session-Expires: soon"), 400, "", ""),
        ("INVITE", {}, ("Contact: <sip:a@b;transport=ws>",), 400, "", ""),
        ("INVITE", {"to_tag": "gone"}, (CONTACT,), 481, "", ""),
        ("BYE", {"to_tag": "gone"}, (), 481, "", ""),
        ("BYE", {}, (), 481, "", ""),
        ("INFO", {}, (), 481, "", ""),
        ("NOTIFY", {}, (), 481, "", ""),
        ("CANCEL", {}, (), 481, "", ""),
        ("REFER", {}, ("Refer-To: <sip:a@b>",), 403, "", ""),
        ("SUBSCRIBE", {}, (CONTACT, "Event: presence"), 489, "Allow-Events", "conference"),
        ("SUBSCRIBE", {}, (CONTACT,), 489, "", ""),
        ("SUBSCRIBE", {}, (CONTACT, "Event: conference", "Expires: 5"), 423, "Min-Expires", "60"),
        ("SUBSCRIBE", {}, (CONTACT, "Event: conference"), 404, "", ""),
        ("REGISTER", {}, (CONTACT,), 403, "", ""),
        ("OPTIONS", {}, (), 200, "Allow", "REFER"),
        ("OPTIONS", {}, (), 200, "Accept", "application/sdp"),
        ("OPTIONS", {}, (), 200, "Supported", "timer"),
    ],
)
def test_answered_at_once(
    method: str,
    options: dict[str, object],
    extra: tuple[str, ...],
    code: int,
    field: str,
    value: str,
) -> None:
    peer = Scripted()
    response = final(peer.request(method, "z9hG4bK1", *extra, **options))
    assert response.code == code
    if field:
        assert value in ", ".join(response.headers.getlist(field))
    assert peer.events == []
    if code >= 300:
        assert peer.agent.statistics.refused == {str(code): 1}
    if method == "INVITE":
        peer.request("ACK", "z9hG4bK1", to_tag="x")
    peer.run(40.0)
    assert peer.agent.is_idle


def test_a_call_is_told_with_what_decides() -> None:
    peer = Scripted()
    assert code_of(peer.request("INVITE", "z9hG4bK1", CONTACT, SDP, body=OFFER)) == 100
    received = peer.one(CallReceived)
    assert received.sdp == OFFER
    assert received.identity == ""
    assert received.source == peer.source
    assert peer.agent.accept(received.call, ANSWER, peer.now)
    response = final(peer.taken())
    assert response.headers["Contact"] == "<sip:mcu@192.0.2.1:5060>;isfocus"
    assert response.headers["Session-Expires"] == "1800;refresher=uas"
    assert "UPDATE" in response.headers["Allow"]
    assert response.body == ANSWER


def test_record_route_is_repeated() -> None:
    peer = Scripted()
    peer.request("INVITE", "z9hG4bK1", CONTACT, "Record-Route: <sip:p1;lr>, <sip:p2;lr>")
    peer.agent.ring(peer.one(CallReceived).call, peer.now)
    assert final(peer.taken()).headers.getlist("Record-Route") == ["<sip:p1;lr>, <sip:p2;lr>"]


def test_an_invite_that_comes_by_two_ways() -> None:
    peer = Scripted()
    peer.request("INVITE", "z9hG4bK1", CONTACT)
    assert final(peer.request("INVITE", "z9hG4bK2", CONTACT)).code == 482
    assert code_of(peer.request("INVITE", "z9hG4bK3", CONTACT, cseq=2)) == 100
    assert peer.agent.statistics.calls == {"in": 2}


def test_reliable_responses_where_they_are_demanded() -> None:
    peer = Scripted()
    peer.request("INVITE", "z9hG4bK1", CONTACT, "Require: 100rel")
    peer.agent.ring(peer.one(CallReceived).call, peer.now)
    ringing = final(peer.taken())
    assert ringing.code == 180
    rseq = ringing.headers["RSeq"]
    tag = ringing.headers["To"].partition("tag=")[2]
    wrong = peer.request("PRACK", "z9hG4bK2", "RAck: 1 1 INVITE", to_tag=tag, cseq=2)
    assert final(wrong).code == 481
    garbage = peer.request("PRACK", "z9hG4bK3", "RAck: x", to_tag=tag, cseq=3)
    assert final(garbage).code == 400
    right = peer.request("PRACK", "z9hG4bK4", f"RAck: {rseq} 1 INVITE", to_tag=tag, cseq=4)
    assert final(right).code == 200
    assert peer.run(3.0) == []


def test_bye_before_the_answer() -> None:
    peer = Scripted()
    peer.request("INVITE", "z9hG4bK1", CONTACT)
    peer.agent.ring(peer.one(CallReceived).call, peer.now)
    tag = final(peer.taken()).headers["To"].partition("tag=")[2]
    codes = [
        message.code  # type: ignore[union-attr]
        for message in peer.request("BYE", "z9hG4bK2", to_tag=tag, cseq=2)
    ]
    assert codes == [487, 200]
    assert peer.one(CallEnded).cause == "hung up"


def test_credentials_are_asked_for_and_judged() -> None:
    peer = Scripted(verifier=verifier())
    challenged = final(peer.request("INVITE", "z9hG4bK1", CONTACT))
    assert challenged.code == 401
    challenges = challenged.headers.getlist("WWW-Authenticate")
    assert len(challenges) == 2
    peer.request("ACK", "z9hG4bK1", to_tag="x")
    wrong = answer(challenges, "INVITE", "sip:mcu@192.0.2.1", Credentials("room", "guess"))
    refused = final(peer.request("INVITE", "z9hG4bK2", CONTACT, f"Authorization: {wrong}", cseq=2))
    assert refused.code == 401
    assert "stale" not in refused.headers["WWW-Authenticate"]
    right = answer(challenges, "INVITE", "sip:mcu@192.0.2.1", ROOM)
    peer.request("INVITE", "z9hG4bK3", CONTACT, f"Authorization: {right}", cseq=3)
    assert peer.one(CallReceived).identity == "room"
    replayed = peer.request("INVITE", "z9hG4bK4", CONTACT, f"Authorization: {right}", cseq=4)
    assert "stale=true" in final(replayed).headers["WWW-Authenticate"]
    assert peer.agent.statistics.refused == {"challenged": 2, "wrong credentials": 1}


def register(peer: Scripted, branch: str, *extra: str, cseq: int) -> int:
    first = final(peer.request("REGISTER", f"{branch}a", *extra, cseq=cseq, **TO_ROOM))
    if first.code != 401:
        return first.code
    challenges = first.headers.getlist("WWW-Authenticate")
    value = answer(challenges, "REGISTER", "sip:192.0.2.1", ROOM)
    again = peer.request(
        "REGISTER", f"{branch}b", *extra, f"Authorization: {value}", cseq=cseq + 1, **TO_ROOM
    )
    return final(again).code


TO_ROOM: dict[str, object] = {"uri": "sip:192.0.2.1"}


def test_registered_with_credentials() -> None:
    peer = Scripted(verifier=verifier(), registrar=Registrar())
    own = request_text("REGISTER", "z9hG4bK0", CONTACT, uri="sip:192.0.2.1")
    assert b"To: <sip:mcu@192.0.2.1>" in own  # somebody else's address
    assert register(peer, "z9hG4bK1", CONTACT, cseq=1) == 403
    assert peer.agent.statistics.registrations == {"refused": 1}

    def to_room(data: bytes) -> bytes:
        return data.replace(b"To: <sip:mcu@192.0.2.1>", b"To: <sip:room@MCU.example.vn>")

    challenged = final(peer.receive(to_room(own)))
    value = answer(
        challenged.headers.getlist("WWW-Authenticate"), "REGISTER", "sip:192.0.2.1", ROOM
    )
    data = request_text(
        "REGISTER", "z9hG4bK9", CONTACT, f"Authorization: {value}", cseq=9, uri="sip:192.0.2.1"
    )
    accepted = final(peer.receive(to_room(data)))
    assert accepted.code == 200
    assert accepted.headers["Contact"] == "<sip:room@192.0.2.7>;expires=3600"
    changed = peer.one(BindingsChanged)
    assert changed.address == "sip:room@mcu.example.vn"
    assert changed.bindings[0].source == peer.source
    peer.run(3_601.0)
    assert [event for event in peer.events if isinstance(event, BindingsChanged)][1].bindings == ()
    assert peer.agent.is_idle


def test_registrations_that_are_refused() -> None:
    peer = Scripted(registrar=Registrar())
    short = final(peer.request("REGISTER", "z9hG4bK1", CONTACT, "Expires: 10"))
    assert (short.code, short.headers["Min-Expires"]) == (423, "60")
    star = final(peer.request("REGISTER", "z9hG4bK2", "Contact: *", cseq=2))
    assert star.code == 400
    assert peer.agent.statistics.registrations == {"refused": 2}


def test_too_many_calls() -> None:
    peer = Scripted(AgentSettings((OWN,), max_calls=1, retry_after_s=17))
    peer.request("INVITE", "z9hG4bK1", CONTACT)
    refused = final(peer.request("INVITE", "z9hG4bK2", CONTACT, call_id="second"))
    assert (refused.code, refused.headers["Retry-After"]) == (503, "17")


def test_too_many_transactions() -> None:
    settings = AgentSettings((OWN,), max_transactions=10, timers=TimerValues())
    peer = Scripted(settings)
    for number in range(50):
        peer.request("INVITE", f"z9hG4bK{number}", CONTACT, call_id=str(number))
    codes = [message.message.code for message in peer.sent]  # type: ignore[union-attr]
    assert codes == [100] * 10 + [503] * 40
    assert code_of(peer.request("INVITE", "z9hG4bK1", CONTACT, call_id="1")) == 100  # a repetition
    assert peer.request("ACK", "z9hG4bK99", call_id="99") == []
    peer.run(250.0)
    assert final(peer.request("OPTIONS", "z9hG4bKlater")).code == 200


def test_answers_to_strangers_are_not_kept_in_a_crowd() -> None:
    settings = AgentSettings((OWN,), max_transactions=10)
    peer = Scripted(settings, verifier=verifier(), registrar=Registrar())
    for number in range(50):
        for method, code in (("REGISTER", 401), ("OPTIONS", 200), ("MESSAGE", 501)):
            name = f"{method}{number}"
            again = [
                peer.request(method, f"z9hG4bK{name}", CONTACT, call_id=name) for _ in range(2)
            ]
            assert [final(answers).code for answers in again] == [code, code]
    peer.request("INVITE", "z9hG4bKroom", CONTACT, call_id="room")
    assert peer.agent.statistics.refused.get("503", 0) == 0
    peer.run(33.0)
    assert peer.agent.is_idle


def test_messages_that_are_none() -> None:
    peer = Scripted()
    assert peer.receive(b"\r\n\r\n") == []
    broken = request_text("OPTIONS").replace(b"CSeq: 1 OPTIONS", b"CSeq: x OPTIONS")
    assert final(peer.receive(broken)).code == 400
    assert peer.sent[-1].hop == peer.source
    assert peer.agent.statistics.refused == {"message": 1, "CSeq": 1}
    assert peer.agent.is_idle


def test_an_ack_of_nothing() -> None:
    peer = Scripted()
    assert peer.request("ACK", to_tag="gone") == []
    assert peer.agent.statistics.dropped == {"ACK of nothing": 1}


def test_addresses_that_are_not_served() -> None:
    peer = Scripted(registrar=Registrar(name_of=lambda uri: uri.user if uri.user == "x" else None))
    assert final(peer.request("REGISTER", "z9hG4bK1", CONTACT)).code == 404
    peer.agent.registrar.name_of = lambda uri: "any name"  # type: ignore[union-attr]
    assert final(peer.request("REGISTER", "z9hG4bK2", CONTACT, cseq=2)).code == 200
    assert peer.one(BindingsChanged).address == "any name"


def test_guests_are_asked_for_nothing_unless_they_name_a_user() -> None:
    settings = AgentSettings((OWN,), guest_methods=frozenset({"INVITE"}))
    peer = Scripted(settings, verifier=verifier(), registrar=Registrar())
    invite = request_text("INVITE", "z9hG4bK1", CONTACT)
    feigned = invite.replace(b"From: <sip:room@", b"From: <sip:guest@")
    assert feigned != invite  # the messages of tests come from the room
    assert final(peer.receive(invite)).code == 401
    assert final(peer.request("REGISTER", "z9hG4bK9", CONTACT, cseq=5)).code == 401
    peer.receive(feigned.replace(b"z9hG4bK1", b"z9hG4bK2").replace(b"Call-ID: ", b"Call-ID: g"))
    assert peer.one(CallReceived).identity == ""


def test_who_guesses_too_often_is_refused() -> None:
    class Closed:
        def admits(self, source: str, username: str, now: float) -> bool:
            return False

        def failed(self, source: str, username: str, now: float) -> None:
            raise AssertionError("was not looked at")

        def wait_s(self, source: str, username: str, now: float) -> float:
            return 12.5

    server = DigestVerifier(REALM, lambda user, algorithm: "0" * 64, guard=Closed())
    peer = Scripted(verifier=server)
    challenged = final(peer.request("INVITE", "z9hG4bK1", CONTACT))
    value = answer(
        challenged.headers.getlist("WWW-Authenticate"), "INVITE", "sip:mcu@192.0.2.1", ROOM
    )
    again = peer.request("INVITE", "z9hG4bK2", CONTACT, f"Authorization: {value}", cseq=2)
    refused = final(again)
    assert (refused.code, refused.phrase) == (403, "Too Many Wrong Passwords")
    assert refused.headers["Warning"] == (
        '399 192.0.2.1:5060 "Too many wrong passwords from this address: wait 13 seconds"'
    )
    assert peer.agent.statistics.refused["too many wrong credentials"] == 1
    assert peer.agent.statistics.sign_ins_refused == {"locked_out": 1}
    assert peer.one(SignInRefused) == SignInRefused("room", "", SOURCE, "locked_out", "INVITE")


class TestWhoIsNotLet:
    def asks(self, peer: Scripted, *fields: str, address: str = "room") -> Response:
        """The answer to a REGISTER for an address."""
        self.cseq = getattr(self, "cseq", 0) + 1
        data = request_text(
            "REGISTER", f"z9hG4bK{self.cseq}", CONTACT, *fields, cseq=self.cseq, **TO_ROOM
        )  # type: ignore[arg-type]
        to = f"To: <sip:{address}@mcu.example.vn>".encode()
        return final(peer.receive(data.replace(b"To: <sip:mcu@192.0.2.1>", to)))

    def signs_in(self, peer: Scripted, user: str, password: str, address: str = "room") -> Response:
        """The answer to credentials in answer to a challenge."""
        challenges = self.asks(peer, address=address).headers.getlist("WWW-Authenticate")
        value = answer(challenges, "REGISTER", "sip:192.0.2.1", Credentials(user, password))
        return self.asks(peer, f"Authorization: {value}", address=address)

    def test_told_with_account_source_and_reason(self) -> None:
        peer = Scripted(verifier=verifier(), registrar=Registrar())
        found = self.signs_in(peer, "room", "guessed")
        assert (found.code, found.phrase) == (401, "Wrong User Name Or Password")
        assert found.headers["Warning"].startswith("399 192.0.2.1:5060 ")
        assert found.headers.getlist("WWW-Authenticate")
        event = peer.one(SignInRefused)
        assert event == SignInRefused("room", "", SOURCE, "wrong_password", "REGISTER")
        assert peer.agent.statistics.sign_ins_refused == {"wrong_password": 1}
        assert peer.agent.statistics.refused["wrong credentials"] == 1

    def test_a_stranger_is_not_told_whether_there_is_such_an_account(self) -> None:
        peer = Scripted(verifier=verifier(), registrar=Registrar())
        unknown = self.signs_in(peer, "hunter2-is-my-password", "guessed")
        known = self.signs_in(peer, "room", "guessed")
        assert (unknown.code, unknown.phrase) == (known.code, known.phrase)
        assert unknown.headers["Warning"] == known.headers["Warning"]
        event = next(event for event in peer.events if isinstance(event, SignInRefused))
        assert event == SignInRefused("", "hu***", SOURCE, "unknown_account", "REGISTER")

    def test_a_first_challenge_is_no_refusal(self) -> None:
        peer = Scripted(verifier=verifier(), registrar=Registrar())
        assert self.signs_in(peer, "room", "secret").code == 200
        assert [type(event) for event in peer.events] == [BindingsChanged, SignedIn]
        assert peer.one(SignedIn) == SignedIn("room", SOURCE)
        assert peer.agent.statistics.sign_ins_refused == {}

    def test_the_right_password_for_another_address(self) -> None:
        peer = Scripted(verifier=verifier(), registrar=Registrar())
        found = self.signs_in(peer, "room", "secret", address="other")
        assert (found.code, found.phrase) == (403, "Not The Address Of This Account")
        assert peer.one(SignInRefused).fault == "wrong_address"

    def test_a_device_that_answers_no_challenge(self) -> None:
        peer = Scripted(verifier=verifier(), registrar=Registrar())
        for _ in range(3):
            assert not [event for event in peer.events if isinstance(event, SignInRefused)]
            told = self.asks(peer)
            # Accounts alone are counted, so nothing of it is to be seen.
            assert (told.code, told.phrase) == (401, "Unauthorized")
            assert told.headers.get("Warning") is None
        assert peer.one(SignInRefused) == SignInRefused("room", "", SOURCE, "no_answer", "REGISTER")


def test_a_device_that_gives_up_at_unknown_algorithms() -> None:
    peer = Scripted(verifier=verifier(), registrar=Registrar())
    found = [
        final(peer.request("REGISTER", f"z9hG4bK{cseq}", CONTACT, cseq=cseq, **TO_ROOM))
        for cseq in (1, 2)
    ]
    assert [len(one.headers.getlist("WWW-Authenticate")) for one in found] == [2, 1]
    assert "algorithm=MD5" in found[1].headers["WWW-Authenticate"]
