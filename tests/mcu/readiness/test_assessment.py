from dataclasses import fields, replace
from typing import Any

import pytest

from mcu.readiness.assessment import (
    COMPARED,
    Finding,
    Rules,
    Verdict,
    assess,
    drift,
    verdict,
)
from mcu.readiness.measurements import (
    Configuration,
    LineMeasured,
    Measurements,
    PictureMeasured,
    SoundMeasured,
    Standard,
)
from mcu.readiness.wording import REASONS

STANDARD = Standard()
RECORDED = Configuration("opus", "h264", "1280x720", "192.0.2.7", "Polycom/6", "sha-256 AA")
GOOD = Measurements(
    LineMeasured(0.1, 0.2, 3.0, 4.0, 25.0, 2_500_000, 3_000_000, "probed", 18, 1000),
    SoundMeasured(20.0, -26.0, 0.6, 0.0, "none"),
    PictureMeasured(True, 500, 1280, 720, 25.0, 1_400_000, 0.0, "moving"),
    RECORDED,
)


def codes(measured: Measurements, **changes: Any) -> set[str]:
    arguments: dict[str, Any] = {"confirmation": "heard", "recorded": RECORDED} | changes
    rules = arguments.pop("rules", Rules())
    found = assess(measured, STANDARD, rules, **arguments)
    assert all(each.text for each in found)
    return {each.code for each in found if each.refuses}


def test_a_healthy_room_is_ready() -> None:
    found = assess(GOOD, STANDARD, Rules(), confirmation="heard", recorded=RECORDED)
    assert verdict(found) == "go"
    assert {each.topic for each in found} == {
        "line", "sound_out", "sound_in", "echo", "picture", "configuration",
    }  # fmt: skip


def test_nothing_measured_is_no_evidence() -> None:
    found = codes(Measurements(), confirmation=None)
    assert found == {
        "loss-up-unknown", "loss-down-unknown", "jitter-up-unknown", "jitter-down-unknown",
        "round-trip-unknown", "capacity-up-unknown", "capacity-down-unknown", "no-reports",
        "no-sound", "echo-unknown", "no-camera",
    }  # fmt: skip
    assert verdict(()) == "no-go"


@pytest.mark.parametrize(
    ("part", "changes", "expected"),
    [
        ("line", {"loss_up_percent": 1.1}, {"loss-up"}),
        ("line", {"loss_down_percent": 4.0}, {"loss-down"}),
        ("line", {"jitter_up_ms": 31.0}, {"jitter-up"}),
        ("line", {"jitter_down_ms": 31.0}, {"jitter-down"}),
        ("line", {"round_trip_ms": 151.0}, {"round-trip"}),
        ("line", {"round_trip_ms": None}, {"round-trip-unknown"}),
        ("line", {"capacity_down_bps": 900_000}, {"capacity-down"}),
        ("line", {"capacity_down_bps": 900_000, "down_proof": "carried"}, set()),
        ("line", {"capacity_up_bps": 900_000}, set()),
        ("line", {"reports": 0}, {"no-reports"}),
        ("sound", {"seconds": 1.0}, {"no-sound"}),
        ("sound", {"level_dbov": None}, {"silent"}),
        ("sound", {"level_dbov": -45.0}, {"quiet"}),
        ("sound", {"clipped": 0.7}, {"clipping"}),
        ("sound", {"clipped": 0.2}, set()),
        ("sound", {"echo": "echo", "echo_delay_ms": 120.0, "echo_level_db": -12.0}, {"echo"}),
        ("sound", {"echo": "shared"}, set()),
        ("sound", {"echo": None}, {"echo-unknown"}),
        ("picture", {"black": 0.9}, {"black"}),
        ("picture", {"stillness": "frozen"}, {"frozen"}),
        ("picture", {"stillness": "still"}, set()),
        ("picture", {"width": 640, "height": 360}, {"small"}),
        ("picture", {"width": 720, "height": 1280}, set()),
        ("picture", {"fps": 15.0}, {"slow"}),
        ("picture", {"fps": 23.0}, set()),
        ("picture", {"pictures": 0}, {"no-picture"}),
        ("picture", {"offered": False}, {"no-camera"}),
        ("configuration", {"address": "192.0.2.9"}, {"changed"}),
    ],
)
def test_each_fault_by_itself(part: str, changes: dict[str, Any], expected: set[str]) -> None:
    values = replace(getattr(GOOD, part), **changes)
    assert codes(replace(GOOD, **{part: values})) == expected


