"""Lips and voices in a file, from the packets of a room through both mixers, in virtual time."""

from collections import deque

import numpy as np
import pytest

from mcu.engine.pool import InlinePool
from mcu.engine.video import VideoMixer
from mcu.media.rendition import FanOut
from mcu.recording.sample import Sample
from mcu.recording.viewer import RecordingViewer
from tests.mcu.engine.audio_room import Line, Room
from tests.mcu.engine.video_room import FPS, SIZE, WALL, VideoRoom
from tests.mcu.recording.coded import Written, play

WHITE, GREY = (235, 128, 128), (60, 128, 128)
SECONDS = 12
EACH_S, LONG_S = 1.0, 0.2
LIP_SYNC_S = 0.020


class Queue:
    has_room = True

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def offer(self, sample: Sample) -> bool:
        self.samples.append(sample)
        return True


def is_on(time_s: float) -> bool:
    """Whether it beeps and flashes."""
    return 0.4 <= time_s % EACH_S + 1e-6 < 0.4 + LONG_S


def signal(n: np.ndarray) -> np.ndarray:
    on = ((n / 48_000) % EACH_S >= 0.4) & ((n / 48_000) % EACH_S < 0.4 + LONG_S)
    return 9_000.0 * np.sin(2 * np.pi * 1_000 * n / 48_000) * on


@pytest.mark.parametrize("jitter_s", [0.0, 0.03])
@pytest.mark.parametrize("line_s", [0.0, 0.08])
@pytest.mark.parametrize("left_out", [0, 4])
def test_they_are_together(jitter_s: float, line_s: float, left_out: int) -> None:
    """
    Args:
        jitter_s: of the sound's packets, for which their playout is later.
        line_s: by how much both come later than they were seen and heard.
        left_out: ticks of the sound that are never made up for, as on a machine that is too busy.
    """
    sound, pictures, queue = Room(), VideoRoom(), Queue()
    pictures.mixer = VideoMixer(
        fan_out=FanOut(lambda delay, call: call(pictures.now)),
        pool=InlinePool(),
        width=SIZE[0],
        height=SIZE[1],
        fps=FPS,
        bitrate_bps=600_000,
    )
    recorder = RecordingViewer("rec-1", "c", queue, lambda: pictures.now)
    sound.join("a", signal, listens=False)
    sound.mixer.add_listener(recorder, sound.now)
    pictures.seat("a", layout="1x1")
    leg = pictures.join("a", GREY)
    pictures.mixer.add_viewer(recorder, "main", pictures.now)
    line, began = Line(jitter_s), pictures.now
    camera, flying = pictures.cameras["a"], deque[tuple[float, object]]()
    gone = 0
    for tick in range(SECONDS * 50):
        now = began + tick * 0.02
        sender = sound.senders["a"]
        # A packet leaves when all of its 20 ms are said; what a camera sees leaves at once.
        line.send("a", sender.packet(tick), now + 0.02 + line_s)
        for at, who, packet in line.arrived(now):
            sound.sinks[who](packet, at - 0.02)
        if 200 <= tick < 200 + left_out:
            gone += 1
        else:
            sound.mixer.tick(now)
        if tick % 2 == 0:
            camera.colour = WHITE if is_on(now - began) else GREY
            flying.append((now + line_s, camera.next(leg.key_frames_asked)))
            pictures.now = now
            while flying and flying[0][0] <= now:
                pictures.mixer.receive("a", "video", flying.popleft()[1], now)  # type: ignore[arg-type]
            pictures.mixer.set_speakers(sound.mixer.speakers)
            pictures.mixer.tick(now, WALL)
    assert gone == left_out
    written = Written.of(queue.samples)
    assert len(written.parts) == 1
    played = play(written.parts[0])
    flashes, beeps = played.flashes(), played.beeps()
    skews = [flash - beep for beep in beeps for flash in flashes if abs(flash - beep) < EACH_S / 4]
    assert len(skews) >= SECONDS - 3
    assert abs(float(np.median(skews))) <= LIP_SYNC_S
