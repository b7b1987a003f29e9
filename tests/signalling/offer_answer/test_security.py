import base64

import pytest

from signalling.offer_answer import Dtls, LocalMedia, Plain, Sdes, Security
from signalling.offer_answer.refusal import SectionRefused
from signalling.offer_answer.security import (
    answer_security,
    completed_security,
    offer_again,
    offer_security,
    protections,
    security_lines,
)
from tests.signalling.offer_answer.ends_of_calls import (
    KEY,
    OTHER_KEY,
    OURS,
    SUITE,
    THEIRS,
    audio,
    local_media,
    offer,
)

CRYPTO = f"a=crypto:4 {SUITE} {KEY}"
PRINT = f"a=fingerprint:{THEIRS}"
REMOTE = base64.b64decode(KEY.removeprefix("inline:"))


def answered(
    *lines: str,
    protocol: str = "RTP/AVP",
    local: LocalMedia | None = None,
    previous: Security | None = None,
) -> Security:
    described = offer(audio(*lines, protocol=protocol))
    return answer_security(described, described.media[0], local or local_media(), previous)


def test_plain() -> None:
    assert answered() == Plain()
    assert answered(protocol="RTP/AVPF") == Plain()


@pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP", "RTP/AVPF"])
def test_keys_are_used_wherever_they_stand(protocol: str) -> None:
    security = answered(CRYPTO, protocol=protocol)
    assert isinstance(security, Sdes)
    assert (security.tag, security.profile) == (4, "AES128_CM_SHA1_80")
    assert security.remote_key == REMOTE
    assert len(security.local_key) == 30
    assert security.local_key != security.remote_key


@pytest.mark.parametrize(
    "protocol", ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "RTP/SAVP", "RTP/SAVPF", "RTP/AVP"]
)
@pytest.mark.parametrize(
    ("setup", "role"),
    [("a=setup:actpass", "server"), ("a=setup:active", "server"), ("a=setup:passive", "client")],
)
def test_dtls(protocol: str, setup: str, role: str) -> None:
    security = answered(PRINT, setup, "a=tls-id:abc", protocol=protocol)
    assert security == Dtls(role, (THEIRS,), "abc")  # type: ignore[arg-type]


def test_a_fingerprint_of_the_session_counts() -> None:
    session = ("v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", PRINT)
    described = offer(audio(protocol="UDP/TLS/RTP/SAVP"), session=session)
    assert answer_security(described, described.media[0], local_media(), None) == Dtls(
        "server", (THEIRS,)
    )


@pytest.mark.parametrize(("first", "kind"), [("sdes", Sdes), ("dtls", Dtls)])
def test_where_both_are_offered_our_order_decides(first: str, kind: type) -> None:
    other = "dtls" if first == "sdes" else "sdes"
    local = local_media(protections=("plain", first, other))
    assert isinstance(answered(CRYPTO, PRINT, protocol="RTP/SAVP", local=local), kind)


def test_unusable_keys_fall_back_to_what_else_is_offered() -> None:
    unusable = f"a=crypto:1 {SUITE} {KEY} UNENCRYPTED_SRTCP"
    assert answered(unusable) == Plain()
    assert isinstance(answered(unusable, PRINT), Dtls)


