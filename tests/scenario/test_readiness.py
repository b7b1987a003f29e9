"""Readiness checks end to end in virtual time: real media, a room for each fault."""

from dataclasses import replace
from pathlib import Path

import pytest

from mcu.conference.commands import EndConference
from mcu.readiness.assessment import Rules
from mcu.readiness.model import (
    AcceptConfiguration,
    CheckRefused,
    RecheckRoom,
    RoomCheck,
)
from tests.peers.checked_rooms import BUDGET, CheckedRooms, Kind
from tests.peers.network import Faults
from tests.peers.virtual_installation import VirtualInstallation

ROOMS = {
    "lanh-manh": Kind(),
    "im-lang": Kind(talks=False),
    "den-thui": Kind(black=True),
    "vong-tieng": Kind(echo=0.5),
    "duong-hep": Kind(faults=Faults(rate_bps=300_000, queue_s=0.2)),
    "vang-mat": Kind(comes=False),
    "khong-nghe": Kind(confirms=False),
    "mat-goi": Kind(faults=Faults(loss=0.05)),
    "khong-may-quay": Kind(camera=False),
}


def refusing(room: RoomCheck) -> set[str]:
    return {each.code for each in room.findings if each.refuses}


async def test_each_fault_is_found_in_its_room_and_in_no_other(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await CheckedRooms(site, ROOMS).registered()
        check = await rooms.until_ended(await rooms.begin())
        found = {bridge: refusing(room) for bridge, room in check.rooms.items()}
        assert found == {
            "lanh-manh": set(),
            "im-lang": {"silent", "echo-unknown"},
            "den-thui": {"black"},
            "vong-tieng": {"echo"},
            "duong-hep": {"capacity-down"},
            "vang-mat": {"unreached"},
            "khong-nghe": {"unconfirmed"},
            "mat-goi": {"loss-up", "loss-down"},
            "khong-may-quay": {"no-camera"},
        }
        assert [one for one, room in check.rooms.items() if room.verdict == "go"] == ["lanh-manh"]
        # The line of 300 kbit/s is known for what it is.
        narrow = check.rooms["duong-hep"].measured
        assert narrow is not None
        assert narrow.line.capacity_down_bps == pytest.approx(300_000, rel=0.15)
        # Nothing is left behind, and what is read from the store is the same.
        await rooms.step()
        assert not site.conferences.running()
        again = CheckedRooms(site, ROOMS)
        stored = await again.checks.read(check.id)
        assert stored == check


async def test_no_more_are_measured_at_once_than_the_budget_allows(tmp_path: Path) -> None:
    budget = replace(BUDGET, measured_at_once=2, reached_at_once=3)
    async with VirtualInstallation(tmp_path / "data") as site:
        kinds = {f"phong-{number}": Kind() for number in range(5)}
        rooms = await CheckedRooms(site, kinds, budget=budget).registered()
        id_ = await rooms.begin()
        most = called = 0
        while rooms.check(id_).running:
            await rooms.step()
            phases = [room.phase for room in rooms.check(id_).rooms.values()]
            most = max(most, phases.count("measuring"))
            called = max(called, phases.count("reaching"))
        assert most == 2
        assert called <= 3
        assert all(room.verdict == "go" for room in rooms.check(id_).rooms.values())


async def test_a_room_in_another_conference_is_shown_and_not_taken(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await CheckedRooms(site, {"ban": Kind(), "ranh": Kind()}).registered()
        await site.start(["ban"])
        await rooms.until(lambda: site.presence() == {"ban": "connected"})
        check = await rooms.until_ended(await rooms.begin())
        [finding] = check.rooms["ban"].findings
        assert (finding.code, dict(finding.values)) == (
            "busy",
            {"name": "Họp", "conference": "hop"},
        )
        assert check.rooms["ranh"].verdict == "go"
        assert site.presence() == {"ban": "connected"}


async def test_rooms_of_a_running_conference_are_checked_where_they_are(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await CheckedRooms(site, {"mot": Kind(), "hai": Kind(echo=0.5)}).registered()
        await site.start(["mot", "hai"])
        await rooms.until(lambda: set(site.presence().values()) == {"connected"})
        check = await rooms.until_ended(await rooms.begin(conference="hop"))
        assert {one: refusing(room) for one, room in check.rooms.items()} == {
            "mot": set(),
            "hai": {"echo"},
        }
        assert set(site.presence().values()) == {"connected"}
        assert not any(one.deafened for one in site.state().participants.values())


async def test_a_room_that_drops_is_awaited_once_more(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data", left_after_s=3.0) as site:
        rooms = await CheckedRooms(site, {"rot": Kind(), "rot-han": Kind()}).registered()
        id_ = await rooms.begin()
        for bridge in ("rot", "rot-han"):
            await rooms.until(lambda bridge=bridge: rooms.phase(id_, bridge) == "measuring")
            rooms.rooms[bridge].hang_up()
        rooms.kinds["rot-han"] = Kind(comes=False)
        await rooms.until(lambda: rooms.phase(id_, "rot") == "reaching")
        rooms.comes_again("rot")
        check = await rooms.until_ended(id_)
        assert check.rooms["rot"].verdict == "go"
        assert check.rooms["rot"].drops == 1
        assert refusing(check.rooms["rot-han"]) == {"unreached"}


async def test_a_check_goes_on_after_kill_9(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await CheckedRooms(site, {"mot": Kind(), "hai": Kind(comes=False)}).registered()
        id_ = await rooms.begin()
        await rooms.until(lambda: rooms.phase(id_, "mot") == "measuring")
        restarted = await rooms.killed(tmp_path / "after")
        async with restarted:
            after = CheckedRooms(restarted, rooms.kinds)
            await after.checks.restore()
            await after.checks.settled()
            # The conference of the check before is gone; rooms begin anew.
            assert not after.site.conferences.running()
            assert after.phase(id_, "mot") == "waiting"
            check = await after.until_ended(id_)
            assert check.rooms["mot"].verdict == "go"
            assert refusing(check.rooms["hai"]) == {"unreached"}


async def test_a_loopback_that_is_declared_is_proof_and_no_echo(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        kind = Kind(echo=0.9, confirms=False, loopback=True)
        rooms = await CheckedRooms(site, {"vong": kind}).registered()
        check = await rooms.until_ended(await rooms.begin())
        assert check.rooms["vong"].verdict == "go"
        assert {each.code for each in check.rooms["vong"].findings} >= {"loopback-returned"}


async def test_what_has_changed_is_named_until_it_is_accepted(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await CheckedRooms(site, {"phong": Kind()}).registered()
        first = await rooms.until_ended(await rooms.begin())
        await rooms.checks.order(first.id, AcceptConfiguration("phong", "An"))
        await rooms.checks.settled()
        rooms.kinds["phong"] = Kind(codec="VP8")
        id_ = await rooms.begin()
        with pytest.raises(CheckRefused):  # what is not measured yet cannot be accepted
            await rooms.checks.order(id_, AcceptConfiguration("phong", "An"))
        second = await rooms.until_ended(id_)
        [changed] = [one for one in second.rooms["phong"].findings if one.code == "changed"]
        assert changed.text == "video_codec was h264, is vp8"
        assert second.rooms["phong"].verdict == "no-go"
        third = await rooms.checks.order(id_, AcceptConfiguration("phong", "An"))
        assert third is not None
        assert third.rooms["phong"].verdict == "go"
        await rooms.checks.order(id_, RecheckRoom("phong", "An"))
        again = await rooms.until_ended(id_)
        assert {one.code for one in again.rooms["phong"].findings} >= {"unchanged"}
        history = await site.store.readiness.history("phong")
        assert [one.verdict for one in history.items] == ["go", "go", "no-go", "go", "go"]


async def test_without_confirmation_where_the_installation_does_not_ask_for_it(
    tmp_path: Path,
) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rules = Rules(needs_confirmation=False)
        rooms = CheckedRooms(site, {"phong": Kind(confirms=False)}, rules=rules)
        check = await (await rooms.registered()).until_ended(await rooms.begin())
        assert check.rooms["phong"].verdict == "go"


async def test_a_meeting_that_ends_while_it_is_checked(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data", left_after_s=3.0) as site:
        rooms = await CheckedRooms(site, {"phong": Kind()}).registered()
        await site.start(["phong"])
        id_ = await rooms.begin(conference="hop")
        await rooms.until(lambda: rooms.phase(id_, "phong") == "measuring")
        await site.order(EndConference())
        # The room goes back to its waiting page, and is met in the check's own conference.
        check = await rooms.until_ended(id_)
        assert check.rooms["phong"].drops == 1
        assert check.rooms["phong"].verdict == "go"


async def test_a_keypad_confirms_as_the_button_does(tmp_path: Path) -> None:
    async with VirtualInstallation(tmp_path / "data") as site:
        rooms = await CheckedRooms(site, {"phong": Kind(confirms=False)}).registered()
        assert not rooms.checks.confirm_by_key("hop", "phong")
        id_ = await rooms.begin()
        await rooms.until(lambda: rooms.phase(id_, "phong") == "confirming")
        where = site.conferences.conference_of("phong")
        assert not rooms.checks.confirm_by_key("hop", "phong")
        assert rooms.checks.confirm_by_key(str(where), "phong")
        check = await rooms.until_ended(id_)
        assert (check.rooms["phong"].verdict, check.rooms["phong"].confirmation) == ("go", "heard")
