"""The wall over REST: tiles, single pictures with their ETag, one stream for all; rights."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mcu.api.services import ApiLimits
from mcu.engine.thumbnail import Thumbnail
from tests.mcu.api.live import ADMIN, Api, live_api

PATIENCE_S = 20.0


class StandInWall:
    """Pictures as the test puts them; notes who is looked at."""

    def __init__(self) -> None:
        self.pictures: dict[str, Thumbnail] = {}
        self.looked: set[str] = set()

    def put(self, who: str, jpeg: bytes, at: float = 1_000.0) -> None:
        self.pictures[who] = Thumbnail(who, jpeg, f"d-{jpeg.hex()}", at, 1.0)

    def look(
        self, conference: str, participants: Collection[str], now: float
    ) -> Mapping[str, Thumbnail]:
        self.looked |= set(participants)
        return self.pictures

    def known(self, conference: str) -> Mapping[str, Thumbnail]:
        return self.pictures


@asynccontextmanager
async def walled(directory: Path, **limits: Any) -> AsyncIterator[tuple[Api, StandInWall, str]]:
    wall = StandInWall()
    limits = {"heartbeat_s": 0.05, **limits}
    async with live_api(directory, wall=wall, limits=ApiLimits(**limits)) as api:
        await api.province()
        conference = await api.conference("tinh-a", "xa-1-a", "xa-2-a")
        for bridge in ("tinh-a", "xa-1-a"):
            await api.join(conference, await api.token("bridge", bridge=bridge))
        yield api, wall, f"/conferences/{conference}/wall"


async def next_of(response: aiohttp.ClientResponse, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        event = ""
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: ") and event == kind:
                found: dict[str, Any] = json.loads(line[6:])
                return found
    raise EOFError


async def test_tiles_trouble_first_and_as_csv(tmp_path: Path) -> None:
    async with walled(tmp_path) as (api, wall, path):
        wall.put("tinh-a", b"1", 999.0)
        wall.put("xa-1-a", b"2", 990.0)
        reply = await api.call("GET", path, status=200)
        tiles = {tile["participant"]: tile for tile in reply.json["items"]}
        assert [tile["participant"] for tile in reply.json["items"]] == [
            "xa-1-a",
            "xa-2-a",
            "tinh-a",
        ]
        assert tiles["xa-1-a"]["troubles"] == ["stale"]
        assert tiles["xa-2-a"]["troubles"] == ["missing"]
        assert tiles["xa-2-a"]["picture"] is None
        assert tiles["tinh-a"]["picture"] == {
            "digest": "d-31", "taken_at": "2026-11-21T07:59:59.000000Z", "stale": False,
        }  # fmt: skip
        assert (tiles["tinh-a"]["grade"], tiles["tinh-a"]["level_db"]) == ("good", -31.5)
        assert wall.looked == set(), "a list is no look at pictures"
        some = await api.call("GET", f"{path}?participants=tinh-a,nobody", status=200)
        assert [tile["participant"] for tile in some.json["items"]] == ["tinh-a"]
        table = await api.call("GET", path, headers={"Accept": "text/csv"}, status=200)
        same = await api.call("GET", f"{path}.csv", status=200)
        assert [row["participant"] for row in same.rows] == [
            row["participant"] for row in table.rows
        ]
        lines = table.body.decode("utf-8-sig").splitlines()
        assert lines[0].startswith("participant,label,unit,state,troubles,audio_muted")
        assert lines[1].startswith("xa-1-a,Điểm cầu xa-1-a,xa-1,connected,stale,")
        await api.call("GET", f"{path}?look=1", status=422)


async def test_a_single_picture_has_an_etag(tmp_path: Path) -> None:
    async with walled(tmp_path) as (api, wall, path):
        wall.put("tinh-a", b"one")
        reply = await api.call("GET", f"{path}/tinh-a.jpg", status=200)
        assert (reply.body, reply.headers["Content-Type"]) == (b"one", "image/jpeg")
        assert reply.headers["Cache-Control"] == "private, no-cache"
        known = {"If-None-Match": reply.headers["ETag"]}
        again = await api.call("GET", f"{path}/tinh-a.jpg", headers=known, status=304)
        assert (again.body, again.headers["ETag"]) == (b"", reply.headers["ETag"])
        wall.put("tinh-a", b"two")
        newer = await api.call("GET", f"{path}/tinh-a.jpg", headers=known, status=200)
        assert newer.body == b"two"
        assert wall.looked == {"tinh-a"}
        absent = await api.call("GET", f"{path}/xa-2-a.jpg", status=404)
        assert absent.json["detail"] == "Điểm cầu xa-2-a (xa-2-a) has sent no picture; ask again."
        assert (await api.call("GET", f"{path}/nobody.jpg", status=404)).kind == "not-found"


async def test_one_stream_carries_all_pictures_each_once(tmp_path: Path) -> None:
    async with walled(tmp_path) as (api, wall, path):
        wall.put("tinh-a", b"one")
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with api.http.get(f"{api.url}/api/v1{path}/pictures", headers=headers) as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            first = await next_of(response, "picture")
            assert base64.b64decode(first["jpeg"]) == b"one"
            assert first["participant"] == "tinh-a"
            assert first["taken_at"] == "2026-11-21T08:00:00.000000Z"
            wall.put("tinh-a", b"one", 1_001.0)  # the same picture is not sent again
            wall.put("xa-1-a", b"two")
            second = await next_of(response, "picture")
            assert second["participant"] == "xa-1-a"
            api.clock.advance(6.5)
            while (found := (await next_of(response, "stale"))["participants"]) == []:
                continue  # the first one says that none is
            assert found == ["tinh-a", "xa-1-a"]
            wall.put("tinh-a", b"three", 1_006.0)
            third = await next_of(response, "picture")
            assert base64.b64decode(third["jpeg"]) == b"three"
            assert (await next_of(response, "stale"))["participants"] == ["xa-1-a"]
            assert wall.looked == {"tinh-a", "xa-1-a", "xa-2-a"}
            await api.call("DELETE", path.removesuffix("/wall"), status=204)
            async with asyncio.timeout(PATIENCE_S):
                await response.content.read()  # it ends with the conference
        await api.call("GET", f"{path}/pictures", status=409)


async def test_only_whom_the_token_may_see(tmp_path: Path) -> None:
    async with walled(tmp_path) as (api, wall, path):
        for who in ("tinh-a", "xa-1-a", "xa-2-a"):
            wall.put(who, who.encode())
        commune = await api.token("technician", unit="xa-1")
        reply = await api.call("GET", path, token=commune, status=200)
        assert [tile["participant"] for tile in reply.json["items"]] == ["xa-1-a"]
        await api.call("GET", f"{path}/xa-1-a.jpg", token=commune, status=200)
        assert (await api.call("GET", f"{path}/tinh-a.jpg", token=commune, status=403)).kind
        wall.looked.clear()
        headers = {"Authorization": f"Bearer {commune}"}
        async with api.http.get(f"{api.url}/api/v1{path}/pictures", headers=headers) as response:
            assert (await next_of(response, "picture"))["participant"] == "xa-1-a"
            assert wall.looked == {"xa-1-a"}
        stranger = await api.token("operator", unit="khac")
        for address in (path, f"{path}/pictures", f"{path}/tinh-a.jpg"):
            await api.call("GET", address, token=stranger, status=403)
        await api.call("GET", path, token=None, status=401)


async def test_a_revoked_token_sees_no_more(tmp_path: Path) -> None:
    async with walled(tmp_path) as (api, _, path):
        made = await api.call(
            "POST", "/tokens", {"role": "observer", "name": "Xem", "unit": "tinh"}, status=201
        )
        headers = {"Authorization": f"Bearer {made.json['token']}"}
        async with api.http.get(f"{api.url}/api/v1{path}/pictures", headers=headers) as response:
            assert response.status == 200
            await api.call("DELETE", f"/tokens/{made.json['id']}", status=204)
            async with asyncio.timeout(PATIENCE_S):
                await response.content.read()


@pytest.mark.parametrize("most", [0])
async def test_streams_are_counted_with_the_others(tmp_path: Path, most: int) -> None:
    async with walled(tmp_path, max_event_streams=most) as (api, _, path):
        reply = await api.call("GET", f"{path}/pictures", status=503)
        assert reply.kind == "unavailable"
