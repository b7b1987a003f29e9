"""A meeting in virtual time whose rooms are watched: real codecs, the daemon's engine, its watcher.

Each room decodes what it is sent and returns what its microphone takes up of it; pictures are coded
ones. Only the network is left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle

import av
import numpy as np
import numpy.typing as npt

from bench import detect_pictures as pictures
from config.alarms_section import AlarmSettings
from mcu.conference.alarm_model import ConferenceAlarm
from mcu.conference.commands import Command, Fact, NoteJoined
from mcu.conference.decide import decide
from mcu.conference.evolve import evolve_all
from mcu.conference.plan import media_plan
from mcu.conference.state import ConferenceState
from mcu.engine.engine import Engine
from mcu.engine.local_video import LocalVideo
from mcu.engine.pool import InlinePool
from mcu.legs.leg import LegStatistics, StreamCodec
from mcu.media.frames import AudioPacket, EncodedFrame
from mcu.media.rendition import FanOut, Rendition
from mcu.watch.watcher import Watcher
from mixer.audio.level import level_dbov
from mixer.codecs.audio import FORMATS, make_decoder, make_encoder
from mixer.codecs.video import VideoEncoder
from tests.mcu.conference.meeting import entry, meeting

TICK = 960
VIDEO = StreamCodec("h264", 90_000)
CAMERA_FPS = 10
Sound = npt.NDArray[np.int16]
Picture = npt.NDArray[np.uint8]
Fault = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


def camera(kind: str, seed: int, gain: float = 1.0) -> Iterator[Picture]:
    """Pictures of a room for as long as they are taken: live, frozen, black."""
    count = 40
    if kind == "live":
        return cycle(list(pictures.live(seed, count)))
    if kind == "frozen":
        return cycle(list(pictures.frozen(seed, 1)))
    return cycle(list(pictures.black(seed, 20, gain, 2.0)))


@dataclass
class WatchedRoom:
    """A room and its one leg.

    Args:
        speech: what is spoken in it, from the beginning; silence after its end.
        echo_ms, echo_db: how it returns what it is sent; None: not at all.
        fault: what its microphone does to all it takes up.
        returns: what of another sound it takes up (a television), from the beginning.
    """

    name: str
    speech: Sound = field(default_factory=lambda: np.zeros(0, np.int16))
    codec: str = "opus"
    levels: bool = True
    noise_dbov: float = -65.0
    echo_ms: float | None = None
    echo_db: float = -12.0
    fault: Fault | None = None
    film: Iterator[Picture] | None = None
    bitrate_bps: int = 300_000

    conference = "c1"
    kind = "join"
    state = "connected"

    def __post_init__(self) -> None:
        clock = FORMATS[self.codec].rtp_clock_hz
        audio = StreamCodec(self.codec, clock, 2 if self.codec == "opus" else 1)
        self.id, self.participant = f"leg-{self.name}", self.name
        self.sources = {"audio": audio} | ({"video": VIDEO} if self.film is not None else {})
        self.outputs = {"audio": audio}
        self._encoder, self._decoder = make_encoder(self.codec), make_decoder(self.codec)
        self._heard = np.zeros(48_000, np.float64)  # the newest second, the newest last
        self._noise = np.random.default_rng(sum(self.name.encode()))
        self._tick = self._pictures = 0
        self._rendition: Rendition | None = None
        self._cursor = 0
        self._sink: Callable[[AudioPacket, float], None] | None = None
        self._camera = VideoEncoder("h264", 640, 360, CAMERA_FPS, self.bitrate_bps)
        self._asked, self._wanted = True, False
        self.cut = False
        """The line: nothing comes from the room any more."""
        self.heard_at = 0.0

    # What a leg is to the engine

    def play(self, stream: str, rendition: Rendition | None) -> None:
        if self._rendition is not None:
            self._rendition.unsubscribe(self)
        self._rendition = rendition
        if rendition is not None:
            self._cursor = rendition.ring.end
            rendition.subscribe(self)

    def send_pending(self, limit: int, now: float) -> int:
        assert self._rendition is not None
        ring = self._rendition.ring
        sent = 0
        while self._cursor < ring.end:
            block = self._decoder.decode(ring.payloads[self._cursor & ring.mask])
            self._heard = np.concatenate((self._heard[len(block) :], block))
            self._cursor += 1
            sent += 1
        return sent

    def flush(self) -> None: ...

    def listen(
        self, sink: Callable[[AudioPacket, float], None] | None, waiting: object = None
    ) -> None:
        self._sink = sink

    def want_source(self, source: str, wanted: bool) -> None:
        self._wanted = wanted

    def request_key_frame(self, source: str) -> None:
        self._asked = True

    def limit_bitrate(self, bps: int | None) -> None: ...

    def statistics(self, now: float) -> LegStatistics:
        return LegStatistics()

    def unheard_s(self, now: float) -> float:
        return now - self.heard_at

    # What it does

    def talk(self, now: float) -> None:
        """Send 20 ms."""
        self.heard_at = now
        at = self._tick * TICK
        sound = np.zeros(TICK)
        spoken = self.speech[at : at + TICK]
        sound[: len(spoken)] = spoken
        sound += self._noise.normal(0, 32_768 * 10 ** (self.noise_dbov / 20), TICK)
        if self.echo_ms is not None:
            late = round(self.echo_ms * 48)
            taken = self._heard[len(self._heard) - late - TICK :][:TICK]
            sound += taken * 10 ** (self.echo_db / 20)
        if self.fault is not None:
            sound = self.fault(sound)
        block = np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)
        level = round(level_dbov(block)) if self.levels else None
        step = FORMATS[self.codec].rtp_ticks_per_tick
        packet = AudioPacket(
            1_000 + self._tick,
            90_000 + self._tick * step,
            self._encoder.encode(block),
            level,
            False,
        )
        self._tick += 1
        if self._sink is not None:
            self._sink(packet, now)

    def next_picture(self) -> EncodedFrame | None:
        """A picture, while it is wanted."""
        if self.film is None or not self._wanted:
            return None
        key, self._asked = self._asked, False
        coded = self._camera.encode(av.VideoFrame.from_ndarray(next(self.film), "yuv420p"), key)
        self._pictures += 1
        return EncodedFrame(
            coded.data, self._pictures * 90_000 // CAMERA_FPS, coded.key_frame, contiguous=True
        )


class WatchedMeeting:
    """A conference of some rooms, its engine, and who watches it; ``run`` lets time pass."""

    def __init__(self, *rooms: WatchedRoom, settings: AlarmSettings | None = None) -> None:
        self.rooms = {room.name: room for room in rooms}
        self.now = 1_000.0
        self.wall = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
        self.lost: dict[str, float] = {}
        self.strained = False
        self.state = meeting([entry(room.name) for room in rooms])
        fan_out, pool = FanOut(lambda delay, call: None), InlinePool()
        video = LocalVideo(fan_out, pool, width=320, height=180, fps=10, bitrate_bps=200_000)
        self.engine = Engine(
            fan_out=fan_out,
            video=video,
            start=self.now,
            wall=lambda: self.wall,
            fps=10,
        )
        self.media = self.engine.start_conference("c1")
        self.watcher = Watcher(
            self.engine,
            settings or AlarmSettings(),
            pool,
            loss=lambda conference, who: self.lost.get(who),
            utcnow=lambda: self.wall,
            strained=lambda: self.strained,
        )
        self.watcher.attach(self)  # type: ignore[arg-type]
        for room in rooms:
            self.do(NoteJoined(room.name, room.id))
            self.media.add_leg(room, self.now)  # type: ignore[arg-type]
        self._ticks = 0

    # What of ``Conferences`` a watcher needs

    def running(self) -> tuple[ConferenceState, ...]:
        return (self.state,) if self.state.running else ()

    def note(self, conference: str, fact: Fact) -> None:
        self.do(fact)

    def do(self, command: Command | Fact) -> None:
        """Decide and apply."""
        self.state = evolve_all(self.state, decide(self.state, command, self.wall))
        self.media.apply_plan(media_plan(self.state), self.now)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            self.now += 0.02
            self.wall += timedelta(seconds=0.02)
            self._ticks += 1
            for room in self.rooms.values():
                if room.state == "connected" and not room.cut:
                    room.talk(self.now - 0.001)
                    if self._ticks % (50 // CAMERA_FPS) == 0:
                        frame = room.next_picture()
                        if frame is not None:
                            self.media.frame_received(room, "video", frame, self.now)  # type: ignore[arg-type]
            self.engine.handle_timer(self.now)
            self.watcher.handle_timer(self.now)

    def run_until(self, found: dict[str, list[str]], seconds: float) -> None:
        """Until these alarms last and no others, for so long at most; the caller looks."""
        for _ in range(round(seconds)):
            self.run(1)
            if self.found == found:
                return

    @property
    def found(self) -> dict[str, list[str]]:
        """Participant → kinds that last."""
        kinds: dict[str, list[str]] = {}
        for alarm in self.state.alarms:
            if alarm.open:
                kinds.setdefault(alarm.participant, []).append(alarm.kind)
        return kinds

    def alarm(self, participant: str, kind: str) -> ConferenceAlarm:
        """The newest of a room."""
        return [
            one for one in self.state.alarms if (one.participant, one.kind) == (participant, kind)
        ][-1]
