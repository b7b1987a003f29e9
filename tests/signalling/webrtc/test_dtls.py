import asyncio
import contextlib
import heapq
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from signalling.sdp import Fingerprint
from signalling.webrtc.dtls import (
    HANDSHAKE_TIMEOUT_S,
    MTU_BYTES,
    Closed,
    Connected,
    DtlsCertificate,
    DtlsEndpoint,
    DtlsEvent,
    Failed,
    SrtpKeys,
    is_dtls,
)

ALICE = DtlsCertificate.generate()
BOB = DtlsCertificate.generate()
WRONG = (Fingerprint("sha-256", ":".join(["00"] * 32)),)


def pair(
    alice: DtlsCertificate = ALICE, bob: DtlsCertificate = BOB
) -> tuple[DtlsEndpoint, DtlsEndpoint]:
    return (
        DtlsEndpoint("client", alice, (bob.fingerprint,)),
        DtlsEndpoint("server", bob, (alice.fingerprint,)),
    )


@dataclass
class Link:
    """Two endpoints over a seeded link that loses, repeats and reorders, in virtual time."""

    client: DtlsEndpoint
    server: DtlsEndpoint
    seed: int = 0
    loss: float = 0.0
    repeat: float = 0.0
    delay_s: float = 0.02
    jitter_s: float = 0.0
    now: float = 0.0
    sent: int = 0
    largest: int = 0
    log: dict[str, list[DtlsEvent]] = field(default_factory=lambda: {"client": [], "server": []})

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._in_flight: list[tuple[float, int, str, bytes]] = []
        self._count = itertools.count()

    def run(self, until: float) -> None:
        """Let time pass, from event to event."""
        ends = {"client": self.client, "server": self.server}
        self.log["client"] += self.client.start(self.now)
        while True:
            for name, end in ends.items():
                for data in end.datagrams_to_send(self.now):
                    self._carry("server" if name == "client" else "client", data)
            timers = [at for end in ends.values() if (at := end.next_timer()) is not None]
            arrivals = [self._in_flight[0][0]] if self._in_flight else []
            following = min(timers + arrivals, default=until)
            if following >= until:
                self.now = until
                return
            self.now = max(self.now, following)
            if arrivals and arrivals[0] <= self.now:
                _, _, name, data = heapq.heappop(self._in_flight)
                self.log[name] += ends[name].receive_datagram(data, self.now)
            for name, end in ends.items():
                self.log[name] += end.handle_timer(self.now)

    def _carry(self, to: str, data: bytes) -> None:
        self.sent += 1
        self.largest = max(self.largest, len(data))
        if self._random.random() < self.loss:
            return
        copies = 2 if self._random.random() < self.repeat else 1
        for _ in range(copies):
            at = self.now + self.delay_s + self._random.random() * self.jitter_s
            heapq.heappush(self._in_flight, (at, next(self._count), to, data))


def keys(events: Sequence[object]) -> SrtpKeys:
    [connected] = [event for event in events if isinstance(event, Connected)]
    return connected.keys


def connected_link(**settings: float) -> Link:
    client, server = pair()
    link = Link(client, server, **settings)  # type: ignore[arg-type]
    link.run(until=HANDSHAKE_TIMEOUT_S)
    return link


def test_both_ends_have_the_same_keys_crosswise() -> None:
    link = connected_link()
    alice, bob = keys(link.log["client"]), keys(link.log["server"])
    assert alice.profile.name == "AEAD_AES_128_GCM"
    assert len(alice.local_key) == 16 + 12
    assert alice.local_key == bob.remote_key
    assert alice.remote_key == bob.local_key
    assert alice.local_key != alice.remote_key
    assert link.client.state == link.server.state == "connected"


def test_keys_are_not_printed() -> None:
    link = connected_link()
    found = keys(link.log["client"])
    assert repr(found.local_key) not in repr(found)


def test_a_handshake_needs_four_datagrams_and_no_timer_afterwards() -> None:
    link = connected_link()
    assert link.sent == 4
    assert link.client.next_timer() is None
    assert link.server.next_timer() is None


@pytest.mark.parametrize("seed", range(12))
def test_over_a_bad_line(seed: int) -> None:
    link = connected_link(seed=seed, loss=0.3, repeat=0.2, jitter_s=0.1)
    assert keys(link.log["client"]).local_key == keys(link.log["server"]).remote_key
    assert link.sent < 60


