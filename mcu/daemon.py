"""The composition root of ``mcu serve``: opens everything, drives the clocks, closes everything.

Order matters twice. Opening: the store before what is kept in it, conferences restored before
anybody can ask for them. Closing: first the doors, then the streams, then the media, then the
store, so that what the store holds is what was true while rooms were connected; a restarted
daemon finds its conferences running and the rooms come back by themselves.
"""

import asyncio
import gc
import socket
import ssl
import time
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog
from aiohttp import web

from config.problems import Problem, SettingsError
from config.settings import Settings
from mcu import tls
from mcu.api.app import make_app
from mcu.api.resources.reports import AUDITED
from mcu.api.services import (
    ApiLimits,
    Services,
    no_callers,
    no_outside,
    no_trace,
    well_formed_address,
)
from mcu.api.unreadable import Runner
from mcu.collector import Collector
from mcu.conference.clock import MeetingClock, SystemClock
from mcu.conference.keeper import Retention
from mcu.conference.service import Conferences
from mcu.console.pages import add_pages
from mcu.data_lock import DataLock
from mcu.engine.pool import CodecPool, Pool
from mcu.legs.leg import Leg
from mcu.media_plane import MediaPlane, whole_ms
from mcu.operations.reporter import Reporter
from mcu.readiness.assessment import Rules
from mcu.readiness.model import Budget
from mcu.readiness.service import ReadinessChecks
from mcu.recording.metrics import RecordingCollector
from mcu.recording.recordings import DIRECTORY as RECORDINGS
from mcu.recording.recordings import Recordings
from mcu.rooms.minute_book import MinuteBook
from mcu.rooms.photographer import Photographer
from mcu.rooms.pictures import RoomPictures
from mcu.rooms.rooms import Rooms
from mcu.rooms.scheduled_checks import ScheduledChecks
from mcu.rooms.user_agents import UserAgents
from mcu.sentences import sentence
from mcu.sip.accounts import SipAccounts
from mcu.sip.station import SipStation
from mcu.sip.survey import sip_server
from mcu.site_import import import_site
from mcu.store.store import FILE_NAME, Store
from mcu.watch.metrics import AlarmCollector
from mcu.watch.watcher import Watcher

SHUTDOWN_S = 3.0
"""How long open requests may take to end when the daemon stops."""

log = structlog.get_logger(__name__)


