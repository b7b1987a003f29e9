"""Convoys against single streams: the same packets, whatever happens to whom."""

import random
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcu.media.batch import SendtoBatch
from mcu.media.convoy import Convoy
from mcu.media.fan_out import FanOut
from mcu.media.formation import LEAST, Formation
from mcu.media.path import SendPath
from mcu.media.rendition import Rendition, RenditionKey
from mcu.media.send import SendFormat, SendStream
from mcu.media.srtp import PacketBuffer, SrtpSession, protect_many
from tests.peers.network import VirtualTime

LEGS = 6
RATE = 90_000


class Alone(Formation):
    """Streams that never go together: the other way to send the same."""

    def muster(self) -> None:
        pass


class Leg:
    """A path with a key of its own and one stream."""

    def __init__(self, number: int, batch: SendtoBatch, form: SendFormat, *, plain: bool) -> None:
        key = random.Random(number).randbytes(28)
        self.session = SrtpSession(key, "AEAD_AES_128_GCM", PacketBuffer(), outbound=True)
        self.path = SendPath(batch, plain=plain)
        self.handle = None if plain else self.session.handle
        self.path.handle, self.path.address = self.handle, ("192.0.2.9", number)
        # Some wrap after a few packets.
        first = 65_530 - number if number % 2 else 100 + number
        self.stream = SendStream(form, self.path, first, 2**32 - 5000 * number)


class World:
    """Two renditions and some legs, sending in convoys or alone."""

    def __init__(self, kind: str, *, together: bool) -> None:
        self.time = VirtualTime(100.0)
        self.fan_out = FanOut(self.time.schedule)
        self.sent: dict[int, list[bytes]] = defaultdict(list)
        self.refused = 0
        batch = SendtoBatch(self._sendto)
        self.video = video = kind != "sound"
        self.renditions = []
        for name, bps in (("main", 0), ("small", 300_000 if kind == "slow" else 0)):
            key = RenditionKey(
                "video" if video else "audio", name, "vp8" if video else "opus", bitrate_bps=bps
            )
            rendition = Rendition(key, RATE, self.fan_out)
            if not together:
                rendition.formation = Alone(rendition.ring, 1)
            self.renditions.append(rendition)
        self.legs = [
            Leg(
                number,
                batch,
                SendFormat(
                    ssrc=10 + number,
                    payload_type=96 + number % 2,
                    clock_rate=RATE,
                    video=video,
                    extensions={3: b"%d" % number},
                    abs_send_time_id=2 if kind != "bare" else None,
                    number_id=4 if kind in ("rtx", "numbered") else None,
                    rtx_payload_type=103 if kind == "rtx" else None,
                    rtx_ssrc=50 + number if kind == "rtx" else None,
                ),
                plain=kind == "plain",
            )
            for number in range(LEGS)
        ]
        self.timestamp = 0

    def do(self, what: str, number: int, size: int) -> None:
        """One event; the same in both worlds."""
        leg, now = self.legs[number], self.time.now
        rendition = self.renditions[size % 2]
        if what in ("picture", "key frame"):
            for one in self.renditions[: 1 + number % 2]:
                length = size if self.video else 1 + size % 400
                data = b"\x10" + random.Random(size).randbytes(length)
                one.append(data, self.timestamp, key_frame=what == "key frame", now=now)
            self.timestamp += 3600
        elif what == "play":
            leg.stream.play(rendition, now)
        elif what == "all play":
            for one_leg in self.legs[number:]:
                one_leg.stream.play(rendition, now)
        elif what == "pause":
            leg.stream.play(None, now)
        elif what == "repeat":
            last = leg.stream._next_sequence
            leg.stream.repeat([(last - back) & 0xFFFF for back in range(1, 2 + size % 40)], now)
        elif what == "probe":
            leg.stream.probe(5, now)
        elif what == "move":
            leg.path.address = ("192.0.2.9", number + 10 * (size % 3))
        elif what == "lose":
            leg.path.handle = None
        elif what == "return":
            leg.path.handle = leg.handle
        elif what == "refuse":
            leg.path.changed()
        self.time.run(size / 100_000)

    def counters(self) -> list[tuple[object, ...]]:
        """What reports and statistics are made of."""
        now = self.time.now
        return [
            (
                one.stream.packets,
                one.stream.bytes,
                one.stream.frames,
                one.stream.key_frames,
                one.stream.repeated,
                one.stream.timestamp_at(now),
                one.path.departures.next,
                list(one.path.departures.bursts),
                one.path.dropped,
            )
            for one in self.legs
        ]

    def marching(self) -> int:
        """How many streams are in convoys."""
        return sum(
            legs
            for one in self.renditions
            for sender, legs in one.formation.senders
            if isinstance(sender, Convoy)
        )

    def _sendto(self, datagram: memoryview, address: tuple[str, int]) -> None:
        self.sent[address[1] % 10].append(bytes(datagram))


EVENTS = st.tuples(
    st.sampled_from(
        ["picture"] * 6
        + ["key frame"] * 2
        + ["play", "all play", "pause", "repeat", "repeat", "probe", "move", "lose", "return"]
        + ["refuse"]
    ),
    st.integers(0, LEGS - 1),
    st.integers(1, 9_000),
)
KINDS = ["rtx", "plain repetitions", "numbered", "bare", "plain", "sound", "slow"]
MEETING = [("all play", 0, 2), ("key frame", 0, 900), ("picture", 0, 2500), ("picture", 0, 2500)]


