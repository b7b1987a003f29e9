"""The recorder as the engine sees it: a viewer whose packets go into a queue, not over a line."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, Protocol

from mcu.legs.leg import LegKind, LegState, LegStatistics, StreamCodec, StreamName
from mcu.media.lane import Waiting
from mcu.media.receive import AudioSink
from mcu.media.rendition import Rendition
from mcu.recording.sample import Sample

OUTPUTS: Mapping[StreamName, StreamCodec] = MappingProxyType(
    {"audio": StreamCodec("opus", 48_000, 2), "video": StreamCodec("h264", 90_000)}
)
"""What every browser takes too, so that a meeting of browsers has it already."""


class Intake(Protocol):
    """Where samples go; never waits."""

    def offer(self, sample: Sample) -> bool:
        """Take a sample; False: there is no room, and it is left out."""

    @property
    def has_room(self) -> bool:
        """Whether the next sample would be taken."""


class RecordingViewer:
    """See ``Leg``: receives the best rendition of a view, and the main mix.

    Args:
        clock: monotonic seconds, for requests of key frames.
    """

    def __init__(
        self, id_: str, conference: str, intake: Intake, clock: Callable[[], float]
    ) -> None:
        self.id = id_
        self.conference = conference
        self.participant: str | None = None
        self.kind: LegKind = "view"
        self.state: LegState = "connected"
        self.sources: Mapping[StreamName, StreamCodec] = {}
        self.outputs: Mapping[StreamName, StreamCodec] = OUTPUTS
        self._taps = {
            "audio": _Tap("audio", intake, clock),
            "video": _Tap("video", intake, clock),
        }

    @property
    def dropped(self) -> int:
        """Pictures and packets of sound that were left out, as the disk did not keep up."""
        return sum(tap.dropped for tap in self._taps.values())

    def play(self, stream: StreamName, rendition: Rendition | None) -> None:
        """See ``Leg``; pictures of another rendition begin with its next key frame."""
        tap = self._taps.get(stream)
        if tap is not None:
            tap.play(rendition)

    def close(self, reason: str, now: float) -> None:
        """Take nothing more."""
        for tap in self._taps.values():
            tap.play(None)
        self.state = "left"

    def listen(self, sink: AudioSink | None, waiting: Waiting | None = None) -> None:
        """It sends nothing."""

    def want_source(self, source: StreamName, wanted: bool) -> None:
        """It sends nothing."""

    def request_key_frame(self, source: StreamName) -> None:
        """It sends nothing."""

    def limit_bitrate(self, bps: int | None) -> None:
        """It sends nothing."""

    def probe_line(self, now: float) -> bool:
        """It has no line."""
        return False

    def unheard_s(self, now: float) -> float:
        """It sends nothing, and need not."""
        return 0.0

    def statistics(self, now: float) -> LegStatistics:
        """It has no line."""
        return LegStatistics()


class _Tap:
    """A subscriber of one rendition after the other; see ``mcu.media.formation.Sender``."""

    def __init__(
        self, stream: Literal["audio", "video"], intake: Intake, clock: Callable[[], float]
    ) -> None:
        self.dropped = 0
        self._stream: Literal["audio", "video"] = stream
        self._intake = intake
        self._clock = clock
        self._rendition: Rendition | None = None
        self._cursor = 0
        self._begin = 0
        self._waiting = False
        self._asked = False

    def play(self, rendition: Rendition | None) -> None:
        """Go over to another rendition, from what it gives next on."""
        before = self._rendition
        if rendition is before:
            return
        if before is not None:
            before.unsubscribe(self)
        self._rendition = rendition
        if rendition is None:
            return
        self._cursor = self._begin = rendition.ring.end
        rendition.subscribe(self)
        self._wait(self._clock())

    def send_pending(self, limit: int, now: float) -> int:
        """Take all that is new; for the fan-out there is nothing left to pace."""
        rendition = self._rendition
        if rendition is None:
            return 0
        ring = rendition.ring
        if ring.end - self._cursor > ring.capacity:
            self._lose(now, ring.end)
        if self._waiting:
            if ring.key_frame < max(self._begin, ring.oldest):
                self._cursor = ring.end
                self._wait(now)
                return 0
            self._cursor = ring.key_frame
            self._waiting = False
        first = self._cursor
        for index in range(first, ring.end):
            last = index + 1 == ring.end or (
                ring.timestamps[index & ring.mask] != ring.timestamps[(index + 1) & ring.mask]
            )
            if not last:
                continue
            timestamp = ring.timestamps[index & ring.mask]
            behind_s = (rendition.timestamp - timestamp) / rendition.clock_rate
            payloads = tuple(ring.payloads[at & ring.mask] for at in range(first, index + 1))
            first = index + 1
            sample = Sample(self._stream, payloads, timestamp, rendition.timestamp_at - behind_s)
            if not self._intake.offer(sample):
                self._lose(now, ring.end)
                return 0
        self._cursor = ring.end
        return 0

    def flush(self) -> None:
        """Nothing was written that could leave."""

    def _lose(self, now: float, end: int) -> None:
        """Leave out what stands before ``end``; pictures go on with a key frame."""
        self.dropped += 1
        self._cursor = self._begin = end
        self._asked = False
        self._wait(now)

    def _wait(self, now: float) -> None:
        """Wait for a key frame, which is asked for once there is room for it."""
        if self._stream == "audio":
            return
        if not self._waiting:
            self._waiting, self._asked = True, False
        if not self._asked and self._intake.has_room and self._rendition is not None:
            self._asked = True
            self._rendition.request_key_frame(now)