@pytest.mark.parametrize("lost", range(4))
def test_each_single_loss_is_repaired(lost: int) -> None:
    client, server = pair()

    class Loser(Link):
        def _carry(self, to: str, data: bytes) -> None:
            self.loss = 1.0 if self.sent == lost else 0.0
            super()._carry(to, data)

    link = Loser(client, server)
    link.run(until=5.0)
    assert keys(link.log["client"]).local_key == keys(link.log["server"]).remote_key


def test_repeated_datagrams_do_not_echo() -> None:
    link = connected_link(repeat=1.0, delay_s=0.1)
    assert link.sent < 12


def test_wrong_fingerprints_are_refused_by_either_end() -> None:
    client = DtlsEndpoint("client", ALICE, WRONG)
    server = DtlsEndpoint("server", BOB, (ALICE.fingerprint,))
    link = Link(client, server)
    link.run(until=5.0)
    assert link.log["client"] == [Failed("fingerprint")]
    assert link.log["server"][-1] == Closed()  # it is told

    client = DtlsEndpoint("client", ALICE, (BOB.fingerprint,))
    server = DtlsEndpoint("server", BOB, WRONG)
    link = Link(client, server)
    link.run(until=5.0)
    assert link.log["server"] == [Failed("fingerprint")]
    assert server.state == "failed"


def test_a_peer_that_stays_silent() -> None:
    client, _ = pair()
    assert client.start(100.0) == []
    sent = 0
    events: list[object] = []
    while (timer := client.next_timer()) is not None:
        sent += len(client.datagrams_to_send(timer))
        events += client.handle_timer(timer)
        last = timer
    assert events == [Failed("timeout")]
    assert last == 100.0 + HANDSHAKE_TIMEOUT_S
    assert 5 < sent < 20  # backs off


def test_a_server_waits_without_a_timer() -> None:
    _, server = pair()
    assert server.next_timer() is None
    assert server.handle_timer(1e9) == []
    assert server.state == "handshake"


def test_timers_that_come_early_do_nothing() -> None:
    client, _ = pair()
    client.start(0.0)
    client.datagrams_to_send(0.0)
    assert client.handle_timer(0.1) == []
    assert client.datagrams_to_send(0.1) == []


def test_starting_twice_sends_once() -> None:
    client, _ = pair()
    client.start(0.0)
    assert client.start(0.0) == []
    assert len(client.datagrams_to_send(0.0)) == 1


def test_close_is_heard_and_final() -> None:
    link = connected_link()
    link.client.close(0.0)
    link.client.close(0.0)
    [goodbye] = link.client.datagrams_to_send(0.0)
    assert link.server.receive_datagram(goodbye, 0.0) == [Closed()]
    assert link.server.state == "closed"
    assert link.server.receive_datagram(goodbye, 0.0) == []
    assert link.server.dropped == 1


def test_closing_before_the_handshake_says_nothing() -> None:
    client, _ = pair()
    client.close(0.0)
    assert client.datagrams_to_send(0.0) == []
    assert client.handle_timer(99.0) == []


def garbage(seed: int) -> bytes:
    chance = random.Random(seed)
    length = chance.randrange(1, 200)
    body = bytes(chance.randrange(256) for _ in range(length))
    header = bytes((chance.choice((20, 21, 22, 23, 25, 63)),)) + b"\xfe\xfd" + bytes(8)
    return chance.choice((bytes((20 + seed % 44,)) + body, header + bytes((0, length)) + body))


def test_garbage_after_the_handshake_changes_nothing() -> None:
    link = connected_link()
    for seed in range(300):
        assert link.server.receive_datagram(garbage(seed), 0.0) == []
    assert link.server.state == "connected"
    assert link.server.dropped == 300
    link.client.close(0.0)
    [goodbye] = link.client.datagrams_to_send(0.0)
    assert link.server.receive_datagram(goodbye, 0.0) == [Closed()]


@pytest.mark.parametrize("seed", range(40))
def test_garbage_during_the_handshake_never_raises(seed: int) -> None:
    client, server = pair()
    client.start(0.0)
    for data in client.datagrams_to_send(0.0):
        server.receive_datagram(data, 0.0)
        for end in (client, server):
            events = end.receive_datagram(garbage(seed), 0.0)
            assert all(isinstance(event, Failed) for event in events)


