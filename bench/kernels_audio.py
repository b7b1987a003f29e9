"""What sound costs: ``python -m bench.kernels_audio`` prints JSON.

Each kernel stands beside what one would write without it, run alternately in the same process:
``us`` is CPU time per call (thread time, best of several rounds), ``ratio`` baseline / ours.
Microseconds depend on the machine; the ratio is what to quote.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import av
import numpy as np
import opuslib_next
from av.audio.codeccontext import AudioCodecContext

from mcu.engine.audio import AudioMixer
from mcu.legs.leg import StreamCodec
from mcu.media.frames import AudioPacket
from mcu.media.rendition import FanOut, Rendition
from mixer.audio.block import Int16Block
from mixer.audio.limiter import LimiterState, limit
from mixer.audio.mix import mix_minus, mix_total
from mixer.audio.playout import PlayoutBuffer
from mixer.audio.speakers import SpeakerSelector
from mixer.codecs.g711 import decoding_table
from mixer.codecs.opus import OpusDecoder, OpusEncoder
from mixer.codecs.opus_fallback import PyavOpusDecoder, PyavOpusEncoder

OPUS = StreamCodec("opus", 48_000, 2)
Call = Callable[[], object]
T = TypeVar("T")


def measure(calls: dict[str, Call], seconds: float) -> dict[str, float]:
    """CPU microseconds of each call: alternating rounds, the best round of each."""
    best = dict.fromkeys(calls, float("inf"))
    counts: dict[str, int] = {}
    for name, call in calls.items():
        call()
        began = time.thread_time()
        call()
        took = max(time.thread_time() - began, 1e-6)
        counts[name] = max(1, int(seconds / 5 / took))
    for _ in range(5):
        for name, call in calls.items():
            count = counts[name]
            began = time.thread_time()
            for _ in range(count):
                call()
            best[name] = min(best[name], (time.thread_time() - began) / count)
    return {name: took * 1e6 for name, took in best.items()}


def compare(calls: dict[str, Call], seconds: float) -> dict[str, object]:
    """The first call is ours, the others are baselines."""
    us = measure(calls, seconds)
    ours = next(iter(us.values()))
    return {
        "us": {name: round(took, 2) for name, took in us.items()},
        "ratio": {name: round(took / ours, 2) for name, took in list(us.items())[1:]},
    }


def speech(seed: int, ticks: int) -> Int16Block:
    """Voiced sound with syllables, int16 (ticks, 960)."""
    rng = np.random.default_rng(seed)
    t = np.arange(ticks * 960) / 48_000
    hz = rng.uniform(90, 220)
    phase = 2 * np.pi * (hz * t - 2 * np.cos(2 * np.pi * 1.3 * t))
    sound = sum(np.sin(k * phase) / (1 + abs(k * hz - 600) / 300) for k in range(1, 20))
    sound = 2_000 * sound * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)) + rng.normal(0, 20, len(t))
    blocks: Int16Block = np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)
    return blocks.reshape(ticks, 960)


class QuietLeg:
    """A listener that takes payloads and does nothing with them."""

    kind, state, conference = "join", "connected", "bench"

    def __init__(self, participant: str) -> None:
        self.id = self.participant = participant
        self.sources = self.outputs = {"audio": OPUS}
        self._rendition: Rendition | None = None

    def play(self, stream: str, rendition: Rendition | None) -> None:
        if self._rendition is not None:
            self._rendition.unsubscribe(self)
        self._rendition = rendition
        if rendition is not None:
            rendition.subscribe(self)

    def send_pending(self, limit: int, now: float) -> int:
        return 1

    def flush(self) -> None:
        pass


class Conference:
    """N rooms that send all the time, ``speakers`` of them speech; ours."""

    def __init__(self, rooms: int, speakers: int, ticks: int = 250) -> None:
        self.mixer = AudioMixer(fan_out=FanOut(lambda delay, call: None))
        self.rooms = rooms
        encoder = OpusEncoder()
        silence = encoder.encode(np.zeros(960, np.int16))
        self.payloads = []
        for number in range(speakers):
            encoder = OpusEncoder()
            self.payloads.append([encoder.encode(block) for block in speech(number, ticks)])
        self.payloads += [[silence]] * (rooms - speakers)
        self.levels = [-25] * speakers + [-90] * (rooms - speakers)
        self.sinks = []
        for number in range(rooms):
            self.sinks.append(self.mixer.add_source(str(number), OPUS).receive)
            self.mixer.add_listener(QuietLeg(str(number)), 0.0)  # type: ignore[arg-type]
        self.tick = 0

    def packets(self) -> list[AudioPacket]:
        tick = self.tick
        return [
            AudioPacket(tick, tick * 960, payloads[tick % len(payloads)], level, False)
            for payloads, level in zip(self.payloads, self.levels, strict=True)
        ]

    def step(self) -> tuple[float, float]:
        """CPU seconds of laying in a tick's packets, and of the tick."""
        now = self.tick * 0.02
        packets = self.packets()
        began = time.thread_time()
        for sink, packet in zip(self.sinks, packets, strict=True):
            sink(packet, now)
        received = time.thread_time()
        self.mixer.tick(now)
        done = time.thread_time()
        self.tick += 1
        return received - began, done - received


