"""Every line loses 5%, delays by up to 40 ms more, reorders and duplicates; the meeting goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mcu.conference.commands import SetLayout
from mcu.engine.plan import ParticipantSlot
from mixer.codecs.opus import DEFAULT_EXPECTED_LOSS
from tests.peers.coded_media import AMPLITUDE, Sound, tone_db
from tests.peers.network import BAD, Faults
from tests.peers.receivers import sound_of
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_network import VirtualNetwork
from tests.peers.virtual_room import THREE, RoomSetup, VirtualRoom
from tests.peers.webrtc_peer import OfferOptions
from tests.scenario.meeting import (
    FULL_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)

SOUND_ONLY = OfferOptions(video=None)
WINDOW_SAMPLES = 960
BEARABLE_GAP_S = 0.15
"""Concealed sound is gone after 100 ms. Of 180 voices on such lines (thirty seeds) one or two were
gone for 120 ms, and of some more two for 140; what comes by chance moves with each packet sent."""


def envelope(sound: Sound, hz: float, samples: int = WINDOW_SAMPLES) -> np.ndarray:
    """Amplitude of one frequency in each window."""
    windows = sound[: len(sound) // samples * samples].reshape(-1, samples)
    spin = np.exp(-2j * np.pi * hz * np.arange(samples) / 48_000)
    return 2 * np.abs(windows @ spin) / samples


def longest_silence_s(sound: Sound, hz: float) -> float:
    longest = run = 0
    for loud in envelope(sound, hz) > AMPLITUDE / 4:
        run = 0 if loud else run + 1
        longest = max(longest, run)
    return longest * WINDOW_SAMPLES / 48_000


@pytest.mark.parametrize(("seed", "rtx"), [(1, True), (2, True), (3, False), (4, False)])
async def test_three_rooms_meet_over_bad_lines(tmp_path: Path, seed: int, rtx: bool) -> None:
    setups = []
    for one in THREE:
        options = replace(one.options, rtx=rtx)
        setups.append(replace(one, faults=BAD, options=options))
    async with VirtualInstallation(tmp_path / "data", VirtualNetwork(seed)) as site:
        rooms = await start_three(site, setups)
        site.run(8.0)
        assert_hear_each_other(rooms, seconds=2.0)
        assert_see_each_other(site, rooms)
        for room in rooms:
            heard = room.sound(6.0)
            for other in rooms:
                if other is not room:
                    assert longest_silence_s(heard, other.hz) <= BEARABLE_GAP_S
            assert_pictures_came_through(room)
            assert site.presence()[room.name] == "connected"
        # Duplicates, and repetitions of what came after all: nothing else is thrown away.
        assert set(site.reading().dropped) <= {"srtp_replay", "srtcp_replay", "repetition"}


def assert_pictures_came_through(room: VirtualRoom) -> None:
    """Loss was repaired by repetition, or a key frame made it good."""
    stream, screen = room.stream("video"), room.screen
    assert screen.errors == 0
    assert room.time.now - screen.shown_at < 0.5
    # 6 s of pictures, 10 a second, but for what was given up and what came before the first.
    assert screen.frames >= 57 - 12 * screen.given_up
    assert screen.given_up <= 1
    lost = stream.highest - stream.first + 1 - len(stream.packets)
    assert lost <= 3
    if room.setup.options.rtx:
        assert stream.by_rtx > 0
    assert room.peer.nacked > 0  # and of what the room sends, the other way round


async def test_a_burst_of_loss_ends_in_a_key_frame(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        cut = rooms[0]
        site.run(3.0)
        keys = [room.screen.key_frames for room in rooms]
        frames = cut.screen.frames
        asked = cut.peer.plis
        cut.up.cut = cut.down.cut = True
        site.run(1.5)
        cut.up.cut = cut.down.cut = False
        site.run(2.5)
        assert_hear_each_other(rooms)
        assert_see_each_other(site, rooms)
        assert cut.screen.frames > frames
        # Either side repairs what it can still repeat, and begins anew with a key frame else.
        assert cut.screen.key_frames > keys[0] or not cut.screen.given_up
        assert cut.peer.plis > asked or cut.peer.nacked > 0
        assert site.presence()[cut.name] == "connected"


async def test_nobody_asks_a_room_that_is_not_shown_for_anything(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE])
        await site.order(SetLayout("main", "1x1", (ParticipantSlot(THREE[0].name),)))
        rooms = [(await site.join(replace(one, faults=BAD)))[0] for one in THREE]
        site.run(3.0)
        for room in rooms[1:]:
            reading = site.acceptor.legs[room.leg_id].statistics(site.time.now)
            assert reading.received["video"].packets > 0
            assert reading.received["video"].frames == 0
            assert (room.peer.plis, room.peer.nacked) == (0, 0)
        assert rooms[0].peer.plis + rooms[0].peer.nacked > 0
        await site.order(SetLayout("main", "2x2"))
        site.run(3.0)
        assert_see_each_other(site, rooms)
        assert all(room.peer.plis > 0 for room in rooms[1:])


def delays_of(speaker: VirtualRoom, listener: VirtualRoom) -> np.ndarray:
    """Seconds from each onset of the speaker's pulses to its being heard, in order."""
    stream = listener.stream("audio")
    sound = sound_of(stream.packets, stream.first, stream.highest)
    step = 240
    loud = envelope(sound, speaker.hz, step) > AMPLITUDE / 2
    onsets = np.flatnonzero(loud[1:] & ~loud[:-1]) + 1
    start = listener.true_time("audio", stream.packets[stream.first].timestamp)
    heard_at = start + onsets * step / 48_000
    delays = []
    for sent_at in speaker.pulse_times:
        later = heard_at[heard_at >= sent_at]
        if len(later) and later[0] - sent_at < 0.5:
            delays.append(later[0] - sent_at)
    return np.array(delays)


