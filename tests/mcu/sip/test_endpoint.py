"""The endpoint: turns, failures, lookups, traces; against peers on loopback."""

import asyncio
from collections.abc import Sequence

import pytest

from mcu.sip import inbox
from mcu.sip.lookup import Nowhere, Server
from mcu.sip.settings import EndpointSettings
from signalling.sip import (
    AgentSettings,
    CallAnswered,
    CallEnded,
    DigestVerifier,
    Hop,
    Listener,
    OptionsAnswered,
    Registrar,
    SipError,
    ha1,
)
from tests.peers.sip_wire import (
    ANSWER,
    NoNames,
    Room,
    endpoint,
    options,
    port_of,
    tcp_peer,
    udp_peer,
)
from tests.peers.waiting import until

CALLER = "<sip:mcu@127.0.0.1>"
BOTH = EndpointSettings("::")


class Here(NoNames):
    """Names of this machine: ``both.test`` has a dead server before the living one."""

    def __init__(self, dead: int, living: int) -> None:
        self._servers = {
            "_sip._tcp.both.test": (Server("127.0.0.1", dead), Server("127.0.0.1", living)),
            "_sip._udp.one.test": (Server("127.0.0.1", living),),
        }

    async def servers(self, name: str) -> Sequence[Server]:
        return self._servers.get(name, ())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_a_call_between_two_endpoints(transport: str, host: str) -> None:
    caller, callee = Room(), Room()
    async with endpoint(BOTH, room=caller) as one, endpoint(BOTH, room=callee) as two:
        target = f"sip:hn01@{host}:{port_of(two, transport)};transport={transport}"
        (hop,) = await one.locate(target)
        name = one.call(target, ANSWER, caller=CALLER, hop=hop)
        await caller.until(lambda events: any(isinstance(event, CallAnswered) for event in events))
        call_id = one.agent.call_id(name)
        assert call_id is not None
        one.do(lambda agent, now: agent.hang_up(name, now))
        await callee.until(lambda events: isinstance(events[-1], CallEnded))
        firsts = [f"{one.direction} {one.text.split()[0]}" for one in two.trace.messages(call_id)]
        assert firsts[0] == "received INVITE"
        assert {"sent SIP/2.0", "received ACK", "received BYE"} <= set(firsts)
        assert one.counts.faults == two.counts.faults == 0
        assert one.trace.messages(call_id)[0].text.startswith("INVITE ")
        # Each was told the address that it reached.
        assert f"Contact: <sip:mcu@{host}:" in two.trace.messages(call_id)[0].text


async def test_a_call_is_refused() -> None:
    caller = Room()
    async with endpoint(room=caller) as one, endpoint(room=Room(refuse=486)) as two:
        target = f"sip:hn01@127.0.0.1:{port_of(two, 'udp')}"
        one.call(target, ANSWER, caller=CALLER)
        await caller.until(lambda events: bool(events) and isinstance(events[-1], CallEnded))
        assert caller.events[-1].cause == "busy"  # type: ignore[union-attr]


async def test_a_device_registers_and_is_called_where_it_came_from() -> None:
    verifier = DigestVerifier("mcu", lambda user, kind: ha1(user, "mcu", "secret", kind))
    registrar = Registrar()
    async with endpoint(verifier=verifier, registrar=registrar) as found, udp_peer() as peer:
        to = ("127.0.0.1", port_of(found, "udp"))
        peer.transport.sendto(options().replace(b"OPTIONS", b"REGISTER"), to)
        answer, _ = await peer.received.get()
        assert answer.startswith(b"SIP/2.0 401")
        assert b"WWW-Authenticate: Digest" in answer


async def test_the_next_server_is_tried_where_the_first_is_dead() -> None:
    room = Room()
    async with endpoint() as dead:
        port = port_of(dead, "tcp")
    async with endpoint() as living:
        names = Here(port, port_of(living, "tcp"))
        async with endpoint(names=names, room=room) as found:
            found.do(
                lambda agent, now: agent.ask_options(
                    "sip:both.test;transport=tcp", now, caller=CALLER
                )
            )
            await room.until(lambda events: len(events) == 1)
            (event,) = room.events
            assert isinstance(event, OptionsAnswered)
            assert event.outcome == 200


async def test_a_name_is_looked_up_once_for_messages_that_follow() -> None:
    asked = []

    class Counted(Here):
        async def servers(self, name: str) -> Sequence[Server]:
            asked.append(name)
            return await super().servers(name)

    room = Room()
    async with endpoint() as living:
        names = Counted(0, port_of(living, "udp"))
        async with endpoint(names=names, room=room) as found:
            for _ in range(3):
                found.do(lambda agent, now: agent.ask_options("sip:one.test", now, caller=CALLER))
                await room.until(lambda events: len(events) == 1)
                room.events.clear()
    assert asked == ["_sip._udp.one.test"]