class NaiveConference:
    """The same work as a first version has it: decode all, mix for each, encode for each."""

    def __init__(self, like: Conference) -> None:
        self.like = like
        self.decoders = [OpusDecoder() for _ in range(like.rooms)]
        self.encoders = [OpusEncoder() for _ in range(like.rooms)]
        self.tick = 0

    def step(self) -> float:
        began = time.thread_time()
        blocks = np.array(
            [
                decoder.decode(payloads[self.tick % len(payloads)])
                for decoder, payloads in zip(self.decoders, self.like.payloads, strict=True)
            ],
            np.int32,
        )
        for number, encoder in enumerate(self.encoders):
            mix = np.delete(blocks, number, axis=0).sum(axis=0)
            encoder.encode(np.clip(mix, -32_768, 32_767).astype(np.int16))
        self.tick += 1
        return time.thread_time() - began


def conference(rooms: int, speakers: int, seconds: float) -> dict[str, object]:
    ours = Conference(rooms, speakers)
    naive = NaiveConference(ours)
    for _ in range(100):
        ours.step()
    before = ours.mixer.statistics()
    receive: list[float] = []
    tick: list[float] = []
    naively: list[float] = []
    spent = 0.0
    while spent < 5 * seconds or len(tick) < 50:
        got, took = ours.step()
        receive.append(got / rooms)
        tick.append(took)
        if len(tick) % 10 == 0:
            naively.append(naive.step())
            spent += naively[-1]
        spent += took + got
    after = ours.mixer.statistics()
    ticks = after.ticks - before.ticks
    middle = float(np.median(tick))
    per_tick = middle + float(np.median(receive)) * rooms
    return {
        "receive_us": round(float(np.median(receive)) * 1e6, 2),
        "tick_us": round(middle * 1e6, 1),
        "tick_us_p99": round(float(np.quantile(tick, 0.99)) * 1e6, 1),
        "wall_us_per_tick": {
            stage: round((getattr(after, stage) - getattr(before, stage)) / ticks * 1e6, 1)
            for stage in ("decode_s", "mix_s", "encode_s")
        },
        "decodes_per_tick": round((after.decoded - before.decoded) / ticks, 2),
        "encodes_per_tick": round((after.encoded - before.encoded) / ticks, 2),
        "share_of_a_core": round(per_tick / 0.02, 4),
        "naive_us": round(float(np.median(naively)) * 1e6, 1),
        "ratio": round(float(np.median(naively)) / per_tick, 1),
    }


def mixing(speakers: int, seconds: float) -> dict[str, object]:
    voices = np.stack([speech(k, 1)[0] for k in range(speakers)]).astype(np.int32)
    total, minus = np.empty(960, np.int32), np.empty_like(voices)
    rows = voices.tolist()

    def ours() -> None:
        mix_total(voices, total)
        mix_minus(total, voices, minus)

    def each_by_itself() -> list[object]:
        return [np.delete(voices, one, axis=0).sum(axis=0) for one in range(speakers)]

    def pure_python() -> list[list[int]]:
        return [
            [sum(column) for column in zip(*(rows[:one] + rows[one + 1 :]), strict=True)]
            for one in range(speakers)
        ]

    return compare({"ours": ours, "numpy_each": each_by_itself, "python": pure_python}, seconds)


def limiting(seconds: float) -> dict[str, object]:
    quiet = np.stack([speech(k, 1)[0] for k in range(5)]).astype(np.int32)
    loud = quiet * 12
    states = LimiterState.fresh(5), LimiterState.fresh(5)
    return compare(
        {
            "ours_quiet": lambda: limit(quiet, states[0]),
            "ours_limiting": lambda: limit(loud, states[1]),
            "clip_only": lambda: np.clip(loud, -32_768, 32_767).astype(np.int16),
        },
        seconds,
    )


