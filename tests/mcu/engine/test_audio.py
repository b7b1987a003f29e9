import numpy as np
import pytest

from mcu.engine.audio import AudioMixer
from mcu.engine.plan import MediaPlan
from mcu.legs.leg import StreamCodec
from mcu.media.frames import AudioPacket
from mcu.media.rendition import FanOut
from tests.mcu.engine.audio_room import (
    OPUS,
    Ear,
    Line,
    Room,
    gated,
    largest_step,
    power_db,
    still,
    tone,
)

SECOND = 48_000


def is_silent(sound: np.ndarray) -> bool:
    """Encoded silence decodes to within a step or two of zero."""
    return bool(np.abs(sound).max() <= 2)


def test_everybody_hears_everybody_but_themselves() -> None:
    room = Room()
    tones = {"a": 440, "b": 1_000, "c": 1_700}
    ears = {name: room.join(name, tone(hz)) for name, hz in tones.items()}
    viewer = room.listen(Ear("viewer", None))
    listener = room.join("d", still)
    room.run(3)
    for name, ear in ears.items():
        heard = ear.sound[-SECOND:]
        for other, hz in tones.items():
            if other == name:
                assert power_db(heard, hz) < power_db(viewer.sound[-SECOND:], hz) - 60
            else:
                assert power_db(heard, hz) == pytest.approx(20 * np.log10(6_000), abs=1)
    assert np.array_equal(viewer.sound, listener.sound)
    assert viewer.plays == listener.plays == ["total"]


@pytest.mark.parametrize("codec", ["g722", "pcma", "pcmu"])
def test_other_codecs_both_ways_in_one_room(codec: str) -> None:
    room = Room()
    opus = room.join("opus", tone(440))
    other = room.join("other", tone(1_000), codec=StreamCodec(codec, 8_000, 1), levels=False)
    room.run(4)
    assert power_db(opus.sound[-SECOND:], 1_000) == pytest.approx(75.6, abs=1)
    assert power_db(other.sound[-SECOND:], 440) == pytest.approx(75.6, abs=1)
    assert power_db(opus.sound[-SECOND:], 440) < 15
    assert power_db(other.sound[-SECOND:], 1_000) < 30  # quantising noise of 8 bits is there
    assert set(np.diff(other.timestamps)) == {160}


def test_one_decode_a_speaker_one_encode_a_mix() -> None:
    room = Room()
    for number in range(145):
        room.join(f"p{number}", tone(300 + number) if number < 4 else still, decodes=False)
    room.run(1)
    before = room.mixer.statistics()
    room.run(1)
    after = room.mixer.statistics()
    assert (after.sources, after.listeners, after.speakers) == (145, 145, 4)
    assert after.decoders == 4
    assert after.encoders == after.renditions == 5
    assert after.encoded - before.encoded == 5 * 50
    assert 4 * 50 <= after.decoded - before.decoded <= 4 * 50 + 4
    assert sum(len(ear.payloads) for ear in room.ears.values()) == 145 * 100


def test_all_renditions_follow_one_clock_through_every_change() -> None:
    room = Room()
    room.join("a", tone(440))
    ear = room.join("b", gated(tone(1_000), 0.5, 1.0))
    room.run(2)
    room.plan("b", deafened=True)
    room.run(1)
    room.plan("b")
    room.run(1)
    assert len(set(ear.plays)) >= 3
    assert set(np.diff(ear.timestamps)) == {960}
    assert len(ear.heard) == 4 * 50


def vowel(n: np.ndarray) -> np.ndarray:
    t = n / 48_000
    phase = 2 * np.pi * (120 * t - 2.4 * np.cos(2 * np.pi * 1.3 * t))
    sound = sum(np.sin(k * phase) / (1 + abs(k * 120 - 600) / 300) for k in range(1, 25))
    return 2_500 * sound * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))


