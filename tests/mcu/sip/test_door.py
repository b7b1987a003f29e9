"""Nobody is inside before the door was opened."""

import asyncio
from typing import Any, cast

from mcu.sip.door import Door
from tests.peers.waiting import until


class Leg:
    def __init__(self) -> None:
        self.state = "new"
        self.closed: list[str] = []

    def close(self, reason: str, now: float) -> None:
        self.closed.append(reason)


class Rooms:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.told.append(name)


def made(gives_up_s: float = 60.0) -> tuple[Door, Rooms, Any, list[str]]:
    rooms, left = Rooms(), []  # type: ignore[var-annotated]
    door = Door(
        cast("Any", rooms),
        lambda reason, now: left.append(reason),
        clock=lambda: 0.0,
        gives_up_s=gives_up_s,
    )
    return door, rooms, cast("Any", Leg()), left


async def test_outside_nothing_is_heard_of_a_leg() -> None:
    door, rooms, leg, left = made()
    door.leg_connected(leg, 0.0)
    door.leg_lost(leg, 0.0)
    door.leg_returned(leg, 0.0)
    door.leg_renegotiated(leg, 0.0)
    door.line_congested(leg, 0.0)
    door.frame_received(leg, "video", cast("Any", None), 0.0)
    door.leg_left(leg, "bye", 0.0)
    assert rooms.told == []
    assert left == ["bye"]


async def test_who_enters_connected_is_told_of_as_connected() -> None:
    door, rooms, leg, left = made()
    door.leg_connected(leg, 0.0)
    door.enter(leg, 0.0)
    door.frame_received(leg, "video", cast("Any", None), 0.0)
    door.leg_left(leg, "bye", 0.0)
    assert rooms.told == ["leg_connected", "frame_received", "leg_left"]
    assert left == ["bye"]


async def test_who_enters_lost_is_told_of_as_lost() -> None:
    door, rooms, leg, _ = made()
    door.leg_connected(leg, 0.0)
    leg.state = "lost"
    door.enter(leg, 0.0)
    assert rooms.told == ["leg_connected", "leg_lost"]


async def test_a_lost_leg_is_given_up_unless_it_returns() -> None:
    door, rooms, leg, _ = made(gives_up_s=0.0)
    door.enter(leg, 0.0)
    door.leg_lost(leg, 0.0)
    door.leg_returned(leg, 0.0)
    await asyncio.sleep(0)
    assert leg.closed == []
    door.leg_lost(leg, 0.0)
    await until(lambda: bool(leg.closed))
    assert leg.closed == ["timeout"]
    assert rooms.told == ["leg_lost", "leg_returned", "leg_lost"]
