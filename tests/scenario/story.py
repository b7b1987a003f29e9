"""An installation of a site preset, told as its operators live it: over HTTP, in virtual time.

The registry is the preset's, the rules and the media are the daemon's own. Most rooms come by facts
alone, as legs would tell them; those that are looked at and listened to are simulated rooms with
real media. Time stands still but for ``pass_time`` and while an answer needs it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp.test_utils import TestServer

from config.alarms_section import AlarmSettings
from config.sip_section import SipSettings
from config.sites import Site, load_site
from mcu.api.app import make_app
from mcu.api.resources.reports import AUDITED
from mcu.api.services import ApiLimits, Services
from mcu.conference.actor import Actor
from mcu.conference.commands import NoteCallFailed, NoteJoined, NoteLost, NoteReturned
from mcu.conference.convening_model import ConveningCalled, NoteReachable
from mcu.conference.events import ConferenceStarted, Event, ParticipantAdded
from mcu.conference.for_checks import is_for_check
from mcu.conference.state import ConferenceState
from mcu.engine.pool import InlinePool
from mcu.operations.reporter import Reporter
from mcu.rooms.minute_book import MinuteBook
from mcu.rooms.photographer import Photographer
from mcu.rooms.pictures import RoomPictures
from mcu.rooms.scheduled_checks import ScheduledChecks
from mcu.sip.accounts import SipAccounts
from mcu.site_import import import_site
from mcu.store.store import FILE_NAME
from mcu.watch.watcher import Watcher
from tests.mcu.api.live import ADMIN, Api, Reply
from tests.peers.checked_rooms import STANDARD, CheckedRooms, Kind
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import RoomSetup, VirtualRoom

STEP_S = 0.25
COMES_AFTER_S = 2.0
LINES_ALONE = AlarmSettings(rooms_at_once=0, pictures_at_once=0)
"""Rooms that come by facts have no pictures, which would be an alarm of each of them."""
READY_FOR_S = 60.0
"""Wall time for one answer; more than any takes on a machine that does much else."""

Result = TypeVar("Result")


class Story:
    """An async context manager: the installation runs until the block ends.

    Args:
        preset: a site's name.
        media: rooms with real media, by bridge; everybody else comes by facts.
        kinds: rooms that can be checked, by bridge; they are what they are then.
        alarms: what is watched.

    Attributes:
        absent: bridges that do not come when they are called, for now.
        rooms: the media rooms that have come, by bridge; the latest of each.
    """

    def __init__(
        self,
        directory: Path,
        preset: str,
        *,
        media: Mapping[str, RoomSetup] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        alarms: AlarmSettings = LINES_ALONE,
    ) -> None:
        self._directory = directory
        self.preset: Site = load_site(preset)
        self.site = VirtualInstallation(directory / "data")
        self.absent: set[str] = set()
        self.rooms: dict[str, VirtualRoom] = {}
        self._media = dict(media or {})
        self._kinds = dict(kinds or {})
        self._alarms = alarms
        self._coming: list[tuple[str, str]] = []
        self._answering: set[str] = set()
        self._undo = AsyncExitStack()
        self.api: Api

    async def __aenter__(self) -> "Story":
        async with AsyncExitStack() as undo:
            await self._open(undo)
            self._undo = undo.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._undo.aclose()

    async def _open(self, undo: AsyncExitStack) -> None:
        site = await undo.enter_async_context(self.site)
        await import_site(self.preset.id, site.store)
        await site.store.tokens.ensure_bootstrap(ADMIN)
        site.conferences.listen(self._hear)
        utcnow = site.network.utcnow
        checked = self.checked = CheckedRooms(site, self._kinds)
        rooms, _ = await site.store.tokens.create("admin", name="rooms")
        checked.opener = Actor(rooms.id, "admin", "rooms")
        undo.push_async_callback(checked.checks.close)
        pictures = RoomPictures(site.engine)
        photographer = Photographer(pictures, site.store.roll_call_pictures, utcnow)
        site.conferences.listen(photographer.changed)
        undo.push_async_callback(photographer.close)
        photographer.open()
        self._minutes = MinuteBook(site.live.minutes, site.store.minutes, utcnow)
        self._watcher = Watcher(
            site.engine,
            self._alarms,
            InlinePool(),
            loss=lambda conference, who: site.live.live(conference, who).quality.loss_percent,
            utcnow=utcnow,
        )
        self._watcher.attach(site.conferences)
        undo.callback(self._watcher.close)
        sip = SipAccounts(
            site.store, SipSettings(), site.conferences, monotonic=site.time.clock, utcnow=utcnow
        )
        await sip.open(keep=False)
        self._scheduled = ScheduledChecks(
            site.store,
            site.conferences,
            checked.checks,
            before=timedelta(minutes=self.preset.operation.readiness_minutes_before),
            utcnow=utcnow,
        )
        services = Services(
            store=site.store,
            conferences=site.conferences,
            legs=site.media,
            pictures=pictures,
            live=site.live,
            media=site.totals,
            load=site.load,
            sip=sip,
            readiness=checked.checks,
            reports=Reporter(site.data_dir / FILE_NAME, "Asia/Ho_Chi_Minh", AUDITED),
            convene_within_s=self.preset.operation.convene_within_minutes * 60.0,
            now=utcnow,
            monotonic=site.time.clock,
            limits=ApiLimits(request_burst=100_000),
        )
        app = make_app(services)
        # Rooms' pages are open but for those that are absent.
        site.conferences.look_for_pages(self._pages)
        server = TestServer(app)
        undo.push_async_callback(server.close)
        await server.start_server()
        http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        undo.push_async_callback(http.close)
        url = str(server.make_url("")).rstrip("/")
        self.api = Api(
            url, app, services, site.store, site.conferences, None, None, http  # type: ignore[arg-type]
        )  # fmt: skip

    # What people do

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str = ADMIN,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        passing: bool = False,
    ) -> Reply:
        """A request of somebody's.

        Args:
            passing: its answer needs time to pass, as for a picture that has to come first.
        """
        work = self.api.call(method, path, body, token=by, status=status, headers=headers)
        if passing:
            return await self.meanwhile(work)
        async with asyncio.timeout(READY_FOR_S):
            return await work

    async def end(self, conference: str, by: str) -> None:
        """End a meeting for all; it is answered when all have been told."""
        path = f"/conferences/{conference}"
        await self.call("DELETE", path, by=by, status=204, passing=True)

    async def get(self, path: str, by: str = ADMIN) -> Any:
        """What is read there."""
        return (await self.call("GET", path, by=by, status=200)).json

    async def items(self, path: str, by: str = ADMIN) -> list[dict[str, Any]]:
        """A whole list, however many pages it has."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await self.get(path + cursor, by)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"{'&' if '?' in path else '?'}cursor={page['next_cursor']}"

    async def start(self, meeting: str, by: str, **more: Any) -> str:
        """Start a meeting as the preset has it; gives its id."""
        body = self.meeting(meeting) | {"calls": "when_convened", "busy": "ask"} | more
        return str((await self.call("POST", "/conferences", body, by=by, status=201)).json["id"])

    def meeting(self, meeting: str) -> dict[str, Any]:
        """The body that starts one of the preset's usual meetings."""
        [found] = [one for one in self.preset.meetings if one.id == meeting]
        bridges: Any = found.bridges
        if bridges == "all":
            bridges = [bridge.id for bridge in self.preset.bridges]
        elif bridges != "subtree":
            bridges = list(bridges)
        return {
            "name": found.name,
            "unit": found.unit,
            "chair": found.chair,
            "bridges": bridges,
            "layout": found.layout,
        }

    async def operator(self, unit: str | None, name: str = "") -> str:
        """The token of an operator of a unit."""
        _, text = await self.site.store.tokens.create(
            "operator", name=name or f"Trực {unit}", unit=unit
        )
        return text

    async def technician(self, unit: str) -> str:
        """The token of who is on duty in a unit."""
        _, text = await self.site.store.tokens.create("technician", name=f"KTV {unit}", unit=unit)
        return text

    async def room(self, bridge: str) -> str:
        """The token of a room."""
        _, text = await self.site.store.tokens.create("bridge", name=bridge, bridge=bridge)
        return text

    # What is asked of rooms

    async def roster(self, conference: str, by: str = ADMIN) -> dict[str, dict[str, Any]]:
        """Participants by id, as somebody sees them."""
        people = await self.items(f"/conferences/{conference}/participants", by)
        return {each["id"]: each for each in people}

    async def checked_now(self, bridges: list[str], by: str) -> dict[str, dict[str, Any]]:
        """A readiness check of some rooms, to its end; gives their rows."""
        begun = await self.call(
            "POST", "/readiness-checks", {"bridges": bridges, "name": "Kiểm tra kỹ thuật"}, by=by,
            status=201,
        )  # fmt: skip
        return await self.check_ended(begun.json["id"], by)

    def becomes(self, bridge: str, kind: Kind) -> None:
        """What a room is like when it is checked next."""
        self.checked.kinds[bridge] = kind

    async def keeps_to_its_means(self, *bridges: str) -> None:
        """The organisation puts its own standard in the preset's place: that of simulated rooms."""
        for bridge in bridges:
            contact = {"name": "Trần Thị Bình", "phone": "0258 3822 111"}
            change = {"standard": STANDARD, "contact": contact}
            await self.call("PATCH", f"/bridges/{bridge}", change, status=200)

    async def check_ended(self, check: str, by: str) -> dict[str, dict[str, Any]]:
        """A check's rows when it has ended."""
        await self.checked.until_ended(check)
        found = await self.get(f"/readiness-checks/{check}", by)
        return {row["bridge"]: row for row in found["rooms"]}

    async def look_at_schedule(self) -> list[str]:
        """Begin the checks that are due, as the daemon does every few seconds; all that run."""
        await self._scheduled.look()
        return [check.id for check in self.checked.checks.running()]

    def lose(self, conference: str, *bridges: str) -> None:
        """The lines of rooms drop."""
        for bridge in bridges:
            leg = f"leg-{conference}-{bridge}"
            self.site.conferences.note(conference, NoteLost(bridge, leg))

    def find_again(self, conference: str, *bridges: str) -> None:
        """The lines of rooms are back."""
        for bridge in bridges:
            leg = f"leg-{conference}-{bridge}"
            self.site.conferences.note(conference, NoteReturned(bridge, leg))

    def appear(self, bridge: str) -> None:
        """A room that was absent is there now: its page opens, and shows a call that lasts."""
        self.absent.discard(bridge)
        self._answering.discard(bridge)
        for state in self.site.conferences.running():
            if bridge in state.participants:
                self.site.conferences.note(state.id, NoteReachable(bridge))
                if bridge not in self._answering:
                    self._called(state.id, bridge)

    async def written(self) -> None:
        """What has happened stands in the store, with the minute that is not over yet."""
        await self._minutes.close()
        await self.site.settled()

    # Time

    async def pass_time(self, seconds: float) -> None:
        """Let time pass; rooms do what they are asked to."""
        for _ in range(max(1, round(seconds / STEP_S))):
            self.site.run(STEP_S)
            self._watcher.handle_timer(self.site.time.now)
            await self._let_in()
            await asyncio.sleep(0)  # what was begun meanwhile goes on

    async def soon(self, reached: Callable[[], bool]) -> None:
        """Until something holds that needs no time, but the store's answer."""
        async with asyncio.timeout(READY_FOR_S):
            while not reached():  # noqa: ASYNC110 - what is written, is soon
                await asyncio.sleep(0.005)

    async def alarmed(self, conference: str, count: int) -> None:
        """Let time pass until so many alarms last: rooms are looked through in turn."""
        state = self.site.state
        await self.until(lambda: sum(one.open for one in state(conference).alarms) == count, 60)

    async def until(self, reached: Callable[[], bool], within_s: float) -> float:
        """Let time pass until something holds; returns how long it took."""
        began = self.site.time.now
        while not reached():
            assert self.site.time.now - began < within_s, f"not within {within_s} s"
            await self.pass_time(STEP_S)
        return self.site.time.now - began

    async def meanwhile(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await something while time passes, a little at a time."""
        async with asyncio.timeout(READY_FOR_S):
            task = asyncio.ensure_future(work)
            while not task.done():
                self.site.run(0.02)
                await asyncio.wait({task}, timeout=0.02)
            return task.result()

    # What rooms do by themselves

    def _pages(self) -> frozenset[str]:
        return frozenset(one.id for one in self.preset.bridges if one.id not in self.absent)

    def _hear(self, state: ConferenceState, event: Event) -> None:
        if is_for_check(state.id):
            return
        match event:
            case ConferenceStarted() if not event.calls_when_convened:
                called = [each.id for each in event.participants]
            case ParticipantAdded(participant) if _is_called_at_once(state):
                called = [participant.id]
            case ConveningCalled():
                called = list(event.participants)
            case _:
                return
        for bridge in called:
            self._called(state.id, bridge)

    def _called(self, conference: str, bridge: str) -> None:
        note = self.site.conferences.note
        if bridge in self.absent:
            failed = NoteCallFailed(bridge, "unreachable")
            self.site.time.schedule(5.0, lambda now: note(conference, failed))
            return
        self._answering.add(bridge)
        if bridge in self._media:
            self._coming.append((conference, bridge))
        else:
            here = NoteJoined(bridge, f"leg-{conference}-{bridge}")
            self.site.time.schedule(COMES_AFTER_S, lambda now: note(conference, here))

    async def _let_in(self) -> None:
        coming, self._coming = self._coming, []
        for conference, bridge in coming:
            if self.site.conferences.conference_of(bridge) == conference:
                token, _ = await self.site.store.tokens.create("bridge", name=bridge, bridge=bridge)
                room = Actor(token.id, "bridge", bridge)
                setup = self._media[bridge]
                self.rooms[bridge] = await self.site.offer(setup, conference=conference, actor=room)


def _is_called_at_once(state: ConferenceState) -> bool:
    """Whether who is put on the roster is called now, not in its turn of a convening."""
    if state.convening is None:
        return not state.calls_when_convened
    return not state.convening.is_open
