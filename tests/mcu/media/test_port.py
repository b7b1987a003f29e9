import os

import pytest

from mcu.media.lane import OUT_OF_STEP
from mcu.media.port import MAX_ADDRESSES_PER_LEG, MediaPort
from mcu.media.srtp import PacketBuffer
from signalling.webrtc import stun
from signalling.webrtc.stun import StunMessage

ADDRESS = ("192.0.2.5", 4000)


class Leg:
    """An endpoint that notes what it gets."""

    lane = OUT_OF_STEP

    def __init__(self) -> None:
        self.got: list[str] = []

    def receive_stun(self, datagram: bytes, address: object, now: float) -> None:
        self.got.append("stun")

    def receive_dtls(self, datagram: bytes, address: object, now: float) -> None:
        self.got.append("dtls")

    def receive_srtp(self, packet: PacketBuffer, now: float) -> None:
        self.got.append("srtp")

    def receive_srtcp(self, packet: PacketBuffer, now: float) -> None:
        self.got.append("srtcp")


def check(ufrag: str) -> bytes:
    attributes = ((stun.USERNAME, f"{ufrag}:theirs".encode()),)
    return StunMessage(stun.BINDING, stun.REQUEST, os.urandom(12), attributes).encode("password")


@pytest.fixture
def port() -> MediaPort:
    return MediaPort(lambda datagram, address: len(datagram))


RTP = b"\x80\x60" + bytes(20)
RTCP = b"\x80\xc8" + bytes(20)
DTLS = b"\x16\xfe\xfd" + bytes(20)


def test_the_first_byte_decides(port: MediaPort) -> None:
    leg = Leg()
    port.register(leg, "ours")
    port.bind(leg, ADDRESS)
    for datagram in (check("ours"), DTLS, RTP, RTCP):
        port.datagram_received(datagram, ADDRESS, 0.0)
    assert leg.got == ["stun", "dtls", "srtp", "srtcp"]
    assert port.dropped == {}


def test_checks_go_by_name_then_by_address(port: MediaPort) -> None:
    one, other = Leg(), Leg()
    port.register(one, "one")
    port.register(other, "other")
    port.bind(one, ADDRESS)
    port.datagram_received(check("other"), ADDRESS, 0.0)
    port.datagram_received(check("unknown"), ADDRESS, 0.0)
    assert (one.got, other.got) == (["stun"], ["stun"])


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (b"", "empty"),
        (RTP, "unknown_address"),
        (RTCP, "unknown_address"),
        (DTLS, "unknown_address"),
        (check("nobody"), "unknown_stun"),
        (b"\x00\x01garbage", "not_stun"),
        (check("nobody")[:-3], "unknown_stun"),
        (b"\x05", "unknown_protocol"),
        (b"\x40" + bytes(20), "unknown_protocol"),
        (b"\xff", "unknown_protocol"),
    ],
    ids=["-", "RTP", "RTCP", "DTLS", "check", "garbage", "cut check", "5", "TURN channel", "255"],
)
def test_what_nobody_can_use_is_counted(port: MediaPort, datagram: bytes, reason: str) -> None:
    port.register(Leg(), "ours")
    port.datagram_received(datagram, ("198.51.100.1", 9), 0.0)
    assert port.dropped == {reason: 1}


@pytest.mark.parametrize("datagram", [b"\x80", b"\x80\x60" + bytes(9), b"\x80\x60" + bytes(2100)])
def test_media_of_impossible_size_is_counted(port: MediaPort, datagram: bytes) -> None:
    leg = Leg()
    port.register(leg, "ours")
    port.bind(leg, ADDRESS)
    port.datagram_received(datagram, ADDRESS, 0.0)
    assert port.dropped == {"media_size": 1}
    assert leg.got == []


def test_an_address_goes_over_to_the_newer_leg(port: MediaPort) -> None:
    before, after = Leg(), Leg()
    port.register(before, "before")
    port.register(after, "after")
    port.bind(before, ADDRESS)
    port.bind(after, ADDRESS)
    port.datagram_received(RTP, ADDRESS, 0.0)
    assert (before.got, after.got) == ([], ["srtp"])
    port.unregister(before)
    port.datagram_received(RTP, ADDRESS, 0.0)
    assert after.got == ["srtp", "srtp"]


def test_a_leg_keeps_its_last_addresses(port: MediaPort) -> None:
    leg = Leg()
    port.register(leg, "ours")
    for number in range(MAX_ADDRESSES_PER_LEG + 3):
        port.bind(leg, ("192.0.2.5", number))
    assert port.addresses == MAX_ADDRESSES_PER_LEG
    port.datagram_received(RTP, ("192.0.2.5", 0), 0.0)
    assert port.dropped == {"unknown_address": 1}


def test_nothing_is_left_of_a_leg(port: MediaPort) -> None:
    leg = Leg()
    port.register(leg, "first")
    port.register(leg, "restarted")
    port.bind(leg, ADDRESS)
    port.unregister(leg)
    port.unregister(leg)
    assert (port.endpoints, port.addresses) == (0, 0)
    port.bind(leg, ADDRESS)
    for datagram in (RTP, check("first"), check("restarted")):
        port.datagram_received(datagram, ADDRESS, 0.0)
    assert leg.got == []


def test_a_forgotten_name(port: MediaPort) -> None:
    leg = Leg()
    port.register(leg, "first")
    port.forget_ufrag("first")
    port.forget_ufrag("first")
    port.datagram_received(check("first"), ADDRESS, 0.0)
    assert port.dropped == {"unknown_stun": 1}


def test_mapped_addresses() -> None:
    port = MediaPort(lambda datagram, address: 0, dual_stack=True)
    mapped = ("::ffff:192.0.2.5", 4000, 0, 0)
    assert port.peer_address(mapped) == ADDRESS
    assert port.socket_address(ADDRESS) == mapped
    assert port.peer_address(("2001:db8::1", 4000, 0, 0)) == ("2001:db8::1", 4000)
    assert port.socket_address(("2001:db8::1", 4000)) == ("2001:db8::1", 4000)
    single = MediaPort(lambda datagram, address: 0)
    assert single.socket_address(ADDRESS) == ADDRESS


def test_what_the_socket_refuses_is_counted() -> None:
    def refuse(datagram: memoryview, address: object) -> None:
        raise BlockingIOError

    port = MediaPort(refuse)
    assert not port.transmit(b"x", ADDRESS)
    assert port.dropped == {"send": 1}
