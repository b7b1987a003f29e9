"""A whole installation but for its doors, in virtual time: no socket, no thread that mixes.

The parts are the daemon's own, put together as ``mcu.daemon`` does it; codecs run inline and time
stands still while something is awaited (the store has a thread of its own), so that a run repeats
exactly. Drive it with ``run``; rooms come by ``join``.
"""

import asyncio
import random
import shutil
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from mcu.conference.commands import Command, StartConference
from mcu.conference.service import Actor, Conferences
from mcu.conference.state import ConferenceState
from mcu.engine.conference_media import ConferenceMedia
from mcu.engine.engine import Engine
from mcu.engine.local_video import LocalVideo
from mcu.engine.overload import Overload
from mcu.engine.pool import InlinePool
from mcu.legs.acceptor import WebRtcAcceptor
from mcu.media.clock import NtpClock
from mcu.media.port import MediaPort
from mcu.media.rendition import FanOut
from mcu.metrics import MediaReading
from mcu.rooms.live import LivePublisher
from mcu.rooms.load import LoadWatch
from mcu.rooms.rooms import Rooms
from mcu.rooms.totals import MediaTotals
from mcu.store.errors import DuplicateRecord
from mcu.store.records import Bridge, Unit
from mcu.store.store import FILE_NAME, Store
from mixer.video.layout import LAYOUTS, Rect
from signalling.sdp import IceCandidate
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.coded_media import Colour
from tests.peers.virtual_network import VirtualNetwork
from tests.peers.virtual_room import RoomSetup, VirtualRoom

OPERATOR = Actor(token="operator", role="operator")
UNIT = "khanh-hoa"
CONNECT_S = 12.0
SHORTEST_TIMER_S = 0.001

T = TypeVar("T")


def _copy_store(data_dir: Path, to: Path) -> None:
    """The file and its log as the kernel has them now; nothing is closed or written before."""
    to.mkdir()
    for file in data_dir.glob(f"{FILE_NAME}*"):
        shutil.copy(file, to / file.name)


class VirtualClock:
    """The conferences' clocks."""

    def __init__(self, network: VirtualNetwork) -> None:
        self.utcnow = network.utcnow
        self.now = network.time.clock


