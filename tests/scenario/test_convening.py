"""Yên Bái: all are up at most 10 minutes after notice, from the centre down to the communes."""

from pathlib import Path

import pytest

from mcu.conference.commands import StartConference
from mcu.conference.convening_model import Convening, StartConvening
from mcu.conference.convening_resources import convening_resource, within_target
from mcu.conference.plan import resolve_view
from mcu.engine.plan import ParticipantSlot
from mcu.store.records import Bridge, Contact, Unit
from tests.peers.convened_rooms import ConvenedRoom, ConvenedRooms
from tests.peers.virtual_installation import OPERATOR, VirtualInstallation

CHAIN = (
    ("trung-uong", "central", None),
    ("yen-bai", "province", "trung-uong"),
    ("van-yen", "district", "yen-bai"),
    ("mau-a", "commune", "van-yen"),
    ("dong-cuong", "commune", "van-yen"),
)
"""Central → province → district → communes."""
ROOMS = (
    ("chinh-phu", "trung-uong", "webrtc"),
    ("tinh", "yen-bai", "sip"),
    ("tinh-2", "yen-bai", "webrtc"),
    ("huyen", "van-yen", "sip"),
    ("xa-mau-a", "mau-a", "webrtc"),
    ("xa-mau-a-2", "mau-a", "sip"),
    ("xa-dong-cuong", "dong-cuong", "webrtc"),
    ("xa-dong-cuong-2", "dong-cuong", "webrtc"),
)
PEOPLE = (
    ConvenedRoom("chinh-phu", after_s=1),
    ConvenedRoom("tinh", "sip", 6),
    ConvenedRoom("tinh-2", after_s=30),
    ConvenedRoom("huyen", "sip", 8, refuses=("busy", "no_answer")),
    ConvenedRoom("xa-mau-a", after_s=12),
    ConvenedRoom("xa-mau-a-2", "sip", 5, there_at=400),
    ConvenedRoom("xa-dong-cuong", there_at=240),
    ConvenedRoom("xa-dong-cuong-2", after_s=20),
)


async def installed(site: VirtualInstallation) -> None:
    for unit, level, parent in CHAIN:
        await site.store.units.create(Unit(unit, unit, level, parent))  # type: ignore[arg-type]
    contact = Contact("Trực kỹ thuật", "+842163852111")
    for bridge, unit, kind in ROOMS:
        made = Bridge(bridge, f"Điểm cầu {bridge}", unit, kind, contact=contact)  # type: ignore[arg-type]
        await site.store.bridges.create(made)
    command = StartConference(
        "Họp Chính phủ với địa phương",
        "trung-uong",
        "subtree",
        "chinh-phu",
        id="hop",
        calls_when_convened=True,
    )
    await site.conferences.start(command, OPERATOR)


def convening(site: VirtualInstallation) -> Convening:
    found = site.state().convening
    assert found is not None
    return found


def rows(site: VirtualInstallation) -> dict[str, dict[str, object]]:
    found = convening_resource(site.state(), convening(site))["rows"]
    return {row["participant"]: row for row in found}


def seats(site: VirtualInstallation) -> tuple[object, ...]:
    return resolve_view(site.state(), "main").slots


async def test_the_whole_chain_is_up_within_ten_minutes_and_a_restart_between(
    tmp_path: Path,
) -> None:
    async with VirtualInstallation(tmp_path / "one") as site:
        await installed(site)
        story = ConvenedRooms(PEOPLE, site.time.now + 30.0)
        story.attach(site)
        site.run(30.0)
        assert set(site.presence().values()) == {"expected"}, "nobody is called before notice"
        await site.order(StartConvening("units", at_once=3, by="Văn phòng Chính phủ"))
        called = [name for name, row in rows(site).items() if row["state"] == "called"]
        assert called == ["chinh-phu", "tinh", "tinh-2"], "from the top of the tree down"
        reserved = seats(site)
        assert sum(isinstance(slot, ParticipantSlot) for slot in reserved) == len(ROOMS)

        site.run(120.0)
        board = rows(site)
        assert board["huyen"]["state"] == "joined", "busy, then no answer, then there"
        assert board["huyen"]["attempts"] == 3
        assert board["xa-dong-cuong"]["cause"] == "unreachable", "its page is not open"
        assert seats(site) == reserved, "late ones have their places, nobody is moved"
        site.run(130.0)
        assert rows(site)["xa-dong-cuong"]["state"] == "joined", (
            "called as soon as its page was open"
        )
        await site.settled()
        after = await site.kill(tmp_path / "two")

    async with after as site:
        assert convening(site).is_open
        assert [one.percent for one in convening(site).milestones] == [50]
        story.attach(site)
        site.run(145.0)
        assert rows(site)["xa-mau-a-2"]["state"] == "failed"
        site.run(15.0)
        found = convening(site)
        assert [one.percent for one in found.milestones] == [50, 90, 100]
        assert within_target(found) is True
        took = (found.milestones[-1].at - found.started_at).total_seconds()
        assert 400 <= took < 410, "called at once when its device has registered"
        await site.settled()
        events = await site.store.events.after(0, conference="hop")
        passed = [event for event in events if event.type == "convening.passed"]
        assert len(passed) == 3, "each once in the log, over the restart"


async def test_who_is_late_is_named_and_called_further_on(tmp_path: Path) -> None:
    late = ConvenedRoom("xa-mau-a-2", "sip", 5, there_at=700)
    people = tuple(late if room.name == late.name else room for room in PEOPLE)
    async with VirtualInstallation(tmp_path / "one") as site:
        await installed(site)
        story = ConvenedRooms(people, site.time.now)
        story.attach(site)
        await site.order(StartConvening(at_once=8))
        took = site.run_until(lambda: convening(site).overdue_at is not None, 605.0, 1.0)
        assert took == pytest.approx(600.0, abs=2.0)
        assert within_target(convening(site)) is False
        assert convening(site).is_open
        site.run(120.0)
        assert rows(site)[late.name]["late"] is True
        assert not convening(site).is_open
        await site.settled()
        (overrun,) = [
            event
            for event in await site.store.events.after(0, conference="hop")
            if event.type == "convening.overrun"
        ]
        assert overrun.data is not None
        assert overrun.data["missing"] == [late.name]
