"""What is printed: in both languages, in local time, and a document that the typesetter takes."""

import io
import re
import zlib
from dataclasses import replace
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from mcu.conference.alarm_model import AlarmKind, Severity
from mcu.conference.recording_model import RecordedView, StopReason
from mcu.conference.roll_call_model import MarkStatus
from mcu.operations.report_pages import MAX_POINTS, SMALL_POINTS, report_pages
from mcu.operations.report_process import typeset
from mcu.operations.report_words import WORDS
from mcu.operations.terms import Language
from mcu.readiness.assessment import Verdict
from tests.mcu.operations.province import at, report

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["vi"].keys() == WORDS["en"].keys()
    assert all(text.strip() for words in WORDS.values() for text in words.values())


def test_times_are_those_of_the_installation() -> None:
    pages = report_pages(report(), "vi", ZONE)
    assert ["Bắt đầu", "22/11/2026 08:00"] in pages["facts"]
    assert ["Điểm cầu tham dự", "2 / 3"] in pages["facts"]
    assert [room[2] for room in pages["rooms"]] == ["", "đạt", "không đạt"]
    assert pages["incidents"] == [["08:02:10", "đang mở", "nặng", "Xã Vạn Ninh mất tiếng", "Bình"]]
    assert pages["rooms"][1][:9] == [
        "Vạn Ninh", "Xã Vạn Ninh", "đạt", "có mặt", "08:00:20", "", "09:10", "1 × / 00:30", "",
    ]  # fmt: skip
    assert pages["rooms"][1][-1] == "chỉ tiếng"
    assert pages["faults"] == [["08:02:00", "08:02:30", "Vạn Ninh", "mất tín hiệu", ""]]
    assert pages["agenda"][1][2:] == ["08:06:40–08:10:00", "10:00", "03:20"]
    assert pages["agenda"][2][2] == "không thực hiện"
    assert pages["recordings"][1] == [
        "Họp giao ban (phần 2)", "hình các điểm cầu thấy", "08:06:42", "03:18", "30.1",
        "kết thúc cùng hội nghị", "b" * 64,
    ]  # fmt: skip


def test_an_incident_made_of_an_alarm_is_told_in_the_readers_words() -> None:
    whole = report()
    made = replace(whole.incidents[0], title="black: Xã Vạn Ninh", kind="black")
    told = replace(made, title="Xã Vạn Ninh: black")
    both = replace(whole, incidents=(made, told))
    assert [row[3] for row in report_pages(both, "vi", ZONE)["incidents"]] == [
        "hình đen: Xã Vạn Ninh", "Xã Vạn Ninh: black",
    ]  # fmt: skip
    assert report_pages(both, "en", ZONE)["incidents"][0][3] == "black picture: Xã Vạn Ninh"


def test_who_did_what_is_told_in_words() -> None:
    whole = report()
    conference = whole.deeds[0].target
    removed = replace(
        whole.deeds[0], action="remove_participant", outcome="denied 403",
        target=f"{conference}/participants/xa-1-a?reason=Sai phòng",
    )  # fmt: skip
    both = replace(whole, deeds=(*whole.deeds, removed))
    assert [row[2:] for row in report_pages(both, "vi", ZONE)["deeds"]] == [
        ["bắt đầu điểm danh", "đã làm", ""],
        ["đưa điểm cầu ra", "không có quyền (403)", "Vạn Ninh · Sai phòng"],
    ]
    assert report_pages(both, "en", ZONE)["deeds"][0][2:] == ["started a roll call", "done", ""]


def test_every_kind_of_fault_severity_mark_and_verdict_has_words() -> None:
    kinds = ("left", "call_failed", *get_args(AlarmKind))
    names = [
        *(f"fault_{kind}" for kind in kinds),
        *(f"severity_{each}" for each in get_args(Severity)),
        *(f"status_{each}" for each in get_args(MarkStatus)),
        *(f"readiness_{each.replace('-', '_')}" for each in get_args(Verdict)),
        *("signed", "cancelled", "unsigned", "open"),
        *(f"recording_{why}" for why in ("running", "interrupted", *get_args(StopReason))),
        *(f"view_{view}" for view in get_args(RecordedView)),
    ]
    assert set(names) <= WORDS["vi"].keys()


def test_a_conference_that_runs_and_one_of_which_something_is_missing_say_so() -> None:
    running = replace(report(incomplete=("events", "minutes", "actions")), ended_at=None)
    pages = report_pages(running, "en", ZONE)
    assert ["Ended", "running"] in pages["facts"]
    assert pages["agenda"][1][2:] == ["08:06:40–", "10:00", "03:20"], "so far"
    assert len(pages["notes"]) == 3


