"""The software bridge's side of the REST API: who am I, which conference, offer, events."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

API = "/api/v1"
EVENT_SILENCE_S = 60.0
"""The daemon sends a comment well within this; a longer silence is a dead connection."""


class Refused(Exception):  # noqa: N818 - the vocabulary's word
    """The daemon said no; ``status`` is the HTTP status, the text says what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token is."""

    role: str
    bridge: str | None
    name: str


class Client:
    """One token at one daemon.

    Args:
        server: base URL, for example ``http://127.0.0.1:8080``.
        verify_tls: False accepts the daemon's self-signed certificate.
    """

    def __init__(self, server: str, token: str, *, verify_tls: bool = True) -> None:
        self._server = server.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"},
            connector=aiohttp.TCPConnector(ssl=verify_tls),
            timeout=aiohttp.ClientTimeout(total=15),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def identity(self) -> Identity:
        """Raises Refused (bad token) or aiohttp.ClientError (no daemon)."""
        found = await self._json("GET", "/session")
        return Identity(
            role=found["role"], bridge=found.get("bridge"), name=found.get("name") or "bridge"
        )

    async def bridge_name(self, bridge: str) -> str:
        """The room's name; its id where the token may not read it."""
        try:
            found = await self._json("GET", f"/bridges/{bridge}")
        except Refused:
            return bridge
        return str(found["name"])

    async def conferences(self) -> list[str]:
        """Ids of the running conferences this token may join, oldest first."""
        found = await self._json("GET", "/conferences")
        return [item["id"] for item in found["items"] if item["state"] == "running"]

    async def participants(self, conference: str) -> list[dict[str, Any]]:
        """All participants of a conference."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            parameters = {"limit": "500"} | ({"cursor": cursor} if cursor else {})
            found = await self._json(
                "GET", f"/conferences/{conference}/participants", params=parameters
            )
            items += found["items"]
            cursor = found.get("next_cursor")
            if cursor is None:
                return items

    async def offer(
        self, conference: str, sdp: str, *, bridge: str | None = None, name: str | None = None
    ) -> tuple[str, str]:
        """Post an offer.

        Args:
            bridge: join as this bridge (an operator's token only). name: as a guest.
        Returns: the answer and the leg's path.
        """
        parameters = {"bridge": bridge} if bridge else ({"name": name} if name else {})
        async with self._session.post(
            f"{self._server}{API}/conferences/{conference}/legs",
            data=sdp.encode(),
            params=parameters,
            headers={"Content-Type": "application/sdp"},
        ) as response:
            body = await response.text()
            if response.status != 201:
                raise Refused(response.status, _detail(body, response.status))
            return body, response.headers["Location"]

    async def leave(self, leg: str) -> None:
        """DELETE a leg; one that is gone already is no error."""
        async with self._session.delete(f"{self._server}{leg}"):
            pass

    async def is_alive(self, leg: str) -> bool:
        """Whether the daemon still knows the leg; raises aiohttp.ClientError without a daemon."""
        async with self._session.get(f"{self._server}{leg}") as response:
            return response.status != 404

    async def events(self, conference: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Types and data of the conference's events until the connection ends (RFC: HTML SSE)."""
        async with self._session.get(
            f"{self._server}{API}/events",
            params={"conference": conference},
            headers={"Accept": "text/event-stream"},
            timeout=aiohttp.ClientTimeout(total=None, sock_read=EVENT_SILENCE_S),
        ) as response:
            if response.status != 200:
                raise Refused(response.status, _detail(await response.text(), response.status))
            data: list[str] = []
            async for raw in response.content:
                line = raw.decode("utf-8").rstrip("\r\n")
                if line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif not line and data:
                    event = json.loads("\n".join(data))
                    data.clear()
                    yield event["type"], event["data"]

    async def _json(
        self, method: str, path: str, params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        async with self._session.request(
            method, f"{self._server}{API}{path}", params=params
        ) as response:
            body = await response.text()
            if response.status >= 400:
                raise Refused(response.status, _detail(body, response.status))
            found: dict[str, Any] = json.loads(body)
            return found


def _detail(body: str, status: int) -> str:
    """The problem's detail (RFC 9457), or the status where the body is something else."""
    try:
        problem = json.loads(body)
        return str(problem.get("detail") or problem.get("title") or status)
    except (ValueError, AttributeError):
        return f"HTTP status {status}"
