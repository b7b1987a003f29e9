"""The ways out: over what is open, to an address, to a name that is looked up first."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from mcu.sip.lookup import Nowhere
from mcu.sip.settings import EndpointSettings
from mcu.sip.ways import CHOSEN_S, MAX_CHOSEN, MAX_LOOKUPS, Ways
from signalling.sip import Hop, SendMessage

SETTINGS = EndpointSettings("127.0.0.1", connect_s=5.0, trial_s=1.0)
NAME = Hop("tcp", "sip.example.org")
FIRST, SECOND = Hop("tcp", "192.0.2.1", 5060), Hop("tcp", "192.0.2.2", 5060)
DATAGRAM = Hop("udp", "192.0.2.1", 5060)


@dataclass
class Udp:
    takes: bool = True
    sent: list[tuple[bytes, Hop]] = field(default_factory=list)

    def send(self, data: bytes, hop: Hop) -> bool:
        self.sent.append((data, hop))
        return self.takes


@dataclass
class Streams:
    """Connections that are opened, or fail, when a test says so."""

    open: set[int] = field(default_factory=set)
    sent: list[tuple[bytes, Hop | int]] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    fails: deque[Callable[[str], None]] = field(default_factory=deque)

    def send(self, number: int, data: bytes) -> bool:
        self.sent.append((data, number))
        return number in self.open

    def send_to(self, hop: Hop, data: bytes, failed: Callable[[str], None], wait_s: float) -> None:
        self.sent.append((data, hop))
        self.waits_s.append(wait_s)
        self.fails.append(failed)


@dataclass
class Locator:
    """Knows where names lead, once it is let go on."""

    found: tuple[Hop, ...] = (FIRST, SECOND)
    asked: list[Hop] = field(default_factory=list)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def resolve(self, hop: Hop) -> tuple[Hop, ...]:
        self.asked.append(hop)
        await self.goes_on.wait()
        if not self.found:
            raise Nowhere("lookup", hop.host)
        return self.found


class World:
    def __init__(self, *, udp: bool = True) -> None:
        self.now = 0.0
        self.udp, self.streams, self.locator = Udp(), Streams(), Locator()
        self.failed: list[tuple[Hop, str]] = []
        self.ways = Ways(
            asyncio.get_running_loop(),
            SETTINGS,
            cast("Any", self.udp if udp else None),
            cast("Any", self.streams),
            cast("Any", self.locator),
            clock=lambda: self.now,
            failed=lambda message, cause, detail: self.failed.append((message.hop, cause)),
        )

    def send(self, hop: Hop, data: bytes = b"x", *, is_trial: bool = False) -> None:
        message = cast("SendMessage", Message(hop, is_trial))
        self.ways.send(message, data)

    async def look_up(self) -> None:
        """Let what waits for a name go on."""
        self.locator.goes_on.set()
        for _ in range(5):
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Message:
    """What is read of a ``SendMessage``."""

    hop: Hop
    is_trial: bool = False


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.ways.close()


async def test_a_connection_is_used_while_it_is_there(world: World) -> None:
    world.streams.open = {7}
    world.send(Hop("tcp", "192.0.2.1", 5060, connection=7))
    assert world.failed == []
    gone = Hop("tcp", "192.0.2.1", 5060, connection=8)
    world.send(gone)
    assert world.failed == [(gone, "gone")]
    assert not world.locator.asked


async def test_to_an_address_nothing_is_looked_up(world: World) -> None:
    world.send(DATAGRAM, b"datagram")
    world.send(FIRST, b"stream")
    world.send(FIRST, b"trial", is_trial=True)
    assert world.udp.sent == [(b"datagram", DATAGRAM)]
    assert world.streams.sent == [(b"stream", FIRST), (b"trial", FIRST)]
    assert world.streams.waits_s == [SETTINGS.connect_s, SETTINGS.trial_s]
    world.streams.fails[0]("refused")
    assert world.failed == [(FIRST, "refused")]
    assert not world.locator.asked


async def test_what_the_socket_does_not_take_is_told(world: World) -> None:
    world.udp.takes = False
    world.send(DATAGRAM)
    assert world.failed == [(DATAGRAM, "socket")]


async def test_without_udp_no_datagram_leaves() -> None:
    world = World(udp=False)
    world.send(DATAGRAM)
    assert world.failed == [(DATAGRAM, "socket")]
    await world.ways.close()


async def test_the_next_server_is_tried_where_one_cannot_be_reached(world: World) -> None:
    world.send(NAME, b"INVITE")
    assert not world.streams.sent
    await world.look_up()
    assert world.streams.sent == [(b"INVITE", FIRST)]
    world.streams.fails[0]("refused")
    assert world.streams.sent == [(b"INVITE", FIRST), (b"INVITE", SECOND)]
    assert not world.failed
    # What belongs to the same transaction goes where the first of it went.
    world.send(NAME, b"ACK")
    assert world.streams.sent[-1] == (b"ACK", SECOND)
    world.streams.fails[1]("timeout")
    assert world.failed == [(NAME, "timeout")]
    # Nothing is chosen any more: it is looked up anew.
    world.send(NAME, b"INVITE")
    await world.look_up()
    assert len(world.locator.asked) == 2


async def test_a_choice_holds_for_a_transaction_and_no_longer(world: World) -> None:
    world.locator.found = (DATAGRAM, Hop("udp", "192.0.2.2", 5060))
    name = Hop("udp", "sip.example.org")
    world.send(name, b"1")
    await world.look_up()
    world.now = CHOSEN_S
    world.send(name, b"2")
    assert [hop for _, hop in world.udp.sent] == [DATAGRAM, DATAGRAM]
    world.now = CHOSEN_S + 0.1
    world.send(name, b"3")
    await world.look_up()
    assert len(world.locator.asked) == 2
    # Another port or transport of the same name is another place.
    world.send(Hop("udp", "sip.example.org", 5080), b"4")
    await world.look_up()
    assert len(world.locator.asked) == 3


async def test_a_name_that_leads_nowhere_is_told(world: World) -> None:
    world.locator.found = ()
    world.send(NAME)
    await world.look_up()
    assert world.failed == [(NAME, "lookup")]


async def test_only_so_many_wait_for_names(world: World) -> None:
    for number in range(MAX_LOOKUPS + 1):
        world.send(Hop("udp", f"n{number}.example.org"))
    assert world.failed == [(Hop("udp", f"n{MAX_LOOKUPS}.example.org"), "crowd")]
    world.locator.found = (DATAGRAM,)
    await world.look_up()
    assert len(world.udp.sent) == MAX_LOOKUPS
    world.send(Hop("udp", "another.example.org"))
    await world.look_up()
    assert len(world.udp.sent) == MAX_LOOKUPS + 1


async def test_choices_are_bounded(world: World) -> None:
    world.locator.found = (DATAGRAM,)
    world.locator.goes_on.set()
    for number in range(MAX_CHOSEN + 1):
        world.send(Hop("udp", f"n{number}.example.org"))
        await world.look_up()
    # The first ones were forgotten for the last.
    world.send(Hop("udp", "n0.example.org"))
    await world.look_up()
    assert len(world.locator.asked) == MAX_CHOSEN + 2


async def test_closing_gives_up_what_is_looked_up(world: World) -> None:
    world.send(NAME)
    await asyncio.sleep(0)
    await world.ways.close()
    await world.look_up()
    assert (world.streams.sent, world.failed) == ([], [])
