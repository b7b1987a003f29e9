import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from signalling.sdp import Fingerprint, IceCandidate, SessionDescription
from signalling.webrtc.agreement import LocalSide

VECTORS = Path(__file__).parents[1] / "vectors" / "sdp"


@pytest.fixture
def vector() -> Callable[[str], SessionDescription]:
    """Reads an offer of tests/vectors/sdp by name."""

    def read(name: str) -> SessionDescription:
        return SessionDescription.parse((VECTORS / f"{name}.sdp").read_bytes().decode())

    return read


@pytest.fixture
def local() -> LocalSide:
    """Our end, with one IPv4 and one IPv6 address; SSRCs count up from 1000."""
    return LocalSide(
        ice_ufrag="mcu1",
        ice_pwd="p" * 24,
        fingerprints=(Fingerprint("sha-256", ":".join(["AB"] * 32)),),
        candidates=(
            IceCandidate.host("192.0.2.1", 5004),
            IceCandidate.host("2001:db8::1", 5004, preference=65534),
        ),
        cname="clock-1",
        session_id=4_611_686_018_427_387_904,
        new_ssrc=itertools.count(1000).__next__,
    )
