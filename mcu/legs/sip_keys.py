"""SRTP of a SIP leg: sessions out of agreed keys, and what libsrtp is not asked to do."""

from typing import NamedTuple

from mcu.media.rtp import HEADER_BYTES
from mcu.media.srtp import PacketBuffer, SrtpSession
from signalling.offer_answer.agreement import Sdes
from signalling.webrtc.dtls import SrtpKeys

_TAG_BYTES = {"AES128_CM_SHA1_80": 10, "AES128_CM_SHA1_32": 4}
"""Of SRTP behind an MKI; the AEAD profiles put the MKI last (RFC 7714 8.2, 9.3)."""
_RTCP_TAG_BYTES = 10
"""Of SRTCP with either AES-CM suite (RFC 4568 6.2.1)."""


class Sessions(NamedTuple):
    """Of one association, both directions."""

    inbound: SrtpSession
    outbound: SrtpSession
    profile: str
    mki_bytes: int = 0
    """So many stand in each packet that comes (RFC 3711 3.1)."""

    @classmethod
    def of_descriptions(cls, keys: Sdes) -> "Sessions":
        """SDES. Cost: some 20 us."""
        return _sessions(keys.profile, keys.remote_key, keys.local_key, keys.remote_mki_bytes)

    @classmethod
    def of_handshake(cls, keys: SrtpKeys) -> "Sessions":
        """DTLS-SRTP, which agrees on no MKI."""
        return _sessions(keys.profile.name, keys.remote_key, keys.local_key, 0)

    def open(self, packet: PacketBuffer) -> int:
        """Open an SRTP packet where it lies; gives its length.

        Raises:
            SrtpError: it is not the peer's.
        """
        if self.mki_bytes:
            _take_out(packet, self.mki_bytes, _TAG_BYTES.get(self.profile, 0))
        return self.inbound.open(packet)

    def open_rtcp(self, packet: PacketBuffer) -> bytes:
        """Open an SRTCP packet where it lies; gives the compound packet.

        Raises:
            SrtpError: it is not the peer's.
        """
        if self.mki_bytes:
            tag_bytes = _RTCP_TAG_BYTES if self.profile in _TAG_BYTES else 0
            _take_out(packet, self.mki_bytes, tag_bytes)
        return self.inbound.open_rtcp(packet)


def _sessions(profile: str, remote: bytes, local: bytes, mki_bytes: int) -> Sessions:
    buffer = PacketBuffer()
    return Sessions(
        SrtpSession(remote, profile, buffer, outbound=False),
        SrtpSession(local, profile, buffer, outbound=True),
        profile,
        mki_bytes,
    )


def _take_out(packet: PacketBuffer, mki_bytes: int, tag_bytes: int) -> None:
    """Close the gap that an MKI leaves before the tag."""
    size = packet.length[0]
    end = size - mki_bytes
    if end <= HEADER_BYTES + tag_bytes:
        return  # too short for either: libsrtp refuses it
    if tag_bytes:
        packet.view[end - tag_bytes : end] = bytes(packet.view[size - tag_bytes : size])
    packet.length[0] = end
