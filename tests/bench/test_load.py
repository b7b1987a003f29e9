"""What goes wrong beside a load, and rooms that stay for several measurements; no times."""

import asyncio

import pytest

from bench.load import Load, _line, meeting


async def fails() -> None:
    raise RuntimeError("beside")


async def goes_on() -> None:
    await asyncio.Event().wait()


async def test_a_failure_beside_the_load_ends_it_at_once() -> None:
    never = asyncio.StreamReader()
    with pytest.raises(RuntimeError, match="beside"):
        await asyncio.wait_for(_line(never, asyncio.ensure_future(fails())), 5)


@pytest.mark.parametrize("beside", [None, goes_on, asyncio.sleep])
async def test_the_line_is_waited_for_whatever_is_beside(beside: object) -> None:
    stream = asyncio.StreamReader()
    task = None
    if beside is not None:
        task = asyncio.ensure_future(goes_on() if beside is goes_on else asyncio.sleep(0))
    asyncio.get_running_loop().call_later(0.05, stream.feed_data, b"{}\n")
    assert await asyncio.wait_for(_line(stream, task), 5) == b"{}\n"
    if task is not None:
        task.cancel()


async def test_one_measurement_follows_the_other_with_the_same_rooms() -> None:
    environment = {"MCU_LIMITS__OVERLOAD_PROTECTION": "false"}
    load = Load(3, seconds=0.5, speakers=2)
    looked: list[float] = []
    async with meeting(load, spare_legs=0, environment=environment) as held:

        async def look() -> None:
            looked.append((await held.daemon.metrics())['mcu_decoders{kind="audio"}'])

        async with held.loaded() as loaded:
            first = await loaded.measured(starved_is_void=False)
            longer = await loaded.measured(seconds=1.0, during=look, starved_is_void=False)
            legs = await held.daemon.metrics()
        assert first["seconds"] < longer["seconds"]
        assert first["audio_pps_per_leg_min"] > 0
        assert longer["ticks_late_percent"] <= 100
        assert len(looked) == 1
        assert 0 < longer["server_loop_cores"] <= longer["server_cores"] + 0.02  # of 10 ms each
        assert sum(count for name, count in legs.items() if name.startswith("mcu_legs{")) == 3
