"""The benchmark of SIP: what its figures say, and that its rooms and its peer are what they say."""

import asyncio
import socket
from typing import Any

import pytest

from bench.figures import VoidRunError
from bench.sip import (
    SHORT,
    Size,
    call_figures,
    cost_figures,
    crowd_figures,
    end_figures,
    socket_figure,
)
from bench.sip_agent import Cost, calls, registrations
from bench.sip_load import Outcome, outcome
from bench.sip_rooms import SETTINGS, SPEAKERS, Rooms, address_of, answer_to, speech
from signalling.sip import CallAnswered
from tests.peers.sip_wire import Room, endpoint
from tests.peers.waiting import until

SCREEN = """
  Successful call        |        {0}                  |       {1}
-------------------------+---------------------------+--------------------------
  Failed call            |        0                  |        {2}
"""
OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 9 8\r\nm=video 5002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"
)


def test_the_agent_alone_is_measured() -> None:
    for cost in (calls(3), registrations(3)):
        assert cost.count == 3
        assert cost.seconds > 0
    (slow,) = cost_figures("calls", Cost(10, 1.0))
    (quick,) = cost_figures("calls", Cost(1_000, 0.5))
    assert (slow.holds, quick.holds, quick.value) == (False, True, 2_000)


def test_the_last_screen_of_sipp_counts() -> None:
    screen = SCREEN.format(1, 5, 0) + SCREEN.format(0, 20, 2)
    assert outcome(screen, 2.0) == Outcome(20, 2, 2.0)
    with pytest.raises(VoidRunError, match="did not run: no such"):
        outcome("no such scenario", 1.0)


def test_a_load_with_failures_proves_nothing() -> None:
    assert socket_figure("calls", Outcome(1_000, 0, 2.0), 1.0).value == 500
    with pytest.raises(VoidRunError, match="3 of 1003 calls failed"):
        socket_figure("calls", Outcome(1_000, 3, 2.0), 1.0)


def found(**values: Any) -> dict[str, Any]:
    return {
        "server_cores": 0.2, "ticks_missed": 0, "ticks_late_percent": 0.5,
        "tick_lateness_ms_p99": 3.0, "audio_gap_ms_max": 30.0,
    } | values  # fmt: skip


def holds(size: Size, made: Outcome, **values: Any) -> dict[str, bool | None]:
    figures = call_figures(size, found(), found(**values), made)
    return {one.name.partition(" with ")[0]: one.holds for one in figures}


def test_what_calls_do_to_a_meeting_is_told() -> None:
    well = holds(Size(), Outcome(1_200, 0, 60.0))
    assert False not in well.values()
    assert holds(SHORT, Outcome(60, 0, 3.0))["lateness of ticks"] is None
    late = holds(Size(), Outcome(1_200, 0, 60.0), tick_lateness_ms_p99=6.0)
    assert late["lateness of ticks"] is False
    assert holds(Size(), Outcome(1_200, 0, 60.0), ticks_missed=1)["ticks of sound missed"] is False
    failed = holds(Size(), Outcome(1_199, 1, 60.0))
    assert failed["calls that failed of 1200 beside the meeting"] is False


def test_what_calling_all_does_is_told() -> None:
    joined = {"joined_s": 3.0, "answered_s": 2.0, "heard_s": 2.5, "calls": 145}
    well = crowd_figures(Size(), found(), found(), joined)
    assert all(one.holds for one in well)
    again = crowd_figures(Size(), found(), found(), joined | {"calls": 146, "joined_s": 11.0})
    assert [one.holds for one in again] == [False, False, True, True]


def test_what_the_end_of_all_does_is_told() -> None:
    well = end_figures("ended", found(), found(), {"answered_s": 0.4, "over_s": 0.5})
    assert all(one.holds for one in well)
    assert well[0].against == "answered after 0.40 s"
    late = end_figures("ended", found(), found(ticks_missed=2), {"over_s": 11.0})
    assert [one.holds for one in late] == [False, False, True]


def test_an_answer_takes_the_first_sound_alone() -> None:
    answer, target = answer_to(OFFER.format(port=5_000).encode(), "127.0.1.1", 7_000)
    assert target == ("127.0.0.1", 5_000)
    assert b"\r\nm=audio 7000 RTP/AVP 8\r\n" in answer
    assert b"\r\nm=video 0 RTP/AVP 97\r\n" in answer
    with pytest.raises(ValueError, match="no sound"):
        answer_to(b"v=0\r\no=- 1 1 IN IP4 a\r\ns=-\r\nt=0 0\r\n", "127.0.1.1", 7_000)
    assert len(set(speech())) > 10


def test_rooms_have_addresses_of_their_own() -> None:
    addresses = [address_of(room) for room in range(600)]
    assert len(set(addresses)) == 600
    assert {one.split(".")[3] for one in addresses}.isdisjoint({"0", "255"})


async def test_rooms_hang_up_at_once() -> None:
    rooms = Rooms.opened(3)
    heard = Room()
    async with endpoint(SETTINGS, room=rooms) as waiting, endpoint(room=heard) as phone:  # type: ignore[arg-type]
        rooms.endpoint = waiting
        for number in range(3):
            target = f"sip:room{number}@{address_of(number)}:{waiting.listeners[0].port}"
            offer = OFFER.format(port=9).encode()
            phone.call(target, offer, caller="<sip:mcu@127.0.0.1>")
        await until(lambda: sum(isinstance(one, CallAnswered) for one in heard.events) == 3)
        rooms.hang_up()
        await until(lambda: rooms.ended == 3)
        assert rooms.figures()["last_ended_at"] > 0
        assert all(room.target is None for room in rooms.rooms)
    for room in rooms.rooms:
        room.sock.close()


async def test_rooms_answer_send_and_hear() -> None:
    rooms = Rooms.opened(2)
    assert rooms.rooms[0].payload != bytes([0xD5]) * 160
    assert SPEAKERS >= 2
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.bind(("127.0.0.1", 0))
        ours.setblocking(False)
        async with endpoint(SETTINGS, room=rooms) as waiting, endpoint() as phone:  # type: ignore[arg-type]
            rooms.endpoint = waiting
            offer = OFFER.format(port=ours.getsockname()[1]).encode()
            target = f"sip:room1@{address_of(1)}:{waiting.listeners[0].port}"
            call = phone.call(target, offer, caller="<sip:mcu@127.0.0.1>")
            sending = asyncio.create_task(rooms.send())
            packet, source = await loop.sock_recvfrom(ours, 2_000)
            assert len(packet) == 172
            assert source == (address_of(1), rooms.rooms[1].port)
            ours.sendto(packet, source)
            await until(lambda: rooms.figures()["heard"] == 1)
            phone.do(lambda agent, now: agent.hang_up(call, now))
            await until(lambda: rooms.ended == 1)
            sending.cancel()
        assert rooms.figures()["answered"] == rooms.figures()["calls"] == 1
    for room in rooms.rooms:
        room.sock.close()
