"""Digest both ways: good ones in, everything else out, nothing twice."""

from collections.abc import Sequence

import pytest

from signalling.sip import device_habits, digest
from signalling.sip.authentication_fields import parse_authentication, quoted
from signalling.sip.digest import (
    Algorithm,
    Credentials,
    DigestVerifier,
    Refused,
    Verified,
    answer,
    digest_response,
    ha1,
    is_stale,
)
from signalling.sip.errors import SipError
from signalling.sip.uri import parse_uri

REALM = "mcu.example.vn"
URI = parse_uri("sip:mcu.example.vn")
ROOM = Credentials("khanh-hoa-01", 'mật khẩu "dài"')


def secret_of(username: str, algorithm: Algorithm) -> str | None:
    if username != ROOM.username:
        return None
    return ha1(username, REALM, ROOM.password, algorithm)


def verifier(algorithms: Sequence[Algorithm] = digest.ALGORITHMS) -> DigestVerifier:
    return DigestVerifier(REALM, secret_of, key=b"k" * 32, algorithms=algorithms)


def answered(
    server: DigestVerifier, now: float = 0.0, count: int = 1, credentials: Credentials = ROOM
) -> str:
    value = answer(server.challenges(now), "REGISTER", str(URI), credentials, count)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_example_of_rfc_7616(algorithm: Algorithm, expected: str) -> None:
    secret = ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    assert expected == digest_response(
        algorithm,
        secret,
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "00000001",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "GET",
        "/dir/index.html",
    )


@pytest.mark.parametrize("algorithm", digest.ALGORITHMS)
def test_both_ways(algorithm: Algorithm) -> None:
    server = verifier((algorithm,))
    value = answered(server)
    assert f"algorithm={algorithm}" in value
    assert server.verify("REGISTER", URI, [value], 1.0) == Verified(ROOM.username)


def test_the_strongest_is_asked_for_first() -> None:
    challenges = verifier().challenges(0.0)
    assert [
        parse_authentication(value, "WWW-Authenticate").parameters["algorithm"]
        for value in challenges
    ] == ["SHA-256", "MD5"]
    assert "algorithm=SHA-256" in answered(verifier())
    old = answer(challenges[1:], "REGISTER", str(URI), ROOM)
    assert old is not None
    assert verifier().verify("REGISTER", URI, [old], 0.0) == Verified(ROOM.username)


def test_the_same_credentials_do_not_count_twice() -> None:
    server = verifier()
    value = answered(server)
    assert isinstance(server.verify("REGISTER", URI, [value], 0.0), Verified)
    again = server.verify("REGISTER", URI, [value], 0.0)
    assert isinstance(again, Refused)
    assert again.stale


def test_counts_may_come_out_of_order_but_not_twice() -> None:
    server = verifier(("MD5",))
    challenges = server.challenges(0.0)

    def send(count: int) -> bool:
        value = answer(challenges, "REGISTER", str(URI), ROOM, count)
        assert value is not None
        return isinstance(server.verify("REGISTER", URI, [value], 0.0), Verified)

    assert [send(count) for count in (2, 1, 2, 1, 5, 3, 4, 3)] == [
        True, True, False, False, True, True, True, False,
    ]  # fmt: skip
    assert send(5 + digest.NC_WINDOW)
    assert not send(5)
    assert send(6)
    assert not send(0)
    assert send(0xFFFFFFFF)


def test_nonces_grow_old() -> None:
    server = verifier()
    value = answered(server, now=100.0)
    late = server.verify("REGISTER", URI, [value], 100.1 + digest.NONCE_LIFE_S)
    assert late == Refused("the nonce is too old", stale=True)
    assert all(value.endswith("stale=true") for value in server.challenges(500.0, stale=True))
    assert is_stale(server.challenges(500.0, stale=True))
    assert not is_stale([*server.challenges(500.0), "Digest"])


def test_another_spelling_of_a_nonce_is_the_same_nonce() -> None:
    server = verifier(("MD5",))
    value = answered(server)
    nonce = parse_authentication(value, "Authorization").parameters["nonce"]
    assert isinstance(server.verify("REGISTER", URI, [value], 0.0), Verified)
    for other in (nonce + "=", nonce + "==", nonce[:5] + "\n" + nonce[5:]):
        respelled = f'Digest realm="{REALM}", nonce={quoted(other)}, algorithm=MD5, qop="auth"'
        replayed = answer([respelled], "REGISTER", str(URI), ROOM)
        assert replayed is not None
        assert not isinstance(server.verify("REGISTER", URI, [replayed], 0.0), Verified)


