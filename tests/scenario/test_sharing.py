"""Nothing is encoded twice: any number of viewers of one thing cost one encoder."""

from dataclasses import replace
from pathlib import Path

from mcu.conference.commands import StartBroadcast, StopBroadcast
from tests.peers.coded_media import tone_db
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import RoomSetup, VirtualRoom
from tests.peers.webrtc_peer import OfferOptions
from tests.scenario.meeting import FULL_DB, start_three

VIEWERS = 20


def viewers(codec: str = "H264") -> list[RoomSetup]:
    options = OfferOptions(direction="recvonly", announce_ssrcs=False)
    return [
        RoomSetup(f"viewer-{number}", codec=codec, kind="view", watches=not number, options=options)
        for number in range(VIEWERS)
    ]


def pictures(room: VirtualRoom) -> int:
    return len(room.stream("video").frames())


async def test_twenty_viewers_of_one_layout_share_one_encoder(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        audience = await site.join(*viewers(), view="main")
        site.run(2.0)
        reading = site.reading()
        assert reading.encoders["video"] == reading.renditions["video"] == 1
        # One mix for all who only listen, and one for each of three who speak.
        assert reading.encoders["audio"] == 4
        assert reading.decoders == {"audio": 3, "video": 3}
        assert sum(reading.legs.values()) == 3 + VIEWERS
        before = site.mix().video.statistics().counters.frames_encoded
        seen = [pictures(room) for room in audience]
        site.run(2.0)
        # Twenty more receivers, not one more picture coded.
        assert site.mix().video.statistics().counters.frames_encoded - before == 20
        assert [pictures(room) - was for room, was in zip(audience, seen, strict=True)] == [
            20
        ] * VIEWERS
        watching = audience[0]
        for slot, room in enumerate(rooms):
            assert site.colour(watching, slot, "2x2").is_like(room.colour)
            assert tone_db(watching.sound(1.0), room.hz) > FULL_DB - 3.0
        # They are not on the roster and take no tile.
        assert len(site.presence()) == 3


async def test_silent_rooms_share_one_mix(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        for room in rooms[1:]:
            room.silent = True
        await site.join(*viewers(), view="main")
        site.run(6.0)
        reading = site.reading()
        # ``total`` for all, ``total - own`` for the one who speaks.
        assert reading.encoders["audio"] == 2
        assert reading.decoders["audio"] == 1


async def test_each_view_and_codec_is_encoded_once_while_somebody_needs_it(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site)
        some = await site.join(*viewers()[:3], view="chair")
        other = await site.join(*[replace(one, codec="VP8") for one in viewers()[3:6]], view="main")
        site.run(1.0)
        assert site.reading().encoders["video"] == 3  # main H264, chair H264, main VP8
        await site.order(StartBroadcast("truong-sa"))
        site.run(1.0)
        assert site.reading().encoders["video"] == 3
        await site.order(StopBroadcast())
        for room in some:
            room.hang_up()
        site.run(0.5)
        assert site.reading().encoders["video"] == 2
        for room in other[1:]:
            room.hang_up()
        site.run(0.5)
        assert site.reading().encoders["video"] == 2
        other[0].hang_up()
        site.run(0.5)
        assert site.reading().encoders["video"] == 1


async def test_a_viewer_that_comes_disturbs_nobody(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(3.0)
        keys = [room.screen.key_frames for room in rooms]
        await site.join(*viewers(), view="main")
        site.run(2.0)
        # Twenty who each need a key frame are served by as few as their arrival took seconds.
        for room, before in zip(rooms, keys, strict=True):
            assert 1 <= room.screen.key_frames - before <= 2
            assert room.longest_audio_gap() == 0
            assert room.screen.given_up == 0


async def test_capacity_is_refused_before_anybody_is_hurt(tmp_path: Path) -> None:
    import pytest

    from mcu.api.services import NoCapacity

    async with VirtualInstallation(tmp_path / "data", max_legs=4) as site:
        rooms = await start_three(site)
        await site.join(viewers()[0], view="main")
        with pytest.raises(NoCapacity):
            await site.offer(viewers()[1], view="main")
        site.run(1.0)
        assert all(room.connected for room in rooms)
        assert len(site.acceptor.legs) == 4
