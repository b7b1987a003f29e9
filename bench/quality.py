"""What a voice is worth after the MCU: speech scores, and clicks where others come and go.

    python -m bench.quality
    python -m bench.quality --repeats 5

In virtual time, so that nothing else on the machine matters: recorded speech is coded with Opus,
goes over a line that may lose packets into the daemon's mixer (``mcu.engine.audio``: playout
buffer, speaker selection, mix, limiter, Opus encoder), and is heard through a playout buffer and
decoder again. Beside it stands the same speech without the MCU: coded and heard once, by the same
buffers and over a line that loses as much (of three: each by itself, then added). What a mix of
three is compared with is the exact sum of what they said; buffers may move the three against each
other by some ms, which PESQ and STOI take for damage: with three, compare rows, not numbers.

*PESQ* is ITU-T P.862.2 (wideband, 1 to 4.64), *STOI* intelligibility (0 to 1), both against the
speech as it was recorded, means over five sentences; *delay* is from spoken to heard, lines
without delay of their own. 5% loss is random, the mean over several seeds.

*Clicks* are looked for with steady pitches while others join, begin, stop and leave in the middle
of a word: the largest second difference of the samples that each of three ears hears, beside that
of the ideal mix coded once. *Level* is by how much more a steady voice's level moves meanwhile
than it does in the ideal mix coded once, and by how much while three steady voices are too loud
together, so that the limiter works.

How the pictures look is measured by ``bench.composition``.

Speech needs the Debian package pocketsphinx-testdata, and ``pesq`` and ``pystoi`` from PyPI; clicks
and levels need neither (``--clicks-only``).
"""

import asyncio
import json
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import cast

import numpy as np

from bench.command import command_line, void_is_told
from bench.figures import Figure, VoidRunError, table
from bench.sound_quality import SpeechScore, level_range_db, roughness, score
from bench.speech import Sound, others, reader, with_pauses
from mcu.legs.leg import Leg
from mcu.media.frames import AudioPacket
from mixer.audio.block import TICK_S, TICK_SAMPLES
from mixer.audio.playout import PlayoutBuffer
from mixer.codecs.audio import make_decoder, make_encoder
from tests.mcu.engine.audio_room import Ear, Line, Room, Signal, gated, still, tone

LOSS = 0.05
CLICK_BAR = 2.0
"""As rough as the ideal mix after one Opus; a click is tens of times rougher than a pitch."""
LEVEL_BAR_DB = 0.5
TAIL_TICKS = 25
"""Played on after the last word, so that all of it is heard."""

BESIDE = {
    "one, MCU": "one, Opus alone",
    "one, MCU, 5% lost on the way in": "one, Opus alone, 5% lost",
    "three, MCU": "three, Opus alone",
    "three, MCU, 5% lost on the way in": "three, Opus alone, 5% lost",
}
"""Rows that are figures, and the row each is compared with."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    name: str
    scores: SpeechScore


# Speech


def heard(payloads: Iterable[bytes], loss: float, seed: int) -> Sound:
    """What a receiver makes of Opus packets, one every 20 ms, some of which are lost."""
    rng = random.Random(seed)
    buffer = PlayoutBuffer(partial(make_decoder, "opus"))
    buffer.start()
    blocks = []
    for number, payload in enumerate(payloads):
        now = 100.0 + number * TICK_S
        if rng.random() >= loss:
            packet = AudioPacket(1_000 + number, number * TICK_SAMPLES, payload, None, False)
            buffer.packets.put(packet, now - 0.001)
        blocks.append(buffer.get(now))
    return np.concatenate(blocks)


def coded(sound: Sound) -> list[bytes]:
    """Opus packets of a sound of whole ticks."""
    encoder = make_encoder("opus")
    return [encoder.encode(block) for block in sound.reshape(-1, TICK_SAMPLES)]


def spoken(sound: Sound) -> Signal:
    """A sound as a room's sender takes it: by sample numbers, silence after its end."""
    longer = np.concatenate((sound, np.zeros(TICK_SAMPLES, np.int16)))
    return lambda numbers: longer[np.minimum(numbers, len(sound))].astype(np.float64)


def through_mcu(sounds: Sequence[Sound], loss_in: float, loss_out: float, seed: int) -> Sound:
    """What somebody silent hears of speakers through the daemon's mixer."""
    room = Room()
    for number, sound in enumerate(sounds):
        room.join(f"speaker {number}", spoken(sound), decodes=False)
    ear = room.join("listener", still, decodes=False)
    room.run(len(sounds[0]) / 48_000, line=Line(loss=loss_in, seed=seed))
    return heard(ear.payloads, loss_out, seed + 1)


