"""Which legs suffer what a drill's plan says, and that they are well again afterwards."""

from dataclasses import replace

from mcu.engine.plan import LegFaults, LineFault, MediaPlan
from mcu.rooms.bad_lines import BadLines
from tests.peers.sip_media import SipRoom, SipWorld, send_audio

LOST = LegFaults(line=LineFault(cut=True))


def came(room: SipRoom) -> int:
    return len(room.recorder.audio)


def test_only_the_legs_of_those_the_plan_names() -> None:
    world = SipWorld()
    rooms = [world.connect(), world.connect()]
    names = [room.leg.participant for room in rooms]
    assert len(set(names)) == 2
    legs = [room.leg for room in rooms]
    lines = BadLines(world.time.clock)
    for room in rooms:
        send_audio(world, room, 5)
    plan = MediaPlan(faults={str(names[0]): LOST})
    lines.follow(plan, legs, world.time.now)
    lines.follow(plan, legs, world.time.now)
    for room in rooms:
        send_audio(world, room, 5, 5)
    assert [came(room) for room in rooms] == [5, 10]
    codec = replace(plan, faults={str(names[1]): LegFaults(codec=True)})
    lines.follow(codec, legs, world.time.now)
    for room in rooms:
        send_audio(world, room, 5, 10)
    assert [came(room) for room in rooms] == [10, 10]
    lines.follow(MediaPlan(), legs, world.time.now)
    for room in rooms:
        send_audio(world, room, 5, 15)
    assert [came(room) for room in rooms] == [15, 15]


def test_a_leg_that_has_left_is_let_be() -> None:
    world = SipWorld()
    room = world.connect()
    lines = BadLines(world.time.clock)
    plan = MediaPlan(faults={str(room.leg.participant): LOST})
    lines.follow(plan, [room.leg], world.time.now)
    room.leg.close("disconnected", world.time.now)
    lines.forget(room.leg)
    lines.follow(plan, [room.leg], world.time.now)
    lines.follow(MediaPlan(), [room.leg], world.time.now)
    assert room.leg.state == "left"
