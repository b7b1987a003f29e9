"""Both ends of a call for tests: what we bring to it, and offers written line by line."""

import itertools
from pathlib import Path
from typing import Any

from signalling.offer_answer import Agreed, Flow, Ice, LocalFloor, LocalMedia
from signalling.sdp import Fingerprint, MediaSection, SessionDescription

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp" / "sip"
DEVICES = sorted(path.stem for path in VECTORS.glob("*.sdp"))

SESSION = ("v=0", "o=- 20 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", "t=0 0")
OURS = Fingerprint("sha-256", ":".join(["AB"] * 32))
THEIRS = Fingerprint("sha-256", ":".join(["CD"] * 32))
KEY = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
OTHER_KEY = "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
SUITE = "AES_CM_128_HMAC_SHA1_80"


def local_media(first_port: int = 40000, first_ssrc: int = 1000, **changes: Any) -> LocalMedia:
    """Our end, with addresses of both families; ports count up by two, SSRCs by one."""
    ports, ssrcs = itertools.count(first_port, 2), itertools.count(first_ssrc)
    keys = itertools.count(1)
    values: dict[str, Any] = {
        "port": lambda index, family: next(ports),
        "session_id": 7,
        "cname": "clock-1",
        "new_ssrc": lambda: next(ssrcs),
        "new_key": lambda length: bytes([first_ssrc % 251, next(keys)]) * (length // 2),
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "fingerprints": (OURS,),
        "ice": Ice("mcu1", "p" * 24),
    }
    return LocalMedia(**(values | changes))


def floor(**changes: Any) -> LocalFloor:
    """Floor control on our end; the port tells the protocol."""
    ports = {"UDP/BFCP": 50000, "TCP/BFCP": 50001, "UDP/TLS/BFCP": 50002, "TCP/TLS/BFCP": 50003}
    values: dict[str, Any] = {"port": ports.__getitem__, "conference_id": 77, "user_id": 5}
    return LocalFloor(**(values | changes))


def offer(*sections: list[str], session: tuple[str, ...] = SESSION) -> SessionDescription:
    """A description of the given sections."""
    return SessionDescription.parse("\n".join([*session, *itertools.chain(*sections)]))


def audio(*lines: str, protocol: str = "RTP/AVP", port: int = 4000, pts: str = "8") -> list[str]:
    """A section of sound."""
    return [f"m=audio {port} {protocol} {pts}", *lines]


def video(*lines: str, protocol: str = "RTP/AVP", port: int = 4002) -> list[str]:
    """A section of pictures: H.264 with packetization-mode 1, level 3.1."""
    h264 = ["a=rtpmap:97 H264/90000", "a=fmtp:97 profile-level-id=42e01f;packetization-mode=1"]
    return [f"m=video {port} {protocol} 97", *h264, *lines]


def vector(name: str) -> SessionDescription:
    """An offer of tests/vectors/sdp/sip."""
    return SessionDescription.parse((VECTORS / f"{name}.sdp").read_bytes().decode())


def ports(agreed: Agreed) -> list[int]:
    """Of our sections, in order."""
    return [media.port for media in agreed.local.media]


def the_flow(agreed: Agreed) -> Flow:
    """The only flow."""
    (flow,) = agreed.flows
    return flow


def our(agreed: Agreed, index: int = 0) -> MediaSection:
    """A section of ours."""
    return agreed.local.media[index]
