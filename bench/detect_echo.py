"""Rooms that return what they are sent, and healthy ones: how often which is found."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bench import detect_sound as sounds
from bench.detect_sound import CODECS, Floats, Sound, coded, mixed
from bench.detect_table import Row
from mixer.audio.block import TICK_SAMPLES
from mixer.detect.echo_scan import EchoScan
from mixer.detect.echo_search import EchoSearch, Likeness
from mixer.detect.probe import ProbeSearch, probe

SECONDS = 6.0
LEVELS_DB = (-6, -12, -20, -30, -40)
LATENCY_MS = (-2.0, 10.0)
"""Of the codecs, which the delay that is found contains."""


def compare(to_room: Sound, from_room: Sound) -> Likeness:
    """What the search finds."""
    search = EchoSearch()
    search.take(sounds.narrow(to_room), sounds.narrow(from_room))
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


def probed(returned: Sound) -> Likeness:
    """What the search for the probe finds."""
    search = ProbeSearch()
    search.take(sounds.narrow(returned))
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
