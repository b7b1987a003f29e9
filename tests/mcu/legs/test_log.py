"""The lines a leg writes about its life."""

from typing import Any

from structlog.testing import capture_logs

from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.media_world import JoinedPeer, MediaWorld
from tests.peers.network import CLEAN, Faults
from tests.peers.sip_media import SipWorld

WHOSE = {
    "leg": "leg-1",
    "conference": "conference",
    "participant": "room-1",
    "kind": "join",
    "remote_address": "198.51.100.7:40001",
    "srtp_profile": "AEAD_AES_128_GCM",
}


def lines(written: list[Any]) -> list[dict[str, Any]]:
    return [dict(line) for line in written if line["event"].startswith("leg_")]


def send_audio(world: MediaWorld, joined: JoinedPeer, packets: int) -> None:
    for number in range(packets):
        joined.peer.send_media("audio", b"opus", number * 960)
        world.run(0.02)


def test_one_line_for_each_turn_and_none_for_packets() -> None:
    with capture_logs() as written:
        world = MediaWorld(left_after_s=10.0)
        joined = world.connect()
        send_audio(world, joined, 50)
        joined.up.cut = True
        world.run(7.0)
        joined.up.cut = False
        world.run(3.0)
        joined.peer.close(world.time.now)
        world.run(0.1)
    connected, lost, returned, left = lines(written)
    assert connected == WHOSE | {"event": "leg_connected", "log_level": "info"}
    assert lost == WHOSE | {"event": "leg_lost", "log_level": "warning", "silent_s": 5.0}
    assert returned == WHOSE | {"event": "leg_returned", "log_level": "info"}
    assert left == WHOSE | {"event": "leg_left", "log_level": "info", "reason": "bye"}
    assert len(written) == 4


def test_why_the_handshake_failed_is_told() -> None:
    with capture_logs() as written:
        world = MediaWorld()
        joined = world.join()
        joined.peer.certificate = DtlsCertificate.generate()
        assert joined.leg is not None
        joined.peer.start(joined.leg.answer_sdp, world.time.now)
        world.run(2.0)
    (left,) = lines(written)
    assert (left["reason"], left["failure"]) == ("failed", "dtls fingerprint")
    assert left["remote_address"] == "198.51.100.7:40001"


def test_what_openssl_says_is_told() -> None:
    with capture_logs() as written:
        world = MediaWorld()
        joined = world.join()
        joined.peer.check(world.time.now)
        world.run(0.011)
        hello = bytes.fromhex("16feff 0000 000000000000 0010 ff000004 0000 000000 000004 01020304")
        world.port.datagram_received(hello, joined.address, world.time.now)
        world.run(20.0)
    (left,) = lines(written)
    assert left["reason"] == "failed"
    assert left["failure"].startswith("dtls handshake: "), left["failure"]


def test_a_peer_that_never_came_is_told_from_one_that_did_not_finish() -> None:
    for heard, failure in ((False, "no connectivity check"), (True, "handshake not finished")):
        with capture_logs() as written:
            world = MediaWorld()
            joined = world.join(faults=CLEAN if heard else Faults(loss=1.0))
            joined.up.cut = True  # after its first check
            world.run(16.0)
        (left,) = lines(written)
        assert left["failure"] == f"timeout: {failure}"


def test_a_caller_is_connected_once_it_is_known_who_it_is() -> None:
    with capture_logs() as written:
        world = SipWorld()
        room = world.connect(named=False)
        assert room.leg.participant is None
        world.run(1.0)
        room.leg.participant = "guest-1"
        room.leg.participant = "guest-1"
        room.leg.close("ended", world.time.now)
    told = [(line["event"], line["participant"]) for line in written]
    assert told == [
        ("caller_connected", None),
        ("leg_connected", "guest-1"),
        ("leg_left", "guest-1"),
    ]


def test_who_is_known_before_the_media_is_connected_at_once() -> None:
    with capture_logs() as written:
        world = SipWorld()
        room = world.call(named=False)
        room.leg.participant = "guest-1"
        world.run(1.0)
    assert [(line["event"], line["participant"]) for line in written] == [
        ("leg_connected", "guest-1")
    ]
