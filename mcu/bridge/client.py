"""The software bridge's side of the REST API: who am I, which conference, offer, events."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import aiohttp

from mcu.bridge.event_source import EventParser

API = "/api/v1"
REQUEST_TIMEOUT_S = 15.0
LEAVE_TIMEOUT_S = 3.0
"""A room that goes does not wait long for a daemon that does not answer: it sees the leg go."""
EVENT_SILENCE_S = 60.0
"""The daemon sends a comment well within this; a longer silence is a dead connection."""


class Refused(Exception):  # noqa: N818 - the vocabulary's word
    """The daemon said no; ``status`` is the HTTP status, the text says what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status

    @property
    def passes(self) -> bool:
        """Whether waiting helps: it is overloaded, or a proxy stands before one that starts."""
        return self.status == 429 or self.status >= 500


class Unreachable(Exception):  # noqa: N818 - the vocabulary's word
    """There is no daemon, or the connection to it broke; trying again may help."""


class Unusable(Unreachable):
    """Something answers there, but not so that waiting helps whoever gave the address."""


class Untrusted(Unusable):
    """The daemon's certificate is not trusted."""


class NotTls(Unusable):
    """An https address at which something else than TLS is spoken."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token is; ``bridge`` is set for a room's own token."""

    role: str
    bridge: str | None


class Client:
    """One token at one daemon. Every method raises ``Refused`` or ``Unreachable``.

    Args:
        server: base URL, for example ``http://127.0.0.1:8080``.
        verify_tls: False accepts the daemon's self-signed certificate.
    """

    def __init__(self, server: str, token: str, *, verify_tls: bool = True) -> None:
        self._server = server.rstrip("/")
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"},
            connector=aiohttp.TCPConnector(ssl=verify_tls),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def identity(self) -> Identity:
        """Who the token is."""
        found = await self._read("/session")
        if "role" not in found:
            raise Unreachable(f"{self._server} answers, but not as an MCU does")
        return Identity(role=str(found["role"]), bridge=found.get("bridge"))

    async def bridge_name(self, bridge: str) -> str:
        """The room's name; its id where the token may not read it."""
        try:
            found = await self._read(f"/bridges/{bridge}")
        except Refused:
            return bridge
        return str(found["name"])

    async def conferences(self) -> list[str]:
        """Ids of the running conferences within the token's reach, the latest first."""
        found = await self._all("/conferences", state="running")
        found.sort(key=lambda conference: str(conference["started_at"]), reverse=True)
        return [str(conference["id"]) for conference in found]

    async def participants(self, conference: str) -> list[dict[str, Any]]:
        """All participants of a conference."""
        return await self._all(f"/conferences/{conference}/participants")

    async def presence(self, conference: str, participant: str) -> str | None:
        """The participant's state; None when it is not on the roster, or no such conference."""
        try:
            found = await self._read(f"/conferences/{conference}/participants/{participant}")
        except Refused as refused:
            if refused.status in (403, 404, 409, 410):
                return None
            raise
        return str(found["state"])

    async def offer(
        self, conference: str, sdp: str, *, bridge: str | None = None, name: str | None = None
    ) -> tuple[str, str]:
        """Post an offer.

        Args:
            bridge: join as this participant (an operator's token only). name: as a guest.
        Returns: the answer and the leg's path.
        """
        parameters = {"bridge": bridge} if bridge else ({"name": name} if name else {})
        async with self._answer(
            "POST",
            f"{API}/conferences/{conference}/legs",
            data=sdp.encode(),
            params=parameters,
            headers={"Content-Type": "application/sdp"},
        ) as response:
            return await response.text(), response.headers["Location"]

    async def leg(self, path: str) -> dict[str, Any] | None:
        """A leg as the daemon sees it; None when it knows it no more."""
        try:
            async with self._answer("GET", path) as response:
                return _object(await response.text())
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    async def leave(self, leg: str) -> None:
        """DELETE a leg; one that is gone already is no error."""
        timeout = aiohttp.ClientTimeout(total=LEAVE_TIMEOUT_S)
        try:
            async with self._answer("DELETE", leg, timeout=timeout):
                return
        except Refused as refused:
            if refused.status != 404:
                raise

    async def events(self, conference: str) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        """Types and data of the conference's events until the connection ends."""
        parser = EventParser()
        async with self._answer(
            "GET",
            f"{API}/events",
            params={"conference": conference},
            headers={"Accept": "text/event-stream"},
            timeout=aiohttp.ClientTimeout(total=None, sock_read=EVENT_SILENCE_S),
        ) as response:
            async for chunk in response.content.iter_any():
                for data in parser.feed(chunk):
                    event = _object(data)
                    yield str(event["type"]), event["data"]

    # Private

    async def _read(self, path: str, **parameters: str) -> dict[str, Any]:
        async with self._answer("GET", f"{API}{path}", params=parameters) as response:
            return _object(await response.text())

    async def _all(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            at = {"cursor": cursor} if cursor else {}
            found = await self._read(path, limit="500", **parameters, **at)
            items += found["items"]
            cursor = found["next_cursor"]
            if cursor is None:
                return items

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request; faults of the connection become ``Unreachable``, also while reading."""
        try:
            async with self._session.request(method, self._server + path, **options) as response:
                if response.status >= 400:
                    raise Refused(response.status, _detail(await response.text(), response.status))
                yield response
        except aiohttp.ClientConnectorCertificateError as error:
            raise Untrusted(
                f"the certificate of {self._server} is not trusted "
                f"({error.certificate_error}): install the organisation's, or use --insecure"
            ) from error
        except aiohttp.ClientConnectorSSLError as error:
            raise self._tls_failed(error) from error
        except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
            hint = "; if it speaks TLS, write https://" if self._server[:5] == "http:" else ""
            raise Unreachable(f"{self._server} closed the connection{hint}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(str(error) or f"no answer from {self._server}") from error
        except (ValueError, KeyError) as error:
            raise Unreachable(f"{self._server} answers, but not as an MCU does") from error

    def _tls_failed(self, error: aiohttp.ClientConnectorSSLError) -> Unreachable:
        reason = getattr(error.os_error, "reason", None)
        if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
            return NotTls(
                f"what answers at {self._server} does not speak TLS: write http:// if the server "
                "is run without a certificate, else check host and port"
            )
        return Unreachable(f"no TLS connection to {self._server} ({reason or error.os_error})")


def _object(body: str) -> dict[str, Any]:
    """A JSON object; raises ValueError for anything else."""
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _detail(body: str, status: int) -> str:
    """The problem's detail (RFC 9457), or the status where the body is something else."""
    try:
        problem = _object(body)
    except ValueError:
        return f"HTTP status {status}"
    return str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
