"""Readings added up: means, the worst, and nothing carried over into the next minute."""

from datetime import UTC, datetime

from mcu.operations.minutes import Minute, Minutes, RoomMinute

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_a_minute_holds_means_and_the_worst_of_its_readings() -> None:
    minutes = Minutes()
    for loss, height in ((0.0, 720), (6.0, 180), (3.0, 360)):
        minutes.measured(
            "hop", "a", loss_percent=loss, jitter_ms=4.0, round_trip_ms=None, height=height
        )
    minutes.heard("hop", ["a", "b"], 0.25)
    minutes.heard("hop", ["b"], 0.25)
    assert minutes.take(NOW) == [
        Minute("hop", NOW, {
            "a": RoomMinute(0.25, 3.0, 6.0, 4.0, None, 180),
            "b": RoomMinute(0.5, None, None, None, None, None),
        })
    ]  # fmt: skip
    assert minutes.take(NOW) == [], "the next minute begins with nothing"


def test_conferences_have_minutes_of_their_own_and_sound_alone_is_the_smallest_picture() -> None:
    minutes = Minutes()
    for conference, height in (("one", 720), ("two", None), ("one", 0)):
        minutes.measured(
            conference, "a", loss_percent=None, jitter_ms=None, round_trip_ms=20.0, height=height
        )
    found = {each.conference: each.rooms["a"] for each in minutes.take(NOW)}
    assert found["one"].height == 0
    assert found["two"].height is None
    assert found["two"].loss_percent is None
    assert found["two"].round_trip_ms == 20.0