def ears_with_and_without_speaking(signal: object) -> tuple[Ear, Ear]:
    ears = []
    for own in (still, gated(tone(1_000), 2.0, 3.0)):
        room = Room()
        room.join("a", signal)
        room.join("c", still)  # hears the total all the time, so that its encoder is another one
        ears.append(room.join("b", own))
        room.run(8)
    return ears[0], ears[1]


def tick_errors(reference: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Difference of each tick, relative to the reference's level."""
    difference = (heard.astype(float) - reference).reshape(-1, 960)
    level = np.sqrt(np.mean(reference[SECOND:].astype(float) ** 2))
    return np.sqrt(np.mean(difference**2, axis=1)) / level


@pytest.mark.parametrize("signal", [vowel, tone(440), tone(700)], ids=["vowel", "440 Hz", "700 Hz"])
def test_beginning_and_ending_to_speak_is_not_heard_by_the_speaker(signal: object) -> None:
    """One decoder goes on through the change of encoder, there and back."""
    reference, ear = ears_with_and_without_speaking(signal)
    assert ear.plays == ["total", "minus:b", "total"]
    assert reference.plays == ["total"]
    assert np.array_equal(ear.sound[: 99 * 960], reference.sound[: 99 * 960])
    assert largest_step(ear.sound[SECOND:]) <= 1.2 * largest_step(reference.sound[SECOND:])
    errors = tick_errors(reference.sound, ear.sound)
    assert errors[95:].max() < 0.25  # two encoders' quantising noise is 0.1 to 0.2 here
    high = [power_db(one.sound[2 * SECOND : 3 * SECOND], 9_000) for one in (reference, ear)]
    assert high[1] < max(high[0] + 6, 10)


def test_without_running_in_the_change_would_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    monkeypatch.setattr("mcu.engine.audio_hearing.RUN_IN_TICKS", 0)
    reference, ear = ears_with_and_without_speaking(tone(700))
    assert largest_step(ear.sound[SECOND:]) > 3 * largest_step(reference.sound[SECOND:])
    assert tick_errors(reference.sound, ear.sound)[95:].max() > 0.4


def test_a_pause_in_speech_does_not_change_the_encoder() -> None:
    room = Room()
    room.join("a", tone(440))
    speech = gated(tone(1_000), 1.0, 1.5)
    ear = room.join("b", lambda n: speech(n) + speech(n - SECOND))
    room.run(3)
    assert ear.plays == ["total", "minus:b"]


def test_nobody_hears_itself_in_the_first_moment_either() -> None:
    room = Room()
    ear = room.join("b", gated(tone(1_000), 1.0, 5.0))
    viewer = room.listen(Ear("viewer", None))
    room.run(3)
    assert np.abs(ear.sound).max() < 30
    assert np.abs(viewer.sound).max() > 5_000


def test_own_sound_stays_away_while_the_limiter_works_and_gains_ramp() -> None:
    room = Room()
    tones = {"a": 440, "b": 1_000, "c": 1_700}
    ears = {name: room.join(name, tone(hz, 28_000)) for name, hz in tones.items()}
    viewer = room.listen(Ear("viewer", None))
    room.run(1)
    for step in range(40):
        room.plan("a", volume_db=(step % 5) * 3.0)
        room.run(0.1)
    heard = ears["a"].sound[-3 * SECOND :]
    assert power_db(heard, 440) < power_db(viewer.sound[-3 * SECOND :], 440) - 60
    assert power_db(heard, 1_000) > 70
    assert largest_step(viewer.sound) < 20_000  # a sum that wrapped would jump by 60,000


def test_volume() -> None:
    room = Room()
    room.join("a", tone(440))
    ear = room.join("b")
    room.plan("a", volume_db=-12.0)
    room.run(3)
    assert power_db(ear.sound[-SECOND:], 440) == pytest.approx(75.6 - 12, abs=0.5)


def test_muting_and_unmuting_do_not_click() -> None:
    room = Room()
    room.join("a", tone(440))
    ear = room.join("b")
    room.run(2)
    room.plan("a", audio_muted=True)
    room.run(1)
    assert room.mixer.speakers == ()
    assert room.mixer.levels["a"] == pytest.approx(-18, abs=1)  # the meter still shows it
    room.plan("a", audio_muted=False)
    room.run(1)
    assert is_silent(ear.sound[round(2.2 * SECOND) : 3 * SECOND])
    assert power_db(ear.sound[-SECOND // 2 :], 440) == pytest.approx(75.6, abs=0.5)
    assert largest_step(ear.sound[SECOND:]) <= 1.2 * largest_step(ear.sound[SECOND : 2 * SECOND])


def test_joining_and_leaving_do_not_click() -> None:
    room = Room()
    room.join("a", tone(440))
    ear = room.join("b")
    room.run(2)
    own = largest_step(ear.sound[SECOND:])
    room.mixer.remove_source("a")
    room.run(1)
    assert is_silent(ear.sound[round(2.2 * SECOND) :])
    room.sinks["a"] = room.mixer.add_source("a", OPUS).receive
    room.run(1)
    assert power_db(ear.sound[-SECOND // 2 :], 440) == pytest.approx(75.6, abs=0.5)
    assert largest_step(ear.sound[SECOND:]) <= 1.2 * own


def test_deafened_legs_share_silence_and_come_back_without_a_click() -> None:
    room = Room()
    room.join("a", tone(440), listens=False)
    ears = [room.join(f"d{number}") for number in range(20)]
    room.run(2)
    own = largest_step(ears[0].sound[SECOND:])
    for number in range(20):
        room.plan(f"d{number}", deafened=True)
    room.run(0.1)
    assert room.mixer.statistics().encoders == 1  # one fade for all; nobody is left on total
    room.run(1)
    assert room.mixer.statistics().encoders == 1
    assert is_silent(ears[0].sound[round(2.2 * SECOND) :])
    for number in range(20):
        room.plan(f"d{number}", deafened=False)
    room.run(2)
    assert room.mixer.statistics().encoders == 1
    for ear in ears:
        assert ear.plays == ["total", "fade", "silence", "fade", "total"]
        assert power_db(ear.sound[-SECOND:], 440) == pytest.approx(75.6, abs=0.5)
        assert largest_step(ear.sound[SECOND:]) <= 1.2 * own


def test_a_deafened_speaker_is_still_heard() -> None:
    room = Room()
    room.join("a", tone(440))
    speaker = room.join("b", tone(1_000))
    viewer = room.listen(Ear("viewer", None))
    room.plan("b", deafened=True)
    room.run(3)
    assert is_silent(speaker.sound[SECOND:])
    assert power_db(viewer.sound[-SECOND:], 1_000) == pytest.approx(75.6, abs=0.5)
    room.plan("b")
    room.run(1)
    assert power_db(speaker.sound[-SECOND // 2 :], 440) == pytest.approx(75.6, abs=0.5)
    assert power_db(speaker.sound[-SECOND // 2 :], 1_000) < 15


def test_two_legs_of_one_participant_share_and_come_and_go() -> None:
    room = Room()
    room.join("a", tone(440))
    first = room.join("b", tone(1_000))
    room.run(1)
    second = room.listen(Ear("second", "b"))
    room.run(1)
    assert room.mixer.statistics().encoders == 2
    assert second.plays == ["minus:b"]
    room.mixer.remove_listener(first)
    assert first.plays[-1] is None
    room.run(1)
    assert power_db(second.sound[-SECOND // 2 :], 440) == pytest.approx(75.6, abs=0.5)
    assert power_db(second.sound[-SECOND // 2 :], 1_000) < 15
    room.mixer.remove_listener(second)
    room.run(0.1)
    assert room.mixer.statistics().encoders == 1


def test_a_full_mix_keeps_the_loudest() -> None:
    room = Room(max_speakers=2)
    for name, hz, amplitude in (("a", 440, 8_000), ("b", 1_000, 7_000), ("c", 1_700, 1_500)):
        room.join(name, tone(hz, amplitude))
    viewer = room.listen(Ear("viewer", None))
    room.run(3)
    assert set(room.mixer.speakers) == {"a", "b"}
    assert power_db(viewer.sound[-SECOND:], 1_700) < 15
    room.plan("c", importance=5)
    room.run(1)
    assert "c" in room.mixer.speakers


def test_sources_without_level_are_measured_in_turn() -> None:
    room = Room()
    for number in range(60):
        signal = tone(440) if number == 41 else still
        room.join(f"p{number}", signal, levels=False, listens=False)
    room.run(1)
    before = room.mixer.statistics()
    assert room.mixer.speakers == ("p41",)
    room.run(1)
    measured = room.mixer.statistics().levels_measured - before.levels_measured
    assert 0.9 * 12 * 50 <= measured <= 12 * 50
    assert room.mixer.levels["p41"] == pytest.approx(-18, abs=1)
    assert room.mixer.levels["p7"] == -127


def test_a_bad_source_is_counted_and_hurts_nobody() -> None:
    room = Room()
    room.join("good", tone(440))
    ear = room.join("ear")
    bad = room.mixer.add_source("bad", OPUS).receive
    rng = np.random.default_rng(1)
    for _ in range(150):
        damaged = AudioPacket(room.tick, room.tick * 960, b"\xff\xff\xff", -3, True)
        absurd = AudioPacket(
            int(rng.integers(0, 1 << 40)),
            int(rng.integers(0, 1 << 50)),
            rng.bytes(int(rng.integers(1, 100))),
            -3,
            True,
        )
        for packet in (damaged, absurd, absurd, damaged):
            bad(packet, room.now)
        room.run(0.02)
    assert room.mixer.statistics().bad_payloads > 50
    assert power_db(ear.sound[-SECOND:], 440) == pytest.approx(75.6, abs=0.5)


def test_packets_of_strangers_and_listeners_unknown_are_ignored() -> None:
    mixer = AudioMixer(fan_out=FanOut(lambda delay, call: None))
    gone = mixer.add_source("gone", OPUS).receive
    mixer.remove_source("gone")
    gone(AudioPacket(1, 1, b"x", -10, True), 0.0)
    gone(AudioPacket(2, 961, b"x", None, False), 0.02)
    mixer.remove_source("nobody")
    mixer.remove_listener(Ear("x", "nobody"))
    mixer.apply_plan(MediaPlan())
    mixer.tick(0.0)
    assert mixer.levels == {}
    assert mixer.statistics().ticks == 1


def test_unknown_codecs_are_refused_and_change_nothing() -> None:
    room = Room()
    room.join("a", tone(440))
    with pytest.raises(ValueError, match="ilbc"):
        room.mixer.add_source("a", StreamCodec("ilbc", 8_000, 1))
    ear = Ear("x", "x")
    ear.outputs = {}
    with pytest.raises(KeyError):
        room.mixer.add_listener(ear, 0.0)
    room.run(1)
    assert room.mixer.statistics().sources == 1
    assert room.mixer.statistics().listeners == 1


def test_many_changes_leave_nothing_behind() -> None:
    room = Room()
    room.join("a", tone(440))
    for round_ in range(30):
        ear = room.join("guest", tone(1_000))
        room.run(0.1 if round_ % 3 else 0.3)
        room.plan("guest", deafened=bool(round_ % 2))
        room.run(0.06)
        room.mixer.remove_listener(ear)
        del room.ears[ear.id]
        room.mixer.remove_source("guest")
        del room.senders["guest"]
    room.run(2)
    statistics = room.mixer.statistics()
    assert (statistics.sources, statistics.listeners, statistics.speakers) == (1, 1, 1)
    assert statistics.decoders == 1
    assert statistics.encoders == 1


def test_expected_loss_reaches_the_encoders() -> None:
    sizes = []
    for share in (0.0, 0.3):
        room = Room()
        room.join("a", vowel)
        ear = room.join("b")
        room.mixer.expect_loss(share)
        room.run(3)
        sizes.append([bool(one[1] & 0x40) for one in ear.payloads[50:] if len(one) > 2])
    assert sum(sizes[1]) > 50 > sum(sizes[0])  # the LBRR flag (RFC 6716, 4.2.3)


@pytest.mark.parametrize("jitter_s", [0.0, 0.06])
def test_timestamps_stand_for_when_the_sound_came(jitter_s: float) -> None:
    """Sound that came at some moment is told to be of that moment, however long it waited."""
    room = Room()
    begins_s = 4.0
    room.join("a", lambda n: tone(400)(n) + gated(tone(2_000), begins_s, 9.0)(n), listens=False)
    ear = room.join("b")
    room.run(8.0, line=Line(jitter_s=jitter_s))
    power = np.array([power_db(block.astype(np.int16), 2_000) for block in ear.heard])
    first = int(np.flatnonzero(power > 60)[0])
    assert ear.rendition is not None
    away = (ear.timestamps[first] - ear.rendition.timestamp) / 48_000
    assert ear.rendition.timestamp_at + away == pytest.approx(100.0 + begins_s, abs=0.025)


def test_late_ticks_in_bunches_are_no_jitter() -> None:
    sounds = []
    for bunch in (1, 5):
        room = Room()
        room.join("a", tone(440))
        ear = room.join("b")
        room.run(1)
        room.run(6, bunch=bunch)
        assert room.mixer.statistics().concealed == 0
        sounds.append(ear.sound)
    assert largest_step(sounds[1][SECOND:]) <= 1.1 * largest_step(sounds[0][SECOND:])
    assert power_db(sounds[1][-SECOND:], 440) == pytest.approx(
        power_db(sounds[0][-SECOND:], 440), abs=0.2
    )


def test_a_bad_line_still_carries_everybody_but_oneself() -> None:
    room = Room()
    tones = {"a": 440, "b": 1_000, "c": 1_700}
    ears = {name: room.join(name, tone(hz)) for name, hz in tones.items()}
    room.run(12, line=Line(jitter_s=0.04, loss=0.05, duplicates=0.05))
    statistics = room.mixer.statistics()
    assert statistics.lost > 50
    assert statistics.resyncs == 0
    for name, ear in ears.items():
        assert len(ear.heard) == 12 * 50
        heard = ear.sound[-5 * SECOND :]
        for other, hz in tones.items():
            pieces = [power_db(piece, hz) for piece in heard.reshape(-1, 4_800)]
            if other == name:
                assert max(pieces) < 45  # what concealment and noise put there
                assert np.median(pieces) < 35
            else:
                assert np.median(pieces) == pytest.approx(75.6, abs=2)


@pytest.mark.parametrize("codec", ["opus", "g722", "pcma"])
def test_the_only_listener_of_an_encoder_takes_it_along(codec: str) -> None:
    form = OPUS if codec == "opus" else StreamCodec(codec, 8_000, 1)
    sounds = []
    for own in (still, gated(tone(1_000), 2.0, 3.0)):
        room = Room()
        room.join("a", tone(440), codec=StreamCodec("pcmu", 8_000, 1))
        ear = room.join("b", own, codec=form)
        room.run(8)
        sounds.append(ear.sound[SECOND:])
    assert ear.plays == ["total", "minus:b", "total"]
    assert np.abs(sounds[1].astype(int) - sounds[0]).max() <= 300  # rounding, never a click


@pytest.mark.parametrize("codec", ["g722", "pcma"])
def test_changes_of_encoder_in_other_codecs_do_not_click(codec: str) -> None:
    form = StreamCodec(codec, 8_000, 1)
    sounds = []
    for own in (still, gated(tone(1_000), 2.0, 3.0)):
        room = Room()
        room.join("a", tone(440))
        room.join("c", still, codec=form)
        ear = room.join("b", own, codec=form)
        room.run(8)
        sounds.append(ear.sound[SECOND:])
    assert len(ear.plays) == 3
    assert largest_step(sounds[1]) <= 1.15 * largest_step(sounds[0])
    difference = sounds[1].astype(float) - sounds[0]
    assert np.sqrt(np.mean(difference.reshape(-1, 960) ** 2, axis=1)).max() < 0.1 * 4_243
