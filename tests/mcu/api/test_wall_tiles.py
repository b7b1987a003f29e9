"""Which rooms stand first, and when a picture is old."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mcu.api.services import LineQuality, LiveReading
from mcu.api.wall_tiles import alarms_of, ordered, tile_of, troubles_of
from mcu.conference.alarm_model import ConferenceAlarm
from mcu.conference.state import ConferenceState, Participant
from mcu.engine.thumbnail import Thumbnail

NOW, WALL = 500.0, datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ROOM = Participant("a", "Xã A", "", 0, presence="connected", unit="xa")
GOOD = LiveReading(-30.0, False, False, LineQuality("good"))


def picture(age_s: float, next_s: float = 1.0) -> Thumbnail:
    return Thumbnail("a", b"", "d", NOW - age_s, next_s)


@pytest.mark.parametrize(
    ("age_s", "next_s", "stale"),
    [(4.9, 1.0, False), (5.1, 1.0, True), (21.0, 10.0, False), (23.0, 10.0, True)],
)
def test_a_picture_is_stale_when_the_next_is_long_overdue(
    age_s: float, next_s: float, stale: bool
) -> None:
    tile = tile_of(ROOM, GOOD, picture(age_s, next_s), NOW, WALL)
    assert tile.picture is not None
    assert tile.picture.stale is stale
    assert tile.picture.taken_at == WALL - timedelta(seconds=age_s)
    assert tile.troubles == (["stale"] if stale else [])


def test_the_last_picture_of_who_is_lost_is_stale_at_once() -> None:
    tile = tile_of(replace(ROOM, presence="lost"), GOOD, picture(0.5), NOW, WALL)
    assert tile.picture is not None
    assert tile.picture.stale
    assert tile.troubles == ["lost"]


def test_troubles_of_lines_and_calls() -> None:
    poor = replace(GOOD, quality=LineQuality("poor"))
    assert troubles_of(ROOM, poor, picture(9.0), NOW) == ["stale", "poor-line"]
    assert troubles_of(replace(ROOM, presence="calling"), poor, None, NOW) == ["calling"]
    assert troubles_of(replace(ROOM, presence="expected"), GOOD, None, NOW) == ["missing"]
    assert troubles_of(replace(ROOM, presence="left"), GOOD, None, NOW) == []
    missing = replace(ROOM, presence="left", lost_at=WALL)
    assert troubles_of(missing, GOOD, None, NOW) == ["gone"], "nobody said goodbye"
    left = tile_of(replace(ROOM, id="a", presence="left"), GOOD, None, NOW, WALL)
    well = tile_of(replace(ROOM, id="b"), GOOD, None, NOW, WALL)
    gone = tile_of(missing, GOOD, None, NOW, WALL)
    assert [one.state for one in ordered([left, well, gone])] == ["left", "connected", "left"]
    assert ordered([left, well, gone])[0] is gone
    assert troubles_of(ROOM, GOOD, None, NOW) == []


def test_alarms_that_last_come_right_after_what_is_lost() -> None:
    def alarm(number: int, who: str, kind: str, severity: str, over: bool = False):  # type: ignore[no-untyped-def]
        return ConferenceAlarm(
            number, who, kind, severity, WALL, WALL, cleared_at=WALL if over else None  # type: ignore[arg-type]
        )  # fmt: skip

    state = ConferenceState(
        "c", "Họp", "tinh", WALL,
        alarms=(
            alarm(1, "a", "clipping", "minor"), alarm(2, "a", "echo", "critical"),
            alarm(3, "b", "black", "major", over=True), alarm(4, "c", "lost", "major"),
        ),
    )  # fmt: skip
    found = alarms_of(state)
    assert found == {"a": ["echo", "clipping"], "c": ["lost"]}
    troubled = tile_of(ROOM, GOOD, None, NOW, WALL, found["a"])
    assert (troubled.troubles, troubled.alarms) == (["alarm"], ["echo", "clipping"])
    assert troubles_of(ROOM, GOOD, None, NOW, found["c"]) == [], "its state says that"
    stale = tile_of(replace(ROOM, id="s"), GOOD, picture(60.0), NOW, WALL)
    assert [one.participant for one in ordered([stale, troubled])] == ["a", "s"]


def test_trouble_comes_first_then_importance_then_the_name() -> None:
    def tile(name: str, presence: str = "connected", importance: int = 0, grade: str = "good"):  # type: ignore[no-untyped-def]
        who = replace(ROOM, id=name, label=name, presence=presence, importance=importance)  # type: ignore[arg-type]
        reading = replace(GOOD, quality=LineQuality(grade))  # type: ignore[arg-type]
        return tile_of(who, reading, None, NOW, WALL)

    tiles = [
        tile("left", "left"), tile("b"), tile("Ấp"), tile("vip", importance=5),
        tile("late", "expected"),
        tile("fair", grade="fair"), tile("poor", grade="poor"), tile("lost", "lost"),
        tile("calls", "calling"), tile("a"),
    ]  # fmt: skip
    assert [one.participant for one in ordered(tiles)] == [
        "lost", "calls", "poor", "late", "fair", "vip", "a", "b", "Ấp", "left",
    ]  # fmt: skip
