"""The load, for those who run the server."""

import pytest

from tests.mcu.api.live import Api


async def test_the_load_with_what_is_given_up(api: Api) -> None:
    reply = await api.call("GET", "/load", status=200)
    assert reply.json == {
        "level": "strained",
        "signs": ["processors"],
        "given_up": ["view-rate"],
        "view_fps": 15,
        "processors": 0.91,
        "loop": 0.4,
        "cores": 2.0,
        "lateness_ms": 3.5,
        "ticks_missed": 0,
        "frames_skipped": 0.01,
        "legs": 3,
        "max_legs": 500,
        "refused": {"load": 2, "joins": 0, "max_legs": 1},
    }


@pytest.mark.parametrize("role", ["admin", "operator", "technician", "observer"])
async def test_everybody_who_runs_it_may_look(api: Api, role: str) -> None:
    await api.province()
    token = await api.token(role, unit="tinh")
    await api.call("GET", "/load", token=token, status=200)


async def test_rooms_and_strangers_may_not(api: Api) -> None:
    await api.province()
    await api.call("GET", "/load", token=None, status=401)
    room = await api.token("bridge", unit="tinh", bridge="tinh-a")
    await api.call("GET", "/load", token=room, status=403)
