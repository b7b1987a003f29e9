import os

import pytest
from aiortc.rtp import RtpPacket
from pylibsrtp import Policy, Session

from mcu.media.srtp import (
    MAX_DATAGRAM_BYTES,
    PROFILES,
    REPLAY_WINDOW_PACKETS,
    PacketBuffer,
    SrtpError,
    SrtpSession,
    protect_in_place,
)

KEY_BYTES = {"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44, "AES128_CM_SHA1_80": 30}
RTCP = b"\x80\xc9\x00\x01\x00\x00\x00\x07"


class Pair:
    """Ours and pylibsrtp's own session under one key."""

    def __init__(self, profile: str = "AEAD_AES_128_GCM") -> None:
        key = os.urandom(KEY_BYTES[profile])
        self.buffer = PacketBuffer()
        self.outbound = SrtpSession(key, profile, self.buffer, outbound=True)
        self.inbound = SrtpSession(key, profile, self.buffer, outbound=False)
        self.their_outbound = self._theirs(key, profile, Policy.SSRC_ANY_OUTBOUND)
        self.their_inbound = self._theirs(key, profile, Policy.SSRC_ANY_INBOUND)

    @staticmethod
    def _theirs(key: bytes, profile: str, kind: int) -> Session:
        return Session(Policy(key=key, ssrc_type=kind, srtp_profile=PROFILES[profile]))

    def protect(self, packet: bytes) -> bytes:
        self.buffer.view[: len(packet)] = packet
        self.buffer.length[0] = len(packet)
        status = protect_in_place(
            self.outbound.handle, self.buffer.address, self.buffer.length_address
        )
        assert status == 0
        return bytes(self.buffer.view[: self.buffer.length[0]])

    def opened(self, datagram: bytes) -> bytes:
        length = self.inbound.unprotect(datagram)
        return bytes(self.buffer.view[:length])


def packet(sequence: int = 5, ssrc: int = 9, payload: bytes = b"payload") -> bytes:
    return RtpPacket(96, 0, sequence, 7, ssrc, payload).serialize()


@pytest.mark.parametrize("profile", KEY_BYTES)
def test_both_directions_with_another_implementation_of_the_shell(profile: str) -> None:
    pair = Pair(profile)
    assert pair.their_inbound.unprotect(pair.protect(packet())) == packet()
    assert pair.opened(pair.their_outbound.protect(packet())) == packet()
    assert pair.their_inbound.unprotect_rtcp(pair.outbound.protect_rtcp(RTCP)) == RTCP
    assert pair.inbound.unprotect_rtcp(pair.their_outbound.protect_rtcp(RTCP)) == RTCP


def test_the_same_packet_again_is_the_same_ciphertext() -> None:
    pair = Pair()
    first = pair.protect(packet(5))
    for sequence in range(6, 6 + REPLAY_WINDOW_PACKETS - 2):
        pair.protect(packet(sequence))
    assert pair.protect(packet(5)) == first


def test_replay_is_refused() -> None:
    pair = Pair()
    datagram = pair.their_outbound.protect(packet())
    pair.inbound.unprotect(datagram)
    with pytest.raises(SrtpError) as caught:
        pair.inbound.unprotect(datagram)
    assert caught.value.reason == "replay"
    report = pair.their_outbound.protect_rtcp(RTCP)
    pair.inbound.unprotect_rtcp(report)
    with pytest.raises(SrtpError) as caught:
        pair.inbound.unprotect_rtcp(report)
    assert caught.value.reason == "replay"


@pytest.mark.parametrize("profile", KEY_BYTES)
def test_forged_packets_are_refused(profile: str) -> None:
    pair = Pair(profile)
    for at in (1, 12, -1):
        datagram = bytearray(pair.their_outbound.protect(packet(20 + at)))
        datagram[at] ^= 0x01
        with pytest.raises(SrtpError) as caught:
            pair.inbound.unprotect(bytes(datagram))
        assert caught.value.reason == "authentication"


def test_truncated_and_oversized_are_refused() -> None:
    pair = Pair()
    datagram = pair.their_outbound.protect(packet())
    for size in range(len(datagram)):
        with pytest.raises(SrtpError):
            pair.inbound.unprotect(datagram[:size])
    for refused in (pair.inbound.unprotect, pair.inbound.unprotect_rtcp):
        with pytest.raises(SrtpError) as caught:
            refused(b"\x80" + bytes(MAX_DATAGRAM_BYTES))
        assert caught.value.reason == "too_long"


def test_forgets_one_ssrc() -> None:
    pair = Pair()
    datagram = pair.their_outbound.protect(packet())
    pair.inbound.unprotect(datagram)
    pair.inbound.forget(9)
    pair.inbound.forget(1234)
    assert pair.opened(datagram) == packet()


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        SrtpSession(bytes(20), "AEAD_AES_128_GCM", PacketBuffer(), outbound=True)
