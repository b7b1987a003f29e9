import pytest

from mcu.conference.commands import StartConference
from mcu.conference.invitations import Invitations
from mcu.conference.state import Refused, RosterEntry
from mcu.store.records import Bridge


async def test_a_subtree_comes_in_order_of_importance(store):
    await store.bridges.create(Bridge("z", "Trung tâm", "tinh", importance=9))
    entries = await Invitations(store).for_start(StartConference("Họp", "tinh", "subtree"))
    assert [each.id for each in entries] == ["z", "b0", "b1", "b2"]
    assert entries[0] == RosterEntry("z", "Trung tâm", "z", "tinh", ("tinh",), 9)
    entries = await Invitations(store).for_start(StartConference("Họp", "xa2", "subtree"))
    assert [each.id for each in entries] == ["b2"]


async def test_bridges_of_other_units_may_be_named(store):
    entries = await Invitations(store).for_start(StartConference("Họp", "xa2", ("b0",)))
    assert entries[0].unit_path == ("tinh", "xa1")


async def test_no_bridges_at_all(store):
    assert await Invitations(store).for_start(StartConference("Họp", "tinh")) == []


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (StartConference("Họp", "x"), "unit"),
        (StartConference("Họp", "tinh", ("b0", "b1", "x")), "bridges.2"),
    ],
)
async def test_unknown_ones(store, command, field):
    with pytest.raises(Refused) as caught:
        await Invitations(store).for_start(command)
    assert caught.value.field == field


async def test_a_guest_of_a_unit_that_is_gone_still_comes_in(store):
    guest = await Invitations(store).for_guest("guest-1", "Khách", "gone", 0)
    assert guest.unit_path == ("gone",)
