"""The thread that writes: all of it, or what the disk allows, and always to a clean end."""

import errno
import threading
from pathlib import Path

import pytest

from mcu.recording.part_file import PartFile
from mcu.recording.sample import Sample
from mcu.recording.writer import Disk, News, Over, PartBegun, PartEnded, RecordingWriter, SpaceLow
from tests.mcu.recording.coded import Coder, play
from tests.mcu.recording.test_assembly import meeting

RESERVE = 1 << 20
PLENTY = 1 << 40


class Told:
    """What a writer says, from its thread."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self.over = threading.Event()

    def __call__(self, news: News) -> None:
        self.news.append(news)
        if isinstance(news, Over):
            self.over.set()


class Clock:
    """A second passes with each reading, so that the disk is looked at all the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def write(
    directory: Path, samples: list[Sample], disk: Disk, *, first: int = 1
) -> tuple[list[News], RecordingWriter]:
    """A whole recording, and what was said of it."""
    told = Told()
    writer = RecordingWriter(
        lambda number: directory / f"{number}.mp4",
        first=first,
        reserve=RESERVE,
        tell=told,
        disk=disk,
        clock=Clock(),
    )
    for sample in samples:
        writer.offer(sample)
    writer.stop()
    writer.start()
    assert told.over.wait(60)
    assert writer.join(60)
    return told.news, writer


def test_everything_is_in_the_file(tmp_path):
    news, _ = write(tmp_path, meeting(Coder(), 3.0), Disk(free=lambda _: PLENTY), first=4)
    begun, ended, over = news
    assert begun == PartBegun(4)
    assert isinstance(ended, PartEnded)
    assert ended.number == 4
    assert ended.size == (tmp_path / "4.mp4").stat().st_size
    assert ended.duration_s == pytest.approx(3.0, abs=0.06)
    assert over == Over("stopped")
    played = play(tmp_path / "4.mp4")
    assert len(played.flashes()) == len(played.beeps()) == 3


def test_it_ends_before_the_disk_is_full(tmp_path):
    left = iter([PLENTY, 3 * RESERVE // 2, 3 * RESERVE // 2, RESERVE - 1])
    news, _ = write(tmp_path, meeting(Coder(), 5.0), Disk(free=lambda _: next(left)))
    assert [type(one) for one in news] == [PartBegun, SpaceLow, PartEnded, Over]
    assert news[-1] == Over("disk_full")
    assert play(tmp_path / "1.mp4").pictures


def test_a_disk_that_is_full_all_the_same_leaves_what_was_whole(tmp_path):
    class Full(PartFile):
        def append(self, data: bytes) -> None:
            if self.size + len(data) > 20_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            super().append(data)

    news, _ = write(tmp_path, meeting(Coder(), 8.0), Disk(Full, lambda _: PLENTY))
    assert news[-1] == Over("disk_full")
    ended = news[-2]
    assert isinstance(ended, PartEnded)
    assert 0 < ended.size <= 20_000
    assert play(tmp_path / "1.mp4").sound.size > 0


def test_a_file_that_cannot_be_made_is_a_failure(tmp_path):
    (tmp_path / "1.mp4").write_bytes(b"somebody's")
    news, _ = write(tmp_path, meeting(Coder(), 1.0), Disk(free=lambda _: PLENTY))
    assert news == [Over("failed")]
    assert (tmp_path / "1.mp4").read_bytes() == b"somebody's"


def test_a_disk_that_stands_still_costs_the_loop_nothing_but_what_it_leaves_out(tmp_path):
    told, entered, moves = Told(), threading.Event(), threading.Event()

    class Slow(PartFile):
        def append(self, data: bytes) -> None:
            entered.set()
            assert moves.wait(60)
            super().append(data)

    writer = RecordingWriter(
        lambda number: tmp_path / f"{number}.mp4",
        first=1,
        reserve=RESERVE,
        tell=told,
        disk=Disk(Slow, lambda _: PLENTY),
        queue_bytes=40_000,
    )
    samples = meeting(Coder(), 20.0)
    taken = [writer.offer(sample) for sample in samples[:30]]
    writer.start()
    assert entered.wait(60)
    taken += [writer.offer(sample) for sample in samples[30:]]
    assert taken[0]
    assert not taken[-1]
    assert not writer.has_room
    moves.set()
    writer.stop()
    assert told.over.wait(60)
    assert writer.join(60)
    assert told.news[-1] == Over("stopped")
    assert play(tmp_path / "1.mp4").pictures


def test_nothing_is_taken_when_it_is_over(tmp_path):
    _, writer = write(tmp_path, [], Disk(free=lambda _: PLENTY))
    assert not writer.offer(Sample("audio", (b"x",), 0, 0.0))
    assert not list(tmp_path.iterdir())