def test_each_room_has_its_line_plotted_and_in_figures() -> None:
    pages = report_pages(report(), "vi", ZONE)
    assert pages["each"] == [
        {"label": "Hội trường tỉnh", "loss": [0.0, 1.0, 0.5], "said": "0.5 % · 20 ms · ± 2 ms"},
        {"label": "Vạn Ninh", "loss": [4.0, None, 8.0], "said": "6.0 % · 50 ms · ± 8 ms"},
    ]
    assert pages["each_top"] == 10.0
    whole = report()
    lost = {"xa-1-a": tuple([1.0] * 500 + [42.0] + [1.0] * 499)}
    pages = report_pages(replace(whole, series={**whole.series, **lost}), "vi", ZONE)
    small = pages["each"][1]["loss"]
    assert (len(small) <= SMALL_POINTS, max(small), pages["each_top"]) == (True, 42.0, 42.0)


def test_a_recording_that_was_cut_short_says_so_whatever_ended_the_rest_of_it() -> None:
    whole = report()
    cut = replace(whole.recordings[0], part_state="interrupted")
    pages = report_pages(replace(whole, recordings=(cut, *whole.recordings[1:])), "en", ZONE)
    ends = [row[5] for row in pages["recordings"]]
    assert ends == ["interrupted: the server stopped", "ended with the conference"]


def test_who_was_not_ready_is_named_with_the_reason() -> None:
    pages = report_pages(report(), "vi", ZONE)
    assert pages["not_ready"] == [["=Diên Khánh", "07:51:40", "không đạt", "không có hình nào tới"]]
    pages = report_pages(report(), "en", ZONE)
    assert pages["not_ready"][0][2:] == ["no-go", "no picture came"]


def test_a_long_conference_is_thinned_to_the_worst_of_each_stretch() -> None:
    whole = report()
    minutes = tuple(
        replace(whole.minutes[0], at=at(60 * number), loss_percent=9.0 if number == 777 else 1.0)
        for number in range(1000)
    )
    pages = report_pages(replace(whole, minutes=minutes), "en", ZONE)
    assert len(pages["loss"]) <= MAX_POINTS
    assert sorted(set(pages["loss"])) == [1.0, 9.0]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_typesetter_takes_it(language: Language) -> None:
    pdf = typeset(report_pages(report(), language, ZONE))
    assert pdf.startswith(b"%PDF-")
    assert b"pdfaid:part" in pdf or _inflated(pdf).find(b"pdfaid") >= 0


def test_who_was_marked_is_printed_with_the_picture() -> None:
    """Two rooms were marked; of one of them the picture is there."""
    pictured = report(pictures={1: [1, 3]})
    photo = {"roll-call-1-3.jpg": jpeg("navy")}
    pages = report_pages(pictured, "vi", ZONE, photo)
    assert pages["roll_calls"][0]["photos"] == ["", "roll-call-1-3.jpg"]
    assert [note for note in pages["notes"] if "hình điểm danh" in note], "one is missing"
    with_picture = typeset(pages, photos=photo)
    both = photo | {"roll-call-1-1.jpg": jpeg("maroon")}
    pages = report_pages(pictured, "vi", ZONE, both)
    assert pages["notes"] == []
    assert [images(each) for each in (
        typeset(report_pages(report(), "vi", ZONE)), with_picture, typeset(pages, photos=both),
    )] == [0, 1, 2]  # fmt: skip


def test_what_people_typed_is_text_and_no_markup() -> None:
    """A name with the typesetter's own signs prints as it is: nothing of it is carried out."""
    found = report()
    odd = '#panic("x") *a* $1$ \\ ] } <tag> @ref "'
    room = found.rooms[0]
    named = replace(room, attendance=replace(room.attendance, label=odd))
    pages = report_pages(replace(found, name=odd, rooms=(named, *found.rooms[1:])), "vi", ZONE)
    assert typeset(pages).startswith(b"%PDF-")


@pytest.mark.parametrize("odd", ["\x12", "\u6587", "\U0001f600", "\u0605"])
def test_signs_that_no_font_has_do_not_cost_the_report(odd: str) -> None:
    found = report()
    room = found.rooms[0]
    named = replace(room, attendance=replace(room.attendance, label=f"Xã {odd}"))
    pages = report_pages(replace(found, name=odd, rooms=(named, *found.rooms[1:])), "vi", ZONE)
    assert typeset(pages).startswith(b"%PDF-")


def test_a_conference_where_nothing_happened_prints() -> None:
    empty = replace(
        report(), rooms=(), faults=(), minutes=(), series={}, agenda=None, roll_calls=(), deeds=()
    )
    assert typeset(report_pages(empty, "vi", ZONE)).startswith(b"%PDF-")


def jpeg(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (192, 108), colour).save(made, "JPEG")
    return made.getvalue()


def images(pdf: bytes) -> int:
    return len(re.findall(rb"/Subtype\s*/Image", pdf + _inflated(pdf)))


def _inflated(pdf: bytes) -> bytes:
    found = io.BytesIO()
    for part in pdf.split(b"stream\n")[1:]:
        try:
            found.write(zlib.decompressobj().decompress(part))
        except zlib.error:
            continue
    return found.getvalue()
