"""Ports of SIP calls."""

import pytest

from tests.peers.sip_media import AUDIO, VIDEO, SipWorld


def test_reserved_ports_that_no_section_took_are_freed() -> None:
    world = SipWorld()
    room = world.connect()
    assert len(world.open_ports) == 2
    reserved = world.acceptor.reserve(3)
    reserved.take()
    assert len(world.open_ports) == 8
    reserved.close()
    reserved.close()
    assert len(world.open_ports) == 2
    with pytest.raises(OSError, match="more media sections"):
        reserved.take()
    room.leg.close("ended", world.time.now)
    assert not world.open_ports


def test_ports_run_out_with_a_clear_error() -> None:
    world = SipWorld(pairs=3)
    world.connect(AUDIO, VIDEO)
    with pytest.raises(OSError, match="none left"):
        world.call(AUDIO, VIDEO)
    assert len(world.open_ports) == 4
