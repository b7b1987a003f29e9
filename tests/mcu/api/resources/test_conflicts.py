"""Two conferences want one bridge: shown on both sides, decided, never silently taken."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcu.conference.commands import ChangeParticipant, Command
from mcu.conference.service import Conferences
from mcu.store.errors import StoreUnavailable
from tests.mcu.api.live import Api, SilentMedia, live_api


@pytest.fixture
async def two(api: Api) -> tuple[Api, str, str]:
    """A commune holds a meeting with its rooms; the province wants everybody."""
    await api.province()
    district = {"name": "Họp xã 1", "unit": "xa-1", "bridges": ["xa-1-a", "xa-1-b"]}
    below = (await api.call("POST", "/conferences", district, status=201)).json["id"]
    body = {"name": "Họp tỉnh", "unit": "tinh", "bridges": "subtree"}
    reply = await api.call("POST", "/conferences", body, status=422)
    assert "Họp xã 1" in reply.json["detail"], "refused unless it is said to ask"
    above = await api.call("POST", "/conferences", {**body, "busy": "ask"}, status=201)
    assert above.json["conflicts"] == 2
    return api, above.json["id"], below


async def conflicts(api: Api, conference: str, token: str | None = None) -> dict[str, dict]:
    more = {} if token is None else {"token": token}
    reply = await api.call("GET", f"/conferences/{conference}/conflicts", status=200, **more)
    return {each["bridge"]: each for each in reply.json["items"]}


async def roster(api: Api, conference: str) -> set[str]:
    reply = await api.call("GET", f"/conferences/{conference}/participants", status=200)
    return {each["id"] for each in reply.json["items"]}


async def settled(api: Api, conference: str, bridge: str) -> None:
    while bridge not in await roster(api, conference):  # noqa: ASYNC110 - what is given, is soon
        await asyncio.sleep(0.01)


def decision(conference: str, bridge: str) -> str:
    return f"/conferences/{conference}/conflicts/{bridge}/decision"


async def test_both_sides_see_it_and_nothing_is_taken(two: tuple[Api, str, str]) -> None:
    api, above, below = two
    asking, holding = await conflicts(api, above), await conflicts(api, below)
    assert asking["xa-1-a"]["conference_name"] == "Họp xã 1"
    assert (asking["xa-1-a"]["side"], asking["xa-1-a"]["status"]) == ("asking", "open")
    assert (holding["xa-1-a"]["side"], holding["xa-1-a"]["conference"]) == ("holding", above)
    assert await roster(api, below) == {"xa-1-a", "xa-1-b"}
    table = await api.call("GET", f"/conferences/{above}/conflicts.csv", status=200)
    assert len(table.body.decode().splitlines()) == 3


async def test_moved_over_by_who_controls_both(two: tuple[Api, str, str]) -> None:
    api, above, below = two
    commune = await api.token("operator", unit="xa-1")
    province = await api.token("operator", unit="tinh")
    assert not (await conflicts(api, below, commune))["xa-1-a"]["may_move"]
    assert (await conflicts(api, above, province))["xa-1-a"]["may_move"]
    move = {"decision": "move"}
    await api.call("POST", decision(above, "xa-1-a"), move, token=commune, status=403)
    await api.call("POST", decision(below, "xa-1-a"), move, token=commune, status=403)
    async with api.conferences.subscribe(conference=below) as feed:
        reply = await api.call("POST", decision(above, "xa-1-a"), move, token=province, status=200)
        seen = [(await anext(aiter(feed))) for _ in range(3)]
    assert reply.json["status"] == "settled"
    assert [each.type for each in seen] == [
        "conflict.decided", "participant.removed", "conflict.decided",
    ], "the other conference's operator is told"  # fmt: skip
    assert seen[0].data["by"] == "operator"
    assert await roster(api, below) == {"xa-1-b"}
    assert "xa-1-a" in await roster(api, above)
    assert (await conflicts(api, below))["xa-1-a"]["status"] == "settled"


async def test_waits_until_it_is_free(two: tuple[Api, str, str]) -> None:
    api, above, below = two
    reply = await api.call("POST", decision(above, "xa-1-a"), {"decision": "wait"}, status=200)
    assert reply.json["status"] == "waiting"
    assert (await conflicts(api, below))["xa-1-a"]["status"] == "waiting"
    await api.call("DELETE", f"/conferences/{below}", status=204)
    for bridge in ("xa-1-a", "xa-1-b"):
        await settled(api, above, bridge)
    assert {each["status"] for each in (await conflicts(api, above)).values()} == {"settled"}


async def test_declined_by_those_who_have_it(two: tuple[Api, str, str]) -> None:
    api, above, below = two
    commune = await api.token("operator", unit="xa-1")
    no = {"decision": "decline"}
    reply = await api.call("POST", decision(below, "xa-1-a"), no, token=commune, status=200)
    assert (reply.json["side"], reply.json["status"]) == ("holding", "declined")
    assert (await conflicts(api, above))["xa-1-a"]["status"] == "declined"
    await api.call("DELETE", f"/conferences/{below}/participants/xa-1-a", status=204)
    await api.call("POST", decision(above, "xa-1-a"), no, status=404)
    assert "xa-1-a" not in await roster(api, above), "nobody asks for it any more"


async def test_of_two_who_move_at_once_one_does(two: tuple[Api, str, str]) -> None:
    api, above, _ = two
    replies = await asyncio.gather(
        *(api.call("POST", decision(above, "xa-1-a"), {"decision": "move"}) for _ in range(2))
    )
    assert sorted(reply.status for reply in replies)[0] == 200
    assert {reply.status for reply in replies} <= {200, 404, 409}
    assert "xa-1-a" in await roster(api, above)


async def test_asked_for_later_and_who_asked_first_has_it(two: tuple[Api, str, str]) -> None:
    api, above, below = two
    third = {"name": "Họp ban", "unit": "tinh", "bridges": []}
    other = (await api.call("POST", "/conferences", third, status=201)).json["id"]
    path = f"/conferences/{other}/conflicts"
    reply = await api.call("POST", path, {"bridge": "khac-a"}, status=422)
    assert "in no conference" in reply.json["detail"]
    commune = await api.token("operator", unit="xa-1")
    await api.call("POST", path, {"bridge": "xa-1-a"}, token=commune, status=403)
    api.clock.advance(1)
    await api.call("POST", path, {"bridge": "xa-1-a"}, status=201)
    reply = await api.call("POST", decision(below, "xa-1-a"), {"decision": "wait"}, status=409)
    assert "name one" in reply.json["detail"]
    await api.call("DELETE", f"/conferences/{below}/participants/xa-1-a", status=204)
    await settled(api, above, "xa-1-a")
    now = (await conflicts(api, other))["xa-1-a"]
    assert (now["conference"], now["status"]) == (above, "open"), "it waits for another now"


async def test_the_chair_presides_when_it_comes(api: Api) -> None:
    await api.province()
    held = await api.conference("tinh-a", unit="tinh")
    body = {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a", "tinh-b"], "chair": "tinh-a"}
    started = await api.call("POST", "/conferences", {**body, "busy": "ask"}, status=201)
    assert started.json["chair"] is None
    await api.call("DELETE", f"/conferences/{held}", status=204)
    path = f"/conferences/{started.json['id']}"
    while (await api.call("GET", path)).json["chair"] != "tinh-a":  # noqa: ASYNC110 - it is soon
        await asyncio.sleep(0.01)


async def test_a_chair_that_cannot_preside_is_told_and_sits_in_the_room(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.province()
    held = await api.conference("tinh-a", unit="tinh")
    body = {"name": "Họp", "unit": "tinh", "bridges": ["tinh-a", "tinh-b"], "chair": "tinh-a"}
    started = (await api.call("POST", "/conferences", {**body, "busy": "ask"}, status=201)).json
    execute = api.conferences.execute

    async def full(conference: str, command: Command, *rest: Any, **more: Any) -> Any:
        if isinstance(command, ChangeParticipant):
            raise StoreUnavailable("the disk is full")
        return await execute(conference, command, *rest, **more)

    monkeypatch.setattr(api.conferences, "execute", full)
    with capture_logs() as written:
        await api.call("DELETE", f"/conferences/{held}", status=204)
        while not (told := [one for one in written if one["event"] == "chair_not_given"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it is soon
    assert told[0]["log_level"] == "warning"
    assert (told[0]["conference"], told[0]["bridge"]) == (started["id"], "tinh-a")
    assert told[0]["reason"] == "the disk is full"
    found = (await api.call("GET", f"/conferences/{started['id']}")).json
    assert found["chair"] is None
    assert "tinh-a" in await roster(api, started["id"])


async def test_a_province_with_all_while_two_districts_hold_their_own(api: Api) -> None:
    """The districts go on; when they end, their rooms come to the province by themselves."""
    await api.province()
    districts = [
        await api.conference(f"{unit}-a", f"{unit}-b", unit=unit) for unit in ("xa-1", "xa-2")
    ]
    for conference, unit in zip(districts, ("xa-1", "xa-2"), strict=True):
        await api.join(conference, await api.token("bridge", bridge=f"{unit}-a"))
    body = {"name": "Họp tỉnh", "unit": "tinh", "bridges": "subtree", "busy": "ask"}
    above = (await api.call("POST", "/conferences", body, status=201)).json["id"]
    assert await roster(api, above) == {"tinh-a", "tinh-b"}
    for conference, unit in zip(districts, ("xa-1", "xa-2"), strict=True):
        token = await api.token("operator", unit=unit)
        counts = (await api.call("GET", f"/conferences/{conference}", token=token)).json["counts"]
        assert counts["connected"] == 1, "its meeting goes on"
        await api.call("GET", f"/conferences/{above}", token=token, status=403)
    await api.call("DELETE", f"/conferences/{districts[0]}", status=204)
    await settled(api, above, "xa-1-b")
    assert await roster(api, districts[1]) == {"xa-2-a", "xa-2-b"}
    await api.call("POST", decision(above, "xa-2-a"), {"decision": "move"}, status=200)
    assert await roster(api, districts[1]) == {"xa-2-b"}


async def test_a_restart_gives_what_has_become_free(tmp_path: Path) -> None:
    async with live_api(tmp_path) as api:
        await api.province()
        below = await api.conference("xa-1-a", unit="xa-1")
        body = {"name": "Họp", "unit": "tinh", "bridges": ["xa-1-a"], "busy": "ask"}
        above = (await api.call("POST", "/conferences", body, status=201)).json["id"]
        await api.conferences.flush()
        api.conferences.conflicts.changed = lambda state, event: None  # type: ignore[method-assign]
        await api.conferences.conflicts.close()
        await api.call("DELETE", f"/conferences/{below}", status=204)
        again = Conferences(api.store, SilentMedia(), clock=api.clock)
        await again.restore(keep=False)
        while "xa-1-a" not in again.get(above).participants:  # noqa: ASYNC110 - it is soon
            await asyncio.sleep(0.01)
        await again.close()