async def test_an_unknown_name_is_unreachable() -> None:
    room = Room()
    async with endpoint(room=room) as found:
        found.call("sip:a@no.test", ANSWER, caller=CALLER)
        await room.until(lambda events: len(events) == 1)
        (event,) = room.events
        assert isinstance(event, CallEnded)
        assert event.cause == "unreachable"
        assert found.counts.unsent == {"lookup": 1}
        with pytest.raises(Nowhere, match=r"no\.test"):
            await found.locate("sip:a@no.test")


async def test_what_is_no_sip_address_is_refused() -> None:
    async with endpoint() as found:
        for target in ("tel:+84", "nonsense"):
            with pytest.raises(SipError):
                await found.locate(target)


async def test_a_located_hop_names_our_address() -> None:
    async with endpoint(BOTH) as found:
        (hop,) = await found.locate("sip:a@127.0.0.1")
        assert hop == Hop("udp", "127.0.0.1", 5060, local="127.0.0.1")
        (hop,) = await found.locate("sip:a@[::1];transport=tcp")
        assert hop == Hop("tcp", "::1", 5060, local="::1")


async def test_through_an_outbound_proxy() -> None:
    async with udp_peer() as proxy:
        agent = AgentSettings(
            (Listener("udp", "127.0.0.1", 0),),
            outbound_proxy=f"sip:127.0.0.1:{proxy.port};lr",
        )
        async with endpoint(agent=agent) as found:
            (hop,) = await found.locate("sip:room@far.test")
            assert hop.port == proxy.port
            found.call("sip:room@far.test", ANSWER, caller=CALLER, hop=hop)
            invite, _ = await proxy.received.get()
            assert invite.startswith(b"INVITE sip:room@far.test SIP/2.0")
            assert f"Route: <sip:127.0.0.1:{proxy.port};lr>".encode() in invite


async def test_a_crowd_waits_and_what_is_too_much_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "MAX_WAITING", 10)
    async with endpoint() as found, udp_peer() as peer:
        # One turn of the loop reads more datagrams than may wait.
        for number in range(30):
            peer.transport.sendto(options(number), ("127.0.0.1", port_of(found, "udp")))
        await until(lambda: found.counts.received["udp"] == 30)
        assert 0 < found.counts.dropped["crowd"] <= 20
        assert found.waiting <= 10


async def test_a_fault_of_the_handler_harms_no_other() -> None:
    class Faulty(Room):
        def __call__(self, event: object, now: float) -> None:
            raise RuntimeError("a defect")

    async with endpoint(room=Faulty()) as found, udp_peer() as peer:
        to = ("127.0.0.1", port_of(found, "udp"))
        found.do(
            lambda agent, now: agent.ask_options(
                f"sip:127.0.0.1:{port_of(found, 'udp')}", now, caller=CALLER
            )
        )
        await until(lambda: found.counts.faults == 1)
        peer.transport.sendto(options(), to)
        answer, _ = await peer.received.get()
        assert answer.startswith(b"SIP/2.0 200")


async def test_a_busy_port_is_told_and_nothing_stays_open() -> None:
    async with endpoint() as first:
        busy = EndpointSettings("127.0.0.1", udp_port=0, tcp_port=port_of(first, "tcp"))
        with pytest.raises(OSError, match="in use"):
            async with endpoint(busy):
                pass


async def test_timers_run() -> None:
    """A peer that does not answer gets the request again."""
    async with endpoint() as found, udp_peer() as peer:
        found.do(
            lambda agent, now: agent.ask_options(f"sip:127.0.0.1:{peer.port}", now, caller=CALLER)
        )
        first, _ = await peer.received.get()
        again, _ = await peer.received.get()
        assert first == again
        assert found.agent.statistics.repetitions["sent"] >= 1


async def test_closing_says_what_is_left_to_say() -> None:
    async with udp_peer() as peer:
        async with endpoint() as found:
            target = f"sip:room@127.0.0.1:{peer.port}"
            name = found.call(target, ANSWER, caller=CALLER)
            invite, _ = await peer.received.get()
            assert invite.startswith(b"INVITE")
            found.do(lambda agent, now: agent.hang_up(name, now))
        await found.close()  # twice is harmless


async def test_a_connection_that_is_gone_fails_its_answers() -> None:
    async with endpoint() as found:
        async with tcp_peer(port_of(found, "tcp")) as peer:
            peer.write(options(via="SIP/2.0/TCP 127.0.0.1:5999"))
            await peer.message()
        await until(lambda: found.connections == 0)
        found.do(
            lambda agent, now: agent.ask_options(
                "sip:127.0.0.1", now, caller=CALLER, hop=Hop("tcp", "127.0.0.1", 5999, 1)
            )
        )
        await until(lambda: found.agent.is_idle)
        assert found.counts.unsent == {"gone": 1}
        await asyncio.sleep(0)
