"""From what everybody is sent to the bytes of files: parts begin and end, times are set.

Without I/O and without a clock. A part begins with a key frame and ends where the pictures become
others: a rendition of another size has parameter sets that the file's head does not name.
"""

from dataclasses import dataclass, field

from mcu.media import h264
from mcu.media.payload import PayloadError
from mcu.recording.container import PACKET_SAMPLES, FragmentedMp4
from mcu.recording.parameter_sets import parameter_sets
from mcu.recording.sample import Sample
from mcu.recording.timeline import AUDIO_HZ, LEAST_STEP, VIDEO_HZ, Timeline, Track

HELD_S = 5.0
"""Sound waits so long for the first picture; then it is recorded alone until there is one."""


@dataclass(slots=True)
class Begin:
    """A part begins; what follows belongs to it."""


@dataclass(slots=True)
class Data:
    """Bytes of the part, to be written at once."""

    data: bytes


@dataclass(slots=True)
class End:
    """The part is complete."""

    duration_s: float


Step = Begin | Data | End


@dataclass(slots=True)
class _Picture:
    data: bytes
    key_frame: bool
    sets: tuple[bytes, ...]


@dataclass(slots=True)
class _Part:
    file: FragmentedMp4
    sets: tuple[bytes, ...]
    audio: Track
    video: Track
    duration_s: float = field(default=0.0)


class Assembly:
    """Turns samples into steps; see ``feed``."""

    def __init__(self) -> None:
        self.broken = 0
        """Pictures that could not be put together."""
        self._timeline = Timeline()
        self._part: _Part | None = None
        self._held: list[tuple[float, Sample, _Picture | None]] = []
        self._waiting = True

    @property
    def duration_s(self) -> float:
        """Of the part that is open."""
        return 0.0 if self._part is None else self._part.duration_s

    def feed(self, sample: Sample) -> list[Step]:
        """Take one sample, in the order in which it was sent; gives what is to be done."""
        if sample.stream == "audio":
            self._timeline.hear(sample.timestamp, sample.captured)
            return self._place(sample.timestamp / AUDIO_HZ, sample, None)
        if not self._timeline.begun:
            return []  # within 20 ms there is sound, and a key frame was asked for anyway
        picture = self._picture(sample)
        if picture is None:
            return []
        return self._place(self._timeline.place_s(sample.captured), sample, picture)

    def close(self) -> list[Step]:
        """End the part that is open, if one is."""
        steps: list[Step] = []
        if self._part is None and any(each is None for _, _, each in self._held):
            steps += self._begin(None)
        return steps + self._end()

    def _picture(self, sample: Sample) -> _Picture | None:
        """A picture that can be decoded with what the file holds; None: wait for a key frame."""
        try:
            data, key_frame = h264.assemble(list(sample.payloads))
        except PayloadError:
            self.broken += 1
            self._waiting = True
            return None
        sets = parameter_sets(data) if key_frame else ()
        if sets:
            self._waiting = False
        elif self._waiting:
            return None
        return _Picture(data, key_frame, sets)

    def _place(self, time_s: float, sample: Sample, picture: _Picture | None) -> list[Step]:
        if self._part is None:
            return self._hold(time_s, sample, picture)
        if picture is not None and picture.sets and picture.sets != self._part.sets:
            return [*self._end(), *self._hold(time_s, sample, picture)]
        return self._write(self._part, time_s, sample, picture)

    def _hold(self, time_s: float, sample: Sample, picture: _Picture | None) -> list[Step]:
        """Keep a sample until there are both sound and a picture to begin with."""
        held = self._held
        held.append((time_s, sample, picture))
        pictures = [each for _, _, each in held if each is not None]
        if pictures and len(pictures) < len(held):
            return self._begin(pictures[0])
        if time_s - held[0][0] <= HELD_S:
            return []
        if not pictures:
            return self._begin(None)
        held.clear()  # without sound there is no file: begin with the next key frame
        self._waiting = True
        return []

    def _begin(self, picture: _Picture | None) -> list[Step]:
        """A part with everything that was held.

        It begins with its sound: a track's first sample is drawn to the file's beginning by the
        muxer, which a picture can bear and sound cannot.
        """
        held, self._held = self._held, []
        origin = min(time_s for time_s, _, each in held if each is None)
        part = self._part = _Part(
            FragmentedMp4(None if picture is None else picture.data),
            () if picture is None else picture.sets,
            Track(AUDIO_HZ, origin, PACKET_SAMPLES),
            Track(VIDEO_HZ, origin, LEAST_STEP),
        )
        steps: list[Step] = [Begin()]
        for time_s, sample, each in held:
            steps += self._write(part, time_s, sample, each)
        return steps

    @staticmethod
    def _write(part: _Part, time_s: float, sample: Sample, picture: _Picture | None) -> list[Step]:
        if picture is not None:
            at = part.video.at(time_s)
            part.file.video(picture.data, at, key_frame=picture.key_frame)
            end_s = at / VIDEO_HZ
        else:
            at = part.audio.at(time_s)
            for payload in sample.payloads:
                part.file.audio(payload, at)
            end_s = (at + PACKET_SAMPLES) / AUDIO_HZ
        part.duration_s = max(part.duration_s, end_s)
        data = part.file.take()
        return [Data(data)] if data else []

    def _end(self) -> list[Step]:
        part, self._part = self._part, None
        if part is None:
            return []
        data = part.file.close()
        return [*([Data(data)] if data else []), End(part.duration_s)]