def speech_cases(repeats: int, names: Sequence[str] | None = None) -> list[Case]:
    """The rows with these names, or all; those with loss are means over ``repeats`` seeds.

    Raises:
        VoidRunError: recordings or scores are not installed.
    """
    joined, places = with_pauses(reader())
    voice = _with_tail(joined)
    three = [voice, *(_as_long(with_pauses(one)[0], len(voice)) for one in others())]
    packets = [coded(one) for one in three]

    def alone(loss: float, seed: int) -> Sound:
        return heard(packets[0], loss, seed)

    def added(loss: float, seed: int) -> Sound:
        return _sum([heard(each, loss, seed + 10 * n) for n, each in enumerate(packets)])

    one_mcu, three_mcu = partial(through_mcu, [voice]), partial(through_mcu, three)
    ideal = _sum(three)
    rows: dict[str, tuple[Sound, Callable[[int], Sound], bool]] = {
        "one, Opus alone": (voice, partial(alone, 0.0), False),
        "one, MCU": (voice, partial(one_mcu, 0.0, 0.0), False),
        "one, Opus alone, 5% lost": (voice, partial(alone, LOSS), True),
        "one, MCU, 5% lost on the way in": (voice, partial(one_mcu, LOSS, 0.0), True),
        "one, MCU, 5% lost on the way out": (voice, partial(one_mcu, 0.0, LOSS), True),
        "one, MCU, 5% lost each way": (voice, partial(one_mcu, LOSS, LOSS), True),
        "three, Opus alone": (ideal, partial(added, 0.0), False),
        "three, MCU": (ideal, partial(three_mcu, 0.0, 0.0), False),
        "three, Opus alone, 5% lost": (ideal, partial(added, LOSS), True),
        "three, MCU, 5% lost on the way in": (ideal, partial(three_mcu, LOSS, 0.0), True),
    }
    cases = []
    for name, (reference, hear, varies) in rows.items():
        if names is None or name in names:
            print(name, file=sys.stderr)
            seeds = range(1, (repeats if varies else 1) + 1)
            scores = [score(reference, hear(seed), places) for seed in seeds]
            mean = np.mean([_values(one) for one in scores], axis=0)
            cases.append(Case(name, SpeechScore(*map(float, mean))))
    return cases


def _sum(sounds: Sequence[Sound]) -> Sound:
    total = np.sum(sounds, axis=0, dtype=np.int64)
    return np.clip(total, -32768, 32767).astype(np.int16)


def _values(one: SpeechScore) -> tuple[float, float, float]:
    return one.pesq, one.stoi, one.delay_ms


def _with_tail(sound: Sound) -> Sound:
    return np.concatenate((sound, np.zeros(TAIL_TICKS * TICK_SAMPLES, np.int16)))


