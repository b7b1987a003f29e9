"""A room that has keys and sends nonsense, floods, or asks for everything.

The other rooms get as many packets and pictures, with the same numbers and times, as without it;
what could not be used is counted; and when the room comes to its senses it is heard and seen.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiortc.rtp import RtcpByePacket, RtpPacket

from tests.peers.bad_input import Outcome, Scene, run
from tests.peers.coded_media import tone_db
from tests.peers.virtual_room import THREE
from tests.scenario.meeting import FULL_DB

BROKEN_H264 = (
    b"\x65" + bytes(range(1, 200)),  # a slice of a key frame that is none
    b"\x67\x42\xe0\x1f" + b"\xff" * 20,  # a sequence parameter set of an enormous picture
    b"\x7c\x85" + b"\x11" * 100,  # FU-A that begins and does not end
    b"\x7c\x05" + b"\x22" * 5,  # FU-A that did not begin
    b"\x7c",
    b"\x78\xff\xff" + b"\x33" * 10,  # STAP-A whose units are longer than it
    b"\x78\x00\x00",
    b"\x41" + b"\x44" * 300,
    b"\x1f\x00" + b"\x55" * 40,
    b"",
)
BROKEN_VP8 = (
    b"\x10\x00\x00\x00\x9d\x01\x2a\xff\xff\xff\xff" + b"\x66" * 60,  # 16383 x 16383
    b"\x10\x00\x00\x00\x9d\x01\x2a\x40\x01\xb4\x00" + b"\x77" * 60,
    b"\x90\x80\x80",
    b"\x90\xff\xff\xff",
    b"\x00\x88" + b"\x88" * 100,
    b"",
)


def absurd_timestamps(scene: Scene) -> None:
    for kind in ("audio", "video"):
        payload = scene.random.randbytes(30)
        scene.send(kind, payload, scene.random.randrange(1 << 32))


def sequence_jumps(scene: Scene) -> None:
    for kind in ("audio", "video"):
        stream = scene.bad.peer.sent[kind]
        stream.sequence = (stream.sequence + scene.random.randrange(1, 30_000)) & 0xFFFF
        scene.send(kind, scene.random.randbytes(40), scene.step * 960)


def broken_sound(scene: Scene) -> None:
    scene.bad.microphone_on = False
    for size in (0, 1, 20, 1200):
        scene.send("audio", b"\xff" * size, (1 << 31) + scene.step * 960)


def broken_pictures(scene: Scene) -> None:
    scene.bad.camera_on = False
    broken = BROKEN_H264 if scene.bad.setup.codec == "H264" else BROKEN_VP8
    for payload in scene.random.sample(broken, 4):
        scene.send("video", payload, scene.step * 900, marker=scene.random.random() < 0.7)


def endless_picture(scene: Scene) -> None:
    scene.bad.camera_on = False
    for number in range(15):
        head = b"\x7c\x05" if scene.step or number else b"\x7c\x85"
        scene.send("video", head + bytes(1000), 1, marker=False)


def wrong_payload_types(scene: Scene) -> None:
    for kind, other in (("audio", 102), ("video", 111)):
        stream = scene.bad.peer.sent[kind]
        right, stream.payload_type = (
            stream.payload_type,
            scene.random.choice([0, 8, 96, 127, other]),
        )
        scene.send(kind, scene.random.randbytes(40), scene.step * 900)
        stream.payload_type = right


def unknown_ssrcs(scene: Scene) -> None:
    scene.bad.camera_on = scene.bad.microphone_on = False
    for kind in ("audio", "video", "audio"):
        stream, draw = scene.bad.peer.sent[kind], scene.random.randrange
        packet = RtpPacket(
            stream.payload_type, 1, draw(65536), draw(1 << 32), draw(1 << 32), bytes(40)
        )
        packet.extensions.mid = stream.mid if draw(2) else None
        scene.bad.peer.send_packet(packet)


def malformed_packets(scene: Scene) -> None:
    """RTP whose header lies about what follows, under good authentication."""
    for kind in ("audio", "video"):
        for first, body in (
            (0x90, b"\xbe\xde\xff\xff"),
            (0xA0, b"\x01\x02\xff"),
            (0x8F, bytes(59)),
            (0x90, b"\xbe\xde\x00\x01\xff\xff\xff\xff"),
        ):
            scene.send_raw(kind, first, body)


def useless_repetitions(scene: Scene) -> None:
    stream = scene.bad.peer.sent["video"]
    for body in (b"", b"x", stream.sequence.to_bytes(2, "big") + bytes(50)):
        packet = RtpPacket(
            stream.rtx_payload_type, 1, stream.rtx_sequence, 7, stream.rtx_ssrc, body
        )
        stream.rtx_sequence = (stream.rtx_sequence + 1) & 0xFFFF
        scene.bad.peer.send_packet(packet)


def hundredfold_sound(scene: Scene) -> None:
    scene.bad.microphone_on = False
    for number in range(50):
        scene.send("audio", bytes([0x78]) + bytes(20), (scene.step * 50 + number) * 960)


def hundredfold_pictures(scene: Scene) -> None:
    scene.bad.camera_on = False
    pictures = scene.bad.pictures
    for number in range(10):
        payloads = pictures[(scene.step * 10 + number) % len(pictures)]
        for payload in payloads:
            last = payload is payloads[-1]
            scene.send("video", payload, (scene.step * 10 + number) * 90, marker=last)


def malformed_reports(scene: Scene) -> None:
    for size in (4, 20, 40):
        head = bytes([0x80 | scene.random.randrange(32), scene.random.randrange(192, 224)])
        length = scene.random.randrange(50, 90).to_bytes(2, "big")
        scene.bad.peer.send_rtcp(head + length + scene.random.randbytes(size))


def every_request_there_is(scene: Scene) -> None:
    peer, draw = scene.bad.peer, scene.random
    for kind in ("video", "audio"):
        stream = scene.bad.stream(kind)
        ssrc = next(iter(stream.packets.values())).ssrc
        for _ in range(5):
            peer.send_pli(ssrc)
            peer.send_fir(ssrc, draw.randrange(256))
            peer.send_nack(ssrc, sorted(draw.sample(range(65536), 60)))
            peer.send_nack(ssrc, sorted((stream.highest - k) & 0xFFFF for k in range(100)))
        peer.send_remb(draw.choice([0, 1, 1 << 50]), [ssrc])
    peer.send_report("audio", draw.getrandbits(64), draw.getrandbits(32), scene.site.time.now)
    peer.send_rtcp(RtcpByePacket([peer.sent["video"].ssrc, 1, 2, 3]))


Reasons = set[str]
CASES: list[tuple[Callable[[Scene], None], Reasons]] = [
    (absurd_timestamps, {"audio_time"}),
    (sequence_jumps, {"sequence_jump"}),
    (broken_sound, {"audio_payload", "audio_size"}),
    (broken_pictures, {"picture", "video_payload"}),
    (endless_picture, {"picture"}),
    (wrong_payload_types, {"payload_type"}),
    (unknown_ssrcs, {"second_ssrc"}),
    (malformed_packets, {"rtp"}),
    (useless_repetitions, {"repetition"}),
    (hundredfold_sound, {"flood"}),
    (hundredfold_pictures, {"video_rate"}),
    (malformed_reports, {"rtcp"}),
    (every_request_there_is, {"flood_rtcp"}),
]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return asyncio.run(run(tmp_path_factory.mktemp("calm"), None))


@pytest.mark.parametrize(("attack", "reasons"), CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_others_are_unharmed_and_it_is_counted(
    attack: Callable[[Scene], None], reasons: Reasons, calm: Outcome, tmp_path: Path
) -> None:
    outcome = asyncio.run(run(tmp_path, attack))
    assert_others_are_unharmed(outcome, calm)
    assert reasons <= set(outcome.dropped), outcome.dropped
    assert_it_is_forgiven(outcome)


def test_broken_vp8(tmp_path: Path) -> None:
    setups = (*THREE[:2], replace(THREE[2], codec="VP8"))
    calm = asyncio.run(run(tmp_path / "calm", None, setups))
    outcome = asyncio.run(run(tmp_path / "attacked", broken_pictures, setups))
    assert_others_are_unharmed(outcome, calm)
    assert {"picture", "video_payload"} <= set(outcome.dropped)
    assert_it_is_forgiven(outcome)


def assert_others_are_unharmed(outcome: Outcome, calm: Outcome) -> None:
    for with_it, without in zip(outcome.received[:-1], calm.received[:-1], strict=True):
        assert with_it.counts == without.counts
    for room in outcome.rooms[:-1]:
        assert room.screen.errors == room.screen.given_up == 0
        assert room.longest_audio_gap() == 0
    assert set(outcome.presence.values()) == {"connected"}


def assert_it_is_forgiven(outcome: Outcome) -> None:
    """Within two seconds the room is heard and seen as before."""
    *others, bad = outcome.rooms
    for room in others:
        heard = tone_db(room.sound(0.5), bad.hz)
        assert heard == pytest.approx(FULL_DB, abs=4.0), outcome.mixer
        assert outcome.seen_in_its_slot[room.name].is_like(bad.colour)
