import pytest
from aioice import stun as aioice_stun

from signalling.webrtc import stun
from signalling.webrtc.ice import (
    MAX_QUEUED,
    MAX_TRANSACTIONS,
    NOMINATION_HOLD_S,
    CheckReceived,
    IceLite,
    Nominated,
)

PASSWORD = "local-password-of-24-chr"
ADDRESS = ("192.0.2.7", 50007)
OTHER = ("2001:db8::7", 50008)


@pytest.fixture
def ice() -> IceLite:
    return IceLite("mine", PASSWORD, "yours", "remote-password")


def check(
    *,
    username: str | None = "mine:yours",
    password: str | None = PASSWORD,
    use_candidate: bool = False,
    role: str = "ICE-CONTROLLING",
    priority: int = 1,
    message_class: aioice_stun.Class = aioice_stun.Class.REQUEST,
) -> bytes:
    """A connectivity check as aioice writes it."""
    message = aioice_stun.Message(aioice_stun.Method.BINDING, message_class)
    if username is not None:
        message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = priority
    if role:
        message.attributes[role] = 5
    if use_candidate:
        message.attributes["USE-CANDIDATE"] = None
    if password is None:
        message.add_fingerprint()
    else:
        message.add_message_integrity(password.encode())
    return bytes(message)


def answer(ice: IceLite, to: tuple[str, int] = ADDRESS) -> aioice_stun.Message:
    [(data, address)] = ice.datagrams_to_send(0.0)
    assert address == to
    return aioice_stun.parse_message(data)


def error_of(message: aioice_stun.Message) -> int:
    assert message.message_class == aioice_stun.Class.ERROR
    return int(message.attributes["ERROR-CODE"][0])


def test_a_check_is_answered(ice: IceLite) -> None:
    data = check()
    assert ice.receive_datagram(data, ADDRESS, 1.0) == [CheckReceived(ADDRESS)]
    message = answer(ice)
    assert message.message_class == aioice_stun.Class.RESPONSE
    assert message.transaction_id == data[8:20]
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ADDRESS
    assert message.check_message_integrity(PASSWORD.encode())
    assert "FINGERPRINT" in message.attributes
    assert ice.nominated is None
    assert ice.datagrams_to_send(1.0) == []


def test_ipv6(ice: IceLite) -> None:
    assert ice.receive_datagram(check(), OTHER, 1.0) == [CheckReceived(OTHER)]
    assert answer(ice, OTHER).attributes["XOR-MAPPED-ADDRESS"] == OTHER


def test_nomination(ice: IceLite) -> None:
    events = ice.receive_datagram(check(use_candidate=True), ADDRESS, 1.0)
    assert events == [CheckReceived(ADDRESS), Nominated(ADDRESS)]
    again = ice.receive_datagram(check(use_candidate=True), ADDRESS, 2.0)
    assert again == [CheckReceived(ADDRESS)]
    assert ice.nominated == ADDRESS


def test_the_peer_may_change_its_mind(ice: IceLite) -> None:
    ice.receive_datagram(check(use_candidate=True, priority=9), ADDRESS, 1.0)
    later = 1.0 + NOMINATION_HOLD_S
    events = ice.receive_datagram(check(use_candidate=True, priority=1), OTHER, later)
    assert events == [CheckReceived(OTHER), Nominated(OTHER)]


def test_of_pairs_nominated_at_once_the_better_counts(ice: IceLite) -> None:
    ice.receive_datagram(check(use_candidate=True, priority=5), ADDRESS, 1.0)
    worse = ice.receive_datagram(check(use_candidate=True, priority=4), OTHER, 1.1)
    assert worse == [CheckReceived(OTHER)]
    assert ice.nominated == ADDRESS
    better = ice.receive_datagram(check(use_candidate=True, priority=6), OTHER, 1.2)
    assert better == [CheckReceived(OTHER), Nominated(OTHER)]


@pytest.mark.parametrize(
    "data",
    [
        check(password="wrong"),
        check(username="mine:somebody"),
        check(username="theirs:yours"),
        check(username="yours:mine"),
    ],
    ids=["password", "remote", "local", "swapped"],
)
def test_strangers_get_401_and_change_nothing(ice: IceLite, data: bytes) -> None:
    assert ice.receive_datagram(data, ADDRESS, 1.0) == []
    message = answer(ice)
    assert error_of(message) == 401
    assert "MESSAGE-INTEGRITY" not in message.attributes
    assert ice.dropped == {"401": 1}


@pytest.mark.parametrize(
    "data", [check(username=None), check(password=None)], ids=["user name", "integrity"]
)
def test_incomplete_requests_get_400(ice: IceLite, data: bytes) -> None:
    assert ice.receive_datagram(data, ADDRESS, 1.0) == []
    assert error_of(answer(ice)) == 400
    assert ice.dropped == {"400": 1}


def test_strangers_never_get_more_than_they_sent(ice: IceLite) -> None:
    bare = stun.StunMessage(stun.BINDING, stun.REQUEST, bytes(12)).encode()
    assert ice.receive_datagram(bare, ADDRESS, 1.0) == []
    assert ice.datagrams_to_send(1.0) == []
    assert ice.dropped == {"400": 1}