def opus(seconds: float) -> dict[str, object]:
    blocks = list(speech(1, 100))
    ours, pyav = OpusEncoder(), PyavOpusEncoder()
    binding = opuslib_next.Encoder(48_000, 1, "voip")
    binding.complexity = 5
    binding.bitrate = 40_000
    binding.inband_fec = 1
    binding.packet_loss_perc = 5
    payloads = [OpusEncoder().encode(block) for block in blocks]
    decoders = OpusDecoder(), PyavOpusDecoder(), opuslib_next.Decoder(48_000, 1)
    position = dict.fromkeys(range(6), 0)

    def following(which: int, items: Sequence[T], work: Callable[[T], object]) -> None:
        position[which] = (position[which] + 1) % len(items)
        work(items[position[which]])

    raw = [block.tobytes() for block in blocks]
    return {
        "encode": compare(
            {
                "ours": partial(following, 0, blocks, ours.encode),
                "pyav": partial(following, 1, blocks, pyav.encode),
                "opuslib_next": partial(following, 2, raw, lambda one: binding.encode(one, 960)),
            },
            seconds,
        ),
        "decode": compare(
            {
                "ours": partial(following, 3, payloads, decoders[0].decode),
                "pyav": partial(following, 4, payloads, decoders[1].decode),
                "opuslib_next": partial(
                    following, 5, payloads, lambda one: decoders[2].decode(one, 960)
                ),
            },
            seconds,
        ),
    }


def g711(seconds: float) -> dict[str, object]:
    payload = np.random.default_rng(1).integers(0, 256, 160).astype(np.uint8).tobytes()
    table = decoding_table("pcma")
    context = av.CodecContext.create("pcm_alaw", "r")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout = 8_000, "mono"
    context.open()
    return compare(
        {
            "ours": lambda: table[np.frombuffer(payload, np.uint8)],
            "pyav": lambda: context.decode(av.Packet(payload))[0].to_ndarray(),
        },
        seconds,
    )


def selecting(rooms: int, seconds: float) -> dict[str, object]:
    rng = np.random.default_rng(1)
    selector = SpeakerSelector()
    for _ in range(rooms):
        selector.add()
    levels = rng.uniform(-127, -40, rooms).astype(np.float32)
    eligible, importance = np.ones(rooms, np.bool_), np.zeros(rooms, np.float32)
    smooth = dict.fromkeys(range(rooms), -70.0)
    given = levels.tolist()

    def pure_python() -> list[int]:
        for row, level in enumerate(given):
            before = smooth[row]
            smooth[row] = max(
                before + 0.5 * (level - before) if level > before else max(level, before - 0.8),
                -70.0,
            )
        loud = [row for row in smooth if smooth[row] > -50.0]
        return sorted(loud, key=lambda row: -smooth[row])[:8]

    return compare(
        {"ours": lambda: selector.update(levels, eligible, importance), "python": pure_python},
        seconds,
    )


def playing(seconds: float) -> dict[str, object]:
    encoder = OpusEncoder()
    payloads = [encoder.encode(block) for block in speech(1, 100)]
    buffer = PlayoutBuffer(OpusDecoder)
    buffer.start()
    decoder = OpusDecoder()
    tick = 0

    def ours() -> None:
        nonlocal tick
        tick += 1
        packet = AudioPacket(tick, tick * 960, payloads[tick % 100], -25, True)
        buffer.packets.put(packet, tick * 0.02)
        buffer.get(tick * 0.02)

    def decode_alone() -> None:
        nonlocal tick
        tick += 1
        decoder.decode(payloads[tick % 100])

    took = measure({"ours": ours}, seconds)
    alone = measure({"decode_alone": decode_alone}, seconds)
    return {"us": {key: round(value, 2) for key, value in {**took, **alone}.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=145)
    parser.add_argument("--speakers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.5, help="of CPU time for each kernel")
    options = parser.parse_args()
    rooms, speakers, seconds = options.rooms, options.speakers, options.seconds
    result = {
        "rooms": rooms,
        "speakers": speakers,
        "conference": conference(rooms, speakers, seconds),
        "mix_minus": mixing(speakers, seconds),
        "limiter_5_mixes": limiting(seconds),
        "opus": opus(seconds),
        "g711_decode_8_khz": g711(seconds),
        "speaker_selection": selecting(rooms, seconds),
        "playout": playing(seconds),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
