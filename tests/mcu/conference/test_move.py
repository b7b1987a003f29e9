"""From one roster to another."""

from pathlib import Path

import pytest

from mcu.conference.commands import Lock
from mcu.conference.move import move
from mcu.conference.state import Refused
from tests.peers.sip_stage import ACTOR, stage


async def test_a_bridge_a_called_guest_and_who_comes_are_moved(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        conferences = found.conferences
        first, second = await found.start("web"), await found.start()
        address = "sip:a@127.0.0.1:1"
        called = await conferences.add_guest(first, "A", ACTOR, importance=3, address=address)
        guest = await conferences.add_guest(first, "B", ACTOR)
        assert (await move(conferences, first, "web", second, ACTOR)).id == "web"
        moved = await move(conferences, first, called.id, second, ACTOR)
        assert (moved.name, moved.importance, moved.address) == ("A", 3, address)
        with pytest.raises(Refused, match="ask it to dial"):
            await move(conferences, first, guest.id, second, ACTOR)
        assert list(found.states(first)) == [guest.id]
        await move(conferences, first, guest.id, second, ACTOR, comes=True)
        assert found.states(first) == {}
        names = [who.name for who in conferences.get(second).participants.values()]
        assert names == ["Web", "A", "B"]


async def test_who_cannot_be_put_there_stays(tmp_path: Path) -> None:
    async with stage(tmp_path) as found:
        first, second = await found.start("web"), await found.start()
        await found.conferences.execute(second, Lock(), ACTOR)
        with pytest.raises(Refused, match="locked"):
            await move(found.conferences, first, "web", second, ACTOR)
        assert list(found.states(first)) == ["web"]


async def test_who_was_taken_off_and_found_no_place_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path) as found:
        first, second = await found.start("web"), await found.start()
        conferences, add = found.conferences, found.conferences.add_bridge

        async def locked_meanwhile(conference: str, *rest: object, **more: object) -> object:
            if conference == second:
                raise Refused("locked meanwhile")
            return await add(conference, *rest, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(conferences, "add_bridge", locked_meanwhile)
        with pytest.raises(Refused, match="meanwhile"):
            await move(conferences, first, "web", second, ACTOR)
        assert list(found.states(first)) == ["web"]
