"""How loaded the machine is: read once a second, decided on, acted on, told.

The decision is ``mcu.engine.overload``; here its readings are taken from the engine, and what it
gives up goes to the engine. Rooms that ask to come in are refused by it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

import structlog

from mcu.api.services import LoadStatus, NoCapacity
from mcu.conference.service import Conferences
from mcu.engine.engine import Engine
from mcu.engine.overload import READING_INTERVAL_S, LoadReading, Overload, Sign
from mcu.sentences import sentence

REPEAT_S = 10.0
"""While there is load it is told this often, for consoles that were opened meanwhile."""

_WORDS: dict[Sign, str] = {
    "processors": "its processors are busy",
    "loop": "its packet thread is busy",
    "lateness": "sound is mixed late",
    "missed": "sound was left out",
    "pictures": "pictures do not keep up",
}

log = structlog.get_logger(__name__)


class LoadWatch:
    """Watches the load of the whole daemon.

    Args:
        overload: decides.
        processor_s: processor seconds of this process so far. loop_s: of the loop's thread.
        cores: processors that may be used now.
        max_legs: connections that may be at once. legs: how many there are.
        acts: whether anything is done about the load; it is shown in any case.
    """

    def __init__(
        self,
        engine: Engine,
        overload: Overload,
        *,
        processor_s: Callable[[], float],
        loop_s: Callable[[], float],
        cores: Callable[[], float],
        max_legs: int,
        legs: Callable[[], int],
        acts: bool = True,
    ) -> None:
        self._acts = acts
        self._engine = engine
        self._overload = overload
        self._processor_s, self._loop_s, self._cores = processor_s, loop_s, cores
        self._max_legs, self._legs = max_legs, legs
        self._refused: Counter[str] = Counter({"load": 0, "joins": 0, "max_legs": 0})
        self._conferences: Conferences | None = None
        self._at: float | None = None
        self._processors_before = self._loop_before = 0.0
        self._ticks_before = self._missed_before = 0
        self._video_before: dict[str, tuple[int, int, int]] = {}
        self._next_told = 0.0

    def attach(self, conferences: Conferences) -> None:
        """Where a change of load is published."""
        self._conferences = conferences

    # The timer

    def next_timer(self) -> float:
        """When ``handle_timer`` has something to do."""
        return 0.0 if self._at is None else self._at + READING_INTERVAL_S

    def handle_timer(self, now: float) -> None:
        """Take a reading if one is due, and act on it. Cost: O(conferences), some 100 µs."""
        if now < self.next_timer():
            return
        reading = self._read(now)
        if reading is None:
            return
        if not self._acts:
            self._overload.reading = reading
            return
        changed = self._overload.take(reading, now)
        if changed:
            self._engine.shed(self._overload.shed)
            status = self.status()
            log.warning(
                "load_changed",
                level=status.level,
                signs=status.signs,
                given_up=status.given_up,
                processors=round(reading.processors, 2),
                loop=round(reading.loop, 2),
                lateness_ms=status.lateness_ms,
            )
        if changed or (self._overload.level != "none" and now >= self._next_told):
            self._next_told = now + REPEAT_S
            self._tell()

    def _tell(self) -> None:
        if self._conferences is None:
            return
        document = asdict(self.status())
        for conference in self._engine.conferences:
            self._conferences.publish_ephemeral("load.measured", conference, document)

    def _read(self, now: float) -> LoadReading | None:
        """What has passed since the reading before; None the first time."""
        engine = self._engine
        processors = self._processor_s() + engine.video_processor_s
        loop = self._loop_s()
        ticks = engine.audio_clock.statistics
        videos = {
            name: (counted.ticks, counted.ticks_skipped, counted.frames_left_out)
            for name, media in engine.conferences.items()
            for counted in (media.video.statistics().counters,)
        }
        at, self._at = self._at, now
        reading = None
        if at is not None and now > at:
            elapsed, cores = now - at, self._cores()
            due = skipped = left_out = 0
            for name, counted in videos.items():
                before = self._video_before.get(name)
                if before is not None:
                    due += counted[0] - before[0]
                    skipped += counted[1] - before[1]
                    left_out += counted[2] - before[2]
            reading = LoadReading(
                processors=(processors - self._processors_before) / elapsed / cores,
                loop=(loop - self._loop_before) / elapsed,
                cores=cores,
                lateness_s=ticks.recent_lateness_s(ticks.ticks - self._ticks_before, 99.0),
                missed=ticks.missed - self._missed_before,
                skipped=skipped / due if due else 0.0,
                left_out=left_out,
            )
        self._processors_before, self._loop_before = processors, loop
        self._ticks_before, self._missed_before = ticks.ticks, ticks.missed
        self._video_before = videos
        return reading

    # Who comes in

    def admit(self, standing: int, now: float) -> None:
        """Let a room in, or refuse it.

        Args:
            standing: connections that would stand beside it; what takes the place of another
                one needs no place of its own and is not asked about here.
        Raises:
            NoCapacity: all places are taken, or the machine is full.
        """
        if standing >= self._max_legs:
            self._refused["max_legs"] += 1
            raise NoCapacity(sentence("server.connections", most=self._max_legs))
        # With nobody inside there is nobody to protect: whatever is busy is not the meeting.
        wait_s = self._overload.refuses(now) if standing else None
        if wait_s is None:
            self._overload.note_join(now)
            return
        if self._overload.level == "overloaded":
            self._refused["load"] += 1
            why = ", ".join(_WORDS[sign] for sign in self._overload.signs)
            raise NoCapacity(
                sentence("server.full", why=why, wait_s=wait_s),
                wait_s,
            )
        self._refused["joins"] += 1
        raise NoCapacity(
            sentence("server.joins", wait_s=wait_s),
            wait_s,
        )

    # LoadReadings

    def status(self) -> LoadStatus:
        """See ``mcu.api.services.LoadReadings``."""
        overload, reading = self._overload, self._overload.reading
        level = overload.level
        return LoadStatus(
            level=level,
            signs=overload.signs if level != "none" else (),
            given_up=overload.shed.given,
            view_fps=round(self._engine.fps * overload.shed.view_rate),
            processors=round(reading.processors, 3),
            loop=round(reading.loop, 3),
            cores=round(reading.cores, 2),
            lateness_ms=round(reading.lateness_s * 1000, 1),
            ticks_missed=reading.missed,
            frames_skipped=round(reading.skipped, 3),
            legs=self._legs(),
            max_legs=self._max_legs,
            refused=dict(self._refused),
        )
