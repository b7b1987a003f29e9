"""Khánh Hòa with real media: the daemon with its preset, 24 rooms with DTLS-SRTP and coded media.

Two of them are full peers of another make, which look at and listen to what the others send.
"""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.media import CodedPictures, CodedSound, coded_pictures, coded_speech
from config.sites import load_site
from tests.peers.aiortc_room import AiortcRoom, over_loopback
from tests.peers.coded_media import BLUE, GREEN, RED, YELLOW
from tests.peers.daemon import Daemon
from tests.peers.generator_rooms import GeneratorRoom, GeneratorRooms
from tests.peers.meeting import mean_rgb, read_picture
from tests.peers.waiting import until, until_read

pytestmark = pytest.mark.timeout(240)

CHAIR, FIRST, PEER, DROPS = "khanh-hoa", "van-ninh", "dien-khanh", "cam-lam"
OTHER_PEER = "ninh-hoa"
ROOMS = 24
COLOURS = {CHAIR: RED, FIRST: GREEN, PEER: BLUE, OTHER_PEER: YELLOW}
TONES_HZ = {CHAIR: 440.0, FIRST: 1010.0, PEER: 2130.0, OTHER_PEER: 3310.0}
HEARD_DB = 55.0
BELOW_DB = 20.0
"""Who is muted is so much fainter; gaps on a busy machine sound a little at all frequencies."""
MIDDLE = (0.5, 0.4)
SMALL = {
    "MCU_SITE": "khanh-hoa",
    "MCU_MEDIA__WIDTH": "320",
    "MCU_MEDIA__HEIGHT": "180",
    "MCU_MEDIA__FPS": "5",
    "MCU_MEDIA__LOST_AFTER_S": "2",
    "MCU_ALARMS__ENABLED": "false",
}


class Hall:
    """The rooms of the story, and who operates it."""

    def __init__(self, daemon: Daemon, rooms: GeneratorRooms, bridges: list[str]) -> None:
        self.daemon, self.bridges = daemon, bridges
        self._rooms = rooms
        self.tokens: dict[str, str] = {}
        self.operator = ""
        self.generated: dict[str, GeneratorRoom] = {}
        self.peers: dict[str, AiortcRoom] = {}
        self._speeches = [coded_speech(f"người nói {number}") for number in range(4)]
        self._pictures = [coded_pictures(320, 180, 10, 100_000, seed) for seed in (1, 2)]

    async def open(self, stack: AsyncExitStack) -> None:
        body = {"name": "Lê Minh", "role": "operator", "unit": "khanh-hoa"}
        self.operator = (await self.daemon.call("POST", "/tokens", body))["token"]
        for bridge in self.bridges:
            issued = await self.daemon.call("POST", f"/bridges/{bridge}/token")
            self.tokens[bridge] = issued["token"]
        for bridge in (PEER, OTHER_PEER):
            room = AiortcRoom(self.daemon.url, COLOURS[bridge], TONES_HZ[bridge])
            self.peers[bridge] = await stack.enter_async_context(room)

    async def call(self, method: str, path: str, body: Any = None, by: str = "") -> Any:
        return await self.daemon.call(method, path, body, token=by or self.operator)

    async def join(self, conference: str, bridge: str) -> None:
        """A room joins, as its page does when it is called."""
        if bridge in self.peers:
            await self.peers[bridge].join(conference, self.tokens[bridge])
            return
        sound: CodedSound | None = None
        pictures: CodedPictures | None = None
        if bridge not in COLOURS:  # somebody who talks, before a camera or without one
            number = self.bridges.index(bridge)
            sound = self._speeches[number % len(self._speeches)]
            pictures = self._pictures[number % 2] if number % 3 == 0 else None
        while True:
            try:
                self.generated[bridge] = await self._rooms.join(
                    conference,
                    self.tokens[bridge],
                    colour=COLOURS.get(bridge),
                    tone_hz=TONES_HZ.get(bridge, 0.0),
                    decodes=bridge == CHAIR,
                    sound=sound,
                    pictures=pictures,
                )
            except (RuntimeError, TimeoutError):
                continue  # the machine was too busy to shake hands in time: rooms try again
            return

    async def until_alone_is_heard(self, listener: AiortcRoom | GeneratorRoom, bridge: str) -> None:
        """Until a second holds one room's tone, and no other one's but the chair's."""
        others = [hz for one, hz in TONES_HZ.items() if one not in (bridge, CHAIR)]

        def alone() -> bool:
            heard = listener.heard_db(TONES_HZ[bridge])
            return heard > HEARD_DB and heard - max(map(listener.heard_db, others)) > BELOW_DB

        await until(alone, 0.05)


def chosen() -> list[str]:
    """The province, its districts, and communes of two of them."""
    known = [bridge.id for bridge in load_site("khanh-hoa").bridges]
    districts = known[1:9]
    communes = [one for one in known[9:] if one.startswith(("cam-lam-", "van-ninh-"))]
    return [CHAIR, *districts, *communes[: ROOMS - 9]]


async def test_the_session_with_real_media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over_loopback(monkeypatch)
    async with AsyncExitStack() as stack:
        daemon = await stack.enter_async_context(Daemon(tmp_path / "data", environment=SMALL))
        rooms = await stack.enter_async_context(GeneratorRooms(daemon.url))
        hall = Hall(daemon, rooms, chosen())
        assert len(hall.bridges) == ROOMS
        await hall.open(stack)
        session = await everybody_is_convened(hall)
        await rooms_are_called(hall, session)
        await the_floor_is_given_and_taken_back(hall, session)
        await a_room_drops_and_comes_back(hall, session)
        await the_report_is_made(hall, session)


