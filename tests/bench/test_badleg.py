"""What a misbehaving room sends is as wrong as it is said to be, and differences are judged."""

import itertools
from typing import Any

import pytest

from bench import badleg, badleg_peer
from bench.badleg_peer import FAULTS, PHASE_S, BadLeg
from bench.media import coded_pictures, coded_speech
from mcu.media import rtcp
from mcu.media.srtp import PacketBuffer
from signalling.webrtc.dtls import DtlsCertificate

SMALL = coded_pictures(160, 90, bitrate_bps=60_000)


class Noted(BadLeg):
    """Sends nothing and notes it."""

    def __init__(self) -> None:
        super().__init__(
            "bad",
            PacketBuffer(),
            DtlsCertificate.generate(),
            sound=coded_speech("bad"),
            pictures=SMALL,
            video=True,
            sampled=False,
        )
        self.media: list[tuple[float, bool, int, bytes]] = []
        self.rtcp: list[bytes] = []
        self.at = 0.0

    def _protect(
        self,
        payload_type: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        values: dict[int, bytes],
        payload: bytes,
        now: float,
    ) -> None:
        assert 0 <= timestamp < 1 << 32 or ssrc in (self.audio_ssrc, self.video_ssrc)
        self.media.append((now, ssrc == self.video_ssrc, timestamp, payload))

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    @property
    def seen_ssrcs(self) -> tuple[int, int]:
        return 11, 22


async def sent(fault: badleg_peer.Fault, seconds: float) -> Noted:
    leg = Noted()
    for phase in range(round(seconds / PHASE_S)):
        fault(leg, phase, phase * PHASE_S)
    leg.close()
    return leg


async def test_a_good_room_sends_what_was_agreed() -> None:
    leg = await sent(badleg_peer.good, 2.0)
    assert sum(not video for _, video, _, _ in leg.media) == 100
    assert len({timestamp for _, video, timestamp, _ in leg.media if video}) == 50


async def test_a_flood_is_a_hundredfold() -> None:
    leg = await sent(badleg_peer.Flood(), 1.0)
    assert len(leg.media) == 11_000
    assert sum(len(payload) for *_, payload in leg.media) * 8 > 45e6


async def test_broken_pictures_are_broken_and_keep_their_packet_headers() -> None:
    leg = await sent(badleg_peer.Broken(SMALL), 4.0)
    right = set(itertools.chain.from_iterable(SMALL.payloads))
    pictures = [payload for _, video, _, payload in leg.media if video]
    wrong = sum(payload not in right for payload in pictures)
    assert wrong > len(pictures) / 3
    assert sum(payload in right for payload in pictures) > 5


async def test_timestamps_jump_go_back_and_stand_still() -> None:
    leg = await sent(badleg_peer.Timestamps(SMALL), 3.0)
    seconds = [
        [stamp for at, video, stamp, _ in leg.media if not video and int(at) == second]
        for second in range(3)
    ]
    assert len(set(seconds[0])) > 40
    assert all(later < earlier for earlier, later in itertools.pairwise(seconds[1]))
    assert set(seconds[2]) == {7}


async def test_stalls_end_in_a_burst_and_lose_nothing() -> None:
    leg = await sent(badleg_peer.Stalls(SMALL), 8.0)
    times = sorted({at for at, video, _, _ in leg.media if video})
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(pauses) > 1.4
    assert sum(not video for _, video, _, _ in leg.media) >= 390


async def test_rtcp_asks_for_a_thousand_key_frames_and_everything_again() -> None:
    leg = await sent(badleg_peer.RtcpFlood(), 1.0)
    kinds = [type(value).__name__ for packet in leg.rtcp for value in rtcp.read(packet)]
    assert kinds.count("RtcpPsfbPacket") == 1000 + 200
    assert kinds.count("RtcpRtpfbPacket") >= 400


def test_every_fault_has_a_name_in_the_help() -> None:
    help_text = badleg.__doc__ or ""
    assert all(name in help_text for name in FAULTS if name != "good")
    assert set(badleg.SHORT_FAULTS) < set(FAULTS)


def run(**values: Any) -> dict[str, Any]:
    return {
        "audio_pps_per_leg_min": 50.0,
        "video_fps_per_leg_min": 25.0,
        "ticks_missed": 0,
        "ticks_late_percent": 0.1,
        "server_cores": 0.80,
        "audio_gap_ms_max": 30.0,
        "audio_added_latency_ms_p99": 50.0,
        "video_added_latency_ms_p99": 60.0,
    } | values


def test_differences_are_held_against_the_noise() -> None:
    results = {
        "good": run(),
        "flood": run(server_cores=1.2, audio_gap_ms_max=45.0),
        "good 2": run(server_cores=0.70, audio_gap_ms_max=40.0),
    }
    found = {one.name: one for one in badleg.figures_of(results)}
    cores = found["flood: cores of the server, more than beside a good room"]
    assert cores.value == pytest.approx(0.45)
    assert cores.bar == pytest.approx(0.2)
    assert not cores.holds
    assert found["flood: longest gap between packets of sound, more than beside a good room"].holds
    assert len(found) == 8


def test_what_the_flood_costs_its_sender_is_not_the_daemons() -> None:
    results = {
        "good": run(),
        "flood-elsewhere": run(video_added_latency_ms_p99=85.0, server_cores=0.9),
        "flood": run(video_added_latency_ms_p99=88.0, server_cores=1.0),
        "good 2": run(),
    }
    found = {one.name: one for one in badleg.figures_of(results)}
    picture = found["flood: picture added, p99, more than beside a good room"]
    assert picture.value == pytest.approx(3.0)
    assert "elsewhere 85.0" in picture.against
    # Cores are the server's alone: nobody else's work is in them.
    assert found["flood: cores of the server, more than beside a good room"].value == pytest.approx(
        0.2
    )


def test_good_rooms_stand_between_the_faults() -> None:
    assert badleg.order_of(["sizes", "flood", "large", "stalls"]) == [
        "good", "sizes", "flood-elsewhere", "flood", "large", "good 2", "stalls", "good 3",
    ]  # fmt: skip


async def test_elsewhere_is_as_much_work_for_nobody() -> None:
    leg = badleg_peer.Elsewhere()
    try:
        for phase in range(20):
            badleg_peer.Flood()(leg, phase, phase * PHASE_S)
        assert leg.counters.send_drops == 0
        assert len(leg.sink.recv(2000)) > badleg_peer.FLOOD_BYTES
    finally:
        leg.close()


@pytest.mark.parametrize("fault", badleg_peer.FAULTS)
async def test_every_fault_can_be_done_elsewhere(fault: str) -> None:
    leg = badleg_peer.Elsewhere()
    try:
        send = badleg_peer.FAULTS[fault]()
        for phase in range(6):
            send(leg, phase, phase * PHASE_S)
    finally:
        leg.close()
