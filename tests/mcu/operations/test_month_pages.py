"""A bridge's month on paper: in both languages, in local time, and taken by the typesetter."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from mcu.conference.codec import Json
from mcu.operations.bridge_month import bridge_month
from mcu.operations.month_pages import COLUMNS, month_pages
from mcu.operations.report_process import typeset
from mcu.operations.report_words import WORDS
from mcu.operations.terms import Language
from tests.mcu.operations.province import INCIDENTS, UNITS, at, report

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def pages(found: Json, language: Language = "vi", name: str = "Vạn Ninh") -> Json:
    return month_pages(found, name, UNITS, "xa-1", "11/2026", language, ZONE, at(700))


def month() -> Json:
    other = replace(report(incomplete=("events",)), conference="hop-2", name="Họp bão")
    return bridge_month("xa-1-a", [report(), other], INCIDENTS)


def test_what_is_printed_is_what_was_found() -> None:
    made = pages(month())
    assert made["name"] == "Vạn Ninh · Tháng 11/2026"
    facts = dict(made["facts"])
    assert (facts["Đơn vị"], facts["Dự họp"]) == ("Xã Vạn Ninh", "2 / 2")
    assert (facts["Có mặt"], facts["Số lần mất tín hiệu"]) == ("18:20", "2 × / 01:00")
    assert (facts["Mất gói %"], facts["Hồ sơ sự cố còn mở"]) == ("6.0", "1")
    assert made["conferences"][0] == [
        "22/11/2026 08:00", "Họp giao ban", "có mặt", "09:10", "1 × / 00:30", "00:06", "6.0",
        "20.0", "50", "8", "chỉ tiếng", "1",
    ]  # fmt: skip
    assert made["conferences"][1][1] == "Họp bão *"
    assert made["notes"] == [WORDS["vi"]["month_incomplete"]]
    assert made["incidents"] == [
        ["22/11/2026 08:02", "đang mở", "nặng", "Xã Vạn Ninh mất tiếng", "Bình"]
    ]


def test_an_incident_made_of_an_alarm_is_called_as_the_alarm_is() -> None:
    made = (replace(INCIDENTS[0], title="black: Vạn Ninh"),)
    found = bridge_month("xa-1-a", [report()], made)
    assert pages(found)["incidents"][0][3] == "hình đen: Vạn Ninh"
    assert pages(found, "en")["incidents"][0][3] == "black picture: Vạn Ninh"


def test_a_month_without_anything_says_so() -> None:
    made = pages(bridge_month("xa-1-a", []), "en")
    assert (made["conferences"], made["incidents"], made["notes"]) == ([], [], [])
    assert ["Attended", "0 / 0"] in made["facts"]
    assert ["Loss %", ""] in made["facts"]


def test_hours_of_a_month_are_added_up() -> None:
    facts = dict(pages({**month(), "present_s": 31 * 3600 + 65})["facts"])
    assert facts["Có mặt"] == "31:01:05"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_typesetter_takes_it(language: Language) -> None:
    made = pages(month(), language)
    assert len(made["columns"]) == len(COLUMNS) == len(made["conferences"][0])
    assert typeset(made, "month").startswith(b"%PDF-")
    assert typeset(pages(bridge_month("xa-1-a", []), language), "month").startswith(b"%PDF-")


def test_signs_that_no_font_has_and_the_typesetters_own_print() -> None:
    odd = '#panic("x") *a* $1$ \\ ] } \U0001f600'
    assert typeset(pages(month(), name=odd), "month").startswith(b"%PDF-")
