import asyncio
from typing import Any, cast

import pytest

from mcu.api.services import JoinedLeg
from mcu.rooms.rooms import Rooms


async def test_of_a_crowd_of_offers_one_is_answered_in_each_turn_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = cast("Any", None)
    rooms = Rooms(nothing, nothing, clock=lambda: 0.0, load=nothing)
    turn, answered = 0, []

    def answer(*_: object) -> JoinedLeg:
        answered.append(turn)
        return JoinedLeg("leg", "v=0")

    async def count() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(rooms, "_answer", answer)
    counting = asyncio.create_task(count())
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(rooms.join("c", f"b{number}", "join", None, "v=0", nothing))
    counting.cancel()
    assert len(set(answered)) == 20
