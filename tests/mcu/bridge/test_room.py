"""A software room in virtual time, against a daemon that is a script."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mcu.backoff import LAST_S
from mcu.bridge.client import Refused
from mcu.bridge.room import STABLE_AFTER_S, RoomMedia, SoftwareRoom
from mcu.bridge.tracks import PictureRequest
from tests.peers.room_daemon import QuietPeer, RoomDaemon
from tests.peers.virtual_loop import in_virtual_time

WANTED = {"width": 320, "height": 180, "fps": 25, "paused": False}


def asked(room: str, source: str = "video", **changes: Any) -> dict[str, Any]:
    """The data of an event that asks one room for a source."""
    return {"requests": {room: {source: WANTED | changes}}}


def longest(low: float, high: float) -> float:
    return high


class Stay:
    """A room that runs, and what became of it."""

    def __init__(self, daemon: RoomDaemon, **options: Any) -> None:
        self.daemon = daemon
        self.states: list[str] = []
        self.reasons: list[str] = []
        self.peers: list[QuietPeer] = []
        self.room = SoftwareRoom(
            daemon,  # type: ignore[arg-type]
            "Xã Vạn Ninh",
            RoomMedia(),
            on_state=self._told,
            uniform=longest,
            connect=self._connect,  # type: ignore[arg-type]
            **options,
        )

    def _told(self, state: str, reason: str) -> None:
        self.states.append(state)
        self.reasons.append(reason)

    def _connect(self, microphone: Any, camera: Any) -> QuietPeer:
        self.peers.append(QuietPeer(microphone, camera))
        return self.peers[-1]


@asynccontextmanager
async def staying(daemon: RoomDaemon, **options: Any) -> AsyncIterator[Stay]:
    stay = Stay(daemon, **options)
    running = asyncio.create_task(stay.room.run())
    try:
        yield stay
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run the test in virtual time."""

    def run() -> None:
        in_virtual_time(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@virtual
async def test_it_joins_the_conference_it_is_in_and_leaves_when_told() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        assert daemon.offers[0][1:] == ("c-1", None, None)
        assert stay.states == ["joining", "connected"]
    assert daemon.left == ["leg-1"]
    assert stay.peers[0].closed


@virtual
async def test_it_leaves_also_where_the_daemon_is_gone() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        daemon.down = True
    assert daemon.left == ["leg-1"]
    assert stay.peers[0].closed


@virtual
async def test_it_waits_for_a_conference() -> None:
    daemon = RoomDaemon()
    daemon.running = []
    async with staying(daemon) as stay:
        await asyncio.sleep(60)
        assert stay.states == ["waiting"]
        assert daemon.offers == []
        daemon.running = ["c-9", "c-1"]
        await daemon.until(offers=1)
        assert daemon.offers[0][1] == "c-9"


@virtual
async def test_it_tries_again_at_growing_distances_and_at_once_again_after_a_good_stay() -> None:
    daemon = RoomDaemon()
    daemon.refusals = [Refused(503, "overloaded")] * 8
    async with staying(daemon) as stay:
        await daemon.until(offers=9)
        times = [offer[0] for offer in daemon.offers]
        waits = [b - a for a, b in itertools.pairwise(times)]
        assert waits == pytest.approx([0.5, 1, 2, 4, 8, LAST_S, LAST_S, LAST_S], abs=0.01)
        await asyncio.sleep(STABLE_AFTER_S + 1)
        broken_at = asyncio.get_running_loop().time()
        stay.peers[-1].over.set()
        await daemon.until(offers=10)
        # The events have a moment to say why.
        assert daemon.offers[-1][0] - broken_at == pytest.approx(1.0 + 0.5, abs=0.01)


@virtual
async def test_a_connection_that_breaks_again_and_again_is_not_hammered() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        for number in range(1, 7):
            await daemon.until(offers=number)
            stay.peers[-1].over.set()
            await asyncio.sleep(1.2)
        await daemon.until(offers=7)
        assert daemon.offers[-1][0] - daemon.offers[-2][0] >= LAST_S


@virtual
async def test_a_daemon_that_is_away_is_waited_for() -> None:
    daemon = RoomDaemon()
    daemon.down = True
    async with staying(daemon) as stay:
        await asyncio.sleep(600)
        assert set(stay.states) == {"retrying"}
        # At least half of the longest wait lies between two attempts.
        assert daemon.calls < 600 / (LAST_S / 2) + 10
        daemon.down = False
        await daemon.until(offers=1)
        assert stay.states[-1] == "connected"


def test_a_token_that_is_not_accepted_ends_it() -> None:
    daemon = RoomDaemon()
    daemon.refusals = [Refused(401, "This token was revoked.")]
    with pytest.raises(Refused, match="revoked"):
        in_virtual_time(Stay(daemon).room.run())


@virtual
async def test_it_sends_what_it_is_asked_for_and_not_what_others_are() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        camera = stay.peers[0].camera
        before = camera.request
        await daemon.publish("sources.requested", **asked("dien-khanh"))
        await daemon.publish("sources.requested", **asked("van-ninh", "presentation"))
        await daemon.publish("levels.measured", levels={}, speakers=[])
        assert camera.request == before
        await daemon.publish("sources.requested", **asked("van-ninh"))
        assert camera.request == PictureRequest(320, 180, 25)
        await daemon.publish("sources.requested", **asked("van-ninh", paused=True))
        assert camera.request.paused


@virtual
async def test_the_event_stream_may_break_while_media_flows() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        await daemon.break_streams()
        daemon.down = True
        await asyncio.sleep(30)
        daemon.down = False
        daemon.refuse_events = Refused(429, "too many event streams")
        await asyncio.sleep(30)
        daemon.refuse_events = None
        await asyncio.sleep(LAST_S)
        await daemon.publish("sources.requested", **asked("van-ninh"))
        assert stay.peers[0].camera.request.width == 320
        assert len(daemon.offers) == 1
        assert stay.states == ["joining", "connected"]


@virtual
async def test_a_restarted_daemon_that_has_forgotten_the_leg_is_joined_again() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        daemon.legs.clear()
        daemon.down = True
        await daemon.break_streams()
        await asyncio.sleep(3)
        daemon.down = False
        await daemon.until(offers=2)
        assert stay.states == ["joining", "connected", "retrying", "joining", "connected"]
        assert "forgotten" in stay.reasons[2]


@virtual
async def test_without_a_daemon_it_sets_up_no_media() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        daemon.down = True
        stay.peers[0].over.set()
        before = daemon.calls
        await asyncio.sleep(600)
        assert len(stay.peers) == 1
        assert stay.peers[0].closed
        assert 600 / LAST_S <= daemon.calls - before < 2 * 600 / LAST_S + 10
        daemon.down = False
        await daemon.until(offers=2)


@virtual
async def test_an_expired_token_ends_no_stay() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        daemon.refuse_events = Refused(401, "The token has expired.")
        await daemon.break_streams()
        await asyncio.sleep(600)
        assert stay.states == ["joining", "connected"]
        assert not stay.peers[0].closed


@virtual
async def test_a_revoked_token_ends_the_room() -> None:
    daemon = RoomDaemon()
    stay = Stay(daemon)
    running = asyncio.create_task(stay.room.run())
    await daemon.until(offers=1)

    async def identity() -> Any:
        raise Refused(401, "The token was revoked.")

    daemon.identity = identity  # type: ignore[method-assign]
    await daemon.publish("participant.left", participant={"id": "van-ninh"}, reason="revoked")
    stay.peers[0].over.set()
    with pytest.raises(Refused, match="revoked"):
        await running
    assert stay.peers[0].closed
    assert "withdrawn" in stay.reasons[-1]


@virtual
async def test_disconnected_by_the_operator_it_stays_out_until_it_is_called() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        daemon.presences["van-ninh"] = "left"
        stay.peers[0].over.set()
        await daemon.publish(
            "participant.left", participant={"id": "van-ninh"}, reason="disconnected"
        )
        await asyncio.sleep(600)
        assert stay.states[-1] == "out"
        assert len(daemon.offers) == 1
        daemon.down = True
        await asyncio.sleep(60)
        daemon.down = False
        daemon.presences["van-ninh"] = "calling"
        await daemon.until(offers=2)


@virtual
async def test_replaced_by_another_device_it_comes_back_when_the_place_is_free() -> None:
    daemon = RoomDaemon()
    async with staying(daemon) as stay:
        await daemon.until(offers=1)
        # Its own joining is told in the same words.
        await daemon.publish(
            "participant.joined", participant={"id": "van-ninh"}, leg="leg-1", replaced=["leg-0"]
        )
        assert stay.states == ["joining", "connected"]
        await daemon.publish(
            "participant.joined", participant={"id": "van-ninh"}, leg="leg-x", replaced=["leg-1"]
        )
        await asyncio.sleep(600)
        assert stay.states[-1] == "out"
        assert len(daemon.offers) == 1
        daemon.presences["van-ninh"] = "left"
        await daemon.until(offers=2)


@virtual
async def test_after_a_conference_it_goes_to_the_next() -> None:
    daemon = RoomDaemon(bridge=None)
    daemon.presences["van-ninh"] = "expected"
    async with staying(daemon, acts_for="van-ninh", conference="c-1"):
        await daemon.until(offers=1)
        assert daemon.offers[0][1:3] == ("c-1", "van-ninh")
        daemon.running = []
        await daemon.publish("conference.ended", reason="ended")
        await asyncio.sleep(60)
        daemon.running = ["c-2"]
        await daemon.until(offers=2)
        assert daemon.offers[-1][1:3] == ("c-2", "van-ninh")


@virtual
async def test_an_operators_room_goes_only_where_it_is_called() -> None:
    daemon = RoomDaemon(bridge=None)
    async with staying(daemon, acts_for="van-ninh") as stay:
        await asyncio.sleep(60)
        assert stay.states == ["waiting"]
        daemon.presences["van-ninh"] = "expected"
        await daemon.until(offers=1)


@virtual
async def test_a_guest_comes_back_as_itself() -> None:
    daemon = RoomDaemon(bridge=None)
    async with staying(daemon, guest=True, conference="c-1") as stay:
        await daemon.until(offers=1)
        assert daemon.offers[0][1:] == ("c-1", None, "Xã Vạn Ninh")
        await daemon.publish("sources.requested", **asked("guest-1"))
        assert stay.peers[0].camera.request.width == 320
        stay.peers[0].over.set()
        await asyncio.sleep(2)
        await daemon.until(offers=2)
        assert daemon.offers[1][1:] == ("c-1", "guest-1", None)


@virtual
async def test_a_guest_of_a_past_conference_is_a_new_guest_in_the_next() -> None:
    daemon = RoomDaemon(bridge=None)
    async with staying(daemon, guest=True, conference="c-1"):
        await daemon.until(offers=1)
        daemon.running = ["c-2"]
        await daemon.publish("conference.ended", reason="ended")
        await asyncio.sleep(2)
        await daemon.until(offers=2)
        assert daemon.offers[1][1:] == ("c-2", None, "Xã Vạn Ninh")


def test_media_that_cannot_be_played_is_found_before_anything_is_joined(tmp_path: Path) -> None:
    RoomMedia().check_audio()
    RoomMedia().check_video()
    RoomMedia(audio="speech").check_audio()
    words = tmp_path / "words.mp4"
    words.write_text("không phải phim")
    with pytest.raises(ValueError, match="words"):
        RoomMedia(video=str(words)).check_video()
    with pytest.raises(OSError, match="absent"):
        RoomMedia(audio=str(tmp_path / "absent.wav")).check_audio()
