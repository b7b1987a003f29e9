"""Rooms for readiness checks in virtual time: healthy ones, and each with a fault of its own.

They wait as a join page does: when a conference calls for their bridge they join it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

from bench.media import CodedPictures, CodedSound, coded_pictures, coded_speech
from mcu.media import h264
from mcu.readiness.assessment import Rules
from mcu.readiness.measurements import SoundMeasured
from mcu.readiness.model import Budget, Check, ConfirmSound, RoomEntry
from mcu.readiness.service import NewCheck, ReadinessChecks
from mcu.store.records import Bridge, Unit
from mixer.audio.level import level_dbov
from mixer.codecs.opus import OpusDecoder, OpusEncoder
from tests.peers.coded_media import YELLOW
from tests.peers.network import CLEAN, Faults
from tests.peers.virtual_installation import OPERATOR, UNIT, VirtualInstallation
from tests.peers.virtual_room import RoomSetup, VirtualRoom
from tests.peers.webrtc_peer import OfferOptions

SIZE, FPS = (320, 180), 10
STANDARD = {
    "width": SIZE[0],
    "height": SIZE[1],
    "fps": FPS,
    "uplink_bps": 100_000,
    "downlink_bps": 600_000,
}
BUDGET = Budget(measure_s=16.0, reach_s=10.0, confirm_s=10.0)
STEP_S = 0.25


@dataclass(frozen=True, slots=True)
class Kind:
    """What a room is like.

    Args:
        echo: part of what it hears that it returns. talks: somebody speaks in it.
        comes: it is switched on at all. confirms: somebody presses the button.
    """

    talks: bool = True
    black: bool = False
    camera: bool = True
    echo: float = 0.0
    faults: Faults = CLEAN
    comes: bool = True
    confirms: bool = True
    loopback: bool = False
    codec: str = "H264"


@cache
def voice_of(name: str) -> CodedSound:
    return coded_speech(name)


@cache
def camera() -> CodedPictures:
    return coded_pictures(*SIZE, FPS, 200_000)


@cache
def dark_camera() -> tuple[tuple[bytes, ...], ...]:
    """A closed shutter with a sensor's noise, coded as a camera does."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt, encoder.profile = "yuv420p", "Constrained Baseline"
    encoder.framerate, encoder.time_base = Fraction(FPS), Fraction(1, FPS)
    encoder.bit_rate, encoder.gop_size = 200_000, 1000
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "threads": "1"}
    noise = np.random.default_rng(3)
    payloads = []
    for number in range(2 * FPS):
        planes = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
        planes[: SIZE[1]] = noise.integers(14, 19, (SIZE[1], SIZE[0]))
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = number
        data = b"".join(bytes(packet) for packet in encoder.encode(frame))
        payloads.append(tuple(h264.packetise(data)))
    return tuple(payloads)


class EchoingVoice:
    """Returns what the room hears, with what is said in it."""

    def __init__(self, room: VirtualRoom, own: CodedSound, share: float) -> None:
        self._room, self._own, self._share = room, own, share
        self._heard, self._speaks = OpusDecoder(), OpusDecoder()
        self._encoder = OpusEncoder()

    def __call__(self, number: int) -> tuple[bytes, int]:
        stream = self._room.stream("audio")
        sound = self._speaks.decode(self._own.packets[number % len(self._own.packets)])
        mixed = sound.astype(np.float64)
        if stream.packets:
            packet = stream.packets.get(stream.highest)
            if packet is not None:
                mixed = mixed + self._share * self._heard.decode(packet.payload)
        block = np.clip(mixed, -32_768, 32_767).astype(np.int16)
        return self._encoder.encode(block), min(127, round(-level_dbov(block)))