def test_records_of_unknown_shape_do_not_stop_a_handshake() -> None:
    client, server = pair()
    for data in (b"\x16", b"\x16\xfe\xfd", bytes((22, 0xFE, 0xFD)) + bytes(8) + b"\xff\xffabc"):
        assert server.receive_datagram(data, 0.0) == []
    link = Link(client, server)
    link.run(until=5.0)
    assert keys(link.log["client"]).local_key == keys(link.log["server"]).remote_key


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"\x80" * 20, b"\x13", b"\x40"])
def test_other_protocols_are_counted(data: bytes) -> None:
    _, server = pair()
    assert not is_dtls(data)
    assert server.receive_datagram(data, 0.0) == []
    assert server.dropped == 1


def large_certificate() -> DtlsCertificate:
    """An RSA certificate of several kilobytes, as a peer with a long chain of names would have."""
    own = DtlsCertificate.generate()
    key = rsa.generate_private_key(65537, 2048)
    names = [x509.DNSName(f"room-{number:03}.province.example") for number in range(150)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(own.certificate.subject)
        .issuer_name(own.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(own.certificate.not_valid_before_utc)
        .not_valid_after(own.certificate.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return DtlsCertificate(key, builder.sign(key, hashes.SHA256()))  # type: ignore[arg-type]


def test_long_flights_are_cut_at_records() -> None:
    client, server = pair(bob=large_certificate())
    link = Link(client, server)
    link.run(until=5.0)
    assert keys(link.log["client"]).local_key == keys(link.log["server"]).remote_key
    assert link.sent > 4
    assert link.largest <= MTU_BYTES


def test_a_peer_without_srtp_is_refused() -> None:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.use_certificate(ALICE.certificate)
    context.use_privatekey(ALICE.key)
    peer = SSL.Connection(context, None)
    peer.set_connect_state()
    server = DtlsEndpoint("server", BOB, (ALICE.fingerprint,))
    events: list[object] = []
    for _ in range(4):
        with contextlib.suppress(SSL.WantReadError):
            peer.do_handshake()
        events += server.receive_datagram(peer.bio_read(65536), 0.0) if not events else []
        for data in server.datagrams_to_send(0.0):
            peer.bio_write(data)
        if events:
            break
    assert events == [Failed("profile")]


# --- against aiortc's engine -----------------------------------------------------------------


class Wire:
    """Stands in for aiortc's ICE transport: what it sends goes straight into our endpoint."""

    def __init__(self, endpoint: DtlsEndpoint) -> None:
        self.endpoint = endpoint
        self.events: list[object] = []
        self.role = "controlling"
        self.state = "completed"
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()

    def deliver(self) -> None:
        for data in self.endpoint.datagrams_to_send(0.0):
            self._inbox.put_nowait(data)

    async def _send(self, data: bytes) -> None:
        self.events += self.endpoint.receive_datagram(data, 0.0)
        self.deliver()

    async def _recv(self) -> bytes:
        return await self._inbox.get()


@pytest.mark.parametrize("role", ["server", "client"])
async def test_against_aiortc(role: str) -> None:
    certificate = RTCCertificate.generateCertificate()
    fingerprints = tuple(
        Fingerprint(found.algorithm, found.value) for found in certificate.getFingerprints()
    )
    endpoint = DtlsEndpoint(role, ALICE, fingerprints)  # type: ignore[arg-type]
    wire = Wire(endpoint)
    peer = RTCDtlsTransport(wire, [certificate])  # type: ignore[arg-type]
    peer._set_role("client" if role == "server" else "server")
    endpoint.start(0.0)
    wire.deliver()
    own = ALICE.fingerprint
    await peer.start(RTCDtlsParameters([RTCDtlsFingerprint(own.algorithm, own.value)]))
    assert peer.state == "connected"
    found = keys(wire.events)
    # As a server our order of profiles decides, although aiortc would rather have 256 bits.
    expected = "AEAD_AES_128_GCM" if role == "server" else "AEAD_AES_256_GCM"
    assert found.profile.name == expected
    # The keys fit aiortc's: what it protects opens with ours.
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"payload"
    protected = peer._tx_srtp.protect(packet)
    assert opened(found, protected) == packet
    await peer.stop()
    assert wire.events[-1] == Closed()


def opened(found: SrtpKeys, protected: bytes) -> bytes:
    from pylibsrtp import Policy, Session

    profiles = SimpleNamespace(
        AEAD_AES_128_GCM=Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        AEAD_AES_256_GCM=Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    )
    policy = Policy(
        key=found.remote_key,
        ssrc_type=Policy.SSRC_ANY_INBOUND,
        srtp_profile=getattr(profiles, found.profile.name),
    )
    return bytes(Session(policy).unprotect(protected))
