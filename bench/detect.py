"""How often detectors find what is there, and how often what is not: ``python -m bench.detect``.

Sound and pictures are made (voices are recordings where they are installed), given the fault,
sent through the codecs that rooms use, Opus with loss among them, and shown to the detectors of
``mixer.detect``. The result is a Markdown table; hits and false alarms are counted over a grid.

    python -m bench.detect             the whole grid, some minutes
    python -m bench.detect --short     a part of it, in less than a minute
"""

import argparse
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench import detect_pictures as pictures
from bench import detect_sound as sounds
from bench.clips import Picture
from bench.detect_pictures import FPS, LINES, Line, sent
from bench.detect_sound import CODECS, Floats, Sound, coded, mixed
from bench.figures import Figure
from mixer.audio.block import TICK_SAMPLES
from mixer.audio.resample import Downsampler
from mixer.detect.black import light
from mixer.detect.clipping import ClippingWatch
from mixer.detect.echo_scan import EchoScan
from mixer.detect.echo_search import EchoSearch, Likeness, Samples
from mixer.detect.howl import HowlWatch
from mixer.detect.hum import HumWatch
from mixer.detect.picture_grid import grid, sampled
from mixer.detect.probe import ProbeSearch, probe
from mixer.detect.speech_activity import SpeechActivity
from mixer.detect.stillness import Stillness

