"""A live API on an ephemeral port: the real store and conferences, stand-ins for media only."""

import asyncio
import csv
import io
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from config.sip_section import SipSettings
from mcu.api.app import make_app
from mcu.api.csv_table import BYTE_ORDER_MARK
from mcu.api.resources.reports import AUDITED
from mcu.api.services import (
    ApiLimits,
    JoinedLeg,
    LegInfo,
    LineQuality,
    LiveReading,
    LoadStatus,
    NoCapacity,
    Services,
)
from mcu.conference.commands import NoteJoined, NoteLeft
from mcu.conference.service import Actor, Conferences
from mcu.engine.plan import MediaPlan
from mcu.legs.leg import LegKind, LegStatistics, StreamStatistics
from mcu.metrics import MediaReading, TickReading
from mcu.operations.reporter import Reporter
from mcu.readiness.service import ReadinessChecks
from mcu.sip.accounts import SipAccounts
from mcu.store.store import Store
from signalling.media.negotiated import OfferRefused
from signalling.sdp import SdpError

ADMIN = "an-administrator-for-the-tests"
OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:peer\r\n"
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


class Clock:
    """Both clocks of the daemon, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.epoch = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

    def now(self) -> float:
        return self.seconds

    def utcnow(self) -> datetime:
        return self.epoch + timedelta(seconds=self.seconds - 1_000.0)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class SilentMedia:
    """Takes plans and does nothing: media is tested elsewhere."""

    def start(self, conference_id: str) -> None: ...

    def apply(self, conference_id: str, plan: MediaPlan) -> None: ...

    def end(self, conference_id: str) -> None: ...


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class StandInLegs:
    """Accepts every offer that looks like SDP and tells the conference, as real legs do."""

    conferences: Conferences
    legs: dict[str, LegInfo] = field(default_factory=dict)
    closed: list[tuple[str, str]] = field(default_factory=list)
    refusal: Exception | None = None
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    told: asyncio.Event = field(default_factory=_set)
    """All of a conference that has ended have parted; cleared by tests."""

    async def join(
        self,
        conference: str,
        participant: str | None,
        kind: LegKind,
        view: str | None,
        offer_sdp: str,
        actor: Actor,
    ) -> JoinedLeg:
        if self.refusal is not None:
            raise self.refusal
        if not offer_sdp.startswith("v=0\r\n"):
            raise SdpError("must begin with v=0", 1)
        if "m=video 9 UDP/TLS/RTP/SAVPF 99" in offer_sdp:
            raise OfferRefused("no codec of the offer can be used", "media[0]")
        number = next(self.numbers)
        leg = f"leg-{number}"
        self.legs[leg] = LegInfo(
            leg, conference, participant, kind, "connected", view or "main", actor.token,
            f"ours{number}", LegStatistics(received={"audio": StreamStatistics(packets=50)}),
        )  # fmt: skip
        if participant is not None:
            self.conferences.note(conference, NoteJoined(participant, leg, kind))
        answer = f"v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:ours{number}\r\n"
        return JoinedLeg(leg, answer)

    def get(self, leg_id: str) -> LegInfo | None:
        return self.legs.get(leg_id)

    async def restart_ice(self, leg_id: str, fragment: str) -> str:
        if "a=ice-ufrag:" not in fragment:
            raise SdpError("the fragment has no valid a=ice-ufrag")
        if "a=ice-ufrag:peer" in fragment:
            return ""
        return "a=ice-ufrag:again\r\na=ice-pwd:0123456789012345678901\r\n"

    async def leave(self, leg_id: str, reason: str) -> None:
        self.closed.append((leg_id, reason))
        leg = self.legs.pop(leg_id, None)
        if leg is not None and leg.participant is not None:
            self.conferences.note(leg.conference, NoteLeft(leg.participant, leg_id, reason))

    def openers(self) -> set[str]:
        return {leg.opened_by for leg in self.legs.values()}

    async def withdraw(self, token: str, reason: str) -> int:
        own = [leg.id for leg in self.legs.values() if leg.opened_by == token]
        for leg in own:
            await self.leave(leg, reason)
        return len(own)

    async def parted(self) -> None:
        await self.told.wait()


class StandInPictures:
    """A picture of the main view and of whoever is not called ``dark``."""

    async def view_picture(self, conference: str, view: str) -> bytes | None:
        return JPEG if view == "main" else None

    async def participant_picture(self, conference: str, participant: str) -> bytes | None:
        return None if participant == "dark" else JPEG


class StandInMedia:
    """Readings of a media plane with nothing in it."""

    def media_reading(self) -> MediaReading:
        return MediaReading(
            legs={("connected", "join"): 3},
            ticks={"audio": TickReading(total=50, late=1, lateness_s={"0.99": 0.002})},
            stage_seconds={("video", "encode"): 1.5},
            dropped={"stun": 4},
        )

    def status(self) -> LoadStatus:
        return LoadStatus(
            "strained", ("processors",), ("view-rate",), 15, 0.91, 0.4, 2.0, 3.5, 0, 0.01, 3, 500,
            {"load": 2, "joins": 0, "max_legs": 1},
        )  # fmt: skip

    def live(self, conference: str, participant: str) -> LiveReading:
        return LiveReading(-31.5, True, True, LineQuality("good", 0.1, 2.0, 30.0))


@dataclass
class Api:
    """The running API and a client that holds the administrator's token."""

    url: str
    app: web.Application
    services: Services
    store: Store
    conferences: Conferences
    legs: StandInLegs
    clock: Clock
    http: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = ADMIN,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        data: Any = None,
        params: dict[str, str] | None = None,
    ) -> "Reply":
        """One request; ``path`` below ``/api/v1`` unless it begins with ``//``."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        url = self.url + (path[1:] if path.startswith("//") else f"/api/v1{path}")
        async with self.http.request(
            method, url, json=body, data=data, headers=sent, params=params
        ) as response:
            answer = await response.read()
            reply = Reply(response.status, response.headers, answer, response.cookies)
        if status is not None:
            assert reply.status == status, f"{method} {path}: {reply.status} {answer!r}"
        return reply

    async def token(self, role: str, *, unit: str | None = None, bridge: str | None = None) -> str:
        """The text of a new token."""
        _, text = await self.store.tokens.create(role, name=role, unit=unit, bridge=bridge)  # type: ignore[arg-type]
        return text

    async def province(self) -> None:
        """A province with two communes, and a commune of nobody's; two bridges each."""
        for unit, parent in (("tinh", None), ("xa-1", "tinh"), ("xa-2", "tinh"), ("khac", None)):
            level = "province" if parent is None else "commune"
            await self.call(
                "POST", "/units", {"id": unit, "name": unit, "level": level, "parent": parent},
                status=201,
            )  # fmt: skip
            for bridge in (f"{unit}-a", f"{unit}-b"):
                await self.call(
                    "POST", "/bridges",
                    {"id": bridge, "name": f"Điểm cầu {bridge}", "unit": unit,
                     "contact": {"name": "Trực", "phone": "0900 000 000"}},
                    status=201,
                )  # fmt: skip

    async def conference(self, *bridges: str, unit: str = "tinh", token: str = ADMIN) -> str:
        """The id of a conference that runs."""
        reply = await self.call(
            "POST", "/conferences", {"name": "Họp", "unit": unit, "bridges": list(bridges)},
            token=token, status=201,
        )  # fmt: skip
        return str(reply.json["id"])

    async def join(self, conference: str, token: str) -> str:
        """The id of a leg by which a room has joined."""
        reply = await self.call(
            "POST", f"/conferences/{conference}/legs", token=token, data=OFFER,
            headers={"Content-Type": "application/sdp"}, status=201,
        )  # fmt: skip
        return reply.headers["Location"].rpartition("/")[2]


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Any
    body: bytes
    cookies: Any

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The kind of a problem; fails for anything else."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), self.body
        assert self.json["status"] == self.status
        return str(self.json["type"]).removeprefix("urn:mcu:problem:")

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of a table by its header."""
        text = self.body.decode().removeprefix(BYTE_ORDER_MARK)
        return list(csv.DictReader(io.StringIO(text, newline="")))

    @property
    def fields(self) -> list[str]:
        """The fields that a problem names."""
        return [error["field"] for error in self.json.get("errors", [])]


@asynccontextmanager
async def live_api(directory: Path, **changes: Any) -> AsyncIterator[Api]:
    """An API that runs until the block ends; ``changes`` go into its ``Services``."""
    clock = Clock()
    async with AsyncExitStack() as undo:
        store = await Store.open(directory / "mcu.sqlite3", clock.utcnow)
        undo.push_async_callback(store.close)
        await store.tokens.ensure_bootstrap(ADMIN)
        conferences = Conferences(store, SilentMedia(), clock=clock)
        undo.push_async_callback(conferences.close)
        await conferences.restore(keep=False)
        legs, media = StandInLegs(conferences), StandInMedia()
        sip = SipAccounts(
            store, SipSettings(), conferences, monotonic=clock.now, utcnow=clock.utcnow
        )
        await sip.open(keep=False)
        readiness = ReadinessChecks(
            store, conferences, {}, ask=lambda *_: None, utcnow=clock.utcnow
        )
        undo.push_async_callback(readiness.close)
        services = Services(
            store=store,
            conferences=conferences,
            legs=legs,
            pictures=StandInPictures(),
            live=media,
            media=media,
            load=media,
            sip=sip,
            readiness=readiness,
            reports=Reporter(directory / "mcu.sqlite3", "Asia/Ho_Chi_Minh", AUDITED),
            now=clock.utcnow,
            monotonic=clock.now,
            **{"limits": ApiLimits(heartbeat_s=0.05), **changes},
        )
        app = make_app(services)
        server = TestServer(app)
        undo.push_async_callback(server.close)
        await server.start_server()
        http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        undo.push_async_callback(http.close)
        url = str(server.make_url("")).rstrip("/")
        yield Api(url, app, services, store, conferences, legs, clock, http)


def no_capacity() -> Exception:
    """What a full media plane says."""
    return NoCapacity("All 500 legs are taken: end a conference first.", 7)
