"""SIP over TCP and TLS on loopback: framing, keep-alives, reuse, limits, certificates."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mcu.sip.certificates import client_context, server_context
from mcu.sip.endpoint import SipEndpoint
from mcu.sip.settings import EndpointSettings, SourceLimits
from signalling.sip import CallEnded, OptionsAnswered
from tests.peers.sip_authority import Authority
from tests.peers.sip_wire import Room, endpoint, options, port_of, tcp_peer, tcp_server, udp_peer
from tests.peers.waiting import until

TCP = EndpointSettings("127.0.0.1", udp_port=None)
VIA = "SIP/2.0/TCP 127.0.0.1:5999"
CALLER = "<sip:mcu@127.0.0.1>"


def ask(found: SipEndpoint, target: str) -> str:
    return found.do(lambda agent, now: agent.ask_options(target, now, caller=CALLER))


async def test_messages_in_one_piece_and_in_many() -> None:
    async with endpoint(TCP) as found, tcp_peer(port_of(found, "tcp")) as peer:
        peer.write(options(1, via=VIA) + options(2, via=VIA))
        assert b"Call-ID: call-1\r\n" in await peer.message()
        assert b"Call-ID: call-2\r\n" in await peer.message()
        for byte in options(3, via=VIA, extra="Content-Type: text/plain\r\n", body="hello"):
            peer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert b"Call-ID: call-3\r\n" in await peer.message()


async def test_a_keep_alive_is_answered() -> None:
    async with endpoint(TCP) as found, tcp_peer(port_of(found, "tcp")) as peer:
        peer.write(b"\r\n\r\n")
        assert await peer.reader.readexactly(2) == b"\r\n"
        peer.write(b"\r\n\r\n" + options(via=VIA))
        assert await peer.reader.readexactly(2) == b"\r\n"
        assert (await peer.message()).startswith(b"SIP/2.0 200")


@pytest.mark.parametrize(
    "lie",
    [
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: many\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n",
        b"x" * 100_000,
    ],
)
async def test_a_stream_that_cannot_be_cut_is_left(lie: bytes) -> None:
    async with endpoint(TCP) as found, tcp_peer(port_of(found, "tcp")) as peer:
        peer.write(lie)
        assert await peer.is_left()
        assert found.counts.dropped["framing"] == 1
        assert found.connections == 0


async def test_a_flood_waits_and_others_do_not() -> None:
    limits = SourceLimits(messages_per_s=1_000.0, burst=5)
    settings = replace(TCP, limits=limits)
    async with endpoint(settings) as found, tcp_peer(port_of(found, "tcp")) as peer:
        peer.write(b"".join(options(number, via=VIA) for number in range(50)))
        answers = [await peer.message() for _ in range(50)]
        assert all(answer.startswith(b"SIP/2.0 200") for answer in answers)
        assert found.counts.delayed > 0


async def test_connections_of_one_source_are_limited() -> None:
    limits = SourceLimits(connections=2)
    async with endpoint(replace(TCP, limits=limits)) as found:
        port = port_of(found, "tcp")
        async with tcp_peer(port) as first, tcp_peer(port) as second, tcp_peer(port) as third:
            assert await third.is_left()
            for peer in (first, second):
                peer.write(options(via=VIA))
                await peer.message()
        await until(lambda: found.connections == 0)
        async with tcp_peer(port) as again:
            again.write(options(via=VIA))
            await again.message()
        assert found.counts.dropped["connections of source"] == 1


async def test_connections_in_all_are_limited() -> None:
    async with endpoint(replace(TCP, max_connections=1)) as found:
        port = port_of(found, "tcp")
        async with tcp_peer(port) as first:
            first.write(options(via=VIA))
            await first.message()
            async with tcp_peer(port) as second:
                assert await second.is_left()
        assert found.counts.dropped["connections"] == 1


@pytest.mark.parametrize(
    ("sent", "later", "cause"),
    [
        (b"", 31.0, "unfinished"),
        (b"OPTIONS sip:a", 31.0, "unfinished"),
        (options(via=VIA), 3_901.0, "idle"),
    ],
)
async def test_the_silent_are_left(sent: bytes, later: float, cause: str) -> None:
    now = [0.0]
    async with (
        endpoint(TCP, clock=lambda: now[0]) as found,
        tcp_peer(port_of(found, "tcp")) as peer,
    ):
        peer.write(sent)
        if cause == "idle":
            await peer.message()
        await until(lambda: found.connections == 1)
        found.sweep()
        assert found.connections == 1
        now[0] = later
        found.sweep()
        assert await peer.is_left()
        assert found.counts.dropped[cause] == 1


async def test_one_connection_serves_all_requests_and_its_answers() -> None:
    room = Room()
    async with tcp_server() as (port, peers), endpoint(TCP, room=room) as found:
        for _ in range(3):
            ask(found, f"sip:127.0.0.1:{port};transport=tcp")
        peer = await peers.get()
        requests = [await peer.message() for _ in range(3)]
        assert peers.empty()
        assert found.counts.opened == {"out tcp": 1}
        for request in requests:
            peer.write(_answered(request))
        await room.until(lambda events: len(events) == 3)
        assert {event.outcome for event in room.events if isinstance(event, OptionsAnswered)} == {
            200
        }


def _answered(request: bytes) -> bytes:
    lines = request.decode().split("\r\n")
    kept = [
        line for line in lines if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")
    ]
    return "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode()


async def test_nobody_there() -> None:
    room = Room()
    async with tcp_server() as (port, _):
        pass
    async with endpoint(TCP, room=room) as found:
        ask(found, f"sip:127.0.0.1:{port};transport=tcp")
        await room.until(lambda events: len(events) == 1)
        (event,) = room.events
        assert isinstance(event, OptionsAnswered)
        assert event.outcome == "transport error"
        assert found.counts.unsent == {"connection": 1}
        assert found.agent.is_idle


async def test_a_long_call_falls_back_to_udp() -> None:
    settings = EndpointSettings("127.0.0.1")
    offer = b"v=0\r\n" + b"a=x:" + b"0" * 1_400 + b"\r\n"
    async with endpoint(settings) as found, udp_peer() as peer:
        found.do(
            lambda agent, now: agent.call(
                f"sip:room@127.0.0.1:{peer.port}", offer, now, caller=CALLER
            )
        )
        invite, _ = await peer.received.get()
        assert invite.startswith(b"INVITE ")
        assert b"Via: SIP/2.0/UDP" in invite
        assert found.counts.unsent == {"connection": 1}


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    return Authority(tmp_path_factory.mktemp("authority"))


def tls_settings(authority: Authority, clients: str = "none") -> EndpointSettings:
    certificate, key = authority.issue("mcu", "DNS:mcu.example.org", "IP:127.0.0.1")
    return EndpointSettings(
        "127.0.0.1",
        udp_port=None,
        tcp_port=None,
        tls_port=0,
        server_tls=server_context(
            certificate,
            key,
            authorities=authority.certificate,
            clients=clients,  # type: ignore[arg-type]
        ),
        client_tls=client_context(certificate, key, authorities=authority.certificate),
    )


def peer_context(authority: Authority, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.certificate)
    if own is not None:
        context.load_cert_chain(*own)
    return context


async def test_options_over_tls(authority: Authority) -> None:
    async with (
        endpoint(tls_settings(authority)) as found,
        tcp_peer(
            port_of(found, "tls"), ssl=peer_context(authority), server_hostname="mcu.example.org"
        ) as peer,
    ):
        peer.write(options(via="SIP/2.0/TLS 127.0.0.1:5999"))
        assert (await peer.message()).startswith(b"SIP/2.0 200")
        assert found.counts.opened == {"in tls": 1}


async def test_a_certificate_of_the_client_is_demanded(authority: Authority) -> None:
    settings = tls_settings(authority, "required")
    own = authority.issue("room", "DNS:room.example.org")
    async with endpoint(settings) as found:
        port = port_of(found, "tls")
        how = {"server_hostname": "mcu.example.org"}
        async with tcp_peer(port, ssl=peer_context(authority, own), **how) as peer:
            peer.write(options(via="SIP/2.0/TLS 127.0.0.1:5999"))
            assert (await peer.message()).startswith(b"SIP/2.0 200")
        async with tcp_peer(port, ssl=peer_context(authority), **how) as stranger:
            stranger.write(options(via="SIP/2.0/TLS 127.0.0.1:5999"))
            with pytest.raises((EOFError, ConnectionError, ssl.SSLError)):
                await stranger.message()
        await until(lambda: found.connections == 0)
        assert found.counts.dropped["handshake"] == 1


async def test_who_agrees_on_no_tls_holds_no_place(authority: Authority) -> None:
    settings = replace(tls_settings(authority), connect_s=0.1)
    async with endpoint(settings) as found, tcp_peer(port_of(found, "tls")) as silent:
        assert await silent.is_left()
        async with tcp_peer(port_of(found, "tls")) as plain:
            plain.write(options(via=VIA))
            await plain.reader.read()  # perhaps an alert, then the end
        await until(lambda: found.counts.dropped["handshake"] == 2)
        await until(lambda: found.connections == 0)


@pytest.mark.parametrize(
    ("names", "outcome"),
    [
        (("IP:127.0.0.1",), None),
        (("DNS:localhost",), "certificate"),
        (("IP:127.0.0.2",), "certificate"),
    ],
)
async def test_the_name_of_a_server_is_checked(
    authority: Authority, names: tuple[str, ...], outcome: str | None
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("far", *names))
    room = Room()
    async with (
        tcp_server(ssl=context) as (port, peers),
        endpoint(tls_settings(authority), room=room) as found,
    ):
        ask(found, f"sip:127.0.0.1:{port};transport=tls")
        if outcome is None:
            peer = await peers.get()
            peer.write(_answered(await peer.message()))
        await room.until(lambda events: len(events) == 1)
        (event,) = room.events
        assert isinstance(event, OptionsAnswered)
        assert event.outcome == (200 if outcome is None else "transport error")
        assert found.counts.unsent == ({} if outcome is None else {outcome: 1})


async def test_an_unknown_authority_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(tmp_path).issue("far", "IP:127.0.0.1"))
    room = Room()
    async with (
        tcp_server(ssl=context) as (port, _),
        endpoint(tls_settings(authority), room=room) as found,
    ):
        found.do(
            lambda agent, now: agent.call(
                f"sips:room@127.0.0.1:{port}", b"v=0\r\n", now, caller=CALLER
            )
        )
        await room.until(lambda events: len(events) == 1)
        (event,) = room.events
        assert isinstance(event, CallEnded)
        assert event.cause == "unreachable"
        assert found.counts.unsent == {"certificate": 1}