def test_unknown_required_attributes_are_named(ice: IceLite) -> None:
    attributes = ((stun.USERNAME, b"mine:yours"), (0x7123, b"abc"), (0x7456, b""), (0xC001, b""))
    request = stun.StunMessage(stun.BINDING, stun.REQUEST, bytes(12), attributes)
    assert ice.receive_datagram(request.encode(PASSWORD), ADDRESS, 1.0) == []
    [(data, _)] = ice.datagrams_to_send(1.0)
    message = stun.StunMessage.parse(data)
    assert message.is_signed_with(PASSWORD)
    assert message.attribute(stun.ERROR_CODE) == b"\0\0\4\x14"
    assert message.attribute(stun.UNKNOWN_ATTRIBUTES) == bytes.fromhex("71237456")
    assert ice.dropped == {"420": 1}


def test_unknown_optional_attributes_are_ignored(ice: IceLite) -> None:
    attributes = ((stun.USERNAME, b"mine:yours"), (0xC057, b"\0\1\0\0"))
    request = stun.StunMessage(stun.BINDING, stun.REQUEST, bytes(12), attributes)
    events = ice.receive_datagram(request.encode(PASSWORD), ADDRESS, 1.0)
    assert events == [CheckReceived(ADDRESS)]


def test_a_controlled_peer_is_told_to_control(ice: IceLite) -> None:
    data = check(role="ICE-CONTROLLED", use_candidate=True)
    assert ice.receive_datagram(data, ADDRESS, 1.0) == []
    message = answer(ice)
    assert error_of(message) == 487
    assert message.check_message_integrity(PASSWORD.encode())
    assert ice.nominated is None


def test_checks_without_a_role_are_answered(ice: IceLite) -> None:
    assert ice.receive_datagram(check(role=""), ADDRESS, 1.0) == [CheckReceived(ADDRESS)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (check(message_class=aioice_stun.Class.INDICATION), "indication"),
        (check(message_class=aioice_stun.Class.RESPONSE), "not-a-request"),
        (check(message_class=aioice_stun.Class.ERROR), "not-a-request"),
        (check()[:-1], "header"),
        (check()[:-8] + b"\x80\x28\0\4\0\0\0\0", "fingerprint"),
        (b"\0\1", "short"),
        (b"", "short"),
    ],
    ids=["indication", "response", "error", "cut", "broken fingerprint", "two bytes", "nothing"],
)
def test_what_is_no_request_gets_no_answer(ice: IceLite, data: bytes, reason: str) -> None:
    assert ice.receive_datagram(data, ADDRESS, 1.0) == []
    assert ice.datagrams_to_send(1.0) == []
    assert ice.dropped == {reason: 1}


def test_unreadable_username(ice: IceLite) -> None:
    request = stun.StunMessage(1, 0, bytes(12), ((stun.USERNAME, b"\xff"),)).encode(PASSWORD)
    assert ice.receive_datagram(request, ADDRESS, 1.0) == []
    assert ice.dropped == {"username": 1}


def test_answers_nobody_collects_are_bounded(ice: IceLite) -> None:
    for _ in range(MAX_QUEUED * 3):
        ice.receive_datagram(check(), ADDRESS, 1.0)
    assert len(ice.datagrams_to_send(1.0)) == MAX_QUEUED


def test_restart(ice: IceLite) -> None:
    new_password = "another-password-24-char"
    ice.receive_datagram(check(use_candidate=True), ADDRESS, 1.0)
    ice.datagrams_to_send(1.0)
    ice.restart("new", new_password, "fresh", "x")
    assert ice.nominated == ADDRESS  # media goes on

    # Checks that were under way are answered still, and nominate nothing.
    old = ice.receive_datagram(check(use_candidate=True), OTHER, 2.0)
    assert old == [CheckReceived(OTHER)]
    assert answer(ice, OTHER).check_message_integrity(PASSWORD.encode())
    assert ice.nominated == ADDRESS

    # The same address under the new credentials is a nomination again.
    data = check(username="new:fresh", password=new_password, use_candidate=True)
    events = ice.receive_datagram(data, ADDRESS, 3.0)
    assert events == [CheckReceived(ADDRESS), Nominated(ADDRESS)]
    assert answer(ice).check_message_integrity(new_password.encode())

    # And the old ones are over.
    assert ice.receive_datagram(check(), ADDRESS, 4.0) == []
    assert error_of(answer(ice)) == 401


def test_an_overheard_check_moves_nothing_when_it_is_sent_from_elsewhere(ice: IceLite) -> None:
    overheard = check(use_candidate=True, priority=9)
    ice.receive_datagram(overheard, ADDRESS, 1.0)
    ice.datagrams_to_send(1.0)
    later = 1.0 + NOMINATION_HOLD_S
    assert ice.receive_datagram(overheard, OTHER, later) == []
    assert ice.datagrams_to_send(later) == []
    assert ice.nominated == ADDRESS
    assert ice.dropped == {"replay": 1}


def test_a_retransmission_is_answered_and_counts_once(ice: IceLite) -> None:
    data = check(use_candidate=True)
    ice.receive_datagram(data, ADDRESS, 1.0)
    answer(ice)
    # No event, or a replay would keep consent for somebody who is gone.
    assert ice.receive_datagram(data, ADDRESS, 2.0) == []
    assert answer(ice).transaction_id == data[8:20]
    assert ice.dropped == {}


def test_a_bounded_number_of_checks_is_remembered(ice: IceLite) -> None:
    checks = [check() for _ in range(MAX_TRANSACTIONS + 1)]
    for data in checks:
        assert ice.receive_datagram(data, ADDRESS, 1.0)
        ice.datagrams_to_send(1.0)
    assert ice.receive_datagram(checks[1], ADDRESS, 1.0) == []
    assert ice.receive_datagram(checks[0], ADDRESS, 1.0) == [CheckReceived(ADDRESS)]
