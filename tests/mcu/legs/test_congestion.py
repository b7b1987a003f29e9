"""Transport-wide feedback of a leg opposite to a peer that shares none of its code."""

import pytest

from mcu.media.transport_feedback import TICK_S, read
from tests.peers.media_world import JoinedPeer, MediaWorld
from tests.peers.network import CLEAN, Faults
from tests.peers.webrtc_peer import OfferOptions

OPTIONS = OfferOptions(transport_cc=True)
LOSSY = Faults(loss=0.1, delay=0.02, jitter=0.03, duplicates=0.02)


def send_pictures(world: MediaWorld, joined: JoinedPeer, seconds: float, packets: int = 4) -> None:
    for picture in range(round(seconds * 25)):
        for part in range(packets):
            head = b"\x10\x00" if part == 0 else b"\x00"
            joined.peer.send_media(
                "video", head + bytes(1000), picture * 3600, marker=part == packets - 1
            )
        world.run(0.04)


def told(joined: JoinedPeer) -> dict[int, int | None]:
    """What the reports say of each number; a later one may know of a packet that came late."""
    found: dict[int, int | None] = {}
    for body in joined.peer.feedback:
        value = read(body)
        assert value.media_ssrc == joined.peer.sent["video"].ssrc
        for number, arrival in enumerate(value.arrivals, value.base):
            if found.get(number & 0xFFFF) is None:
                found[number & 0xFFFF] = arrival
    return found


@pytest.mark.parametrize("faults", [CLEAN, LOSSY])
def test_what_a_room_sends_is_reported_by_arrival(faults: Faults) -> None:
    world = MediaWorld(3)
    joined = world.connect(OPTIONS, shown=False)
    joined.up.faults = faults
    send_pictures(world, joined, 4.0)
    world.run(1.0)
    peer = joined.peer
    assert len(peer.numbers) == 400
    found = told(joined)
    came = [found[one] for one in peer.numbers if found.get(one) is not None]
    assert len(came) == pytest.approx(400 * (1 - faults.loss), abs=12)
    assert set(found) <= set(peer.numbers)
    steps = [
        (later - earlier) * TICK_S
        for earlier, later in zip(came[::4], came[4::4], strict=False)
        if earlier is not None and later is not None
    ]
    assert sum(steps) / len(steps) == pytest.approx(0.04, rel=0.15)
    # 800 kbit/s: reports take about a hundredth of it.
    assert 20 <= len(peer.feedback) <= 90
    assert [read(one).count for one in peer.feedback] == list(range(len(peer.feedback)))


def test_hidden_and_silent_rooms_cost_no_reports() -> None:
    world = MediaWorld()
    joined = world.connect(OPTIONS)
    for number in range(50):
        joined.peer.send_media("audio", b"opus", number * 960)
        world.run(0.02)
    assert joined.peer.feedback == []
    other = world.connect(OfferOptions())
    send_pictures(world, other, 1.0)
    assert other.peer.feedback == []
