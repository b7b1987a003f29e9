"""The composition root of ``mcu serve``: opens everything, drives the clocks, closes everything.

Order matters twice. Opening: the store before what is kept in it, conferences restored before
anybody can ask for them. Closing: first the doors, then the streams, then the media, then the
store, so that what the store holds is what was true while rooms were connected; a restarted
daemon finds its conferences running and the rooms come back by themselves.
"""

import asyncio
import gc
import math
import signal
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from config.problems import Problem, SettingsError
from config.settings import Settings
from mcu import logs, processors, tls
from mcu.api.app import make_app
from mcu.api.resources.reports import AUDITED
from mcu.api.services import ApiLimits, Services, no_outside, no_trace
from mcu.collector import Collector
from mcu.conference.clock import SystemClock
from mcu.conference.keeper import Retention
from mcu.conference.service import Conferences
from mcu.console.pages import add_pages
from mcu.data_lock import DataLock
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.overload import Overload
from mcu.engine.pool import CodecPool, Pool
from mcu.engine.video_process.messages import Configure, OpenConference
from mcu.engine.video_process.processes import VideoProcesses, default_processes
from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.leg import Leg
from mcu.legs.sip_acceptor import SipAcceptor
from mcu.media.port import MediaPort
from mcu.media.rendition import FanOut
from mcu.media.udp import UdpTransport, open_media_port
from mcu.operations.reporter import Reporter
from mcu.readiness.assessment import Rules
from mcu.readiness.model import Budget
from mcu.readiness.service import ReadinessChecks
from mcu.recording.metrics import RecordingCollector
from mcu.recording.recordings import DIRECTORY as RECORDINGS
from mcu.recording.recordings import Recordings
from mcu.rooms.live import LivePublisher
from mcu.rooms.load import LoadWatch
from mcu.rooms.minute_book import MinuteBook
from mcu.rooms.photographer import Photographer
from mcu.rooms.pictures import RoomPictures
from mcu.rooms.rooms import Rooms
from mcu.rooms.scheduled_checks import ScheduledChecks
from mcu.rooms.totals import MediaTotals
from mcu.rooms.user_agents import UserAgents
from mcu.rooms.wall import Walls
from mcu.sip.accounts import SipAccounts
from mcu.sip.station import SipMedia, SipStation
from mcu.sip.survey import sip_server
from mcu.site_import import import_site
from mcu.store.store import FILE_NAME, Store
from mcu.watch.metrics import AlarmCollector
from mcu.watch.watcher import Watcher
from signalling.webrtc.dtls import DtlsCertificate
from signalling.webrtc.ice import IceCandidate

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
        self.rooms: Rooms
        self.conferences: Conferences
        self.sip_accounts: SipAccounts
        self._closing = AsyncExitStack()
        self._timer: asyncio.TimerHandle | None = None
        self._engine: Engine
        self._fan_out: FanOut
        self._video: VideoProcesses
        self._acceptor: WebRtcAcceptor
        self.readiness: ReadinessChecks
        self._agents = UserAgents()
        self._live: LivePublisher
        self._load: LoadWatch
        self._totals: MediaTotals
        self._sip_media: SipMedia | None = None
        self._collector = Collector(time.monotonic())
        self._sip: SipStation | None = None
        self._recordings: Recordings

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

        port, transport = self._open_port(loop)
        stack.callback(transport.close)
        self._transport = transport
        await self._make_media(loop, stack, port, transport)
        self.conferences = Conferences(
            store,
            self.rooms,
            left_after_s=settings.media.left_after_s,
            retention=Retention(
                timedelta(days=settings.store.retention_days), settings.store.retention_rows
            ),
        )
        self.rooms.attach(self.conferences)
        self._live.attach(self.conferences)
        self._watcher = Watcher(
            self._engine,
            settings.alarms,
            self._detectors(loop, stack),
            loss=lambda conference, who: self._live.live(conference, who).quality.loss_percent,
            utcnow=SystemClock().utcnow,
            strained=lambda: self._load.status().level != "none",
        )
        self._watcher.attach(self.conferences)
        stack.callback(self._watcher.close)
        self.conferences.look_for_pictures(self._live.dark)
        self._load.attach(self.conferences)
        self._totals.attach(self.conferences)
        stack.callback(lambda: self._acceptor.close("ended", time.monotonic()))
        photographer = Photographer(
            RoomPictures(self._engine), store.roll_call_pictures, SystemClock().utcnow
        )
        self.conferences.listen(photographer.changed)
        stack.push_async_callback(photographer.close)
        photographer.open()
        minute_book = MinuteBook(self._live.minutes, store.minutes, SystemClock().utcnow)
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
            media=lambda conference: self._engine.conferences.get(conference),
            note=self.conferences.note,
            utcnow=SystemClock().utcnow,
            retention=timedelta(days=settings.retention_days),
            reserve=settings.reserve_mb << 20,
        )
        await self._recordings.recover()
        self.conferences.listen(self._recordings.changed)
        stack.push_async_callback(self._recordings.close)
        await self.conferences.restore()
        self._recordings.open({one.id: one for one in self.conferences.running()}.get)

    async def _open_sip(self) -> None:
        if self._sip_media is None:
            return
        self._sip = SipStation(
            self.settings,
            self._sip_media,
            conferences=self.conferences,
            rooms=self.rooms,
            accounts=self.sip_accounts,
            fan_out=self._fan_out,
            clock=time.monotonic,
        )
        self._sip.calls.confirmed = self.readiness.confirm_by_key
        await self._sip.open()

    async def _open_readiness(self, stack: AsyncExitStack, store: Store) -> None:
        settings = self.settings.readiness
        self.readiness = ReadinessChecks(
            store,
            self.conferences,
            self._engine.conferences,
            ask=self._live.ask,
            utcnow=SystemClock().utcnow,
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

    def _open_port(self, loop: asyncio.AbstractEventLoop) -> tuple[MediaPort, UdpTransport]:
        media = self.settings.media
        try:
            return open_media_port(loop, media.host, media.port)
        except OSError as error:
            reason = f"UDP {media.host} port {media.port} cannot be opened ({error.strerror})"
            raise SettingsError([Problem("media.port", reason)]) from error

    async def _make_media(
        self,
        loop: asyncio.AbstractEventLoop,
        stack: AsyncExitStack,
        port: MediaPort,
        transport: UdpTransport,
    ) -> None:
        media = self.settings.media

        def schedule(delay_s: float, call: Callable[[float], None]) -> None:
            if delay_s <= 0:
                loop.call_soon(lambda: call(time.monotonic()))
            else:
                loop.call_later(_whole_ms(delay_s), lambda: call(time.monotonic()))

        zone = ZoneInfo(media.time_zone)
        self._fan_out = fan_out = FanOut(schedule, time.perf_counter)
        cores = processors.whole()
        video_processes = media.video_processes or default_processes(cores)
        self._video = VideoProcesses(
            video_processes,
            fan_out=fan_out,
            opened=OpenConference("", media.width, media.height, media.bitrate_bps),
            configure=Configure(
                threads=media.workers or math.ceil(cores / video_processes),
                fps=media.fps,
                time_zone=media.time_zone,
                logging=self.settings.logging,
            ),
        )
        stack.push_async_callback(self._video.close)
        await self._video.start()
        self._engine = Engine(
            fan_out=fan_out,
            video=self._video,
            start=time.monotonic(),
            wall=lambda: datetime.now(zone),
            fps=media.fps,
            max_speakers=media.max_speakers,
        )
        certificate = DtlsCertificate.generate()
        calls: SipAcceptor | None = None
        if self.settings.sip.host is not None:
            self._sip_media = SipMedia(self.settings, loop, certificate, time.monotonic)
            stack.callback(self._sip_media.close)
            calls = self._sip_media.acceptor
        candidates = ice_candidates(self.settings, transport.local_port)
        self._acceptor = WebRtcAcceptor(
            port=port,
            certificate=certificate,
            candidates=lambda: candidates,
            lost_after_s=media.lost_after_s,
            left_after_s=media.left_after_s,
        )
        self._walls = Walls(self._engine)
        self._live = LivePublisher(self._engine)
        self._load = LoadWatch(
            self._engine,
            Overload(self.settings.limits.max_load),
            processor_s=time.process_time,
            loop_s=time.thread_time,
            cores=processors.available,
            max_legs=self.settings.limits.max_legs,
            legs=self._legs,
            acts=self.settings.limits.overload_protection,
        )
        self._totals = MediaTotals(
            self._engine,
            self._acceptor,
            port,
            kernel_drops=transport.kernel_drops,
            steps=self._live.lines.switches,
            load=self._load.status,
            calls=calls,
        )
        self.rooms = Rooms(
            self._engine,
            self._acceptor,
            clock=time.monotonic,
            load=self._load,
            leg_left=self._totals.leg_left,
            media_ended=self._media_ended,
            lines=self._live.lines,
            calls={} if calls is None else calls.legs,
        )

    def _media_ended(self, media: ConferenceMedia) -> None:
        self._totals.media_ended(media)
        self._live.media_ended(media)

    async def _listen(self, stack: AsyncExitStack, store: Store) -> None:
        http, limits = self.settings.http, self.settings.limits
        context = tls.ssl_context(self.settings)
        app = make_app(
            Services(
                store=store,
                conferences=self.conferences,
                legs=self.rooms,
                pictures=RoomPictures(self._engine),
                wall=self._walls,
                live=self._live,
                media=self._totals,
                load=self._load,
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
                call_again=self._call_again,
                bridge_changed=self._bridge_changed,
                transfer=None if self._sip is None else self._sip.calls.transfer,
                outside_address=no_outside if self._sip is None else self._sip.outside.checked,
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
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
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
            return "the store cannot be written: look at the disk that holds data_dir"
        if len(self.conferences.running()) >= self.settings.limits.max_conferences:
            return "as many conferences run as limits.max_conferences allows"
        return None

    def _legs(self) -> int:
        calls = self._sip_media
        return len(self._acceptor.legs) + (0 if calls is None else len(calls.acceptor.legs))

    # The clock

    def _drive(self) -> None:
        """Run whatever is due, sound first, and come again."""
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        calls = self._sip_media
        try:
            if self._engine.audio_clock.next_timer <= now:
                self._transport.drain()  # what came in time is heard in this tick
                if calls is not None:
                    calls.ports.drain()
            self._engine.handle_timer(now)
            self._acceptor.handle_timer(now)
            if calls is not None:
                calls.acceptor.handle_timer(now)
            self._live.handle_timer(now)
            self._watcher.handle_timer(now)
            self._load.handle_timer(now)
            self._walls.handle_timer(now)
            self.readiness.handle_timer(now)
        except Exception:
            # One leg's defect must not stop the clock of all.
            log.exception("timer_failed")
        # Readings for operators wait for the engine's next tick.
        due = min(
            self._engine.next_timer(),
            self._acceptor.next_timer(now),
            math.inf if calls is None else calls.acceptor.next_timer(now),
        )
        now = time.monotonic()
        slack_s = self._engine.audio_clock.next_timer - now
        self._collector.tick(now, slack_s, self._legs(), len(self._acceptor.legs))
        self._timer = loop.call_later(_whole_ms(due - time.monotonic()), self._drive)

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


def _whole_ms(delay_s: float) -> float:
    """Rounded up to the loop's resolution: a timer that fires early would be set once more."""
    return max(1.0, math.ceil(delay_s * 1000.0)) / 1000.0


def _reachable(host: str) -> str:
    """How a browser on this machine writes the address."""
    if host in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
        host = next(iter(tls.machine_addresses()), "localhost")
    return f"[{host}]" if ":" in host else host


def ice_candidates(settings: Settings, port: int) -> tuple[IceCandidate, ...]:
    """Our addresses as answers name them: those configured, or those of this machine."""
    media = settings.media
    addresses = list(media.public_addresses)
    if not addresses:
        addresses = [media.host]
        if media.host in ("::", "0.0.0.0"):  # noqa: S104 compared, not bound
            addresses = [
                address
                for address in tls.machine_addresses()
                if media.host == "::" or ":" not in address
            ]
            if tls.is_loopback(settings.http.host):
                # Whoever can reach the API is on this machine, perhaps without any network.
                addresses += [one for one in ("127.0.0.1", "::1") if one not in addresses]
    return tuple(
        IceCandidate.host(address, port, preference=65535 - index)
        for index, address in enumerate(addresses)
        if media.host != "0.0.0.0" or ":" not in address  # noqa: S104 compared, not bound
    )


async def serve(
    settings: Settings,
    reload: Callable[[], Settings] | None = None,
    *,
    add_site: bool = False,
) -> int:
    """Run the daemon until SIGTERM or SIGINT.

    Args:
        reload: reads the settings again on SIGHUP; what can change without a restart (the log
            level) does.
        add_site: take ``site`` in also where the registry holds another one.
    Returns: the exit code.
    Raises:
        SettingsError: a setting cannot be used; names the key.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if reload is not None:
        loop.add_signal_handler(signal.SIGHUP, lambda: _reload(reload))
    async with Daemon(settings, add_site=add_site) as daemon:
        log.info("listening", url=daemon.url, media_port=settings.media.port)
        if daemon.bootstrap_token is not None:
            print(
                f"administrator's token, shown this once: {daemon.bootstrap_token}\n"
                f"console: {daemon.url}/#token={daemon.bootstrap_token}",
                flush=True,
            )
        else:
            print(
                f"console: {daemon.url}/ (sign in with your token, or open "
                f"{daemon.url}/#token=TOKEN)",
                flush=True,
            )
        await stop.wait()
        log.info("stopping")
    return 0


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _reload(read: Callable[[], Settings]) -> None:
    try:
        logs.configure(read().logging)
        log.info("reloaded")
    except SettingsError as error:
        for problem in error.problems:
            log.error("reload_refused", problem=str(problem))


__all__ = ["Daemon", "ice_candidates", "serve"]
