"""What a second of a 4×4 view costs: decode, scale, compose, encode; ours and a naive baseline.

    python -m bench.kernels_video --seconds 4 --legs 4

Sixteen rooms send 640×360 at 25 pictures a second; the view is 1280×720. Ours is the daemon's
video mixer, run inline. The baseline does what a first version would do: it decodes every picture,
scales it into a new array, builds the canvas anew, makes a frame of it by copying, and encodes it
once for each leg. CPU time of one thread, one JSON line, ratio = baseline / ours.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import av
import numpy as np

from bench.command import command_line
from bench.media import coded_pictures
from mcu.engine.plan import MediaPlan, ParticipantPlan, ParticipantSlot, ViewPlan
from mcu.engine.pool import InlinePool
from mcu.engine.video import VideoMixer
from mcu.legs.leg import LegKind, LegState, LegStatistics, StreamCodec, StreamName
from mcu.media import h264
from mcu.media.assembly import FrameAssembler
from mcu.media.frames import EncodedFrame
from mcu.media.rendition import FanOut, Rendition
from mixer.codecs.video import VideoDecoder, VideoEncoder

ROOMS = 16
COLUMNS = 4
FPS = 25
SIZE = (1280, 720)
BITRATE_BPS = 1_500_000
WALL = datetime(2026, 1, 1, tzinfo=UTC)


class BenchLeg:
    """A leg that takes everything and sends nothing on."""

    def __init__(self, name: str, *, sends: bool) -> None:
        codec = StreamCodec("h264", 90_000)
        self.id = name
        self.participant: str | None = name
        self.conference = "bench"
        self.kind: LegKind = "join"
        self.state: LegState = "connected"
        self.sources: Mapping[StreamName, StreamCodec] = {"video": codec} if sends else {}
        self.outputs: Mapping[StreamName, StreamCodec] = {"video": codec}

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """Nothing to send."""

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """Sends anyway."""

    def request_key_frame(self, source: StreamName) -> None:
        """Each loop begins with one."""

    def limit_bitrate(self, bps: int | None) -> None:
        """Sends what it sends."""

    def statistics(self, now: float) -> LegStatistics:
        """None kept."""
        return LegStatistics()

    def close(self, reason: str, now: float) -> None:
        """Nothing to free."""


def access_units() -> list[list[bytes]]:
    """A loop of coded pictures for each of four kinds of room."""
    loops = []
    for seed in range(1, 5):
        assembler, units, sequence = FrameAssembler("h264"), [], 0
        for number, payloads in enumerate(coded_pictures(seed=seed).payloads):
            for index, payload in enumerate(payloads):
                last = index == len(payloads) - 1
                units += assembler.insert(sequence, number * 3600, last, payload)
                sequence += 1
        loops.append([unit.data for unit in units])
    return loops


def ours(loops: Sequence[Sequence[bytes]], ticks: int, legs: int) -> tuple[float, dict[str, float]]:
    """CPU seconds of the mixer, and of its stages."""
    mixer = VideoMixer(
        fan_out=FanOut(lambda delay, call: None),
        pool=InlinePool(),
        width=SIZE[0],
        height=SIZE[1],
        fps=FPS,
        bitrate_bps=BITRATE_BPS,
    )
    names = [f"Xã {number}" for number in range(ROOMS)]
    slots = tuple(ParticipantSlot(name) for name in names)
    people = {name: ParticipantPlan(name, name, "connected") for name in names}
    mixer.apply_plan(MediaPlan(people, {"main": ViewPlan("main", "4x4", slots)}), 0.0)
    for name in names:
        mixer.add_source(name, "video", BenchLeg(name, sends=True))
    for number in range(legs):
        mixer.add_viewer(BenchLeg(f"viewer {number}", sends=False), "main", 0.0)
    mixer.tick(0.0, WALL)
    began = time.process_time()
    for tick in range(ticks):
        now = (tick + 1) / FPS
        for number, name in enumerate(names):
            loop = loops[number % len(loops)]
            at = tick % len(loop)
            mixer.receive(name, "video", EncodedFrame(loop[at], tick * 3600, at == 0, True), now)
        mixer.tick(now, WALL)
    spent = time.process_time() - began
    statistics = mixer.statistics()
    expected = (ROOMS * ticks, ticks + 1)
    counters = statistics.counters
    if (counters.frames_decoded, counters.frames_encoded) != expected:
        raise RuntimeError(f"work was left out: {counters}")
    stages = {str(stage): round(seconds, 3) for stage, seconds in statistics.seconds.items()}
    mixer.close()
    return spent, stages


def baseline(loops: Sequence[Sequence[bytes]], ticks: int, legs: int) -> float:
    """CPU seconds of the naive way."""
    width, height = SIZE[0] // COLUMNS, SIZE[1] // COLUMNS
    decoders = [VideoDecoder("h264") for _ in range(ROOMS)]
    encoders = [VideoEncoder("h264", *SIZE, FPS, BITRATE_BPS) for _ in range(legs)]
    began = time.process_time()
    for tick in range(ticks):
        canvas = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
        chroma = canvas[SIZE[1] :].reshape(2, SIZE[1] // 2, SIZE[0] // 2)
        for number, decoder in enumerate(decoders):
            loop = loops[number % len(loops)]
            for picture in decoder.decode(loop[tick % len(loop)]):
                tile = picture.reformat(width, height, "yuv420p").to_ndarray()
                x, y = number % COLUMNS * width, number // COLUMNS * height
                canvas[y : y + height, x : x + width] = tile[:height]
                chroma[:, y // 2 : (y + height) // 2, x // 2 : (x + width) // 2] = tile[
                    height:
                ].reshape(2, height // 2, width // 2)
        for encoder in encoders:
            frame = av.VideoFrame.from_ndarray(canvas, format="yuv420p")
            h264.packetise(encoder.encode(frame, tick == 0).data)
    return time.process_time() - began


def main() -> None:
    """Measure both and print one JSON line."""
    parser = command_line(__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of video, not of waiting")
    parser.add_argument("--legs", type=int, default=4, help="that receive the view")
    options = parser.parse_args()
    ticks = round(options.seconds * FPS)
    print("making pictures", file=sys.stderr)
    loops = access_units()
    spent, stages = ours(loops, ticks, options.legs)
    naive = baseline(loops, ticks, options.legs)
    naive_one = baseline(loops, ticks, 1)
    print(
        json.dumps(
            {
                "rooms": ROOMS,
                "legs": options.legs,
                "seconds_of_video": options.seconds,
                "ours_cores": round(spent / options.seconds, 3),
                "ours_stage_seconds": stages,
                "baseline_cores": round(naive / options.seconds, 3),
                "ratio": round(naive / spent, 2),
                "baseline_one_leg_cores": round(naive_one / options.seconds, 3),
                "ratio_one_leg": round(naive_one / spent, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
