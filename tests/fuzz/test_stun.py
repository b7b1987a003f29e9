"""Datagrams of any kind on the media port's STUN and DTLS side.

Invariant: ``StunMessage.parse`` ends in a message or ``StunError``; ``IceLite`` and
``DtlsEndpoint`` never raise, never accept what is not signed, and never answer a stranger with
more bytes than it sent.
"""

import contextlib
import struct

from aioice import stun as aioice_stun
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signalling.webrtc import stun
from signalling.webrtc.dtls import Closed, DtlsCertificate, DtlsEndpoint, Failed
from signalling.webrtc.ice import IceLite
from signalling.webrtc.stun import StunError, StunMessage, is_stun, receiving_ufrag

PASSWORD = "local-password-of-24-chr"
ADDRESS = ("192.0.2.7", 50007)

fuzz = settings(max_examples=400, deadline=None)


def valid_check() -> bytes:
    message = aioice_stun.Message(
        aioice_stun.Method.BINDING, aioice_stun.Class.REQUEST, bytes(range(12))
    )
    message.attributes["USERNAME"] = "mine:yours"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(PASSWORD.encode())
    return bytes(message)


VALID = valid_check()


def with_header(body: bytes, kind: int = 1) -> bytes:
    return struct.pack("!HHI", kind, len(body), stun.COOKIE) + bytes(12) + body


attributes = st.lists(
    st.tuples(
        st.sampled_from([0x0006, 0x0008, 0x0020, 0x0024, 0x0025, 0x8028, 0x8029, 0x802A, 0x7777]),
        st.binary(max_size=24),
        st.integers(0, 30),
    ),
    max_size=8,
)


def assemble(parts: list[tuple[int, bytes, int]]) -> bytes:
    """Attributes with true or false lengths."""
    body = b""
    for kind, value, lie in parts:
        length = len(value) if lie < 20 else lie
        body += struct.pack("!HH", kind, length) + value + bytes(-len(value) % 4)
    return with_header(body)


def feed(data: bytes) -> None:
    with contextlib.suppress(StunError):
        StunMessage.parse(StunMessage.parse(data).encode("pw"))
    receiving_ufrag(data)
    is_stun(data)
    ice = IceLite("mine", PASSWORD, "yours", "remote")
    events = ice.receive_datagram(data, ADDRESS, 0.0)
    answers = ice.datagrams_to_send(0.0)
    if data != VALID:
        # Nobody without the password gets in, or gets more than it gave.
        assert events == []
        assert sum(len(answer) for answer, _ in answers) <= len(data)
        assert sum(ice.dropped.values()) == 1


def test_the_valid_check_is_taken() -> None:
    ice = IceLite("mine", PASSWORD, "yours", "remote")
    assert len(ice.receive_datagram(VALID, ADDRESS, 0.0)) == 2


@fuzz
@given(st.binary(max_size=300))
@example(b"")
@example(with_header(b"\x80\x28\0\4"))
@example(with_header(struct.pack("!HH", 0x0006, 0xFFFF)))
@example(with_header(b"", kind=0x0111))
def test_any_bytes(data: bytes) -> None:
    feed(data)


@fuzz
@given(st.binary(max_size=200), st.integers(0, 0x3FFF))
def test_any_body(body: bytes, kind: int) -> None:
    feed(with_header(body[: len(body) // 4 * 4], kind))


@fuzz
@given(attributes)
def test_any_attributes(parts: list[tuple[int, bytes, int]]) -> None:
    feed(assemble(parts))


SIGNED_BYTES = len(VALID) - 8  # all but FINGERPRINT, which anybody can recompute or leave out


@fuzz
@given(st.integers(0, SIGNED_BYTES - 1), st.integers(0, 255))
def test_a_check_with_one_byte_changed(at: int, value: int) -> None:
    feed(VALID[:at] + bytes((value,)) + VALID[at + 1 :])


@fuzz
@given(st.integers(0, len(VALID)))
def test_a_check_cut_short(length: int) -> None:
    feed(VALID[:length])


CERTIFICATE = DtlsCertificate.generate()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(20, 63), st.binary(max_size=120)), min_size=1, max_size=6))
def test_any_dtls(datagrams: list[tuple[int, bytes]]) -> None:
    for role in ("client", "server"):
        endpoint = DtlsEndpoint(role, CERTIFICATE, (CERTIFICATE.fingerprint,))  # type: ignore[arg-type]
        endpoint.start(0.0)
        for first, rest in datagrams:
            events = endpoint.receive_datagram(bytes((first,)) + rest, 0.0)
            assert all(isinstance(event, Failed) for event in events)
        endpoint.datagrams_to_send(0.0)
        endpoint.handle_timer(1.0)


damages = st.tuples(st.booleans(), st.floats(0, 1, exclude_max=True), st.integers(0, 255))


@settings(max_examples=150, deadline=None)
@given(st.lists(damages, min_size=12, max_size=12))
def test_damaged_handshakes(plan: list[tuple[bool, float, int]]) -> None:
    client = DtlsEndpoint("client", CERTIFICATE, (CERTIFICATE.fingerprint,))
    server = DtlsEndpoint("server", CERTIFICATE, (CERTIFICATE.fingerprint,))
    client.start(0.0)
    damage = iter(plan)
    for step in range(4):
        sender, receiver = (client, server) if step % 2 == 0 else (server, client)
        for datagram in sender.datagrams_to_send(0.0):
            wanted, where, value = next(damage)
            if wanted:
                at = int(where * len(datagram))
                receiver.receive_datagram(datagram[:at] + bytes((value,)) + datagram[at + 1 :], 0.0)
            receiver.receive_datagram(datagram, 0.0)
    # Whatever the damage did, an end that has keys has them from the right peer.
    if client.state == server.state == "connected":
        server.close(0.0)
        for datagram in server.datagrams_to_send(0.0):
            assert client.receive_datagram(datagram, 0.0) == [Closed()]
