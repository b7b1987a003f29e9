"""What strangers may send to the SIP ports of the daemon: refused and counted, the others unharmed.

Each stranger has an address of its own on loopback, as limits are by source. Afterwards a phone of
another address registers and calls, every time.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.peers import sipp
from tests.peers.meeting import Meeting, meeting
from tests.peers.sip_daemon import SipDaemon
from tests.peers.sip_wire import UdpPeer, of_call, options, tcp_peer, udp_peer
from tests.peers.waiting import until_read
from tests.signalling.sip.torture import message, names

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not sipp.is_installed(), reason="SIPp is not installed"),
]

PHONE = "phong-yen"
FLOOD, FLOOD_AT_ONCE, FLOOD_PAUSE_S = 3_000, 10, 0.005
MEMORY_BAR_BYTES = 40 << 20
"""What a flood may leave: calls and transactions under way, not messages."""

OVER_TCP = "SIP/2.0/TCP 127.0.0.1:5999"

_strangers = itertools.count(2)
_numbers = itertools.count(1_000_000)


def stranger() -> str:
    """An address that nobody has used yet."""
    return f"127.0.0.{next(_strangers)}"


def asked(via: str = "SIP/2.0/UDP 127.0.0.1:5999") -> tuple[bytes, bytes]:
    """A request that is answered 200, and its Call-ID; no two are of one transaction."""
    number = next(_numbers)
    return options(number, via=via), f"call-{number}".encode()


@dataclass(frozen=True)
class Mark:
    """A counter at some time."""

    daemon: SipDaemon
    name: str
    labels: dict[str, str]
    before: float

    async def grows(self, least: float) -> None:
        """Wait until it has grown by so much since."""
        await until_read(
            lambda: self.daemon.counted(self.name, **self.labels),
            lambda now: now >= self.before + least,
        )


@dataclass
class Site:
    """The daemon, a conference, and a phone that must not notice anything."""

    daemon: SipDaemon
    held: Meeting
    secret: str
    directory: Path

    async def phone_works(self) -> None:
        """It registers, calls, is answered and hangs up."""
        directory = self.directory / str(next(_strangers))
        signs_in = {"au": PHONE, "ap": self.secret}
        user = {"user": PHONE}
        port = self.daemon.sip
        await sipp.run(directory / "r", "register", port, options=signs_in, keys=user)
        calls = signs_in | {"s": self.held.id, "auth_uri": f"{self.held.id}@{port}"}
        await sipp.run(directory / "c", "invite-digest", port, options=calls, keys=user)

    async def is_unharmed(self) -> None:
        """No message met a defect, none waits, and the phone works."""
        await until_read(lambda: self.daemon.counted("waiting"), lambda now: now == 0)
        assert await self.daemon.counted("faults_total") == 0
        await self.phone_works()

    async def mark(self, name: str, **labels: str) -> "Mark":
        """A counter as it is now."""
        return Mark(self.daemon, name, labels, await self.daemon.counted(name, **labels))

    def memory(self) -> int:
        """Bytes of the daemon's own process."""
        return int(psutil.Process(self.daemon.pid).memory_info().rss)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("bad")
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(SipDaemon(directory / "data"))
        held = await stack.enter_async_context(meeting(daemon, {}, pin="2468"))
        # Not on the roster, or the conference would call it too; it may try a PIN.
        body = {"id": PHONE, "name": PHONE, "unit": held.unit, "kind": "sip"}
        await daemon.call("POST", "/bridges", body)
        account = await daemon.call("POST", f"/bridges/{PHONE}/sip-secret", {})
        yield Site(daemon, held, str(account["secret"]), directory)


@asynccontextmanager
async def sender(site: Site) -> AsyncIterator[Callable[[bytes], None]]:
    """Sends datagrams from an address of its own."""
    async with udp_peer(stranger()) as peer:
        yield lambda data: peer.transport.sendto(data, ("127.0.0.1", site.daemon.sip_port))


async def code_of(peer: UdpPeer, call: bytes = b"") -> int:
    """The status of the next answer that is final; of one call where others may be repeated."""
    while True:
        data, _ = await peer.received.get()
        code = int(data.split(b" ")[1])
        if code >= 200 and b"Call-ID: " + call in data:
            return code


# Datagrams