class VirtualInstallation:
    """An async context manager, like ``mcu.daemon.Daemon``.

    Args:
        data_dir: where the store is, or is made.
        network: goes on when the installation is thrown away and made again.
        width, height, fps: of the views.
    """

    def __init__(
        self,
        data_dir: Path,
        network: VirtualNetwork | None = None,
        *,
        width: int = 320,
        height: int = 180,
        fps: int = 10,
        bitrate_bps: int = 400_000,
        left_after_s: float = 30.0,
        max_legs: int = 200,
        overload_protection: bool = True,
    ) -> None:
        self.data_dir = data_dir
        self.network = network or VirtualNetwork()
        self.time = self.network.time
        self.rooms: list[VirtualRoom] = []
        self._size = (width, height)
        self._fps = fps
        self._left_after_s = left_after_s
        self._stopped = self._stalled = False
        self._certificate = DtlsCertificate.generate()
        self.port = MediaPort(self.network.sendto)
        fan_out = FanOut(self.time.schedule)
        self.engine = Engine(
            fan_out=fan_out,
            video=LocalVideo(
                fan_out,
                InlinePool(),
                width=width,
                height=height,
                fps=fps,
                bitrate_bps=bitrate_bps,
            ),
            start=self.time.now,
            wall=self.network.utcnow,
            fps=fps,
        )
        self.acceptor = WebRtcAcceptor(
            port=self.port,
            certificate=DtlsCertificate.generate(),
            candidates=lambda: [IceCandidate.host("192.0.2.1", 7000)],
            ntp=NtpClock(self.network.unix(self.time.now), self.time.now),
            clock=self.time.clock,
            left_after_s=left_after_s,
            generator=random.Random(f"{self.network.seed} acceptor"),
        )
        self.live = LivePublisher(self.engine)
        self.processor_s = self.loop_s = 0.0
        self.load = LoadWatch(
            self.engine,
            Overload(),
            processor_s=lambda: self.processor_s,
            loop_s=lambda: self.loop_s,
            cores=lambda: 2.0,
            max_legs=max_legs,
            legs=lambda: len(self.acceptor.legs),
            acts=overload_protection,
        )
        self.totals = MediaTotals(
            self.engine,
            self.acceptor,
            self.port,
            steps=self.live.lines.switches,
            load=self.load.status,
        )
        self.media = Rooms(
            self.engine,
            self.acceptor,
            clock=self.time.clock,
            load=self.load,
            leg_left=self.totals.leg_left,
            media_ended=self._media_ended,
            lines=self.live.lines,
        )
        self.store: Store
        self.conferences: Conferences
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> "VirtualInstallation":
        self.store = await Store.open(self.data_dir / FILE_NAME, self.network.utcnow)
        self._closing.push_async_callback(self.store.close)
        self.conferences = Conferences(
            self.store,
            self.media,
            clock=VirtualClock(self.network),
            left_after_s=self._left_after_s,
        )
        self.media.attach(self.conferences)
        self.live.attach(self.conferences)
        self.load.attach(self.conferences)
        self.totals.attach(self.conferences)
        await self.conferences.restore(keep=False)
        self.network.port = self.port
        self.time.schedule(0.0, self._drive)
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._stopped:
            await self.conferences.close()
            self.acceptor.close("ended", self.time.now)
            self._stop()
        await self._closing.aclose()

    async def kill(self, data_dir: Path) -> "VirtualInstallation":
        """Stop at once, as by ``kill -9``, and give another one over what the disk held then.

        Args:
            data_dir: a new directory, so that nothing this one still does can reach it.
        """
        self._stop()
        _copy_store(self.data_dir, data_dir)
        width, height = self._size
        return VirtualInstallation(
            data_dir,
            self.network,
            width=width,
            height=height,
            fps=self._fps,
            left_after_s=self._left_after_s,
        )

    def _stop(self) -> None:
        self._stopped = True
        self.network.port = None

    # Time

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.time.run(seconds)

    def run_until(self, reached: Callable[[], bool], within_s: float, step_s: float = 0.1) -> float:
        """Let time pass until something holds; returns how long it took.

        Raises:
            AssertionError: it does not hold in time.
        """
        began = self.time.now
        while not reached():
            assert self.time.now - began < within_s, f"not within {within_s} s"
            self.time.run(step_s)
        return self.time.now - began

    async def settled(self) -> None:
        """Write what waits for the store, as the daemon does all the time."""
        await self.conferences.flush()

    async def while_running(self, work: Coroutine[Any, Any, T], within_s: float = 5.0) -> T:
        """Await something that needs ticks to end."""
        task = asyncio.ensure_future(work)
        for _ in range(round(within_s / 0.05)):
            await asyncio.sleep(0)
            if task.done():
                break
            self.run(0.05)
        await asyncio.sleep(0)
        assert task.done(), f"not within {within_s} s"
        return task.result()

    @contextmanager
    def stalled(self, held: Callable[[bytes, tuple[Any, ...]], None]) -> Iterator[None]:
        """The loop hangs: what is due waits, and datagrams wait in the socket (``held``)."""
        self._stalled = True
        self.network.port = None
        self.network.tap = held
        yield
        self._stalled = False
        self.network.port = self.port
        self.network.tap = None
        self._drive(self.time.now)

    def _drive(self, now: float) -> None:
        """What ``mcu.daemon`` does: run what is due and come again."""
        if self._stopped or self._stalled:
            return
        self.engine.handle_timer(now)
        self.acceptor.handle_timer(now)
        self.live.handle_timer(now)
        self.load.handle_timer(now)
        self.conferences.handle_timer(now)
        assert not self.engine.faults, "a tick failed: see the log"
        due = min(self.engine.next_timer(), self.acceptor.next_timer(now))
        self.time.schedule(max(SHORTEST_TIMER_S, due - now), self._drive)

    def _media_ended(self, media: ConferenceMedia) -> None:
        self.totals.media_ended(media)
        self.live.media_ended(media)

    # The meeting

    async def start(
        self,
        bridges: Sequence[str],
        *,
        chair: str | None = None,
        layout: str = "auto",
        conference: str = "hop",
        drill: bool = False,
    ) -> ConferenceState:
        """Register what is not registered yet, and start a conference of these bridges."""
        with suppress(DuplicateRecord):
            await self.store.units.create(Unit(UNIT, "Tỉnh Khánh Hòa", "province"))
        known = await self.store.bridges.get_many(bridges)
        for bridge in bridges:
            if bridge not in known:
                await self.store.bridges.create(Bridge(bridge, f"Xã {bridge}", UNIT))
        command = StartConference(
            "Họp", UNIT, tuple(bridges), chair, layout, conference, drill=drill
        )
        return await self.conferences.start(command, OPERATOR)

    async def order(self, command: Command, conference: str = "hop") -> None:
        """Carry out an operator's command."""
        await self.conferences.execute(conference, command, OPERATOR)

    def state(self, conference: str = "hop") -> ConferenceState:
        return self.conferences.get(conference)

    def presence(self, conference: str = "hop") -> dict[str, str]:
        return {one.id: one.presence for one in self.state(conference).participants.values()}

    def mix(self, conference: str = "hop") -> ConferenceMedia:
        return self.engine.conferences[conference]

    def reading(self) -> MediaReading:
        return self.totals.media_reading()

    # Rooms

    async def offer(
        self,
        setup: RoomSetup,
        *,
        conference: str = "hop",
        view: str | None = None,
        participant: str | None = None,
        actor: Actor = OPERATOR,
    ) -> VirtualRoom:
        """A room offers and has its answer; it connects as time goes on.

        Args:
            participant: whose leg it is; by default the room's, and nobody's for a viewer.
            actor: whose token opens it.
        """
        attempt = 1 + sum(room.name == setup.name for room in self.rooms)
        room = VirtualRoom(setup, self.network, self._certificate, attempt)
        if setup.kind != "view":
            participant = setup.name
        joined = await self.media.join(
            conference, participant, setup.kind, view, room.peer.offer(), actor
        )
        self.rooms.append(room)
        room.start(joined.answer_sdp, joined.id)
        return room

    async def join(
        self,
        *setups: RoomSetup,
        conference: str = "hop",
        view: str | None = None,
        participant: str | None = None,
        actor: Actor = OPERATOR,
    ) -> list[VirtualRoom]:
        """Rooms join; returns when all are connected."""
        rooms = [
            await self.offer(
                one, conference=conference, view=view, participant=participant, actor=actor
            )
            for one in setups
        ]
        self.run_until(lambda: all(self.is_in(room) for room in rooms), CONNECT_S)
        return rooms

    def is_in(self, room: VirtualRoom) -> bool:
        """Both ends say that it is connected."""
        leg = self.acceptor.legs.get(room.leg_id)
        return room.connected and leg is not None and leg.state == "connected"

    # What is seen

    def slot(self, number: int, layout: str) -> Rect:
        """A slot's place in the picture, without its label and edge."""
        rect = LAYOUTS[layout].pixels(*self._size)[number]
        return Rect(
            rect.x + rect.width // 8 * 2,
            rect.y + rect.height // 10 * 2,
            rect.width // 4 * 2,
            rect.height // 5 * 2,
        )

    def colour(self, room: VirtualRoom, number: int, layout: str) -> Colour:
        """What a room sees in a slot."""
        rect = self.slot(number, layout)
        return room.screen.colour(rect.x, rect.y, rect.width, rect.height)
