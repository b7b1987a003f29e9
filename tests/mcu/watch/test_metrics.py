"""Alarms by kind, and how many rooms are watched."""

from mcu.conference.alarm_model import NoteTroubles, TroubleBegan
from mcu.watch.metrics import AlarmCollector
from tests.mcu.watch.watched_meeting import WatchedMeeting, WatchedRoom


def test_every_kind_is_there_and_those_that_last_are_counted() -> None:
    room = WatchedMeeting(WatchedRoom("a", codec="pcma"), WatchedRoom("b", codec="pcma"))
    room.run(2)
    room.do(NoteTroubles((TroubleBegan("a", "echo", room.wall),)))
    families = {one.name: one for one in AlarmCollector(room.watcher, room).collect()}  # type: ignore[arg-type]
    now = {sample.labels["kind"]: sample.value for sample in families["mcu_alarms"].samples}
    assert now["echo"] == 1.0
    assert sum(now.values()) == 1.0
    assert len(now) == 9
    watched = {one.labels["what"]: one.value for one in families["mcu_alarms_watched"].samples}
    assert watched == {"sound": 2.0, "picture": 0.0}
    waits = {
        one.labels["what"]: one.value for one in families["mcu_alarms_unwatched_seconds"].samples
    }
    assert waits == {"sound": 0.0, "picture": 0.0}
    raised = families["mcu_alarms_raised"].samples
    assert {sample.labels["kind"] for sample in raised} == set(now)