SECONDS = 6.0
LEVELS_DB = (-6, -12, -20, -30, -40)
LATENCY_MS = (-2.0, 10.0)
"""Of the codecs, which the delay that is found contains."""
HOWL_S = 1.0
HUM_DBOV = -62.0
HEAD = "| looked for | in | there | cases | alarms | |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Args:
        fault: what is looked for. material: what it was looked for in.
        wanted: whether it is there. alarms: in how many of ``cases`` it was found.
    """

    fault: str
    material: str
    wanted: bool
    cases: int
    alarms: int


def rows(*, short: bool, recorded: bool) -> Iterator[Row]:
    """The whole table, row by row as it is made."""
    yield from echo_rows(short=short, recorded=recorded)
    yield from probe_rows(short=short, recorded=recorded)
    seeds = range(2 if short else 6)
    yield from sound_rows(seeds, (-20,) if short else (-20, -6, 0), recorded=recorded)
    lines = (LINES[0], LINES[2]) if short else LINES
    yield from black_rows(lines)
    yield from still_rows(lines, 24 if short else 40)


# Echo


def narrow(sound: Sound) -> Samples:
    """At 8 kHz."""
    return Downsampler(6).process(sound)


def compare(to_room: Sound, from_room: Sound) -> Likeness:
    """What the search finds."""
    search = EchoSearch()
    search.take(narrow(to_room), narrow(from_room))
    return search.likeness()


def is_found(found: Likeness, delay_ms: float) -> bool:
    """An echo, and the right one."""
    early, late = LATENCY_MS
    return found.kind == "echo" and early <= found.delay_ms - delay_ms <= late


def echo_rows(*, short: bool, recorded: bool, levels: Sequence[float] = LEVELS_DB) -> Iterator[Row]:
    """Echo at several delays, levels, in noise and double talk; and healthy rooms."""
    delays = (20, 120, 400) if short else (20, 60, 120, 200, 300, 400)
    noises = (-60,) if short else (-70, -60, -50)
    seeds = range(1) if short else range(2)
    for level, noise, talk in itertools.product(levels, noises, (False, True)):
        searched, suspected, cases = 0, 0, 0
        for number, (seed, delay) in enumerate(itertools.product(seeds, delays)):
            codec = CODECS[(number + seed) % len(CODECS)]
            voice = sounds.voice(f"far {number}", SECONDS, recorded=recorded)
            parts: list[Sound | Floats] = [
                sounds.echo(voice, delay, level, seed),
                sounds.noise(seed, SECONDS, noise),
            ]
            if talk:
                parts.append(
                    sounds.voice(f"near {number}", SECONDS, recorded=recorded).astype(float)
                )
            returned = coded(mixed(*parts), codec, seed)
            searched += is_found(compare(voice, returned), delay)
            suspected += len(_scan([voice], [returned]))
            cases += 1
        talking = ", double talk" if talk else ""
        material = f"{level} dB, noise {noise} dBov{talking}"
        yield Row("echo", material, True, cases, searched)
        yield Row("echo, by levels alone", material, True, cases, suspected)
    yield from _healthy_rows(range(3 if short else 8), recorded)


def _healthy_rows(seeds: Sequence[int], recorded: bool) -> Iterator[Row]:
    for material, pairs in healthy_pairs(seeds, recorded).items():
        found = [compare(there, coded(back, CODECS[n % 4], n)) for n, (there, back) in pairs]
        alarms = sum(one.kind == "echo" for one in found)
        yield Row("echo", material, False, len(pairs), alarms)
        suspects = _scan(*zip(*(pair for _, pair in pairs), strict=True))
        yield Row("echo, by levels alone", material, False, len(pairs), len(suspects))


def healthy_pairs(
    seeds: Sequence[int], recorded: bool
) -> dict[str, list[tuple[int, tuple[Sound, Sound]]]]:
    """What is sent to healthy rooms, and what comes from them: material → (number, pair)."""

    def voice(name: str) -> Sound:
        return sounds.voice(name, SECONDS, recorded=recorded)

    def tv_here(seed: int) -> tuple[Sound, Sound]:
        # The others have the same programme on; theirs comes here by way of network and mixer.
        programme = mixed(voice(f"speaker {seed}"), sounds.music(seed, SECONDS, -32.0))
        return sounds.whole(sounds.later(programme, 60.0 + 10 * seed)), programme

    def beside(seed: int) -> tuple[Sound, Sound]:
        own = mixed(voice(f"far {seed}"), sounds.music(seed, SECONDS, -40.0))
        return own, sounds.noise(seed, SECONDS, -50.0)

    makers: dict[str, Callable[[int], tuple[Sound, Sound]]] = {
        "two speak at once": lambda n: (voice(f"far {n}"), voice(f"near {n + 1}")),
        "speech there, music here": lambda n: (voice(f"far {n}"), sounds.music(n, SECONDS)),
        "music there, other music here": lambda n: (
            sounds.music(n, SECONDS), sounds.music(n + 50, SECONDS)),
        "echo cancelled, noise": beside,
        "the same television programme": tv_here,
    }  # fmt: skip
    return {name: [(n, make(n)) for n in seeds] for name, make in makers.items()}


def _scan(sent_: Sequence[Sound], returned: Sequence[Sound]) -> list[int]:
    scan = EchoScan(len(sent_))
    scan.take(
        np.stack([sounds.levels(one) for one in sent_], axis=1),
        np.stack([sounds.levels(one) for one in returned], axis=1),
    )
    return [int(row) for row in scan.suspects()]


# The probe


def probed(returned: Sound) -> Likeness:
    """What the search for the probe finds."""
    search = ProbeSearch()
    search.take(narrow(returned))
    return search.likeness()


def probe_rows(*, short: bool, recorded: bool) -> Iterator[Row]:
    """The probe in a return, at several levels, in quiet and with people who talk."""
    seconds = 4.0
    long = np.zeros(sounds.ticks(seconds) * TICK_SAMPLES, np.int16)
    long[: len(probe())] = probe()
    delays = (20, 400) if short else (20, 60, 120, 200, 300, 400)
    for level, talk in itertools.product((-6, -20, -40), (False, True)):
        hits = 0
        for number, delay in enumerate(delays):
            parts: list[Sound | Floats] = [
                sounds.echo(long, delay, level, number),
                sounds.noise(number, seconds, -65.0),
            ]
            if talk:
                voice = sounds.voice(f"near {number}", seconds, recorded=recorded)
                parts.append(voice)
            found = probed(coded(mixed(*parts), CODECS[number % 4], number))
            hits += is_found(found, delay)
        talking = ", people talk" if talk else ""
        yield Row("probe", f"{level} dB{talking}", True, len(delays), hits)
    seeds = range(3 if short else 10)
    alarms = 0
    for seed in seeds:
        for sound in (sounds.voice(f"near {seed}", seconds, recorded=recorded),
                      sounds.music(seed, seconds), sounds.noise(seed, seconds, -50.0)):  # fmt: skip
            alarms += probed(coded(sound, CODECS[seed % 4], seed)).kind == "echo"
    yield Row("probe", "speech, music, noise without it", False, 3 * len(seeds), alarms)


# Sound


def clipped(sound: Sound, drive_db: float, ceiling_dbfs: float) -> Sound:
    """Overdriven by so much, the ceiling brought to a level."""
    peak = float(np.quantile(np.abs(sound.astype(np.float64)), 0.9999))
    ceiling = 32_767 * 10 ** (ceiling_dbfs / 20)
    driven = sound * (ceiling / peak * 10 ** (drive_db / 20))
    return sounds.whole(np.clip(driven, -ceiling, ceiling))


def is_clipped(sound: Sound) -> bool:
    """Whether the watch has found it by the end."""
    watch = ClippingWatch()
    watch.take(narrow(sound))
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
    watch.take(narrow(sound))
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


# Pictures


def verdicts(shown: Iterator[Picture], line: Line, from_s: float) -> dict[str, int]:
    """How often each verdict stood, a second apart, from a time on."""
    watch = Stillness()
    counted: dict[str, int] = {}
    for number, luma in enumerate(sent(shown, line)):
        now = number / FPS
        watch.take(luma, now)
        if now >= from_s and number % FPS == 0:
            verdict = watch.verdict(now)
            counted[verdict] = counted.get(verdict, 0) + 1
    return counted


def blacks(shown: Iterator[Picture], line: Line) -> tuple[int, int]:
    """Pictures, and how many of them are black."""
    lights = [light(grid(sampled(luma))) for luma in sent(shown, line)]
    return len(lights), sum(one.is_black for one in lights)


def black_rows(lines: Sequence[Line]) -> Iterator[Row]:
    """Closed shutters and rooms in little light, through the codecs at several rates."""
    for line in lines:
        for gain, lift in ((0, 0), (3, 2), (8, 6), (15, 10)):
            cases, found = blacks(pictures.black(1, 20, gain, lift), line)
            yield Row("black", f"sensor noise {gain}, {line}", True, cases, found)
        for name, shown in (("room", pictures.live(1, 20)), ("room at 15% of its light",
                            pictures.dim(1, 20, 0.15)), ("room at 30%", pictures.dim(2, 20, 0.3)),
                            ("still room", pictures.still(3, 20, 1.5))):  # fmt: skip
            cases, found = blacks(shown, line)
            yield Row("black", f"{name}, {line}", False, cases, found)


def still_rows(lines: Sequence[Line], seconds: int) -> Iterator[Row]:
    """Frozen pictures, rooms that stand still and rooms that move.

    Args:
        seconds: so long is watched.
    """
    for line in lines:
        live = pictures.live(1, 3 * FPS)
        stopped = itertools.chain(live, pictures.frozen(1, (seconds - 3) * FPS))
        found_ = verdicts(stopped, line, seconds - 6)
        cases = sum(found_.values())
        yield Row("frozen", f"{line}, {seconds - 9} s later", True, cases, found_.get("frozen", 0))
        unmoved = cases - found_.get("moving", 0)
        yield Row("frozen or still", f"{line}, {seconds - 9} s later", True, cases, unmoved)
        for noise in (0.7, 1.5, 3.0):
            found_ = verdicts(pictures.still(1, seconds * FPS, noise), line, 8)
            cases = sum(found_.values())
            material = f"still room, noise {noise}, {line}"
            yield Row("frozen", material, False, cases, found_.get("frozen", 0))
        found_ = verdicts(pictures.live(2, 12 * FPS), line, 6)
        cases = sum(found_.values())
        unmoved = cases - found_.get("moving", 0)
        yield Row("frozen or still", f"room, {line}", False, cases, unmoved)


# The table


def table(found: Sequence[Row]) -> str:
    """Markdown."""
    return "\n".join((HEAD, *map(line_of, found)))


def line_of(row: Row) -> str:
    """One line of it."""
    share = f"{100 * row.alarms / max(row.cases, 1):.0f}%"
    word = "found" if row.wanted else "false"
    there = "yes" if row.wanted else "no"
    return (
        f"| {row.fault} | {row.material} | {there} | {row.cases} | {row.alarms} | {share} {word} |"
    )


def figures(found: Sequence[Row]) -> list[Figure]:
    """Shares found and false, of each fault."""
    result = []
    for fault in dict.fromkeys(row.fault for row in found):
        for wanted, word in ((True, "found"), (False, "false alarms")):
            these = [row for row in found if row.fault == fault and row.wanted == wanted]
            cases = sum(row.cases for row in these)
            if cases:
                share = 100 * sum(row.alarms for row in these) / cases
                result.append(Figure(f"{fault}: {word}", share, "%", against=f"{cases} cases"))
    return result


async def measure(*, short: bool) -> list[Figure]:
    """Shares of hits and false alarms."""
    return figures(list(rows(short=short, recorded=True)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true")
    parser.add_argument(
        "--synthetic", action="store_true", help="voices, though recorded are there"
    )
    options = parser.parse_args()
    recorded = not options.synthetic and sounds.is_recorded()
    print(f"Voices: {'recorded' if recorded else 'synthetic'}.\n\n{HEAD}")
    for row in rows(short=options.short, recorded=recorded):
        print(line_of(row), flush=True)


if __name__ == "__main__":
    main()
