"""What is published of a meeting in virtual time, and what REST is told of it."""

from pathlib import Path

from mcu.api.services import LineQuality, LiveReading
from mcu.conference.commands import EndConference
from mcu.conference.feed import EventFeed, RecordedEvent
from mcu.engine.video_requests import SourceRequest
from mcu.media.h264 import packetise
from mcu.rooms.live import LEVELS_INTERVAL_S, QUALITY_INTERVAL_S, REQUESTS_REPEAT_S
from tests.mcu.engine.video_room import Camera
from tests.mixer.video.pictures import RED
from tests.peers.virtual_installation import VirtualInstallation
from tests.scenario.meeting import start_three

PUBLISHED = ("levels.measured", "quality.measured", "sources.requested")


async def published(site: VirtualInstallation, feed: EventFeed) -> dict[str, list[RecordedEvent]]:
    """What the feed holds by now, by type; a message marks its end."""
    site.conferences.publish_ephemeral("test.over", "hop", {})
    found: dict[str, list[RecordedEvent]] = {kind: [] for kind in PUBLISHED}
    async for event in feed:
        if event.type == "test.over":
            break
        found.setdefault(event.type, []).append(event)
    return found


async def test_levels_quality_and_requests_are_published_at_their_pace(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        names = {room.name for room in rooms}
        async with site.conferences.subscribe() as feed:
            site.run(4.0)
            found = await published(site, feed)
        assert abs(len(found["levels.measured"]) - 4.0 / LEVELS_INTERVAL_S) <= 1
        assert abs(len(found["quality.measured"]) - 4.0 / QUALITY_INTERVAL_S) <= 1
        levels = found["levels.measured"][-1].data
        assert set(levels["levels"]) == set(levels["visible"]) == set(levels["speakers"]) == names
        quality = found["quality.measured"][-1].data["quality"]
        assert {who: line["grade"] for who, line in quality.items()} == dict.fromkeys(names, "good")
        # Nothing changed, so rooms are asked again only for those who opened their stream late.
        async with site.conferences.subscribe() as feed:
            site.run(REQUESTS_REPEAT_S)
            (asked,) = (await published(site, feed))["sources.requested"]
        assert set(asked.data["requests"]) == names


async def test_rest_is_told_the_same_until_the_conference_ends(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(4.0)
        reading = site.live.live("hop", rooms[0].name)
        assert reading.level_db is not None
        assert reading.level_db > -60
        assert (reading.speaking, reading.visible, reading.quality.grade) == (True, True, "good")
        nobody = LiveReading(None, False, False, LineQuality())
        assert site.live.live("hop", "nobody") == nobody
        await site.order(EndConference())
        assert site.live.live("hop", rooms[0].name) == nobody


async def test_who_sends_no_pictures_is_dark(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(4.0)
        assert site.live.dark("hop") == frozenset()
        rooms[1].camera_on = False
        site.run(3.0)
        assert site.live.dark("hop") == {rooms[1].name}
        rooms[1].camera_on = True
        site.run(3.0)
        assert site.live.dark("hop") == frozenset()
        assert site.live.dark("nowhere") == frozenset()


async def test_pictures_that_are_too_large_are_told_with_the_line(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(4.0)
        usual = site.live.live("hop", rooms[1].name).quality
        assert usual.refused is None
        rooms[1].pictures = [packetise(Camera(RED, (3840, 2160)).next().data)]
        rooms[1].picture_index = 0
        async with site.conferences.subscribe() as feed:
            site.run(4.0)
            found = await published(site, feed)
        told = found["quality.measured"][-1].data["quality"]
        assert {who: line["refused"] for who, line in told.items()} == {
            room.name: "too_large" if room is rooms[1] else None for room in rooms
        }
        assert site.live.live("hop", rooms[1].name).quality.refused == "too_large"
        assert told[rooms[1].name]["grade"] == "good"


async def test_a_room_is_asked_for_another_picture_than_is_shown(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(2.0)
        wanted = SourceRequest(1280, 720, 25, 2_000_000)
        async with site.conferences.subscribe() as feed:
            site.live.ask("hop", rooms[0].name, wanted)
            site.run(1.0)
            site.live.ask("hop", rooms[0].name, None)
            site.run(1.0)
            site.live.ask("hop", rooms[0].name, None)  # harmless the second time
            asked = [
                event.data["requests"][rooms[0].name]["video"]["width"]
                for event in (await published(site, feed))["sources.requested"]
                if rooms[0].name in event.data["requests"]
            ]
        assert asked[0] == 1280
        assert asked[-1] < 1280
