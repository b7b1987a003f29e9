"""When pictures of hidden rooms are taken: a stream as it comes, of others a key frame at times."""

import itertools

from mcu.engine.thumbnail_pace import GIVE_UP_S, STILL_S, STREAM_S, ThumbnailPace
from mcu.media.frames import EncodedFrame

KEY_EVERY_S = 1_000.0


class Sender:
    """A room that sends ``fps`` pictures a second, and a key frame when asked."""

    def __init__(self, pace: ThumbnailPace, fps: float, *, deaf: bool = False) -> None:
        self.pace, self.fps, self.deaf = pace, fps, deaf
        self.now = 0.0
        self.taken: list[tuple[float, bool]] = []
        self.asked: list[float] = []
        self.open_s = 0.0
        self._due = 0.0
        self._key = False

    def run(self, seconds: float) -> None:
        ends = self.now + seconds
        while self.now < ends:
            if self.pace.asks(self.now):
                self.pace.asked(self.now)
                self.asked.append(self.now)
                self._key = not self.deaf
            self.open_s += 0.04 * self.pace.is_open
            if self.fps and self.now >= self._due:
                self._due += 1 / self.fps
                frame = EncodedFrame(b"", round(self.now * 90_000), self._key, contiguous=True)
                if self.pace.take(frame, self.now):
                    self.taken.append((self.now, self._key))
                self._key = False
            self.now += 0.04


def test_a_thumbnail_stream_is_followed_picture_by_picture() -> None:
    sender = Sender(ThumbnailPace(0.0), 1.0)
    sender.run(60.0)
    assert len(sender.asked) == 1
    assert len(sender.taken) == 60
    assert sender.pace.next_s == STREAM_S


def test_of_a_full_stream_key_frames_alone_are_taken_and_it_is_closed_in_between() -> None:
    sender = Sender(ThumbnailPace(0.0), 25.0)
    sender.run(120.0)
    keys = [when for when, key in sender.taken if key]
    assert len(keys) == len(sender.asked)
    assert keys[0] < 0.1, "the first one at once"
    gaps = [later - before for before, later in itertools.pairwise(keys)]
    assert all(gap <= STILL_S + 0.5 for gap in gaps)
    assert min(gaps[3:]) > STILL_S - 0.5
    assert len(sender.taken) - len(keys) <= 2 * len(keys), "a few more, to see how fast it is"
    assert sender.open_s < 0.05 * 120
    assert sender.pace.next_s == STILL_S


def test_a_room_that_slows_down_when_asked_is_followed_from_its_next_turn_on() -> None:
    sender = Sender(ThumbnailPace(0.0), 15.0)
    sender.run(0.5)
    sender.fps = 1.0
    sender._due = sender.now
    sender.run(20.0)
    assert len([when for when, _ in sender.taken if when > 5.0]) >= 11


def test_a_stream_that_ends_is_asked_again_and_then_left_alone_for_a_while() -> None:
    sender = Sender(ThumbnailPace(0.0), 1.0)
    sender.run(10.0)
    taken = len(sender.taken)
    sender.fps = 0.0
    sender.run(100.0)
    assert len(sender.taken) == taken
    assert 2 < len(sender.asked) < 30
    assert sender.open_s < 10 + 100 * (GIVE_UP_S + 5) / (GIVE_UP_S + STILL_S)
    sender.fps = 1.0
    sender._due = sender.now
    sender.run(30.0)
    assert len(sender.taken) > taken + 8


def test_a_loss_waits_for_a_key_frame() -> None:
    pace = ThumbnailPace(0.0)
    pace.asked(0.0)
    assert not pace.take(EncodedFrame(b"", 0, key_frame=False, contiguous=True), 0.0)
    assert pace.take(EncodedFrame(b"", 90_000, key_frame=True, contiguous=True), 1.0)
    assert not pace.take(EncodedFrame(b"", 180_000, key_frame=False, contiguous=False), 2.0)
    assert pace.asks(2.0)
    pace.asked(2.0)
    assert not pace.take(EncodedFrame(b"", 270_000, key_frame=False, contiguous=True), 3.0)
    assert pace.take(EncodedFrame(b"", 360_000, key_frame=True, contiguous=True), 4.0)


def test_where_the_machine_is_full_even_streams_give_key_frames_only() -> None:
    pace = ThumbnailPace(0.0)
    pace.spare(True, 0.0)
    sender = Sender(pace, 1.0)
    sender.run(60.0)
    assert all(key for _, key in sender.taken)
    assert 4 <= len(sender.taken) <= 8


def test_a_stream_goes_on_as_soon_as_the_machine_is_not_full_any_more() -> None:
    sender = Sender(ThumbnailPace(0.0), 1.0)
    sender.run(20.0)
    for _ in range(3):
        sender.pace.spare(True, sender.now)
        sender.run(5.0)
        before = len(sender.taken)
        sender.pace.spare(False, sender.now)
        sender.run(20.0)
        assert len(sender.taken) - before >= 19
        assert sender.pace.next_s == STREAM_S


def test_a_room_that_sends_too_much_has_no_turn_for_the_end_of_a_full_machine() -> None:
    sender = Sender(ThumbnailPace(0.0), 25.0)
    sender.run(40.0)
    asked = len(sender.asked)
    for _ in range(10):
        sender.pace.spare(False, sender.now)
        sender.run(0.2)
    assert len(sender.asked) <= asked + 1


def test_a_room_that_answers_no_request_is_asked_less_and_less() -> None:
    sender = Sender(ThumbnailPace(0.0), 25.0, deaf=True)
    sender.run(100.0)
    assert sender.taken == []
    assert len(sender.asked) < 30