@pytest.mark.parametrize(
    ("lines", "protocol", "changes", "reason"),
    [
        ((), "RTP/SAVP", {}, "without keys"),
        ((), "UDP/TLS/RTP/SAVP", {}, "without keys"),
        ((CRYPTO,), "UDP/TLS/RTP/SAVP", {}, "without keys"),
        (("a=fingerprint:sha-1 AB:CD",), "UDP/TLS/RTP/SAVP", {}, "without keys"),
        ((PRINT, "a=setup:holdconn"), "UDP/TLS/RTP/SAVP", {}, "setup:holdconn"),
        ((PRINT,), "UDP/TLS/RTP/SAVP", {"fingerprints": ()}, "DTLS is not done"),
        ((PRINT,), "UDP/TLS/RTP/SAVP", {"protections": ("sdes",)}, "by DTLS, which is not taken"),
        ((f"a=crypto:1 {SUITE} {KEY} KDR=1",), "RTP/SAVP", {}, "none of its a=crypto lines"),
        ((CRYPTO,), "RTP/SAVP", {"suites": ("AEAD_AES_256_GCM",)}, "taken are AEAD_AES_256_GCM"),
        ((), "RTP/AVP", {"protections": ("sdes", "dtls")}, "SDES or DTLS is required"),
        ((), "TCP/RTP/AVP", {}, "TCP/RTP/AVP is not taken"),
        ((), "udptl", {}, "udptl is not taken"),
    ],
)
def test_reasons(lines: tuple[str, ...], protocol: str, changes: dict, reason: str) -> None:
    with pytest.raises(SectionRefused, match=reason):
        answered(*lines, protocol=protocol, local=local_media(**changes))


def test_a_site_that_forbids_plain_rtp_takes_keys_beside_it() -> None:
    local = local_media(protections=("sdes",))
    assert isinstance(answered(CRYPTO, local=local), Sdes)


def test_our_key_goes_on_when_the_peer_offers_again() -> None:
    local = local_media()
    first = answered(CRYPTO, local=local)
    assert answered(CRYPTO, local=local, previous=first) == first
    rekeyed = answered(f"a=crypto:1 {SUITE} {OTHER_KEY}", local=local, previous=first)
    assert isinstance(first, Sdes)
    assert isinstance(rekeyed, Sdes)
    assert rekeyed.local_key == first.local_key
    assert rekeyed.remote_key != first.remote_key
    other = answered(f"a=crypto:1 AES_CM_128_HMAC_SHA1_32 {KEY}", local=local, previous=first)
    assert isinstance(other, Sdes)
    assert other.local_key != first.local_key


def test_our_role_goes_on_as_long_as_the_association_does() -> None:
    client = answered(PRINT, "a=setup:passive", protocol="UDP/TLS/RTP/SAVP")
    again = (PRINT, "a=setup:actpass")
    assert answered(*again, protocol="UDP/TLS/RTP/SAVP", previous=client) == client
    # Another certificate is another association, which begins anew.
    changed = (f"a=fingerprint:{OURS}", "a=setup:actpass")
    security = answered(*changed, protocol="UDP/TLS/RTP/SAVP", previous=client)
    assert security == Dtls("server", (OURS,))
    named = (PRINT, "a=setup:actpass", "a=tls-id:other")
    security = answered(*named, protocol="UDP/TLS/RTP/SAVP", previous=client)
    assert security == Dtls("server", (THEIRS,), "other")


@pytest.mark.parametrize(
    ("protocol", "lines", "expected"),
    [
        ("RTP/AVP", (), {"plain"}),
        ("RTP/AVP", (CRYPTO, PRINT), {"plain", "sdes", "dtls"}),
        ("RTP/SAVP", (), set()),
        ("RTP/SAVP", (CRYPTO,), {"sdes"}),
        ("UDP/TLS/RTP/SAVPF", (CRYPTO, PRINT), {"dtls"}),
        ("TCP/DTLS/RTP/SAVPF", (PRINT,), set()),
    ],
)
def test_what_a_section_leaves_the_choice_of(
    protocol: str, lines: tuple[str, ...], expected: set[str]
) -> None:
    described = offer(audio(*lines, protocol=protocol))
    assert protections(described, described.media[0]) == expected


@pytest.mark.parametrize(
    ("allowed", "protocol", "keys", "dtls", "plain"),
    [
        (("plain",), "RTP/AVP", 0, False, True),
        (("plain", "sdes"), "RTP/AVP", 0, False, True),
        (("sdes", "plain"), "RTP/AVP", 4, False, True),
        (("sdes",), "RTP/SAVP", 4, False, False),
        (("dtls", "sdes"), "UDP/TLS/RTP/SAVP", 0, True, False),
        (("dtls", "plain"), "RTP/AVP", 0, True, True),
    ],
)
def test_what_we_offer(
    allowed: tuple[str, ...], protocol: str, keys: int, dtls: bool, plain: bool
) -> None:
    local = local_media(protections=allowed)
    offered = offer_security(local)
    assert (offered.protocol, len(offered.keys), offered.dtls, offered.plain) == (
        protocol,
        keys,
        dtls,
        plain,
    )
    names = [line.name for line in offered.lines(local)]
    assert names.count("crypto") == keys
    assert ("fingerprint" in names) == dtls


