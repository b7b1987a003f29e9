"""Calls of a conference server on loopback: everything of SIP is real, the mixers are not.

Opposite stands a telephone: an endpoint whose ``Room`` answers with a description.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from config.sip_section import SipSettings
from mcu.api.services import NoCapacity
from mcu.conference.commands import StartConference
from mcu.conference.service import Actor, Conferences
from mcu.engine.plan import MediaPlan
from mcu.engine.pool import InlinePool
from mcu.legs.leg import Leg
from mcu.legs.sip_acceptor import SipAcceptor
from mcu.media.port_pairs import PortPairs
from mcu.media.ports import UdpPorts
from mcu.media.rendition import FanOut
from mcu.rooms.rooms import Rooms
from mcu.sip.accounts import CallTarget
from mcu.sip.calls import SipCalls
from mcu.sip.conversation import CallContext
from mcu.sip.dial_plan import DialPlan
from mcu.sip.endpoint import SipEndpoint
from mcu.sip.floors import Floors
from mcu.sip.foyer import Foyer
from mcu.sip.lookup import Names
from mcu.sip.media_ends import MediaEnds
from mcu.sip.pin_sounds import make_sounds
from mcu.sip.settings import EndpointSettings
from mcu.sip.watchers import RosterWatchers
from mcu.store.errors import UnknownRecord
from mcu.store.records import Bridge, Unit
from mcu.store.store import Store
from signalling.sip import BindingsChanged, CallId, Credentials
from signalling.webrtc.dtls import DtlsCertificate
from tests.peers.sip_wire import FILLED_IN, Room, port_of

ACTOR = Actor("t", "operator")
CALLER = '"Phòng họp" <sip:guest@127.0.0.1>'
CERTIFICATE = DtlsCertificate.generate()


def description(port: int = 40_000, *lines: str) -> bytes:
    """A phone with PCMA, at a port where nobody listens."""
    text = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
        f"m=audio {port} RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000", *lines, "",
    ]  # fmt: skip
    return "\r\n".join(text).encode()


class Media:
    """Stands for the media of one conference: knows its legs."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.waiting: set[str] = set()
        self.plan = MediaPlan()

    def apply_plan(self, plan: MediaPlan, now: float) -> None:
        self.plan = plan

    def add_leg(self, leg: Leg, now: float, view: str | None) -> None:
        self.legs[leg.id] = leg

    def play_to(self, participant: str, sound: object) -> Callable[[], None]:
        self.waiting.add(participant)
        return lambda: self.waiting.discard(participant)

    def remove_leg(self, leg: Leg) -> None:
        self.legs.pop(leg.id, None)

    def leg_renegotiated(self, leg: Leg, now: float) -> None: ...

    def close(self) -> None: ...


class Engine:
    """Stands for the engine."""

    def __init__(self) -> None:
        self.conferences: dict[str, Media] = {}

    def start_conference(self, conference: str) -> Media:
        return self.conferences.setdefault(conference, Media())

    def remove_conference(self, conference: str) -> Media | None:
        return self.conferences.pop(conference, None)


class Load:
    """Lets everybody in until ``full``."""

    def __init__(self) -> None:
        self.full = False

    def admit(self, standing: int, now: float) -> None:
        if self.full:
            raise NoCapacity("full", 7)


@dataclass
class WebLegs:
    """There are none."""

    legs: dict[str, Leg] = field(default_factory=dict)


class Directory:
    """Where rooms are, as a test says."""

    def __init__(self) -> None:
        self.targets: dict[str, tuple[CallTarget, ...]] = {}

    async def call_targets(self, bridge: str) -> tuple[CallTarget, ...] | None:
        if bridge == "gone":
            raise UnknownRecord("bridge", bridge)
        return self.targets.get(bridge, None if bridge == "web" else ())

    async def credentials(self, bridge: str) -> Credentials | None:
        return None


@dataclass
class Stage:
    """A server, and a telephone that can call it and be called."""

    store: Store
    conferences: Conferences
    engine: Engine
    load: Load
    directory: Directory
    acceptor: SipAcceptor
    calls: SipCalls
    endpoint: SipEndpoint
    phone: SipEndpoint
    room: Room
    registrations: list[BindingsChanged]
    rooms: Rooms

    async def start(self, *bridges: str, **more: Any) -> str:
        """A conference; its id."""
        unit = more.pop("unit", "tinh")
        state = await self.conferences.start(StartConference("Họp", unit, bridges, **more), ACTOR)
        return state.id

    def states(self, conference: str) -> dict[str, str]:
        """Who stands how."""
        state = self.conferences.get(conference)
        return {who.id: who.presence for who in state.participants.values()}

    def dial(self, user: str, sdp: bytes | None = None, *, late: bool = False) -> CallId:
        """Call the server from the telephone."""
        target = f"sip:{user}@127.0.0.1:{port_of(self.endpoint, 'udp')}"
        return self.phone.call(target, None if late else sdp or description(), caller=CALLER)

    def telephone(self, user: str = "room") -> CallTarget:
        """Where the telephone is called."""
        return CallTarget(f"sip:{user}@127.0.0.1:{port_of(self.phone, 'udp')}", None)

    def free_ports(self) -> int:
        """Sockets that legs hold."""
        return len(self.acceptor.legs)


