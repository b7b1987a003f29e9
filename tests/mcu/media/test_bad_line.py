"""A bad line of one leg: what is late, what is lost, and that others go their own way."""

from mcu.media.bad_line import MAX_WAITING, BadEnd, BadLine, BadReceiver, LineBatch
from mcu.media.impairment import Conditions
from mcu.media.lane import OUT_OF_STEP
from mcu.media.path import SendPath
from mcu.media.port import MediaPort
from mcu.media.srtp import PacketBuffer

PEER = ("192.0.2.7", 4000)
STUN = bytes.fromhex("000100002112a442") + bytes(12)


class Now:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class End:
    """A leg that notes what comes."""

    def __init__(self) -> None:
        self.lane = OUT_OF_STEP
        self.came: list[tuple[str, bytes, float]] = []

    def receive_stun(self, datagram: bytes, address: object, now: float) -> None:
        self.came.append(("stun", datagram, now))

    def receive_dtls(self, datagram: bytes, address: object, now: float) -> None:
        self.came.append(("dtls", datagram, now))

    def receive_srtp(self, packet: PacketBuffer, now: float) -> None:
        self.came.append(("srtp", packet.bytes(), now))

    def receive_srtcp(self, packet: PacketBuffer, now: float) -> None:
        self.came.append(("srtcp", packet.bytes(), now))


def line(conditions: Conditions, *, cut: bool = False) -> BadLine:
    return BadLine(conditions, LineBatch(Now()), seed=1, cut=cut)


def test_a_good_line_delivers_at_once_and_in_order() -> None:
    one, came = line(Conditions(delay=0.0)), []
    for number in range(5):
        one.up(100, 1.0, lambda at, number=number: came.append((number, at)))  # type: ignore[misc]
    assert came == [(number, 1.0) for number in range(5)]
    assert one.next_timer() == float("inf")


def test_late_datagrams_come_when_their_time_has_come_and_wake_the_leg() -> None:
    one, came, woken = line(Conditions(delay=0.05)), [], []
    one.wake = woken.append
    one.down(100, 1.0, came.append)
    assert (came, woken) == ([], [1.05])
    assert one.next_timer() == 1.05
    one.handle_timer(1.04)
    assert came == []
    one.handle_timer(1.06)
    assert came == [1.06]


def test_a_share_is_lost_in_each_direction() -> None:
    one, came = line(Conditions(delay=0.0, loss=0.2)), []
    for _ in range(1000):
        one.up(100, 1.0, came.append)
        one.down(100, 1.0, came.append)
    one.end(2.0)
    assert 1500 < len(came) < 1700
    assert one.lost == 2000 - len(came)


def test_nothing_passes_a_line_that_is_cut() -> None:
    one, came = line(Conditions(delay=0.0), cut=True), []
    for _ in range(50):
        one.up(100, 1.0, came.append)
        one.down(100, 1.0, came.append)
    assert came == []


def test_what_waits_is_bounded_and_comes_when_the_line_is_good_again() -> None:
    one, came = line(Conditions(delay=10.0)), []
    for _ in range(MAX_WAITING + 5):
        one.up(100, 1.0, came.append)
    assert one.lost == 5
    one.end(2.0)
    assert came == [2.0] * MAX_WAITING
    assert one.next_timer() == float("inf")


def test_packets_of_each_leg_go_to_its_own_line() -> None:
    batch, carried = LineBatch(Now()), []
    paths = [SendPath(batch, plain=True) for _ in range(2)]
    for number, path in enumerate(paths):
        path.address = ("192.0.2.9", number)
    batch.carry(paths[0], lambda data, to, now: carried.append((data, to, now)))
    for path in paths:
        slot = batch.free_slot()
        at = batch.offsets[slot]
        batch.view[at : at + 3] = b"abc"
        batch.lengths[2 * slot + 1] = 3
        batch.commit(path, 1)
    batch.flush()
    assert carried == [(b"abc", ("192.0.2.9", 0), 100.0)]
    assert (paths[0].dropped, paths[1].dropped) == (0, 1)  # who has no line has no way at all


def test_a_stand_in_takes_what_comes_for_its_leg_alone() -> None:
    port = MediaPort(lambda datagram, address: None)
    bad, good = End(), End()
    port.register(bad, "aaaa")
    port.register(good, "bbbb")
    port.bind(bad, PEER)
    port.bind(good, ("192.0.2.8", 4000))
    cut = line(Conditions(delay=0.0), cut=True)
    port.put_before(bad, BadEnd(bad, cut))
    srtp = b"\x80\x60" + bytes(30)
    for address in (PEER, ("192.0.2.8", 4000)):
        port.datagram_received(srtp, address, 1.0)
    assert (bad.came, good.came) == ([], [("srtp", srtp, 1.0)])
    # An address that it binds meanwhile is behind the same line, and so is a new name of it.
    port.bind(bad, ("192.0.2.7", 5000))
    port.register(bad, "cccc")
    port.datagram_received(srtp, ("192.0.2.7", 5000), 1.0)
    assert bad.came == []
    port.put_before(bad, None)
    for address in (PEER, ("192.0.2.7", 5000)):
        port.datagram_received(srtp, address, 2.0)
    assert [at for _, _, at in bad.came] == [2.0, 2.0]
    port.put_before(bad, BadEnd(bad, cut))
    port.unregister(bad)
    port.datagram_received(srtp, PEER, 3.0)
    assert port.dropped["unknown_address"] == 1
    assert port.endpoints == 1


def test_all_that_comes_for_a_leg_is_late_by_the_same_way() -> None:
    end, late = End(), line(Conditions(delay=0.1))
    front = BadEnd(end, late)
    packet = PacketBuffer()
    packet.write(b"\x80\x60" + bytes(30))
    front.receive_stun(STUN, PEER, 1.0)
    front.receive_dtls(b"\x16", PEER, 1.0)
    front.receive_srtp(packet, 1.0)
    packet.write(b"\x80\xc8" + bytes(30))
    front.receive_srtcp(packet, 1.0)
    assert end.came == []
    late.handle_timer(1.2)
    assert [kind for kind, _, _ in end.came] == ["stun", "dtls", "srtp", "srtcp"]
    assert end.came[2][1] == b"\x80\x60" + bytes(30)  # not what was written into it since


def test_a_socket_of_its_own_knows_its_peer_when_a_packet_arrives() -> None:
    took: list[str] = []
    known: list[object] = [None]
    late = line(Conditions(delay=0.1))
    front = BadReceiver(
        late,
        known=lambda: known[0],  # type: ignore[arg-type,return-value]
        receive=lambda packet, now: took.append("peer"),
        receive_from=lambda packet, key, address, now: took.append("stranger"),
        receive_other=lambda datagram, key, address, now: took.append("other"),
    )
    packet = PacketBuffer()
    packet.write(b"\x80\x60" + bytes(30))
    assert front.peer is None
    front.receive_from(packet, "key", PEER, 1.0)
    front.receive_other(STUN, "key", PEER, 1.0)
    late.handle_timer(1.2)
    known[0] = "key"
    front.receive_from(packet, "key", PEER, 1.3)
    late.handle_timer(1.5)
    assert took == ["stranger", "other", "peer"]
