"""Calls through a real proxy, Kamailio, that stays in them: all of a call passes it."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mcu.sip.settings import EndpointSettings, SourceLimits
from signalling.sip import AgentSettings, CallAnswered, CallEnded, Event, Listener, MediaAnswered
from tests.peers import baresip, kamailio
from tests.peers.baresip import Baresip
from tests.peers.generator_rooms import GeneratorRooms
from tests.peers.kamailio import Kamailio
from tests.peers.meeting import meeting
from tests.peers.sip_daemon import SipDaemon
from tests.peers.sip_wire import Room, endpoint, port_of
from tests.peers.waiting import until

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(not baresip.is_installed(), reason="baresip is not installed"),
    pytest.mark.skipif(not kamailio.is_installed(), reason="kamailio is not installed"),
]

WEB_HZ, PHONE_HZ = 440, 1_000
HEARD_DB = -40.0
ACCOUNT = "sip:codec@127.0.0.1>;regint=0;answermode=auto"


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_conference_calls_through_the_proxy(tmp_path: Path, transport: str) -> None:
    """Sound both ways, hold and resume by the room, BYE by the room and then by us."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Kamailio(tmp_path / "proxy"))
        daemon = SipDaemon(tmp_path / "data", MCU_SIP__OUTBOUND_PROXY=proxy.uri(transport))
        await stack.enter_async_context(daemon)
        held = await stack.enter_async_context(meeting(daemon, {"web": "Web"}))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        web = await rooms.join(held.id, held.tokens["web"], tone_hz=WEB_HZ, decodes=True)
        phone = Baresip(tmp_path / "phone", ACCOUNT, tone_hz=PHONE_HZ)
        await stack.enter_async_context(phone)
        body = {"address": f"codec@127.0.0.1:{phone.port}", "name": "Bộ Y tế"}
        guest = (await daemon.call("POST", f"{held.path}/participants", body))["id"]
        await held.until_states(**{guest: "connected"})
        await until(lambda: phone.heard_db(WEB_HZ) > HEARD_DB, 0.1)
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)

        await phone.do("hold")
        await until(lambda: web.heard_db(PHONE_HZ) < 10, 0.05)
        await phone.do("resume")
        await until(lambda: web.heard_db(PHONE_HZ) > 40, 0.05)
        await phone.do("hangup")
        await held.until_states(**{guest: "left"})
        theirs = proxy.methods(phone.port)
        assert [one for one in theirs if one != "ACK"] == ["INVITE", "INVITE", "BYE"]

        # Called in again, it is disconnected by the operator.
        await daemon.call("POST", f"{held.path}/participants", body)
        roster = await held.until_roster(lambda found: found[guest]["state"] == "connected")
        before = len(phone.events)
        await daemon.call("DELETE", f"/legs/{roster[guest]['legs'][0]}")
        await phone.until("CALL_CLOSED", after=before)
        ours = [one for one in proxy.passed if one.port != phone.port]
        assert [one.method for one in ours] == ["INVITE", "ACK", "INVITE", "ACK", "BYE"]
        if transport == "tcp":  # an offer with pictures is too large for UDP (18.1.1)
            assert {one.transport.lower() for one in ours} == {"tcp"}
        assert all(one.target.startswith("sip:codec@") for one in ours[:1])
        assert "STRAYED" not in proxy.log


def description(version: int, direction: str) -> bytes:
    lines = (
        "v=0", f"o=- 1 {version} IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
        "m=audio 9 RTP/AVP 0", f"a={direction}", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def count(events: list[Event], kind: type) -> int:
    return sum(isinstance(event, kind) for event in events)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_we_hold_and_resume_through_the_proxy(tmp_path: Path, transport: str) -> None:
    """Offers of ours within a call, and their ACKs, follow the route that it has recorded."""
    room = Room()
    settings = EndpointSettings("127.0.0.1", limits=SourceLimits(messages_per_s=1_000, burst=2_000))
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Kamailio(tmp_path / "proxy"))
        agent = AgentSettings(
            (Listener("udp", "127.0.0.1", 0),), outbound_proxy=proxy.uri(transport)
        )
        found = await stack.enter_async_context(endpoint(settings, agent, room=room))
        phone = await stack.enter_async_context(Baresip(tmp_path / "phone", ACCOUNT))
        call = found.call(
            f"sip:codec@127.0.0.1:{phone.port}",
            description(1, "sendrecv"),
            caller="<sip:hn01@127.0.0.1>",
        )
        await room.until(lambda events: count(events, CallAnswered) or count(events, CallEnded))
        assert count(room.events, CallAnswered), (room.events, proxy.log)
        await phone.until("CALL_ESTABLISHED")
        for version, direction in ((2, "sendonly"), (3, "sendrecv")):
            body = description(version, direction)
            found.do(lambda agent, now, body=body: agent.change_media(call, body, now))
            await room.until(
                lambda events, version=version: count(events, MediaAnswered) == version - 1
            )
        answers = [event.sdp or b"" for event in room.events if isinstance(event, MediaAnswered)]
        assert b"a=recvonly" in answers[0]
        assert b"a=recvonly" not in answers[1]
        found.do(lambda agent, now: agent.hang_up(call, now))
        await phone.until("CALL_CLOSED")
        ours = [one for one in proxy.passed if one.port != phone.port]
        assert [one.method for one in ours] == [*["INVITE", "ACK"] * 3, "BYE"]
        if transport == "udp":
            assert {one.port for one in ours} == {port_of(found, "udp")}
        assert "STRAYED" not in proxy.log
        await room.until(lambda events: count(events, CallEnded) == 1)
