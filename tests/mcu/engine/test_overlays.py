"""Overlays in composed pictures: by content, and a countdown that goes by the wall clock."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from mcu.engine.plan import OverlayPlan
from tests.mcu.engine.video_room import WALL, Leg, VideoRoom, decoded
from tests.mixer.video.pictures import RED


def luma(room: VideoRoom, leg: Leg) -> np.ndarray:
    room.run(6)
    return decoded(leg.playing["video"]).y.astype(int)


def pin(room: VideoRoom, *overlays: OverlayPlan) -> None:
    room._views = {name: replace(one, overlays=overlays) for name, one in room._views.items()}
    room.apply()


def test_a_text_comes_and_goes_where_it_is_pinned() -> None:
    room = VideoRoom()
    room.seat("a", layout="1x1")
    leg = room.join("a", RED)
    room.mixer.add_viewer(leg, "main", room.now)
    room.run(10)
    before = luma(room, leg)
    pin(room, OverlayPlan("top-left", "Điểm cầu Xã Diên Khánh"))
    shown = luma(room, leg)
    changed = np.abs(shown - before) > 40
    rows, columns = np.nonzero(changed)
    assert len(rows) > 500
    assert rows.max() < 60
    assert columns.max() < 360
    pin(room)
    assert (np.abs(luma(room, leg) - before) > 40).sum() < 50


def test_a_countdown_is_painted_once_a_second() -> None:
    room = VideoRoom()
    room.seat("a", layout="1x1")
    room.plan("1x1")
    leg = Leg("v", sources=())
    room.mixer.add_viewer(leg, "main", room.now)
    pin(room, OverlayPlan("centre", "Xã Vạn Ninh", WALL + timedelta(seconds=30)))
    room.run(5)
    painted = room.mixer.statistics().counters.frames_composed
    scenes = set()
    view = room.mixer._views["main"]
    for step in range(75):
        room.now += 1 / 25
        room.mixer.tick(room.now, WALL + timedelta(seconds=step / 25))
        scenes.add(id(view._scene))
        assert view._scene is not None
    assert room.mixer.statistics().counters.frames_composed == painted + 75
    assert view._scene.captions[0].counts == "0:28"
    assert len(scenes) <= 4, "a scene for each second; equal ones cost nothing"
    room.mixer.tick(room.now + 1, WALL + timedelta(seconds=90))
    assert view._scene.captions[0].counts == "0:00"
