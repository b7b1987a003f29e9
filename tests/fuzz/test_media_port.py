"""Invariant: no datagram makes the media port raise, and none that is not authentic reaches the
observer, moves a leg's address, or ends a leg. Every one that is of no use is counted.

Allowed errors: none.
"""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.peers.media_world import JoinedPeer, MediaWorld

STRANGER = ("203.0.113.77", 7777)
HEADS = st.sampled_from(
    [b"", b"\x00\x01", b"\x16\xfe\xfd", b"\x17\xfe\xfd", b"\x15\xfe\xfd", b"\x80\x60", b"\x80\xc8"]
)


@pytest.fixture(scope="module")
def joined() -> JoinedPeer:
    world = MediaWorld()
    joined = world.connect()
    joined.peer.send_media("audio", b"opus", 0)
    world.run(0.1)
    return joined


def check_unharmed(joined: JoinedPeer) -> None:
    world, leg = joined.world, joined.leg
    assert leg is not None
    address = leg.statistics(world.time.now).remote_address
    assert address == f"{joined.address[0]}:{joined.address[1]}"
    assert leg.state == "connected"
    heard = len(joined.recorder.audio)
    joined.peer.send_media("audio", b"opus", heard * 960)
    world.run(0.05)
    assert len(joined.recorder.audio) == heard + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(HEADS, st.binary(max_size=300), st.booleans()), max_size=30))
def test_garbage(joined: JoinedPeer, datagrams: list[tuple[bytes, bytes, bool]]) -> None:
    world = joined.world
    for head, body, from_peer in datagrams:
        address = joined.address if from_peer else STRANGER
        world.port.datagram_received(head + body, address, world.time.now)
    check_unharmed(joined)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_damaged_copies_of_what_is_real(joined: JoinedPeer, seed: int, changes: int) -> None:
    world = joined.world
    generator = random.Random(seed)
    real: list[bytes] = []
    keep = joined.up.send
    joined.peer.send = real.append
    joined.peer.send_media("audio", b"opus", 0)
    joined.peer.send_pli(1)
    joined.peer.check(world.time.now)
    joined.peer.send = keep
    heard, plis = len(joined.recorder.audio), joined.peer.plis
    for datagram in real:
        damaged = bytearray(datagram)
        for _ in range(changes):
            at = generator.randrange(len(damaged))
            damaged[at] ^= generator.randrange(1, 256)
        if bytes(damaged) == datagram:
            continue
        world.port.datagram_received(bytes(damaged), joined.address, world.time.now)
        cut = datagram[: generator.randrange(len(datagram))]
        world.port.datagram_received(cut, joined.address, world.time.now)
        if datagram[0] >= 128:
            world.port.datagram_received(datagram, STRANGER, world.time.now)
    assert len(joined.recorder.audio) == heard
    assert joined.peer.plis == plis
    check_unharmed(joined)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=120), st.binary(max_size=120))
def test_authentic_nonsense(joined: JoinedPeer, rtcp: bytes, payload: bytes) -> None:
    """A peer with keys that sends nonsense inside of them."""
    joined.peer.send_media("video", payload, len(payload) * 977)
    joined.peer.send_media("audio", b"", 0)
    joined.peer.send_rtcp(b"\x80\xc9\x00\x01\x00\x00\x00\x01" + rtcp)
    joined.world.run(0.05)
    check_unharmed(joined)
