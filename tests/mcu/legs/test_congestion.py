"""Transport-wide feedback of a leg opposite to a peer that shares none of its code."""

from collections import Counter
from dataclasses import replace

import pytest

from mcu.legs.leg import LineStatistics
from mcu.media.payload import MAX_DATAGRAM_SENT_BYTES
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
    assert [read(one).report for one in peer.feedback] == list(range(len(peer.feedback)))


class Viewed:
    """A leg that gets pictures of so many bytes, 25 a second."""

    def __init__(self, options: OfferOptions = OPTIONS) -> None:
        self.world = MediaWorld(5)
        self.joined = self.world.connect(options, shown=False)
        leg = self.joined.leg
        assert leg is not None
        self.leg = leg
        self.video = self.world.rendition("video", "vp8", 90_000)
        leg.play("video", self.video)
        self.size = 4000
        self.pictures = 0

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 25)):
            key = self.pictures == 0 or bool(self.world.key_frame_requests)
            self.world.key_frame_requests.clear()
            data = (b"\x10" if key else b"\x11") + bytes(self.size)
            now = self.world.time.now
            self.video.append(data, self.pictures * 3600, key_frame=key, now=now)
            self.pictures += 1
            self.world.run(0.04)

    @property
    def line(self) -> LineStatistics:
        found = self.leg.statistics(self.world.time.now).line
        assert found is not None
        return found


@pytest.mark.parametrize("rtx", [True, False])
def test_what_a_room_reports_tells_of_its_line(rtx: bool) -> None:
    viewed = Viewed(OfferOptions(transport_cc=True, rtx=rtx, video="VP8"))
    viewed.joined.down.faults = Faults(loss=0.05)
    viewed.run(5.0)
    line = viewed.line
    stream = viewed.leg.statistics(viewed.world.time.now).sent["video"]
    assert stream.retransmissions > 10
    assert line.packets == pytest.approx(
        stream.packets + (stream.retransmissions if rtx else 0), abs=20
    )
    assert line.lost / line.packets == pytest.approx(0.05 if rtx else 0.03, abs=0.03)
    assert line.arriving_bps == pytest.approx(stream.bitrate_bps, rel=0.2)
    assert line.estimate_bps > 700_000
    assert line.outages == 0
    assert viewed.joined.recorder.congested == []


def test_a_thin_line_is_told_of_at_once() -> None:
    viewed = Viewed(replace(OPTIONS, video="VP8"))
    viewed.run(3.0)
    viewed.joined.down.faults = Faults(rate_bps=300_000)
    began = viewed.world.time.now
    viewed.run(1.0)
    congested = viewed.joined.recorder.congested
    assert congested
    assert congested[0] - began < 0.5
    assert viewed.line.arriving_bps == pytest.approx(300_000, rel=0.25)
    assert viewed.line.queue_ms > 100


def test_a_probe_tells_what_a_line_carries_that_is_not_full() -> None:
    viewed = Viewed(replace(OPTIONS, video="VP8"))
    viewed.size = 700
    for rate in (400_000, 2_000_000):
        viewed.joined.down.faults = Faults(rate_bps=rate)
        viewed.run(7.0)
        assert viewed.line.width_bps is None
        viewed.leg.probe_line(viewed.world.time.now)
        viewed.run(0.6)
        assert viewed.line.width_bps == pytest.approx(rate, rel=0.15)
    assert viewed.joined.recorder.congested == []


def test_where_packets_are_not_numbered_nothing_is_probed() -> None:
    viewed = Viewed(OfferOptions(video="VP8"))
    viewed.run(1.0)
    before = viewed.joined.down.sent
    viewed.leg.probe_line(viewed.world.time.now)
    assert viewed.joined.down.sent == before
    assert viewed.leg.statistics(viewed.world.time.now).line is None


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


def test_all_that_a_leg_sends_passes_an_mtu_of_1200() -> None:
    """Handshake, pictures, repetitions, reports on losses and arrivals, requests, goodbye."""
    world = MediaWorld(9)
    largest: Counter[str] = Counter()
    joined = world.join(replace(OPTIONS, presentation=True, video="VP8"))
    deliver = joined.down.send

    def send(datagram: bytes) -> None:
        kind = "rtp" if 128 <= datagram[0] <= 191 else "dtls" if datagram[0] >= 20 else "stun"
        if kind == "rtp" and 192 <= datagram[1] <= 223:
            kind = "rtcp"
        largest[kind] = max(largest[kind], len(datagram))
        deliver(datagram)

    joined.down.send = send  # type: ignore[method-assign]
    world.run(1.0)
    joined.up.faults = joined.down.faults = Faults(loss=0.3)
    leg = joined.leg
    assert leg is not None
    for name in ("video", "presentation"):
        rendition = world.rendition("video", "vp8", 90_000)
        leg.play(name, rendition)  # type: ignore[arg-type]
        for number in range(20):
            data = b"\x10" + bytes(20_000)
            rendition.append(data, number * 3600, key_frame=True, now=world.time.now)
            world.run(0.04)
    leg.limit_bitrate(100_000)
    send_pictures(world, joined, 2.0, packets=60)
    leg.close("ended", world.time.now)
    world.run(1.0)
    assert largest.keys() == {"rtp", "rtcp", "dtls", "stun"}
    assert max(largest.values()) <= MAX_DATAGRAM_SENT_BYTES
