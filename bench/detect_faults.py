"""Clipped, howling, humming and silent rooms, and healthy ones: how often which is found."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench import detect_sound as sounds
from bench.detect_sound import CODECS, Sound, coded, mixed
from bench.detect_table import Row
from mixer.audio.block import TICK_SAMPLES
from mixer.detect.clipping import ClippingWatch
from mixer.detect.howl import HowlWatch
from mixer.detect.hum import HumWatch
from mixer.detect.speech_activity import SpeechActivity

HOWL_S = 1.0
HUM_DBOV = -62.0


def clipped(sound: Sound, drive_db: float, ceiling_dbfs: float) -> Sound:
    """Overdriven by so much, the ceiling brought to a level."""
    peak = float(np.quantile(np.abs(sound.astype(np.float64)), 0.9999))
    ceiling = 32_767 * 10 ** (ceiling_dbfs / 20)
    driven = sound * (ceiling / peak * 10 ** (drive_db / 20))
    return sounds.whole(np.clip(driven, -ceiling, ceiling))


def is_clipped(sound: Sound) -> bool:
    """Whether the watch has found it by the end."""
    watch = ClippingWatch()
    watch.take(sounds.narrow(sound))
    found = watch.found()
    return found is not None and (found.ceiling >= 1.0 or found.at_end_of_scale >= 0.001)


def longest_tone_s(sound: Sound) -> float:
    """The longest that a tone was seen to hold."""
    watch, longest = HowlWatch(), 0.0
    for block in sound.reshape(-1, TICK_SAMPLES):
        watch.take(block)
        longest = max(longest, watch.held_s)
    return longest


def hum_dbov(sound: Sound) -> float:
    """Level of the hum found."""
    watch = HumWatch()
    watch.take(sounds.narrow(sound))
    return watch.level_dbov or 0.0


def is_howling(sound: Sound) -> bool:
    """A tone held for long."""
    return longest_tone_s(sound) >= HOWL_S


def is_humming(sound: Sound) -> bool:
    """Loud enough to be heard in a pause."""
    return hum_dbov(sound) >= HUM_DBOV


def is_silent(sound: Sound) -> bool:
    """Nobody has spoken in the last three seconds."""
    activity = SpeechActivity(1)
    activity.take(sounds.levels(sound)[:, None])
    return int(activity.silent_ticks[0]) >= 150


def howling(hz: float, growth_db_s: float, beside: Sound) -> Sound:
    """A loop that begins to howl after a second and drives its amplifier to the end."""
    t = np.arange(len(beside)) / 48_000
    loud = np.minimum(20 * 10 ** (growth_db_s * np.maximum(t - 1, 0) / 20), 12_000) * (t > 1)
    return sounds.whole(np.clip(beside * 0.7 + loud * np.sin(2 * np.pi * hz * t), -14_000, 14_000))


def humming(level_dbov: float, seconds: float) -> Sound:
    """50 Hz and its harmonics."""
    t = np.arange(sounds.ticks(seconds) * TICK_SAMPLES) / 48_000
    lines = [np.sin(2 * np.pi * 50 * k * t + k) / k for k in range(1, 9)]
    return sounds.at_level(np.sum(lines, axis=0), level_dbov)


def healthy_sounds(seeds: Sequence[int], recorded: bool) -> dict[str, list[Sound]]:
    """Sound of rooms without a fault."""

    def voice(name: str) -> Sound:
        return sounds.voice(name, 7.0, recorded=recorded)

    return {
        "speech": [voice(f"near {n}") for n in seeds],
        "two speak at once": [mixed(voice(f"near {n}"), voice(f"far {n}")) for n in seeds],
        "speech in noise": [mixed(voice(f"near {n}"), sounds.noise(n, 7.0, -45)) for n in seeds],
        "music": [sounds.music(n, 7.0) for n in seeds],
        "noise": [sounds.noise(n, 7.0, -45.0) for n in seeds],
    }


def sound_rows(
    seeds: Sequence[int],
    ceilings_dbfs: Sequence[float],
    *,
    recorded: bool,
    codecs: Sequence[str] = CODECS,
) -> Iterator[Row]:
    """Clipping, howl, hum and silence.

    Args:
        seeds: one of each kind of sound for each. ceilings_dbfs: of what is clipped.
    """
    healthy = healthy_sounds(seeds, recorded)

    def count(
        fault: str,
        material: str,
        wanted: bool,
        given: Sequence[Sound],
        finds: Callable[[Sound], bool],
        through: Sequence[str] = codecs,
    ) -> Row:
        came = [
            coded(one, codec, number)
            for number, (one, codec) in enumerate(itertools.product(given, through))
        ]
        return Row(fault, material, wanted, len(came), sum(map(finds, came)))

    for names, is_opus in (("Opus", True), ("G.711, G.722", False)):
        group = [codec for codec in codecs if codec.startswith("opus") == is_opus]
        for drive, level in itertools.product((6, 10, 15, 20), ceilings_dbfs):
            driven = [clipped(one, drive, level) for one in healthy["speech"]]
            material = f"{drive} dB over, ceiling {level} dBFS, {names}"
            yield count("clipping", material, True, driven, is_clipped, group)
    for hz, growth in itertools.product((400, 1_100, 2_700), (20, 60)):
        loops = [howling(hz, growth, one) for one in healthy["speech"]]
        yield count("howl", f"{hz} Hz, {growth} dB/s", True, loops, is_howling)
    for level in (-60, -50, -40):
        hums = [mixed(humming(level, 7.0), one) for one in healthy["speech"]]
        yield count("hum", f"{level} dBov under speech", True, hums, is_humming)
    quiet = {f"room noise {level} dBov": [sounds.noise(n, 7.0, level) for n in seeds]
             for level in (-70, -55, -40)}  # fmt: skip
    quiet["hum -45 dBov"] = [humming(-45, 7.0)]
    quiet["microphone off"] = [np.zeros(350 * TICK_SAMPLES, np.int16)]
    for material, given in quiet.items():
        yield count("silence", material, True, given, is_silent)
    for material, given in healthy.items():
        yield count("clipping", material, False, given, is_clipped)
        yield count("howl", material, False, given, is_howling)
        yield count("hum", material, False, given, is_humming)
        if material != "noise":
            yield count("silence", material, False, given, is_silent)
    soft = [mixed(sounds.gained(one, -14), sounds.noise(n, 7.0, -55))
            for n, one in enumerate(healthy["speech"])]  # fmt: skip
    yield count("silence", "somebody soft, -40 dBov, in noise -55", False, soft, is_silent)
