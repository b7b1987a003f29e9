import pytest

from mcu.legs.acceptor import IDLE_S
from mcu.legs.turn import LEGS_PER_TURN
from signalling.sdp import SdpError
from signalling.webrtc.negotiation import OfferRefused
from tests.peers.media_world import JoinedPeer, MediaWorld, Recorder
from tests.peers.network import CLEAN
from tests.peers.webrtc_peer import OfferOptions


def accept(world: MediaWorld, offer: str, leg_id: str = "leg") -> None:
    world.acceptor.accept(
        offer,
        leg_id=leg_id,
        conference="conference",
        participant=None,
        kind="join",
        observer=Recorder(),
        now=world.time.now,
    )


def test_what_cannot_be_answered_leaves_nothing() -> None:
    world = MediaWorld()
    with pytest.raises(SdpError):
        accept(world, "no sdp")
    with pytest.raises(OfferRefused):
        accept(world, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
    assert world.acceptor.legs == {}
    assert world.port.endpoints == 0


def test_an_id_is_used_once() -> None:
    world = MediaWorld()
    offer = JoinedPeer(world, OfferOptions(), CLEAN).peer.offer()
    accept(world, offer)
    with pytest.raises(ValueError, match="exists"):
        accept(world, offer)
    assert list(world.acceptor.legs) == ["leg"]


def test_legs_differ_in_names_and_ssrcs() -> None:
    world = MediaWorld()
    legs = [world.join().leg for _ in range(20)]
    assert len({leg.ice_ufrag for leg in legs if leg}) == 20
    ssrcs = [one.local_ssrc for leg in legs if leg for one in leg.negotiated.media]
    assert len(set(ssrcs)) == 40


def test_the_timer_is_that_of_the_earliest_leg() -> None:
    world = MediaWorld()
    now = world.time.now
    assert world.acceptor.next_timer(now) == now + IDLE_S
    first, second = world.join().leg, world.join().leg
    assert first is not None
    assert second is not None
    first.due_at, second.due_at = now + 7, now + 3
    assert world.acceptor.next_timer(now) == now + 3


def test_driven_by_its_own_timer_alone() -> None:
    """A daemon that sleeps until ``next_timer`` misses nothing."""
    world = MediaWorld()
    joined = world.connect()
    joined.up.cut = joined.down.cut = True
    now = world.time.now
    calls = 0
    while world.acceptor.legs and calls < 200:
        now = max(now + 0.001, world.acceptor.next_timer(now))
        world.acceptor.handle_timer(now)
        calls += 1
    assert joined.recorder.events == ["connected", "lost", "left:timeout"]
    assert calls < 60


def test_legs_that_are_lost_in_one_moment_are_told_of_in_turns() -> None:
    world = MediaWorld()
    joined = [world.connect(OfferOptions(video=None)) for _ in range(3 * LEGS_PER_TURN)]
    late = world.time.now + 6.0  # nothing was heard of any of them
    told, turns = 0, []
    while told < len(joined):
        world.acceptor.handle_timer(late)
        before, told = told, sum("lost" in one.recorder.events for one in joined)
        turns.append(told - before)
        assert world.acceptor.next_timer(late) <= late
    assert turns == [LEGS_PER_TURN] * 3


def test_close_ends_every_leg() -> None:
    world = MediaWorld()
    joined = [world.connect() for _ in range(3)]
    world.acceptor.close("ended", world.time.now)
    assert [one.recorder.events[-1] for one in joined] == ["left:ended"] * 3
    assert world.acceptor.legs == {}
    assert (world.port.endpoints, world.port.addresses) == (0, 0)


def test_what_a_leg_dropped_is_kept_when_it_left() -> None:
    world = MediaWorld()
    joined = world.connect()
    world.port.datagram_received(b"\x80\x60" + bytes(40), joined.address, world.time.now)
    world.acceptor.close("ended", world.time.now)
    assert sum(world.acceptor.dropped.values()) == 1


def test_a_defect_of_one_leg_does_not_stop_the_timers_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = MediaWorld()
    first, second = world.connect(), world.connect()

    def fail(leg: object, now: float) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr(first.recorder, "leg_lost", fail)
    first.up.cut = second.up.cut = True
    world.run(8.0)
    assert world.acceptor.faults == world.acceptor.dropped["timer_fault"] >= 1
    assert "lost" in second.recorder.events