@asynccontextmanager
async def stage(
    tmp_path: Path,
    room: Room | None = None,
    *,
    lost_for_s: float = 30.0,
    take_over: bool = False,
    names: Names | None = None,
    **sip: Any,
) -> AsyncIterator[Stage]:
    """A stage with the bridges b1 and b2 of kind sip and web of kind webrtc."""
    loop = asyncio.get_running_loop()
    room = room or Room(answer=description())
    settings = SipSettings(host="127.0.0.1", **{"guests": "allowed", "plain_rtp": "allowed", **sip})
    async with AsyncExitStack() as stack:
        store = await Store.open(tmp_path / "data" / "mcu.sqlite3")
        stack.push_async_callback(store.close)
        await store.units.create(Unit("tinh", "Tỉnh", "province"))
        for bridge in ("b1", "b2", "gone"):
            await store.bridges.create(Bridge(bridge, f"Phòng {bridge}", "tinh", "sip"))
        await store.bridges.create(Bridge("web", "Web", "tinh"))
        base = random.randrange(10_000, 15_000) * 2
        ports = UdpPorts(loop, PortPairs(base, base + 400, "127.0.0.1"))
        stack.callback(ports.close)
        acceptor = SipAcceptor(ports=ports, certificate=CERTIFICATE, clock=loop.time)
        engine, load, directory = Engine(), Load(), Directory()
        rooms = Rooms(
            cast("Any", engine),
            cast("Any", WebLegs()),
            clock=loop.time,
            load=cast("Any", load),
            calls=acceptor.legs,
        )
        conferences = Conferences(store, rooms)
        rooms.attach(conferences)
        await conferences.restore()
        registrations: list[BindingsChanged] = []

        calls = SipCalls(
            conferences,
            DialPlan(settings, conferences),
            directory,
            bindings_changed=registrations.append,
            no_answer_s=30.0,
            redial_s=(0.02, 0.04),
            room_transfers=settings.room_transfers,
        )
        endpoint = SipEndpoint(
            EndpointSettings("127.0.0.1"),
            FILLED_IN,
            calls,
            watchers=RosterWatchers(conferences, calls.of),
            names=names,
            clock=loop.time,
        )
        floors = Floors(conferences, ports, clock=loop.time, take_over=take_over)
        floors.open()
        foyer = Foyer(
            make_sounds(),
            FanOut(
                lambda delay_s, run: loop.call_later(delay_s, lambda: run(loop.time())) and None
            ),
            InlinePool(),
        )
        calls.attach(
            CallContext(
                endpoint=endpoint,
                acceptor=acceptor,
                rooms=rooms,
                ends=MediaEnds(
                    fingerprint=CERTIFICATE.fingerprint,
                    cname="cname",
                    bitrate_bps=1_000_000,
                    own=("127.0.0.1",),
                    plain_rtp=settings.plain_rtp,
                ),
                clock=loop.time,
                floors=floors,
                foyer=foyer,
                lost_for_s=lost_for_s,
            )
        )
        phone = SipEndpoint(EndpointSettings("127.0.0.1"), FILLED_IN, room, clock=loop.time)
        room.endpoint = phone
        for one in (endpoint, phone):
            stack.push_async_callback(one.close)
            await one.open()
        stack.push_async_callback(calls.close)
        stack.push_async_callback(conferences.close)
        calls.open()
        ticking = loop.create_task(_tick(acceptor, loop))
        stack.callback(ticking.cancel)
        yield Stage(
            store,
            conferences,
            engine,
            load,
            directory,
            acceptor,
            calls,
            endpoint,
            phone,
            room,
            registrations,
            rooms,
        )
    for leg in tuple(acceptor.legs.values()):
        leg.close("ended", loop.time())


async def _tick(acceptor: SipAcceptor, loop: asyncio.AbstractEventLoop) -> None:
    while True:
        acceptor.handle_timer(loop.time())
        await asyncio.sleep(0.005)
