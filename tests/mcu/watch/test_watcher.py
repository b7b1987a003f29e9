"""Faults of rooms become alarms of their conference, through real codecs and the whole engine."""

import numpy as np
import numpy.typing as npt
import pytest

from bench import detect_sound as sounds
from config.alarms_section import AlarmSettings
from mcu.conference.commands import (
    ChangeParticipant,
    EndConference,
    NoteLeft,
    NoteLost,
    NoteReturned,
    RemoveParticipant,
)
from mcu.conference.floor_model import GrantFloor
from mcu.engine.plan import MediaPlan
from mcu.engine.taps import End, PictureObserver, SoundObserver, Wish
from tests.mcu.watch.watched_meeting import WatchedMeeting, WatchedRoom, camera

Floats = npt.NDArray[np.float64]


def speech(name: str, seconds: float, start: float = 0.0, gain_db: float = 0.0) -> sounds.Sound:
    silence = np.zeros(round(start * 50) * 960, np.int16)
    return np.concatenate(
        (silence, sounds.whole(sounds.gained(sounds.voice(name, seconds), gain_db)))
    )


def turns(seconds: float, count: int) -> list[sounds.Sound]:
    """Rooms that speak one after the other, five seconds each, again and again."""
    out = []
    for number in range(count):
        sound = sounds.voice(f"turn {number}", seconds).copy()
        for at in range(0, len(sound), 5 * 48_000):
            if (at // (5 * 48_000)) % count != number:
                sound[at : at + 5 * 48_000] = 0
        out.append(sound)
    return out


@pytest.mark.parametrize(
    ("delay_ms", "level_db", "codec", "both_speak"),
    [
        (20, -12, "opus", False),
        (60, -20, "g722", False),
        (120, -26, "opus", False),
        (200, -12, "pcma", True),
        (300, -20, "opus", True),
        (400, -12, "opus", False),
    ],
)
def test_an_echo_is_located_to_the_room_that_makes_it(
    delay_ms: float, level_db: float, codec: str, both_speak: bool
) -> None:
    near = speech("near", 30) if both_speak else np.zeros(0, np.int16)
    room = WatchedMeeting(
        WatchedRoom("chair", speech("far", 30)),
        WatchedRoom("echoes", near, codec=codec, levels=codec == "opus",
                    echo_ms=delay_ms, echo_db=level_db),
        WatchedRoom("healthy", codec="pcma", levels=False),
    )  # fmt: skip
    room.run_until({"echoes": ["echo"]}, 26)
    assert room.found == {"echoes": ["echo"]}
    alarm = room.alarm("echoes", "echo")
    assert alarm.severity == "critical"
    found_ms = float(alarm.detail["delay_ms"])
    assert 0 <= found_ms - delay_ms <= 110  # codecs and the playout buffer come on top
    # While playout still finds its delay the path is smeared, and the level comes out too low.
    assert level_db - 20 <= float(alarm.detail["level_db"]) <= level_db + 6


def test_an_echo_that_is_gone_is_cleared() -> None:
    room = WatchedMeeting(
        WatchedRoom("chair", speech("far", 70), codec="pcma", levels=False),
        WatchedRoom("echoes", codec="pcma", levels=False, echo_ms=100.0, echo_db=-12.0),
    )
    room.run_until({"echoes": ["echo"]}, 26)
    assert room.found == {"echoes": ["echo"]}
    room.rooms["echoes"].echo_ms = None
    room.run_until({}, 60)
    assert room.found == {}


def test_an_echo_of_everybody_is_told_from_a_television_that_lags() -> None:
    voices = turns(60, 2)
    echoing = WatchedMeeting(
        WatchedRoom("a", voices[0]), WatchedRoom("b", voices[1]),
        WatchedRoom("echoes", echo_ms=150.0, echo_db=-15.0),
    )  # fmt: skip
    echoing.run_until({"echoes": ["echo"]}, 30)
    assert echoing.found == {"echoes": ["echo"]}
    late = sounds.whole(sounds.echo(voices[0], 250.0, -10.0))
    television = WatchedMeeting(
        WatchedRoom("a", voices[0]), WatchedRoom("b", np.zeros(0, np.int16)),
        WatchedRoom("television", late),
    )  # fmt: skip
    television.run_until({"television": ["echo"]}, 25)
    assert television.found == {"television": ["echo"]}
    assert television.alarm("television", "echo").detail["only_with"] == "a"


def test_a_healthy_meeting_raises_nothing() -> None:
    voices = turns(60, 4)
    room = WatchedMeeting(
        *(
            WatchedRoom(f"r{number}", voice, film=camera("live", number))
            for number, voice in enumerate(voices)
        ),
        WatchedRoom("sip", codec="pcma", levels=False, noise_dbov=-50.0),
    )
    room.run(40)
    assert room.state.alarms == ()
    assert sum(room.watcher.raised().values()) == 0


def test_black_and_frozen_pictures_are_found_and_live_ones_are_not() -> None:
    room = WatchedMeeting(
        WatchedRoom("black", film=camera("black", 1, gain=3.0)),
        WatchedRoom("frozen", film=camera("frozen", 2), bitrate_bps=2_000_000),
        WatchedRoom("live", film=camera("live", 3)),
    )
    room.run_until({"black": ["black"], "frozen": ["frozen"]}, 25)
    assert room.found == {"black": ["black"], "frozen": ["frozen"]}
    assert room.alarm("black", "black").detail["how"] == "black"
    room.rooms["black"].film = camera("live", 4)
    room.rooms["frozen"].film = camera("live", 5)
    room.run(15)
    assert room.found == {}


def test_who_speaks_before_a_frozen_camera_is_found_at_a_low_bit_rate_too() -> None:
    room = WatchedMeeting(
        WatchedRoom("frozen", speech("s", 40), film=camera("frozen", 2), bitrate_bps=150_000),
        WatchedRoom("live", film=camera("live", 3), bitrate_bps=150_000),
    )
    room.do(GrantFloor("frozen", 900, "none"))
    room.run_until({"frozen": ["frozen"]}, 35)
    assert room.found == {"frozen": ["frozen"]}


def test_a_camera_that_sends_nothing_is_black_and_one_that_is_muted_is_not() -> None:
    room = WatchedMeeting(
        WatchedRoom("dead", film=iter(())), WatchedRoom("muted", film=camera("black", 1))
    )
    room.rooms["dead"].next_picture = lambda: None  # type: ignore[method-assign]
    room.do(ChangeParticipant("muted", video_muted=True))
    room.run(25)
    assert room.found == {"dead": ["black"]}
    assert room.alarm("dead", "black").detail["how"] == "no picture"
    room.do(ChangeParticipant("dead", video_muted=True))
    room.run(6)
    assert room.found == {}


def test_silence_is_trouble_only_where_speaking_is_expected() -> None:
    room = WatchedMeeting(
        WatchedRoom("silent", noise_dbov=-60.0), WatchedRoom("speaks", speech("s", 60)),
        WatchedRoom("also"),
    )  # fmt: skip
    room.run(15)
    assert room.found == {}
    room.do(GrantFloor("silent", 900, "none"))
    room.run(9)
    assert room.found == {}
    room.run(3)
    assert room.found == {"silent": ["silent"]}
    assert room.alarm("silent", "silent").severity == "critical"
    room.do(GrantFloor("speaks", 900, "none"))
    room.run(12)
    assert room.found == {}


def test_clipping_and_howling_are_told_apart() -> None:
    def clips(sound: Floats) -> Floats:
        return np.clip(sound * 12.0, -14_000, 14_000)

    ticks = 0

    def howls(sound: Floats) -> Floats:
        nonlocal ticks
        n = np.arange(ticks * 960, (ticks + 1) * 960)
        ticks += 1
        return np.clip(sound + 12_000 * np.sin(2 * np.pi * 1_130 * n / 48_000), -14_000, 14_000)

    room = WatchedMeeting(
        WatchedRoom("clips", speech("loud", 30), fault=clips),
        WatchedRoom("healthy", speech("calm", 30, start=10)),
        WatchedRoom("howls", fault=howls),
    )
    room.run(16)
    assert room.found == {"clips": ["clipping"], "howls": ["howl"]}
    assert float(room.alarm("howls", "howl").detail["frequency_hz"]) == pytest.approx(1_130, abs=8)
    room.do(ChangeParticipant("howls", audio_muted=True))
    room.run(5)
    assert "howls" not in room.found


def test_lost_rooms_loss_and_another_codec() -> None:
    room = WatchedMeeting(*(WatchedRoom(name) for name in ("gone", "lossy", "changed", "well")))
    room.run(2)
    room.do(NoteLost("gone", "leg-gone"))
    room.lost = {"lossy": 12.0, "well": 1.0}
    changed = room.rooms["changed"]
    changed.sources = {**changed.sources, "video": changed.sources["audio"]}
    room.run(3)
    changed.sources = {"audio": WatchedRoom("x", codec="pcmu").sources["audio"]}
    room.run(14)
    assert room.found == {"gone": ["lost"], "lossy": ["loss"], "changed": ["drift"]}
    assert room.alarm("changed", "drift").detail == {
        "stream": "audio", "before": "opus", "now": "pcmu",
    }  # fmt: skip
    room.do(NoteReturned("gone", "leg-gone"))
    room.run(4)
    assert "gone" not in room.found


def test_who_was_lost_stays_in_trouble_until_it_is_back_and_who_said_goodbye_is_in_none() -> None:
    room = WatchedMeeting(WatchedRoom("gone"), WatchedRoom("bye"), WatchedRoom("off"))
    room.run(1)
    for who in ("gone", "off"):
        room.do(NoteLost(who, f"leg-{who}"))
    room.run(2)
    assert room.found == {"gone": ["lost"], "off": ["lost"]}
    room.do(NoteLeft("gone", "leg-gone", "timeout"))
    room.do(NoteLeft("bye", "leg-bye", "bye"))
    room.do(RemoveParticipant("off"))
    assert room.found == {"gone": ["lost"]}
    room.run(5)
    assert room.found == {"gone": ["lost"]}
    assert [one.ending for one in room.state.alarms] == [None, "removed"]


def test_a_room_whose_line_goes_is_lost_and_not_silent() -> None:
    room = WatchedMeeting(
        WatchedRoom("speaks", speech("s", 14)), WatchedRoom("listens", film=camera("live", 1))
    )
    room.do(GrantFloor("speaks", 900, "none"))
    room.run(7)
    room.rooms["speaks"].cut = True
    room.run(15)  # the peers' reports have ended too: it may be found to be lost at any time
    assert room.found == {}
    room.do(NoteLost("speaks", "leg-speaks"))
    room.run(15)
    assert room.found == {"speaks": ["lost"]}
    room.do(NoteLeft("speaks", "leg-speaks", "timeout"))
    room.run(5)
    assert room.found == {"speaks": ["lost"]}
    assert [one.kind for one in room.state.alarms] == ["lost"]


def test_what_was_found_before_a_room_was_lost_is_found_anew_when_it_is_back() -> None:
    room = WatchedMeeting(WatchedRoom("silent"), WatchedRoom("listens"))
    room.do(GrantFloor("silent", 900, "none"))
    room.run(12)
    assert room.found == {"silent": ["silent"]}
    room.rooms["silent"].cut = True
    room.run(3)
    room.do(NoteLost("silent", "leg-silent"))
    assert room.found == {}
    assert room.alarm("silent", "silent").ending == "lost"
    room.run(3)
    assert room.found == {"silent": ["lost"]}
    room.rooms["silent"].cut = False
    room.do(NoteReturned("silent", "leg-silent"))
    room.run(4)
    assert room.found == {}
    room.run(10)
    assert room.found == {"silent": ["silent"]}
    assert room.alarm("silent", "silent").number == 3


def test_a_room_that_is_lost_for_a_blink_only_can_be_in_the_same_trouble_again() -> None:
    room = WatchedMeeting(WatchedRoom("black", film=camera("black", 1)), WatchedRoom("listens"))
    room.run_until({"black": ["black"]}, 20)
    assert room.found == {"black": ["black"]}
    room.do(NoteLost("black", "leg-black"))
    room.do(NoteReturned("black", "leg-black"))
    assert room.found == {}
    room.run_until({"black": ["black"]}, 20)
    assert room.found == {"black": ["black"]}


def test_off_it_opens_no_tap_and_the_end_of_a_conference_closes_all() -> None:
    off = WatchedMeeting(WatchedRoom("a"), settings=AlarmSettings(enabled=False))
    off.run(2)
    assert off.media.audio.statistics().decoders == 0
    assert off.watcher.watched() == (0, 0)
    room = WatchedMeeting(WatchedRoom("a", film=camera("live", 1)), WatchedRoom("b"))
    room.run(3)
    assert room.watcher.watched() == (2, 1)
    assert room.media.audio.statistics().decoders == 2
    room.do(EndConference("bye"))
    room.run(1)
    assert room.watcher.watched() == (0, 0)
    assert room.media.audio.statistics().decoders == 0


def test_on_a_full_machine_nothing_is_decoded_for_alarms_alone() -> None:
    room = WatchedMeeting(WatchedRoom("speaks", speech("s", 10)), WatchedRoom("listens"))
    room.run(3)
    assert room.watcher.watched() == (2, 0)
    room.strained = True
    room.run(2)
    assert room.watcher.watched() == (1, 0)
    assert room.media.audio.statistics().decoders == 1


def test_few_are_watched_at_once_and_all_in_turn() -> None:
    rooms = [WatchedRoom(f"r{number}", codec="pcma") for number in range(9)]
    room = WatchedMeeting(*rooms, settings=AlarmSettings(rooms_at_once=2, turn_s=8.0))
    listened, decoders = set(), set()
    observe = room.media.observe_sound

    def noting(who: str, ears: SoundObserver) -> End:
        listened.add(who)
        return observe(who, ears)

    room.media.observe_sound = noting  # type: ignore[method-assign]
    for _ in range(45):
        room.run(1)
        decoders.add(room.media.audio.statistics().decoders)
    assert max(decoders) == 2
    assert listened == {one.name for one in rooms}


def test_nobody_listens_to_a_muted_room_and_a_picture_that_is_well_makes_place() -> None:
    rooms = [WatchedRoom(f"r{number}", film=camera("live", number)) for number in range(7)]
    settings = AlarmSettings(rooms_at_once=2, pictures_at_once=2)
    room = WatchedMeeting(*rooms, settings=settings)
    for who in rooms[1:]:
        room.do(ChangeParticipant(who.name, audio_muted=True))
    looked: set[str] = set()
    observe = room.media.observe_picture

    def noting(who: str, observer: PictureObserver, wish: Wish = "whole") -> End:
        looked.add(who)
        return observe(who, observer, wish)

    room.media.observe_picture = noting  # type: ignore[method-assign]
    room.run(22)
    assert room.watcher.watched() == (1, 2)
    assert looked == {one.name for one in rooms}, "turns of ten seconds would have shown six"
    assert room.found == {}


def test_a_camera_that_sends_nothing_is_found_among_many_in_its_turn() -> None:
    rooms = [WatchedRoom(f"r{number}", film=camera("live", number)) for number in range(5)]
    dead = WatchedRoom("dead", film=iter(()))
    dead.next_picture = lambda: None  # type: ignore[method-assign]
    room = WatchedMeeting(*rooms, dead, settings=AlarmSettings(pictures_at_once=1))
    room.run_until({"dead": ["black"]}, 60)
    assert room.found == {"dead": ["black"]}
    # It is looked at in turns from now on, like all others.
    del dead.next_picture
    dead.film = camera("live", 9)
    room.run_until({}, 60)
    assert room.found == {}


def test_a_conference_without_rooms_is_no_trouble() -> None:
    room = WatchedMeeting(WatchedRoom("a"))
    room.do(RemoveParticipant("a"))
    room.media.apply_plan(MediaPlan(), room.now)
    room.run(2)
    assert room.state.alarms == ()
