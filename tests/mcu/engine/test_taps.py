"""Observers see and hear what is there, and cost nothing when they are gone."""

import numpy as np
import numpy.typing as npt
import pytest

from mcu.engine.plan import ParticipantPlan
from mcu.engine.video_requests import THUMBNAIL_FPS
from mcu.legs.leg import StreamCodec
from tests.mcu.engine.audio_room import OPUS, Room, gated, power_db, samples_of, still, tone
from tests.mcu.engine.video_process.coupled import CoupledRoom
from tests.mcu.engine.video_room import Camera, VideoRoom
from tests.mixer.video.pictures import GREEN, RED

SECOND = 48_000


class Ears:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.blocks: list[npt.NDArray[np.int16]] = []
        self.times: list[float] = []

    def heard(self, samples: npt.NDArray[np.int16], now: float) -> None:
        self.blocks.append(samples)
        self.times.append(now)

    sent = heard

    @property
    def sound(self) -> npt.NDArray[np.int16]:
        return np.concatenate(self.blocks)


class Eyes:
    def __init__(self) -> None:
        self.pictures: list[tuple[tuple[int, ...], float]] = []
        self.times: list[float] = []

    def seen(self, luma: npt.NDArray[np.uint8], now: float) -> None:
        self.pictures.append((luma.shape, float(luma.mean())))
        self.times.append(now)


@pytest.mark.parametrize(
    ("codec", "levels", "probes"),
    [(OPUS, True, 0), (OPUS, False, 1), (StreamCodec("pcma", 8_000, 1), False, 0)],
)
def test_a_muted_room_is_heard_by_its_observer_alone(
    codec: StreamCodec, levels: bool, probes: int
) -> None:
    room = Room()
    room.join("a", tone(440), codec=codec, levels=levels)
    other = room.join("b", still)
    room.plan("a", audio_muted=True)
    ears = Ears()
    end = room.mixer.observe_sound("a", ears)
    room.run(2)
    assert len(ears.blocks) == 99  # from the tick after the one in which it began to be decoded
    assert power_db(ears.sound[-SECOND:], 440) == pytest.approx(75.6, abs=1)
    assert np.abs(other.sound).max() <= 2
    assert room.mixer.statistics().decoders >= 1
    end()
    end()
    room.run(1)
    assert len(ears.blocks) == 99
    assert room.mixer.statistics().decoders == probes


def test_who_is_heard_is_decoded_once_and_goes_on_without_a_gap_when_heard_no_more() -> None:
    room = Room()
    room.join("a", gated(tone(440), 1.0, 2.0))
    room.join("b", still)
    ears = Ears()
    end = room.mixer.observe_sound("a", ears)
    room.run(1.5)
    before = room.mixer.statistics()
    room.run(0.4)
    after = room.mixer.statistics()
    assert after.decoders == before.decoders == 1
    assert after.decoded - before.decoded == pytest.approx(20, abs=1)
    room.run(8)
    assert len(ears.blocks) == pytest.approx(round(9.9 * 50), abs=1)
    spoken = ears.sound[round(1.3 * SECOND) : round(1.9 * SECOND)]
    assert power_db(spoken, 440) == pytest.approx(75.6, abs=1)
    end()
    room.run(0.1)
    assert room.mixer.statistics().decoders == 0


