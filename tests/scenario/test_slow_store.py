"""The disk is slow or broken: media goes on, and facts and commands meet in any order."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcu.conference.commands import (
    ClearMessage,
    Command,
    EndConference,
    RemoveParticipant,
    ShowMessage,
)
from mcu.store.errors import StoreUnavailable
from tests.peers.virtual_installation import VirtualInstallation
from tests.peers.virtual_room import THREE
from tests.scenario.meeting import assert_hear_each_other, assert_see_each_other, start_three


async def order_slowly(
    site: VirtualInstallation, command: Command, meanwhile: Callable[[], None]
) -> None:
    """Carry out a command; ``meanwhile`` happens while it is being written."""
    write, begun, go_on = site.store.events.append, asyncio.Event(), asyncio.Event()

    async def append(*args: Any, **named: Any) -> None:
        begun.set()
        await go_on.wait()
        await write(*args, **named)

    site.store.events.append = append  # type: ignore[method-assign]
    order = asyncio.ensure_future(site.order(command))
    await begun.wait()
    meanwhile()
    site.store.events.append = write  # type: ignore[method-assign]
    go_on.set()
    await order


async def test_a_room_connects_while_it_is_being_removed(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await site.start([one.name for one in THREE], layout="2x2")
        rooms = await site.join(*THREE[:2])
        late = await site.offer(THREE[2])
        await order_slowly(site, RemoveParticipant(THREE[2].name), lambda: site.run(1.0))
        site.run(1.5)
        assert late.peer.closed
        assert len(site.acceptor.legs) == 2
        assert site.mix().audio.statistics().sources == 2
        assert_see_each_other(site, rooms)
        assert_hear_each_other(rooms)


async def test_a_room_leaves_and_another_is_replaced_meanwhile(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        first, second, third = await start_three(site)
        site.run(1.0)
        again = await site.offer(THREE[0])

        def meanwhile() -> None:
            third.hang_up()
            site.run(2.0)

        await order_slowly(site, ShowMessage("Xin chờ"), meanwhile)
        await site.order(ClearMessage())
        site.run(2.0)
        assert first.peer.closed
        assert site.presence() == {
            first.name: "connected",
            second.name: "connected",
            third.name: "left",
        }
        assert [leg.id for leg in site.state().participants[first.name].legs] == [again.leg_id]
        assert_see_each_other(site, [again, second])
        assert_hear_each_other([again, second])
        assert second.longest_audio_gap() == 0


async def test_a_room_connects_while_the_meeting_ends(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        await start_three(site)
        again = await site.offer(THREE[0])
        await order_slowly(site, EndConference(), lambda: site.run(1.0))
        site.run(1.0)
        assert again.peer.closed
        assert not site.acceptor.legs
        assert (site.port.endpoints, site.port.addresses) == (0, 0)
        assert not site.engine.conferences


async def test_a_broken_disk_refuses_orders_and_stops_no_meeting(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await start_three(site)
        site.run(1.0)
        await site.settled()
        write = site.store.events.append

        async def append(*args: Any, **named: Any) -> None:
            raise StoreUnavailable("The disk is full.")

        site.store.events.append = append  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailable):
            await site.order(ShowMessage("Xin chờ"))
        assert site.state().message is None
        rooms[2].hang_up()
        site.run(2.0)
        assert site.presence()[rooms[2].name] == "left"
        assert site.conferences.unstored > 0
        assert_see_each_other(site, rooms[:2])
        assert_hear_each_other(rooms[:2])
        site.store.events.append = write  # type: ignore[method-assign]
        await site.order(ShowMessage("Xin chờ"))
        assert site.conferences.unstored == 0
        after = await site.kill(tmp_path / "again")
    async with after as site:
        assert site.presence()[rooms[2].name] == "left"
        assert site.state().message is not None
