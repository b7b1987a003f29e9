"""Packets taken together and packets taken one by one leave the same behind."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcu.media import rtp
from mcu.media.frames import AudioPacket
from mcu.media.inflow import LEAST
from mcu.media.lane import Waiting
from mcu.media.slots import Slots
from mcu.media.srtp import BUFFER_BYTES, PacketBuffer
from tests.peers.media_world import JoinedPeer, MediaWorld
from tests.peers.network import Faults
from tests.peers.webrtc_peer import OfferOptions

LEGS = LEAST + 2
LEVEL_ID, NUMBER_ID = 2, 4
PAYLOAD_TYPE = 111
TURN_S = 0.02


class Sender:
    """A room whose packets are written here, as browsers do, or otherwise."""

    def __init__(self, joined: JoinedPeer, generator: random.Random) -> None:
        assert joined.leg is not None
        self.joined, self.leg = joined, joined.leg
        self.generator = generator
        self.ssrc = joined.peer.sent["audio"].ssrc
        self.sequence = generator.randrange(1 << 16)
        self.timestamp = generator.randrange(1 << 32)
        self.last = b""
        self.waiting = Waiting(-127.0)
        self.heard: list[AudioPacket] = []
        self.leg.listen(self.take, self.waiting)
        joined.up.faults = Faults(loss=1.0)  # datagrams are handed over here

    def take(self, packet: AudioPacket, now: float) -> None:
        if not self.waiting.open:
            self.heard.append(packet)
            return
        if packet.level_dbov is not None:
            self.waiting.level, self.waiting.heard_at = packet.level_dbov, now
        self.waiting.packets.append((packet, now))

    def packet(self, how: str = "usual") -> bytes:
        """The next one, protected."""
        self.sequence = (self.sequence + (3 if how == "after loss" else 1)) & 0xFFFF
        self.timestamp += 960 if how != "clock jumps" else 500_000
        level = bytes((self.generator.choice((0x7F, 0x1E, 0x9E)),))
        number = self.sequence.to_bytes(2, "big")
        values = {LEVEL_ID: level, NUMBER_ID: number}
        if how == "level last":
            values = {NUMBER_ID: number, LEVEL_ID: level}
        first = 0x90
        if how == "bare":
            first, values = 0x80, {}
        size = {"long": 1_300, "empty": 0}.get(how, self.generator.randrange(1, 90))
        ssrc = self.ssrc if how != "other ssrc" else self.ssrc ^ 1
        type_ = PAYLOAD_TYPE | (0x80 if self.generator.random() < 0.1 else 0)
        header = rtp.HEADER.pack(
            first, type_, self.sequence, self.timestamp & 0xFFFFFFFF, ssrc
        ) + rtp.pack_extensions(values)
        self.last = self.joined.peer.send_protected(header + self.generator.randbytes(size))
        return self.last

    def datagrams(self, how: str) -> list[bytes]:
        if how == "nothing":
            return []
        if how == "repeated":
            return [self.last or self.packet()]
        if how == "twice":
            return [self.packet(), self.packet()]
        if how == "forged":
            packet = bytearray(self.packet())
            packet[-1] ^= 1
            return [bytes(packet)]
        if how == "forged beside":
            packet = self.packet()
            return [packet[:-1] + bytes((packet[-1] ^ 1,)), packet]
        return [self.packet(how)]


class Room:
    """Legs of one port, which takes their packets together or not."""

    def __init__(self, *, together: bool, legs: int = LEGS, transport_cc: bool = False) -> None:
        self.world = MediaWorld(seed=5)
        self.together = together
        options = OfferOptions(video="H264" if transport_cc else None, transport_cc=transport_cc)
        generator = random.Random(7)
        self.senders = [
            Sender(self.world.connect(options), random.Random(generator.random()))
            for _ in range(legs)
        ]
        self.lengths = memoryview(bytearray(4 * 64))
        memory = memoryview(bytearray(64 * BUFFER_BYTES))
        packets = [
            PacketBuffer(memory[BUFFER_BYTES * one :][:BUFFER_BYTES], self.lengths[4 * one :][:4])
            for one in range(64)
        ]
        self.slots = Slots(memory, packets, np.frombuffer(self.lengths, np.int32))

    def turn(self, hows: Sequence[str], skew_s: float = 0.0) -> None:
        self.world.run(TURN_S)
        now = self.world.time.now
        sent = [
            (datagram, sender.joined.address)
            for sender, how in zip(self.senders, hows, strict=False)
            for datagram in sender.datagrams(how)
        ]
        sent.append((bytes(64), ("203.0.113.9", 1)))  # a stranger's
        port = self.world.port
        for first in range(0, len(sent), 64):
            part = sent[first : first + 64]
            for packet, (datagram, _) in zip(self.slots.packets, part, strict=False):
                packet.write(datagram)
            arrived = now - skew_s * np.arange(len(part)) / 64
            numbers: Sequence[int] = range(len(part))
            if self.together:
                numbers = port.packets_received(self.slots, [to for _, to in part], arrived)
            for number in numbers:
                port.packet_received(
                    self.slots.packets[number], part[number][1], float(arrived[number])
                )

    def usual(self, turns: int) -> None:
        for _ in range(turns):
            self.turn(["usual"] * len(self.senders))

    @property
    def in_step(self) -> int:
        return sum(sender.leg.lane.row > 0 for sender in self.senders)

    def outcome(self) -> list[object]:
        now = self.world.time.now
        readings = [sender.leg.statistics(now) for sender in self.senders]
        for reading in readings:
            reading.remote_address = None
        return [
            (reading, one.waiting.level, one.waiting.heard_at, [*one.waiting.packets], one.heard)
            for reading, one in zip(readings, self.senders, strict=True)
        ]


HOWS = [
    "usual", "usual", "usual", "usual", "usual", "nothing", "after loss", "repeated", "twice",
    "forged", "forged beside", "bare", "level last", "long", "empty", "other ssrc", "clock jumps",
]  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(
    turns=st.lists(st.lists(st.sampled_from(HOWS), min_size=LEGS, max_size=LEGS), max_size=12),
    skew_s=st.sampled_from([0.0, 0.01]),
    transport_cc=st.booleans(),
)
def test_together_is_as_one_by_one(
    turns: list[list[str]], skew_s: float, transport_cc: bool
) -> None:
    rooms = [Room(together=one, transport_cc=transport_cc) for one in (True, False)]
    for room in rooms:
        room.usual(3)
        for hows in turns:
            room.turn(hows, skew_s)
        room.usual(2)
    together, single = rooms
    assert together.outcome() == single.outcome()


def test_quiet_rooms_fall_in_step_and_stay_there() -> None:
    room = Room(together=True)
    room.usual(3)
    assert room.in_step == LEGS
    room.usual(60)  # with a report in between
    assert room.in_step == LEGS
    now = room.world.time.now
    assert {one.leg.statistics(now).received["audio"].packets for one in room.senders} == {63}


def test_more_than_there_was_room_for() -> None:
    together, single = Room(together=True, legs=70), Room(together=False, legs=70)
    for room in (together, single):
        room.usual(4)
    assert together.in_step == 70
    assert together.outcome() == single.outcome()


def test_a_forged_packet_costs_its_room_a_turn_and_others_nothing() -> None:
    room = Room(together=True)
    room.usual(3)
    room.turn(["forged", *["usual"] * (LEGS - 1)])
    victim = room.senders[0]
    assert victim.leg.lane.row == 0
    assert room.in_step == LEGS - 1
    assert victim.leg.statistics(0.0).dropped["srtp_authentication"] == 1
    room.usual(2)
    assert room.in_step == LEGS
    assert len(victim.waiting.packets) == 5


def test_a_replay_is_taken_by_nobody() -> None:
    room = Room(together=True)
    room.usual(3)
    room.turn(["repeated"] * LEGS)
    for sender in room.senders:
        assert len(sender.waiting.packets) == 3
        assert sender.leg.statistics(0.0).dropped["srtp_replay"] == 1


def test_who_is_heard_takes_each_packet_as_it_comes() -> None:
    room = Room(together=True)
    room.usual(3)
    speaker = room.senders[2]
    speaker.waiting.close()
    room.usual(2)
    assert len(speaker.heard) == 2
    assert len(speaker.waiting.packets) == 3
    assert room.in_step == LEGS - 1
    speaker.waiting.open = True
    room.usual(2)
    assert room.in_step == LEGS


def test_a_room_in_step_is_not_lost_and_one_that_is_silent_is() -> None:
    room = Room(together=True)
    room.usual(3)
    for _ in range(400):
        room.turn(["usual"] * (LEGS - 1))
    assert room.senders[0].leg.state == "connected"
    assert room.senders[-1].leg.state == "lost"
    room.usual(2)
    assert room.senders[-1].leg.state == "connected"


@pytest.mark.parametrize("how", ["close", "nobody"])
def test_who_leaves_takes_nothing_more(how: str) -> None:
    room = Room(together=True)
    room.usual(3)
    gone = room.senders[0]
    if how == "close":
        gone.leg.close("bye", room.world.time.now)
    else:
        gone.leg.listen(None)
    room.usual(2)
    assert len(gone.waiting.packets) == 3
    assert room.in_step == LEGS - 1


def test_few_packets_are_taken_one_by_one() -> None:
    room = Room(together=True, legs=2)
    room.usual(5)
    assert room.in_step == 0
    assert all(len(one.waiting.packets) == 5 for one in room.senders)
