"""The report as a document of the API, and as tables of the same columns."""

import json
from dataclasses import replace

import pytest

from mcu.api.schemas.report import Report
from mcu.operations.report_tables import TABLES, report_document, report_table
from tests.mcu.operations.province import RECORDED, report


def test_the_document_is_the_one_that_the_api_describes() -> None:
    document = report_document(report(incomplete=("events",)))
    read = Report.model_validate(json.loads(json.dumps(document)))
    assert read.unit_name == "Tỉnh Khánh Hòa"
    assert [room.unit_name for room in read.rooms][1:] == ["Xã Vạn Ninh", "Xã Diên Khánh"]
    assert [fault.kind for fault in read.faults] == ["lost"]
    assert read.incomplete == ["events"]
    assert [room.readiness for room in read.rooms] == [None, "go", "no-go"]
    assert read.rooms[2].readiness_reason == "no picture"
    assert [(each.title, each.assignee) for each in read.incidents] == [
        ("Xã Vạn Ninh mất tiếng", "Bình")
    ]
    assert [action.by for action in read.actions] == ["An"]
    assert [(each.file, each.size, each.sha256) for each in read.recordings] == [
        ("r1-0001.mp4", 61_234_567, "a" * 64), ("r1-0002.mp4", 30_100_000, "b" * 64),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows"),
    [("rooms", 3), ("faults", 1), ("incidents", 1), ("agenda", 3), ("roll-calls", 2),
     ("recordings", 2), ("actions", 1), ("minutes", 3)],
)  # fmt: skip
def test_each_list_is_a_table(name: str, rows: int) -> None:
    assert name in TABLES
    header, found = report_table(report(), name)  # type: ignore[arg-type]
    assert len(found) == rows
    assert {len(row) for row in found} == {len(header)}


def test_titles_of_incidents_are_put_in_the_readers_words() -> None:
    whole = report()
    made = replace(whole.incidents[0], title="black: Vạn Ninh", kind="black")
    for language, said in (("vi", "hình đen"), ("en", "black picture")):
        header, rows = report_table(replace(whole, incidents=(made,)), "incidents", language)
        assert dict(zip(header, rows[0], strict=True))["title"] == f"{said}: Vạn Ninh"


def test_an_item_that_was_not_held_has_a_row_without_times() -> None:
    header, rows = report_table(report(), "agenda")
    last = dict(zip(header, rows[-1], strict=True))
    assert (last["item"], last["started_at"], last["duration_s"]) == ("be-mac", None, 60)


def test_no_agenda_is_an_empty_table() -> None:
    assert report_table(replace(report(), agenda=None), "agenda")[1] == []


def test_a_recording_without_a_file_is_told_too() -> None:
    document = report_document(report(recordings=(RECORDED,)))
    [found] = Report.model_validate(json.loads(json.dumps(document))).recordings
    assert (found.name, found.part, found.size, found.sha256) == ("Họp giao ban", None, 0, None)