@pytest.mark.parametrize(
    ("allowed", "protocol"),
    [(("plain",), "RTP/AVPF"), (("sdes",), "RTP/SAVPF"), (("dtls",), "UDP/TLS/RTP/SAVPF")],
)
def test_early_feedback(allowed: tuple[str, ...], protocol: str) -> None:
    local = local_media(protections=allowed, early_feedback=True)
    assert offer_security(local).protocol == protocol


def completed(*lines: str, protocol: str = "RTP/AVP", allowed: tuple[str, ...]) -> Security:
    answer = offer(audio(*lines, protocol=protocol))
    offered = offer_security(local_media(protections=allowed))
    return completed_security(offered, answer, answer.media[0])


def test_completed_by_keys() -> None:
    security = completed(f"a=crypto:3 {SUITE} {KEY}", allowed=("sdes", "plain"))
    assert isinstance(security, Sdes)
    assert (security.tag, security.profile) == (3, "AES128_CM_SHA1_80")
    assert security.remote_key == REMOTE
    offered = offer_security(local_media(protections=("sdes", "plain")))
    assert security.local_key == offered.keys[SUITE]


def test_completed_without() -> None:
    assert completed(allowed=("sdes", "plain")) == Plain()
    assert completed(allowed=("plain",)) == Plain()


@pytest.mark.parametrize(("setup", "role"), [("active", "server"), ("passive", "client")])
def test_completed_by_dtls(setup: str, role: str) -> None:
    protocol = "UDP/TLS/RTP/SAVP"
    security = completed(PRINT, f"a=setup:{setup}", protocol=protocol, allowed=("dtls",))
    assert security == Dtls(role, (THEIRS,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lines", "protocol", "allowed", "reason"),
    [
        ((), "RTP/SAVP", ("sdes",), "no keys"),
        ((), "RTP/SAVP", ("sdes", "plain"), "no keys"),
        ((f"a=crypto:1 F8_128_HMAC_SHA1_80 {KEY}",), "RTP/SAVP", ("sdes",), "none that was"),
        ((PRINT, "a=setup:actpass"), "UDP/TLS/RTP/SAVP", ("dtls",), "no answer"),
        (("a=setup:active",), "UDP/TLS/RTP/SAVP", ("dtls",), "no keys"),
    ],
)
def test_answers_that_choose_nothing(
    lines: tuple[str, ...], protocol: str, allowed: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(SectionRefused, match=reason):
        completed(*lines, protocol=protocol, allowed=allowed)


def test_what_is_offered_again_is_what_is_in_use() -> None:
    sdes = Sdes(3, "AES128_CM_SHA1_80", bytes(30), bytes(30))
    again = offer_again(sdes, "RTP/AVP")
    (line,) = again.lines(local_media())
    assert line.value.startswith(f"crypto:3 {SUITE} inline:AAAA")
    assert not again.plain
    dtls = offer_again(Dtls("client", (THEIRS,)), "UDP/TLS/RTP/SAVP")
    values = [line.value for line in dtls.lines(local_media())]
    assert values == [f"fingerprint:{OURS}", "setup:actpass"]
    assert offer_again(Plain(), "RTP/AVP").plain


def test_lines_of_answers() -> None:
    local = local_media()
    assert list(security_lines(Plain(), local)) == []
    values = [line.value for line in security_lines(Dtls("client", (THEIRS,)), local)]
    assert values == [f"fingerprint:{OURS}", "setup:active"]
    (line,) = security_lines(Sdes(2, "AES128_CM_SHA1_80", REMOTE, bytes(30)), local)
    assert line.value == f"crypto:2 {SUITE} {KEY}"
