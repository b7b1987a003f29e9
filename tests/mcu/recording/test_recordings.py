"""All recordings of a daemon: followed from the events of conferences to files and the list."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mcu.conference.recording_model import (
    NoteRecordingOver,
    Recording,
    RecordingInterrupted,
    RecordingStarted,
    RecordingStopped,
)
from mcu.conference.state import ConferenceState
from mcu.media.rendition import FanOut, Rendition, RenditionKey
from mcu.recording.recordings import Recordings, file_name
from mcu.recording.viewer import RecordingViewer
from mcu.store.recordings import PartRecord, RecordingRecord
from mcu.store.store import Store
from tests.mcu.recording.coded import Coder, play
from tests.peers.waiting import until_read

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ONE = Recording("rec-1a", "Phiên họp", "main", "Lan", NOW)
RECORD = RecordingRecord("rec-1a", "c-1", "Phiên họp", "main", "Lan", NOW)
STATE = ConferenceState("c-1", "Họp", "tinh", NOW, recordings=(ONE,))


class Media:
    """Gives each recorder half a second of a meeting, and keeps it until it goes."""

    def __init__(self) -> None:
        self.recorders: list[RecordingViewer] = []
        self.views: list[str] = []

    def add_recorder(self, recorder: RecordingViewer, view: str, now: float) -> None:
        self.recorders.append(recorder)
        self.views.append(view)
        fan_out = FanOut(lambda delay, call: call(now))
        total = Rendition(RenditionKey("audio", "total", "opus"), 48_000, fan_out)
        main = Rendition(RenditionKey("video", "main", "h264", 320, 180), 90_000, fan_out)
        recorder.play("audio", total)
        recorder.play("video", main)
        coder = Coder()
        for tick in range(25):
            at = tick * 0.02
            [sound] = coder.sound(tick, at, on=False).payloads
            total.append(sound, tick * 960, key_frame=True, now=at, captured=at)
            if tick % 2 == 0:
                picture = coder.picture(tick * 1800, at, on=False, key=tick == 0)
                main.append_packets(
                    list(picture.payloads), tick * 1800, key_frame=tick == 0, now=at
                )

    def remove_recorder(self, recorder: RecordingViewer) -> None:
        self.recorders.remove(recorder)


class Setting:
    def __init__(self, directory: Path, store: Store) -> None:
        self.directory = directory / "recordings"
        self.store = store
        self.media = Media()
        self.noted: list[Any] = []
        self.now = NOW
        self.reserve = 1
        self.service: Recordings

    async def open(self, *running: ConferenceState) -> Recordings:
        self.service = Recordings(
            self.directory,
            self.store.recordings,
            media=lambda conference: self.media,  # type: ignore[return-value,arg-type]
            note=lambda conference, fact: self.noted.append(fact),
            utcnow=lambda: self.now,
            retention=timedelta(days=30),
            reserve=self.reserve,
        )
        await self.service.recover()
        for state in running:
            for one in state.recordings:
                self.service.changed(state, RecordingInterrupted(one.id, self.now))
        self.service.open({state.id: state for state in running}.get)
        return self.service

    async def told(self) -> list[Any]:
        return self.noted

    async def until(self, reached: Callable[[RecordingRecord], Any]) -> RecordingRecord:
        found = await until_read(
            lambda: self.service.of("c-1"), lambda found: bool(found and reached(found[-1]))
        )
        return found[-1]


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    store = await Store.open(tmp_path / "mcu.sqlite3", lambda: NOW)
    made = Setting(tmp_path, store)
    try:
        yield made
        await made.service.close()
    finally:
        await store.close()


async def test_from_the_first_event_to_the_last(setting: Setting) -> None:
    service = await setting.open()
    service.changed(STATE, RecordingStarted(ONE))
    assert setting.media.views == ["main"]
    await setting.until(lambda one: one.parts)
    service.changed(STATE, RecordingStopped("rec-1a", "stopped", NOW, "Lan"))
    assert setting.media.recorders == []
    found = await setting.until(lambda one: one.ended_at and one.parts[0].sha256)
    [part] = found.parts
    assert (found.reason, part.number, part.state) == ("stopped", 1, "complete")
    path = service.path("rec-1a", 1)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == part.sha256
    assert len(play(path).pictures) == 13
    assert part.duration_s == pytest.approx(0.5, abs=0.05)
    assert setting.directory.stat().st_mode & 0o777 == 0o700
    assert setting.noted == []
    assert service.reading().ended == {"stopped": 1}
    await service.delete(found)
    assert not path.exists()
    assert await service.of("c-1") == []


async def test_what_a_killed_process_left_is_mended_and_goes_on(setting: Setting) -> None:
    rows = setting.store.recordings
    await rows.commit(rows.row(RECORD))
    await rows.commit(rows.part("rec-1a", PartRecord(1, "writing", NOW)))
    setting.directory.mkdir()
    left = setting.directory / file_name("rec-1a", 1)
    left.write_bytes((16).to_bytes(4, "big") + b"moov" + bytes(8) + b"\x00\x00\x09\x00moof half")
    service = await setting.open(replace(STATE, recordings=(replace(ONE, interruptions=1),)))
    found = await setting.until(lambda one: len(one.parts) == 2 and one.parts[0].sha256 is not None)
    assert (found.ended_at, found.interruptions) == (None, 1)
    assert (found.parts[0].state, found.parts[0].size) == ("interrupted", 16)
    assert left.stat().st_size == 16
    assert service.path("rec-1a", 2).exists()


async def test_what_nobody_goes_on_with_is_interrupted(setting: Setting) -> None:
    rows = setting.store.recordings
    await rows.commit(rows.row(RECORD))
    service = await setting.open()
    found = await setting.until(lambda one: one.ended_at)
    assert (found.reason, found.parts) == ("interrupted", ())
    assert service.reading().ended == {"interrupted": 1}


async def test_the_disk_ends_it_and_the_conference_is_told(setting: Setting) -> None:
    setting.reserve = 1 << 60
    service = await setting.open()
    assert "must stay free" in (service.refusal() or "")
    service.changed(STATE, RecordingStarted(ONE))
    await until_read(setting.told, bool)
    assert setting.noted == [NoteRecordingOver("rec-1a", "disk_full")]
    assert setting.media.recorders == []


async def test_files_are_kept_for_their_time(setting: Setting) -> None:
    rows = setting.store.recordings
    setting.directory.mkdir()
    for id_, days in (("rec-1a", 31), ("rec-2b", 29)):
        await rows.commit(rows.row(replace(RECORD, id=id_)))
        part = PartRecord(1, "complete", NOW, 3, 1.0, "ab")
        await rows.commit(rows.part(id_, part))
        await rows.commit(rows.ended(id_, NOW - timedelta(days=days), "ended"))
        (setting.directory / file_name(id_, 1)).write_bytes(b"old")
    service = await setting.open()
    await until_read(lambda: service.of("c-1"), lambda found: len(found) == 1)
    assert [one.name for one in setting.directory.iterdir()] == [file_name("rec-2b", 1)]


async def test_a_stop_of_the_daemon_closes_the_files_and_ends_nothing(setting: Setting) -> None:
    service = await setting.open()
    service.changed(STATE, RecordingStarted(ONE))
    await setting.until(lambda one: one.parts)
    await service.close()
    [found] = await setting.store.recordings.of("c-1")
    assert found.ended_at is None
    assert found.parts[0].state == "complete"
    assert play(service.path("rec-1a", 1)).pictures


@pytest.mark.parametrize("bad", ["../rec-1", "rec-", "rec-1/..", "rec-G", "", "rec-1\n"])
def test_names_are_ours_alone(bad: str) -> None:
    with pytest.raises(ValueError, match="no recording's id"):
        file_name(bad, 1)