def test_a_narrow_line_up_shows_in_what_it_carries() -> None:
    line = replace(GOOD.line, capacity_up_bps=300_000)
    small = replace(GOOD.picture, width=320, height=180)
    assert codes(replace(GOOD, line=line, picture=small)) == {"small", "capacity-up"}


@pytest.mark.parametrize(
    ("confirmation", "rules", "expected"),
    [
        (None, Rules(), {"unconfirmed"}),
        (None, Rules(needs_confirmation=False), set()),
        ("not-heard", Rules(needs_confirmation=False), {"not-heard"}),
    ],
)
def test_the_word_of_somebody_in_the_room(
    confirmation: Any, rules: Rules, expected: set[str]
) -> None:
    assert codes(GOOD, confirmation=confirmation, rules=rules) == expected


def test_a_declared_loopback_proves_the_line_by_the_tone_that_returns() -> None:
    returned = replace(GOOD, sound=SoundMeasured(20.0, None, 0.0, 0.0, "echo", 80.0, -3.0))
    assert codes(returned, confirmation=None, loopback=True) == set()
    nothing = replace(GOOD, sound=SoundMeasured(20.0, None, 0.0, 0.0, "none"))
    assert codes(nothing, confirmation=None, loopback=True) == {"loopback-silent", "unconfirmed"}


def test_a_change_is_named_and_refuses_or_is_told() -> None:
    now = replace(RECORDED, user_agent="Polycom/7", certificate=None)
    assert drift(now, RECORDED) == {"user_agent": ("Polycom/6", "Polycom/7")}
    changed = replace(GOOD, configuration=now)
    assert codes(changed) == {"changed"}
    assert codes(changed, rules=Rules(drift_refuses=False)) == set()
    assert codes(changed, recorded=None) == set()
    [found] = [
        each
        for each in assess(changed, STANDARD, Rules(), confirmation="heard", recorded=RECORDED)
        if each.code == "changed"
    ]
    assert found.text == "user_agent was Polycom/6, is Polycom/7"


def test_what_is_measured_on_a_busy_machine_is_nobodys_fault() -> None:
    bad = replace(GOOD.line, loss_up_percent=40.0)
    assert codes(replace(GOOD, line=bad, share=0.5)) == {"busy-here"}


def test_every_member_of_a_configuration_is_compared() -> None:
    assert set(COMPARED) == {field.name for field in fields(Configuration)}


def test_a_standard_takes_what_it_knows_and_leaves_out_the_rest() -> None:
    found = Standard.of({"width": 640, "fps": "25", "height": True, "colour": 3, "jitter_ms": -1})
    assert found == Standard(width=640)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [(("good", "note"), "go"), (("good", "fault"), "no-go"), (("good", "missing"), "no-go")],
)
def test_verdict(weights: tuple[Any, ...], expected: Verdict) -> None:
    assert verdict(Finding("line", weight, "line-good") for weight in weights) == expected


def test_every_sentence_can_be_said_with_the_values_it_is_given() -> None:
    assert all(REASONS.values())


@pytest.mark.parametrize(
    ("later_ms", "code", "value"),
    [(20.4, "lip-sync", 20), (-90.0, "lip-sync", 90), (46.0, "sound-early", 46),
     (-200.0, "sound-late", 200), (None, None, 0)],
)  # fmt: skip
def test_how_far_sound_and_picture_lie_apart_is_told_and_refuses_nobody(
    later_ms: float | None, code: str | None, value: int
) -> None:
    measured = replace(GOOD, picture=replace(GOOD.picture, later_ms=later_ms))
    found = assess(measured, STANDARD, Rules(), confirmation="heard", recorded=RECORDED)
    assert verdict(found) == "go"
    told = [each for each in found if each.code in ("lip-sync", "sound-early", "sound-late")]
    assert [(each.code, each.values["value"]) for each in told] == ([(code, value)] if code else [])
    assert all("as the sender's clocks say" in each.text for each in told)
