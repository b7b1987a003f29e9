"""SIP over UDP on loopback: both families, and answers from the address that was reached."""

import asyncio
import socket

import pytest
import uvloop

from mcu.sip.counts import TransportCounts
from mcu.sip.settings import EndpointSettings, SourceLimits
from mcu.sip.udp import SipUdp, local_address
from signalling.sip import CallEnded, Hop
from tests.peers.sip_wire import Room, endpoint, options, port_of, udp_peer
from tests.peers.waiting import until

BOTH = EndpointSettings("::", tcp_port=None)


async def test_options_are_answered() -> None:
    async with endpoint() as found, udp_peer() as peer:
        peer.transport.sendto(options(), ("127.0.0.1", port_of(found, "udp")))
        answer, source = await peer.received.get()
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")
        assert f"rport={peer.port}".encode() in answer
        assert source == ("127.0.0.1", port_of(found, "udp"))


@pytest.mark.parametrize("reached", ["127.0.0.1", "127.0.0.2", "127.1.2.3"])
async def test_answers_leave_from_the_address_that_was_reached(reached: str) -> None:
    async with endpoint(BOTH) as found, udp_peer() as peer:
        peer.transport.sendto(options(), (reached, port_of(found, "udp")))
        _, source = await peer.received.get()
        assert source[0] == reached


@pytest.mark.parametrize("host", ["::", "::1"])
async def test_ipv6(host: str) -> None:
    settings = EndpointSettings(host, tcp_port=None)
    async with endpoint(settings) as found, udp_peer("::1") as peer:
        via = "SIP/2.0/UDP [::1]:5999"
        peer.transport.sendto(options(via=via), ("::1", port_of(found, "udp")))
        answer, source = await peer.received.get()
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")
        assert b"received=::1" in answer
        assert source[0] == "::1"


async def test_keep_alives_are_no_messages() -> None:
    async with endpoint() as found, udp_peer() as peer:
        for data in (b"\r\n\r\n", b"\0\0\0\0", b"\r\n", options()):
            peer.transport.sendto(data, ("127.0.0.1", port_of(found, "udp")))
        await peer.received.get()
        assert found.counts.dropped == {"keep-alive": 3}
        assert not found.agent.statistics.refused


async def test_one_source_cannot_send_too_much() -> None:
    limits = SourceLimits(messages_per_s=0.001, burst=5)
    settings = EndpointSettings("127.0.0.1", tcp_port=None, limits=limits)
    async with endpoint(settings) as found, udp_peer() as peer, udp_peer("127.0.0.2") as other:
        for number in range(20):
            peer.transport.sendto(options(number), ("127.0.0.1", port_of(found, "udp")))
        await until(lambda: found.counts.dropped["rate"] == 15)
        other.transport.sendto(options(99), ("127.0.0.1", port_of(found, "udp")))
        await other.received.get()
        for _ in range(5):
            await peer.received.get()
        assert peer.received.empty()
        assert found.agent.statistics.messages["received OPTIONS"] == 6


async def test_what_nobody_takes_is_no_end() -> None:
    """Sending to a port where nobody listens gives ICMP errors; the socket goes on."""
    async with endpoint() as found, udp_peer() as peer:
        async with udp_peer() as gone:
            nobody = gone.hop
        await asyncio.sleep(0)
        for _ in range(3):
            found.do(
                lambda agent, now: agent.ask_options(
                    f"sip:{nobody.host}:{nobody.port}", now, caller="<sip:mcu@127.0.0.1>"
                )
            )
        peer.transport.sendto(options(), ("127.0.0.1", port_of(found, "udp")))
        answer, _ = await peer.received.get()
        assert answer.startswith(b"SIP/2.0 200 OK\r\n")


def test_our_address_on_a_route() -> None:
    assert local_address("127.0.0.1", 5060) == "127.0.0.1"
    assert local_address("::1", 5060) == "::1"


@pytest.mark.parametrize(("listening", "host"), [("127.0.0.1", "127.0.0.1"), ("::", "::1"),
                                                 ("::", "127.0.0.1")])  # fmt: skip
async def test_who_takes_no_datagrams_is_unreachable_at_once(listening: str, host: str) -> None:
    async with udp_peer(host) as peer:
        port = peer.port
    room = Room()
    settings = EndpointSettings(listening, tcp_port=None)
    async with endpoint(settings, room=room) as found:
        literal = f"[{host}]" if ":" in host else host
        target = f"sip:room@{literal}:{port}"
        call = found.call(target, b"v=0", caller="<sip:mcu@127.0.0.1>", hop=Hop("udp", host, port))
        await room.until(lambda events: bool(events))
        (ended,) = room.events
        assert ended == CallEnded(call, "unreachable")
        assert found.counts.dropped["unreachable"] == 1
        assert found.agent.is_idle
        async with udp_peer(host) as other:
            other.transport.sendto(options(), (host, port_of(found, "udp")))
            answer, _ = await other.received.get()
            assert answer.startswith(b"SIP/2.0 200 OK\r\n")


async def test_what_icmp_says_of_one_place_does_not_keep_others_from_hearing() -> None:
    async with udp_peer() as gone:
        nobody = Hop("udp", "127.0.0.1", gone.port)
    told: list[tuple[str, int]] = []
    loop = asyncio.get_running_loop()
    async with udp_peer() as peer:
        sender = SipUdp(
            loop, "127.0.0.1", 0, lambda *_: None, TransportCounts(), lambda *at: told.append(at)
        )
        try:
            for number in range(80):
                assert sender.send(b"nobody", nobody)
                assert sender.send(b"%d" % number, Hop("udp", "127.0.0.1", peer.port))
            for number in range(80):
                data, _ = await peer.received.get()
                assert data == b"%d" % number
            await until(lambda: bool(told))
            assert set(told) == {("127.0.0.1", nobody.port)}
        finally:
            sender.close()


async def test_what_the_kernel_throws_away_is_counted() -> None:
    loop = asyncio.get_running_loop()
    listening = SipUdp(loop, "127.0.0.1", 0, lambda *_: None, TransportCounts())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        assert listening.kernel_drops() == 0
        sent = 0
        while not listening.kernel_drops():  # nobody reads meanwhile
            sender.sendto(bytes(60_000), ("127.0.0.1", listening.port))
            sent += 1
            assert sent < 10_000
    listening.close()
    assert listening.kernel_drops() == 0


def test_errors_are_told_on_the_daemons_loop_and_it_hears_on() -> None:
    """libuv stops to read a socket that has an error."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_what_icmp_says_of_one_place_does_not_keep_others_from_hearing())
        runner.run(test_who_takes_no_datagrams_is_unreachable_at_once("::", "127.0.0.1"))
        runner.run(test_who_takes_no_datagrams_is_unreachable_at_once("::", "::1"))
