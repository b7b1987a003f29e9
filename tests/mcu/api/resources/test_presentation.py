"""Who presents: operators give the token and take it back, rooms take it while it is free."""

import pytest

from tests.mcu.api.live import Api


@pytest.fixture
async def meeting(api: Api) -> tuple[Api, str]:
    """A conference of three rooms, two of which have joined."""
    await api.province()
    reply = await api.call(
        "POST", "/conferences",
        {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a", "xa-1-a", "xa-2-a"]},
        status=201,
    )  # fmt: skip
    conference = reply.json["id"]
    for bridge in ("xa-1-a", "xa-2-a"):
        await api.join(conference, await api.token("bridge", bridge=bridge))
    return api, f"/conferences/{conference}"


async def presenter(api: Api, path: str) -> str | None:
    found: str | None = (await api.call("GET", path, status=200)).json["presentation"]
    return found


async def test_an_operator_gives_takes_over_and_takes_back(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    for who in ("xa-1-a", "xa-1-a", "xa-2-a"):
        reply = await api.call("PUT", f"{path}/presentation", {"participant": who}, status=200)
        assert reply.json["presentation"] == who
    for _ in range(2):
        await api.call("DELETE", f"{path}/presentation", status=204)
        assert await presenter(api, path) is None


async def test_refused(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    unknown = await api.call("PUT", f"{path}/presentation", {"participant": "nobody"}, status=422)
    assert unknown.fields == ["$.participant"]
    away = await api.call("PUT", f"{path}/presentation", {"participant": "tinh-a"}, status=409)
    assert "not connected" in away.json["detail"]
    await api.call("PUT", f"{path}/presentation", {}, status=422)
    stale = {"If-Match": '"0"'}
    body = {"participant": "xa-1-a"}
    await api.call("PUT", f"{path}/presentation", body, headers=stale, status=412)


async def test_a_room_presents_while_nobody_else_does(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    first, second = [await api.token("bridge", bridge=each) for each in ("xa-1-a", "xa-2-a")]
    path = f"{path}/presentation"
    await api.call("PUT", path, {"participant": "xa-1-a"}, token=second, status=403)
    await api.call("PUT", path, {"participant": "nobody"}, token=second, status=403)
    await api.call("PUT", path, {"participant": "xa-1-a"}, token=first, status=200)
    reply = await api.call("PUT", path, {"participant": "xa-2-a"}, token=second, status=409)
    assert "presents" in reply.json["detail"]
    await api.call("DELETE", path, token=second, status=204)
    assert await presenter(api, path.rpartition("/")[0]) == "xa-1-a", "not its own to give back"
    await api.call("DELETE", path, token=first, status=204)
    await api.call("PUT", path, {"participant": "xa-2-a"}, token=second, status=200)


async def test_others_may_not(meeting: tuple[Api, str]) -> None:
    api, path = meeting
    body = {"participant": "xa-1-a"}
    for token in (
        await api.token("observer", unit="tinh"),
        await api.token("operator", unit="xa-1"),
        await api.token("bridge", bridge="xa-1-b"),
    ):
        await api.call("PUT", f"{path}/presentation", body, token=token, status=403)
    technician = await api.token("technician", unit="xa-1")
    await api.call("PUT", f"{path}/presentation", body, token=technician, status=200)
