"""What a room's decoded sound says: clipped, howling, or an echo of what it was sent. Pure.

An echo is believed when two looks in a row, two seconds apart, find it at the same delay. A search
begins anew every 16 s, and what was found stays until the new one has heard enough. Who was loudest
in what the room was sent is kept beside each look: an echo comes back whoever speaks, while a
television in the room, which shows the meeting by a slower way, returns one voice alone.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mixer.audio.block import Int16Block
from mixer.audio.resample import Downsampler
from mixer.detect.clipping import ClippingWatch
from mixer.detect.echo_search import LEAST_FRAMES, RATE_HZ, EchoSearch, Likeness
from mixer.detect.howl import HowlWatch

LOOK_TICKS: Final = 100
SEARCH_TICKS: Final = 800
SAME_DELAY_MS: Final = 15.0
"""Playout stretches: so far may the delay of one echo move between two looks."""
LOUD_TICKS: Final = 270
"""What the clipping detector remembers: 5.4 s."""
LOUD_POWER: Final = 32_768.0**2 * 10**-4.5
"""-45 dBov."""
SPOKEN_SHARE: Final = 0.45
QUIET_SHARE: Final = 0.05
"""Ceilings are believed of what is loud for so much of that time; of silence there is none."""
TONE_S: Final = 0.4
TONED_TICKS: Final = 400
"""For so long after a tone the clipping detector's memory may have it in it."""
END_OF_SCALE_SHARE: Final = 0.003
"""Of samples at the converter's end of scale; more are heard."""


@dataclass(frozen=True, slots=True)
class SoundReading:
    """What was found so far; None: not known yet.

    Args:
        clipping: from 1.0 on it is clipped. howl_s: how long a tone has held; howl_hz: its pitch.
        echo: its score, 0.0 without one; delay_ms, level_db: of the echo.
        only_with: it was found only while this participant was the loudest of what is sent.
    """

    clipping: float | None = None
    howl_s: float = 0.0
    howl_hz: float = 0.0
    echo: float | None = None
    delay_ms: float = 0.0
    level_db: float = 0.0
    only_with: str | None = None


class SoundWatch:
    """One room while it is listened to.

    Args:
        echo_least_db: a fainter echo is none.
    """

    def __init__(self, echo_least_db: float = -80.0) -> None:
        self._least_db = echo_least_db
        self._clipping = ClippingWatch()
        self._howl = HowlWatch()
        self._narrow = (Downsampler(48_000 // RATE_HZ), Downsampler(48_000 // RATE_HZ))
        self._search = EchoSearch()
        self._searched = 0
        self._ticks = 0
        self._toned_at = -TONED_TICKS
        self._seen: Likeness | None = None
        self._echo: float | None = None
        self._clipped: float | None = None
        self._loud: deque[bool] = deque([False] * LOUD_TICKS, LOUD_TICKS)
        self._loudest: Counter[str] = Counter()
        self._with: set[str] = set()

    def take(
        self, returned: Sequence[Int16Block], sent: Sequence[Int16Block], loudest: str | None
    ) -> SoundReading:
        """Take some ticks of both directions.

        Args:
            returned: what came from the room; sent: what it was sent in the same ticks.
            loudest: who was the loudest of what was sent.
        Raises:
            ValueError: lengths differ.
        Cost: 2 ms for a second of quiet, 3 ms of speech, most of it in numpy without the
        interpreter's lock.
        """
        if len(returned) != len(sent):
            raise ValueError(f"{len(sent)} ticks sent, {len(returned)} returned")
        if not returned:
            return self._reading()
        wide = np.concatenate(returned)
        self._howl.take(wide)
        if self._howl.held_s >= TONE_S:
            self._toned_at = self._ticks
        back = self._narrow[0].process(wide)
        out = self._narrow[1].process(np.concatenate(sent))
        self._clipping.take(back)
        power = np.square(wide.reshape(len(returned), -1), dtype=np.float32).mean(axis=1)
        self._loud.extend((power > LOUD_POWER).tolist())
        if loudest is not None:
            self._loudest[loudest] += len(returned)
        self._search.take(out, back)
        self._searched += len(returned)
        before, self._ticks = self._ticks, self._ticks + len(returned)
        if before // LOOK_TICKS != self._ticks // LOOK_TICKS:
            self._look()
        return self._reading()

    def _look(self) -> None:
        """What has come together since the last look."""
        self._clipped = self._find_clipping()
        found = self._search.likeness()
        if self._searched >= SEARCH_TICKS:
            self._search, self._searched = EchoSearch(), 0
        if found.frames < LEAST_FRAMES:
            return
        loudest = self._loudest.most_common(1)
        self._loudest.clear()
        if found.kind != "echo" or found.level_db < self._least_db:
            self._echo = 0.0
            if found.kind != "echo":
                self._seen = None
                self._with.clear()
            return
        before, self._seen = self._seen, found
        if before is None or abs(before.delay_ms - found.delay_ms) > SAME_DELAY_MS:
            self._echo = 0.0 if self._echo is None else self._echo
            return
        self._echo = found.score
        self._with.update(who for who, _ in loudest)

    def _find_clipping(self) -> float | None:
        loud = sum(self._loud) / LOUD_TICKS
        if not self._clipping.is_full or QUIET_SHARE <= loud < SPOKEN_SHARE:
            return None  # of few words any ceiling is one by chance
        clipped = self._clipping.found() if loud >= SPOKEN_SHARE else None
        if clipped is None:
            return 0.0
        return max(clipped.ceiling, clipped.at_end_of_scale / END_OF_SCALE_SHARE)

    def _reading(self) -> SoundReading:
        clipping = self._clipped
        tone = self._howl.tone
        if clipping is not None and self._ticks - self._toned_at < TONED_TICKS:
            clipping = 0.0  # a steady tone has a ceiling too: it is told as a howl
        echo = self._seen if self._echo else None
        return SoundReading(
            clipping=clipping,
            howl_s=0.0 if tone is None else tone.held_s,
            howl_hz=0.0 if tone is None else tone.frequency_hz,
            echo=self._echo,
            delay_ms=0.0 if echo is None else echo.delay_ms,
            level_db=0.0 if echo is None else echo.level_db,
            only_with=next(iter(self._with)) if echo is not None and len(self._with) == 1 else None,
        )