async def test_datagrams_cut_short_and_of_any_bytes(site: Site) -> None:
    generator = random.Random(3)
    whole = options(1)
    refused = await site.mark("messages_total", direction="sent", what="4xx")
    async with sender(site) as send:
        for at in range(1, len(whole), 5):
            send(whole[:at])
        for size in (0, 1, 3, 100, 1_400, 60_000):
            send(generator.randbytes(size))
            send(bytes(size))
        send(b"SIP/2.0 200 OK\r\n" * 500)
    async with sender(site) as send:
        for name in names("rfc4475"):
            send(message("rfc4475", name))
    await refused.grows(5)
    await site.is_unharmed()


def described(body: str, content_type: str = "application/sdp", fields: str = "") -> bytes:
    """An INVITE with a body of any kind."""
    number = next(_numbers)
    found = of_call("INVITE", "1001", transport="UDP", number=number, body=body, fields=fields)
    return found.replace(b"application/sdp", content_type.encode())


def nested_mime(depth: int) -> str:
    """Parts within parts, none of them ended."""
    return "".join(
        f"--b{level}\r\nContent-Type: multipart/mixed; boundary=b{level + 1}\r\n\r\n"
        for level in range(depth)
    )


SECTIONS = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + (
    "m=audio 9000 RTP/AVP 0 8\r\n" * 1_000
)
# Final answers that are right; none where a message is beyond the limits of what can be answered.
BAD: dict[str, tuple[bytes, set[int]]] = {
    "too many fields": (options(2, extra="X-Flood: 1\r\n" * 1_500), set()),
    "fields without end": (options(20, extra="X-Flood: 1\r\n" * 5_000), set()),
    "a field too long": (options(3, extra=f"X-Long: {'a' * 9_000}\r\n"), {400, 513}),
    "too many Via": (
        options(4, extra="Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n" * 190), {513},
    ),
    "Content-Length too long": (options(5).replace(b"Length: 0", b"Length: 70000"), {400}),
    "Content-Length negative": (options(6).replace(b"Length: 0", b"Length: -1"), {400}),
    "Content-Length no number": (options(7).replace(b"Length: 0", b"Length: many"), {400}),
    "Content-Length twice": (options(8, extra="Content-Length: 5\r\n"), {400}),
    "Max-Forwards a flood": (options(9).replace(b": 70", b": " + b"9" * 400), {200, 400}),
    "1000 sections": (described(SECTIONS), {400, 413, 488, 513}),
    "MIME in MIME": (described(nested_mime(300), "multipart/mixed; boundary=b0"), {415}),
    "another charset": (
        described("v=0\r\n", "application/sdp; charset=utf-16").replace(b"v=0", b"\xff\xfev"),
        {400, 415, 488},
    ),
    "compressed": (described("x" * 400, fields="Content-Encoding: gzip\r\n"), {415}),
    "no sdp at all": (described("\x00\x01\x02" * 200), {400, 488}),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_a_message_of_no_use_is_answered_so(site: Site, name: str) -> None:
    data, codes = BAD[name]
    data = data.replace(b"sip:1001@", f"sip:{site.held.id}@".encode())
    refused = await site.mark("refused_total", reason="message")
    async with udp_peer(stranger()) as peer:
        to = ("127.0.0.1", site.daemon.sip_port)
        peer.transport.sendto(data, to)
        if codes:
            assert await code_of(peer) in codes
        else:
            await refused.grows(1)
        # The next one of the same stranger is read.
        request, call = asked()
        peer.transport.sendto(request, to)
        assert await code_of(peer, call) == 200
    assert await site.daemon.counted("faults_total") == 0


async def test_characters_of_an_old_device(site: Site) -> None:
    """Latin-1 is no UTF-8, but old devices write their names so: they are taken."""
    data = asked()[0].replace(b"<sip:peer@", b'"Ph\xf2ng" <sip:peer@')
    async with udp_peer(stranger()) as peer:
        peer.transport.sendto(data, ("127.0.0.1", site.daemon.sip_port))
        assert await code_of(peer) == 200
    await site.is_unharmed()


# Streams


LIES = {
    "too short": options(1, body="x" * 40 + "\r\n\r\n").replace(b"Length: 44", b"Length: 10"),
    "too long": options(1).replace(b"Length: 0", b"Length: 99999999"),
    "negative": options(1).replace(b"Length: 0", b"Length: -5"),
    "no number": options(1).replace(b"Length: 0", b"Length: zero"),
    "twice": options(1, extra="l: 20\r\n"),
    "none": options(1).replace(b"Content-Length: 0\r\n", b""),
    "fields without end": b"OPTIONS sip:a@b SIP/2.0\r\n" + b"X-Flood: 1\r\n" * 3_000,
    "no SIP": b"GET / HTTP/1.1\r\nHost: mcu\r\n\r\n" * 3,
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_stream_that_cannot_be_cut_is_left(site: Site, lie: str) -> None:
    dropped = await site.mark("dropped_total", cause="framing")
    async with tcp_peer(site.daemon.sip_port, local_addr=(stranger(), 0)) as peer:
        peer.write(LIES[lie])
        with suppress(ConnectionError):
            while await peer.reader.read(65_536):
                pass
        await dropped.grows(1)
    async with tcp_peer(site.daemon.sip_port, local_addr=(stranger(), 0)) as peer:
        peer.write(asked(OVER_TCP)[0])
        assert (await peer.message()).startswith(b"SIP/2.0 200")


async def test_messages_in_crumbs_and_heaps(site: Site) -> None:
    """However a stream is cut on its way, its messages are the same."""
    one = asked(OVER_TCP)[0]
    heap = b"".join(asked(OVER_TCP)[0] for _ in range(20))
    async with tcp_peer(site.daemon.sip_port, local_addr=(stranger(), 0)) as peer:
        for at in range(0, len(one), 7):
            peer.write(one[at : at + 7])
            await asyncio.sleep(0)
        peer.write(heap)
        for _ in range(21):
            assert (await peer.message()).startswith(b"SIP/2.0 200")


async def test_one_source_opens_only_so_many_connections(site: Site) -> None:
    refused = await site.mark("dropped_total", cause="connections of source")
    source = stranger()
    async with AsyncExitStack() as stack:
        for _ in range(30):
            peer = tcp_peer(site.daemon.sip_port, local_addr=(source, 0))
            await stack.enter_async_context(peer)
        await refused.grows(10)
        assert await site.daemon.counted("connections") <= 25
        await site.phone_works()


# Floods


def flood_of(method: str, conference: str, number: int) -> bytes:
    """A message of its own each time."""
    if method == "OPTIONS":
        return asked()[0]
    if method == "INVITE":
        body = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 9000 RTP/AVP 8\r\n"
        )
        return of_call("INVITE", conference, transport="UDP", number=number, body=body)
    data = of_call("REGISTER", f"guess{number}", transport="UDP", number=number)
    return data.replace(f"sip:guess{number}@127.0.0.1 SIP".encode(), b"sip:127.0.0.1 SIP")


@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER", "INVITE"])
async def test_a_flood_from_one_source_is_dropped(site: Site, method: str) -> None:
    dropped = await site.mark("dropped_total", cause="rate")
    before = site.memory()
    async with sender(site) as send:

        async def flood() -> None:
            for number in range(FLOOD):
                send(flood_of(method, site.held.id, number))
                if number % FLOOD_AT_ONCE == 0:
                    await asyncio.sleep(FLOOD_PAUSE_S)

        flooding = asyncio.create_task(flood())
        await site.phone_works()
        await flooding
    # 200 at once, 50 a second afterwards; what the system's buffer dropped is counted nowhere.
    await dropped.grows(FLOOD / 2)
    await site.is_unharmed()
    assert site.memory() - before < MEMORY_BAR_BYTES
    # Calls that nobody acknowledges are given up; they took no more than one source may have.
    assert await site.daemon.counted("calls_now") <= 20


async def test_a_flood_over_a_stream_waits(site: Site) -> None:
    """Nothing is lost that came over a connection: it is read more slowly."""
    delayed = await site.mark("delayed_total")
    count = 260
    heap = b"".join(asked(OVER_TCP)[0] for _ in range(count))
    async with tcp_peer(site.daemon.sip_port, local_addr=(stranger(), 0)) as peer:
        peer.write(heap)
        await delayed.grows(1)
        await site.phone_works()
        for _ in range(count):
            assert (await peer.message()).startswith(b"SIP/2.0 200")