def _as_long(sound: Sound, samples: int) -> Sound:
    return np.tile(sound, -(-samples // len(sound)))[:samples]


# Clicks and pumping


@dataclass(frozen=True, slots=True)
class Smoothness:
    """Of one ear: the largest second difference heard, and of the ideal mix coded once."""

    ear: str
    heard: float
    ideal: float

    @property
    def ratio(self) -> float:
        """How much rougher than the ideal."""
        return self.heard / self.ideal


PITCHES: dict[str, Signal] = {
    "steady": tone(250.0),
    "comes and goes": gated(tone(410.0), 3.0, 5.0),
    "leaves": gated(tone(530.0), 6.5, 100.0),
}
LEAVES_S = 8.0
JOINS_S = 6.0
SECONDS = 11.0
SETTLED_S = 1.0


def comings_and_goings() -> tuple[list[Smoothness], float]:
    """Roughness at three ears, and by how many dB the steady voice's level moves too much.

    One speaks all the time. Another joins before it speaks, speaks and stops; a third joins, speaks
    and leaves in the middle of it; listeners come and go.
    """
    room = Room()
    ears = {"steady": room.join("steady", PITCHES["steady"])}
    ears["listener"] = room.join("listener", still)
    room.run(2.0)
    ears["comes and goes"] = room.join("comes and goes", PITCHES["comes and goes"])
    room.run(JOINS_S - 2.0)
    leaving = room.join("leaves", PITCHES["leaves"])
    room.run(LEAVES_S - JOINS_S)
    _leave(room, "leaves", leaving)
    room.run(0.5)
    late = room.join("late", still)
    room.run(1.0)
    _leave(room, "late", late)
    room.run(SECONDS - LEAVES_S - 1.5)
    found = []
    for name, ear in ears.items():
        sound = ear.sound[round(SETTLED_S * 48_000) :]
        ideal = ideal_mix(except_for=name, samples=len(ear.sound))
        once = heard(coded(ideal), 0.0, 1)[round(SETTLED_S * 48_000) :]
        found.append(Smoothness(name, roughness(sound), roughness(once)))
    listened = ears["listener"].sound
    ideal = heard(coded(ideal_mix(except_for="listener", samples=len(listened))), 0.0, 1)
    return found, moved_db(listened, ideal)


def moved_db(sound: Sound, ideal: Sound) -> float:
    """By how many dB more the level of the steady voice moves than in an ideal."""
    settled = round(SETTLED_S * 48_000)
    return level_range_db(sound[settled:], 250.0) - level_range_db(ideal[settled:], 250.0)


def ideal_mix(except_for: str, samples: int) -> Sound:
    """What an ear should hear: everybody else, who leaves fading within a tick."""
    n = np.arange(samples)
    left = np.clip((LEAVES_S * 48_000 + TICK_SAMPLES - n) / TICK_SAMPLES, 0.0, 1.0)
    total = np.zeros(samples)
    for name, signal in PITCHES.items():
        if name != except_for:
            total += signal(n) * (left if name == "leaves" else 1.0)
    return np.rint(total).astype(np.int16)


def too_loud_together() -> float:
    """By how many dB too much the level of a steady voice moves while the limiter works."""
    pitches = [tone(hz, 14_000.0) for hz in (250.0, 410.0, 530.0)]
    room = Room()
    for number, pitch in enumerate(pitches):
        room.join(f"speaker {number}", pitch, decodes=False)
    ear = room.join("listener", still)
    room.run(6.0)
    samples = np.arange(len(ear.sound))
    quieter = np.rint(0.7 * sum(pitch(samples) for pitch in pitches)).astype(np.int16)
    return moved_db(ear.sound, heard(coded(quieter), 0.0, 1))


def _leave(room: Room, participant: str, ear: Ear) -> None:
    del room.senders[participant]
    del room.sinks[participant]
    room.mixer.remove_source(participant)
    room.mixer.remove_listener(cast(Leg, ear))


# Figures


def case_table(cases: Sequence[Case]) -> str:
    """Markdown."""
    lines = ["| speakers, way | PESQ | STOI | delay |", "|---|---|---|---|"]
    for case in cases:
        found = case.scores
        lines.append(
            f"| {case.name} | {found.pesq:.2f} | {found.stoi:.3f} | {found.delay_ms:.0f} ms |"
        )
    return "\n".join(lines)


def speech_figures(cases: Sequence[Case]) -> list[Figure]:
    """Of the MCU's rows, each beside Opus alone under the same loss."""
    found = {case.name: case.scores for case in cases}
    return [
        Figure(
            f"PESQ of {name}",
            found[name].pesq,
            against=f"{other} {found[other].pesq:.2f}; "
            f"STOI {found[name].stoi:.3f}, {found[other].stoi:.3f}",
        )
        for name, other in BESIDE.items()
        if name in found and other in found
    ]


def smoothness_figures(
    ears: Sequence[Smoothness], moving_db: float, loud_db: float
) -> list[Figure]:
    """Clicks at the worst ear, and what the level of a steady voice does."""
    worst = max(ears, key=lambda one: one.ratio)
    others_ = ", ".join(f"{one.ear} {one.heard:.0f}/{one.ideal:.0f}" for one in ears)
    return [
        Figure("clicks at the worst ear", worst.ratio, "x ideal", CLICK_BAR, against=others_),
        Figure("steady voice while others come and go", moving_db, "dB", LEVEL_BAR_DB),
        Figure("steady voice while the limiter works", loud_db, "dB", LEVEL_BAR_DB),
    ]


async def measure(*, short: bool) -> list[Figure]:
    """Speech scores and clicks; of speech, why there are none where something is not installed."""
    try:
        cases = await asyncio.to_thread(
            speech_cases, 1 if short else 10, [*BESIDE, *BESIDE.values()] if short else None
        )
        speech = speech_figures(cases)
    except VoidRunError as error:
        # Clicks and levels need none of that, and are shown all the same.
        speech = [Figure("voices that were scored", 0, against=str(error))]
    ears, moving_db = comings_and_goings()
    return speech + smoothness_figures(ears, moving_db, too_loud_together())


def main() -> None:
    """Parse, run, print the tables and one JSON line."""
    parser = command_line(__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="seeds of each row with loss")
    parser.add_argument("--clicks-only", action="store_true", help="no speech")
    options = parser.parse_args()
    ears, moving_db = comings_and_goings()
    figures = smoothness_figures(ears, moving_db, too_loud_together())
    cases: list[Case] = []
    if not options.clicks_only:
        with void_is_told():
            cases = speech_cases(options.repeats)
        print(case_table(cases) + "\n")
        figures = speech_figures(cases) + figures
    print(table(figures))
    print(
        json.dumps({"speech": [asdict(case) for case in cases], "ears": [asdict(e) for e in ears]})
    )


if __name__ == "__main__":
    main()