def test_nonces_of_others() -> None:
    value = answer(
        DigestVerifier(REALM, secret_of, key=b"other" * 7).challenges(0.0),
        "REGISTER",
        str(URI),
        ROOM,
    )
    assert value is not None
    refused = verifier().verify("REGISTER", URI, [value], 0.0)
    assert refused == Refused("the nonce is not ours", stale=True)


@pytest.mark.parametrize("nonce", ["", "x", "é", "A" * 40, "====", "A" * 4000])
def test_nonces_that_are_none(nonce: str) -> None:
    challenge = f'Digest realm="{REALM}", nonce={quoted(nonce)}, algorithm=MD5, qop="auth"'
    value = answer([challenge], "REGISTER", str(URI), ROOM)
    assert value is not None
    assert isinstance(verifier().verify("REGISTER", URI, [value], 0.0), Refused)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("algorithm=SHA-256", "algorithm=SHA-1"),
        ("algorithm=SHA-256", "algorithm=MD5"),
        ("qop=auth", "qop=auth-int"),
        ("qop=auth, ", ""),
        ("nc=00000001", "nc=00000002"),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=0000000x"),
        ('uri="sip:mcu.example.vn"', 'uri="sip:other.example.vn"'),
        ('uri="sip:mcu.example.vn"', 'uri="nonsense"'),
        ('username="khanh-hoa-01"', 'username="someone"'),
        (REALM, "elsewhere"),
        ("Digest ", "Basic "),
        ("Digest ", "Digest "),
        ('response="', 'response="0'),
        ("Digest ", "Digest a=b, a=c, "),
    ],
)
def test_tampered_credentials(old: str, new: str) -> None:
    server = verifier()
    value = answered(server)
    assert old in value
    result = server.verify("REGISTER", URI, [value.replace(old, new)], 0.0)
    assert isinstance(result, Verified) is (old == new)


def test_another_method_or_address() -> None:
    server = verifier()
    assert isinstance(server.verify("INVITE", URI, [answered(server)], 0.0), Refused)
    elsewhere = parse_uri("sip:secret@mcu.example.vn")
    assert isinstance(server.verify("REGISTER", elsewhere, [answered(server)], 0.0), Refused)
    with_parameters = parse_uri("sip:MCU.example.vn;transport=tcp")
    assert isinstance(server.verify("REGISTER", with_parameters, [answered(server)], 0.0), Verified)


def test_wrong_passwords_use_up_no_memory_and_no_counts() -> None:
    server = verifier()
    challenges = server.challenges(0.0)
    wrong = answer(challenges, "REGISTER", str(URI), Credentials(ROOM.username, "guess"))
    right = answer(challenges, "REGISTER", str(URI), ROOM)
    assert wrong is not None
    assert right is not None
    refused = server.verify("REGISTER", URI, [wrong], 0.0)
    assert refused == Refused(
        "the user or the password is wrong", username=ROOM.username, fault="wrong_password"
    )
    assert isinstance(server.verify("REGISTER", URI, [right], 0.0), Verified)


def test_credentials_for_several_realms() -> None:
    server = verifier()
    other = 'Digest username="x", realm="elsewhere", nonce="n", uri="sip:a", response="r"'
    result = server.verify("REGISTER", URI, ["garbage", other, answered(server)], 0.0)
    assert isinstance(result, Verified)
    assert server.verify("REGISTER", URI, [], 0.0) == Refused("no credentials")


def test_remembered_nonces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MAX_NONCES", 3)
    server = verifier(("MD5",))
    values = [answered(server, now=float(at)) for at in range(5)]
    for at, value in enumerate(values):
        assert isinstance(server.verify("REGISTER", URI, [value], float(at)), Verified)
    # The first two were forgotten. They must not be good for a second use.
    for value in values:
        assert isinstance(server.verify("REGISTER", URI, [value], 5.0), Refused)


def test_challenges_of_others() -> None:
    kamailio = 'Digest realm="a,b", nonce="n\\"1", qop="auth,auth-int", opaque="o", stale=FALSE'
    value = answer(["Basic realm=x", kamailio], "INVITE", "sip:a@b", ROOM)
    assert value is not None
    parameters = parse_authentication(value, "Authorization").parameters
    assert parameters["realm"] == "a,b"
    assert parameters["nonce"] == 'n"1'
    assert parameters["opaque"] == "o"
    assert parameters["algorithm"] == "MD5"
    old = answer(['Digest realm="r", nonce="n"'], "INVITE", "sip:a@b", ROOM)
    assert old is not None
    assert "qop" not in old
    for challenge in (
        'Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth"',
        'Digest realm="r", nonce="n", qop="auth-int"',
        'Digest realm="r"',
        "NoOneKnowsThisScheme a=b",
        "Digest",
    ):
        assert answer([challenge], "INVITE", "sip:a@b", ROOM) is None


