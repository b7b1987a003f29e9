"""Bad input for a running installation, and what must be the same with it and without it."""

import random
import struct
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pylibsrtp import Error as SrtpFailure

from tests.peers.coded_media import Colour
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_network import VirtualNetwork
from tests.peers.virtual_room import THREE, RoomSetup, VirtualRoom

STRANGER = ("203.0.113.77", 7777)
KINDS = ("stun", "dtls", "rtp", "rtcp")
STEP_S = 0.01
OVERHEARD = 40
BEFORE_S = 1.0
ATTACK_S = 1.5
AFTER_S = 2.0


class Scene:
    """What an attack may use: the rooms, the port, and what was overheard of each room."""

    def __init__(self, site: VirtualInstallation) -> None:
        self.site = site
        self.rooms: Sequence[VirtualRoom] = ()
        self.random = random.Random(99)
        self.step = 0
        self.injected: Counter[str] = Counter()
        self._overheard: dict[tuple[object, str], deque[bytes]] = {}
        site.network.tap = self._overhear

    @property
    def bad(self) -> VirtualRoom:
        """The room that misbehaves where one does."""
        return self.rooms[-1]

    def inject(self, datagram: bytes, address: tuple[Any, ...]) -> None:
        """A datagram from an address, real or forged, reaches the media port."""
        self.injected[kind_of(datagram)] += 1
        self.site.port.datagram_received(datagram, address, self.site.time.now)

    def send(self, kind: str, payload: bytes, timestamp: int, *, marker: bool = True) -> None:
        """The bad room sends one RTP packet under its own keys."""
        self.bad.peer.send_media(
            kind, payload, timestamp & 0xFFFFFFFF, marker=marker, level=(True, 10)
        )

    def send_raw(self, kind: str, first: int, body: bytes) -> None:
        """The bad room protects a header of its own making; SRTP may refuse to."""
        stream = self.bad.peer.sent[kind]
        head = struct.pack("!BBHLL", first, stream.payload_type, stream.sequence, 9, stream.ssrc)
        stream.sequence = (stream.sequence + 1) & 0xFFFF
        with suppress(SrtpFailure):
            self.bad.peer.send_protected(head + body)

    def real(self, kind: str, room: VirtualRoom | None = None) -> list[bytes]:
        """Datagrams that rooms really sent."""
        rooms = self.rooms if room is None else [room]
        return [one for each in rooms for one in self._overheard[each.address, kind]]

    def _overhear(self, datagram: bytes, address: tuple[Any, ...]) -> None:
        key = (address, kind_of(datagram))
        self._overheard.setdefault(key, deque(maxlen=OVERHEARD)).append(datagram)


Attack = Callable[[Scene], None]


def kind_of(datagram: bytes) -> str:
    first, second = (*datagram[:2], 0, 0)[:2]
    if first < 4:
        return "stun"
    if first < 64:
        return "dtls"
    return "rtcp" if 192 <= second <= 223 else "rtp"


@dataclass(frozen=True)
class Received:
    """All that one room got: every packet of sound and pictures in order, and what it showed."""

    audio: tuple[tuple[int, int, bytes], ...]
    video: tuple[tuple[int, int, bytes], ...]
    frames: int
    screen_timestamps: tuple[int, ...]

    @classmethod
    def by(cls, room: VirtualRoom) -> "Received":
        def packets(kind: str) -> tuple[tuple[int, int, bytes], ...]:
            stream = room.stream(kind)
            return tuple(
                (number, stream.packets[number].timestamp, stream.packets[number].payload)
                for number in sorted(stream.packets)
            )

        audio, video = packets("audio"), packets("video")
        return cls(audio, video, room.screen.frames, tuple(room.screen.timestamps))

    @property
    def counts(self) -> tuple[object, ...]:
        """What holds even where what is heard and seen differs."""
        sound = tuple((number, timestamp) for number, timestamp, _ in self.audio)
        return sound, self.frames, self.screen_timestamps


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    rooms: Sequence[VirtualRoom]
    received: tuple[Received, ...]
    presence: dict[str, str]
    dropped: Counter[str]
    """Since the attack began."""
    injected_by: Counter[str]
    dtls_answers: int
    """Handshake datagrams that rooms got since then."""
    addresses: int
    seen_in_its_slot: dict[str, Colour]
    """What each room sees of the last one."""
    mixer: object
    """Statistics, for messages of failed tests."""

    @property
    def injected(self) -> int:
        return self.injected_by.total()


async def run(
    data_dir: Path, attack: Attack | None, setups: Sequence[RoomSetup] = THREE
) -> Outcome:
    """Three rooms meet; after a while they are attacked for a while; then all is calm again."""
    async with VirtualInstallation(data_dir, VirtualNetwork(5)) as site:
        await site.start([one.name for one in setups], layout="2x2")
        scene = Scene(site)
        scene.rooms = rooms = [(await site.join(one))[0] for one in setups]
        site.run(BEFORE_S)
        before = Counter(site.reading().dropped)
        shaken = sum(room.peer.handshake_datagrams for room in rooms)

        def step(now: float) -> None:
            if scene.step * STEP_S < ATTACK_S:
                if attack is not None:
                    attack(scene)
                scene.step += 1
                site.time.schedule(STEP_S, step)
            else:
                scene.bad.camera_on = scene.bad.microphone_on = True

        site.time.schedule(STEP_S / 2, step)
        site.run(ATTACK_S + AFTER_S)
        mix = site.mix()
        return Outcome(
            rooms=rooms,
            received=tuple(Received.by(room) for room in rooms),
            presence=site.presence(),
            dropped=Counter(site.reading().dropped) - before,
            injected_by=scene.injected,
            dtls_answers=sum(room.peer.handshake_datagrams for room in rooms) - shaken,
            addresses=site.port.addresses,
            seen_in_its_slot={
                room.name: site.colour(room, len(rooms) - 1, "2x2") for room in rooms
            },
            mixer=(mix.audio.statistics(), mix.video.statistics()),
        )