async def test_delay_does_not_drift_in_two_minutes(tmp_path: Path) -> None:
    """Sound cards that are 400 millionths off add up to 48 ms here, and to seconds in a meeting."""
    slow = RoomSetup("cham", 440.0, pulse_s=0.3, clock_ppm=-400.0)
    fast = RoomSetup("nhanh", 1000.0, pulse_s=0.3, clock_ppm=400.0)
    async with VirtualInstallation(tmp_path / "data", VirtualNetwork(7)) as site:
        await site.start([slow.name, fast.name])
        rooms = await site.join(
            *(replace(one, faults=BAD, options=SOUND_ONLY) for one in (slow, fast))
        )
        site.run(120.0)
        for speaker, listener in (rooms, rooms[::-1]):
            delays = delays_of(speaker, listener)
            assert len(delays) >= 110
            assert abs(delays[-30:].mean() - delays[5:35].mean()) < 0.025
            assert delays.max() < 0.25
            assert listener.longest_audio_gap() <= 2


async def test_a_line_that_becomes_good_again_gets_its_short_delay_back(tmp_path: Path) -> None:
    speaker = RoomSetup("noi", 1000.0, pulse_s=0.3, fps=2, watches=False)
    listener = RoomSetup("nghe", 440.0, fps=2, watches=False)
    async with VirtualInstallation(tmp_path / "data", width=192, height=108, fps=2) as site:
        await site.start([speaker.name, listener.name])
        talks, hears = await site.join(speaker, listener)
        site.run(10.0)
        good = delays_of(talks, hears)[-5:].mean()
        talks.up.faults = Faults(loss=0.02, delay=0.01, jitter=0.15)
        site.run(15.0)
        bad = delays_of(talks, hears)[-5:].mean()
        talks.up.faults = Faults()
        site.run(25.0)
        again = delays_of(talks, hears)[-5:].mean()
        assert bad > good + 0.08
        assert again < good + 0.03
        assert tone_db(talks.sound(1.0), hears.hz) == pytest.approx(FULL_DB, abs=3.0)


async def test_sound_is_made_redundant_by_what_its_listeners_report(tmp_path: Path) -> None:
    speaker = RoomSetup("noi", 440.0, options=SOUND_ONLY)
    lossy = RoomSetup("mat", 1000.0, options=SOUND_ONLY)
    async with VirtualInstallation(tmp_path / "data", VirtualNetwork(5)) as site:
        await site.start([speaker.name, lossy.name])
        _, hears = await site.join(speaker, lossy)
        hears.peer.ask_for_missing = False  # as browsers, which have sound repeated by nobody
        told: list[float] = []
        audio = site.mix().audio
        tune = audio.expect_loss

        def expect_loss(share: float) -> None:
            told.append(share)
            tune(share)

        audio.expect_loss = expect_loss  # type: ignore[method-assign]
        site.run(6.0)
        assert told[-1] == DEFAULT_EXPECTED_LOSS
        hears.down.faults = Faults(loss=0.2)
        site.run(10.0)
        assert told[-1] == pytest.approx(0.2, abs=0.12)
        assert told[-1] > DEFAULT_EXPECTED_LOSS
        hears.down.faults = Faults()
        site.run(10.0)
        assert told[-1] == DEFAULT_EXPECTED_LOSS