def test_an_observer_may_come_before_its_room_and_stay_through_a_new_source() -> None:
    room = Room()
    ears = Ears()
    room.mixer.observe_sound("a", ears)
    room.run(0.2)
    assert not ears.blocks
    room.join("a", tone(440))
    room.run(1)
    assert len(ears.blocks) == 49
    room.join("a", tone(800), listens=False)
    room.run(1)
    assert power_db(ears.sound[-SECOND // 2 :], 800) == pytest.approx(75.6, abs=1)


def test_what_is_sent_is_the_rooms_own_mix() -> None:
    room = Room()
    room.join("a", tone(440))
    room.join("b", tone(1_000))
    room.join("c", still)
    to = {name: Ears() for name in "abc"}
    for name, ears in to.items():
        room.mixer.observe_return(name, ears)
    room.mixer.observe_return("nobody", Ears())
    room.run(2)
    for name, own, other in (("a", 440, 1_000), ("b", 1_000, 440)):
        sound = to[name].sound[-SECOND:]
        assert power_db(sound, other) == pytest.approx(75.6, abs=1)
        assert power_db(sound, own) < 15
    assert np.array_equal(to["c"].sound, room.ears["leg-c"].sound) is False  # before the codec
    assert power_db(to["c"].sound[-SECOND:], 440) == pytest.approx(75.6, abs=1)
    room.plan("c", deafened=True)
    room.run(2)
    assert np.abs(to["c"].sound[-SECOND:]).max() == 0


def test_one_room_hears_a_test_tone_and_its_mix_again_after_it() -> None:
    room = Room()
    speaker = room.join("a", tone(440))
    one, other = room.join("b", still), room.join("c", still)
    room.run(1)
    n = 0

    def source(now: float) -> npt.NDArray[np.int16] | None:
        nonlocal n
        n += 960
        return samples_of(tone(1_500), n - 960, 960)

    ears = Ears()
    room.mixer.observe_return("b", ears)
    end = room.mixer.play_to("b", source)
    room.run(1.5)
    assert power_db(one.sound[-SECOND:], 1_500) == pytest.approx(75.6, abs=1)
    assert power_db(one.sound[-SECOND:], 440) < 15
    assert power_db(ears.sound[-SECOND:], 1_500) == pytest.approx(75.6, abs=1)
    for unmoved in (other, speaker):
        assert power_db(unmoved.sound[-SECOND:], 1_500) < 15
    again = room.mixer.play_to("b", lambda now: None)
    end()  # of one that was replaced: without effect
    room.run(1.5)
    assert np.abs(one.sound[-SECOND:]).max() <= 3
    again()
    room.run(1.5)
    assert power_db(one.sound[-SECOND:], 440) == pytest.approx(75.6, abs=1)
    assert set(np.diff(one.timestamps)) == {960}
    assert room.mixer.statistics().encoders == 2  # the total, and the speaker's own


def test_a_speaker_that_is_played_to_never_hears_itself() -> None:
    room = Room()
    speaker = room.join("a", tone(440))
    room.join("b", still)
    room.run(1)
    end = room.mixer.play_to("a", lambda now: None)
    room.run(1)
    end()
    room.run(1.5)
    assert power_db(speaker.sound[-2 * SECOND :], 440) < 15


def test_an_observer_that_raises_is_let_go_and_hurts_nobody() -> None:
    class Broken:
        def heard(self, samples: npt.NDArray[np.int16], now: float) -> None:
            raise RuntimeError("broken")

    room = Room()
    room.join("a", tone(440))
    ear = room.join("b", still)
    room.mixer.observe_sound("a", Broken())
    room.run(2)
    assert power_db(ear.sound[-SECOND:], 440) == pytest.approx(75.6, abs=1)


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
def test_a_hidden_room_is_seen_while_it_is_observed(kind: type[VideoRoom]) -> None:
    room = kind()
    room.seat("b")
    leg = room.join("a", RED)
    room.join("b", GREEN)
    room.run(10)
    assert not leg.wanted.get("video", False)
    whole, rows = Eyes(), Eyes()
    ends = [
        room.mixer.observe("a", whole, "whole"),
        room.mixer.observe("a", rows, "rows"),
    ]
    room.run(50)
    assert leg.wanted["video"]
    request = room.mixer.source_requests()["a", "video"]
    assert (request.paused, request.width, request.fps) == (False, 320, THUMBNAIL_FPS)
    assert 8 <= len(whole.pictures) <= 11
    assert {shape for shape, _ in whole.pictures} == {(180, 320)}
    assert {shape for shape, _ in rows.pictures} == {(90, 320)}
    assert min(np.diff(whole.times)) >= 0.19
    before = len(whole.pictures)
    ends[0]()
    room.run(25)
    assert len(whole.pictures) == before
    assert len(rows.pictures) > before
    ends[1]()
    ends[1]()
    room.run(10)
    assert not leg.wanted["video"]
    assert room.mixer.source_requests()["a", "video"].paused


@pytest.mark.parametrize("kind", [VideoRoom, CoupledRoom])
@pytest.mark.parametrize(("size", "most"), [((640, 360), 12), ((320, 180), 300)])
def test_of_a_hidden_room_with_large_pictures_key_frames_do_for_a_glimpse(
    kind: type[VideoRoom], size: tuple[int, int], most: int
) -> None:
    room = kind()
    room.seat("b")
    leg = room.join("a", RED)
    room.join("b", GREEN)
    room.cameras["a"] = Camera(RED, size)
    room.run(10)
    eyes = Eyes()
    end = room.mixer.observe("a", eyes, "glimpse")
    room.run(250)
    decoded = room.mixer.statistics().counters.frames_decoded
    assert 4 <= len(eyes.pictures) <= 55
    assert decoded <= most
    assert (decoded > 200) == (size == (320, 180))
    assert leg.key_frames_asked <= 10
    # More is wanted of it: every picture again, from a key frame on, without a gap.
    more = Eyes()
    ends = [room.mixer.observe("a", more, "rows"), end]
    end()
    room.run(50)
    assert leg.wanted["video"]
    assert len(more.pictures) >= 8
    for one in ends:
        one()
    room.run(10)
    assert not leg.wanted["video"]


def test_observers_go_on_with_a_new_process_and_after_a_room_that_came_late() -> None:
    room = CoupledRoom()
    room.seat("b")
    eyes = Eyes()
    room.mixer.observe("a", eyes, "rows")
    room.join("a", RED)
    room.put(ParticipantPlan("a", "a", "connected"))
    room.run(25)
    before = len(eyes.pictures)
    assert before
    room.kill_process()
    room.start_process()
    room.proxy.begin_again()
    room.run(50)
    assert len(eyes.pictures) > before
