"""The media plane of one process: its ports, legs, mixers and readings, and what drives them.

Everything here lives on the loop's thread but for pictures, which are made in processes of their
own. ``open`` puts it together; conferences are attached afterwards.
"""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

from config.problems import Problem, SettingsError
from config.settings import Settings
from mcu import processors, tls
from mcu.conference.service import Conferences
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.overload import Overload
from mcu.engine.video_process.messages import Configure, OpenConference
from mcu.engine.video_process.processes import VideoProcesses, default_processes
from mcu.legs.acceptor import WebRtcAcceptor
from mcu.legs.sip_acceptor import SipAcceptor
from mcu.media.clock import Moments
from mcu.media.port import MediaPort
from mcu.media.rendition import FanOut
from mcu.media.udp import UdpTransport, open_media_port
from mcu.rooms.live import LivePublisher
from mcu.rooms.load import LoadWatch
from mcu.rooms.rooms import Rooms
from mcu.rooms.totals import MediaTotals
from mcu.rooms.wall import Walls
from mcu.sip.station import SipMedia
from signalling.webrtc.dtls import DtlsCertificate
from signalling.webrtc.ice import IceCandidate


class MediaPlane:
    """Its parts, once ``open`` has made them; ``sip`` is None where there is no SIP."""

    def __init__(self, settings: Settings, utcnow: Callable[[], datetime]) -> None:
        self.settings = settings
        self._utcnow = utcnow
        self.fan_out: FanOut
        self.engine: Engine
        self.acceptor: WebRtcAcceptor
        self.sip: SipMedia | None = None
        self.live: LivePublisher
        self.load: LoadWatch
        self.walls: Walls
        self.totals: MediaTotals
        self.rooms: Rooms
        self._transport: UdpTransport

    async def open(self, loop: asyncio.AbstractEventLoop, stack: AsyncExitStack) -> None:
        """Open the ports, start the processes, put the parts together; ``stack`` closes them.

        Raises:
            SettingsError: a port cannot be opened; names the key.
        """
        port, self._transport = self._open_port(loop)
        stack.callback(self._transport.close)
        self.fan_out = FanOut(_scheduler(loop, self.sound_first), time.perf_counter)
        await self._start_engine(stack)
        self._transport.first = self.sound_first
        self._make_legs(loop, stack, port)
        self._make_rooms(port)

    def attach(self, conferences: Conferences) -> None:
        """Whose media it is."""
        self.rooms.attach(conferences)
        self.live.attach(conferences)
        conferences.look_for_pictures(self.live.dark)
        self.load.attach(conferences)
        self.totals.attach(conferences)

    @property
    def legs(self) -> int:
        """How many there are, of both kinds."""
        return len(self.acceptor.legs) + (0 if self.sip is None else len(self.sip.acceptor.legs))

    # The clock

    def handle_media(self, now: float) -> None:
        """What rooms see and hear: whatever is due, sound first."""
        self._handle_ticks(now)
        self.acceptor.handle_timer(now)
        if self.sip is not None:
            self.sip.acceptor.handle_timer(now)

    def _handle_ticks(self, now: float) -> None:
        if self.engine.audio_clock.next_timer <= now:
            self._transport.drain()  # what came in time is heard in this tick
            if self.sip is not None:
                self.sip.ports.drain()
        self.engine.handle_timer(now)

    def sound_first(self) -> bool:
        """Run the tick of sound if it is due; whether it was.

        Asked by whoever is about to take a millisecond of the loop. The loop runs all that is
        due in turn, and a tick that waits for three of them is late.
        """
        now = time.monotonic()
        if self.engine.audio_clock.next_timer > now:
            return False
        self._handle_ticks(now)
        return True

    def handle_readings(self, now: float) -> None:
        """What operators are told of it."""
        self.live.handle_timer(now)
        self.load.handle_timer(now)
        self.walls.handle_timer(now)

    def next_timer(self, now: float) -> float:
        """When something is due next; readings wait for the engine's next tick."""
        return min(
            self.engine.next_timer(),
            self.acceptor.next_timer(now),
            math.inf if self.sip is None else self.sip.acceptor.next_timer(now),
        )

    # Its parts

    def _open_port(self, loop: asyncio.AbstractEventLoop) -> tuple[MediaPort, UdpTransport]:
        media = self.settings.media
        try:
            return open_media_port(loop, media.host, media.port)
        except OSError as error:
            reason = f"UDP {media.host} port {media.port} cannot be opened ({error.strerror})"
            raise SettingsError([Problem("media.port", reason)]) from error

    async def _start_engine(self, stack: AsyncExitStack) -> None:
        media = self.settings.media
        zone = ZoneInfo(media.time_zone)
        cores = processors.whole()
        video_processes = media.video_processes or default_processes(cores)
        video = VideoProcesses(
            video_processes,
            fan_out=self.fan_out,
            opened=OpenConference("", media.width, media.height, media.bitrate_bps),
            configure=Configure(
                threads=media.workers or math.ceil(cores / video_processes),
                fps=media.fps,
                time_zone=media.time_zone,
                logging=self.settings.logging,
            ),
        )
        stack.push_async_callback(video.close)
        await video.start()
        self.engine = Engine(
            fan_out=self.fan_out,
            video=video,
            start=time.monotonic(),
            wall=lambda: self._utcnow().astimezone(zone),
            fps=media.fps,
            max_speakers=media.max_speakers,
        )

    def _make_legs(
        self, loop: asyncio.AbstractEventLoop, stack: AsyncExitStack, port: MediaPort
    ) -> None:
        media = self.settings.media
        certificate = DtlsCertificate.generate()
        if self.settings.sip.host is not None:
            self.sip = SipMedia(self.settings, loop, certificate, time.monotonic)
            stack.callback(self.sip.close)
        candidates = ice_candidates(self.settings, self._transport.local_port)
        ticks = self.engine.audio_clock
        self.acceptor = WebRtcAcceptor(
            port=port,
            certificate=certificate,
            candidates=lambda: candidates,
            lost_after_s=media.lost_after_s,
            left_after_s=media.left_after_s,
            moments=Moments(ticks.interval_s, ticks.start),
        )

    def _make_rooms(self, port: MediaPort) -> None:
        limits = self.settings.limits
        calls: SipAcceptor | None = None if self.sip is None else self.sip.acceptor
        self.walls = Walls(self.engine)
        self.live = LivePublisher(self.engine)
        self.load = LoadWatch(
            self.engine,
            Overload(limits.max_load),
            processor_s=time.process_time,
            loop_s=time.thread_time,
            cores=processors.available,
            max_legs=limits.max_legs,
            legs=lambda: self.legs,
            acts=limits.overload_protection,
        )
        self.totals = MediaTotals(
            self.engine,
            self.acceptor,
            port,
            kernel_drops=self._transport.kernel_drops,
            steps=self.live.lines.switches,
            load=self.load.status,
            calls=calls,
        )
        self.rooms = Rooms(
            self.engine,
            self.acceptor,
            clock=time.monotonic,
            load=self.load,
            leg_left=self.totals.leg_left,
            media_ended=self._media_ended,
            lines=self.live.lines,
            calls={} if calls is None else calls.legs,
        )

    def _media_ended(self, media: ConferenceMedia) -> None:
        self.totals.media_ended(media)
        self.live.media_ended(media)


def _scheduler(
    loop: asyncio.AbstractEventLoop, first: Callable[[], bool]
) -> Callable[[float, Callable[[float], None]], None]:
    def schedule(delay_s: float, call: Callable[[float], None]) -> None:
        def run() -> None:
            first()
            call(time.monotonic())

        if delay_s <= 0:
            loop.call_soon(run)
        else:
            loop.call_later(whole_ms(delay_s), run)

    return schedule


def whole_ms(delay_s: float) -> float:
    """Rounded up to the loop's resolution: a timer that fires early would be set once more."""
    return max(1.0, math.ceil(delay_s * 1000.0)) / 1000.0


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
