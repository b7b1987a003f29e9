"""A revoked token's legs and streams end; an expired one's go on."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import aiohttp

from mcu.api.services import ApiLimits
from tests.mcu.api.conftest import MakeApi
from tests.mcu.api.live import Api
from tests.peers.waiting import until

NEVER_S = 3_600.0
"""A heartbeat that does not come within a test: what happens, happens at once."""


async def room_in_a_meeting(api: Api) -> tuple[str, str, str]:
    """The conference, the room's token's text and its id."""
    await api.province()
    conference = await api.conference("xa-1-a", "xa-2-a")
    issued = await api.call("POST", "/bridges/xa-1-a/token", status=201)
    return conference, issued.json["token"], issued.json["id"]


async def read_all(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    lines = (await response.text()).splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def presence(api: Api, conference: str, room: str = "xa-1-a") -> str:
    path = f"/conferences/{conference}/participants/{room}"
    return str((await api.call("GET", path, status=200)).json["state"])


async def test_a_revoked_token_is_out_at_once_and_told_why(make_api: MakeApi) -> None:
    api = await make_api(limits=ApiLimits(heartbeat_s=NEVER_S))
    conference, secret, token = await room_in_a_meeting(api)
    leg = await api.join(conference, secret)
    other = await api.join(conference, await api.token("bridge", bridge="xa-2-a"))
    async with api.http.get(
        f"{api.url}/api/v1/events", headers={"Authorization": f"Bearer {secret}"}
    ) as stream:
        await api.call("DELETE", f"/tokens/{token}", status=204)
        assert api.legs.closed == [(leg, "revoked")]
        async with asyncio.timeout(5):
            last = (await read_all(stream))[-1]
    assert (last["type"], last["data"]["reason"]) == ("participant.left", "revoked")
    assert await presence(api, conference) == "left"
    assert list(api.legs.legs) == [other]


async def test_another_processes_revocation_is_noticed(api: Api) -> None:
    conference, secret, token = await room_in_a_meeting(api)
    leg = await api.join(conference, secret)
    await api.store.tokens.revoke(token)
    await until(lambda: api.legs.closed == [(leg, "revoked")])


async def test_an_expired_token_throws_nobody_out(api: Api) -> None:
    await api.province()
    conference = await api.conference("xa-1-a")
    expires_at = api.clock.utcnow() + timedelta(minutes=5)
    _, secret = await api.store.tokens.create("bridge", bridge="xa-1-a", expires_at=expires_at)
    await api.join(conference, secret)
    api.clock.advance(600)
    await api.call("GET", "/session", token=secret, status=401)
    await api.call("DELETE", f"/tokens/{(await an_idle_token(api))}", status=204)
    assert api.legs.closed == []
    assert await presence(api, conference) == "connected"


async def an_idle_token(api: Api) -> str:
    issued = await api.call("POST", "/bridges/xa-2-a/token", status=201)
    return str(issued.json["id"])


async def test_a_bridge_in_a_running_conference_is_not_deleted(api: Api) -> None:
    conference, secret, _ = await room_in_a_meeting(api)
    await api.join(conference, secret)
    reply = await api.call("DELETE", "/bridges/xa-1-a", status=409)
    assert reply.kind == "conflict"
    assert "Điểm cầu xa-1-a (xa-1-a) is in the running conference 'Họp'" in reply.json["detail"]
    assert reply.json["conference"] == conference
    assert api.legs.closed == []
    await api.call("DELETE", f"/conferences/{conference}/participants/xa-1-a", status=204)
    await api.call("DELETE", "/bridges/xa-1-a", status=204)