async def everybody_is_convened(hall: Hall) -> str:
    body = {"name": "Họp trực tuyến toàn tỉnh", "unit": "khanh-hoa", "bridges": hall.bridges,
            "chair": CHAIR, "layout": "1+7", "calls": "when_convened"}  # fmt: skip
    session = str((await hall.call("POST", "/conferences", body))["id"])
    path = f"/conferences/{session}/convening"
    board = await hall.call("POST", path, {"at_once": 8})
    here: set[str] = set()
    while len(here) < ROOMS:
        called = [row["participant"] for row in board["rows"] if row["attempts"]]
        for bridge in called:
            if bridge not in here:
                await hall.join(session, bridge)
                here.add(bridge)
        board = await hall.call("GET", path)
    board = await until_read(
        lambda: hall.call("GET", path), lambda found: found["state"] == "complete"
    )
    assert board["joined"] == ROOMS
    assert [each["percent"] for each in board["milestones"]] == [50, 90, 100]
    return session


async def rooms_are_called(hall: Hall, session: str) -> None:
    path = f"/conferences/{session}/roll-calls"
    peer, other, chair = hall.peers[PEER], hall.peers[OTHER_PEER], hall.generated[CHAIR]
    expected = [FIRST, PEER, OTHER_PEER]
    await hall.call("POST", path, {"mode": "called", "expected": expected})
    # Everybody sees and hears who is called, in pictures and sound that full peers decode.
    for viewer in (peer, other):
        await viewer.until_seen(GREEN)
        await hall.until_alone_is_heard(viewer, FIRST)
    await hall.call("POST", f"{path}/1/marks", {"participant": FIRST})
    await other.until_seen(BLUE)
    await chair.until_seen(*MIDDLE, BLUE)
    await hall.until_alone_is_heard(chair, PEER)
    mine = hall.tokens[PEER]
    await hall.call("POST", f"{path}/1/marks", {"participant": PEER}, by=mine)
    await peer.until_seen(YELLOW)
    await hall.until_alone_is_heard(peer, OTHER_PEER)
    await hall.call("POST", f"{path}/1/marks", {"participant": OTHER_PEER})
    record = await hall.call("GET", f"{path}/1")
    assert [(row["participant"], row["status"], row["source"]) for row in record["rows"]] == [
        (FIRST, "present", "operator"),
        (PEER, "present", "room"),
        (OTHER_PEER, "present", "operator"),
    ]
    # The record shows how each of them looked.
    means = []
    for row in record["rows"]:
        address = row["picture"].removeprefix("/api/v1")
        picture = await read_picture(hall.daemon, address)
        means.append(mean_rgb(picture, *MIDDLE))
    (_, green, _), (_, _, blue), (red, yellow, _) = means
    assert green == max(means[0])
    assert blue == max(means[1])
    assert min(red, yellow) > means[2][2]
    signed = await hall.call("POST", f"{path}/1/sign-off", {})
    assert signed["state"] == "signed"


async def the_floor_is_given_and_taken_back(hall: Hall, session: str) -> None:
    path = f"/conferences/{session}"
    peer, other = hall.peers[PEER], hall.peers[OTHER_PEER]
    await hall.call("POST", f"{path}/mute", {"scope": "all", "except": ["chair"]})
    await hall.until_alone_is_heard(peer, CHAIR)
    await hall.call("POST", f"{path}/floor/requests", by=hall.tokens[OTHER_PEER])
    grant = {"participant": OTHER_PEER, "time_limit_s": 600, "picture": "broadcast"}
    await hall.call("PUT", f"{path}/floor", grant)
    await peer.until_seen(YELLOW)
    await hall.until_alone_is_heard(peer, OTHER_PEER)
    await hall.call("DELETE", f"{path}/floor")
    await hall.until_alone_is_heard(peer, CHAIR)
    await hall.call("PUT", f"{path}/broadcast", {"participant": FIRST})
    for viewer in (peer, other):
        await viewer.until_seen(GREEN)
    await hall.call("DELETE", f"{path}/broadcast")


async def a_room_drops_and_comes_back(hall: Hall, session: str) -> None:
    path = f"/conferences/{session}/participants/{DROPS}"
    hall.generated[DROPS].vanish()
    await until_read(lambda: hall.call("GET", path), lambda found: found["state"] == "lost")
    await hall.join(session, DROPS)
    await until_read(lambda: hall.call("GET", path), lambda found: found["state"] == "connected")


async def the_report_is_made(hall: Hall, session: str) -> None:
    path = f"/conferences/{session}"
    await hall.call("DELETE", path)
    report = await hall.call("GET", f"{path}/report")
    rooms = {room["participant"]: room for room in report["rooms"]}
    assert set(rooms) == set(hall.bridges)
    assert all(room["present_s"] > 0 for room in rooms.values())
    assert {bridge for bridge, room in rooms.items() if room["status"] == "present"} == {
        FIRST, PEER, OTHER_PEER,
    }  # fmt: skip
    assert rooms[OTHER_PEER]["floor_s"] > 0
    assert rooms[DROPS]["lost_count"] >= 1
    assert (rooms[FIRST]["height"] or 0) > 0 or report["minutes"] == []
    done = [action["action"] for action in report["actions"] if action["by"] == "Lê Minh"]
    assert {"convene", "start_roll_call", "grant_floor", "end_conference"} <= set(done)