class Daemon:
    """Everything one process runs; an async context manager whose exit closes it.

    ``url`` is where the console is, once entered. ``bootstrap_token`` is the administrator's
    token that was generated, if one was.
    """

    def __init__(self, settings: Settings, *, add_site: bool = False) -> None:
        self.settings = settings
        self._add_site = add_site
        self.url = ""
        self.bootstrap_token: str | None = None
        self.conferences: Conferences
        self.sip_accounts: SipAccounts
        self._closing = AsyncExitStack()
        self._timer: asyncio.TimerHandle | None = None
        self._clock = MeetingClock()
        self._media = MediaPlane(settings, self._clock.utcnow)
        self.readiness: ReadinessChecks
        self._agents = UserAgents()
        self._collector = Collector(time.monotonic())
        self._sip: SipStation | None = None
        self._recordings: Recordings

    @property
    def rooms(self) -> Rooms:
        """Its legs, once entered."""
        return self._media.rooms

    async def __aenter__(self) -> "Daemon":
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._closing = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        settings, loop = self.settings, asyncio.get_running_loop()
        stack.callback(DataLock(settings.data_dir).release)
        store = await Store.open(settings.data_dir / FILE_NAME)
        stack.push_async_callback(store.close)
        if settings.site is not None:
            await import_site(settings.site, store, beside=self._add_site)
        # What may refuse the start comes first: a token that was made is shown only this once.
        configured = settings.auth.bootstrap_token
        self.bootstrap_token = await store.tokens.ensure_bootstrap(
            configured.get_secret_value() if configured is not None else None
        )

        await self._media.open(loop, stack)
        self.conferences = Conferences(
            store,
            self.rooms,
            clock=self._clock,
            left_after_s=settings.media.left_after_s,
            retention=Retention(
                timedelta(days=settings.store.retention_days), settings.store.retention_rows
            ),
        )
        self._clock.meeting = lambda: bool(self.conferences.running())
        self._media.attach(self.conferences)
        self._watcher = Watcher(
            self._media.engine,
            settings.alarms,
            self._detectors(loop, stack),
            loss=self._loss_percent,
            utcnow=self._clock.utcnow,
            strained=lambda: self._media.load.status().level != "none",
        )
        self._watcher.attach(self.conferences)
        stack.callback(self._watcher.close)
        stack.callback(lambda: self._media.acceptor.close("ended", time.monotonic()))
        photographer = Photographer(
            RoomPictures(self._media.engine), store.roll_call_pictures, self._clock.utcnow
        )
        self.conferences.listen(photographer.changed)
        stack.push_async_callback(photographer.close)
        photographer.open()
        minute_book = MinuteBook(self._media.live.minutes, store.minutes, self._clock.utcnow)
        stack.push_async_callback(minute_book.close)
        minute_book.open()
        await self._open_recordings(stack, store)
        # Calls end after the conferences: what the store holds is what was true before.
        stack.push_async_callback(self._close_sip)
        stack.push_async_callback(self.conferences.close)
        self.sip_accounts = SipAccounts(store, settings.sip, self.conferences)
        stack.push_async_callback(self.sip_accounts.close)
        await self.sip_accounts.open()
        stack.callback(self._stop_clock)
        await self._open_readiness(stack, store)
        self._drive()
        await self._open_sip()
        await self._listen(stack, store)
        # What was made so far stays; the collector need not look at it again and again.
        stack.callback(Collector.take_over())
        gc.collect()
        gc.freeze()

    def _loss_percent(self, conference: str, participant: str) -> float | None:
        return self._media.live.live(conference, participant).quality.loss_percent

    def _detectors(self, loop: asyncio.AbstractEventLoop, stack: AsyncExitStack) -> Pool:
        """Where sound is searched for echoes: one thread, which waits while there is no alarm."""
        pool = CodecPool(1, loop.call_soon_threadsafe)
        stack.callback(pool.close)
        return pool

    async def _open_recordings(self, stack: AsyncExitStack, store: Store) -> None:
        """Mend what was recorded last, bring the conferences back, and go on recording them."""
        settings = self.settings.recording
        self._recordings = Recordings(
            self.settings.data_dir / RECORDINGS,
            store.recordings,
            media=lambda conference: self._media.engine.conferences.get(conference),
            note=self.conferences.note,
            utcnow=self._clock.utcnow,
            retention=timedelta(days=settings.retention_days),
            reserve=settings.reserve_mb << 20,
        )
        await self._recordings.recover()
        self.conferences.listen(self._recordings.changed)
        stack.push_async_callback(self._recordings.close)
        await self.conferences.restore()
        self._recordings.open({one.id: one for one in self.conferences.running()}.get)

    async def _open_sip(self) -> None:
        if self._media.sip is None:
            return
        self._sip = SipStation(
            self.settings,
            self._media.sip,
            conferences=self.conferences,
            rooms=self.rooms,
            accounts=self.sip_accounts,
            fan_out=self._media.fan_out,
            clock=time.monotonic,
        )
        self._sip.calls.confirmed = self.readiness.confirm_by_key
        await self._sip.open()

    async def _open_readiness(self, stack: AsyncExitStack, store: Store) -> None:
        settings = self.settings.readiness
        self.readiness = ReadinessChecks(
            store,
            self.conferences,
            self._media.engine.conferences,
            ask=self._media.live.ask,
            utcnow=self._clock.utcnow,
            rules=Rules(
                needs_confirmation=settings.confirmation == "required",
                drift_refuses=settings.drift == "refused",
            ),
            budget=Budget(
                measured_at_once=settings.measured_at_once,
                reached_at_once=settings.reached_at_once,
                reach_s=settings.reach_s,
                measure_s=settings.measure_s,
                confirm_s=settings.confirm_s,
                limit_s=settings.limit_s,
            ),
            agent_of=self._agent_of,
            call_again=self._call_again,
        )
        stack.push_async_callback(self.readiness.close)
        await self.readiness.restore()
        if settings.before_minutes:
            scheduled = ScheduledChecks(
                store,
                self.conferences,
                self.readiness,
                before=timedelta(minutes=settings.before_minutes),
                utcnow=SystemClock().utcnow,
            )
            task = asyncio.create_task(scheduled.run(), name="scheduled-checks")
            stack.push_async_callback(_cancelled, task)

    def _agent_of(self, leg: Leg) -> str | None:
        said = self._agents.of(leg.id)
        if said is None and self._sip is not None and leg.participant is not None:
            said = self._sip.calls.user_agent(leg.conference, leg.participant)
        return said

    def _call_again(self, conference: str, participant: str) -> None:
        if self._sip is not None:
            self._sip.calls.call_again(conference, participant)

    def _bridge_changed(self, bridge: str) -> None:
        if self._sip is not None:
            self._sip.calls.bridge_changed(bridge)

    async def _close_sip(self) -> None:
        self.rooms.finish()  # whose conference has ended is told that, not that we restart
        if self._sip is not None:
            await self._sip.close()

    async def _listen(self, stack: AsyncExitStack, store: Store) -> None:
        http, limits = self.settings.http, self.settings.limits
        context = tls.ssl_context(self.settings)
        app = make_app(
            Services(
                store=store,
                conferences=self.conferences,
                legs=self.rooms,
                pictures=RoomPictures(self._media.engine),
                wall=self._media.walls,
                live=self._media.live,
                media=self._media.totals,
                load=self._media.load,
                sip=self.sip_accounts,
                readiness=self.readiness,
                leg_opened=self._agents.opened,
                reports=Reporter(
                    self.settings.data_dir / FILE_NAME,
                    self.settings.media.time_zone,
                    AUDITED,
                ),
                sip_server=sip_server(self.settings, tls.machine_addresses()),
                sip_trace=no_trace if self._sip is None else self._sip.calls.trace,
                sip_callers=no_callers if self._sip is None else self._sip.calls.callers,
                sip_caller_trace=no_trace if self._sip is None else self._sip.calls.caller_trace,
                call_again=self._call_again,
                bridge_changed=self._bridge_changed,
                transfer=None if self._sip is None else self._sip.calls.transfer,
                outside_address=no_outside if self._sip is None else self._sip.outside.checked,
                bridge_address=well_formed_address
                if self._sip is None
                else self._sip.outside.of_bridge,
                recordings=self._recordings,
                collectors=(
                    AlarmCollector(self._watcher, self.conferences),
                    RecordingCollector(self._recordings.reading),
                    *(() if self._sip is None else (self._sip.collector,)),
                ),
                convene_within_s=self.settings.conference.convene_within_s,
                calls_at_once=self.settings.conference.calls_at_once,
                not_ready=self._not_ready,
                public_url=http.public_url,
                reachable_url=lambda: None if tls.is_loopback(http.host) else self.url,
                limits=ApiLimits(
                    requests_per_second=limits.requests_per_second,
                    request_burst=limits.request_burst,
                    max_body_bytes=limits.max_body_bytes,
                    max_event_streams=limits.max_event_streams,
                ),
            )
        )
        add_pages(app)
        runner = Runner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        # An open event stream is a request that never ends: end the streams before the server.
        stack.push_async_callback(self.conferences.close)
        try:
            site = _site(runner, http.host, http.port, context)
            await site.start()
        except OSError as error:
            reason = f"TCP {http.host} port {http.port} cannot be opened ({error.strerror})"
            raise SettingsError([Problem("http.port", reason)]) from error
        bound = runner.addresses[0][1]
        scheme = "http" if context is None else "https"
        self.url = http.public_url or f"{scheme}://{_reachable(http.host)}:{bound}"
        if tls.tls_kind(http) == "self-signed":
            log.warning("self_signed_certificate", advice=tls.ADVICE)

    def _not_ready(self) -> str | None:
        if self.conferences.unstored:
            return sentence("server.store-unwritten")
        if len(self.conferences.running()) >= self.settings.limits.max_conferences:
            return sentence("server.conferences")
        return None

    # The clock

    def _drive(self) -> None:
        """Run whatever is due, sound first, and come again."""
        media, now = self._media, time.monotonic()
        try:
            media.handle_media(now)
            media.handle_readings(now)
            self._watcher.handle_timer(now)
            self.readiness.handle_timer(now)
        except Exception:
            # One leg's defect must not stop the clock of all.
            log.exception("timer_failed")
        due, now = media.next_timer(now), time.monotonic()
        slack_s = media.engine.audio_clock.next_timer - now
        self._collector.tick(now, slack_s, media.legs, len(media.acceptor.legs))
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(whole_ms(due - time.monotonic()), self._drive)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _site(
    runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None
) -> web.BaseSite:
    """Where the server listens; ``::`` is every address, which asyncio would make IPv6 alone.

    Raises:
        OSError: the address is in use or not ours.
    """
    if host != "::" or not socket.has_dualstack_ipv6():
        return web.TCPSite(runner, host, port, ssl_context=context)
    sock = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return web.SockSite(runner, sock, ssl_context=context)


def _reachable(host: str) -> str:
    """How a browser on this machine writes the address."""
    if host in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
        host = next(iter(tls.machine_addresses()), "localhost")
    return f"[{host}]" if ":" in host else host


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