@pytest.mark.parametrize("text", ["", "Digest", "Digest a", "Digest a=", 'Digest a="b', "Digest ,"])
def test_fields_that_cannot_be_read(text: str) -> None:
    if text == "Digest":
        text = "Digest" * 3
    with pytest.raises(SipError):
        parse_authentication(text, "Authorization")


def test_secrets_are_not_shown() -> None:
    assert "dài" not in repr(ROOM)


def test_a_nonce_is_good_for_the_address_it_was_sent_to() -> None:
    server = verifier()
    value = answer(server.challenges(0.0, source="192.0.2.7"), "REGISTER", str(URI), ROOM)
    assert value is not None
    elsewhere = server.verify("REGISTER", URI, [value], 1.0, "198.51.100.1")
    assert elsewhere == Refused("the nonce is not ours", stale=True)
    assert server.verify("REGISTER", URI, [value], 1.0, "192.0.2.7") == Verified(ROOM.username)


class Two:
    """Lets two guesses through, of each source and user."""

    def __init__(self) -> None:
        self.wrong: list[tuple[str, str]] = []

    def admits(self, source: str, username: str, now: float) -> bool:
        return self.wrong.count((source, username)) < 2

    def failed(self, source: str, username: str, now: float) -> None:
        self.wrong.append((source, username))

    def wait_s(self, source: str, username: str, now: float) -> float:
        return 29.2


def test_who_guesses_is_stopped_and_nobody_else() -> None:
    server = DigestVerifier(REALM, secret_of, guard=Two())

    def judged(source: str, password: str) -> Verified | Refused:
        credentials = Credentials(ROOM.username, password)
        value = answer(server.challenges(0.0, source=source), "REGISTER", str(URI), credentials)
        assert value is not None
        return server.verify("REGISTER", URI, [value], 1.0, source)

    for _ in range(2):
        assert not getattr(judged("attacker", "guess"), "blocked", True)
    assert getattr(judged("attacker", ROOM.password), "blocked", False)
    assert judged("room", ROOM.password) == Verified(ROOM.username)


def test_who_has_the_secret_from_before_is_no_guesser() -> None:
    guard = Two()
    void = ha1(ROOM.username, REALM, "the-one-before", "MD5")
    server = DigestVerifier(
        REALM, secret_of, algorithms=("MD5",), guard=guard, void_of=lambda user, algorithm: (void,)
    )
    old = Credentials(ROOM.username, "the-one-before")
    for _ in range(20):
        refused = server.verify("REGISTER", URI, [answered(server, credentials=old)], 0.0)
        assert isinstance(refused, Refused)
        assert (refused.fault, refused.blocked) == ("old_password", False)
    assert isinstance(server.verify("REGISTER", URI, [answered(server)], 0.0), Verified)


def test_who_cannot_have_such_a_nonce_is_not_counted() -> None:
    guard = Two()
    server = DigestVerifier(REALM, secret_of, guard=guard)
    challenges = server.challenges(0.0, source="attacker")
    value = answer(challenges, "REGISTER", str(URI), Credentials(ROOM.username, "guess"))
    assert value is not None
    server.verify("REGISTER", URI, [value], 1.0, "room")  # a feigned source
    assert guard.wrong == []


def test_known_users() -> None:
    assert verifier().knows(ROOM.username)
    assert not verifier().knows("nobody")