@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(EVENTS, max_size=40))
@example([*MEETING, ("repeat", 2, 7), ("probe", 1, 5), ("move", 3, 1), *MEETING[1:]])
@example([*MEETING, *[("key frame", 1, 9_000)] * 12, ("repeat", 1, 39), *MEETING[2:]])
def test_a_convoy_sends_what_its_streams_would_send_alone(
    kind: str, events: list[tuple[str, int, int]]
) -> None:
    together, alone = World(kind, together=True), World(kind, together=False)
    for event in [*MEETING, *events, *MEETING[1:]]:
        together.do(*event)
        alone.do(*event)
        assert together.counters() == alone.counters()
    assert together.sent == alone.sent
    assert alone.marching() == 0
    if kind != "plain":
        for number, datagrams in together.sent.items():
            _no_number_twice(number, datagrams)


def _no_number_twice(number: int, datagrams: list[bytes]) -> None:
    """Under one key a packet's nonce is its SSRC and extended sequence number (RFC 7714 8.1)."""
    highest: dict[bytes, int] = {}
    under: dict[tuple[bytes, int], bytes] = {}
    for datagram in datagrams:
        ssrc, sequence = datagram[8:12], int.from_bytes(datagram[2:4], "big")
        before = highest.setdefault(ssrc, sequence)
        index = before + ((sequence - before + 0x8000) & 0xFFFF) - 0x8000
        highest[ssrc] = max(before, index)
        assert under.setdefault((ssrc, index), datagram) == datagram, number


def test_streams_in_step_march_together() -> None:
    world = World("rtx", together=True)
    for event in MEETING:
        world.do(*event)
    assert world.marching() == LEGS
    world.do("pause", 0, 1)
    assert world.marching() == LEGS - 1
    world.do("play", 0, 2)
    world.do("picture", 0, 900)
    assert world.marching() == LEGS - 1
    world.do("key frame", 0, 900)
    assert world.marching() == LEGS


def test_a_convoy_of_one_is_dissolved() -> None:
    world = World("rtx", together=True)
    for event in MEETING:
        world.do(*event)
    for number in range(LEGS - 1):
        world.do("pause", number, 1)
    assert world.marching() == 0
    world.do("picture", 0, 900)
    assert world.legs[-1].stream.packets == world.renditions[0].ring.end
    assert world.renditions[0].formation.senders == ((world.legs[-1].stream, 1),)


def test_fewer_than_a_convoy_takes_wait_for_one_more() -> None:
    world = World("sound", together=True)
    for number in range(LEAST):
        assert world.marching() == 0
        world.do("play", number, 2)
        world.do("picture", 0, 80)
    assert world.marching() == LEAST


def test_a_change_of_rendition_forgets_the_convoy() -> None:
    world = World("rtx", together=True)
    for event in [*MEETING, ("all play", 0, 1), ("key frame", 1, 900)]:
        world.do(*event)
    assert world.renditions[0].formation.senders == ()
    assert world.marching() == LEGS


def test_what_libsrtp_refuses_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("rtx", together=True)
    for event in MEETING:
        world.do(*event)

    def refusing(*arguments: list[object]) -> list[int]:
        statuses = protect_many(*arguments)
        statuses[1] = 1
        return statuses

    before = {number: len(datagrams) for number, datagrams in world.sent.items()}
    monkeypatch.setattr("mcu.media.convoy.protect_many", refusing)
    world.do("picture", 0, 2500)
    assert sum(leg.path.dropped for leg in world.legs) == 1
    lost = [len(world.sent[number]) - before[number] for number in range(LEGS)]
    assert sorted(lost) == [2, *[3] * (LEGS - 1)]
    monkeypatch.undo()
    world.do("picture", 0, 2500)
    assert len({leg.stream.packets for leg in world.legs}) == 1


def test_streams_of_other_form_do_not_march_together() -> None:
    world = World("rtx", together=True)
    for number in range(LEAST):
        leg = world.legs[number]
        form = replace(leg.stream.form, extensions={3: b"longer"})
        leg.stream = SendStream(form, leg.path, 1, 1)
    for event in MEETING:
        world.do(*event)
    sizes = [legs for _, legs in world.renditions[0].formation.senders]
    assert sizes == [LEAST, LEGS - LEAST]


@pytest.mark.parametrize("event", ["lose", "refuse", "pause"])
def test_who_changes_while_it_waits_for_others_is_not_taken_along(event: str) -> None:
    """Two wait for a third; what they waited with holds no more when it comes."""
    world = World("plain repetitions", together=True)
    for number in range(LEAST - 1):
        world.do("play", number, 2)
    world.do("key frame", 0, 900)
    world.do(event, 0, 1)
    for number in range(LEAST - 1, LEGS - 1):
        world.do("play", number, 2)
    for _ in range(3):
        world.do("key frame", 0, 900)
    gone = 0 if event == "refuse" else 1
    assert world.marching() == LEGS - 1 - gone
    assert len(world.sent[0]) == (4 if event == "refuse" else 1)
