"""Who is heard and seen: speakers, mutes, deafness, volume."""

from pathlib import Path

import pytest

from mcu.conference.commands import ChangeParticipant, SetLayout
from tests.peers.coded_media import tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.scenario.meeting import (
    FULL_DB,
    OWN_TONE_BELOW_DB,
    assert_hear_each_other,
    assert_see_each_other,
    start_three,
)


async def test_the_large_picture_follows_the_speaker(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site, layout="1+5")
        for speaker in (*rooms, rooms[0]):
            for room in rooms:
                room.silent = room is not speaker
            site.run(3.0)
            for room in rooms:
                assert site.colour(room, 0, "1+5").is_like(speaker.colour), speaker.name
            assert site.mix().speakers[0] == speaker.name
        # A silent room is not heard and costs no encoder: two listeners share one mix.
        assert site.reading().encoders["audio"] == 2


async def test_who_is_muted_is_not_heard_and_is_marked(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        muted, *others = rooms
        site.run(1.0)
        await site.order(ChangeParticipant(muted.name, audio_muted=True))
        site.run(2.0)
        for room in others:
            assert tone_db(room.sound(1.0), muted.hz) < FULL_DB - OWN_TONE_BELOW_DB
        assert_hear_each_other(others)
        for other in others:  # who is muted still hears
            assert tone_db(muted.sound(1.0), other.hz) == pytest.approx(FULL_DB, abs=3.0)
        await site.order(ChangeParticipant(muted.name, audio_muted=False))
        site.run(2.0)
        assert_hear_each_other(rooms)


async def test_who_is_deafened_hears_silence_and_is_heard(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        deaf, *others = rooms
        site.run(1.0)
        await site.order(ChangeParticipant(deaf.name, deafened=True))
        site.run(2.0)
        sound = deaf.sound(1.0)
        assert abs(sound.astype(int)).max() <= 8
        assert deaf.longest_audio_gap() == 0
        assert tone_db(others[0].sound(1.0), deaf.hz) == pytest.approx(FULL_DB, abs=3.0)
        await site.order(ChangeParticipant(deaf.name, deafened=False))
        site.run(2.0)
        assert_hear_each_other(rooms)


async def test_a_volume_is_heard(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        quiet, *others = rooms
        await site.order(ChangeParticipant(quiet.name, volume_db=-12.0))
        site.run(2.0)
        for room in others:
            assert tone_db(room.sound(1.0), quiet.hz) == pytest.approx(FULL_DB - 12.0, abs=2.0)


async def test_a_muted_camera_is_not_seen_and_not_decoded(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        await site.order(ChangeParticipant(rooms[0].name, video_muted=True))
        site.run(1.5)
        assert site.reading().decoders["video"] == 2
        assert not site.colour(rooms[1], 0, "2x2").is_like(rooms[0].colour, 30)
        await site.order(ChangeParticipant(rooms[0].name, video_muted=False))
        site.run(1.5)
        assert_see_each_other(site, rooms)


async def test_nobody_decodes_what_stands_in_no_slot(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        await site.order(SetLayout("main", "1x1"))
        rooms[0].silent = rooms[1].silent = True
        site.run(3.0)
        assert site.reading().decoders["video"] == 1
        assert site.colour(rooms[0], 0, "1x1").is_like(rooms[2].colour)