class TestDevicesThatKnowMd5Alone:
    SOURCE = "192.0.2.7"

    def offered(self, server: DigestVerifier, *, unanswered: bool = True) -> list[str]:
        challenges = server.challenges(
            0.0, source=self.SOURCE, username=ROOM.username, unanswered=unanswered
        )
        algorithms = [
            parse_authentication(value, "WWW-Authenticate").parameters["algorithm"]
            for value in challenges
        ]
        self.last = challenges
        return algorithms

    def answers(self, server: DigestVerifier) -> None:
        value = answer(self.last, "REGISTER", str(URI), ROOM)
        assert value is not None
        assert server.verify("REGISTER", URI, [value], 1.0, self.SOURCE) == Verified(ROOM.username)

    def test_who_comes_again_without_an_answer_is_offered_it_alone(self) -> None:
        server = verifier()
        assert self.offered(server) == ["SHA-256", "MD5"]
        assert self.offered(server) == ["MD5"]
        self.answers(server)
        assert self.offered(server) == ["MD5"]
        assert self.offered(server, unanswered=False) == ["MD5"]

    def test_who_answers_is_offered_both_for_ever(self) -> None:
        server = verifier()
        for _ in range(3):
            assert self.offered(server) == ["SHA-256", "MD5"]
            self.answers(server)

    def test_of_others_nothing_is_concluded(self) -> None:
        server = verifier()
        for _ in range(2):
            self.offered(server)
        elsewhere = server.challenges(0.0, source="192.0.2.8", username=ROOM.username)
        assert len(elsewhere) == 2
        assert len(server.challenges(0.0, source=self.SOURCE, username="another")) == 2

    def test_what_is_not_allowed_is_not_offered(self) -> None:
        server = verifier(("SHA-256",))
        for _ in range(3):
            assert self.offered(server) == ["SHA-256"]

    def test_memory_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(device_habits, "MAX_DEVICES", 2)
        server = verifier()
        self.offered(server)
        for name in ("a", "b"):
            server.challenges(0.0, source=self.SOURCE, username=name, unanswered=True)
        assert self.offered(server) == ["SHA-256", "MD5"]

    def test_kept_over_a_restart(self) -> None:
        before, after = verifier(), verifier()
        self.offered(before)
        assert before.habits.of_md5_alone() == frozenset()
        assert self.offered(before) == ["MD5"]
        assert before.habits.of_md5_alone() == frozenset()  # it may be a scanner
        self.answers(before)
        device = (self.SOURCE, ROOM.username)
        assert before.habits.of_md5_alone() == {device}
        after.habits.restore(before.habits.of_md5_alone())
        assert self.offered(after) == ["MD5"]
        assert after.habits.of_md5_alone() == {device}


class TestWhatIsWrong:
    """Faults are those of ``signalling.sip.sign_in``."""

    def judged(
        self, server: DigestVerifier, value: str, source: str = "192.0.2.7"
    ) -> Verified | Refused:
        return server.verify("REGISTER", URI, [value], 1.0, source)

    def value(self, server: DigestVerifier, user: str, password: str) -> str:
        challenges = server.challenges(0.0, source="192.0.2.7")
        value = answer(challenges, "REGISTER", str(URI), Credentials(user, password))
        assert value is not None
        return value

    def fault(self, server: DigestVerifier, value: str, source: str = "192.0.2.7") -> str | None:
        found = self.judged(server, value, source)
        assert isinstance(found, Refused)
        return found.fault

    def test_named(self) -> None:
        server = verifier()
        right = self.value(server, ROOM.username, ROOM.password)
        wrong = self.value(server, ROOM.username, "guess")
        assert self.fault(server, wrong) == "wrong_password"
        assert self.fault(server, self.value(server, "nobody", "guess")) == "unknown_account"
        assert self.fault(server, right.replace(REALM, "asterisk")) == "wrong_realm"
        assert self.fault(server, right.replace("qop=auth", "qop=auth-int")) == "unreadable"
        of_sha = verifier(("SHA-256",))
        old = self.value(of_sha, ROOM.username, ROOM.password).replace("SHA-256", "MD5")
        assert self.fault(of_sha, old) == "unknown_algorithm"
        found = self.judged(server, wrong)
        assert isinstance(found, Refused)
        assert found.username == ROOM.username
        assert "guess" not in repr(found)

    def test_how_long_who_guesses_has_to_wait(self) -> None:
        server = DigestVerifier(REALM, secret_of, guard=Two())
        for _ in range(2):
            assert self.fault(server, self.value(server, ROOM.username, "x")) == "wrong_password"
        found = self.judged(server, self.value(server, ROOM.username, "x"))
        assert isinstance(found, Refused)
        assert (found.fault, found.wait_s) == ("locked_out", 30)

    def test_what_may_be_feigned_is_nobodys_fault(self) -> None:
        server = verifier()
        wrong = self.value(server, ROOM.username, "guess")
        for value in (wrong, wrong.replace(REALM, "asterisk"), wrong.replace("qop=auth", "qop=x")):
            assert self.fault(server, value, "198.51.100.1") is None

    def test_a_device_that_never_answers(self) -> None:
        server = verifier()
        device = ("192.0.2.7", ROOM.username)
        for number in range(3):
            assert not server.habits.is_silent(device), number
            server.challenges(0.0, source=device[0], username=device[1], unanswered=True)
        assert server.habits.is_silent(device)
        self.judged(server, self.value(server, ROOM.username, "guess"))
        assert not server.habits.is_silent(device)  # a wrong answer is one
        for _ in range(9):
            server.challenges(0.0, source=device[0], username="nobody", unanswered=True)
        assert not server.habits.is_silent((device[0], "nobody"))  # strangers are not kept
