import struct

import pytest
from aioice import stun as aioice_stun

from signalling.webrtc import stun
from signalling.webrtc.stun import (
    StunError,
    StunMessage,
    decode_xor_address,
    encode_xor_address,
    is_stun,
    receiving_ufrag,
)

TRANSACTION = bytes(range(12))

# RFC 5769 section 2.1: a request with a short-term credential.
RFC_5769_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "80220010"
    "5354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
RFC_5769_PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"


def request(**attributes: object) -> aioice_stun.Message:
    names = {name.replace("_", "-"): value for name, value in attributes.items()}
    return aioice_stun.Message(
        aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST, TRANSACTION, names
    )


def test_request_of_rfc_5769() -> None:
    message = StunMessage.parse(RFC_5769_REQUEST)
    assert (message.method, message.message_class) == (stun.BINDING, stun.REQUEST)
    assert message.username == "evtj:h6vY"
    assert message.attribute(stun.PRIORITY) == bytes.fromhex("6e0001ff")
    assert message.fingerprinted
    assert message.is_signed_with(RFC_5769_PASSWORD)
    assert not message.is_signed_with(RFC_5769_PASSWORD + "x")


@pytest.mark.parametrize(
    ("value", "address"),
    [  # RFC 5769 sections 2.2 and 2.3
        ("0001a147e112a643", ("192.0.2.1", 32853)),
        (
            "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9",
            ("2001:db8:1234:5678:11:2233:4455:6677", 32853),
        ),
    ],
)
def test_addresses_of_rfc_5769(value: str, address: tuple[str, int]) -> None:
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    assert decode_xor_address(bytes.fromhex(value), transaction) == address
    assert encode_xor_address(address, transaction).hex() == value


def test_mapped_addresses_are_written_as_ipv4() -> None:
    plain = encode_xor_address(("192.0.2.1", 7), TRANSACTION)
    assert encode_xor_address(("::ffff:192.0.2.1", 7), TRANSACTION) == plain


def test_scopes_are_left_out() -> None:
    plain = encode_xor_address(("fe80::1", 7), TRANSACTION)
    assert encode_xor_address(("fe80::1%eth0", 7), TRANSACTION) == plain


@pytest.mark.parametrize("value", ["", "0001a147", "0002a147e112a643", "0003" + "00" * 18])
def test_damaged_addresses(value: str) -> None:
    with pytest.raises(StunError):
        decode_xor_address(bytes.fromhex(value), TRANSACTION)


def test_what_aioice_writes_is_read() -> None:
    message = request(USERNAME="ab:cd", PRIORITY=7, ICE_CONTROLLING=1, USE_CANDIDATE=None)
    message.add_message_integrity(b"secret")
    parsed = StunMessage.parse(bytes(message))
    assert parsed.username == "ab:cd"
    assert parsed.has(stun.USE_CANDIDATE)
    assert parsed.has(stun.ICE_CONTROLLING)
    assert parsed.is_signed_with("secret")
    assert parsed.transaction_id == TRANSACTION


def test_what_is_written_aioice_reads() -> None:
    attributes = (
        (stun.USERNAME, b"ab:cde"),
        (stun.XOR_MAPPED_ADDRESS, encode_xor_address(("2001:db8::9", 50000), TRANSACTION)),
        (stun.ERROR_CODE, b"\0\0\4\1"),
    )
    data = StunMessage(stun.BINDING, stun.ERROR, TRANSACTION, attributes).encode("secret")
    message = aioice_stun.parse_message(data)
    assert message.message_class == aioice_stun.Class.ERROR
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::9", 50000)
    assert message.attributes["USERNAME"] == "ab:cde"
    assert message.attributes["ERROR-CODE"] == (401, "")
    assert message.check_message_integrity(b"secret")


