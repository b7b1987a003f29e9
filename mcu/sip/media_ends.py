"""Our end of a call's media: at which addresses, with which protection."""

import ipaddress
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from mcu.media.latch import Elsewhere
from mcu.sip.lookup import is_address
from mcu.sip.udp import local_address
from signalling.media.negotiated import StreamName
from signalling.offer_answer import Ice, LocalFloor, LocalMedia
from signalling.offer_answer.agreement import Family, Protection
from signalling.sdp import Direction, Fingerprint
from signalling.sip import Hop

Latching = Literal["off", "signalling", "anywhere"]
PlainRtp = Literal["allowed", "internal", "refused"]

STREAMS: Final[Mapping[StreamName, Direction]] = {
    "audio": "sendrecv",
    "video": "sendrecv",
    "presentation": "sendrecv",
}
SECTIONS: Final = len(STREAMS) + 1
"""Sections of one call that need ports; the last is floor control."""
Protections = tuple[Protection, ...]

_PROTECTED: Final[Protections] = ("sdes", "dtls")
_BY_CERTIFICATE: Final[Protections] = ("dtls", "sdes")


class MediaEnds:
    """Makes our end for each call.

    Args:
        fingerprint: of our DTLS certificate. cname: as RTCP names us.
        bitrate_bps: what we want of a picture at most.
        public: addresses told in place of our own; one of each family counts.
        own: addresses of this machine, for a family that the peer's signalling does not show.
        plain_rtp, internal, latching: the site's policy.
    """

    def __init__(
        self,
        *,
        fingerprint: Fingerprint,
        cname: str,
        bitrate_bps: int,
        public: Sequence[str] = (),
        own: Sequence[str] = (),
        plain_rtp: PlainRtp = "internal",
        internal: Sequence[str] = (),
        latching: Latching = "signalling",
    ) -> None:
        self._fingerprint = fingerprint
        self._cname = cname
        self._bitrate_bps = bitrate_bps
        self._public = tuple(public)
        self._own = tuple(own)
        self._plain_rtp = plain_rtp
        self._latching = latching
        self._internal = tuple(ipaddress.ip_network(network) for network in internal)

    def protections(self, hop: Hop) -> tuple[Protections, ...]:
        """What may protect media, in the order in which offers of ours try it.

        Keys that a room may pass over suit most; those that insist on the name of their own
        protection (RTP/SAVP, or DTLS) refuse it with 488, and get the next offer.
        """
        if self._is_plain_allowed(hop.host):
            return (*_PROTECTED, "plain"), _PROTECTED, _BY_CERTIFICATE
        return _PROTECTED, _BY_CERTIFICATE

    def local(
        self,
        hop: Hop,
        port: Callable[[int, Family], int],
        floor: LocalFloor | None = None,
        protections: Protections | None = None,
    ) -> LocalMedia:
        """Our end of a call with a peer whose signalling comes from or goes to ``hop``.

        Args:
            port, floor: see ``LocalMedia``.
            protections: one of those that ``protections`` gives; None: the first.
        """
        reached = hop.local or local_address(hop.host, hop.port or 0)
        return LocalMedia(
            port=port,
            session_id=secrets.randbits(62),
            cname=self._cname,
            new_ssrc=lambda: secrets.randbelow(0xFFFF_FFFF) + 1,
            ipv4=self._address(4, reached),
            ipv6=self._address(6, reached),
            fingerprints=(self._fingerprint,),
            ice=Ice(secrets.token_hex(4), secrets.token_hex(16)),
            protections=protections or self.protections(hop)[0],
            streams=STREAMS,
            receive_bitrate_bps=self._bitrate_bps,
            floor=floor,
        )

    def elsewhere(self, hop: Hop) -> Elsewhere:
        """Where media of a call may come from that were announced to come from another host."""
        return hop.host if self._latching == "signalling" else self._latching == "anywhere"

    def family(self, hop: Hop) -> Family | None:
        """Of addresses in our first offer: as its signalling, where we have one; else any."""
        if hop.port is None or not is_address(hop.host):
            return None  # a name that is still to be looked up
        version = 6 if ":" in hop.host else 4
        reached = hop.local or local_address(hop.host, hop.port)
        if not self._address(version, reached):
            return None
        return "IP6" if version == 6 else "IP4"

    def _address(self, version: int, reached: str) -> str:
        for address in (*self._public, reached, *self._own):
            if address and (6 if ":" in address else 4) == version:
                return address
        return ""

    def _is_plain_allowed(self, host: str) -> bool:
        if self._plain_rtp != "internal":
            return self._plain_rtp == "allowed"
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False  # a name that is still to be looked up
        return any(address in network for network in self._internal)