class CheckedRooms:
    """An installation with rooms that wait, and its readiness checks.

    Args:
        kinds: bridge → what the room is like.
    """

    def __init__(
        self,
        site: VirtualInstallation,
        kinds: Mapping[str, Kind],
        *,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        budget: Budget = BUDGET,
    ) -> None:
        self.site, self.kinds = site, dict(kinds)
        self.rooms: dict[str, VirtualRoom] = {}
        self._asked: dict[str, str] = {}
        self._rules, self._budget = rules, budget
        self.opener = OPERATOR
        """Whose token opens their legs."""
        self.checks = self._made()

    def _made(self) -> ReadinessChecks:
        return ReadinessChecks(
            self.site.store,
            self.site.conferences,
            self.site.engine.conferences,
            ask=self.site.live.ask,
            utcnow=self.site.network.utcnow,
            rules=self._rules,
            budget=self._budget,
            compute=_at_once,
        )

    async def registered(self) -> "CheckedRooms":
        """Put the rooms into the registry."""
        if not await self.site.store.units.subtree(UNIT):
            await self.site.store.units.create(Unit(UNIT, "Tỉnh Khánh Hòa", "province"))
        for bridge in self.kinds:
            record = Bridge(bridge, f"Xã {bridge}", UNIT, standard=STANDARD)
            await self.site.store.bridges.create(record)
        return self

    async def begin(self, *bridges: str, conference: str | None = None) -> str:
        """Begin a check of some rooms, or of all."""
        entries = tuple(
            RoomEntry(one, f"Xã {one}", UNIT, "webrtc", "Trần Thị Bình", "0258 3822 111",
                      standard=STANDARD)
            for one in bridges or self.kinds
        )  # fmt: skip
        new = NewCheck("Giao ban", UNIT, "An", entries, conference)
        return (await self.checks.begin(new)).id

    def check(self, id_: str) -> Check:
        found = self.checks.get(id_)
        assert found is not None
        return found

    def phase(self, id_: str, bridge: str) -> str:
        return self.check(id_).rooms[bridge].phase

    async def until_ended(self, id_: str, within_s: float = 120.0) -> Check:
        """Let time pass until a check has ended."""
        await self.until(lambda: not self.check(id_).running, within_s)
        return self.check(id_)

    async def until(self, reached: Callable[[], bool], within_s: float = 60.0) -> None:
        """Let time pass until something holds."""
        for _ in range(round(within_s / STEP_S)):
            if reached():
                return
            await self.step()
        raise AssertionError(f"not within {within_s} s")

    def comes_again(self, bridge: str) -> None:
        """A room that hung up joins again, as a page does when somebody presses its button."""
        self._asked.pop(bridge, None)

    async def killed(self, data_dir: Path) -> VirtualInstallation:
        """Kill the installation; gives one over what was stored, to be entered."""
        site = await self.site.kill(data_dir)
        for room in self.rooms.values():
            room.vanish()
        return site

    async def step(self) -> None:
        """A quarter of a second: time, the checks, and what rooms do by themselves."""
        self.site.run(STEP_S)
        self.checks.handle_timer(self.site.time.now)
        await self.checks.settled()
        for bridge, kind in self.kinds.items():
            await self._wait_or_join(bridge, kind)
        for check in self.checks.running():
            for bridge, room in check.rooms.items():
                if room.phase in ("measuring", "confirming"):
                    await self._answer(check.id, bridge)

    async def _wait_or_join(self, bridge: str, kind: Kind) -> None:
        where = self.site.conferences.conference_of(bridge)
        if where is None:
            self._asked.pop(bridge, None)
        elif kind.comes and self._asked.get(bridge) != where:
            self._asked[bridge] = where
            self.rooms[bridge] = await self._join(bridge, kind, where)

    async def _join(self, bridge: str, kind: Kind, conference: str) -> VirtualRoom:
        setup = RoomSetup(
            bridge,
            fps=FPS,
            watches=False,
            faults=kind.faults,
            codec=kind.codec,
            colour=YELLOW,
            options=OfferOptions(video="H264" if kind.camera else None, transport_cc=True),
        )
        room = await self.site.offer(setup, conference=conference, actor=self.opener)
        if kind.camera and kind.codec == "H264":
            pictures = dark_camera() if kind.black else camera().payloads
            room.pictures = [list(payloads) for payloads in pictures]
        own = voice_of(bridge)
        if kind.echo:
            room.voice = EchoingVoice(room, own, kind.echo)
        elif kind.talks:
            room.voice = lambda number: (
                own.packets[number % len(own.packets)],
                min(127, -own.levels_dbov[number % len(own.packets)]),
            )
        else:
            room.silent = True
        return room

    async def _answer(self, check: str, bridge: str) -> None:
        kind = self.kinds[bridge]
        if kind.confirms or kind.loopback:
            heard = True if kind.confirms else None
            command = ConfirmSound(bridge, heard, kind.loopback or None, "room")
            await self.checks.order(check, command)


async def _at_once(work: Callable[[], SoundMeasured]) -> SoundMeasured:
    return work()
