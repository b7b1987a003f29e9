"""Floor control of calls: rooms that ask for the presentation by UDP and TCP on loopback."""

import asyncio
import socket
from pathlib import Path

import pytest

from mcu.conference.commands import (
    EndConference,
    NoteJoined,
    StartPresentation,
    StopPresentation,
)
from signalling.bfcp import Message, RequestStatus
from signalling.bfcp.bodies import Hello
from tests.peers.floor_calls import (
    Way,
    floor_offer,
    floor_section,
    over_tcp,
    over_tcp_of_ours,
    over_udp,
    until,
)
from tests.peers.sip_stage import ACTOR, Stage, stage

S = RequestStatus
WAYS = pytest.mark.parametrize("way", [over_udp, over_tcp, over_tcp_of_ours])


def presenter(found: Stage, conference: str) -> str | None:
    return found.conferences.get(conference).presenter


@WAYS
async def test_a_room_asks_and_presents_until_it_gives_it_back(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with way(found, conference) as call:
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            assert call.presents(conference)
            call.bfcp.give_back()
            await until(lambda: presenter(found, conference) is None)
            assert call.bfcp.told == [S.PENDING, S.GRANTED, S.RELEASED]


@WAYS
async def test_who_loses_the_token_is_told(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with way(found, conference) as call:
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            await found.conferences.execute(conference, StopPresentation(), ACTOR)
            await until(lambda: call.bfcp.told[-1] is S.REVOKED)
            assert not call.bfcp.client.has_floor


@WAYS
async def test_a_call_that_ends_gives_it_back(tmp_path: Path, way: Way) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with way(found, conference) as call:
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            call.hang_up()
            await until(lambda: presenter(found, conference) is None)
            await until(lambda: not found.acceptor.legs)


@pytest.mark.parametrize("take_over", [False, True])
async def test_two_rooms_wait_or_take_it(tmp_path: Path, take_over: bool) -> None:
    async with stage(tmp_path, take_over=take_over) as found:
        conference = await found.start()
        async with over_udp(found, conference) as one, over_tcp(found, conference) as other:
            one.bfcp.ask()
            await until(lambda: one.bfcp.client.has_floor)
            other.bfcp.ask()
            if take_over:
                await until(lambda: other.bfcp.client.has_floor)
                assert one.bfcp.told[-1] is S.REVOKED
            else:
                await until(lambda: S.ACCEPTED in other.bfcp.told)
                assert one.bfcp.client.has_floor
                one.bfcp.give_back()
                await until(lambda: other.bfcp.client.has_floor)
            await until(lambda: other.presents(conference))


async def test_who_presents_otherwise_is_shown_by_name(tmp_path: Path) -> None:
    """Before the first room with floor control came, too."""
    async with stage(tmp_path) as found:
        conference = await found.start()
        found.dial(conference)
        await until(lambda: "connected" in found.states(conference).values())
        (guest,) = found.states(conference)
        await found.conferences.execute(conference, StartPresentation(guest), ACTOR)
        label = found.conferences.participant(conference, guest).label
        async with over_udp(found, conference) as call:
            await until(lambda: call.bfcp.others == [label])
            await found.conferences.execute(conference, StopPresentation(), ACTOR)
            await until(lambda: call.bfcp.others == [label, None])


async def test_what_was_asked_before_the_pin_is_decided_after_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start("web", pin="2468")
        found.conferences.note(conference, NoteJoined("web", "leg-web"))
        await found.conferences.execute(conference, StartPresentation("web"), ACTOR)
        async with over_tcp(found, conference, enters=False) as call:
            call.bfcp.ask()
            await until(lambda: call.bfcp.told == [S.PENDING])
            assert call.bfcp.others == [None], "who presents is not told before the PIN"
            await found.conferences.execute(conference, StopPresentation(), ACTOR)

            def pressed() -> int:
                return found.endpoint.agent.statistics.messages["received INFO"]

            for count, key in enumerate("2468", 1):
                found.phone.do(lambda agent, now, key=key: agent.press(call.call, key, now))
                await until(lambda: pressed() >= count)  # noqa: B023
            await until(lambda: call.bfcp.client.has_floor)
            assert presenter(found, conference) in found.states(conference)


async def test_an_ended_conference_leaves_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_udp(found, conference) as call:
            call.bfcp.ask()
            await until(lambda: call.bfcp.client.has_floor)
            await found.conferences.execute(conference, EndConference(), ACTOR)
            await until(lambda: not len(found.calls))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("127.0.0.1", call.section.port))


async def test_tls_is_refused_and_the_call_stands(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        sdp = floor_offer("TCP/TLS/BFCP", 9, "floorctrl:c-only", "setup:active", "connection:new")
        found.dial(conference, sdp)
        await until(lambda: "connected" in found.states(conference).values())
        (leg,) = found.acceptor.legs.values()
        assert floor_section(str(leg.agreed.local).encode()).port == 0
        assert leg.agreed.floor is None
        assert "TCP/TLS/BFCP is not taken" in leg.agreed.refused[0]


async def test_nobody_is_let_in_by_another_number(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conference = await found.start()
        async with over_udp(found, conference) as one, over_tcp(found, conference) as other:
            reader, writer = await asyncio.open_connection("127.0.0.1", other.section.port)
            conference_id = int(other.section.attribute("confid") or "")
            user = int(other.section.attribute("userid") or "") % 65_535 + 1
            writer.write(bytes(Message(conference_id, 1, user, Hello())))
            assert await reader.read() == b""
            writer.close()
            one.bfcp.ask()
            await until(lambda: one.bfcp.client.has_floor)
