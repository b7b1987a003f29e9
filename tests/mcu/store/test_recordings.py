"""The list of recordings and their files."""

from dataclasses import replace
from datetime import timedelta

from mcu.store.recordings import PartRecord, RecordingRecord
from tests.mcu.store.conftest import NOW

FIRST = RecordingRecord("rec-1", "c-1", "Phiên họp", "main", "Lan", NOW)
PART = PartRecord(1, "writing", NOW)


async def test_from_beginning_to_end(store):
    rows = store.recordings
    await rows.commit(rows.row(FIRST))
    await rows.commit(rows.part("rec-1", PART))
    assert await rows.of("c-1") == [replace(FIRST, parts=(PART,))]
    assert await rows.of("c-2") == []
    closed = PartRecord(1, "complete", NOW, 5000, 12.5, "ab" * 32)
    later = NOW + timedelta(minutes=1)
    await rows.commit(rows.part("rec-1", replace(closed, started_at=later)))
    await rows.commit(rows.ended("rec-1", later, "disk_full"))
    await rows.commit(rows.ended("rec-1", NOW, "stopped"))  # what was said first stays
    expected = replace(FIRST, ended_at=later, reason="disk_full", parts=(closed,))
    assert await rows.of("c-1") == [expected]
    assert await rows.unfinished() == []
    assert await rows.over(later) == []
    assert await rows.over(later + timedelta(seconds=1)) == [expected]
    await rows.commit(rows.without("rec-1"))
    assert await rows.of("c-1") == []


async def test_what_is_not_finished_is_found_again(store):
    rows = store.recordings
    for id_ in ("rec-1", "rec-2", "rec-3"):
        await rows.commit(rows.row(replace(FIRST, id=id_)))
    await rows.commit(rows.part("rec-2", PART))
    await rows.commit(rows.part("rec-3", replace(PART, state="complete", sha256="ab")))
    for id_ in ("rec-2", "rec-3"):
        await rows.commit(rows.ended(id_, NOW, "ended"))
    assert [one.id for one in await rows.unfinished()] == ["rec-1", "rec-2"]
    await rows.commit(rows.row(replace(FIRST, id="rec-3", interruptions=1)))
    found = (await rows.of("c-1"))[-1]
    assert (found.id, found.ended_at, found.interruptions) == ("rec-3", None, 1)