@pytest.mark.parametrize("password", [None, "secret"])
def test_round_trip(password: str | None) -> None:
    attributes = ((stun.USERNAME, b"a:b"), (0x7777, b"12345"), (0xC057, b""))
    message = StunMessage(stun.BINDING, stun.SUCCESS, TRANSACTION, attributes)
    parsed = StunMessage.parse(message.encode(password))
    assert parsed.attributes == attributes
    assert parsed.fingerprinted
    assert parsed.is_signed_with("secret") == (password is not None)
    assert parsed.encode(password) == message.encode(password)


def test_unsigned_attributes_behind_the_signature_do_not_count() -> None:
    signed = StunMessage(stun.BINDING, stun.REQUEST, TRANSACTION, ((6, b"a:b"),)).encode("pw")[:-8]
    forged = signed + struct.pack("!HH", stun.USE_CANDIDATE, 0)
    forged = forged[:2] + struct.pack("!H", len(forged) - 20) + forged[4:]
    message = StunMessage.parse(forged)
    assert message.is_signed_with("pw")
    assert not message.has(stun.USE_CANDIDATE)


def test_the_first_of_repeated_attributes_counts() -> None:
    attributes = ((stun.USERNAME, b"first"), (stun.USERNAME, b"second"))
    data = StunMessage(stun.BINDING, stun.REQUEST, TRANSACTION, attributes).encode()
    assert StunMessage.parse(data).username == "first"


def raw(body: bytes, kind: int = 1, cookie: int = stun.COOKIE) -> bytes:
    return struct.pack("!HHI", kind, len(body), cookie) + TRANSACTION + body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "short"),
        (raw(b"")[:19], "short"),
        (raw(b"\0\6\5\0" + bytes(1500)), "long"),
        (raw(b"", kind=0x4001), "header"),
        (raw(b"", cookie=1), "header"),
        (raw(b"\0\0"), "header"),
        (raw(b"")[:2] + b"\0\4" + raw(b"")[4:], "header"),
        (raw(b"\0\6\0\x09abcd"), "attribute"),
        (raw(struct.pack("!HHI", stun.MESSAGE_INTEGRITY, 4, 0)), "attribute"),
        (raw(struct.pack("!HHI", stun.USE_CANDIDATE, 4, 0)), "attribute"),
        (raw(struct.pack("!HHI", stun.ICE_CONTROLLING, 4, 0)), "attribute"),
        (raw(struct.pack("!HHI", stun.FINGERPRINT, 4, 0)), "fingerprint"),
        (raw(struct.pack("!HH", 0x8022, 0) * 33), "attribute"),
        (StunMessage(1, 0, TRANSACTION).encode()[:-8], "header"),
    ],
)
def test_damage(data: bytes, reason: str) -> None:
    with pytest.raises(StunError) as caught:
        StunMessage.parse(data)
    assert caught.value.reason == reason


def test_nothing_may_follow_the_fingerprint() -> None:
    data = StunMessage(1, 0, TRANSACTION).encode()
    longer = raw(data[20:] + b"\0\6\0\0")
    with pytest.raises(StunError):
        StunMessage.parse(longer)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"x" * 514])
def test_unreadable_names(name: bytes) -> None:
    data = StunMessage(1, 0, TRANSACTION, ((stun.USERNAME, name),)).encode()
    message = StunMessage.parse(data)
    with pytest.raises(StunError):
        _ = message.username
    assert receiving_ufrag(data) is None


def test_is_stun() -> None:
    assert is_stun(RFC_5769_REQUEST)
    assert not is_stun(RFC_5769_REQUEST[:19])
    assert not is_stun(b"\x80" + RFC_5769_REQUEST[1:])
    assert not is_stun(RFC_5769_REQUEST[:4] + bytes(4) + RFC_5769_REQUEST[8:])


def test_receiving_ufrag() -> None:
    assert receiving_ufrag(RFC_5769_REQUEST) == "evtj"
    assert receiving_ufrag(StunMessage(1, 0, TRANSACTION).encode()) is None
    named = StunMessage(1, 0, TRANSACTION, ((stun.USERNAME, b"nocolon"),)).encode()
    assert receiving_ufrag(named) is None
    assert receiving_ufrag(b"garbage") is None
