"""A recorder shares what others receive, and alone keeps the encoder of a view running."""

import pytest

from mcu.recording.sample import Sample
from mcu.recording.viewer import RecordingViewer
from tests.mcu.engine.video_process.coupled import CoupledRoom
from tests.mcu.engine.video_room import VideoRoom
from tests.mixer.video.pictures import GREEN, RED


class Nowhere:
    has_room = True

    def offer(self, sample: Sample) -> bool:
        return True


def recorder(room: VideoRoom) -> RecordingViewer:
    return RecordingViewer("rec-1", "c", Nowhere(), lambda: room.now)


def meeting(room: VideoRoom) -> None:
    room.seat("a", "b")
    room.join("a", RED)
    room.join("b", GREEN)


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
def test_nothing_is_encoded_twice(kind: type[VideoRoom]) -> None:
    room = kind()
    meeting(room)
    for leg in room.legs.values():
        room.mixer.add_viewer(leg, "main", room.now)
    room.run(15)
    alone = room.mixer.statistics()
    found = recorder(room)
    room.mixer.add_viewer(found, "main", room.now)
    room.run(15)
    together = room.mixer.statistics()
    assert (together.renditions, together.encoders) == (alone.renditions, alone.encoders) == (1, 1)
    assert room.mixer.receives("rec-1") == room.mixer.receives("leg-a")


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
def test_the_recorder_alone_keeps_the_encoder_running(kind: type[VideoRoom]) -> None:
    room = kind()
    meeting(room)
    room.run(15)
    assert room.mixer.statistics().encoders == 0
    found = recorder(room)
    room.mixer.add_viewer(found, "main", room.now)
    room.run(15)
    assert room.mixer.statistics().encoders == 1
    room.mixer.remove_viewer(found)
    room.run(15)
    assert room.mixer.statistics().encoders == 0


def test_a_video_process_that_dies_is_replaced_under_it() -> None:
    room = CoupledRoom()
    meeting(room)
    room.mixer.add_viewer(recorder(room), "main", room.now)
    room.run(10)
    before = room.mixer.receives("rec-1")
    assert before is not None
    room.kill_process()
    room.start_process()
    room.proxy.begin_again()
    room.run(10)
    assert room.mixer.receives("rec-1") == before
