"""Black and frozen pictures, and rooms that live: how often which is found."""

import itertools
from collections.abc import Iterator, Sequence

from bench import detect_pictures as pictures
from bench.clips import Picture
from bench.detect_pictures import FPS, Line, sent
from bench.detect_table import Row
from mixer.detect.black import light
from mixer.detect.picture_grid import grid, sampled
from mixer.detect.stillness import Stillness


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
