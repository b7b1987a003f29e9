"""What checks find is said on paper as in the console."""

from typing import Any

import pytest

from mcu.operations.finding_words import (
    CAUSES,
    FINDINGS,
    NO_ANSWER,
    WHAT,
    Found,
    finding_in_words,
    incident_in_words,
    read_refusing,
)
from mcu.readiness.wording import REASONS
from tests.mcu.console.test_texts import SCRIPTS, module_data


def test_paper_says_what_the_console_says() -> None:
    console = module_data(SCRIPTS / "strings/vi.js")
    assert set(FINDINGS) == set(REASONS)
    assert {code: console[f"readiness.f.{code}"] for code in FINDINGS} == FINDINGS
    assert {what: console[f"readiness.what.{what}"] for what in WHAT} == WHAT
    assert {cause: console[f"call.{cause}"] for cause in CAUSES} == CAUSES
    assert console["readiness.no-answer"] == NO_ANSWER


@pytest.mark.parametrize(
    ("code", "values", "said"),
    [
        ("loss-up", {"value": 7.25, "limit": 2}, "mất 7,2 % gói gửi đi (tối đa 2 %)"),
        ("unreached", {"cause": "busy"}, "không liên lạc được (máy bận)"),
        ("unreached", {"cause": "something"}, "không liên lạc được (không trả lời)"),
        (
            "changed",
            {"what": "certificate", "before": "a", "after": "b"},
            "Chứng thư trước là a, nay là b",
        ),
        ("incident", {"text": "black: Ninh Hòa"}, "hồ sơ sự cố đang mở: hình đen: Ninh Hòa"),
        ("of-another-version", {}, "in English"),
        ("loss-up", {}, "in English"),
    ],
)
def test_findings_in_vietnamese(code: str, values: dict[str, Any], said: str) -> None:
    found = Found(code, values, "in English")
    assert finding_in_words(found, "vi").casefold() == said.casefold()
    assert finding_in_words(found, "en") == "in English"


def test_what_people_call_an_incident_stays() -> None:
    assert incident_in_words("power: gone", "vi") == "power: gone"


def test_only_what_refuses_is_read_and_damage_is_left_out() -> None:
    fault = {"weight": "fault", "code": "black", "values": {}, "text": "black"}
    damaged: list[Any] = [3, {"weight": "fault"}, {"weight": "fault", "values": 1}]
    assert read_refusing([fault, {**fault, "weight": "note"}, *damaged]) == (
        Found("black", {}, "black"),
    )
    assert read_refusing("no list") == ()
