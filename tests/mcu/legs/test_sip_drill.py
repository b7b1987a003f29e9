"""A SIP leg in a drill: its line is bad or cut, what it sends is not understood; alone."""

import pytest

from mcu.media.bad_line import BadLine, LineBatch
from mcu.media.impairment import Conditions
from tests.peers.sip_media import SipRoom, SipWorld, more_audio, play_audio, send_audio

SUITES = (None, "AES_CM_128_HMAC_SHA1_80")


def line(world: SipWorld, *, cut: bool = False, loss: float = 0.0, delay: float = 0.0) -> BadLine:
    conditions = Conditions(loss=loss, delay=delay)
    return BadLine(conditions, LineBatch(world.time.clock), seed=3, cut=cut)


def received(room: SipRoom) -> int:
    return len(room.recorder.audio)


@pytest.mark.parametrize("suite", SUITES)
def test_cut_off_it_is_lost_and_comes_back(suite: str | None) -> None:
    world = SipWorld()
    room, other = world.connect(suite=suite), world.connect()
    send_audio(world, room, 10)
    send_audio(world, other, 10)
    rendition = play_audio(world, room, 10)
    sent = len(room.received("audio"))
    assert (received(room), sent) == (10, 10)
    room.leg.go_by(line(world, cut=True), world.time.now)
    send_audio(world, room, 300, 10)
    more_audio(world, rendition, 10, 10)
    assert (received(room), len(room.received("audio"))) == (10, 10)
    assert "lost" in room.recorder.events
    send_audio(world, other, 10, 10)
    assert received(other) == 20
    room.leg.go_by(None, world.time.now)
    send_audio(world, room, 10, 310)
    assert room.recorder.events == ["connected", "lost", "returned"]
    assert received(room) == 20
    more_audio(world, rendition, 10, 20)
    world.run(0.1)
    assert len(room.received("audio")) >= 20


def test_late_packets_come_late_both_ways() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 10)
    rendition = play_audio(world, room, 5)
    room.leg.go_by(line(world, delay=0.2), world.time.now)
    send_audio(world, room, 5, 10)
    assert received(room) == 10
    world.run(0.3)
    assert received(room) == 15
    more_audio(world, rendition, 5, 5)
    assert len(room.received("audio")) == 5
    world.run(0.3)
    assert len(room.received("audio")) == 10


def test_a_share_is_lost() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 5)
    room.leg.go_by(line(world, loss=0.2), world.time.now)
    send_audio(world, room, 500, 5)
    assert 360 < received(room) < 450


def test_what_is_not_understood_is_counted_and_understood_again() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 5)
    room.leg.understand(False)
    send_audio(world, room, 20, 5)
    assert received(room) == 5
    assert room.leg.statistics(world.time.now).dropped["payload_type"] == 20
    assert room.leg.state == "connected"
    room.leg.understand(True)
    send_audio(world, room, 5, 25)
    assert received(room) == 10


def test_it_is_closed_whatever_its_line_is() -> None:
    world = SipWorld()
    room = world.connect()
    send_audio(world, room, 5)
    room.leg.go_by(line(world, delay=0.2), world.time.now)
    send_audio(world, room, 2, 5)
    room.leg.close("disconnected", world.time.now)
    world.run(0.5)
    assert room.recorder.events[-1] == "left:disconnected"
    assert not world.open_ports
    assert not world.ports.receivers
