"""A peer that floods a leg: what is too much is dropped before it costs, and the rest goes on."""

from collections.abc import Callable

from mcu.legs.budget import (
    CHECKS_PER_WINDOW,
    FAILED_PER_WINDOW,
    HANDSHAKE_PER_WINDOW,
    KEY_FRAMES_AT_ONCE,
    PACKETS_AT_ONCE,
    PACKETS_PER_WINDOW,
    REQUESTS_TOGETHER,
    RTCP_BYTES_PER_WINDOW,
    RTCP_LEAST_BYTES,
    WINDOW_S,
)
from mcu.media.srtp import SrtpSession
from tests.mcu.legs.test_webrtc import leg_of, local_ssrc, play_video, send_audio
from tests.peers.media_world import JoinedPeer, MediaWorld


def dropped(world: MediaWorld, joined: JoinedPeer, reason: str) -> int:
    return leg_of(joined).statistics(world.time.now).dropped[reason]


class Opened:
    """Counts what is decrypted."""

    def __init__(self, joined: JoinedPeer) -> None:
        self.count = 0
        leg = leg_of(joined)
        session = leg._inbound
        assert session is not None
        leg._inbound = self  # type: ignore[assignment]
        self._session: SrtpSession = session

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            self.count += 1
            return getattr(self._session, name)(*arguments)

        return call


def test_a_flood_of_media_is_dropped_unopened_and_ends_with_its_window() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_audio(world, joined, 5)
    opened = Opened(joined)
    for number in range(3000):
        joined.peer.send_media("audio", b"opus", number)
    world.run(0.1)
    assert PACKETS_AT_ONCE - 5 <= opened.count <= PACKETS_AT_ONCE + PACKETS_PER_WINDOW
    assert dropped(world, joined, "flood") == 3000 - opened.count
    world.run(1.0)
    heard = len(joined.recorder.audio)
    send_audio(world, joined, 10)
    assert len(joined.recorder.audio) == heard + 10
    assert leg_of(joined).state == "connected"


def test_a_flood_of_forged_media_is_opened_no_more_until_its_window_ends() -> None:
    world = MediaWorld()
    joined = world.connect()
    send_audio(world, joined, 5)
    opened = Opened(joined)
    forged = bytes((0x80, 111)) + bytes(60)
    for _ in range(5 * FAILED_PER_WINDOW):
        joined.peer.send(forged)
    world.run(0.1)
    assert opened.count <= 2 * FAILED_PER_WINDOW
    assert dropped(world, joined, "flood") == 5 * FAILED_PER_WINDOW - opened.count
    world.run(WINDOW_S)
    heard = len(joined.recorder.audio)
    send_audio(world, joined, 10)
    assert len(joined.recorder.audio) == heard + 10


def test_a_flood_of_rtcp_costs_sound_and_picture_nothing() -> None:
    world = MediaWorld()
    joined = world.connect()
    play_video(world, joined)
    ssrc = local_ssrc(joined, "video")
    send_audio(world, joined, 5)
    heard = len(joined.recorder.audio)
    opened = Opened(joined)
    for _ in range(2000):
        joined.peer.send_pli(ssrc)
    send_audio(world, joined, 10)
    most = 2 * RTCP_BYTES_PER_WINDOW / RTCP_LEAST_BYTES
    assert opened.count <= most + 10
    assert dropped(world, joined, "flood_rtcp") >= 2000 - most
    assert len(joined.recorder.audio) == heard + 10


def test_long_lists_of_lost_packets_use_the_budget_up_sooner() -> None:
    world = MediaWorld()
    joined = world.connect()
    play_video(world, joined)
    ssrc = local_ssrc(joined, "video")
    opened = Opened(joined)
    for _ in range(100):
        joined.peer.send_nack(ssrc, list(range(0, 5000, 17)))
    world.run(0.05)
    assert 5 <= opened.count <= 2 * RTCP_BYTES_PER_WINDOW / 1000
    assert dropped(world, joined, "flood_rtcp") == 100 - opened.count


def test_key_frames_for_one_peer_are_few_whatever_it_asks() -> None:
    world = MediaWorld()
    joined = world.connect()
    play_video(world, joined)
    ssrc = local_ssrc(joined, "video")
    world.run(60.0)
    world.key_frame_requests.clear()
    for _ in range(1000):
        joined.peer.send_pli(ssrc)
        world.run(0.01)
    assert len(world.key_frame_requests) <= (KEY_FRAMES_AT_ONCE + 2) * REQUESTS_TOGETHER
    assert len(world.key_frame_requests) >= KEY_FRAMES_AT_ONCE
    assert leg_of(joined).statistics(world.time.now).sent["video"].plis >= 900


def test_handshakes_and_checks_are_bounded() -> None:
    world = MediaWorld()
    joined = world.connect()
    for _ in range(500):
        joined.peer.send(bytes((22, 254, 253)) + bytes(30))
        joined.peer.check(world.time.now)
    world.run(0.01)
    assert dropped(world, joined, "flood_dtls") >= 500 - 2 * HANDSHAKE_PER_WINDOW
    assert dropped(world, joined, "flood_stun") >= 500 - 2 * CHECKS_PER_WINDOW
    world.run(1.0)
    send_audio(world, joined, 10)
    assert len(joined.recorder.audio) == 10
